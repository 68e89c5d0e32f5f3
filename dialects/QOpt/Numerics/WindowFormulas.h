//===- WindowFormulas.h - Pools over windows, as loops ----------*- C++ -*-===//
//
// What QOptNormalizationOps.td says of them. Of a window only the positions
// inside of x are walked, so nothing is read outside of it.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_WINDOWFORMULAS_H
#define DIALECTS_QOPT_NUMERICS_WINDOWFORMULAS_H

#include "dialects/QOpt/Numerics/IntegerLimits.h"
#include "dialects/QOpt/Numerics/LoopPolicy.h"

namespace qopt::numerics {

/// The part inside of x of the window that one result is made from.
template <class P> class Window {
public:
  using Index = typename P::Index;

  /// That of the result at `at`, n and c in front.
  Window(P &p, mlir::Value x, const Indices<P> &at,
         llvm::ArrayRef<int64_t> kernel, llvm::ArrayRef<int64_t> strides,
         llvm::ArrayRef<int64_t> pads, llvm::ArrayRef<int64_t> dilations)
      : p(p), dims(p.dims(x)), plane{at[0], at[1]}, kernel(kernel), pads(pads),
        dilations(dilations) {
    for (size_t i = 0; i < kernel.size(); ++i) {
      Index begin =
          p.sub(p.mul(at[i + 2], p.index(strides[i])), p.index(pads[i]));
      Index tap = countSteps(p.sub(p.index(0), begin), i);
      Index end =
          p.min(countSteps(p.sub(dims[i + 2], begin), i), p.index(kernel[i]));
      first.push_back(p.add(begin, p.mul(tap, p.index(getDilation(i)))));
      counts.push_back(p.max(p.sub(end, tap), p.index(0)));
      starts.push_back(begin);
    }
    inside = product<P>(p, counts);
  }
  /// Positions inside of x.
  Index countInside() const { return inside; }
  /// Positions inside of x and its pads, of windows without dilation.
  Index countPadded() {
    Index count = p.index(1);
    for (size_t i = 0; i < kernel.size(); ++i) {
      Index end = p.add(dims[i + 2], p.index(pads[i + kernel.size()]));
      Index size = p.min(p.sub(end, starts[i]), p.index(kernel[i]));
      count = p.mul(count, p.max(size, p.index(0)));
    }
    return count;
  }
  /// Where the position `i` of those inside lies, in row-major order.
  Index getPosition(Index i) {
    Indices<P> at = plane;
    for (auto [axis, tap] : llvm::enumerate(delinearize(p, i, counts)))
      at.push_back(p.add(first[axis], p.mul(tap, p.index(getDilation(axis)))));
    return linearize(p, at, dims);
  }

private:
  int64_t getDilation(size_t axis) const {
    return dilations.empty() ? 1 : dilations[axis];
  }
  /// Taps that lie in front of `distance` positions.
  Index countSteps(Index distance, size_t axis) {
    int64_t dilation = getDilation(axis);
    distance = p.max(distance, p.index(0));
    return p.div(p.add(distance, p.index(dilation - 1)), p.index(dilation));
  }

  P &p;
  Indices<P> dims, plane, starts, first, counts;
  Index inside;
  llvm::ArrayRef<int64_t> kernel, pads, dilations;
};

/// One chain of step(total, element) over the positions inside of a window.
template <class T, class P, class Load, class Step>
T chainOver(P &p, Window<P> &window, T start, Load load, Step step) {
  return chain<T>(
      p, window.countInside(), start,
      [&](typename P::Index i) { return load(window.getPosition(i)); }, step);
}

template <class P> void formula(P &p, AveragePoolOp op) {
  using Index = typename P::Index;
  using B = typename P::B;
  using F = typename B::F;
  auto dims = p.dims(op.getResult());
  auto average = [&](Indices<P> at) {
    auto b = p.values();
    Window<P> window(p, op.getX(), at, op.getKernel(), op.getStrides(),
                     op.getPads(), {});
    F sum = chainOver<F>(
        p, window, b.f(0),
        [&](Index from) { return loadFloat(p, op.getX(), from); },
        [](B &b, F sum, F x) { return b.add(sum, x); });
    Index count =
        op.getCountIncludePad() ? window.countPadded() : window.countInside();
    storeFloat(p, b.div(sum, p.toFloat(count)), op.getResult(),
               linearize(p, at, dims));
  };
  p.forEach(dims, average, p.index(16));
}

template <class P> void formula(P &p, MaxPoolOp op) {
  using Index = typename P::Index;
  using B = typename P::B;
  using F = typename B::F;
  using I = typename B::I;
  using L = typename B::L;
  mlir::Value x = op.getX();
  mlir::Type element = typeOf(x).getElementType();
  auto dims = p.dims(op.getResult());
  auto findMax = [&](Indices<P> at) {
    auto b = p.values();
    Index to = linearize(p, at, dims);
    Window<P> window(p, x, at, op.getKernel(), op.getStrides(), op.getPads(),
                     op.getDilations());
    auto maxS = [](B &b, auto most, auto y) { return b.maxS(y, most); };
    if (isFloatElement(element))
      return storeFloat(p,
                        chainOver<F>(
                            p, window, b.f(-infinity),
                            [&](Index from) { return loadFloat(p, x, from); },
                            [](B &b, F most, F y) { return b.max(y, most); }),
                        op.getResult(), to);
    if (getValueKind(element) == ValueKind::Long)
      return p.store(chainOver<L>(
                         p, window, b.l(leastInteger(element)),
                         [&](Index from) { return loadAs<L>(p, x, from); },
                         maxS),
                     op.getResult(), to);
    p.store(chainOver<I>(
                p, window, b.i(leastInteger(element)),
                [&](Index from) { return loadAs<I>(p, x, from); }, maxS),
            op.getResult(), to);
  };
  p.forEach(dims, findMax, p.index(16));
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_WINDOWFORMULAS_H
