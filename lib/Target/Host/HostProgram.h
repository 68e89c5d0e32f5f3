//===- HostProgram.h - From a program of kernels to functions ---*- C++ -*-===//
//
// Walks @main of one variant, whose tensors have memory, in order and writes
// the host function of a tier: what memory, dims and checks are is said there.
// Every launch becomes functions that the host starts through the runtime.
// Which kernel runs it is named on its op; what kernels ask for ends with the
// launch.
//
// Every target shares this, and it knows no machine. A target derives from it
// where its kernels need more, or their memory lies elsewhere.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_HOSTPROGRAM_H
#define QOPT_LIB_TARGET_HOST_HOSTPROGRAM_H

#include "CodeBuilder.h"

#include "dialects/QKernel/IR/Facts.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/KernelDims.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Target/WeightsSection.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <memory>
#include <string>
#include <vector>

namespace qopt::host {

/// A tensor inside the host function: row-major elements of
/// `memoryType(type.getElementType())`, aligned to 64 bytes, with 64 readable
/// bytes behind them. Dims are i64.
struct Buffer {
  mlir::Value pointer;
  llvm::SmallVector<mlir::Value> dims;
  mlir::RankedTensorType type;
  /// What dim of a state that grows there is memory for; null where rows are
  /// dense. Only kernels that say so are given such tensors.
  mlir::Value slots;

  /// What dim of `axis` there is memory for.
  mlir::Value slotsOf(int64_t axis) const { return slots ? slots : dims[axis]; }

  mlir::Type elementType() const { return type.getElementType(); }
  int64_t rank() const { return type.getRank(); }
};

/// What the body of a launched kernel is written with.
struct KernelScope {
  mlir::OpBuilder &b;
  mlir::Location loc;
  /// The captures of the launch, inside the kernel. Constants stay constants.
  llvm::SmallVector<mlir::Value> captures;
  /// i64: the part to work on and the thread that does.
  mlir::Value part, thread;

  CodeBuilder code() { return CodeBuilder(b, loc); }
};

using kernel::isSameDim;
using kernel::knownDimOf;
using kernel::knownNumber;

/// How the elements of a constant are packed: codes of fewer than 8 bits one a
/// byte as in memory, or with their sign.
enum class ElementForm { Memory, Integers };

class HostProgram : public kernel::KernelBuilder {
public:
  /// Writes into `module`, which belongs to the target. Ops name one of
  /// `kernels`. Constants go to `weights`, shared by all tiers of an artefact.
  HostProgram(mlir::ModuleOp module, llvm::StringRef tierName,
              kernel::KernelList kernels, WeightsSection &weights);
  ~HostProgram() override;

  /// Whether there is code for the types of all element-wise ops of a kernel,
  /// which every family asks.
  static kernel::Match checkBody(mlir::Operation *op);

  /// Writes the host function `main.<tier>` for `program`.
  mlir::LogicalResult emit(mlir::func::FuncOp program);

  /// `Kernel::stage` of kernels that write with this.
  template <class Machine>
  static mlir::LogicalResult stage(const kernel::Kernel &kernel,
                                   const Machine &, kernel::LaunchOp launch) {
    mlir::OwningOpRef<mlir::ModuleOp> module(
        mlir::ModuleOp::create(launch.getLoc()));
    WeightsSection weights;
    return HostProgram(*module, "", {}, weights).stageLaunch(launch, kernel);
  }

  /// Stands in the host function.
  mlir::OpBuilder &builder() { return b; }
  mlir::Location loc() const { return location; }
  CodeBuilder code() { return CodeBuilder(b, location); }
  mlir::Type pointerType();

  //===--- Tensors
  //-----------------------------------------------------------===//
  /// The buffer of an operand or result of the op in work, of an argument of
  /// its body, or of a value there after `allocateInside`. Constants come into
  /// being here.
  Buffer &buffer(mlir::Value tensor);
  /// Dims of any tensor of the op in work, also of those inside of it.
  llvm::SmallVector<mlir::Value> dims(mlir::Value tensor) {
    return inWork->dims.dimsOf(tensor);
  }
  /// Elements of an operand that is an integer tensor of rank 0 or 1, as i64.
  /// Nothing when the length is not static.
  std::optional<llvm::SmallVector<mlir::Value>> elements(mlir::Value tensor);
  /// Makes the buffer of a value inside the kernel in work, for this op alone.
  Buffer &allocateInside(mlir::Value value);
  /// True for an operand, or an argument of the body, of the op in work that is
  /// constant.
  bool isConstant(mlir::Value tensor) { return constantOf(tensor) != nullptr; }
  /// What the facts of the op in work say of the integers of `tensor`, an
  /// operand or an argument of its body; null where they say nothing.
  kernel::IntegersAttr factOf(mlir::Value tensor) {
    return kernel::getFact(current, tensor);
  }
  /// What the launch in work is given for an operand or result of its kernel,
  /// or for an argument of the body: memory or a constant. Any other value as
  /// it is.
  mlir::Value hostValue(mlir::Value tensor);

