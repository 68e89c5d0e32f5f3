//===- WeightStore.h - Bytes of weights, outside the uniquer ----*- C++ -*-===//
//
// A weight is mapped once and shared by every attribute that names it. Blobs
// live as long as the context.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_WEIGHTSTORE_H
#define DIALECTS_QOPT_IR_WEIGHTSTORE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace qopt {

/// Longest blob that stands in the text of a program, as hexadecimal digits;
/// longer ones are in files.
inline constexpr size_t kMaxHexBytes = 256;

/// Bytes packed as ONNX packs raw data, and the file that holds them if any.
struct WeightBlob {
  llvm::ArrayRef<uint8_t> bytes;
  std::string sha256; // lower-case hex
  std::string file;   // empty: in memory only
  uint64_t offsetInBytes = 0;
  std::shared_ptr<const void> owner; // keeps `bytes` alive
};

/// Interns blobs by content: equal bytes are one blob. Thread-safe.
class WeightStore {
public:
  /// Adds bytes that `owner` keeps alive, found at `offset` of `file`.
  const WeightBlob *addMapped(llvm::ArrayRef<uint8_t> bytes,
                              std::shared_ptr<const void> owner,
                              llvm::StringRef file, uint64_t offsetInBytes);
  /// Adds bytes that no file holds.
  const WeightBlob *addOwned(std::vector<uint8_t> bytes);
  /// The blob with this hash, or null.
  const WeightBlob *lookup(llvm::StringRef sha256) const;
  /// Says where a blob now is, after a phase file's weights were written.
  void setOrigin(const WeightBlob *blob, llvm::StringRef file,
                 uint64_t offsetInBytes);

private:
  const WeightBlob *intern(std::unique_ptr<WeightBlob> blob);

  mutable std::mutex mutex;
  llvm::StringMap<std::unique_ptr<WeightBlob>> blobs;
};

} // namespace qopt

#endif
