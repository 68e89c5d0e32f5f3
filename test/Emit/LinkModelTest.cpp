//===- LinkModelTest.cpp - Objects and weights to a model -------*- C++ -*-===//
//
// The file is the same every time, exports one symbol, needs only libc, and is
// not there at all when something fails.
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/MappedFile.h"
#include "test/Support/TemporaryFolder.h"
#include "llvm/Object/ELFObjectFile.h"
#include <thread>

using namespace qopt;

static std::string read(llvm::StringRef path) {
  return cantFail(MappedFile::open(path)).getText().str();
}

static std::string buildIdOf(const std::string &bytes) {
  auto object = cantFail(llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(bytes, "")));
  for (const llvm::object::SectionRef &section : object->sections())
    if (cantFail(section.getName()) == ".note.gnu.build-id")
      return cantFail(section.getContents()).str();
  return "";
}

TEST(LinkModel, GivesTheSameBytesAndAnIdOfItsOwn) {
  TemporaryFolder folder;
  std::string a = folder.file("a.so"), b = folder.file("b.so"),
              c = folder.file("c.so");
  ASSERT_FALSE(bool(linkTinyModel(a)));
  ASSERT_FALSE(bool(linkTinyModel(b)));
  ASSERT_FALSE(bool(linkTinyModel(c, /*weight=*/3.0f)));
  EXPECT_EQ(read(a), read(b));
  EXPECT_NE(buildIdOf(read(a)), "");
  EXPECT_NE(buildIdOf(read(a)), buildIdOf(read(c)));
  EXPECT_EQ(read(a).find(folder.path()), std::string::npos);
  EXPECT_TRUE(llvm::sys::fs::can_execute(a));
}

TEST(LinkModel, ExportsOneSymbolAndNeedsOnlyLibc) {
  TemporaryFolder folder;
  std::string path = folder.file("a.so");
  ASSERT_FALSE(bool(linkTinyModel(path)));
  std::string bytes = read(path);
  auto object = cantFail(llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(bytes, "")));
  auto &elf = llvm::cast<llvm::object::ELF64LEObjectFile>(*object);
  std::vector<std::string> exported;
  for (const llvm::object::ELFSymbolRef &symbol :
       elf.getDynamicSymbolIterators())
    if (!(cantFail(symbol.getFlags()) & llvm::object::SymbolRef::SF_Undefined))
      exported.push_back(cantFail(symbol.getName()).str());
  EXPECT_EQ(exported, std::vector<std::string>{"qopt_model_get_api"});

  std::vector<std::string> needed;
  auto entries = cantFail(elf.getELFFile().dynamicEntries());
  uint64_t strings = 0;
  for (const auto &entry : entries)
    if (entry.d_tag == llvm::ELF::DT_STRTAB)
      strings = entry.d_un.d_ptr;
  for (const auto &entry : entries)
    if (entry.d_tag == llvm::ELF::DT_NEEDED)
      needed.push_back(reinterpret_cast<const char *>(
          cantFail(elf.getELFFile().toMappedAddr(strings + entry.d_un.d_val))));
  EXPECT_EQ(needed, std::vector<std::string>{"libc.so.6"});
}

TEST(LinkModel, LeavesTheOldFileWhenItFails) {
  TemporaryFolder folder;
  std::string path = folder.file("a.so");
  ASSERT_FALSE(bool(writeFileAtomically(path, "old")));
  ObjectBytes v3 = cantFail(emitTinyTier("3"));
  llvm::StringRef objects[] = {{v3.data(), v3.size()}};
  ProgramDescription description = describeTinyModel();
  ExitCode code;

  // The second tier has no object.
  std::string text = takeMessage(
      linkModel(
          objects, description, findTier("x86-64-v3"),
          [](WeightsWriter &) { return llvm::Error::success(); }, path),
      code);
  EXPECT_EQ(text.rfind("linking the model failed: ", 0), 0u) << text;
  EXPECT_NE(text.find("main.x86-64-v4"), std::string::npos) << text;
  EXPECT_EQ(code, ExitCode::Internal);

  description.tiers.pop_back();
  text = takeMessage(linkModel(
                         objects, description, findTier("x86-64-v3"),
                         [](WeightsWriter &) {
                           return makeError(ExitCode::NoResource, "no weights");
                         },
                         path),
                     code);
  EXPECT_EQ(text, "no weights");
  EXPECT_EQ(read(path), "old");
  std::error_code listing;
  llvm::sys::fs::directory_iterator it(folder.path(), listing), end;
  EXPECT_EQ(it.increment(listing), end) << "a part of a model was left";
}

TEST(LinkModel, ReportsAFullDisk) {
  ExitCode code;
  EXPECT_EQ(takeMessage(linkTinyModel("/dev/full"), code),
            "/dev/full: cannot write: No space left on device");
  EXPECT_EQ(code, ExitCode::NoResource);
}

TEST(LinkModel, ThreadsMayLinkAtOnce) {
  TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      EXPECT_FALSE(bool(linkTinyModel(folder.file(std::to_string(i)))));
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(read(folder.file("0")), read(folder.file("2")));
}
