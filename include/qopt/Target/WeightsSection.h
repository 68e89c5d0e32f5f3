//===- WeightsSection.h - Constant bytes of an artefact ---------*- C++ -*-===//
//
// All variants append to one section, so that a constant that several of them
// use is stored once and lies at the same offset for each.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_WEIGHTSSECTION_H
#define QOPT_TARGET_WEIGHTSSECTION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include <cstdint>
#include <vector>

namespace qopt {

class WeightsSection {
public:
  /// The offset of `content`: a multiple of 64, with 64 bytes behind that may
  /// be read.
  uint64_t add(llvm::ArrayRef<uint8_t> content);

  llvm::ArrayRef<uint8_t> bytes() const { return storage; }
  std::vector<uint8_t> take() { return std::move(storage); }

private:
  std::vector<uint8_t> storage;
  llvm::StringMap<uint64_t> offsets; // by hash of the content
};

} // namespace qopt

#endif // QOPT_TARGET_WEIGHTSSECTION_H
