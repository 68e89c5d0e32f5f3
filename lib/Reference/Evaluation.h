//===- Evaluation.h - What the evaluator of an op works on ------*- C++ -*-===//
//
// One evaluator a family of ops. Results are allocated, with the dims that the
// op's shape rule gives, before an evaluator runs.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_REFERENCE_EVALUATION_H
#define LIB_REFERENCE_EVALUATION_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/HostTensor.h"

namespace qopt::reference {

struct Evaluation {
  mlir::Operation *op;
  llvm::ArrayRef<HostTensor> operands;
  llvm::MutableArrayRef<HostTensor> results;

  /// The tensor of an operand of `op`.
  const HostTensor &operator[](mlir::Value operand) const;
  llvm::SmallVector<const HostTensor *> tensors(mlir::ValueRange values) const;
  HostTensor &result() const { return results.front(); }

  llvm::Error badData(const llvm::Twine &message) const;
  llvm::Error unsupported(const llvm::Twine &message) const;
};

/// `message` with the ONNX node and the op in front.
llvm::Error makeOpError(mlir::Operation *op, ExitCode code,
                        const llvm::Twine &message);

llvm::Error evaluateElementwiseOp(const Evaluation &evaluation);
llvm::Error evaluateBatchNorm(const Evaluation &evaluation, BatchNormOp op);

llvm::Error evaluateMatMul(const Evaluation &evaluation, MatMulOp op);
llvm::Error evaluateGemm(const Evaluation &evaluation, GemmOp op);
llvm::Error evaluateConv(const Evaluation &evaluation, ConvOp op);
llvm::Error evaluateAttention(const Evaluation &evaluation, AttentionOp op);

llvm::Error evaluateQuantize(const Evaluation &evaluation, QuantizeOp op);
llvm::Error evaluateDequantize(const Evaluation &evaluation, DequantizeOp op);
llvm::Error evaluateQuantizeDynamic(const Evaluation &evaluation,
                                    QuantizeDynamicOp op);
llvm::Error evaluateRequantize(const Evaluation &evaluation, RequantizeOp op);
llvm::Error evaluateShift(const Evaluation &evaluation, ShiftOp op);
llvm::Error evaluateDivideRound(const Evaluation &evaluation, DivideRoundOp op);
llvm::Error evaluateLookup(const Evaluation &evaluation, LookupOp op);

/// Ops with a formula of loops; fails for any other.
llvm::Error evaluateLoops(const Evaluation &evaluation);

/// Scalars of upstream's dialects, as tensors of rank 0; no shape rule is
/// needed.
llvm::Expected<llvm::SmallVector<HostTensor>>
evaluateScalarOp(mlir::Operation *op, llvm::ArrayRef<HostTensor> operands);

} // namespace qopt::reference

#endif // LIB_REFERENCE_EVALUATION_H
