//===- Linker.h - lld, in process -------------------------------*- C++ -*-===//
//
// Objects in memory to a shared library in memory.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_EMIT_LINKER_H
#define QOPT_LIB_EMIT_LINKER_H

#include "qopt/Target/Machine.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

namespace qopt {

/// Links `objects` with the runtime and the libc of `platform`. The result
/// exports only the function that a model exports.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
linkSharedLibrary(llvm::ArrayRef<llvm::StringRef> objects,
                  const Platform &platform);

} // namespace qopt

#endif // QOPT_LIB_EMIT_LINKER_H
