//===- AtomicFile.cpp - Output files that are whole or absent ---*- C++ -*-===//
//
// A full disk can show at write, at close or at rename; each is checked.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/AtomicFile.h"

#include "qopt/Support/CodedError.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

using namespace qopt;

/// The file that `path` means, behind symbolic links: those stay in place.
static std::string resolveTarget(llvm::StringRef path) {
  llvm::SmallString<256> resolved;
  if (llvm::sys::fs::real_path(path, resolved))
    return path.str();
  return resolved.str().str();
}

llvm::Error AtomicFile::makeFailure(llvm::StringRef action) const {
  return makeError(ExitCode::NoResource, path + ": cannot " + action + ": " +
                                             llvm::sys::StrError(errno));
}

llvm::Expected<std::unique_ptr<AtomicFile>>
AtomicFile::create(llvm::StringRef path, Mode mode) {
  std::unique_ptr<AtomicFile> file(new AtomicFile());
  file->path = resolveTarget(path);

  llvm::sys::fs::file_status status;
  bool exists = !llvm::sys::fs::status(file->path, status) &&
                llvm::sys::fs::exists(status);
  if (exists && llvm::sys::fs::is_directory(status))
    return makeError(ExitCode::NoResource,
                     path + ": cannot write: is a directory");
  if (exists && !llvm::sys::fs::is_regular_file(status)) {
    file->fd = ::open(file->path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file->fd < 0)
      return file->makeFailure("write");
    return file;
  }

  std::string prefix = file->path + ".part-" + std::to_string(::getpid()) + "-";
  mode_t permissions = mode == Mode::Executable ? 0777 : 0666;
  for (unsigned number = 0; file->fd < 0; ++number) {
    file->temporaryPath = prefix + std::to_string(number);
    file->fd = ::open(file->temporaryPath.c_str(),
                      O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
    if (file->fd >= 0 || errno == EEXIST)
      continue;
    file->temporaryPath.clear();
    return file->makeFailure("write");
  }
  llvm::sys::RemoveFileOnSignal(file->temporaryPath);
  return file;
}

AtomicFile::~AtomicFile() {
  if (fd >= 0)
    ::close(fd);
  if (temporaryPath.empty())
    return;
  ::unlink(temporaryPath.c_str());
  llvm::sys::DontRemoveFileOnSignal(temporaryPath);
}

llvm::Error AtomicFile::write(llvm::StringRef bytes) {
  while (!bytes.empty()) {
    ssize_t count =
        ::write(fd, bytes.data(), std::min<size_t>(bytes.size(), 1 << 30));
    if (count < 0) {
      if (errno == EINTR)
        continue;
      return makeFailure("write");
    }
    size += count;
    bytes = bytes.drop_front(count);
  }
  return llvm::Error::success();
}

llvm::Error AtomicFile::writeZeros(uint64_t count) {
  static const char zeros[4096] = {};
  while (count != 0) {
    uint64_t part = std::min<uint64_t>(count, sizeof(zeros));
    if (llvm::Error error = write(llvm::StringRef(zeros, part)))
      return error;
    count -= part;
  }
  return llvm::Error::success();
}

llvm::Error AtomicFile::overwrite(uint64_t offset, llvm::StringRef bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (count < 0) {
      if (errno == EINTR)
        continue;
      return makeFailure("write");
    }
    offset += count;
    bytes = bytes.drop_front(count);
  }
  return llvm::Error::success();
}

llvm::Error AtomicFile::commit() {
  int closing = fd;
  fd = -1;
  if (::close(closing) != 0)
    return makeFailure("write");
  if (temporaryPath.empty())
    return llvm::Error::success();
  if (::rename(temporaryPath.c_str(), path.c_str()) != 0)
    return makeFailure("write");
  llvm::sys::DontRemoveFileOnSignal(temporaryPath);
  temporaryPath.clear();
  return llvm::Error::success();
}

llvm::Error qopt::writeFileAtomically(llvm::StringRef path,
                                      llvm::StringRef bytes) {
  llvm::Expected<std::unique_ptr<AtomicFile>> file = AtomicFile::create(path);
  if (!file)
    return file.takeError();
  if (llvm::Error error = (*file)->write(bytes))
    return error;
  return (*file)->commit();
}
