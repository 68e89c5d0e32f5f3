//===- TensorReader.h - TensorProtos as bytes -------------------*- C++ -*-===//
//
// However a tensor is stored (raw, in a typed array, in another file), what
// comes out is packed as ONNX packs raw data. Only typed arrays are copied.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_IMPORT_ONNX_TENSORREADER_H
#define LIB_IMPORT_ONNX_TENSORREADER_H

#include "ExternalData.h"
#include "WireWalk.h"
#include "mlir/IR/BuiltinTypes.h"
#include <vector>

namespace qopt::importer {

/// Axes that a tensor may have; ONNX states no limit.
inline constexpr int64_t kMaxRank = 16;

/// Says what is wrong with a shape: a rank of more than `kMaxRank`, or more
/// bits than 63 bits count. Dynamic dims count as 1.
std::optional<Failure> checkShape(llvm::ArrayRef<int64_t> shape,
                                  mlir::Type elementType);

/// A tensor's type and its bytes, either mapped or owned.
struct TensorData {
  mlir::RankedTensorType type;
  MappedRange mapped;
  std::vector<uint8_t> owned;

  bool isMapped() const { return mapped.file != nullptr; }
  llvm::ArrayRef<uint8_t> getBytes() const {
    return isMapped() ? mapped.getBytes() : llvm::ArrayRef<uint8_t>(owned);
  }
};

class TensorReader {
public:
  TensorReader(mlir::MLIRContext *context,
               std::shared_ptr<const MappedFile> model, Skeleton skeleton)
      : context(context), model(std::move(model)),
        skeleton(std::move(skeleton)), externalData(this->model->getPath()) {}

  /// Reads a tensor of the skeleton.
  std::optional<Failure> read(const onnx::TensorProto &tensor,
                              TensorData &data);

private:
  std::optional<Failure> readBytes(const onnx::TensorProto &tensor,
                                   uint64_t sizeInBytes, TensorData &data);

  mlir::MLIRContext *context;
  std::shared_ptr<const MappedFile> model;
  Skeleton skeleton;
  ExternalData externalData;
};

} // namespace qopt::importer

#endif // LIB_IMPORT_ONNX_TENSORREADER_H
