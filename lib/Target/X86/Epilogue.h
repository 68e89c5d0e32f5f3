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

#ifndef QOPT_LIB_TARGET_X86_EPILOGUE_H
#define QOPT_LIB_TARGET_X86_EPILOGUE_H

#include "ProgramEmitter.h"

namespace qopt::x86 {

class Epilogue {
public:
  /// `space` is the tensor of the kernel's body whose dims are the space: the
  /// root's result, or for a map the value it yields. `root` is the value that
  /// the kernel computes itself (null in a map). `yields` are the positions of
  /// the results that this evaluation stores: all whose dims are the space's.
  Epilogue(ProgramEmitter &program, mlir::Operation *kernel, mlir::Value space,
           mlir::Value root);

  //===--- On the host --------------------------------------------------------===//
  /// True when the axes [first, last] can be one group.
  bool canCollapse(int64_t first, int64_t last);
  /// Sets the groups by the first axis of each; the default is an axis a group.
  void collapse(llvm::ArrayRef<int64_t> firstAxes);
  /// Collapses all that can be.
  void collapseAll();
  /// Dims of the groups.
  llvm::SmallVector<mlir::Value> groupDims();
  /// Adds a tensor of the body that `evaluate` will be asked for.
  void need(mlir::Value tensor);
  /// Allocates the results and appends what the kernel needs to `captures`.
  mlir::LogicalResult capture(llvm::SmallVectorImpl<mlir::Value> &captures);

  //===--- In the kernel ------------------------------------------------------===//
  /// Takes back what `capture` appended; call first in the body.
  void enter(KernelScope &scope);
  /// `coordinates` (i64, one a group) of the first of 16 elements that follow
  /// each other along `laneGroup`; `count` of them are wanted (null: all 16).
  struct Lanes {
    llvm::SmallVector<mlir::Value> coordinates;
    int64_t laneGroup;
    mlir::Value count;
  };
  /// 16 elements of `tensor`, in lane type. `root` is the kernel's own value
  /// (vector<16xf32> or <16xi32>).
  mlir::Value evaluate(mlir::OpBuilder &b, mlir::Value tensor,
                       const Lanes &lanes, mlir::Value root = {});
  /// Evaluates every yielded value and stores it.
  void finish(mlir::OpBuilder &b, const Lanes &lanes, mlir::Value root = {});

  /// Positions of the results that `finish` stores.
  llvm::ArrayRef<unsigned> storedResults() const { return stored; }

private:
  struct Access;
  enum class Along { Nothing, Everything, Blocks, Unknown };
  Along along(mlir::OpOperand &operand, int64_t axis);
  void addUse(mlir::OpOperand &operand);
  mlir::Value evaluateOp(mlir::OpBuilder &b, mlir::Operation *op,
                         const Lanes &lanes);
  mlir::Value loadOperand(mlir::OpBuilder &b, Access &access,
                          const Lanes &lanes);

  ProgramEmitter &program;
  mlir::Operation *kernel;
  mlir::Value space, root;
  llvm::SmallVector<int64_t> groups;
  llvm::SmallVector<unsigned> stored;
  llvm::SmallVector<mlir::Value> needed;
  std::vector<Access> accesses;
  size_t firstCapture = 0;
  llvm::DenseMap<mlir::Value, mlir::Value> memo;
};

} // namespace qopt::x86

#endif
