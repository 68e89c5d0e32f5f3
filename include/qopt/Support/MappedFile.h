//===- MappedFile.h - A file as memory --------------------------*- C++ -*-===//
//
// Models are larger than memory can hold twice, so files are mapped, not read.
// A file that another program cuts short while it is mapped ends this process
// with SIGBUS; nothing can be done about that here.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_MAPPEDFILE_H
#define QOPT_SUPPORT_MAPPEDFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace qopt {

/// A regular file mapped read-only for the lifetime of the object.
class MappedFile {
public:
  /// Maps `path`. Fails with the path and the reason in the text.
  static llvm::Expected<MappedFile> open(llvm::StringRef path);

  MappedFile(MappedFile &&other);
  MappedFile &operator=(MappedFile &&other);
  ~MappedFile();

  llvm::StringRef getPath() const { return path; }
  uint64_t getSize() const { return bytes.size(); }
  llvm::ArrayRef<char> getBytes() const { return bytes; }
  llvm::StringRef getText() const { return {bytes.data(), bytes.size()}; }

  /// Gives the pages of `range`, a part of `getBytes()`, back to the system.
  /// They are read again when they are touched again.
  void dropPages(llvm::ArrayRef<char> range) const;

private:
  MappedFile(llvm::StringRef path, llvm::ArrayRef<char> bytes)
      : path(path), bytes(bytes) {}

  std::string path;
  llvm::ArrayRef<char> bytes;
};

} // namespace qopt

#endif // QOPT_SUPPORT_MAPPEDFILE_H
