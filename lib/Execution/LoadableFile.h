//===- LoadableFile.h - Whether a library can be mapped ---------*- C++ -*-===//
//
// The loader maps what the headers of a library say; what lies behind the end
// of the file is a fault as soon as it is touched.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_EXECUTION_LOADABLEFILE_H
#define LIB_EXECUTION_LOADABLEFILE_H

#include <cstdint>
#include <string>

namespace qopt {

/// Why the open `file` of `size` bytes must not reach the loader, or is told
/// badly by it: an ELF library for another kind of processor, or one whose
/// headers name bytes that it does not have, as one that was cut while it was
/// copied. "" for all others.
std::string findLoadFault(int file, uint64_t size);

} // namespace qopt

#endif
