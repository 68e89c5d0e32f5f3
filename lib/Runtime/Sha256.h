//===- Sha256.h - SHA-256 without a library ---------------------*- C++ -*-===//
//
// A model checks its weights on demand and can use nothing but libc.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_SHA256_H
#define QOPT_LIB_RUNTIME_SHA256_H

#include <stdint.h>

namespace qopt::runtime {

/// Writes the SHA-256 of `size` bytes to `digest`.
void computeSha256(const unsigned char *bytes, uint64_t size,
                   unsigned char digest[32]);

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_SHA256_H
