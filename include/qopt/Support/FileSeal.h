//===- FileSeal.h - A digest that ends a file -------------------*- C++ -*-===//
//
// Tells of any byte that changed: code as well as weights.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_FILESEAL_H
#define QOPT_SUPPORT_FILESEAL_H

#include "qopt/Support/AtomicFile.h"

namespace qopt {

/// Appends the SHA-256 of all that `file` holds; nothing may be written
/// afterwards. A device or pipe is left as it is.
llvm::Error seal(AtomicFile &file);

/// Reads the file at `path` and compares. NoResource where it cannot be read;
/// BadData where it has no digest at its end, or other bytes than were sealed.
llvm::Error verifySeal(llvm::StringRef path);

} // namespace qopt

#endif // QOPT_SUPPORT_FILESEAL_H
