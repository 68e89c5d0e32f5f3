//===- WireWalk.h - Split a model into skeleton and raw data ----*- C++ -*-===//
//
// Protobuf copies every byte string and stops at 2 GiB. The walk takes all
// raw data out of a mapped model, so protobuf sees a skeleton of some kilobytes
// and the weights stay where they are.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_WIREWALK_H
#define LIB_IMPORT_ONNX_WIREWALK_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qopt::importer {

/// Where a `raw_data` field lies in the model file.
struct RawRange {
  uint64_t offsetInBytes;
  uint64_t sizeInBytes;
};

/// A model whose every `raw_data` field holds an index into `rawRanges`, as
/// eight bytes, lowest first.
struct Skeleton {
  std::string bytes;
  std::vector<RawRange> rawRanges;
};

/// What is wrong with the wire format, and where.
struct WireError {
  std::string what;
  uint64_t offsetInBytes;
};

/// Messages that may lie in each other; protobuf itself stops at 100.
inline constexpr size_t kMaxMessageDepth = 90;

/// Fills `skeleton` from the bytes of a ModelProto.
std::optional<WireError> walkModel(llvm::ArrayRef<char> model,
                                   Skeleton &skeleton);

/// The range that the `raw_data` of a skeleton's tensor stands for.
RawRange getRawRange(const Skeleton &skeleton, const std::string &rawData);

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_WIREWALK_H
