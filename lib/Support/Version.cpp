//===- Version.cpp - The version of this program ----------------*- C++ -*-===//
//
// The number comes from the project's CMake file.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/Version.h"

#include "llvm/Config/llvm-config.h"

const char *qopt::getVersion() { return QOPT_VERSION; }

std::string qopt::getVersionText() {
  return std::string("qopt ") + QOPT_VERSION + " (LLVM " + LLVM_VERSION_STRING +
         ")";
}
