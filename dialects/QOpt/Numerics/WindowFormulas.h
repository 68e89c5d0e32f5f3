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

template <class P> class Window {
public:
  using Index = typename P::Index;

  Window(P &p, mlir::Value x, llvm::ArrayRef<int64_t> kernel,
         llvm::ArrayRef<int64_t> strides, llvm::ArrayRef<int64_t> pads,
         llvm::ArrayRef<int64_t> dilations)
      : p(p), dims(p.dims(x)), kernel(kernel), strides(strides), pads(pads),
        dilations(dilations) {}

  /// Goes to the window of the result at `at`, n and c in front.
  void moveTo(const Indices<P> &at) {
    plane = {at[0], at[1]};
    first.clear();
    counts.clear();
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
  }
  /// Positions inside of x.
  Index countInside() { return product<P>(p, counts); }
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
  llvm::ArrayRef<int64_t> kernel, strides, pads, dilations;
};

template <class P> void formula(P &p, AveragePoolOp op) {
  using Index = typename P::Index;
  using F = typename P::B::F;
  auto dims = p.dims(op.getResult());
  auto average = [&](Indices<P> at) {
    auto b = p.values();
    Window<P> window(p, op.getX(), op.getKernel(), op.getStrides(),
                     op.getPads(), {});
    window.moveTo(at);
    Index inside = window.countInside();
    std::tuple<F> sum =
        p.loop(p.index(0), inside, std::tuple<F>(b.f(0)), [&](Index i, F sum) {
          F x = loadFloat(p, op.getX(), window.getPosition(i));
          return std::tuple<F>(p.values().add(sum, x));
        });
    Index count = op.getCountIncludePad() ? window.countPadded() : inside;
    storeFloat(p, b.div(std::get<0>(sum), p.toFloat(count)), op.getResult(),
               linearize(p, at, dims));
  };
  p.forEach(dims, average, p.index(16));
}

/// One chain over the positions inside of the window at `at`.
template <class T, class P, class Load, class Max>
T maxOf(P &p, MaxPoolOp op, const Indices<P> &at, T lowest, Load load,
        Max max) {
  using Index = typename P::Index;
  Window<P> window(p, op.getX(), op.getKernel(), op.getStrides(), op.getPads(),
                   op.getDilations());
  window.moveTo(at);
  std::tuple<T> result =
      p.loop(p.index(0), window.countInside(), std::tuple<T>(lowest),
             [&](Index i, T most) {
               auto b = p.values();
               return std::tuple<T>(max(b, load(window.getPosition(i)), most));
             });
  return std::get<0>(result);
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
    auto maxS = [](B &b, auto x, auto y) { return b.maxS(x, y); };
    if (isFloatElement(element))
      return storeFloat(p,
                        maxOf<F>(
                            p, op, at, b.f(-infinity),
                            [&](Index from) { return loadFloat(p, x, from); },
                            [](B &b, F x, F y) { return b.max(x, y); }),
                        op.getResult(), to);
    if (getValueKind(element) == ValueKind::Long)
      return p.store(maxOf<L>(
                         p, op, at, b.l(leastInteger(element)),
                         [&](Index from) { return loadAs<L>(p, x, from); },
                         maxS),
                     op.getResult(), to);
    p.store(maxOf<I>(
                p, op, at, b.i(std::numeric_limits<int32_t>::min()),
                [&](Index from) { return loadAs<I>(p, x, from); }, maxS),
            op.getResult(), to);
  };
  p.forEach(dims, findMax, p.index(16));
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_WINDOWFORMULAS_H
