//===- OperandDims.h - What must hold of the dims of operands ---*- C++ -*-===//
//
// Beside ShapeFunctions.h: the dims of results follow from operands whose dims
// fit each other. Both are written over a policy, whose dims are numbers or
// values of a program.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_OPERANDDIMS_H
#define DIALECTS_QOPT_IR_OPERANDDIMS_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace qopt {

template <class P> using OperandDims = llvm::SmallVector<typename P::Dim>;

/// Each dim of `beside` is 1, that of the tensor, or the number of its blocks.
template <class P>
void requireScales(P &policy, const ScaledTensor &codes,
                   mlir::ValueRange beside) {
  OperandDims<P> target = policy.dimsOf(codes.tensor);
  FormatAttr format = codes.format;
  for (mlir::Value value : beside) {
    auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
    if (type.hasStaticShape() && type.getNumElements() == 1)
      continue;
    for (auto [i, dim] : llvm::enumerate(policy.dimsOf(value))) {
      bool hasBlocks = format && format.isBlocked() &&
                       format.getAxis() == static_cast<int64_t>(i);
      policy.requireScaleDim(dim, target[i],
                             hasBlocks ? format.getBlockSize() : 0);
    }
  }
}

/// The dims of `operand` are 1 or the last of `target`.
template <class P>
void requireBroadcast(P &policy, mlir::Value operand,
                      llvm::ArrayRef<typename P::Dim> target) {
  OperandDims<P> own = policy.dimsOf(operand);
  for (auto [dim, wanted] : llvm::zip(own, target.take_back(own.size())))
    policy.requireBroadcast(dim, wanted);
}

template <class P>
void requireContraction(ContractionOpInterface op, P &policy) {
  Contraction sum = op.getContraction();
  OperandDims<P> lhs = policy.dimsOf(sum.lhs.tensor);
  OperandDims<P> rhs = policy.dimsOf(sum.rhs.tensor);
  auto k = lhs[sum.lhs.getProductAxis()];
  if (!sum.isConvolution)
    return policy.requireEqual(k, rhs[sum.rhs.getProductAxis()],
                               "the reduction dims of the operands differ");
  auto outputs = rhs[sum.rhs.getOutputAxis()];
  auto group = policy.constant(sum.group);
  policy.requireEqual(k, policy.mul(rhs[sum.rhs.getProductAxis()], group),
                      "the channels of the operands differ");
  if (sum.group > 1)
    policy.requireEqual(outputs,
                        policy.mul(policy.floorDiv(outputs, group), group),
                        "the output channels do not fill the groups");
  if (sum.bias)
    policy.requireEqual(policy.dimsOf(sum.bias->get())[0], outputs,
                        "the bias does not fit the output channels");
}

template <class P> void requireAttention(AttentionOp op, P &policy) {
  OperandDims<P> query = policy.dimsOf(op.getQuery());
  OperandDims<P> key = policy.dimsOf(op.getKey());
  OperandDims<P> value = policy.dimsOf(op.getValue());
  int64_t last = query.size() - 1;
  policy.requireEqual(query[last], key[last], "the head sizes differ");
  policy.requireEqual(key[last - 1], value[last - 1],
                      "the numbers of keys and values differ");
  for (int64_t i = 0; i < last - 1; ++i) {
    policy.requireEqual(query[i], key[i], "the batches differ");
    policy.requireEqual(query[i], value[i], "the batches differ");
  }
  if (!op.getMask())
    return;
  query[last] = key[last - 1];
  requireBroadcast<P>(policy, op.getMask(), query);
}

/// Tells `policy` what must hold of the dims of the operands of `op`.
template <class P> void requireOperandDims(mlir::Operation *op, P &policy) {
  if (auto contraction = mlir::dyn_cast<ContractionOpInterface>(op))
    requireContraction(contraction, policy);
  if (auto scaled = mlir::dyn_cast<ScaledOpInterface>(op))
    for (const ScaledTensor &codes : scaled.getScaledTensors()) {
      requireScales(policy, codes, codes.scales);
      requireScales(policy, codes, codes.zeros);
    }
  llvm::TypeSwitch<mlir::Operation *>(op)
      .Case([&](AttentionOp op) { requireAttention(op, policy); })
      .template Case<RequantizeOp, ShiftOp, DivideRoundOp, LayerNormOp>(
          [&](auto rowwise) {
            OperandDims<P> target = policy.dimsOf(rowwise->getOperand(0));
            for (mlir::Value operand : rowwise->getOperands().drop_front())
              requireBroadcast<P>(policy, operand, target);
          })
      .Case([&](BatchNormOp norm) {
        auto channels = policy.dimsOf(norm.getX())[1];
        for (mlir::Value operand : norm->getOperands().drop_front())
          policy.requireEqual(policy.dimsOf(operand)[0], channels,
                              "the statistics do not fit the channels");
      })
      .Case([&](ConcatOp concat) {
        OperandDims<P> first = policy.dimsOf(concat.getInputs().front());
        for (mlir::Value input : concat.getInputs().drop_front())
          for (auto [i, dim] : llvm::enumerate(policy.dimsOf(input)))
            if (i != static_cast<size_t>(concat.getAxis()))
              policy.requireEqual(first[i], dim,
                                  "the dims of the parts differ");
      })
      .Case([&](SplitOp split) {
        int64_t total = 0;
        for (int64_t size : split.getSizes())
          total += size;
        policy.requireEqual(policy.dimsOf(split.getX())[split.getAxis()],
                            policy.constant(total),
                            "the sizes of the parts do not sum to the dim");
      })
      .Case([&](SqueezeOp squeeze) {
        for (int64_t axis : squeeze.getAxes())
          policy.requireEqual(policy.dimsOf(squeeze.getX())[axis],
                              policy.constant(1),
                              "a squeezed axis has more than one element");
      });
}

} // namespace qopt

#endif // DIALECTS_QOPT_IR_OPERANDDIMS_H
