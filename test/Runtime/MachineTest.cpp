//===- MachineTest.cpp - Features, tiers, hash ------------------*- C++ -*-===//
//
// The detection agrees with the compiler's own, and the choice of a tier is
// the last possible one or the one that was named.
//
//===----------------------------------------------------------------------===//

#include "lib/Runtime/CpuFeatures.h"
#include "lib/Runtime/Sha256.h"
#include "lib/Runtime/Tiers.h"
#include "lib/Runtime/X86/Features.h"
#include "qopt/Support/Digest.h"
#include "gtest/gtest.h"
#include <string>

using namespace qopt::runtime;

TEST(CpuFeatures, AgreeWithTheCompiler) {
  __builtin_cpu_init();
  int64_t features = detectCpuFeatures(0);
  EXPECT_EQ(bool(features & QOPT_RT_FEATURE_X86_64_V3),
            bool(__builtin_cpu_supports("x86-64-v3")));
  EXPECT_EQ(bool(features & QOPT_RT_FEATURE_X86_64_V4),
            bool(__builtin_cpu_supports("x86-64-v4")));
  EXPECT_EQ(bool(features & QOPT_RT_FEATURE_AVX512_VNNI),
            bool(__builtin_cpu_supports("avx512vnni")));
  EXPECT_EQ(features & QOPT_RT_FEATURE_AMX_INT8, 0) << "was not asked for";
}

TEST(Sha256, EqualsTheCompilersAtEveryLength) {
  std::string bytes;
  for (int size = 0; size < 200; ++size) {
    qopt::Digest digest;
    computeSha256(reinterpret_cast<const unsigned char *>(bytes.data()),
                  bytes.size(), digest.data());
    EXPECT_EQ(digest, qopt::computeSha256(bytes)) << size;
    bytes += char(size * 37);
  }
}

namespace {
struct TierChoice {
  qopt_status status;
  int64_t chosen;
  std::string error;
  qopt_tier_info infos[3];
};
} // namespace

static TierChoice choose(int64_t features, const char *wanted) {
  static const qopt_rt_tier tiers[] = {
      {"x86-64-v3", nullptr, QOPT_RT_FEATURE_X86_64_V3},
      {"x86-64-v4", nullptr,
       QOPT_RT_FEATURE_X86_64_V4 | QOPT_RT_FEATURE_AVX512_VNNI},
      {"amx", nullptr, QOPT_RT_FEATURE_AMX_INT8}};
  qopt_rt_program program = {};
  program.tierCount = 3;
  program.tiers = tiers;
  TierChoice choice = {};
  char text[256] = "";
  choice.status = chooseTier(program, features, wanted, choice.infos,
                             choice.chosen, {text, sizeof(text)});
  choice.error = text;
  return choice;
}

TEST(Tiers, TheLastPossibleOneIsChosen) {
  int64_t v3 = QOPT_RT_FEATURE_X86_64_V3;
  int64_t v4 = v3 | QOPT_RT_FEATURE_X86_64_V4;
  EXPECT_EQ(choose(v3, nullptr).chosen, 0);
  TierChoice choice = choose(v4, nullptr);
  EXPECT_EQ(choice.chosen, 0);
  EXPECT_STREQ(choice.infos[1].reason, "AVX-512 VNNI");
  EXPECT_STREQ(choice.infos[0].reason, "the best tier that this machine runs");
  EXPECT_EQ(choose(v4 | QOPT_RT_FEATURE_AVX512_VNNI, nullptr).chosen, 1);
}

TEST(Tiers, ANameIsHonouredOrRefused) {
  int64_t features = QOPT_RT_FEATURE_X86_64_V3 | QOPT_RT_FEATURE_X86_64_V4 |
                     QOPT_RT_FEATURE_AVX512_VNNI;
  TierChoice choice = choose(features, "x86-64-v3");
  EXPECT_EQ(choice.status, QOPT_OK);
  EXPECT_EQ(choice.chosen, 0);
  EXPECT_STREQ(choice.infos[1].reason, "QOPT_CPU names another tier");
  choice = choose(features, "amx");
  EXPECT_EQ(choice.status, QOPT_BAD_USE);
  EXPECT_EQ(choice.error, "QOPT_CPU=amx: this machine lacks AMX-INT8");
  choice = choose(features, "pentium");
  EXPECT_EQ(choice.status, QOPT_BAD_USE);
  EXPECT_EQ(choice.error, "QOPT_CPU=pentium names no tier of this model; it "
                          "has x86-64-v3, x86-64-v4, amx");
}

TEST(Tiers, NoPossibleTierIsUnsupported) {
  TierChoice choice = choose(0, nullptr);
  EXPECT_EQ(choice.status, QOPT_UNSUPPORTED);
  EXPECT_EQ(choice.error,
            "this machine runs none of the model's tiers (x86-64-v3, "
            "x86-64-v4, amx): it lacks x86-64-v3 (AVX2, FMA, F16C, BMI2)");
}