  //===--- Memory
  //------------------------------------------------------------===//
  /// A pointer to `bytes` in the weights section: aligned to 64 bytes, equal
  /// contents stored once, 64 readable bytes behind.
  mlir::Value weightPointer(llvm::ArrayRef<uint8_t> bytes);
  using Packer = llvm::function_ref<llvm::SmallVector<std::vector<uint8_t>>(
      llvm::ArrayRef<uint8_t>)>;
  /// Pointers to the pieces that `pack` makes of a constant. What they are is
  /// for kernels to know; what the constant holds is for `pack` alone.
  llvm::SmallVector<mlir::Value> packedWeights(mlir::Value tensor,
                                               ElementForm form, Packer pack);
  /// The same of one piece.
  mlir::Value packedWeight(
      mlir::Value tensor,
      llvm::function_ref<std::vector<uint8_t>(llvm::ArrayRef<uint8_t>)> pack,
      ElementForm form = ElementForm::Memory);
  /// Memory for the launches of this op alone, aligned to 64 bytes. Between its
  /// launches such a kernel works on nothing but dims.
  mlir::Value temporary(mlir::Value bytes);
  /// The same for each thread: thread t owns `bytesPerThread` bytes (a multiple
  /// of 64) from t * bytesPerThread on.
  mlir::Value scratch(mlir::Value bytesPerThread);

  //===--- Kernels
  //-----------------------------------------------------------===//
  /// Writes a kernel function and runs it for the parts [0, parts), directly
  /// where there is known to be one. Captures are pointers, i64, i32 or f32.
  /// `body` is not asked where a launch that is alike has made the function, or
  /// where another step is written.
  void launch(llvm::StringRef name, mlir::ValueRange captures,
              mlir::Value parts, llvm::function_ref<void(KernelScope &)> body);

  //===--- Errors of a run
  //---------------------------------------------------===//
  /// Ends the run with `code` (1: data, 4: memory) and a text that names the
  /// node of the op in work, unless `condition` holds.
  void require(mlir::Value condition, int32_t code, const llvm::Twine &text);
  void requireEqual(mlir::Value a, mlir::Value b, const llvm::Twine &text);

protected:
  /// Memory of the program in the host function. Dims are i64.
  struct Memory {
    mlir::Value pointer;
    llvm::SmallVector<mlir::Value> dims;
    /// As in `Buffer`.
    mlir::Value slots;
  };

  /// Writes one op of the program.
  virtual mlir::LogicalResult emitOp(mlir::Operation *op);
  /// Writes the kernel of another function.
  mlir::LogicalResult emitLaunch(kernel::LaunchOp op);
  /// Asks `kernel` which steps `op` takes, and puts them in its place.
  mlir::LogicalResult stageLaunch(kernel::LaunchOp op,
                                  const kernel::Kernel &kernel);
  /// Writes an op with the kernel that it names.
  virtual mlir::LogicalResult emitKernel(mlir::Operation *op,
                                         const kernel::Kernel &kernel);
  /// Writes the function of a launch.
  mlir::LLVM::LLVMFuncOp
  writeKernel(llvm::StringRef name, mlir::ValueRange captures,
              llvm::function_ref<void(KernelScope &)> body);
  /// The kernel that `op` names; null, with a diagnostic, where there is none.
  const kernel::Kernel *findKernelOf(mlir::Operation *op);

  //===--- Memory of the program
  //---------------------------------------------===//
  /// Writes what tells of memory.
  mlir::LogicalResult emitMemory(mlir::Operation *op);
  /// Whether what stands in `memory` is on the host.
  virtual bool isOnHost(mlir::Value memory) { return true; }
  virtual mlir::Value allocateMemory(mlir::memref::AllocOp op,
                                     mlir::Value bytes);
  virtual void freeMemory(mlir::Value memory);
  virtual void copyMemory(mlir::Value from, mlir::Value to, mlir::Value bytes);
  /// The memory of a view; fails with a diagnostic.
  virtual mlir::FailureOr<mlir::Value> viewMemory(kernel::ViewOp op);
  void setMemory(mlir::Value value, mlir::Value pointer,
                 mlir::ValueRange openDims);
  Memory memoryOf(mlir::Value value) const { return memories.at(value); }
  /// The elements in front of one.
  mlir::Value offsetOf(mlir::Value memory, mlir::ValueRange indices);
  mlir::Value outputMemory(kernel::OutputMemoryOp op);
  void appendMemory(kernel::AppendMemoryOp op);

