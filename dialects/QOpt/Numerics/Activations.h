//===- Activations.h - Activation functions ---------------------*- C++ -*-===//
//
// Each comment is the formula, in the order of its operations. The two GELU and
// SiLU are products with a factor that reaches 0, so -infinity gives NaN.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_ACTIVATIONS_H
#define DIALECTS_QOPT_NUMERICS_ACTIVATIONS_H

#include "dialects/QOpt/Numerics/ErrorFunction.h"
#include "dialects/QOpt/Numerics/Logarithm.h"

namespace qopt::numerics {

/// max(x, 0).
template <class B> typename B::F reluF32(B &b, typename B::F x) {
  return b.max(x, b.f(0));
}

/// x < 0 ? alpha * x : x.
template <class B>
typename B::F leakyReluF32(B &b, typename B::F x, typename B::F alpha) {
  return b.select(b.olt(x, b.f(0)), b.mul(alpha, x), x);
}

/// min(max(x, low), high).
template <class B>
typename B::F clipF32(B &b, typename B::F x, typename B::F low,
                      typename B::F high) {
  return b.min(b.max(x, low), high);
}

/// x < 0 ? alpha * (exp(x) - 1) : x.
template <class B>
typename B::F eluF32(B &b, typename B::F x, typename B::F alpha) {
  typename B::F negative = b.mul(alpha, b.sub(expF32(b, x), b.f(1)));
  return b.select(b.olt(x, b.f(0)), negative, x);
}

/// (0.5 * x) * (1 + erf(x * f32(1 / sqrt(2)))).
template <class B> typename B::F geluErfF32(B &b, typename B::F x) {
  typename B::F erf = erfF32(b, b.mul(x, b.f(0x1.6A09E6p-1f)));
  return b.mul(b.mul(b.f(0.5f), x), b.add(b.f(1), erf));
}

/// (0.5 * x) * (1 + tanh(f32(sqrt(2 / pi)) * fma(0.044715 * (x * x), x, x))).
template <class B> typename B::F geluTanhF32(B &b, typename B::F x) {
  typename B::F cube = b.mul(b.f(0.044715f), b.mul(x, x));
  typename B::F inner = b.mul(b.f(0x1.988454p-1f), b.fma(cube, x, x));
  return b.mul(b.mul(b.f(0.5f), x), b.add(b.f(1), tanhF32(b, inner)));
}

/// x * sigmoid(alpha * x); alpha = 1 is SiLU.
template <class B>
typename B::F swishF32(B &b, typename B::F x, typename B::F alpha) {
  return b.mul(x, sigmoidF32(b, b.mul(alpha, x)));
}

/// x * sigmoid(x).
template <class B> typename B::F siluF32(B &b, typename B::F x) {
  return b.mul(x, sigmoidF32(b, x));
}

/// max(0, min(1, fma(alpha, x, beta))).
template <class B>
typename B::F hardSigmoidF32(B &b, typename B::F x, typename B::F alpha,
                             typename B::F beta) {
  return clipF32(b, b.fma(alpha, x, beta), b.f(0), b.f(1));
}

/// x * hardSigmoid(x) with alpha = f32(1 / 6) and beta = 0.5.
template <class B> typename B::F hardSwishF32(B &b, typename B::F x) {
  return b.mul(x, hardSigmoidF32(b, x, b.f(0x1.555556p-3f), b.f(0.5f)));
}

/// max(x, 0) + log1p(exp(-|x|)).
template <class B> typename B::F softplusF32(B &b, typename B::F x) {
  typename B::F e = expF32(b, b.neg(b.abs(x)));
  return b.add(b.max(x, b.f(0)), log1pOfUnitF32(b, e));
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_ACTIVATIONS_H
