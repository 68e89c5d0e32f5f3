//===- NpzTest.cpp - Zip files of numpy arrays ------------------*- C++ -*-===//
//
// Round trips, files in numpy's own layout, and hostile files: cut anywhere,
// any byte changed, sizes that lie.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/Npz.h"
#include "TemporaryFolder.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/MappedFile.h"
#include "llvm/Support/EndianStream.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <zlib.h>

using namespace qopt;

namespace {
/// A zip file with one entry, every number of which can be made wrong.
struct ZipImage {
  std::string name = "x.npy";
  std::string content = makeNpyHeader(ElementType::U8, {4}) + "abcd";
  uint16_t method = 0;
  uint16_t flags = 0;
  int64_t packedSizeError = 0;
  int64_t sizeError = 0;
  uint32_t localOffset = 0;
  unsigned copies = 1;

  std::string build() const {
    std::string packed = content;
    if (method == Z_DEFLATED) {
      packed.resize(content.size() + 100);
      z_stream stream = {};
      deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
      stream.next_in = (Bytef *)content.data();
      stream.avail_in = content.size();
      stream.next_out = (Bytef *)packed.data();
      stream.avail_out = packed.size();
      deflate(&stream, Z_FINISH);
      packed.resize(stream.total_out);
      deflateEnd(&stream);
    }
    std::string text;
    llvm::raw_string_ostream os(text);
    llvm::support::endian::Writer writer(os, llvm::endianness::little);
    auto writeCommon = [&](bool isCentral) {
      writer.write<uint32_t>(isCentral ? 0x02014b50 : 0x04034b50);
      if (isCentral)
        writer.write<uint16_t>(20);
      writer.write<uint16_t>(20);
      writer.write<uint16_t>(flags);
      writer.write<uint16_t>(method);
      writer.write<uint32_t>(0);
      writer.write<uint32_t>(
          crc32(0, (const Bytef *)content.data(), content.size()));
      writer.write<uint32_t>(packed.size() + packedSizeError);
      writer.write<uint32_t>(content.size() + sizeError);
      writer.write<uint16_t>(name.size());
      writer.write<uint16_t>(0);
    };
    writeCommon(false);
    os << name << packed;
    size_t start = text.size();
    for (unsigned i = 0; i < copies; ++i) {
      writeCommon(true);
      writer.write<uint16_t>(0);
      writer.write<uint16_t>(0);
      writer.write<uint16_t>(0);
      writer.write<uint32_t>(0);
      writer.write<uint32_t>(localOffset);
      os << name;
    }
    size_t size = text.size() - start;
    writer.write<uint32_t>(0x06054b50);
    writer.write<uint32_t>(0);
    writer.write<uint16_t>(copies);
    writer.write<uint16_t>(copies);
    writer.write<uint32_t>(size);
    writer.write<uint32_t>(start);
    writer.write<uint16_t>(0);
    return text;
  }
};
} // namespace

static std::string failureOf(llvm::StringRef bytes) {
  llvm::Expected<std::vector<NamedTensor>> tensors = parseNpz(bytes, "x.npz");
  if (tensors)
    return "read";
  ExitCode code;
  std::string text = takeMessage(tensors.takeError(), code);
  EXPECT_EQ(code, ExitCode::BadData);
  return text;
}

TEST(Npz, RoundTripOfEveryType) {
  TemporaryFolder folder;
  std::string path = folder.file("a.npz");
  std::vector<NamedTensor> written;
#define QOPT_ADD(name, number, bytes, text)                                    \
  written.push_back(                                                           \
      {text, cantFail(HostTensor::allocate(ElementType::name, {2, 0 + 3}))});  \
  written.back().tensor.getMutableData()[2 * bytes] = 5;
  QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_ADD)
#undef QOPT_ADD
  written.push_back(
      {"dir/empty[0]", cantFail(HostTensor::allocate(ElementType::I64, {0}))});
  ASSERT_FALSE(bool(writeNpz(path, written)));

  llvm::Expected<std::vector<NamedTensor>> read = readNpz(path);
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  ASSERT_EQ(read->size(), written.size());
  for (size_t i = 0; i < read->size(); ++i) {
    EXPECT_EQ((*read)[i].name, written[i].name);
    EXPECT_EQ((*read)[i].tensor.getType(),
              getNumpyType(written[i].tensor.getType()));
    EXPECT_EQ((*read)[i].tensor.getDims(), written[i].tensor.getDims());
    EXPECT_EQ((*read)[i].tensor.getBytes(), written[i].tensor.getBytes());
  }
}

