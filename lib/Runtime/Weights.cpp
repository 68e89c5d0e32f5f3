//===- Weights.cpp - The weights of a model, mapped -------------*- C++ -*-===//
//
// The size of the file is checked before anything is touched: pages behind the
// end of a file would end the process.
//
//===----------------------------------------------------------------------===//

#include "Weights.h"
#include "Sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace qopt::runtime;

static qopt_status failForFile(TextBuffer error, const char *path,
                               const char *action) {
  setText(error, "%s: cannot %s: %s", path, action, strerror(errno));
  return QOPT_NO_RESOURCE;
}

qopt_status Weights::map(const char *path, const qopt_rt_trailer &trailer,
                         TextBuffer error) {
  uint64_t copyOffset = qopt_rt_trailer_copy_offset(trailer);
  uint64_t end = copyOffset + sizeof(trailer);
  if (trailer.offset == 0 || end < trailer.size || end < trailer.offset) {
    setText(error, "%s: the model was never finished: it has no weights", path);
    return QOPT_BAD_DATA;
  }
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return failForFile(error, path, "open");
  off_t fileSize = lseek(file, 0, SEEK_END);
  if (fileSize < 0 || static_cast<uint64_t>(fileSize) < end) {
    close(file);
    setText(error,
            "%s: the weights are missing: expected a file of at least %llu "
            "bytes, but found %lld; was it stripped or cut?",
            path, static_cast<unsigned long long>(end),
            static_cast<long long>(fileSize));
    return QOPT_BAD_DATA;
  }

  // The offset suits the machine that the model was made for; where pages are
  // larger, map from the page before.
  uint64_t pageSize = sysconf(_SC_PAGESIZE);
  uint64_t mappingOffset = trailer.offset / pageSize * pageSize;
  mappingSize = end - mappingOffset;
  mapping =
      mmap(nullptr, mappingSize, PROT_READ, MAP_PRIVATE, file, mappingOffset);
  int mapError = errno;
  close(file);
  if (mapping == MAP_FAILED) {
    mapping = nullptr;
    errno = mapError;
    return failForFile(error, path, "map the weights");
  }
  data = static_cast<const char *>(mapping) + (trailer.offset - mappingOffset);
  const char *copy = data + (copyOffset - trailer.offset);
  if (memcmp(copy, &trailer, sizeof(trailer)) != 0) {
    unmap();
    setText(error,
            "%s: the weights are not those of this model; was the file "
            "stripped or changed?",
            path);
    return QOPT_BAD_DATA;
  }
  return QOPT_OK;
}

void Weights::unmap() {
  if (mapping)
    munmap(mapping, mappingSize);
  mapping = nullptr;
  data = nullptr;
}

bool Weights::verify(const qopt_rt_trailer &trailer) const {
  unsigned char digest[32];
  computeSha256(reinterpret_cast<const unsigned char *>(data), trailer.size,
                digest);
  return memcmp(digest, trailer.sha256, sizeof(digest)) == 0;
}
