//===- EmbeddedFiles.h - Files that the build puts in here ------*- C++ -*-===//
//
// The runtime as an object, and a libc that has only names and versions.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_EMIT_EMBEDDEDFILES_H
#define QOPT_LIB_EMIT_EMBEDDEDFILES_H

#include "llvm/ADT/StringRef.h"

namespace qopt {

llvm::StringRef getRuntimeObject();
llvm::StringRef getLibcStub();

} // namespace qopt

#endif // QOPT_LIB_EMIT_EMBEDDEDFILES_H
