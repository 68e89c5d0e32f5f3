//===- ExternalData.h - Tensors in other files ------------------*- C++ -*-===//
//
// A model may name files in its own folder and below. Neither `..` nor a link
// leads out of it.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_EXTERNALDATA_H
#define LIB_IMPORT_ONNX_EXTERNALDATA_H

#include "Failure.h"
#include "lib/ONNX/OnnxProto.h"
#include "qopt/Support/MappedFile.h"
#include "llvm/ADT/StringMap.h"
#include <memory>
#include <optional>

namespace qopt::importer {

/// Bytes of a mapped file.
struct MappedRange {
  std::shared_ptr<const MappedFile> file;
  uint64_t offsetInBytes = 0;
  uint64_t sizeInBytes = 0;

  llvm::ArrayRef<uint8_t> getBytes() const {
    return {reinterpret_cast<const uint8_t *>(file->getBytes().data()) +
                offsetInBytes,
            static_cast<size_t>(sizeInBytes)};
  }
};

/// Maps each file that the tensors of a model name, once.
class ExternalData {
public:
  explicit ExternalData(llvm::StringRef modelPath) : modelPath(modelPath) {}

  /// Finds the `sizeInBytes` bytes of `tensor`.
  std::optional<Failure> find(const onnx::TensorProto &tensor,
                              uint64_t sizeInBytes, MappedRange &range);

private:
  std::optional<Failure> open(llvm::StringRef location,
                              std::shared_ptr<const MappedFile> &file);

  std::string modelPath;
  llvm::StringMap<std::shared_ptr<const MappedFile>> files;
};

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_EXTERNALDATA_H
