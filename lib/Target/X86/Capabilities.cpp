//===- Capabilities.cpp - What the x86-64 kernels can run -----------------===//
//
// Of several rows that fit an op the first one that the tier can run is taken,
// so rows that need a feature stand before those that do not.
//
//===----------------------------------------------------------------------===//

#include "Capabilities.h"
#include "GroupedContractSources.h"

using namespace qopt;
using namespace qopt::x86;

static constexpr llvm::StringLiteral groupedVnni =
    "x86-64.contract.grouped.vnni";
static constexpr llvm::StringLiteral groupedAvx2 =
    "x86-64.contract.grouped.avx2";
static constexpr llvm::StringLiteral grouped = "x86-64.contract.grouped";

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
    {"contract", "i8", "i8", "*", "block", "f32", "*", "n16k4", "vnni",
     groupedVnni},
    {"contract", "i8", "i4", "*", "block", "f32", "*", "n16k4", "vnni",
     groupedVnni},
    {"contract", "f4E2M1FN", "f4E2M1FN", "*", "block", "f32", "*", "n16k4",
     "vnni", groupedVnni},
    {"contract", "f6E2M3FN", "f6E2M3FN", "*", "block", "f32", "*", "n16k4",
     "vnni", groupedVnni},
    {"contract", "i8", "i8", "*", "block", "f32", "*", "n16k4", "",
     groupedAvx2},
    {"contract", "i8", "i4", "*", "block", "f32", "*", "n16k4", "",
     groupedAvx2},
    {"contract", "f4E2M1FN", "f4E2M1FN", "*", "block", "f32", "*", "n16k4", "",
     groupedAvx2},
    {"contract", "f6E2M3FN", "f6E2M3FN", "*", "block", "f32", "*", "n16k4", "",
     groupedAvx2},
    {"contract", "*", "*", "*", "*", "f32", "*", "codes", "", grouped},
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

KernelChoice x86::checkedChoice(const Tier &tier, mlir::Operation *op,
                                KernelChoice choice) {
  if (choice.name != groupedVnni && choice.name != groupedAvx2)
    return choice;
  auto kernel = llvm::dyn_cast<kernel::ContractOp>(op);
  mlir::Operation *root = kernel ? kernel.getRoot() : op;
  std::optional<GroupShape> groups = groupsOf(tier, root);
  if (groups && sumsIntegers(*groups))
    return choice;
  return {grouped.str(),
          "sums of groups are not sure to be exact, or blocks or zeros do not "
          "fit into words of bytes"};
}
