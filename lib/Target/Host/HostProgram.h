//===- HostProgram.h - From a program of kernels to functions ---*- C++ -*-===//
//
// Walks @main of one variant in order and writes the host function of a tier.
// Every kernel becomes a function of its own that the host starts through the
// runtime. Which kernel runs an op is named on it.
//
// Every target shares this, and it knows no machine. A target derives from it
// where its kernels need more; one whose kernels run elsewhere keeps dims,
// checks, lifetimes and shape arithmetic here.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_HOSTPROGRAM_H
#define QOPT_LIB_TARGET_HOST_HOSTPROGRAM_H

#include "CodeBuilder.h"

#include "dialects/QKernel/IR/Facts.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "qopt/Target/WeightsSection.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include <map>
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

/// The number of an i64 that is a constant.
std::optional<int64_t> knownNumber(mlir::Value value);

/// True when two dims are known to be equal: one value, or one constant.
bool isSameDim(mlir::Value a, mlir::Value b);

/// Of two dims that were required to be equal, the one whose number is known.
mlir::Value knownDimOf(mlir::Value a, mlir::Value b);

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

  /// Stands in the host function.
  mlir::OpBuilder &builder() { return b; }
  mlir::Location loc() const { return location; }
  CodeBuilder code() { return CodeBuilder(b, location); }
  mlir::Type pointerType();

  //===--- Tensors
  //-----------------------------------------------------------===//
  /// The buffer of an operand of the op in work, of an argument of its body, or
  /// of a result after `allocate`. Constants come into being here.
  Buffer &buffer(mlir::Value tensor);
  /// Dims of any tensor, also of those inside the kernel in work.
  llvm::SmallVector<mlir::Value> dims(mlir::Value tensor);
  /// Elements of an integer tensor of rank 0 or 1, as i64.
  /// Nothing when the length is not static.
  std::optional<llvm::SmallVector<mlir::Value>> elements(mlir::Value tensor);
  /// Makes the buffer of a result of the op in work, in the memory of an output
  /// where the op says so.
  Buffer &allocate(mlir::Value result);
  /// Makes the buffer of a value inside the kernel in work, for this op alone.
  Buffer &allocateInside(mlir::Value value);
  /// Makes `result` another view of `source`'s memory (same number of bytes).
  void alias(mlir::Value result, mlir::Value source);
  /// True for an operand, or an argument of the body, of the op in work that is
  /// constant.
  bool isConstant(mlir::Value tensor) { return constantOf(tensor) != nullptr; }
  /// What the facts of the op in work say of the integers of `tensor`, an
  /// operand or an argument of its body; null where they say nothing.
  kernel::IntegersAttr factOf(mlir::Value tensor) {
    return kernel::getFact(current, tensor);
  }
  /// The operand of the kernel in work that a body argument stands for; any
  /// other value as `hostValue` gives it.
  mlir::Value operandOf(mlir::Value tensor);
  /// The operand or result of the launch in work that a value of the launched
  /// function stands for; any other value as it is.
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
  /// Memory for this op alone; freed after it. Aligned to 64 bytes.
  mlir::Value temporary(mlir::Value bytes);
  /// Memory for each thread: thread t owns `bytesPerThread` bytes (a multiple
  /// of 64) from t * bytesPerThread on.
  mlir::Value scratch(mlir::Value bytesPerThread);

  //===--- Kernels
  //-----------------------------------------------------------===//
  /// Writes a kernel function and runs it for the parts [0, parts), directly
  /// where there is known to be one. Captures are pointers, i64, i32 or f32.
  void launch(llvm::StringRef name, mlir::ValueRange captures,
              mlir::Value parts, llvm::function_ref<void(KernelScope &)> body);

  //===--- Errors of a run
  //---------------------------------------------------===//
  /// Ends the run with `code` (1: data, 4: memory) and a text that names the
  /// node of the op in work, unless `condition` holds.
  void require(mlir::Value condition, int32_t code, const llvm::Twine &text);
  void requireEqual(mlir::Value a, mlir::Value b, const llvm::Twine &text);

