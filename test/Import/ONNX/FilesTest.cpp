//===- FilesTest.cpp - Files that hold no model, external data ------------===//
//
// Bytes of any kind are refused with the place of the fault, and no name in a
// model leads out of its folder.
//
//===----------------------------------------------------------------------===//

#include "lib/Import/ONNX/WireWalk.h"
#include "test/Import/ONNX/ModelBuilder.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"
#include <random>

using namespace qopt;
using namespace qopt::test;

static std::string encodeVarint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7)
    bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

static std::string encodeMessage(unsigned field, const std::string &content) {
  return encodeVarint(field << 3 | 2) + encodeVarint(content.size()) + content;
}

static Model smallModel() {
  return Model(13)
      .in("x", "f32[2, 4]")
      .init("w", "f32[4, 3]", std::vector<double>(12, 0.5))
      .node("MatMul", {"x", "w"}, {"t"})
      .node("Relu", {"t"}, {"y"})
      .out("y");
}

static void expectError(const Imported &imported, ExitCode code,
                        const std::string &part) {
  EXPECT_FALSE(imported.isOk);
  EXPECT_EQ(imported.error.code, code);
  EXPECT_NE(imported.error.message.find(part), std::string::npos)
      << "expected: " << part << "\nfound:    " << imported.error.message;
}

//===----------------------------------------------------------------------===//
// The file itself
//===----------------------------------------------------------------------===//

TEST(ModelFile, MissingOrAFolder) {
  TemporaryFolder folder;
  expectError(importFile(folder.getPath("none.onnx")), ExitCode::NoResource,
              "none.onnx: cannot open");
  expectError(importFile(folder.getPath("")), ExitCode::NoResource,
              "is a directory");
}

TEST(ModelFile, Empty) {
  expectError(importBytes(""), ExitCode::BadData, "the file is empty");
}

TEST(ModelFile, NamesTheByteOfAFault) {
  // Field 7, the graph, says it has 100 bytes.
  expectError(importBytes(std::string("\x3a\x64", 2)), ExitCode::BadData,
              "expects an ONNX model, but found length past the end at byte 0");
  expectError(importBytes(std::string("\x08\xff", 2)), ExitCode::BadData,
              "found number past the end at byte 1");
  expectError(importBytes(std::string("\x0b", 1)), ExitCode::BadData,
              "found wire type 3 at byte 0");
  expectError(importBytes(std::string("\x00\x00", 2)), ExitCode::BadData,
              "found field number 0 at byte 0");
  expectError(importBytes(std::string("\x09\x01", 2)), ExitCode::BadData,
              "found field past the end at byte 0");
  expectError(importBytes("\x08" + std::string(10, '\xff')), ExitCode::BadData,
              "found number of more than 64 bits at byte 1");
  // Field 8, an opset, holds a group.
  expectError(importBytes(encodeMessage(8, "\x0b")), ExitCode::BadData,
              "expects an ONNX model, but some field has another form");
}

TEST(ModelFile, DeepNestingIsRefused) {
  // graph { node { attribute { g { node { ...
  std::string bytes;
  for (int i = 0; i < 3000; ++i)
    bytes = encodeMessage(1, encodeMessage(5, encodeMessage(6, bytes)));
  expectError(importBytes(encodeMessage(7, bytes)), ExitCode::BadData,
              "found nesting too deep at byte ");
}

TEST(ModelFile, EveryTruncationIsRefused) {
  std::string bytes = smallModel().proto.SerializeAsString();
  ASSERT_TRUE(importBytes(bytes).isOk);
  for (size_t size = 0; size < bytes.size(); ++size) {
    Imported imported = importBytes(bytes.substr(0, size));
    EXPECT_FALSE(imported.isOk) << size;
    EXPECT_FALSE(imported.error.message.empty()) << size;
  }
}

TEST(ModelFile, ChangedBytesNeverCrash) {
  const std::string bytes = smallModel().proto.SerializeAsString();
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string changed = bytes;
    for (int i = 0; i < 3; ++i)
      changed[random() % changed.size()] = static_cast<char>(random());
    refused += !importBytes(changed).isOk;
  }
  // Most bytes matter; names and weights may change without harm.
  EXPECT_GT(refused, 500);
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

TEST(WireWalk, TakesRawDataOut) {
  std::string bytes = smallModel().proto.SerializeAsString();
  importer::Skeleton skeleton;
  ASSERT_FALSE(importer::walkModel(bytes, skeleton));
  ASSERT_EQ(skeleton.rawRanges.size(), 1u);
  EXPECT_EQ(skeleton.rawRanges[0].sizeInBytes, 48u);
  std::string half("\0\0\0\x3f", 4);
  EXPECT_EQ(bytes.substr(skeleton.rawRanges[0].offsetInBytes, 4), half);
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(skeleton.bytes));
  EXPECT_EQ(model.graph().node_size(), 2);
  EXPECT_EQ(model.graph().initializer(0).raw_data().size(), 8u);
}

