//===- LoopDims.h - Result dims of ops of loops -----------------*- C++ -*-===//
//
// Of each op of QOptLoopOps.td, over a dim policy; and the one dispatch to what
// is written for each of them.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_LOOPDIMS_H
#define DIALECTS_QOPT_IR_LOOPDIMS_H

#include "dialects/QOpt/IR/DimPolicy.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "llvm/ADT/TypeSwitch.h"
#include <optional>

namespace qopt {

template <class P> ResultDims<P> loopDims(P &policy, GatherNDOp op) {
  Dims<P> x = policy.dimsOf(op.getX()), result = policy.dimsOf(op.getIndices());
  result.pop_back();
  result.append(x.begin() + op.getBatchDims() +
                    typeOf(op.getIndices()).getShape().back(),
                x.end());
  return {result};
}

template <class P> ResultDims<P> loopDims(P &policy, ScatterNDOp op) {
  return {policy.dimsOf(op.getX())};
}

template <class P> ResultDims<P> loopDims(P &policy, GatherElementsOp op) {
  return {policy.dimsOf(op.getIndices())};
}

template <class P> ResultDims<P> loopDims(P &policy, ScatterElementsOp op) {
  return {policy.dimsOf(op.getX())};
}

template <class P> ResultDims<P> loopDims(P &policy, OneHotOp op) {
  Dims<P> result = policy.dimsOf(op.getIndices());
  result.insert(
      result.begin() + op.getAxis(),
      policy.max(policy.elementsOf(op.getDepth())[0], policy.constant(0)));
  return {result};
}

template <class P> ResultDims<P> loopDims(P &policy, TileOp op) {
  Dims<P> result = policy.dimsOf(op.getX());
  Dims<P> repeats = policy.elementsOf(op.getRepeats());
  repeats.resize(result.size(), policy.constant(1));
  for (auto [dim, times] : llvm::zip_equal(result, repeats))
    dim = policy.mul(dim, policy.max(times, policy.constant(0)));
  return {result};
}

template <class P> ResultDims<P> loopDims(P &policy, DepthToSpaceOp op) {
  Dims<P> x = policy.dimsOf(op.getX());
  auto block = policy.constant(op.getBlock());
  x[1] = policy.floorDiv(x[1], policy.mul(block, block));
  x[2] = policy.mul(x[2], block);
  x[3] = policy.mul(x[3], block);
  return {x};
}

template <class P> ResultDims<P> loopDims(P &policy, SpaceToDepthOp op) {
  Dims<P> x = policy.dimsOf(op.getX());
  auto block = policy.constant(op.getBlock());
  x[1] = policy.mul(x[1], policy.mul(block, block));
  x[2] = policy.floorDiv(x[2], block);
  x[3] = policy.floorDiv(x[3], block);
  return {x};
}

template <class P> ResultDims<P> loopDims(P &policy, ReverseSequenceOp op) {
  return {policy.dimsOf(op.getX())};
}

template <class P> ResultDims<P> loopDims(P &policy, TriluOp op) {
  return {policy.dimsOf(op.getX())};
}

template <class P> ResultDims<P> loopDims(P &policy, CumSumOp op) {
  return {policy.dimsOf(op.getX())};
}

template <class P> ResultDims<P> loopDims(P &policy, ArgReduceOp op) {
  Dims<P> result = policy.dimsOf(op.getX());
  if (op.getKeepdims())
    result[op.getAxis()] = policy.constant(1);
  else
    result.erase(result.begin() + op.getAxis());
  return {result};
}

template <class P> ResultDims<P> loopDims(P &policy, TopKOp op) {
  Dims<P> result = policy.dimsOf(op.getX());
  auto &dim = result[op.getAxis()];
  dim = policy.min(
      policy.max(policy.elementsOf(op.getK())[0], policy.constant(0)), dim);
  return {result, result};
}

template <class P> ResultDims<P> loopDims(P &policy, NonZeroOp op) {
  auto count = policy.elementsOf(op.getCount())[0];
  return {{policy.constant(typeOf(op.getX()).getRank()),
           policy.max(count, policy.constant(0))}};
}

template <class P> ResultDims<P> loopDims(P &policy, GridSampleOp op) {
  Dims<P> result = policy.dimsOf(op.getX()), grid = policy.dimsOf(op.getGrid());
  for (size_t i = 2; i < result.size(); ++i)
    result[i] = grid[i - 1];
  return {result};
}

template <class P> ResultDims<P> loopDims(P &policy, InstanceNormOp op) {
  return {policy.dimsOf(op.getX())};
}

/// Calls `fn` with `op` as the op of loops that it is; false for any other.
template <class Fn> bool dispatchLoopOp(mlir::Operation *op, Fn fn) {
  return llvm::TypeSwitch<mlir::Operation *, bool>(op)
      .Case<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptLoopOps.cpp.inc"
          >([&](auto loopOp) {
        fn(loopOp);
        return true;
      })
      .Default([](mlir::Operation *) { return false; });
}

/// True when `op` has a formula of loops.
inline bool isLoopOp(mlir::Operation *op) {
  return dispatchLoopOp(op, [](auto) {});
}

/// Dims of the results of an op of loops; nothing for any other.
template <class P>
std::optional<ResultDims<P>> getLoopDims(mlir::Operation *op, P &policy) {
  std::optional<ResultDims<P>> result;
  dispatchLoopOp(op, [&](auto loopOp) { result = loopDims(policy, loopOp); });
  return result;
}

} // namespace qopt

#endif // DIALECTS_QOPT_IR_LOOPDIMS_H
