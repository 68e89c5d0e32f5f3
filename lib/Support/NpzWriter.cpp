//===- NpzWriter.cpp - Write zip files of numpy arrays ----------*- C++ -*-===//
//
// Entries are stored, not packed, and always in the 64-bit form: one layout to
// test, and numpy writes the same.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/Npz.h"
#include "llvm/Support/EndianStream.h"
#include "llvm/Support/raw_ostream.h"
#include <zlib.h>

using namespace qopt;
using llvm::StringRef;

namespace {
struct WrittenEntry {
  std::string name;
  uint32_t checksum;
  uint64_t size;
  uint64_t localOffset;
};
} // namespace

static constexpr uint16_t kZipVersion = 45;
/// The first of January 1980, the earliest day of the format.
static constexpr uint32_t kZipDate = (1 << 5 | 1) << 16;
/// Names are UTF-8.
static constexpr uint16_t kZipFlags = 1 << 11;

static std::string makeLocalHeader(const WrittenEntry &entry) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::support::endian::Writer writer(os, llvm::endianness::little);
  writer.write<uint32_t>(0x04034b50);
  writer.write<uint16_t>(kZipVersion);
  writer.write<uint16_t>(kZipFlags);
  writer.write<uint16_t>(/*method=*/0);
  writer.write<uint32_t>(kZipDate);
  writer.write<uint32_t>(entry.checksum);
  writer.write<uint32_t>(UINT32_MAX);
  writer.write<uint32_t>(UINT32_MAX);
  writer.write<uint16_t>(entry.name.size());
  writer.write<uint16_t>(/*extra=*/20);
  os << entry.name;
  writer.write<uint16_t>(/*id=*/1);
  writer.write<uint16_t>(/*size=*/16);
  writer.write<uint64_t>(entry.size);
  writer.write<uint64_t>(entry.size);
  return text;
}

static void writeCentralHeader(llvm::raw_ostream &os,
                               const WrittenEntry &entry) {
  llvm::support::endian::Writer writer(os, llvm::endianness::little);
  writer.write<uint32_t>(0x02014b50);
  writer.write<uint16_t>(kZipVersion);
  writer.write<uint16_t>(kZipVersion);
  writer.write<uint16_t>(kZipFlags);
  writer.write<uint16_t>(/*method=*/0);
  writer.write<uint32_t>(kZipDate);
  writer.write<uint32_t>(entry.checksum);
  writer.write<uint32_t>(UINT32_MAX);
  writer.write<uint32_t>(UINT32_MAX);
  writer.write<uint16_t>(entry.name.size());
  writer.write<uint16_t>(/*extra=*/28);
  writer.write<uint16_t>(/*comment=*/0);
  writer.write<uint16_t>(/*disk=*/0);
  writer.write<uint16_t>(/*internal attributes=*/0);
  writer.write<uint32_t>(/*external attributes=*/0);
  writer.write<uint32_t>(UINT32_MAX);
  os << entry.name;
  writer.write<uint16_t>(/*id=*/1);
  writer.write<uint16_t>(/*size=*/24);
  writer.write<uint64_t>(entry.size);
  writer.write<uint64_t>(entry.size);
  writer.write<uint64_t>(entry.localOffset);
}

static std::string makeDirectory(llvm::ArrayRef<WrittenEntry> entries,
                                 uint64_t offset) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const WrittenEntry &entry : entries)
    writeCentralHeader(os, entry);
  uint64_t size = text.size();
  llvm::support::endian::Writer writer(os, llvm::endianness::little);
  writer.write<uint32_t>(0x06064b50);
  writer.write<uint64_t>(/*size of the rest=*/44);
  writer.write<uint16_t>(kZipVersion);
  writer.write<uint16_t>(kZipVersion);
  writer.write<uint32_t>(/*disk=*/0);
  writer.write<uint32_t>(/*disk of the directory=*/0);
  writer.write<uint64_t>(entries.size());
  writer.write<uint64_t>(entries.size());
  writer.write<uint64_t>(size);
  writer.write<uint64_t>(offset);
  writer.write<uint32_t>(0x07064b50);
  writer.write<uint32_t>(/*disk=*/0);
  writer.write<uint64_t>(offset + size);
  writer.write<uint32_t>(/*disks=*/1);
  uint16_t count = std::min<size_t>(entries.size(), UINT16_MAX);
  writer.write<uint32_t>(0x06054b50);
  writer.write<uint32_t>(/*disks=*/0);
  writer.write<uint16_t>(count);
  writer.write<uint16_t>(count);
  writer.write<uint32_t>(std::min<uint64_t>(size, UINT32_MAX));
  writer.write<uint32_t>(std::min<uint64_t>(offset, UINT32_MAX));
  writer.write<uint16_t>(/*comment=*/0);
  return text;
}

static uint32_t updateChecksum(uint32_t checksum, StringRef bytes) {
  // To zlib no bytes at no address are a request for the first checksum.
  if (bytes.empty())
    return checksum;
  return crc32_z(checksum, reinterpret_cast<const Bytef *>(bytes.data()),
                 bytes.size());
}

llvm::Error qopt::writeNpz(StringRef path,
                           llvm::ArrayRef<NamedTensor> tensors) {
  llvm::Expected<std::unique_ptr<AtomicFile>> created =
      AtomicFile::create(path);
  if (!created)
    return created.takeError();
  AtomicFile &file = **created;
  std::vector<WrittenEntry> entries;
  for (const NamedTensor &named : tensors) {
    const HostTensor &tensor = named.tensor;
    std::string header = makeNpyHeader(tensor.getType(), tensor.getDims());
    StringRef elements(tensor.getData(), tensor.getSizeInBytes());
    WrittenEntry entry;
    entry.name = named.name + ".npy";
    entry.checksum = updateChecksum(updateChecksum(0, header), elements);
    entry.size = header.size() + elements.size();
    entry.localOffset = file.getSize();
    std::string localHeader = makeLocalHeader(entry);
    for (StringRef part : {StringRef(localHeader), StringRef(header), elements})
      if (llvm::Error error = file.write(part))
        return error;
    entries.push_back(std::move(entry));
  }
  if (llvm::Error error = file.write(makeDirectory(entries, file.getSize())))
    return error;
  return file.commit();
}
