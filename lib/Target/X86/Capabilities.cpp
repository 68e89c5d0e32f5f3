//===- Capabilities.cpp - What the x86-64 kernels can run -----------------===//
//
// Of several rows that fit an op the first one that the tier can run is taken,
// so rows that need a feature stand before those that do not.
//
//===----------------------------------------------------------------------===//

#include "Capabilities.h"

using namespace qopt;
using namespace qopt::x86;

static constexpr Capability table[] = {
    // operation, activation, weight, scale, granularity, accumulator, fused,
    // layout, feature, kernel
    {"contract", "i8", "i8", "none", "*", "i32", "*", "n16k4", "amx",
     "x86-64.contract.i8i8.amx"},
    {"contract", "i8", "i8", "none", "*", "i32", "*", "n16k4", "vnni",
     "x86-64.contract.i8i8.vnni"},
    {"contract", "i8", "i8", "none", "*", "i32", "*", "n16k2", "",
     "x86-64.contract.i8i8.avx2"},
    {"contract", "*", "*", "none", "*", "i32", "*", "n16", "",
     "x86-64.contract.codes"},
    {"contract", "*", "*", "none", "*", "f32", "none", "n16", "",
     "x86-64.contract.f32"},
    {"contract", "f32", "*", "*", "*", "f32", "none", "codes", "",
     "x86-64.contract.weight-only"},
    {"contract", "*", "*", "*", "*", "f32", "*", "codes", "vnni",
     "x86-64.contract.grouped.vnni"},
    {"contract", "*", "*", "*", "*", "f32", "*", "codes", "",
     "x86-64.contract.grouped"},
    {"depthwise_conv", "*", "*", "*", "*", "*", "none", "plain", "",
     "x86-64.depthwise"},
    {"attention", "*", "*", "*", "*", "*", "none", "none", "",
     "x86-64.attention"},
    {"quantize_dynamic", "*", "*", "*", "*", "*", "*", "none", "",
     "x86-64.quantize-dynamic"},
    {"rows", "*", "*", "*", "*", "*", "*", "none", "", "x86-64.rows"},
    {"map", "*", "*", "*", "*", "*", "none", "none", "", "x86-64.map"},
    {"max_pool", "*", "*", "*", "*", "*", "none", "none", "", "x86-64.pool"},
    {"average_pool", "*", "*", "*", "*", "*", "none", "none", "",
     "x86-64.pool"},
    {"*", "*", "*", "*", "*", "*", "none", "none", "", "x86-64.move"},
};

static bool hasFeature(const Tier &tier, llvm::StringRef feature) {
  return feature.empty() || (feature == "vnni" && tier.hasVnni) ||
         (feature == "amx" && tier.hasAmx);
}

TargetCapabilities x86::capabilitiesOf(const Tier &tier) {
  TargetCapabilities rows;
  for (const Capability &row : table)
    if (hasFeature(tier, row.feature))
      rows.push_back(row);
  return rows;
}
