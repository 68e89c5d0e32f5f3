//===- FileSealTest.cpp - A digest that ends a file -----------------------===//
//
// Any byte that changes is told of, wherever it is.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/FileSeal.h"
#include "TemporaryFolder.h"
#include "qopt/Support/CodedError.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace qopt;

static std::string failureOf(llvm::StringRef path, ExitCode expected) {
  llvm::Error error = verifySeal(path);
  if (!error)
    return "";
  ExitCode code;
  std::string message = takeMessage(std::move(error), code);
  EXPECT_EQ(code, expected) << message;
  return message;
}

TEST(FileSeal, TellsOfEachByteThatChanged) {
  TemporaryFolder folder;
  std::string path = folder.file("model.so");
  auto file = llvm::cantFail(AtomicFile::create(path));
  ASSERT_FALSE(bool(file->write("0123456789")));
  ASSERT_FALSE(bool(file->overwrite(2, "ab")));
  ASSERT_FALSE(bool(seal(*file)));
  ASSERT_FALSE(bool(file->commit()));
  EXPECT_EQ(failureOf(path, ExitCode::BadData), "");
  std::string sealed = (*llvm::MemoryBuffer::getFile(path))->getBuffer().str();
  EXPECT_EQ(sealed.size(), 10u + 16 + 32);
  EXPECT_EQ(sealed.substr(0, 10), "01ab456789");
  for (size_t at = 0; at < sealed.size(); ++at) {
    std::string changed = sealed;
    changed[at] ^= 1;
    ASSERT_FALSE(bool(writeFileAtomically(path, changed)));
    bool isMark = at >= 10 && at < 26;
    EXPECT_NE(failureOf(path, ExitCode::BadData)
                  .find(isMark ? "has no digest at its end"
                               : "was changed after it was compiled"),
              std::string::npos)
        << at;
  }
}

TEST(FileSeal, ShortAndMissingFiles) {
  TemporaryFolder folder;
  std::string path = folder.file("short");
  ASSERT_FALSE(bool(writeFileAtomically(path, "qopt-digest-v1")));
  EXPECT_NE(failureOf(path, ExitCode::BadData).find("has no digest"),
            std::string::npos);
  EXPECT_NE(failureOf(folder.file("none"), ExitCode::NoResource), "");
}
