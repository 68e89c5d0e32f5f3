//===- ScalarPolicy.h - Formulas on plain floats and integers ---*- C++ -*-===//
//
// The meaning of each operation of ValuePolicy.h. Each is a function of its
// own, so a compiler that contracts within an expression has nothing to
// contract; rounding mode and subnormal handling must be the default ones.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_SCALARPOLICY_H
#define DIALECTS_QOPT_NUMERICS_SCALARPOLICY_H

#include "dialects/QOpt/Numerics/ValuePolicy.h"
#include <cmath>
#include <cstdint>
#include <cstring>

namespace qopt::numerics {

struct ScalarPolicy {
  using F = float;
  using I = int32_t;
  using M = bool;
  using L = int64_t;
  using D = double;

  F f(float value) const { return value; }
  D d(double value) const { return value; }
  I i(int32_t value) const { return value; }
  L l(int64_t value) const { return value; }

  F add(F x, F y) const { return x + y; }
  F sub(F x, F y) const { return x - y; }
  F mul(F x, F y) const { return x * y; }
  F div(F x, F y) const { return x / y; }
  F fma(F x, F y, F z) const { return std::fma(x, y, z); }
  F neg(F x) const { return -x; }
  F abs(F x) const { return std::fabs(x); }
  F min(F x, F y) const { return x != x ? x : (x < y ? x : y); }
  F max(F x, F y) const { return x != x ? x : (x > y ? x : y); }
  F sqrt(F x) const { return std::sqrt(x); }

  /// Below 2^23 the sum with 2^23 has no fraction left.
  F roundEven(F x) const {
    F magnitude = abs(x);
    if (!(magnitude < 0x1p23f))
      return x;
    return std::copysign(sub(add(magnitude, 0x1p23f), 0x1p23f), x);
  }
  F floor(F x) const {
    F rounded = roundEven(x);
    return rounded > x ? rounded - 1 : rounded;
  }
  F ceil(F x) const {
    F rounded = roundEven(x);
    return rounded < x ? std::copysign(rounded + 1, x) : rounded;
  }

  M oeq(F x, F y) const { return x == y; }
  M olt(F x, F y) const { return x < y; }
  M ole(F x, F y) const { return x <= y; }
  M ogt(F x, F y) const { return x > y; }
  M oge(F x, F y) const { return x >= y; }
  M une(F x, F y) const { return x != y; }
  M uno(F x, F y) const { return x != x || y != y; }
  template <class T> T select(M condition, T x, T y) const {
    return condition ? x : y;
  }
  M andM(M x, M y) const { return x && y; }
  M orM(M x, M y) const { return x || y; }
  M xorM(M x, M y) const { return x != y; }
  M notM(M x) const { return !x; }

  I bitsOf(F x) const {
    I bits;
    std::memcpy(&bits, &x, sizeof(bits));
    return bits;
  }
  F floatOf(I x) const {
    F value;
    std::memcpy(&value, &x, sizeof(value));
    return value;
  }
  I toInt(F x) const { return I(x); }
  F toFloat(I x) const { return F(x); }

  I addI(I x, I y) const { return I(uint32_t(x) + uint32_t(y)); }
  I subI(I x, I y) const { return I(uint32_t(x) - uint32_t(y)); }
  I mulI(I x, I y) const { return I(uint32_t(x) * uint32_t(y)); }
  I mulHighU(I x, I y) const {
    return I(uint64_t(uint32_t(x)) * uint32_t(y) >> 32);
  }
  I andI(I x, I y) const { return x & y; }
  I orI(I x, I y) const { return x | y; }
  I xorI(I x, I y) const { return x ^ y; }
  I shl(I x, I distance) const { return I(uint32_t(x) << distance); }
  I shrS(I x, I distance) const { return x >> distance; }
  I shrU(I x, I distance) const { return I(uint32_t(x) >> distance); }
  I minS(I x, I y) const { return x < y ? x : y; }
  I maxS(I x, I y) const { return x > y ? x : y; }
  M eqI(I x, I y) const { return x == y; }
  M neI(I x, I y) const { return x != y; }
  M ltS(I x, I y) const { return x < y; }
  M leS(I x, I y) const { return x <= y; }
  M gtS(I x, I y) const { return x > y; }
  M geS(I x, I y) const { return x >= y; }
  I divS(I x, I y) const { return x / y; }
  I remS(I x, I y) const { return x % y; }

