//===- WeightStore.cpp - Bytes of weights, outside the uniquer ------------===//
//
// The key is the hash of the content, so a tied weight is stored once.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/WeightStore.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace qopt;

const WeightBlob *WeightStore::intern(std::unique_ptr<WeightBlob> blob) {
  blob->sha256 =
      llvm::toHex(llvm::SHA256::hash(blob->bytes), /*LowerCase=*/true);
  std::lock_guard<std::mutex> lock(mutex);
  auto [it, isNew] = blobs.try_emplace(blob->sha256, nullptr);
  if (isNew)
    it->second = std::move(blob);
  return it->second.get();
}

const WeightBlob *WeightStore::addMapped(llvm::ArrayRef<uint8_t> bytes,
                                         std::shared_ptr<const void> owner,
                                         llvm::StringRef file,
                                         uint64_t offsetInBytes) {
  auto blob = std::make_unique<WeightBlob>();
  blob->bytes = bytes;
  blob->owner = std::move(owner);
  blob->file = file.str();
  blob->offsetInBytes = offsetInBytes;
  return intern(std::move(blob));
}

const WeightBlob *WeightStore::addOwned(std::vector<uint8_t> bytes) {
  auto owner = std::make_shared<std::vector<uint8_t>>(std::move(bytes));
  auto blob = std::make_unique<WeightBlob>();
  blob->bytes = *owner;
  blob->owner = owner;
  return intern(std::move(blob));
}

const WeightBlob *WeightStore::lookup(llvm::StringRef sha256) const {
  std::lock_guard<std::mutex> lock(mutex);
  auto it = blobs.find(sha256);
  return it == blobs.end() ? nullptr : it->second.get();
}

void WeightStore::setOrigin(const WeightBlob *blob, llvm::StringRef file,
                            uint64_t offsetInBytes) {
  std::lock_guard<std::mutex> lock(mutex);
  auto it = blobs.find(blob->sha256);
  assert(it != blobs.end() && "blob of another store");
  it->second->file = file.str();
  it->second->offsetInBytes = offsetInBytes;
}
