//===- Epilogue.h - Element-wise ops inside a kernel ------------*- C++ -*-===//
//
// Evaluates the element-wise ops of a kernel's body on 16 elements at a time.
// The elements are points of the *space*: the dims of one tensor of the body,
// to which all others broadcast. Neighbouring axes of the space may be
// collapsed into one where every operand allows it, so coordinates count
// *groups* of axes.
//
// Use: construct on the host; `collapse`; `capture` (allocates the kernel's
// results); in the launched body `enter`, then `finish` for each 16 elements.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_EPILOGUE_H
#define QOPT_LIB_TARGET_CPU_EPILOGUE_H

#include "CaptureList.h"
#include "VectorBuilder.h"
#include "lib/Target/Host/HostProgram.h"

namespace qopt::cpu {

class Epilogue {
public:
  /// `space` is the tensor of the kernel's body whose dims are the space: the
  /// root's result, or for a map the value it yields. `root` is the value that
  /// the kernel computes itself (null in a map).
  /// Stores::Nothing leaves the kernel's results to the caller.
  enum class Stores { Results, Nothing };
  Epilogue(HostProgram &program, mlir::Operation *kernel, mlir::Value space,
           mlir::Value root, Stores stores = Stores::Results);
  ~Epilogue();

  //===--- On the host
  //--------------------------------------------------------===//
  /// Adds a tensor of the body that `evaluate` will be asked for.
  void need(mlir::Value tensor);
  /// True when the axes [first, last] can be one group.
  bool canCollapse(int64_t first, int64_t last);
  /// Sets the groups by the first axis of each; the default is an axis a group.
  /// A space of rank 0 is one group.
  void collapse(llvm::ArrayRef<int64_t> firstAxes);
  /// Collapses all that can be, but no axis before `firstAxis` with one after.
  void collapseAll(int64_t firstAxis = 0);
  /// Dims of the groups.
  llvm::SmallVector<mlir::Value> groupDims();
  /// Allocates the results that have the dims of the space (unless another
  /// epilogue of the kernel did) and appends what the kernel needs to
  /// `captures`.
  void capture(llvm::SmallVectorImpl<mlir::Value> &captures);

  //===--- In the kernel
  //------------------------------------------------------===//
  /// Takes back what `capture` appended; call once, before the first loop.
  void enter(KernelScope &scope);
  /// The dims of the groups, inside the kernel.
  llvm::ArrayRef<mlir::Value> dimsInside() const { return limits; }
  struct Lanes {
    /// i64, one a group: the first of 16 elements that follow each other along
    /// `laneGroup`. Where scales of blocks run along that group, its coordinate
    /// must be a multiple of 16.
    llvm::SmallVector<mlir::Value> coordinates;
    int64_t laneGroup;
    /// How many are wanted (null: all 16). The others may be any value.
    mlir::Value count;
    /// How many the results have room for (null: `count`): what stands there
    /// behind the wanted ones is written later.
    mlir::Value room = {};
  };
  /// 16 elements of `tensor`, in lane type. `root` is the kernel's own value,
  /// not yet rounded to the element type of the root's result.
  mlir::Value evaluate(mlir::OpBuilder &b, mlir::Value tensor,
                       const Lanes &lanes, mlir::Value root = {});
  /// Evaluates the yielded values that have the dims of the space and stores
  /// them. There must be one.
  void finish(mlir::OpBuilder &b, const Lanes &lanes, mlir::Value root = {});

  /// Positions of the results that `finish` stores.
  llvm::ArrayRef<unsigned> storedResults() const { return stored; }

private:
  struct Access;
  struct Group {
    int64_t first, last;
  };

  void chooseStored();
  void findAccesses();
  void visit(mlir::Value tensor);
  Access &access(mlir::OpOperand &use);
  Access &access(mlir::Value tensor);
  mlir::Value evaluateValue(VectorBuilder &v, mlir::Value tensor,
                            const Lanes &lanes, mlir::Value root);
  mlir::Value evaluateOp(VectorBuilder &v, mlir::Operation *op,
                         const Lanes &lanes, mlir::Value root);
  mlir::Value loadAccess(VectorBuilder &v, Access &access, const Lanes &lanes);

  HostProgram &program;
  mlir::Operation *kernel;
  mlir::Value space, root;
  llvm::SmallVector<mlir::Value> spaceDims;
  llvm::SmallVector<Group> groups;
  llvm::SmallVector<unsigned> stored;
  llvm::SmallVector<mlir::Value> needed;
  bool isAnalysed = false;
  std::vector<Access> accesses;
  size_t firstCapture = 0;
  llvm::SmallVector<mlir::Value> limits, outputPointers, outputStrides;
  llvm::DenseMap<mlir::Value, mlir::Value> memo;
};

/// Launches a kernel that uses the values of `list` and those of `epilogue`:
/// `body` writes it when both are entered.
void launch(HostProgram &program, llvm::StringRef name, CaptureList &list,
            Epilogue &epilogue, mlir::Value parts,
            llvm::function_ref<void(VectorBuilder &, KernelScope &)> body);

} // namespace qopt::cpu

#endif
