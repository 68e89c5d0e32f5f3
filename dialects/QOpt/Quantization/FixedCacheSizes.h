//===- FixedCacheSizes.h - The same sums on every machine -------*- C++ -*-===//
//
// Eigen cuts products by the sizes of the caches that it finds, and the cuts
// decide the order of sums.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_FIXEDCACHESIZES_H
#define DIALECTS_QOPT_QUANTIZATION_FIXEDCACHESIZES_H

#include <Eigen/Core>

namespace qopt {

inline void useFixedCacheSizes() {
  Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 4 << 20);
}

} // namespace qopt

#endif