  L extendToL(I x) const { return x; }
  I lowHalf(L x) const { return I(uint32_t(x)); }
  L toLong(F x) const { return L(x); }
  F toFloat(L x) const { return F(x); }
  L addI(L x, L y) const { return L(uint64_t(x) + uint64_t(y)); }
  L subI(L x, L y) const { return L(uint64_t(x) - uint64_t(y)); }
  L mulI(L x, L y) const { return L(uint64_t(x) * uint64_t(y)); }
  L andI(L x, L y) const { return x & y; }
  L orI(L x, L y) const { return x | y; }
  L xorI(L x, L y) const { return x ^ y; }
  L minS(L x, L y) const { return x < y ? x : y; }
  L maxS(L x, L y) const { return x > y ? x : y; }
  M eqI(L x, L y) const { return x == y; }
  M neI(L x, L y) const { return x != y; }
  M ltS(L x, L y) const { return x < y; }
  M leS(L x, L y) const { return x <= y; }
  M gtS(L x, L y) const { return x > y; }
  M geS(L x, L y) const { return x >= y; }
  L divS(L x, L y) const { return x / y; }
  L remS(L x, L y) const { return x % y; }
  L shl(L x, L distance) const { return L(uint64_t(x) << distance); }
  L shrU(L x, L distance) const { return L(uint64_t(x) >> distance); }
  M ltU(L x, L y) const { return uint64_t(x) < uint64_t(y); }
  L divU(L x, L y) const { return L(uint64_t(x) / uint64_t(y)); }
  L remU(L x, L y) const { return L(uint64_t(x) % uint64_t(y)); }

  D add(D x, D y) const { return x + y; }
  D sub(D x, D y) const { return x - y; }
  D mul(D x, D y) const { return x * y; }
  D div(D x, D y) const { return x / y; }
  D fma(D x, D y, D z) const { return std::fma(x, y, z); }
  D neg(D x) const { return -x; }
  D abs(D x) const { return std::fabs(x); }
  D min(D x, D y) const { return x != x ? x : (x < y ? x : y); }
  D max(D x, D y) const { return x != x ? x : (x > y ? x : y); }
  D sqrt(D x) const { return std::sqrt(x); }
  D roundEven(D x) const {
    D magnitude = abs(x);
    if (!(magnitude < 0x1p52))
      return x;
    return std::copysign(sub(add(magnitude, 0x1p52), 0x1p52), x);
  }
  D floor(D x) const {
    D rounded = roundEven(x);
    return rounded > x ? rounded - 1 : rounded;
  }
  D ceil(D x) const {
    D rounded = roundEven(x);
    return rounded < x ? std::copysign(rounded + 1, x) : rounded;
  }
  M oeq(D x, D y) const { return x == y; }
  M olt(D x, D y) const { return x < y; }
  M ole(D x, D y) const { return x <= y; }
  M ogt(D x, D y) const { return x > y; }
  M oge(D x, D y) const { return x >= y; }
  M une(D x, D y) const { return x != y; }
  M uno(D x, D y) const { return x != x || y != y; }
  L bitsOf(D x) const {
    L bits;
    std::memcpy(&bits, &x, sizeof(bits));
    return bits;
  }
  D doubleOf(L x) const {
    D value;
    std::memcpy(&value, &x, sizeof(value));
    return value;
  }
  D toDouble(F x) const { return x; }
  D toDouble(I x) const { return x; }
  D toDouble(L x) const { return D(x); }
  F toFloat(D x) const { return F(x); }
  L toLong(D x) const { return L(x); }
};

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_SCALARPOLICY_H
