//===- RunElementsTest.cpp - Elements of any type as numbers ----*- C++ -*-===//
//
// What is written is read back, and what a type cannot hold is known.
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/RunElements.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace qopt;

/// `value` after it was an element of `type`; `bits` receives its bytes.
static double passThrough(ElementType type, double value, uint64_t &bits) {
  HostTensor tensor = llvm::cantFail(HostTensor::allocate(type, {3}));
  writeElement(tensor, 1, value);
  bits = 0;
  unsigned width = getBytesPerElement(type);
  std::memcpy(&bits, tensor.getData() + width, width);
  EXPECT_EQ(readElement(tensor, 0), readElement(tensor, 2));
  return static_cast<double>(readElement(tensor, 1));
}

TEST(RunElementsTest, WritesBitsOfEachType) {
  uint64_t bits;
  EXPECT_EQ(passThrough(ElementType::F32, 0.5, bits), 0.5);
  EXPECT_EQ(bits, 0x3f000000u);
  EXPECT_EQ(passThrough(ElementType::BF16, -2, bits), -2);
  EXPECT_EQ(bits, 0xc000u);
  EXPECT_EQ(passThrough(ElementType::F8E4M3FN, 448, bits), 448);
  EXPECT_EQ(bits, 0x7eu);
  EXPECT_EQ(passThrough(ElementType::F4E2M1FN, -6, bits), -6);
  EXPECT_EQ(bits, 0xfu);
  EXPECT_EQ(passThrough(ElementType::F6E2M3FN, 7.5, bits), 7.5);
  EXPECT_EQ(bits, 0x1fu);
  EXPECT_EQ(passThrough(ElementType::F8E8M0FNU, 0.25, bits), 0.25);
  EXPECT_EQ(bits, 125u);
  EXPECT_EQ(passThrough(ElementType::I4, -8, bits), -8);
  EXPECT_EQ(bits, 8u);
  EXPECT_EQ(passThrough(ElementType::I2, -1, bits), -1);
  EXPECT_EQ(bits, 3u);
  EXPECT_EQ(passThrough(ElementType::I64, -5, bits), -5);
  EXPECT_EQ(passThrough(ElementType::U64, 0x1p63, bits), 0x1p63);
  EXPECT_EQ(passThrough(ElementType::BOOL, 1, bits), 1);
}

TEST(RunElementsTest, RoundsToTheNearest) {
  uint64_t bits;
  EXPECT_EQ(passThrough(ElementType::F4E2M1FN, 2.4, bits), 2);
  EXPECT_EQ(passThrough(ElementType::F4E2M1FN, 2.5, bits), 2);
  EXPECT_EQ(passThrough(ElementType::F16, 1.0001, bits), 1);
}

TEST(RunElementsTest, KnowsWhatATypeCannotHold) {
  EXPECT_TRUE(canHold(ElementType::I8, -128));
  EXPECT_FALSE(canHold(ElementType::I8, 128));
  EXPECT_FALSE(canHold(ElementType::U4, 16));
  EXPECT_FALSE(canHold(ElementType::I64, 0x1p63));
  EXPECT_FALSE(canHold(ElementType::I32, 0.5));
  EXPECT_FALSE(canHold(ElementType::I32, NAN));
  EXPECT_FALSE(canHold(ElementType::BOOL, 2));
  EXPECT_TRUE(canHold(ElementType::F32, INFINITY));
  EXPECT_FALSE(canHold(ElementType::F8E4M3FN, INFINITY));
  EXPECT_FALSE(canHold(ElementType::F4E2M1FN, NAN));
  EXPECT_FALSE(canHold(ElementType::F16, 1e6));
  EXPECT_TRUE(canHold(ElementType::F8E8M0FNU, 0x1p-127));
  EXPECT_FALSE(canHold(ElementType::F8E8M0FNU, 3));
  EXPECT_FALSE(canHold(ElementType::F8E8M0FNU, 0));
}