protected:
  class DimPolicy;
  class RegionScope;

  /// Writes one op of the program.
  virtual mlir::LogicalResult emitOp(mlir::Operation *op);
  /// Writes the kernel of another function.
  mlir::LogicalResult emitLaunch(kernel::LaunchOp op);
  /// The op of the host function in work.
  mlir::Operation *hostOp() { return launched ? launched : current; }
  /// Writes an op with the kernel that it names; its dims are computed.
  virtual mlir::LogicalResult emitKernel(mlir::Operation *op,
                                         const kernel::Kernel &kernel);
  /// The kernel that `op` names; null, with a diagnostic, where there is none.
  const kernel::Kernel *findKernelOf(mlir::Operation *op);
  /// False for a tensor whose elements the host function cannot load.
  virtual bool isOnHost(mlir::Value tensor) { return true; }
  /// Ends the memory of `tensor`.
  virtual void freeBuffer(mlir::Value tensor);
  /// Copies a tensor into the memory of an output.
  virtual void emitOutput(kernel::OutputOp op);

  //===--- Control flow
  //------------------------------------------------------===//
  /// Branches and loops, and the scalars that they ask for.
  mlir::LogicalResult emitControlFlow(mlir::Operation *op);
  mlir::LogicalResult emitIf(mlir::scf::IfOp op);
  mlir::LogicalResult emitFor(mlir::scf::ForOp op);
  mlir::LogicalResult emitWhile(mlir::scf::WhileOp op);
  mlir::LogicalResult emitScalar(mlir::Operation *op);
  void emitExtract(mlir::tensor::ExtractOp op);
  void emitFromElements(mlir::tensor::FromElementsOp op);
  /// Writes the ops of a region, all but the terminator.
  mlir::LogicalResult emitBlock(mlir::Block &block);
  /// A block of a region whose arguments are of `types`; what follows is
  /// written there.
  mlir::Block *enterBlock(mlir::Region &region, mlir::TypeRange types);
  /// What a scalar is in the host function.
  mlir::Value scalar(mlir::Value value);
  /// Writes what tells of memory: copies, outputs, ends of lifetimes.
  mlir::LogicalResult emitMemory(mlir::Operation *op);
  void emitCopy(kernel::CopyOp op);
  /// `values` as regions carry them, which own their memory.
  llvm::SmallVector<mlir::Value> carry(mlir::ValueRange values);
  /// Makes `values` what is carried.
  void bind(mlir::ValueRange values, mlir::ValueRange carried);

  /// Ends the run.
  virtual mlir::LogicalResult emitReturn(mlir::Operation *op);
  /// The constant behind a tensor, looking through `qkernel.pack`; null where
  /// there is none.
  ConstantOp constantOf(mlir::Value tensor);
  void emitObserve(ObserveOp op);
  void emitArguments(mlir::func::FuncOp program, mlir::Value inputs);
  void declareHost();
  mlir::Value storeDims(mlir::ValueRange dims);

  mlir::LogicalResult computeDims(mlir::Operation *op);
  mlir::LogicalResult setDims(mlir::Operation *op);
  /// Elements that are dims, without a look at memory.
  std::optional<llvm::SmallVector<mlir::Value>>
  followElements(mlir::Value tensor);

  /// Ends the memory of temporaries.
  void release();
  mlir::Value checkedAlloc(llvm::StringRef function, mlir::ValueRange operands);
  mlir::Value byteCount(mlir::ValueRange dims, mlir::Type element);
  mlir::Value callRuntime(llvm::StringRef name, mlir::Type result,
                          mlir::ValueRange operands);

  mlir::ModuleOp module;
  std::string tierName;
  kernel::KernelList kernels;
  WeightsSection &weights;
  mlir::OpBuilder b;
  mlir::Location location;
  /// The kernel or other op in work, and the launch that runs it; null where it
  /// stands in the host function.
  mlir::Operation *current = nullptr, *launched = nullptr;
  mlir::SymbolTableCollection symbols;
  mlir::LLVM::LLVMFuncOp host;
  mlir::Value context, weightsBase, argsBlock;
  mlir::Operation *argsBlockSize = nullptr;
  int64_t argsSlots = 1;
  int64_t numKernels = 0;
  llvm::DenseMap<mlir::Value, std::unique_ptr<Buffer>> buffers;
  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> tensorDims;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> tensorElements;
  llvm::SmallVector<mlir::Value> temporaries;
  std::map<std::vector<void *>, mlir::Value> byteCounts;
};

} // namespace qopt::host

#endif