TEST(Npz, ATensorWithoutBytesHasAChecksum) {
  TemporaryFolder folder;
  std::string path = folder.file("a.npz");
  HostTensor nothing = HostTensor::borrow(ElementType::F32, {0, 3}, {});
  ASSERT_FALSE(bool(writeNpz(path, {{"x", nothing}})));
  llvm::Expected<std::vector<NamedTensor>> read = readNpz(path);
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->front().tensor.getNumElements(), 0);
}

TEST(Npz, NpyRoundTrip) {
  TemporaryFolder folder;
  std::string path = folder.file("a.npy");
  HostTensor tensor = cantFail(HostTensor::allocate(ElementType::F64, {2}));
  tensor.asMutable<double>()[1] = 0.5;
  ASSERT_FALSE(bool(writeNpy(path, tensor)));
  llvm::Expected<HostTensor> read = readNpy(path);
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->as<double>()[1], 0.5);
}

TEST(Npz, ReadsStoredAndDeflatedEntries) {
  for (uint16_t method : {0, Z_DEFLATED}) {
    ZipImage image;
    image.method = method;
    image.content =
        makeNpyHeader(ElementType::U8, {100000}) + std::string(100000, 'z');
    llvm::Expected<std::vector<NamedTensor>> tensors =
        parseNpz(image.build(), "x.npz");
    ASSERT_TRUE(bool(tensors)) << llvm::toString(tensors.takeError());
    ASSERT_EQ(tensors->size(), 1u);
    EXPECT_EQ((*tensors)[0].name, "x");
    EXPECT_EQ((*tensors)[0].tensor.getBytes().back(), 'z');
  }
}

TEST(Npz, RefusesWrongSizes) {
  for (uint16_t method : {0, Z_DEFLATED})
    for (int64_t wrong : {-1, 1, 1 << 20}) {
      ZipImage image;
      image.method = method;
      image.sizeError = wrong;
      EXPECT_NE(failureOf(image.build()), "read") << method << " " << wrong;
      image.sizeError = 0;
      image.packedSizeError = wrong;
      EXPECT_NE(failureOf(image.build()), "read") << method << " " << wrong;
    }
}

TEST(Npz, RefusesBombs) {
  ZipImage image;
  image.method = Z_DEFLATED;
  image.content =
      makeNpyHeader(ElementType::U8, {1 << 20}) + std::string(1 << 20, '\0');
  EXPECT_EQ(failureOf(image.build()), "read");
  image.sizeError = 1 << 29;
  EXPECT_NE(failureOf(image.build()).find("may unpack to 268"),
            std::string::npos)
      << failureOf(image.build());
}

TEST(Npz, RefusesWhatItDoesNotRead) {
  ZipImage image;
  image.flags = 1;
  EXPECT_EQ(failureOf(image.build()),
            "x.npz: bad .npz file: 'x.npy' is encrypted");
  image = ZipImage();
  image.method = 12;
  EXPECT_EQ(failureOf(image.build()),
            "x.npz: bad .npz file: 'x.npy' is packed with method 12; expected "
            "none or deflate");
  image = ZipImage();
  image.name = "x.pkl";
  EXPECT_EQ(failureOf(image.build()), "x.npz: 'x.pkl' is not an array (.npy)");
  image = ZipImage();
  image.copies = 2;
  EXPECT_EQ(failureOf(image.build()),
            "x.npz: bad .npz file: 'x.npy' occurs twice");
  image.copies = 60;
  EXPECT_NE(failureOf(image.build()), "read");
  image = ZipImage();
  image.localOffset = 1u << 30;
  EXPECT_EQ(failureOf(image.build()),
            "x.npz: bad .npz file: 'x.npy' has no local header");
  EXPECT_EQ(failureOf("no zip"),
            "x.npz: bad .npz file: no end of central directory; the file is "
            "cut short or is not a .npz file");
}

TEST(Npz, SurvivesEveryCutAndEveryChangedByte) {
  TemporaryFolder folder;
  std::string path = folder.file("a.npz");
  HostTensor tensor = cantFail(HostTensor::allocate(ElementType::F32, {3}));
  ASSERT_FALSE(bool(writeNpz(path, {{"a", tensor}, {"b", tensor}})));
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  ASSERT_TRUE(bool(file));
  std::string good = file->getText().str();
  ZipImage deflated;
  deflated.method = Z_DEFLATED;
  for (const std::string &bytes : {good, deflated.build()}) {
    ASSERT_EQ(failureOf(bytes), "read");
    for (size_t size = 0; size < bytes.size(); ++size)
      EXPECT_NE(failureOf(llvm::StringRef(bytes).take_front(size)), "read");
    // Some bytes, such as dates, mean nothing to us: no crash is the promise.
    for (size_t i = 0; i < bytes.size(); ++i)
      for (char change : {char(0xff), char(0x01), char(0x80)}) {
        std::string changed = bytes;
        changed[i] ^= change;
        failureOf(changed);
      }
  }
}
