//===- LanePolicy.h - Formulas on many elements at once ---------*- C++ -*-===//
//
// Applies ScalarPolicy to each lane. The point is to dispatch on the op, and to
// branch on its attributes, once for many elements.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_REFERENCE_LANEPOLICY_H
#define LIB_REFERENCE_LANEPOLICY_H

#include "Chains.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"

namespace qopt::reference {

inline constexpr int kNumLanes = 128;

template <class T> struct Lanes {
  T values[kNumLanes];

  T &operator[](int lane) { return values[lane]; }
  T operator[](int lane) const { return values[lane]; }
};

struct LanePolicy {
  using F = Lanes<float>;
  using I = Lanes<int32_t>;
  using L = Lanes<int64_t>;
  using M = Lanes<bool>;
  using D = Lanes<double>;

  F f(float value) const { return splat(value); }
  I i(int32_t value) const { return splat(value); }
  L l(int64_t value) const { return splat(value); }
  D d(double value) const { return splat(value); }

  /// One call for all lanes: most CPUs have the instruction, but the code of
  /// this file may not assume it.
  F fma(const F &x, const F &y, const F &z) const {
    F result;
    multiplyAdd(kNumLanes, x.values, y.values, z.values, result.values);
    return result;
  }
  D fma(const D &x, const D &y, const D &z) const {
    D result;
    for (int lane = 0; lane < kNumLanes; ++lane)
      result[lane] = numerics::ScalarPolicy().fma(x[lane], y[lane], z[lane]);
    return result;
  }

#define QOPT_LANEWISE(name)                                                    \
  template <class... T> auto name(const Lanes<T> &...xs) const {               \
    return map([](T... x) { return numerics::ScalarPolicy().name(x...); },     \
               xs...);                                                         \
  }
  QOPT_LANEWISE(add)
  QOPT_LANEWISE(sub)
  QOPT_LANEWISE(mul)
  QOPT_LANEWISE(div)
  QOPT_LANEWISE(neg)
  QOPT_LANEWISE(abs)
  QOPT_LANEWISE(min)
  QOPT_LANEWISE(max)
  QOPT_LANEWISE(sqrt)
  QOPT_LANEWISE(roundEven)
  QOPT_LANEWISE(floor)
  QOPT_LANEWISE(ceil)
  QOPT_LANEWISE(oeq)
  QOPT_LANEWISE(olt)
  QOPT_LANEWISE(ole)
  QOPT_LANEWISE(ogt)
  QOPT_LANEWISE(oge)
  QOPT_LANEWISE(une)
  QOPT_LANEWISE(uno)
  QOPT_LANEWISE(select)
  QOPT_LANEWISE(andM)
  QOPT_LANEWISE(orM)
  QOPT_LANEWISE(xorM)
  QOPT_LANEWISE(notM)
  QOPT_LANEWISE(bitsOf)
  QOPT_LANEWISE(floatOf)
  QOPT_LANEWISE(toInt)
  QOPT_LANEWISE(toLong)
  QOPT_LANEWISE(toFloat)
  QOPT_LANEWISE(extendToL)
  QOPT_LANEWISE(lowHalf)
  QOPT_LANEWISE(addI)
  QOPT_LANEWISE(subI)
  QOPT_LANEWISE(mulI)
  QOPT_LANEWISE(mulHighU)
  QOPT_LANEWISE(andI)
  QOPT_LANEWISE(orI)
  QOPT_LANEWISE(xorI)
  QOPT_LANEWISE(shl)
  QOPT_LANEWISE(shrS)
  QOPT_LANEWISE(shrU)
  QOPT_LANEWISE(minS)
  QOPT_LANEWISE(maxS)
  QOPT_LANEWISE(eqI)
  QOPT_LANEWISE(neI)
  QOPT_LANEWISE(ltS)
  QOPT_LANEWISE(leS)
  QOPT_LANEWISE(gtS)
  QOPT_LANEWISE(geS)
  QOPT_LANEWISE(divS)
  QOPT_LANEWISE(remS)
  QOPT_LANEWISE(ltU)
  QOPT_LANEWISE(divU)
  QOPT_LANEWISE(remU)
  QOPT_LANEWISE(doubleOf)
  QOPT_LANEWISE(toDouble)
#undef QOPT_LANEWISE

private:
  template <class T> static Lanes<T> splat(T value) {
    Lanes<T> result;
    for (T &lane : result.values)
      lane = value;
    return result;
  }
  template <class Function, class... T>
  static auto map(Function function, const Lanes<T> &...xs) {
    Lanes<decltype(function(xs[0]...))> result;
    for (int lane = 0; lane < kNumLanes; ++lane)
      result[lane] = function(xs[lane]...);
    return result;
  }
};

} // namespace qopt::reference

#endif // LIB_REFERENCE_LANEPOLICY_H
