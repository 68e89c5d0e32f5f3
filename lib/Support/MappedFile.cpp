//===- MappedFile.cpp - A file as memory ------------------------*- C++ -*-===//
//
// An empty file cannot be mapped; it is an empty array without a mapping.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/MappedFile.h"

#include "qopt/Support/CodedError.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/MathExtras.h"
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace qopt;

static llvm::Error makeFileError(llvm::StringRef path,
                                 const llvm::Twine &reason) {
  return makeError(ExitCode::NoResource, path + ": " + reason);
}

llvm::Expected<MappedFile> MappedFile::open(llvm::StringRef path) {
  // O_NONBLOCK: opening a pipe must fail below, not wait for a writer.
  int fd = ::open(path.str().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return makeFileError(path, "cannot open: " + llvm::sys::StrError(errno));
  llvm::scope_exit closeFile([fd] { ::close(fd); });

  struct stat status;
  if (::fstat(fd, &status) != 0)
    return makeFileError(path, "cannot read: " + llvm::sys::StrError(errno));
  if (!S_ISREG(status.st_mode))
    return makeFileError(path, S_ISDIR(status.st_mode) ? "is a directory"
                                                       : "is not a file");
  if (status.st_size == 0)
    return MappedFile(path, {});

  void *data =
      ::mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, fd, /*offset=*/0);
  if (data == MAP_FAILED)
    return makeFileError(path, "cannot map: " + llvm::sys::StrError(errno));
  return MappedFile(path, {static_cast<const char *>(data),
                           static_cast<size_t>(status.st_size)});
}

MappedFile::MappedFile(MappedFile &&other)
    : path(std::move(other.path)), bytes(other.bytes) {
  other.bytes = {};
}

MappedFile &MappedFile::operator=(MappedFile &&other) {
  std::swap(path, other.path);
  std::swap(bytes, other.bytes);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes.empty())
    ::munmap(const_cast<char *>(bytes.data()), bytes.size());
}

void MappedFile::dropPages(llvm::ArrayRef<char> range) const {
  // Pages that the range shares with its neighbours stay.
  uintptr_t pageSize = ::sysconf(_SC_PAGESIZE);
  uintptr_t begin =
      llvm::alignTo(reinterpret_cast<uintptr_t>(range.begin()), pageSize);
  uintptr_t end =
      llvm::alignDown(reinterpret_cast<uintptr_t>(range.end()), pageSize);
  if (begin < end)
    ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}
