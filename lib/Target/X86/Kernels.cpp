//===- Kernels.cpp - What the tiers of x86-64 run -------------------------===//
//
// Of several rows that fit an op the first one that the tier can run is taken,
// so rows that need a feature stand before those that do not.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "lib/Target/Cpu/Kernels.h"
#include "lib/Target/Cpu/ProductKernels.h"
#include "lib/Target/Host/HostLoops.h"

using namespace qopt;
using namespace qopt::cpu;
using namespace qopt::x86;

using Row = KernelRow<Tier, CpuProgram>;

static constexpr auto emitCodesByTiles = emitCodeContract<CodeUnit::Tiles>;
static constexpr auto emitCodes = emitCodeContract<CodeUnit::Vectors>;
static constexpr auto emitGroups = emitGroupedContract<GroupSum::Float>;
static constexpr auto emitIntegers = emitGroupedContract<GroupSum::Integer>;

// clang-format off
static constexpr Row kTable[] = {
    // operation, activation, weight, scale, granularity, accumulator, fused;
    // feature, name, check, emit
    {{"contract", "i8", "i8", "none", "*", "i32", "*"},
     "amx", "contract.i8i8.amx", checkTileContract, emitCodesByTiles},
    {{"contract", "i8", "i8", "none", "*", "i32", "*"},
     "vnni", "contract.i8i8.vnni", checkCodeContract, emitCodes},
    {{"contract", "i8", "i8", "none", "*", "i32", "*"},
     "", "contract.i8i8.avx2", checkCodeContract, emitCodes},
    {{"contract", "*", "*", "none", "*", "i32", "*"},
     "amx", "contract.codes.amx", checkTileContract, emitCodesByTiles},
    {{"contract", "*", "*", "none", "*", "i32", "*"},
     "vnni", "contract.codes.vnni", checkCodeContract, emitCodes},
    {{"contract", "*", "*", "none", "*", "i32", "*"},
     "", "contract.codes.avx2", checkCodeContract, emitCodes},
    {{"contract", "*", "*", "none", "*", "f32", "none"},
     "", "contract.f32", checkFloatContract, emitFloatContract},
    {{"contract", "f32", "*", "*", "*", "f32", "none"},
     "", "contract.weight-only", checkGroupedContract, emitGroups},
    {{"contract", "*", "*", "*", "*", "f32", "*"},
     "vnni", "contract.grouped.vnni", checkIntegerGroups, emitIntegers},
    {{"contract", "*", "*", "*", "*", "f32", "*"},
     "", "contract.grouped.avx2", checkIntegerGroups, emitIntegers},
    {{"contract", "*", "*", "*", "*", "f32", "*"},
     "", "contract.grouped", checkGroupedContract, emitGroups},
    {{"depthwise_conv", "*", "*", "none", "*", "i32", "none"},
     "vnni", "depthwise.codes.vnni", checkCodeDepthwise, emitCodeDepthwise},
    {{"depthwise_conv", "*", "*", "none", "*", "i32", "none"},
     "", "depthwise.codes.avx2", checkCodeDepthwise, emitCodeDepthwise},
    {{"depthwise_conv", "*", "*", "none", "*", "*", "none"},
     "", "depthwise", checkDepthwise, emitDepthwise},
    {{"depthwise_conv", "*", "*", "*", "*", "*", "none"},
     "", "depthwise.grouped", checkGroupedDepthwise, emitGroupedDepthwise},
    {{"attention", "*", "*", "*", "*", "*", "none"},
     "", "attention", checkAttention, emitAttention, readsKeysWithSlots},
};
// clang-format on

static bool hasFeature(const TierFeatures &has, llvm::StringRef feature) {
  return feature.empty() || (feature == "vnni" && has.hasVnni) ||
         (feature == "amx" && has.hasAmx);
}

static KernelSet makeKernels(const TierRow &tier) {
  KernelSet set;
  for (const Row &row : kTable)
    if (hasFeature(tier.features, row.feature))
      set.add("x86-64", row, *tier.tier);
  cpu::addKernels(set, "x86-64");
  set.add(host::makeGenericKernel());
  return set;
}

kernel::KernelList x86::kernelsOf(const TierRow &tier) {
  static const llvm::SmallVector<KernelSet> sets =
      llvm::map_to_vector(getTiers(), makeKernels);
  return sets[&tier - getTiers().begin()].kernels();
}
