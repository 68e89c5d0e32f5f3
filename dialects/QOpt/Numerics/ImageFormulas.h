//===- ImageFormulas.h - Samples of images, as loops ------------*- C++ -*-===//
//
// What QOptLoopOps.td says of them. Coordinates stay floats until they are
// known to be inside, so that no NaN and no infinity becomes an index.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_IMAGEFORMULAS_H
#define DIALECTS_QOPT_NUMERICS_IMAGEFORMULAS_H

#include "dialects/QOpt/Numerics/LoopPolicy.h"

namespace qopt::numerics {

//===----------------------------------------------------------------------===//
// grid_sample
//===----------------------------------------------------------------------===//

/// Weights of the elements around a position, and the coordinate of each.
template <class P> struct Taps {
  llvm::SmallVector<typename P::B::F> weights;
  llvm::SmallVector<typename P::Index> at;
  llvm::SmallVector<typename P::B::M> isInside;
};

template <class P> class GridSampler {
public:
  using Index = typename P::Index;
  using F = typename P::B::F;
  using M = typename P::B::M;

  GridSampler(P &p, GridSampleOp op) : p(p), b(p.values()), op(op) {}

  /// The elements that a coordinate `g` of the grid asks for on an axis.
  Taps<P> getTaps(F g, Index size) {
    F n = p.toFloat(size), one = b.f(1), two = b.f(2);
    F last = b.sub(n, one);
    bool isAligned = op.getAlignCorners();
    F low = isAligned ? b.f(0) : b.f(-0.5f);
    F high = isAligned ? last : b.sub(n, b.f(0.5f));
    F position = isAligned ? b.mul(b.add(g, one), b.div(last, two))
                           : b.div(b.sub(b.mul(b.add(g, one), n), one), two);
    bool isNearest = op.getSampling() == Sampling::Nearest;
    if (isNearest)
      position = b.roundEven(position);
    M isOut = b.orM(b.olt(position, low), b.ogt(position, high));
    if (op.getOutside() == Outside::Border)
      position = b.select(isOut, clamp(position, last), position);
    else if (op.getOutside() == Outside::Reflection)
      position = b.select(isOut, reflect(position, low, high), position);
    if (isNearest)
      return resolve({one}, position, low, high, last);
    F whole = b.floor(position), rest = b.sub(position, whole);
    if (op.getSampling() == Sampling::Linear)
      return resolve({b.sub(one, rest), rest}, whole, low, high, last);
    return resolve({outer(b.add(rest, one)), inner(rest),
                    inner(b.sub(one, rest)), outer(b.sub(two, rest))},
                   b.sub(whole, one), low, high, last);
  }

  /// The weighted sum over the axes from `axis` on, in `dims` at `at`.
  F sum(llvm::ArrayRef<Taps<P>> taps, const Indices<P> &dims, Indices<P> at,
        M isInside) {
    if (taps.empty()) {
      F value = loadAs<F>(p, op.getX(), linearize(p, at, dims));
      return b.select(isInside, value, b.f(0));
    }
    F result = b.f(0);
    for (size_t i = 0; i < taps[0].weights.size(); ++i) {
      Indices<P> next = at;
      next.push_back(taps[0].at[i]);
      F part = sum(taps.drop_front(), dims, next,
                   b.andM(isInside, taps[0].isInside[i]));
      result = op.getSampling() == Sampling::Nearest
                   ? part
                   : b.fma(taps[0].weights[i], part, result);
    }
    return result;
  }

private:
  /// The elements from `first` on, a float without a fraction.
  Taps<P> resolve(llvm::ArrayRef<F> weights, F first, F low, F high, F last) {
    Taps<P> taps;
    for (auto [i, weight] : llvm::enumerate(weights)) {
      F at = i == 0 ? first : b.add(first, b.f(i));
      M isOut = b.orM(b.olt(at, low), b.ogt(at, high));
      M isInside = b.andM(b.oge(at, b.f(0)), b.ole(at, last));
      if (op.getOutside() == Outside::Reflection)
        at = b.select(isOut, reflect(at, low, high), at);
      if (op.getOutside() != Outside::Zeros)
        isInside = b.oeq(b.f(0), b.f(0));
      taps.weights.push_back(weight);
      taps.at.push_back(p.toIndex(b.toInt(clamp(at, last))));
      taps.isInside.push_back(isInside);
    }
    return taps;
  }

  /// From 0 to `last`; NaN becomes 0.
  F clamp(F x, F last) {
    x = b.select(b.ogt(x, last), last, x);
    return b.select(b.ogt(x, b.f(0)), x, b.f(0));
  }

  /// What a mirror at both ends shows; NaN of what is infinitely far.
  F reflect(F x, F low, F high) {
    F range = b.sub(high, low);
    M isBelow = b.olt(x, low);
    F distance = b.select(isBelow, b.sub(low, x), b.sub(x, high));
    F turns = b.floor(b.div(distance, range));
    F rest = b.sub(distance, b.mul(turns, range));
    F half = b.mul(turns, b.f(0.5f));
    M isEven = b.oeq(b.floor(half), half);
    M fromLow =
        b.orM(b.andM(isBelow, isEven), b.andM(b.notM(isBelow), b.notM(isEven)));
    return b.select(fromLow, b.add(low, rest), b.sub(high, rest));
  }

  // Keys' cubic with the coefficient a = -0.75, by Horner's rule in fma.
  F inner(F x) { // (a + 2) x^3 - (a + 3) x^2 + 1
    return polynomial(b, x, {1.0f, 0.0f, -2.25f, 1.25f});
  }
  F outer(F x) { // a x^3 - 5 a x^2 + 8 a x - 4 a
    return polynomial(b, x, {3.0f, -6.0f, 3.75f, -0.75f});
  }

  P &p;
  typename P::B b;
  GridSampleOp op;
};

template <class P> void formula(P &p, GridSampleOp op) {
  using F = typename P::B::F;
  auto x = p.dims(op.getX()), grid = p.dims(op.getGrid());
  auto dims = p.dims(op.getResult());
  size_t spatial = x.size() - 2;
  requireEqualDims(p, x[0], grid[0], "the batches of the operands differ");
  requireEqualDims(p, grid.back(), p.index(spatial),
                   "the grid does not have a coordinate for each axis");
  for (size_t i = 0; i < spatial; ++i)
    p.require(p.less(p.index(0), x[i + 2]), "the image is empty");
  auto sample = [&](Indices<P> at) {
    auto b = p.values();
    GridSampler<P> sampler(p, op);
    Indices<P> from{at[0]};
    from.append(at.begin() + 2, at.end());
    from.push_back(p.index(0));
    auto first = linearize(p, from, grid);
    llvm::SmallVector<Taps<P>> taps;
    for (size_t i = 0; i < spatial; ++i)
      taps.push_back(sampler.getTaps(
          loadAs<F>(p, op.getGrid(), p.add(first, p.index(spatial - 1 - i))),
          x[i + 2]));
    F value = sampler.sum(taps, x, {at[0], at[1]}, b.oeq(b.f(0), b.f(0)));
    p.store(value, op.getResult(), linearize(p, at, dims));
  };
  p.forEach(dims, sample, p.index(32));
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_IMAGEFORMULAS_H
