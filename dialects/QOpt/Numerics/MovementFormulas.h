//===- MovementFormulas.h - Elements put elsewhere, as loops ----*- C++ -*-===//
//
// What QOptLoopOps.td says of them.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_MOVEMENTFORMULAS_H
#define DIALECTS_QOPT_NUMERICS_MOVEMENTFORMULAS_H

#include "dialects/QOpt/Numerics/LoopPolicy.h"

namespace qopt::numerics {

/// Fills the result with the elements of `x` that `source` points to.
template <class P, class Source>
void copyFrom(P &p, mlir::Value x, mlir::Value result, Source source) {
  auto from = p.dims(x), dims = p.dims(result);
  p.forEach(dims, [&](Indices<P> at) {
    auto position = linearize(p, at, dims);
    copyElement(p, x, linearize(p, source(at), from), result, position);
  });
}

//===----------------------------------------------------------------------===//
// tile
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, TileOp op) {
  auto x = p.dims(op.getX()), made = p.dims(op.getResult());
  p.forEach({}, [&](Indices<P>) {
    for (auto [axis, dim] : llvm::enumerate(x)) {
      auto repeats = p.loadIndex(op.getRepeats(), p.index(axis));
      p.require(isNotNegative(p, repeats), "a number of repeats is negative");
      // A product that wraps has another quotient.
      auto whole = p.div(made[axis], p.max(dim, p.index(1)));
      auto isEmpty = p.equal(dim, p.index(0));
      p.require(p.values().orM(isEmpty, p.equal(whole, repeats)),
                "a number of repeats is too large");
    }
  });
  copyFrom(p, op.getX(), op.getResult(), [&](Indices<P> at) {
    for (auto [index, dim] : llvm::zip_equal(at, x))
      index = p.rem(index, dim);
    return at;
  });
}

//===----------------------------------------------------------------------===//
// depth_to_space, space_to_depth
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, DepthToSpaceOp op) {
  auto block = p.index(op.getBlock());
  auto channels = p.dims(op.getResult())[1];
  p.require(p.equal(p.mul(channels, p.mul(block, block)), p.dims(op.getX())[1]),
            "the block does not divide the channels");
  copyFrom(p, op.getX(), op.getResult(), [&](Indices<P> at) {
    auto row = p.rem(at[2], block), column = p.rem(at[3], block);
    if (op.getOrder() == DepthOrder::DepthColumnRow)
      at[1] = p.add(p.mul(p.add(p.mul(row, block), column), channels), at[1]);
    else
      at[1] = p.add(p.mul(p.add(p.mul(at[1], block), row), block), column);
    at[2] = p.div(at[2], block);
    at[3] = p.div(at[3], block);
    return at;
  });
}

template <class P> void formula(P &p, SpaceToDepthOp op) {
  auto block = p.index(op.getBlock());
  auto x = p.dims(op.getX());
  for (size_t axis : {2, 3})
    p.require(p.equal(p.mul(p.dims(op.getResult())[axis], block), x[axis]),
              "the block does not divide the positions");
  copyFrom(p, op.getX(), op.getResult(), [&](Indices<P> at) {
    auto part = p.div(at[1], x[1]);
    at[1] = p.rem(at[1], x[1]);
    at[2] = p.add(p.mul(at[2], block), p.div(part, block));
    at[3] = p.add(p.mul(at[3], block), p.rem(part, block));
    return at;
  });
}

//===----------------------------------------------------------------------===//
// reverse_sequence
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, ReverseSequenceOp op) {
  auto x = p.dims(op.getX());
  size_t batch = op.getBatchAxis(), time = op.getTimeAxis();
  requireEqualDims(p, x[batch], p.dims(op.getLengths())[0],
                   "there is no length for each sequence");
  copyFrom(p, op.getX(), op.getResult(), [&](Indices<P> at) {
    auto length = p.loadIndex(op.getLengths(), at[batch]);
    auto isLength = isInside(p, length, p.add(x[time], p.index(1)));
    p.require(isLength, "a length is out of range");
    auto turned = p.sub(p.sub(length, p.index(1)), at[time]);
    auto isTurned = p.values().andM(isLength, p.less(at[time], length));
    at[time] = p.select(isTurned, turned, at[time]);
    return at;
  });
}

//===----------------------------------------------------------------------===//
// trilu
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, TriluOp op) {
  auto dims = p.dims(op.getX());
  size_t column = dims.size() - 1, row = column - 1;
  p.forEach(dims, [&](Indices<P> at) {
    // So far off that every k leaves an index: all or nothing.
    auto k = op.getK() ? p.loadIndex(op.getK(), p.index(0)) : p.index(0);
    auto bound = p.add(dims[row], dims[column]);
    k = p.max(p.min(k, bound), p.sub(p.index(0), bound));
    auto diagonal = p.add(at[row], k);
    auto isKept = op.getUpper()
                      ? p.less(diagonal, p.add(at[column], p.index(1)))
                      : p.less(at[column], p.add(diagonal, p.index(1)));
    auto position = linearize(p, at, dims);
    p.storeRaw(p.selectRaw(isKept, p.loadRaw(op.getX(), position),
                           p.zeroRaw(op.getX())),
               op.getResult(), position);
  });
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_MOVEMENTFORMULAS_H