  //===--- Control flow
  //------------------------------------------------------===//
  /// Branches and loops.
  mlir::LogicalResult emitControlFlow(mlir::Operation *op);
  mlir::LogicalResult emitIf(mlir::scf::IfOp op);
  mlir::LogicalResult emitFor(mlir::scf::ForOp op);
  mlir::LogicalResult emitWhile(mlir::scf::WhileOp op);
  mlir::LogicalResult emitScalar(mlir::Operation *op);
  /// Writes the ops of a region, all but the terminator.
  mlir::LogicalResult emitBlock(mlir::Block &block);
  /// A block of a region whose arguments are of `types`; what follows is
  /// written there.
  /// At the start of a loop's body: the run goes on only while the runtime
  /// allows it.
  void countIteration();
  mlir::Block *enterBlock(mlir::Region &region, mlir::TypeRange types);
  /// What a scalar is in the host function.
  mlir::Value scalar(mlir::Value value) { return scalars.at(value); }
  llvm::SmallVector<mlir::Value> scalarsOf(mlir::ValueRange values);
  /// `values` as regions carry them, which own their memory.
  llvm::SmallVector<mlir::Value> carry(mlir::ValueRange values);
  /// Makes `values` what is carried.
  void bind(mlir::ValueRange values, mlir::ValueRange carried);

  /// Ends the run.
  virtual mlir::LogicalResult emitReturn(mlir::Operation *op);
  /// The constant behind a tensor, looking through `qkernel.pack`; null where
  /// there is none.
  ConstantOp constantOf(mlir::Value tensor);
  mlir::Value weightAt(uint64_t offset);
  /// The address of a constant of the program.
  mlir::Value constantPointer(mlir::Value constant);
  void emitObserve(kernel::ObserveMemoryOp op);
  void emitArguments(mlir::func::FuncOp program, mlir::Value inputs);
  void declareHost();
  mlir::Value storeDims(mlir::ValueRange dims);

  mlir::Value checkedAlloc(llvm::StringRef function, mlir::ValueRange operands);
  /// Ends the run where there can be no tensor of these dims.
  void checkSize(mlir::ValueRange dims, mlir::Type element);
  /// The bytes of a tensor that there can be.
  mlir::Value byteCount(mlir::ValueRange dims, mlir::Type element);
  mlir::Value callRuntime(llvm::StringRef name, mlir::Type result,
                          mlir::ValueRange operands);

  /// What a kernel writes while it is staged.
  class Staging;
  /// The functions of launches that are alike, in the order in which their
  /// kernel asks for them.
  struct Emitted;
  /// Those of all launches so far.
  class Emissions;

  /// What lasts as long as a launch is written.
  struct Launch {
    Launch(kernel::LaunchOp op, kernel::KernelDims &dims)
        : op(op), dims(dims) {}

    kernel::LaunchOp op;
    kernel::KernelDims &dims;
    llvm::DenseMap<mlir::Value, std::unique_ptr<Buffer>> buffers;
    /// What stands for those that were asked for.
    llvm::SmallVector<mlir::Value> temporaries;
    /// Null where code is written.
    Staging *staging = nullptr;
    /// The functions of such launches; null where they are not kept.
    Emitted *emitted = nullptr;
    /// Functions that this one has asked for.
    size_t numFunctions = 0;
    /// Constants that were packed.
    size_t numPacked = 0;
    /// How many steps have a name, but for numbers.
    llvm::StringMap<int64_t> numSteps;
    /// The steps that are written, and whether one is given wrong memory.
    bool isStepWritten = false, isWrong = false;

    /// What the next step is called, whose function has a name.
    std::string nameStep(llvm::StringRef name);
    /// The temporaries that captures are computed from, in their order.
    llvm::SmallVector<mlir::Value>
    findTemporaries(mlir::ValueRange captures) const;
  };

  /// The dims of what a launch is given.
  llvm::SmallVector<mlir::Value> operandDims(mlir::Value operand);
  /// Computes the dims of the kernel of `op` for `body`.
  mlir::LogicalResult
  writeLaunch(kernel::LaunchOp op, Staging *staging,
              llvm::function_ref<mlir::LogicalResult(Launch &)> body);
  /// Puts the memory of the step in work in place of what stands for it. False,
  /// with a diagnostic, where that is not what the step uses.
  bool giveTemporaries(llvm::MutableArrayRef<mlir::Value> captures);

  mlir::ModuleOp module;
  std::string tierName;
  kernel::KernelList kernels;
  WeightsSection &weights;
  mlir::OpBuilder b;
  mlir::Location location;
  /// The kernel or other op in work.
  mlir::Operation *current = nullptr;
  /// Null between launches.
  Launch *inWork = nullptr;
  mlir::SymbolTableCollection symbols;
  mlir::LLVM::LLVMFuncOp host;
  mlir::Value context, weightsBase, argsBlock;
  mlir::Operation *argsBlockSize = nullptr;
  int64_t argsSlots = 1;
  std::unique_ptr<Emissions> emissions;
  /// The pieces that constants of a kernel of several steps were packed to:
  /// their offsets.
  kernel::LaunchOp packedFor;
  std::vector<llvm::SmallVector<uint64_t>> packed;
  /// What values of the program are in the host function.
  llvm::DenseMap<mlir::Value, Memory> memories;
  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
};

} // namespace qopt::host

#endif
