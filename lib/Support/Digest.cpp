//===- Digest.cpp - SHA-256 of bytes ----------------------------*- C++ -*-===//
//
// LLVM has the algorithm; here is only the form in which we use it.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/Digest.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace qopt;

Digest qopt::computeSha256(llvm::StringRef bytes) {
  return llvm::SHA256::hash(llvm::arrayRefFromStringRef(bytes));
}

std::string qopt::formatDigest(const Digest &digest) {
  return llvm::toHex(digest, /*LowerCase=*/true);
}