TEST(WireWalk, MergesGraphsAsProtobufDoes) {
  Model first = Model(13).in("x", "f32[2]");
  Model second(13);
  second.proto.clear_opset_import();
  second.node("Relu", {"x"}, {"y"}).out("y");
  Imported imported = importBytes(first.proto.SerializeAsString() +
                                  second.proto.SerializeAsString());
  EXPECT_TRUE(imported.isOk) << imported.error.message;
}

//===----------------------------------------------------------------------===//
// External data
//===----------------------------------------------------------------------===//

/// A model whose initializer is at 8 of a file with 8 + 16 + 8 bytes.
class ExternalDataTest : public testing::Test {
protected:
  void SetUp() override {
    folder.write("w.bin", std::string(8, 'a') + std::string(16, 'b') +
                              std::string(8, 'c'));
  }

  Imported
  importWith(std::vector<std::pair<std::string, std::string>> entries) {
    Model model = Model(13)
                      .in("x", "f32[2, 4]")
                      .init("w", "f32[4]", {})
                      .node("Add", {"x", "w"}, {"y"})
                      .out("y");
    onnx::TensorProto &tensor = model.lastInitializer();
    tensor.clear_raw_data();
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    for (auto &[key, value] : entries) {
      auto *entry = tensor.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    folder.write("model.onnx", model.proto.SerializeAsString());
    return importFile(folder.getPath("model.onnx"));
  }

  void expectOk(std::vector<std::pair<std::string, std::string>> entries) {
    Imported imported = importWith(entries);
    EXPECT_TRUE(imported.isOk) << imported.error.message;
  }

  TemporaryFolder folder;
};

TEST_F(ExternalDataTest, IsFound) {
  expectOk({{"location", "w.bin"}, {"offset", "8"}, {"length", "16"}});
  expectOk({{"location", "w.bin"}, {"offset", "3"}});
  expectOk({{"location", "./w.bin"}, {"checksum", "ignored"}});
  llvm::sys::fs::create_directory(folder.getPath("sub"));
  expectOk({{"location", "sub/../w.bin"}});
}

TEST_F(ExternalDataTest, KeysAreChecked) {
  auto bad = [&](std::vector<std::pair<std::string, std::string>> entries,
                 const std::string &part) {
    expectError(importWith(entries), ExitCode::BadData,
                "initializer \"w\": external data " + part);
  };
  bad({}, "has no location");
  bad({{"location", ""}}, "has no location");
  bad({{"location", "w.bin"}, {"basepath", "/"}},
      "has the unknown key \"basepath\"");
  bad({{"location", "w.bin"}, {"location", "w.bin"}},
      "has the key \"location\" twice");
  bad({{"location", "w.bin"}, {"offset", "0x10"}},
      "expects a decimal offset, but found \"0x10\"");
  bad({{"location", "w.bin"}, {"offset", "-8"}},
      "expects a decimal offset, but found \"-8\"");
  bad({{"location", "w.bin"}, {"offset", "99999999999999999999"}},
      "expects a decimal offset");
  bad({{"location", "w.bin"}, {"length", "15"}},
      "expects a length of 16 bytes, but found 15");
  bad({{"location", "w.bin"}, {"offset", "17"}}, "at 17 of 16 bytes ends past");
  bad({{"location", "w.bin"}, {"offset", "18446744073709551615"}},
      "at 18446744073709551615 of 16 bytes ends past");
}

TEST_F(ExternalDataTest, StaysInTheFolder) {
  const char *leaves = "external data must lie in the folder of the model";
  for (const char *location :
       {"../w.bin", "/etc/passwd", "sub/../../w.bin", ".", "a/.."})
    expectError(importWith({{"location", location}}), ExitCode::BadData,
                leaves);
  expectError(importWith({{"location", std::string("w.bin\0x", 7)}}),
              ExitCode::BadData, leaves);
  TemporaryFolder outside;
  outside.write("secret.bin", std::string(16, 's'));
  ASSERT_FALSE(llvm::sys::fs::create_link(outside.getPath("secret.bin"),
                                          folder.getPath("link.bin")));
  expectError(importWith({{"location", "link.bin"}}), ExitCode::BadData,
              leaves);
  ASSERT_FALSE(llvm::sys::fs::create_link(folder.getPath("w.bin"),
                                          folder.getPath("inside.bin")));
  expectOk({{"location", "inside.bin"}});
}

TEST_F(ExternalDataTest, MissingFile) {
  expectError(importWith({{"location", "none.bin"}}), ExitCode::NoResource,
              "cannot read external data \"none.bin\"");
  llvm::sys::fs::create_directory(folder.getPath("sub"));
  expectError(importWith({{"location", "sub"}}), ExitCode::NoResource,
              "is a directory");
}
