//===- SoftFloatTest.cpp - Conversions that the CPU may lack ----*- C++ -*-===//
//
// Compared with LLVM's own arithmetic on edges and on random bits.
//
//===----------------------------------------------------------------------===//

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"
#include <random>

extern "C" {
__bf16 __truncsfbf2(float value);
__bf16 __truncdfbf2(double value);
_Float16 __truncdfhf2(double value);
}

template <typename T> static uint16_t bitsOf(T value) {
  uint16_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static uint16_t expectedBits(llvm::APFloat value,
                             const llvm::fltSemantics &semantics) {
  bool losesInfo;
  value.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return value.bitcastToAPInt().getZExtValue();
}

static void checkDouble(uint64_t bits) {
  double value = llvm::bit_cast<double>(bits);
  llvm::APFloat wide(value);
  ASSERT_EQ(bitsOf(__truncdfhf2(value)),
            expectedBits(wide, llvm::APFloat::IEEEhalf()))
      << std::hex << bits;
  ASSERT_EQ(bitsOf(__truncdfbf2(value)),
            expectedBits(wide, llvm::APFloat::BFloat()))
      << std::hex << bits;
}

static void checkFloat(uint32_t bits) {
  float value = llvm::bit_cast<float>(bits);
  ASSERT_EQ(bitsOf(__truncsfbf2(value)),
            expectedBits(llvm::APFloat(value), llvm::APFloat::BFloat()))
      << std::hex << bits;
}

TEST(SoftFloat, EqualsLLVMOnEdges) {
  // Each exponent, with fractions around ties of every position.
  for (uint64_t exponent = 0; exponent < 2048; ++exponent)
    for (int position = 0; position < 52; ++position)
      for (int64_t delta : {-1, 0, 1})
        for (uint64_t sign : {0, 1}) {
          uint64_t fraction =
              ((uint64_t(1) << position) + delta) & ((uint64_t(1) << 52) - 1);
          checkDouble(sign << 63 | exponent << 52 | fraction);
        }
  for (uint32_t high = 0; high < 0x10000; ++high)
    for (uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      checkFloat(high << 16 | low);
}

TEST(SoftFloat, EqualsLLVMOnRandomBits) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    uint64_t bits = random();
    checkFloat(bits);
    checkDouble(bits);
    // Most doubles are far outside of the narrow ranges; these are not.
    checkDouble((bits & ~(uint64_t(0x7ff) << 52)) | (1023 - 30 + bits % 60)
                                                        << 52);
  }
}
