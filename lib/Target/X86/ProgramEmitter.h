//===- ProgramEmitter.h - From a program of kernels to functions -*- C++ -*-===//
//
// Walks @main of one variant in order and writes the host function of a tier.
// Every kernel becomes a function of its own that the host starts through the
// runtime. Bare qopt ops are wrapped in a kernel op of their family first, so
// that an emitter sees only kernels (and ops that move data).
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_PROGRAMEMITTER_H
#define QOPT_LIB_TARGET_X86_PROGRAMEMITTER_H

#include "Tier.h"
#include "VectorBuilder.h"
#include "WeightsSection.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

namespace qopt::x86 {

/// A tensor inside the host function: row-major elements of
/// `memoryType(type.getElementType())`, aligned to 64 bytes, with 64 readable
/// bytes behind them. Dims are i64.
struct Buffer {
  mlir::Value pointer;
  llvm::SmallVector<mlir::Value> dims;
  mlir::RankedTensorType type;
};

/// What the body of a launched kernel is written with.
struct KernelScope {
  mlir::OpBuilder &b;
  mlir::Location loc;
  /// The captures of the launch, inside the kernel. Constants stay constants.
  llvm::SmallVector<mlir::Value> captures;
  /// i64: the part to work on and the thread that does.
  mlir::Value part, thread;
  /// Set by `ProgramEmitter::scratch`'s user: this thread's share.
  mlir::Value threadScratch(mlir::Value base, mlir::Value bytesPerThread);
};

class ProgramEmitter {
public:
  /// Writes into `module`, which belongs to the target. Constants go to
  /// `weights`, shared by all tiers of an artefact.
  ProgramEmitter(mlir::ModuleOp module, const Tier &tier,
                 WeightsSection &weights);

  /// Writes the host function `main.<tier>` for `program`.
  mlir::LogicalResult emit(mlir::func::FuncOp program);

  const Tier &tier() const { return machine; }
  /// Stands in the host function.
  mlir::OpBuilder &builder() { return b; }
  mlir::Location loc() const { return location; }
  VectorBuilder vectors() { return VectorBuilder(b, location); }

  //===--- Tensors -----------------------------------------------------------===//
  /// The buffer of an operand of the op in work, of a block argument of its
  /// body, or of a result after `allocate`. Constants come into being here.
  Buffer &buffer(mlir::Value tensor);
  /// Dims of any tensor, also of those inside the kernel in work.
  llvm::ArrayRef<mlir::Value> dims(mlir::Value tensor);
  /// Makes the buffer of a result of the op in work; freed after its last use.
  Buffer &allocate(mlir::Value result);
  /// Makes `result` another view of `source`'s memory (same number of bytes).
  void alias(mlir::Value result, mlir::Value source);
  /// The constant behind an operand or block argument, looking through
  /// `qkernel.pack`; null where there is none.
  mlir::Operation *constantOf(mlir::Value tensor);

  //===--- Memory ------------------------------------------------------------===//
  /// A pointer to `bytes` in the weights section: aligned to 64 bytes, equal
  /// contents stored once, 64 readable bytes behind.
  mlir::Value weightPointer(llvm::ArrayRef<uint8_t> bytes);
  /// Memory for this op alone; freed after it. Aligned to 64 bytes.
  mlir::Value temporary(mlir::Value bytes);
  /// Memory for each thread (`bytesPerThread` is rounded up to 64 by the
  /// caller). In the kernel, add thread * bytesPerThread.
  mlir::Value scratch(mlir::Value bytesPerThread);

  //===--- Kernels -----------------------------------------------------------===//
  /// Writes a kernel function and runs it for the parts [0, parts). Captures
  /// are pointers, i64, i32 or f32.
  void launch(llvm::StringRef name, mlir::ValueRange captures,
              mlir::Value parts, llvm::function_ref<void(KernelScope &)> body);

  //===--- Errors of a run ---------------------------------------------------===//
  /// Ends the run with `code` (1: data, 4: memory) and a text that names the
  /// node of the op in work, unless `condition` holds.
  void require(mlir::Value condition, int32_t code, const llvm::Twine &text);

private:
  struct DimPolicy;
  mlir::LogicalResult emitOp(mlir::Operation *op);
  mlir::LogicalResult emitReturn(mlir::Operation *op);
  mlir::LogicalResult emitObserve(mlir::Operation *op);
  mlir::LogicalResult computeDims(mlir::Operation *op);
  mlir::LogicalResult setDims(mlir::Operation *op, DimPolicy &policy);
  void emitArguments(mlir::func::FuncOp program, mlir::Value inputs);
  void planLifetimes(mlir::Block &block);
  void release(mlir::Operation *op);
  mlir::Value allocateBytes(mlir::Value bytes);
  mlir::Value byteCount(mlir::ValueRange dims, mlir::Type element);
  mlir::Value textPointer(llvm::StringRef text);
  mlir::Value callRuntime(llvm::StringRef name, mlir::Type result,
                          mlir::ValueRange operands);

  mlir::ModuleOp module;
  const Tier &machine;
  WeightsSection &weights;
  mlir::OpBuilder b;
  mlir::Location location;
  mlir::Operation *current = nullptr;
  mlir::LLVM::LLVMFuncOp host;
  mlir::Value context, weightsBase, argsBlock;
  int64_t argsSlots = 1;
  int64_t numKernels = 0;
  llvm::DenseMap<mlir::Value, std::unique_ptr<Buffer>> buffers;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> tensorDims;
  /// The tensor whose memory an alias uses.
  llvm::DenseMap<mlir::Value, mlir::Value> owners;
  /// Tensors whose memory ends with an op.
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<mlir::Value>> lastUses;
  llvm::SmallVector<mlir::Value> temporaries;
  llvm::StringMap<std::string> texts;
};

} // namespace qopt::x86

#endif
