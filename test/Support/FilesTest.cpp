//===- FilesTest.cpp - Mapped and atomic files, digests ---------*- C++ -*-===//
//
// A file that is written is whole or absent; an error names the file.
//
//===----------------------------------------------------------------------===//

#include "TemporaryFolder.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Digest.h"
#include "qopt/Support/MappedFile.h"
#include "qopt/Support/Version.h"
#include "gtest/gtest.h"

using namespace qopt;

static std::string read(llvm::StringRef path) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (file)
    return file->getText().str();
  ExitCode code;
  return takeMessage(file.takeError(), code);
}

static size_t countFiles(llvm::StringRef folder) {
  std::error_code code;
  size_t count = 0;
  for (llvm::sys::fs::directory_iterator it(folder, code), end;
       it != end && !code; it.increment(code))
    ++count;
  return count;
}

TEST(MappedFile, ErrorsNameTheFile) {
  TemporaryFolder folder;
  EXPECT_EQ(read(folder.file("none")),
            folder.file("none") + ": cannot open: No such file or directory");
  EXPECT_EQ(read(folder.path()), folder.path() + ": is a directory");
  EXPECT_EQ(read("/dev/null"), "/dev/null: is not a file");
}

TEST(MappedFile, MapsEmptyFilesAndDropsPages) {
  TemporaryFolder folder;
  std::string empty = folder.file("empty"), large = folder.file("large");
  ASSERT_FALSE(bool(writeFileAtomically(empty, "")));
  EXPECT_EQ(read(empty), "");
  ASSERT_FALSE(bool(writeFileAtomically(large, std::string(20000, 'x'))));
  llvm::Expected<MappedFile> file = MappedFile::open(large);
  ASSERT_TRUE(bool(file));
  file->dropPages(file->getBytes());
  EXPECT_EQ(file->getText(), std::string(20000, 'x'));
}

TEST(AtomicFile, ReplacesOnCommitOnly) {
  TemporaryFolder folder;
  std::string path = folder.file("a%%.txt");
  ASSERT_FALSE(bool(writeFileAtomically(path, "old")));
  {
    auto file = AtomicFile::create(path);
    ASSERT_TRUE(bool(file));
    ASSERT_FALSE(bool((*file)->write("new")));
    EXPECT_EQ(read(path), "old");
  }
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(countFiles(folder.path()), 1u);
  ASSERT_FALSE(bool(writeFileAtomically(path, "new")));
  EXPECT_EQ(read(path), "new");
}

TEST(AtomicFile, OverwritesAndFillsWithZeros) {
  TemporaryFolder folder;
  std::string path = folder.file("a");
  auto file = AtomicFile::create(path);
  ASSERT_TRUE(bool(file));
  ASSERT_FALSE(bool((*file)->write("abc")));
  ASSERT_FALSE(bool((*file)->writeZeros(5000)));
  ASSERT_FALSE(bool((*file)->overwrite(1, "X")));
  EXPECT_EQ((*file)->getSize(), 5003u);
  ASSERT_FALSE(bool((*file)->commit()));
  EXPECT_EQ(read(path), "aXc" + std::string(5000, '\0'));
}

TEST(AtomicFile, KeepsSymbolicLinks) {
  TemporaryFolder folder;
  std::string target = folder.file("target"), link = folder.file("link");
  ASSERT_FALSE(bool(writeFileAtomically(target, "old")));
  ASSERT_FALSE(bool(llvm::sys::fs::create_link(target, link)));
  ASSERT_FALSE(bool(writeFileAtomically(link, "new")));
  EXPECT_EQ(read(target), "new");
}

TEST(AtomicFile, FailsWithTheReason) {
  TemporaryFolder folder;
  ExitCode code;
  EXPECT_EQ(takeMessage(writeFileAtomically(folder.path(), "x"), code),
            folder.path() + ": cannot write: is a directory");
  std::string deep = folder.file("none/a");
  EXPECT_EQ(takeMessage(writeFileAtomically(deep, "x"), code),
            deep + ": cannot write: No such file or directory");
  EXPECT_EQ(takeMessage(writeFileAtomically("/dev/full", "x"), code),
            "/dev/full: cannot write: No space left on device");
  EXPECT_EQ(code, ExitCode::NoResource);
}

TEST(Digest, IsSha256) {
  EXPECT_EQ(formatDigest(computeSha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Version, NamesLLVM) {
  EXPECT_EQ(getVersionText().rfind(std::string("qopt ") + getVersion(), 0), 0u);
  EXPECT_NE(getVersionText().find("(LLVM 22."), std::string::npos);
}

TEST(CodedError, FirstErrorGivesTheCode) {
  ExitCode code;
  std::string text =
      takeMessage(llvm::joinErrors(makeError(ExitCode::BadUse, "a"),
                                   makeError(ExitCode::BadData, "b")),
                  code);
  EXPECT_EQ(text, "a\nb");
  EXPECT_EQ(code, ExitCode::BadUse);
  takeMessage(llvm::createStringError("other"), code);
  EXPECT_EQ(code, ExitCode::Internal);
}
