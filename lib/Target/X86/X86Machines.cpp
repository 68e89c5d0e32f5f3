//===- X86Machines.cpp - The tiers of x86-64 ------------------------------===//
//
// `amx` is not generated for the CPU sapphirerapids: that has many features
// that the runtime would all have to look for.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/X86/X86Machines.h"
#include "lib/Runtime/CpuFeatures.h"
#include "lib/Runtime/X86/Features.h"
#include "qopt/Target/EmbeddedFile.h"
#include "llvm/Support/TargetSelect.h"

using namespace qopt;

QOPT_EMBED(x86Runtime, QOPT_RUNTIME_OBJECT)
QOPT_EMBED(x86Libc, QOPT_LIBC_STUB)

static void initializeCodeGenerator() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
}

/// Conversions that only later CPUs have as instructions.
static constexpr llvm::StringLiteral kRuntimeSymbols[] = {
    "_GLOBAL_OFFSET_TABLE_", "__truncsfbf2", "__truncdfbf2", "__truncdfhf2"};

static const Platform kPlatform = {"x86_64-unknown-linux-gnu",
                                   initializeCodeGenerator,
                                   x86Runtime,
                                   x86Libc,
                                   kRuntimeSymbols,
                                   runtime::detectCpuFeatures,
                                   runtime::nameOfFeature};

static constexpr int64_t kV3 = QOPT_RT_FEATURE_X86_64_V3;
static constexpr int64_t kV4 =
    kV3 | QOPT_RT_FEATURE_X86_64_V4 | QOPT_RT_FEATURE_AVX512_VNNI;
static constexpr int64_t kAmx =
    kV4 | QOPT_RT_FEATURE_AMX_INT8 | QOPT_RT_FEATURE_AMX_BF16;

static const Machine kMachines[] = {
    // name, alias, platform, CPU, features, required features
    {"x86-64-v3", "", &kPlatform, "x86-64-v3", "", kV3},
    {"x86-64-v4", "", &kPlatform, "x86-64-v4", "+avx512vnni", kV4},
    {"amx", "sapphirerapids", &kPlatform, "x86-64-v4",
     "+avx512vnni,+amx-tile,+amx-int8,+amx-bf16", kAmx},
};

llvm::ArrayRef<Machine> qopt::getX86Machines() { return kMachines; }
