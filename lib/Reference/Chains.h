//===- Chains.h - Sums of products in one order -----------------*- C++ -*-===//
//
// The hot loops of Reference. Many chains run beside each other, each in its
// own order, so the result does not depend on how many lanes a machine has.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_REFERENCE_CHAINS_H
#define LIB_REFERENCE_CHAINS_H

#include <cstdint>

namespace qopt::reference {

/// A matrix in memory: element (i, j) is `data[i * rowStride + j]`.
template <class T> struct Matrix {
  T *data;
  int64_t rowStride;

  T *row(int64_t i) const { return data + i * rowStride; }
};

/// c[i][j] = fma(a[i][k], b[k][j], c[i][j]) for ascending k < `depth`.
void addProducts(int64_t rows, int64_t columns, int64_t depth,
                 Matrix<const float> a, Matrix<const float> b, Matrix<float> c);

/// The same modulo 2^32.
void addProducts(int64_t rows, int64_t columns, int64_t depth,
                 Matrix<const int32_t> a, Matrix<const int32_t> b,
                 Matrix<int32_t> c);

/// result[i] = fma(a[i], b[i], c[i]).
void multiplyAdd(int64_t count, const float *a, const float *b, const float *c,
                 float *result);

} // namespace qopt::reference

#endif // LIB_REFERENCE_CHAINS_H
