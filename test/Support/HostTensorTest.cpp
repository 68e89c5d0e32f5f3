//===- HostTensorTest.cpp - Tensors in memory -------------------*- C++ -*-===//
//
// Sizes are checked, buffers are fit for models, and every element type can be
// found by its name and its number.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/HostTensor.h"
#include "qopt/Support/CodedError.h"
#include "gtest/gtest.h"

using namespace qopt;

TEST(HostTensor, AllocatesAlignedZerosWithSlack) {
  llvm::Expected<HostTensor> tensor =
      HostTensor::allocate(ElementType::F32, {3, 5});
  ASSERT_TRUE(bool(tensor));
  EXPECT_EQ(tensor->getSizeInBytes(), 60u);
  EXPECT_GE(tensor->getCapacityInBytes(), 60u + QOPT_BUFFER_SLACK);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor->getData()) % 64, 0u);
  for (float value : tensor->as<float>())
    EXPECT_EQ(value, 0.0f);
}

TEST(HostTensor, RefusesSizesThatOverflow) {
  for (const std::vector<int64_t> &dims : std::vector<std::vector<int64_t>>{
           {1ll << 40, 1ll << 40}, {0, 1ll << 40, 1ll << 40}, {-1}}) {
    ExitCode code;
    std::string text = takeMessage(
        HostTensor::allocate(ElementType::U8, dims).takeError(), code);
    EXPECT_EQ(code, ExitCode::BadData);
    EXPECT_NE(text.find("overflows"), std::string::npos) << text;
  }
}

TEST(HostTensor, CopyRefusesTheWrongNumberOfBytes) {
  char bytes[7] = {};
  ExitCode code;
  std::string text = takeMessage(
      HostTensor::copy(ElementType::I16, {4}, bytes).takeError(), code);
  EXPECT_EQ(text, "a tensor of 4 i16 takes 8 bytes, but found 7");
}

TEST(HostTensor, CopiesShareBytesAndBitcastKeepsThem) {
  llvm::Expected<HostTensor> tensor =
      HostTensor::allocate(ElementType::F32, {2});
  ASSERT_TRUE(bool(tensor));
  tensor->asMutable<float>()[1] = 1.0f;
  HostTensor bits = tensor->bitcast(ElementType::U32).reshape({1, 2});
  EXPECT_EQ(bits.as<uint32_t>()[1], 0x3f800000u);
  EXPECT_EQ(bits.getData(), tensor->getData());
  EXPECT_EQ(bits.getRank(), 2);
}

TEST(ElementType, IsFoundByNameAndNumber) {
#define QOPT_EXPECT(name, number, bytes, text)                                 \
  EXPECT_EQ(findElementType(llvm::StringRef(text)), ElementType::name);        \
  EXPECT_EQ(findElementType(int64_t(number)), ElementType::name);              \
  EXPECT_EQ(getName(ElementType::name), text);                                 \
  EXPECT_EQ(getBytesPerElement(ElementType::name), unsigned(bytes));           \
  EXPECT_EQ(getBytesPerElement(getNumpyType(ElementType::name)),               \
            unsigned(bytes));
  QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_EXPECT)
#undef QOPT_EXPECT
  EXPECT_FALSE(findElementType("string"));
  EXPECT_FALSE(findElementType(int64_t(8)));
}
