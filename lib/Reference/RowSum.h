//===- RowSum.h - The sum of a row ------------------------------*- C++ -*-===//
//
// 16 partial sums, element i in sum i mod 16, each from +0, then a fixed tree.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_REFERENCE_ROWSUM_H
#define LIB_REFERENCE_ROWSUM_H

#include <cmath>
#include <cstdint>

namespace qopt::reference {

/// Adds up 16 partial sums.
inline float addPartialSums(float *sums) {
  for (int width = 8; width > 0; width /= 2)
    for (int j = 0; j < width; ++j)
      sums[j] += sums[j + width];
  return sums[0];
}

/// The row sum of get(0) ... get(n - 1).
template <class Get> float rowSum(int64_t n, Get get) {
  float sums[16] = {};
  for (int64_t i = 0; i < n; ++i)
    sums[i % 16] += get(i);
  return addPartialSums(sums);
}

/// The same of their squares, each added by fma.
template <class Get> float rowSumOfSquares(int64_t n, Get get) {
  float sums[16] = {};
  for (int64_t i = 0; i < n; ++i) {
    float value = get(i);
    sums[i % 16] = std::fma(value, value, sums[i % 16]);
  }
  return addPartialSums(sums);
}

} // namespace qopt::reference

#endif // LIB_REFERENCE_ROWSUM_H
