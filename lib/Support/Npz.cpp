//===- Npz.cpp - Read zip files of numpy arrays -----------------*- C++ -*-===//
//
// Sizes and offsets are taken from the central directory only; numpy writes
// the local headers with the 64-bit form and other writers with zeros. What the
// entries unpack to is limited by the size of the file.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/Npz.h"

#include "qopt/Support/CodedError.h"
#include "qopt/Support/MappedFile.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Endian.h"
#include <algorithm>
#include <zlib.h>

using namespace qopt;
using llvm::StringRef;
using llvm::support::endian::read16le;
using llvm::support::endian::read32le;
using llvm::support::endian::read64le;

static constexpr uint32_t kLocalSignature = 0x04034b50;
static constexpr uint32_t kCentralSignature = 0x02014b50;
static constexpr uint32_t kEndSignature = 0x06054b50;
static constexpr uint32_t kEnd64Signature = 0x06064b50;
static constexpr uint32_t kLocator64Signature = 0x07064b50;

/// Zeros and ones shrink to a thousandth, so a file may unpack to this much
/// whatever its size, and beyond it to a multiple of its size.
static constexpr uint64_t kMaxFreeSize = 256 << 20;
static constexpr uint64_t kMaxGrowth = 64;

namespace {
struct ZipEntry {
  StringRef name;
  uint16_t method = 0;
  uint32_t checksum = 0;
  uint64_t packedSize = 0;
  uint64_t size = 0;
  uint64_t localOffset = 0;
};

/// Where the central directory is.
struct ZipDirectory {
  uint64_t numEntries = 0;
  uint64_t size = 0;
  uint64_t offset = 0;
};

class ZipReader {
public:
  ZipReader(StringRef bytes, StringRef what) : bytes(bytes), what(what) {}

  llvm::Expected<std::vector<ZipEntry>> readDirectory();
  /// The unpacked bytes of `entry`; `buffer` holds them when they were packed.
  llvm::Expected<StringRef> readEntry(const ZipEntry &entry,
                                      std::vector<char> &buffer);

private:
  llvm::Error fail(const llvm::Twine &reason) const {
    return makeError(ExitCode::BadData, what + ": bad .npz file: " + reason);
  }
  bool isInside(uint64_t offset, uint64_t size) const {
    return offset <= bytes.size() && size <= bytes.size() - offset;
  }
  llvm::Expected<ZipDirectory> findDirectory();
  llvm::Error read64BitSizes(StringRef extra, ZipEntry &entry);
  llvm::Error unpack(const ZipEntry &entry, StringRef packed,
                     std::vector<char> &buffer);

  StringRef bytes;
  StringRef what;
};
} // namespace

llvm::Expected<ZipDirectory> ZipReader::findDirectory() {
  // The end record is 22 bytes and a comment of at most 65535.
  size_t end = StringRef::npos;
  for (size_t back = 22; back <= std::min<size_t>(bytes.size(), 22 + 65535);
       ++back) {
    size_t offset = bytes.size() - back;
    if (read32le(bytes.data() + offset) == kEndSignature &&
        read16le(bytes.data() + offset + 20) == back - 22) {
      end = offset;
      break;
    }
  }
  if (end == StringRef::npos)
    return fail("no end of central directory; the file is cut short or is not "
                "a .npz file");
  const char *record = bytes.data() + end;
  if (read16le(record + 4) != 0 || read16le(record + 6) != 0 ||
      read16le(record + 8) != read16le(record + 10))
    return fail("archives of several parts are not supported");
  ZipDirectory directory;
  directory.numEntries = read16le(record + 10);
  directory.size = read32le(record + 12);
  directory.offset = read32le(record + 16);
  bool has64BitForm = end >= 20 && read32le(record - 20) == kLocator64Signature;
  if (has64BitForm) {
    uint64_t offset = read64le(record - 20 + 8);
    if (!isInside(offset, 56) ||
        read32le(bytes.data() + offset) != kEnd64Signature)
      return fail("the 64-bit end record is not where it should be");
    const char *record64 = bytes.data() + offset;
    directory.numEntries = read64le(record64 + 32);
    directory.size = read64le(record64 + 40);
    directory.offset = read64le(record64 + 48);
  }
  if (!isInside(directory.offset, directory.size))
    return fail("the central directory lies outside of the file");
  return directory;
}

