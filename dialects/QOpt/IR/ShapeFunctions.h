//===- ShapeFunctions.h - Result dims of every op ---------------*- C++ -*-===//
//
// One statement of each op's result dims, as templates over a dim policy
// (DimPolicy.h). Ops of loops have theirs in their definitions.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_SHAPEFUNCTIONS_H
#define DIALECTS_QOPT_IR_SHAPEFUNCTIONS_H

#include "dialects/QOpt/IR/DimPolicy.h"
#include "dialects/QOpt/IR/LoopOps.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include <optional>

namespace qopt {

/// Dims of the numpy broadcast of two shapes.
template <class P> Dims<P> broadcastDims(P &policy, Dims<P> a, Dims<P> b) {
  while (a.size() < b.size())
    a.insert(a.begin(), policy.constant(1));
  while (b.size() < a.size())
    b.insert(b.begin(), policy.constant(1));
  Dims<P> result;
  for (auto [x, y] : llvm::zip_equal(a, b))
    result.push_back(policy.broadcast(x, y));
  return result;
}

/// Size of a window op's output along one axis.
template <class P>
typename P::Dim windowDim(P &policy, typename P::Dim input, int64_t kernel,
                          int64_t stride, int64_t dilation, int64_t padBefore,
                          int64_t padAfter, bool ceilMode = false) {
  int64_t extent = (kernel - 1) * dilation + 1;
  auto span = policy.add(input, policy.constant(padBefore + padAfter - extent));
  span = policy.max(span, policy.constant(-stride)); // an empty output
  auto steps = policy.constant(stride);
  auto shifted = policy.add(span, steps); // not negative
  if (!ceilMode)
    return policy.floorDiv(shifted, steps);
  // The last window must start inside the input or the padding before it.
  auto output = policy.ceilDiv(shifted, steps);
  auto lastStart =
      policy.ceilDiv(policy.add(input, policy.constant(padBefore)), steps);
  return policy.min(output, lastStart);
}

/// First element, element count and step of a slice along one axis. The step
/// must be known; `std::nullopt` when it is not.
template <class P> struct SliceRange {
  typename P::Dim start, size;
  int64_t step;
};

template <class P>
std::optional<SliceRange<P>>
sliceRange(P &policy, typename P::Dim dim, typename P::Dim start,
           typename P::Dim end, typename P::Dim step) {
  std::optional<int64_t> by = policy.known(step);
  if (!by || *by == 0)
    return std::nullopt;
  auto zero = policy.constant(0);
  auto wrap = [&](auto index) {
    return policy.selectNegative(index, policy.add(index, dim), index);
  };
  if (*by > 0) {
    auto from = policy.min(policy.max(wrap(start), zero), dim);
    auto to = policy.min(policy.max(wrap(end), zero), dim);
    auto span = policy.max(policy.sub(to, from), zero);
    return SliceRange<P>{from, policy.ceilDiv(span, policy.constant(*by)), *by};
  }
  auto last = policy.sub(dim, policy.constant(1));
  auto minusOne = policy.constant(-1);
  auto from = policy.min(policy.max(wrap(start), zero), last);
  auto to = policy.min(policy.max(wrap(end), minusOne), last);
  auto span = policy.max(policy.sub(from, to), zero);
  return SliceRange<P>{from, policy.ceilDiv(span, policy.constant(-*by)), *by};
}

/// Dims that ONNX Reshape makes of `target`. A dim that stands on both sides
/// leaves the quotient, so that -1 is known where the others are not, and where
/// they are 0.
template <class P>
Dims<P> reshapeDims(P &policy, const Dims<P> &input, const Dims<P> &target,
                    bool allowZero) {
  llvm::SmallVector<bool> isLeft(input.size(), true);
  Dims<P> wanted, unmatched;
  for (auto [i, dim] : llvm::enumerate(target)) {
    bool canCopy = !allowZero && i < input.size();
    if (canCopy && policy.known(dim) == 0) {
      wanted.push_back(input[i]);
      isLeft[i] = false;
      continue;
    }
    wanted.push_back(canCopy ? policy.selectEqual(dim, 0, input[i], dim) : dim);
    unmatched.push_back(wanted.back());
  }
  auto rest = policy.constant(1), total = policy.constant(1);
  for (auto size : unmatched) {
    size_t from = 0;
    while (from < input.size() &&
           !(isLeft[from] && policy.isSame(input[from], size)))
      ++from;
    if (from < input.size())
      isLeft[from] = false;
    else
      rest = policy.mul(rest,
                        policy.selectEqual(size, -1, policy.constant(1), size));
  }
  for (auto [dim, isFactor] : llvm::zip_equal(input, isLeft))
    if (isFactor)
      total = policy.mul(total, dim);
  rest = policy.max(rest, policy.constant(1));
  Dims<P> result;
  for (auto size : wanted)
    result.push_back(
        policy.selectEqual(size, -1, policy.floorDiv(total, rest), size));
  return result;
}

template <class P> Dims<P> matMulDims(P &policy, Dims<P> lhs, Dims<P> rhs) {
  bool isRow = lhs.size() == 1, isColumn = rhs.size() == 1;
  if (isRow)
    lhs.insert(lhs.begin(), policy.constant(1));
  if (isColumn)
    rhs.push_back(policy.constant(1));
  Dims<P> result = broadcastDims(policy, Dims<P>(lhs.begin(), lhs.end() - 2),
                                 Dims<P>(rhs.begin(), rhs.end() - 2));
  if (!isRow)
    result.push_back(lhs[lhs.size() - 2]);
  if (!isColumn)
    result.push_back(rhs.back());
  return result;
}

template <class P>
Dims<P> windowDims(P &policy, Dims<P> x, llvm::ArrayRef<int64_t> kernel,
                   llvm::ArrayRef<int64_t> strides,
                   llvm::ArrayRef<int64_t> pads,
                   llvm::ArrayRef<int64_t> dilations, bool ceilMode = false) {
  size_t spatial = kernel.size();
  for (size_t i = 0; i < spatial; ++i)
    x[i + 2] = windowDim(policy, x[i + 2], kernel[i], strides[i],
                         dilations.empty() ? 1 : dilations[i], pads[i],
                         pads[i + spatial], ceilMode);
  return x;
}

template <class P>
Dims<P> reduceDims(P &policy, const Dims<P> &x, llvm::ArrayRef<int64_t> axes,
                   bool keepDims) {
  Dims<P> result;
  for (auto [i, dim] : llvm::enumerate(x)) {
    if (!llvm::is_contained(axes, static_cast<int64_t>(i)))
      result.push_back(dim);
    else if (keepDims)
      result.push_back(policy.constant(1));
  }
  return result;
}

/// Dims of the scales that quantize_dynamic makes, innermost first.
template <class P>
llvm::SmallVector<Dims<P>> dynamicScaleDims(P &policy, QuantizeDynamicOp op,
                                            const Dims<P> &x) {
  FormatAttr format = op.getFormat();
  Dims<P> blocks = x, outer = x;
  if (format.isBlocked())
    blocks[format.getAxis()] = policy.ceilDiv(
        x[format.getAxis()], policy.constant(format.getBlockSize()));
  if (op.getPer() == Per::Row)
    outer.back() = policy.constant(1);
  else
    std::fill(outer.begin() + 1, outer.end(), policy.constant(1));
  llvm::SmallVector<Dims<P>> result{format.isBlocked() ? blocks : outer};
  while (result.size() < op.getScales().size())
    result.push_back(outer);
  return result;
}

/// Dims of every result of `op`. Fails for an op that has no rule, and for a
/// slice whose steps are not constant.
template <class P>
mlir::FailureOr<llvm::SmallVector<Dims<P>>> resultDims(mlir::Operation *op,
                                                       P &policy) {
  using Result = mlir::FailureOr<llvm::SmallVector<Dims<P>>>;
  auto one = [](Dims<P> dims) -> Result {
    return llvm::SmallVector<Dims<P>>{std::move(dims)};
  };
  auto dims = [&](mlir::Value value) { return policy.dimsOf(value); };
  if (op->hasTrait<ElementwiseTrait>()) {
    Dims<P> result = dims(op->getOperand(0));
    for (mlir::Value operand : op->getOperands().drop_front())
      result = broadcastDims(policy, result, dims(operand));
    return one(result);
  }
  return llvm::TypeSwitch<mlir::Operation *, Result>(op)
      .Case([&](ConstantOp op) -> Result {
        Dims<P> result;
        for (int64_t dim :
             mlir::cast<mlir::RankedTensorType>(op.getResult().getType())
                 .getShape())
          result.push_back(policy.constant(dim));
        return one(result);
      })
      .template Case<BatchNormOp, LayerNormOp, SoftmaxOp, HadamardOp,
                     QuantizeOp, DequantizeOp, RequantizeOp, ShiftOp,
                     DivideRoundOp, LookupOp, AttentionOp>(
          [&](auto op) -> Result {
            Dims<P> result = dims(op->getOperand(0));
            if (mlir::isa<AttentionOp>(op.getOperation()))
              result.back() = dims(op->getOperand(2)).back();
            return one(result);
          })
      .Case([&](QuantizeDynamicOp op) -> Result {
        Dims<P> x = dims(op.getX());
        llvm::SmallVector<Dims<P>> result{x};
        for (Dims<P> &scale : dynamicScaleDims(policy, op, x))
          result.push_back(scale);
        return result;
      })
      .Case([&](MatMulOp op) {
        return one(matMulDims(policy, dims(op.getLhs()), dims(op.getRhs())));
      })
      .Case([&](GemmOp op) {
        return one({dims(op.getA())[op.getTransA() ? 1 : 0],
                    dims(op.getB())[op.getTransB() ? 0 : 1]});
      })
      .Case([&](ConvOp op) {
        Dims<P> x = dims(op.getX());
        x[1] = dims(op.getW())[0];
        auto kernel =
            mlir::cast<mlir::RankedTensorType>(op.getW().getType()).getShape();
        return one(windowDims(policy, x, kernel.drop_front(2), op.getStrides(),
                              op.getPads(), op.getDilations()));
      })
      .Case([&](AveragePoolOp op) {
        return one(windowDims(policy, dims(op.getX()), op.getKernel(),
                              op.getStrides(), op.getPads(), {},
                              op.getCeilMode()));
      })
      .Case([&](MaxPoolOp op) {
        return one(windowDims(policy, dims(op.getX()), op.getKernel(),
                              op.getStrides(), op.getPads(), op.getDilations(),
                              op.getCeilMode()));
      })
      .Case([&](GlobalAveragePoolOp op) {
        Dims<P> x = dims(op.getX());
        for (size_t i = 2; i < x.size(); ++i)
          x[i] = policy.constant(1);
        return one(x);
      })
      .Case([&](ReduceOp op) {
        return one(reduceDims(policy, dims(op.getX()), op.getAxes(),
                              op.getKeepdims()));
      })
      .Case([&](ReshapeOp op) {
        return one(reshapeDims(policy, dims(op.getX()),
                               policy.elementsOf(op.getShape()),
                               op.getAllowZero()));
      })
      .Case([&](TransposeOp op) {
        Dims<P> x = dims(op.getX()), result;
        for (int64_t axis : op.getPerm())
          result.push_back(x[axis]);
        return one(result);
      })
      .Case([&](SliceOp op) -> Result {
        Dims<P> x = dims(op.getX());
        Dims<P> starts = policy.elementsOf(op.getStarts());
        Dims<P> ends = policy.elementsOf(op.getEnds());
        Dims<P> steps(starts.size(), policy.constant(1));
        if (op.getSteps())
          steps = policy.elementsOf(op.getSteps());
        for (auto [i, axis] : llvm::enumerate(op.getAxes())) {
          auto range =
              sliceRange(policy, x[axis], starts[i], ends[i], steps[i]);
          if (!range)
            return mlir::failure();
          x[axis] = range->size;
        }
        return one(x);
      })
      .Case([&](ConcatOp op) {
        Dims<P> result = dims(op.getInputs().front());
        for (mlir::Value input : op.getInputs().drop_front()) {
          Dims<P> other = dims(input);
          for (size_t i = 0; i < result.size(); ++i)
            if (i == op.getAxis())
              result[i] = policy.add(result[i], other[i]);
            else if (!policy.known(result[i]))
              result[i] = other[i];
        }
        return one(result);
      })
      .Case([&](SplitOp op) -> Result {
        llvm::SmallVector<Dims<P>> result;
        for (int64_t size : op.getSizes()) {
          Dims<P> part = dims(op.getX());
          part[op.getAxis()] = policy.constant(size);
          result.push_back(part);
        }
        return result;
      })
      .Case([&](GatherOp op) {
        Dims<P> x = dims(op.getX());
        Dims<P> result(x.begin(), x.begin() + op.getAxis());
        llvm::append_range(result, dims(op.getIndices()));
        result.append(x.begin() + op.getAxis() + 1, x.end());
        return one(result);
      })
      .Case([&](SqueezeOp op) {
        return one(reduceDims(policy, dims(op.getX()), op.getAxes(), false));
      })
      .Case([&](UnsqueezeOp op) {
        Dims<P> result = dims(op.getX());
        for (int64_t axis : op.getAxes())
          result.insert(result.begin() + axis, policy.constant(1));
        return one(result);
      })
      .Case([&](ExpandOp op) {
        return one(broadcastDims(policy, dims(op.getX()),
                                 policy.elementsOf(op.getShape())));
      })
      .Case([&](ShapeOp op) {
        return one({policy.constant(op.getEnd() - op.getStart())});
      })
      .Case([&](PadOp op) {
        Dims<P> x = dims(op.getX());
        for (size_t i = 0; i < x.size(); ++i)
          x[i] = policy.add(x[i], policy.constant(op.getPads()[i] +
                                                  op.getPads()[i + x.size()]));
        return one(x);
      })
      .Case([&](BitCastOp op) { return one(dims(op.getX())); })
      .Case([&](FlattenOp op) {
        Dims<P> result(2, policy.constant(1));
        for (auto [i, dim] : llvm::enumerate(dims(op.getX()))) {
          auto &side = result[i < op.getAxis() ? 0 : 1];
          side = policy.mul(side, dim);
        }
        return one(result);
      })
      .Case([&](ConstantOfShapeOp op) {
        return one(policy.elementsOf(op.getShape()));
      })
      .Case([&](RangeOp op) {
        auto start = policy.elementsOf(op.getStart())[0];
        auto limit = policy.elementsOf(op.getLimit())[0];
        auto delta = policy.elementsOf(op.getDelta())[0];
        auto span = policy.selectNegative(delta, policy.sub(start, limit),
                                          policy.sub(limit, start));
        auto step = policy.selectNegative(
            delta, policy.sub(policy.constant(0), delta), delta);
        return one({policy.ceilDiv(policy.max(span, policy.constant(0)),
                                   policy.max(step, policy.constant(1)))});
      })
      .Default([&](mlir::Operation *op) -> Result {
        auto result = getLoopDims(op, policy);
        return result ? Result(std::move(*result)) : Result(mlir::failure());
      });
}

} // namespace qopt

#endif
