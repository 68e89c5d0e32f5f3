//===- Version.h - The version of this program ------------------*- C++ -*-===//
//
// Printed by --version and recorded in everything that is written.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_VERSION_H
#define QOPT_SUPPORT_VERSION_H

#include <string>

namespace qopt {

/// The version alone, as in `0.1.0`.
const char *getVersion();

/// Name, version and the LLVM it was built with: `qopt 0.1.0 (LLVM 22.1.8)`.
std::string getVersionText();

} // namespace qopt

#endif // QOPT_SUPPORT_VERSION_H