llvm::Error ZipReader::read64BitSizes(StringRef extra, ZipEntry &entry) {
  while (extra.size() >= 4) {
    uint16_t id = read16le(extra.data());
    uint16_t size = read16le(extra.data() + 2);
    extra = extra.drop_front(4);
    if (size > extra.size())
      return fail("an extra field is cut short");
    StringRef field = extra.take_front(size);
    extra = extra.drop_front(size);
    if (id != 1)
      continue;
    // Only the numbers that do not fit in 32 bits are there, in this order.
    for (uint64_t *number :
         {&entry.size, &entry.packedSize, &entry.localOffset}) {
      if (*number != UINT32_MAX)
        continue;
      if (field.size() < 8)
        return fail("a 64-bit size is missing");
      *number = read64le(field.data());
      field = field.drop_front(8);
    }
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<ZipEntry>> ZipReader::readDirectory() {
  llvm::Expected<ZipDirectory> directory = findDirectory();
  if (!directory)
    return directory.takeError();
  StringRef rest = bytes.substr(directory->offset, directory->size);
  std::vector<ZipEntry> entries;
  llvm::StringSet<> names;
  uint64_t numBytesUsed = 0, unpackedSize = 0;
  const uint64_t maxUnpackedSize = kMaxFreeSize + kMaxGrowth * bytes.size();
  for (uint64_t i = 0; i < directory->numEntries; ++i) {
    if (rest.size() < 46 || read32le(rest.data()) != kCentralSignature)
      return fail("the central directory is damaged");
    const char *record = rest.data();
    ZipEntry entry;
    uint16_t flags = read16le(record + 8);
    entry.method = read16le(record + 10);
    entry.checksum = read32le(record + 16);
    entry.packedSize = read32le(record + 20);
    entry.size = read32le(record + 24);
    entry.localOffset = read32le(record + 42);
    uint64_t nameSize = read16le(record + 28);
    uint64_t extraSize = read16le(record + 30);
    uint64_t recordSize = 46 + nameSize + extraSize + read16le(record + 32);
    if (recordSize > rest.size())
      return fail("the central directory is damaged");
    entry.name = rest.substr(46, nameSize);
    if (flags & 1)
      return fail("'" + entry.name + "' is encrypted");
    if (llvm::Error error =
            read64BitSizes(rest.substr(46 + nameSize, extraSize), entry))
      return std::move(error);
    // Entries that share bytes could unpack a small file to any size.
    if (!isInside(numBytesUsed, entry.packedSize))
      return fail("the entries are larger than the file");
    numBytesUsed += entry.packedSize;
    if (entry.size > maxUnpackedSize - unpackedSize)
      return fail("'" + entry.name + "' claims " + llvm::Twine(entry.size) +
                  " bytes, but a file of this size may unpack to " +
                  llvm::Twine(maxUnpackedSize) + " in all");
    unpackedSize += entry.size;
    if (!names.insert(entry.name).second)
      return fail("'" + entry.name + "' occurs twice");
    entries.push_back(entry);
    rest = rest.drop_front(recordSize);
  }
  return entries;
}

llvm::Error ZipReader::unpack(const ZipEntry &entry, StringRef packed,
                              std::vector<char> &buffer) {
  // Deflate cannot shrink below 1 : 1032, so a larger claim is a lie.
  if (entry.size / 1032 > packed.size())
    return fail("'" + entry.name + "' claims to unpack to " +
                llvm::Twine(entry.size) + " bytes");
  buffer.resize(entry.size);
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return makeError(ExitCode::NoResource, what + ": no memory to unpack");
  // zlib counts in 32 bits: feed both sides in pieces.
  const uint64_t piece = 1u << 30;
  uint64_t numRead = 0, numWritten = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_in =
        reinterpret_cast<Bytef *>(const_cast<char *>(packed.data() + numRead));
    stream.avail_in = std::min(piece, packed.size() - numRead);
    stream.next_out = reinterpret_cast<Bytef *>(buffer.data() + numWritten);
    stream.avail_out = std::min(piece, buffer.size() - numWritten);
    unsigned inBefore = stream.avail_in, outBefore = stream.avail_out;
    status = inflate(&stream, Z_NO_FLUSH);
    numRead += inBefore - stream.avail_in;
    numWritten += outBefore - stream.avail_out;
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END || numWritten != buffer.size() ||
      numRead != packed.size())
    return fail("'" + entry.name + "' does not unpack to its size");
  return llvm::Error::success();
}

llvm::Expected<StringRef> ZipReader::readEntry(const ZipEntry &entry,
                                               std::vector<char> &buffer) {
  if (!isInside(entry.localOffset, 30) ||
      read32le(bytes.data() + entry.localOffset) != kLocalSignature)
    return fail("'" + entry.name + "' has no local header");
  const char *local = bytes.data() + entry.localOffset;
  uint64_t start =
      entry.localOffset + 30 + read16le(local + 26) + read16le(local + 28);
  if (!isInside(start, entry.packedSize))
    return fail("'" + entry.name + "' lies outside of the file");
  StringRef content = bytes.substr(start, entry.packedSize);
  if (entry.method == Z_DEFLATED) {
    if (llvm::Error error = unpack(entry, content, buffer))
      return std::move(error);
    content = StringRef(buffer.data(), buffer.size());
  } else if (entry.method != 0) {
    return fail("'" + entry.name + "' is packed with method " +
                llvm::Twine(entry.method) + "; expected none or deflate");
  }
  if (content.size() != entry.size)
    return fail("'" + entry.name + "' has " + llvm::Twine(content.size()) +
                " bytes, but its entry says " + llvm::Twine(entry.size));
  uLong checksum = crc32_z(0, reinterpret_cast<const Bytef *>(content.data()),
                           content.size());
  if (checksum != entry.checksum)
    return fail("the checksum of '" + entry.name + "' is wrong");
  return content;
}

llvm::Expected<std::vector<NamedTensor>> qopt::parseNpz(StringRef bytes,
                                                        StringRef what) {
  ZipReader reader(bytes, what);
  llvm::Expected<std::vector<ZipEntry>> entries = reader.readDirectory();
  if (!entries)
    return entries.takeError();
  std::vector<NamedTensor> tensors;
  for (const ZipEntry &entry : *entries) {
    StringRef name = entry.name;
    if (!name.consume_back(".npy"))
      return makeError(ExitCode::BadData,
                       what + ": '" + name + "' is not an array (.npy)");
    std::vector<char> buffer;
    llvm::Expected<StringRef> content = reader.readEntry(entry, buffer);
    if (!content)
      return content.takeError();
    llvm::Expected<HostTensor> tensor =
        parseNpy(*content, (what + ": '" + name + "'").str());
    if (!tensor)
      return tensor.takeError();
    tensors.push_back({name.str(), std::move(*tensor)});
  }
  return tensors;
}

llvm::Expected<std::vector<NamedTensor>> qopt::readNpz(StringRef path) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  return parseNpz(file->getText(), path);
}
