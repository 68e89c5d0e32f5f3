//===- WeightsSection.cpp - Constant bytes of an artefact -----------------===//
//
// Offsets depend only on the order in which contents are first added.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/WeightsSection.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/MathExtras.h"

using namespace qopt;

static constexpr uint64_t kAlignment = 64, kSlack = 64;

uint64_t WeightsSection::add(llvm::ArrayRef<uint8_t> content) {
  auto hash = llvm::BLAKE3::hash(content);
  llvm::StringRef key(reinterpret_cast<const char *>(hash.data()), hash.size());
  auto [it, isNew] = offsets.try_emplace(key, storage.size());
  if (isNew) {
    storage.insert(storage.end(), content.begin(), content.end());
    storage.resize(llvm::alignTo(storage.size() + kSlack, kAlignment));
  }
  return it->second;
}
