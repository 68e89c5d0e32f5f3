//===- ExternalData.cpp - Tensors in other files --------------------------===//
//
// The rules are ONNX Runtime's: an unknown key, a key that comes twice and a
// length other than the tensor's are errors.
//
//===----------------------------------------------------------------------===//

#include "ExternalData.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace qopt;
using namespace qopt::importer;

namespace {
/// The entries of a tensor's `external_data`.
struct Entries {
  std::optional<StringRef> location, offset, length, checksum;
};
} // namespace

static std::optional<Failure> readEntries(const onnx::TensorProto &tensor,
                                          Entries &entries) {
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    StringRef key = entry.key();
    std::optional<StringRef> *value = key == "location"   ? &entries.location
                                      : key == "offset"   ? &entries.offset
                                      : key == "length"   ? &entries.length
                                      : key == "checksum" ? &entries.checksum
                                                          : nullptr;
    if (!value)
      return malformed("external data has the unknown key " + quote(key));
    if (*value)
      return malformed("external data has the key " + quote(key) + " twice");
    *value = StringRef(entry.value());
  }
  if (!entries.location || entries.location->empty())
    return malformed("external data has no location");
  return std::nullopt;
}

static std::optional<Failure> readNumber(StringRef key, StringRef text,
                                         uint64_t &number) {
  if (text.empty() || !all_of(text, isDigit) || text.getAsInteger(10, number))
    return malformed("external data expects a decimal " + key + ", but found " +
                     quote(text));
  return std::nullopt;
}

std::optional<Failure> ExternalData::find(const onnx::TensorProto &tensor,
                                          uint64_t sizeInBytes,
                                          MappedRange &range) {
  Entries entries;
  if (auto failure = readEntries(tensor, entries))
    return failure;
  uint64_t offset = 0, length = sizeInBytes;
  if (entries.offset)
    if (auto failure = readNumber("offset", *entries.offset, offset))
      return failure;
  if (entries.length)
    if (auto failure = readNumber("length", *entries.length, length))
      return failure;
  if (length != sizeInBytes)
    return malformed("external data expects a length of " + Twine(sizeInBytes) +
                     " bytes, but found " + Twine(length));
  std::shared_ptr<const MappedFile> file;
  if (auto failure = open(*entries.location, file))
    return failure;
  if (offset > file->getSize() || length > file->getSize() - offset)
    return malformed("external data at " + Twine(offset) + " of " +
                         Twine(length) + " bytes ends past the end of " +
                         quote(*entries.location) + ", which has " +
                         Twine(file->getSize()) + " bytes",
                     "the file may be cut short: copy it again");
  range = {std::move(file), offset, length};
  return std::nullopt;
}

/// True when `path`, normalised, does not start with `..`.
static bool staysBelow(StringRef path) {
  if (path.contains('\0') || sys::path::is_absolute(path))
    return false;
  SmallString<128> normal(path);
  sys::path::remove_dots(normal, /*remove_dot_dot=*/true);
  return !normal.empty() && *sys::path::begin(normal) != "..";
}

std::optional<Failure>
ExternalData::open(StringRef location,
                   std::shared_ptr<const MappedFile> &file) {
  const char *leaves = "external data must lie in the folder of the model, but "
                       "its location is ";
  if (!staysBelow(location))
    return malformed(
        leaves + quote(location),
        "move the file beside the model and name it without a path");
  std::shared_ptr<const MappedFile> &known = files[location];
  if ((file = known))
    return std::nullopt;

  StringRef folder = sys::path::parent_path(modelPath);
  SmallString<128> path(folder), realFolder, realPath;
  sys::path::append(path, location);
  if (std::error_code error =
          sys::fs::real_path(folder.empty() ? "." : folder, realFolder))
    return unreadable("cannot find the folder of the model: " +
                      error.message());
  if (std::error_code error = sys::fs::real_path(path, realPath))
    return unreadable("cannot read external data " + quote(location) + ": " +
                          error.message(),
                      "copy the file into the folder of the model");
  StringRef below = realPath;
  if (!below.consume_front(realFolder) ||
      !(realFolder.ends_with("/") || below.starts_with("/")))
    return malformed(leaves + quote(location) + ", a link to " +
                         quote(realPath),
                     "copy the file into the folder of the model");
  Expected<MappedFile> mapped = MappedFile::open(path);
  if (!mapped)
    return unreadable("cannot read external data: " +
                          toString(mapped.takeError()),
                      "copy the file into the folder of the model");
  known = std::make_shared<const MappedFile>(std::move(*mapped));
  file = known;
  return std::nullopt;
}
