//===- LoadableFile.h - Whether a library can be mapped ---------*- C++ -*-===//
//
// The loader maps what the headers of a library say; what lies behind the end
// of the file is a fault as soon as it is touched.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_EXECUTION_LOADABLEFILE_H
#define LIB_EXECUTION_LOADABLEFILE_H

#include <cstdint>

namespace qopt {

/// True where the open `file` of `size` bytes is an ELF library whose headers
/// name bytes that it does not have, as one that was cut while it was copied.
/// False for what the loader refuses by itself.
bool isCut(int file, uint64_t size);

} // namespace qopt

#endif
