//===- AtomicFile.h - Output files that are whole or absent -----*- C++ -*-===//
//
// Bytes go to a file beside the target, which takes the target's name at the
// end. A crash, a full disk or Ctrl-C leaves what was there before. Devices and
// pipes cannot be replaced and are written to directly.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_ATOMICFILE_H
#define QOPT_SUPPORT_ATOMICFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace qopt {

class AtomicFile {
public:
  enum class Mode { Data, Executable };

  /// Starts to write `path`. Fails when no file can be made beside it.
  static llvm::Expected<std::unique_ptr<AtomicFile>>
  create(llvm::StringRef path, Mode mode = Mode::Data);

  /// Removes the unfinished file unless `commit` succeeded.
  ~AtomicFile();

  llvm::Error write(llvm::StringRef bytes);
  llvm::Error writeZeros(uint64_t count);
  /// Overwrites bytes that are already written.
  llvm::Error overwrite(uint64_t offset, llvm::StringRef bytes);

  /// Gives the file its name. Nothing may be called afterwards.
  llvm::Error commit();

  uint64_t getSize() const { return size; }
  llvm::StringRef getPath() const { return path; }
  /// Where the bytes are until `commit`; empty for devices and pipes.
  llvm::StringRef getUnfinishedPath() const { return temporaryPath; }

private:
  AtomicFile() = default;
  llvm::Error makeFailure(llvm::StringRef action) const;

  std::string path;
  /// Empty when the target is written to directly.
  std::string temporaryPath;
  int fd = -1;
  uint64_t size = 0;
};

/// Writes `bytes` to `path`, whole or not at all.
llvm::Error writeFileAtomically(llvm::StringRef path, llvm::StringRef bytes);

} // namespace qopt

#endif // QOPT_SUPPORT_ATOMICFILE_H
