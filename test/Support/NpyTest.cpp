//===- NpyTest.cpp - One numpy array ----------------------------*- C++ -*-===//
//
// What numpy writes is read, what we write is what numpy reads, and a damaged
// or hostile header is a message.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/CodedError.h"
#include "qopt/Support/Npz.h"
#include "gtest/gtest.h"

using namespace qopt;

static std::string makeNpy(std::string header, std::string elements) {
  return std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' +
         header + elements;
}

static std::string failureOf(llvm::StringRef bytes) {
  llvm::Expected<HostTensor> tensor = parseNpy(bytes, "x.npy");
  if (tensor)
    return "read";
  ExitCode code;
  std::string text = takeMessage(tensor.takeError(), code);
  EXPECT_EQ(code, ExitCode::BadData);
  return text;
}

TEST(Npy, ReadsKeysInAnyOrder) {
  llvm::Expected<HostTensor> tensor = parseNpy(
      makeNpy("{\"shape\": (2,), 'descr': '<i2', 'fortran_order': False}  \n",
              std::string("\x01\x00\xff\xff", 4)),
      "x.npy");
  ASSERT_TRUE(bool(tensor)) << llvm::toString(tensor.takeError());
  EXPECT_EQ(tensor->getDims(), llvm::ArrayRef<int64_t>({2}));
  EXPECT_EQ(tensor->as<int16_t>()[0], 1);
  EXPECT_EQ(tensor->as<int16_t>()[1], -1);
}

TEST(Npy, BringsFortranOrderIntoCOrder) {
  // Element (i, j, k) of 2x3x2 is 100 i + 10 j + k.
  std::string elements;
  for (int k = 0; k < 2; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i)
        elements += char(100 * i + 10 * j + k);
  llvm::Expected<HostTensor> tensor = parseNpy(
      makeNpy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }",
              elements),
      "x.npy");
  ASSERT_TRUE(bool(tensor)) << llvm::toString(tensor.takeError());
  int index = 0;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 2; ++k)
        EXPECT_EQ(tensor->as<uint8_t>()[index++], 100 * i + 10 * j + k);
}

TEST(Npy, RefusesLongHeaders) {
  std::string header(70000, ' ');
  std::string length{'\x70', '\x11', '\x01', '\x00'};
  EXPECT_EQ(failureOf(std::string("\x93NUMPY\x02\x00", 8) + length + header),
            "x.npy: expects a .npy header of 65535 bytes or fewer, but found "
            "70000");
}

TEST(Npy, HeaderIsWhatNumpyWrites) {
  EXPECT_EQ(makeNpyHeader(ElementType::F32, {2, 3}),
            std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" +
                std::string(58, ' ') + "\n");
  for (const std::vector<int64_t> &dims :
       std::vector<std::vector<int64_t>>{{}, {0}, {4, 1, 0}}) {
    std::string bytes = makeNpyHeader(ElementType::BF16, dims);
    EXPECT_EQ(bytes.size() % 64, 0u);
    if (dims.empty())
      bytes += "ab";
    llvm::Expected<HostTensor> tensor = parseNpy(bytes, "x.npy");
    ASSERT_TRUE(bool(tensor)) << llvm::toString(tensor.takeError());
    EXPECT_EQ(tensor->getDims().vec(), dims);
    EXPECT_EQ(tensor->getType(), ElementType::U16);
  }
}

TEST(Npy, RefusesWhatItCannotHold) {
  auto ofType = [](std::string code) {
    return failureOf(makeNpy(
        "{'descr': '" + code + "', 'fortran_order': False, 'shape': ()}", ""));
  };
  EXPECT_EQ(ofType("|O"), "x.npy: bad .npy header: the array holds Python "
                          "objects (a pickle), which are never loaded");
  EXPECT_EQ(ofType(">f4"),
            "x.npy: bad .npy header: element type '>f4' is big-endian; store "
            "the array in little-endian order");
  EXPECT_EQ(ofType("<c8"),
            "x.npy: bad .npy header: element type '<c8' is not supported");
  EXPECT_EQ(failureOf(makeNpy("{'descr': [('a', '<f4')]}", "")),
            "x.npy: bad .npy header: arrays of records are not supported");
}

TEST(Npy, RefusesSizesThatDoNotFit) {
  auto ofShape = [](std::string shape) {
    return failureOf(makeNpy(
        "{'descr': '<f8', 'fortran_order': True, 'shape': " + shape + "}",
        std::string(8, 'x')));
  };
  EXPECT_EQ(ofShape("(2,)"),
            "x.npy: an array of 2 f64 takes 16 bytes, but found 8");
  EXPECT_EQ(ofShape("(0,)"),
            "x.npy: an array of 0 f64 takes 0 bytes, but found 8");
  EXPECT_EQ(ofShape("(4294967296, 4294967296)"),
            "x.npy: the size of an array of 4294967296x4294967296 overflows");
  EXPECT_EQ(ofShape("(0, 4294967296, 4294967296)"),
            "x.npy: the size of an array of 0x4294967296x4294967296 overflows");
  for (const char *shape :
       {"(-1,)", "(99999999999999999999,)", "(9223372036854775808,)", "(a,)"})
    EXPECT_EQ(ofShape(shape),
              "x.npy: bad .npy header: expected a size in 'shape'");
}

TEST(Npy, RefusesBadDictionaries) {
  for (const char *header :
       {"", "{", "{'descr'", "{'descr': '<f4'", "{'descr': '<f4", "[]",
        "{'descr': '<f4', 'descr': '<f4'}", "{'other': 1}", "{'shape': (1",
        "{'fortran_order': None}", "{'shape': (1.5,)}",
        "{'descr': '<f4', 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x"})
    EXPECT_EQ(failureOf(makeNpy(header, "")).rfind("x.npy: bad .npy header", 0),
              0u)
        << header;
}

TEST(Npy, RefusesEveryPrefix) {
  std::string bytes = makeNpyHeader(ElementType::F32, {2}) + "12345678";
  ASSERT_EQ(failureOf(bytes), "read");
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(failureOf(llvm::StringRef(bytes).take_front(size)), "read");
  EXPECT_EQ(failureOf(std::string("\x93NUMPY\x09\x00\x00\x00", 10)),
            "x.npy: unknown .npy version 9");
}
