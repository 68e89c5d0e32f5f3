//===- CpuFeatures.cpp - What this x86-64 can run -------------*- C++ -*-===//
//
// By hand from CPUID: the compiler's own detection lives in libgcc, which a
// model must not need.
//
//===----------------------------------------------------------------------===//

#include "../CpuFeatures.h"
#include "Features.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace qopt::runtime;

namespace {
struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};
} // namespace

static Registers readCpuid(unsigned leaf, unsigned subleaf) {
  Registers r;
  // Answers false, and leaves zeros, when the leaf does not exist.
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

/// The register sets that the system saves (XCR0).
static uint64_t readSavedRegisterSets() {
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}

static bool hasAll(unsigned bits, unsigned wanted) {
  return (bits & wanted) == wanted;
}

/// Linux gives the tile registers only to processes that ask.
static bool requestTileRegisters() {
  constexpr long requestPermission = 0x1023, tileData = 18;
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
}

int64_t qopt::runtime::detectCpuFeatures(int64_t wanted) {
  Registers leaf1 = readCpuid(1, 0);
  if (!(leaf1.ecx & bit_OSXSAVE))
    return 0;
  Registers leaf7 = readCpuid(7, 0);
  Registers extended = readCpuid(0x80000001, 0);
  uint64_t saved = readSavedRegisterSets();
  constexpr uint64_t avxSets = 0x6, avx512Sets = 0xe6, tileSets = 0x60000;

  int64_t features = 0;
  if ((saved & avxSets) == avxSets &&
      hasAll(leaf1.ecx, bit_AVX | bit_FMA | bit_F16C | bit_MOVBE) &&
      hasAll(leaf7.ebx, bit_AVX2 | bit_BMI | bit_BMI2) &&
      hasAll(extended.ecx, bit_LZCNT))
    features |= QOPT_RT_FEATURE_X86_64_V3;
  if (features != 0 && (saved & avx512Sets) == avx512Sets &&
      hasAll(leaf7.ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512CD |
                            bit_AVX512DQ | bit_AVX512VL)) {
    features |= QOPT_RT_FEATURE_X86_64_V4;
    if (leaf7.ecx & bit_AVX512VNNI)
      features |= QOPT_RT_FEATURE_AVX512_VNNI;
  }
  constexpr int64_t amxFeatures =
      QOPT_RT_FEATURE_AMX_INT8 | QOPT_RT_FEATURE_AMX_BF16;
  if ((wanted & amxFeatures) && (saved & tileSets) == tileSets &&
      (leaf7.edx & bit_AMXTILE) && requestTileRegisters()) {
    if (leaf7.edx & bit_AMXINT8)
      features |= QOPT_RT_FEATURE_AMX_INT8;
    if (leaf7.edx & bit_AMXBF16)
      features |= QOPT_RT_FEATURE_AMX_BF16;
  }
  return features;
}

const char *qopt::runtime::nameOfFeature(int64_t features) {
  switch (features & -features) {
  case QOPT_RT_FEATURE_X86_64_V3:
    return "x86-64-v3 (AVX2, FMA, F16C, BMI2)";
  case QOPT_RT_FEATURE_X86_64_V4:
    return "x86-64-v4 (AVX-512 F, BW, CD, DQ, VL)";
  case QOPT_RT_FEATURE_AVX512_VNNI:
    return "AVX-512 VNNI";
  case QOPT_RT_FEATURE_AMX_INT8:
    return "AMX-INT8";
  case QOPT_RT_FEATURE_AMX_BF16:
    return "AMX-BF16";
  }
  return "a feature that this runtime does not know";
}
