//===- TemporaryFolder.h - A folder for the files of one test ---*- C++ -*-===//
//
// Removed with everything in it when the test ends.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TEST_SUPPORT_TEMPORARYFOLDER_H
#define QOPT_TEST_SUPPORT_TEMPORARYFOLDER_H

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include <string>

namespace qopt {

class TemporaryFolder {
public:
  TemporaryFolder() {
    llvm::SmallString<128> made, resolved;
    if (!llvm::sys::fs::createUniqueDirectory("qopt-test", made) &&
        !llvm::sys::fs::real_path(made, resolved))
      folder = resolved.str().str();
  }
  ~TemporaryFolder() { llvm::sys::fs::remove_directories(folder); }

  const std::string &path() const { return folder; }
  std::string file(const std::string &name) const {
    return folder + "/" + name;
  }

private:
  std::string folder;
};

} // namespace qopt

#endif // QOPT_TEST_SUPPORT_TEMPORARYFOLDER_H
