//===- Hadamard.h - The matrix of a Walsh-Hadamard transform ----*- C++ -*-===//
//
// In the natural order of Sylvester: H[i][j] = (-1)^(number of ones in i & j).
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_HADAMARD_H
#define DIALECTS_QOPT_NUMERICS_HADAMARD_H

#include "llvm/ADT/bit.h"
#include <cmath>
#include <cstdint>
#include <vector>

namespace qopt::numerics {

/// What makes the transform of `size` elements orthogonal, rounded once.
inline float getHadamardNorm(int64_t size) {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(size)));
}

/// The orthogonal matrix of `size` rows, which is symmetric, in row-major
/// order.
inline std::vector<float> makeHadamardMatrix(int64_t size) {
  float norm = getHadamardNorm(size);
  std::vector<float> matrix;
  for (uint64_t row = 0; row < static_cast<uint64_t>(size); ++row)
    for (uint64_t column = 0; column < static_cast<uint64_t>(size); ++column)
      matrix.push_back(llvm::popcount(row & column) % 2 ? -norm : norm);
  return matrix;
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_HADAMARD_H
