//===- Digest.h - SHA-256 of bytes ------------------------------*- C++ -*-===//
//
// Identifies weights, statistics and artefacts.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_DIGEST_H
#define QOPT_SUPPORT_DIGEST_H

#include "llvm/ADT/StringRef.h"
#include <array>
#include <string>

namespace qopt {

using Digest = std::array<uint8_t, 32>;

/// The SHA-256 of `bytes`.
Digest computeSha256(llvm::StringRef bytes);

/// A digest as 64 lower-case hexadecimal digits.
std::string formatDigest(const Digest &digest);

} // namespace qopt

#endif // QOPT_SUPPORT_DIGEST_H
