//===- Features.h - What a tier of x86-64 can need --------------*- C++ -*-===//
//
// The meaning of `requiredFeatures` in models for x86-64.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_X86_FEATURES_H
#define QOPT_LIB_RUNTIME_X86_FEATURES_H

#include <stdint.h>

enum : int64_t {
  QOPT_RT_FEATURE_X86_64_V3 = 1 << 0,
  QOPT_RT_FEATURE_X86_64_V4 = 1 << 1,
  QOPT_RT_FEATURE_AVX512_VNNI = 1 << 2,
  QOPT_RT_FEATURE_AMX_INT8 = 1 << 3,
  QOPT_RT_FEATURE_AMX_BF16 = 1 << 4,
};

#endif // QOPT_LIB_RUNTIME_X86_FEATURES_H
