//===- GroupedContractInput.h - Codes of an image, decoded ------*- C++ -*-===//
//
// What convolutions with scales read: the input as f32, padded, and for each
// element (or block of channels) its scale as a word.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTINPUT_H
#define QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTINPUT_H

#include "GroupedContractOperand.h"
#include "PackingInput.h"

namespace qopt::cpu {

/// The planes of an image. `width` may count a whole plane.
struct ImageSize {
  mlir::Value images, channels, height, width;
};

/// Launches the decoding (and padding) of an operand [N, C, H, W] to f32.
WindowInput decodeInput(CpuProgram &program, const Window &window,
                        const GroupedOperand &operand, const ImageSize &size);
/// The same to unsigned bytes, integers plus 128.
WindowInput decodeIntegerInput(CpuProgram &program, const Window &window,
                               const GroupedOperand &operand,
                               const ImageSize &size);

/// The scales of such an operand.
class InputScales {
public:
  InputScales() = default;
  InputScales(CpuProgram &program, const Window &window,
              const GroupedOperand &operand, const ImageSize &size,
              ScaleWord kind);

  bool empty() const { return planes.empty() && constants.empty(); }
  ScaleWord wordKind() const { return kind; }
  void capture(CaptureList &captures);
  /// The scales that 16 outputs from (y, x) on read at kernel position (i, j).
  mlir::Value at(VectorBuilder &v, const Window &window, mlir::Value image,
                 mlir::Value channel, mlir::Value y, mlir::Value x,
                 mlir::Value i, mlir::Value j) const;

  /// Those of 16 elements of a plane of the decoded input.
  mlir::Value inPlane(VectorBuilder &v, mlir::Value image, mlir::Value channel,
                      mlir::Value offset) const;

private:
  /// Scales that differ from element to element.
  struct Planes {
    WindowInput input;
    /// Planes of an image; 0 where all images share them.
    mlir::Value imageStride;
    /// Channels of a plane; 0 where all share it.
    int64_t block;
  };
  using OffsetOf =
      llvm::function_ref<mlir::Value(const WindowInput &, mlir::Value plane)>;
  mlir::Value load(VectorBuilder &v, mlir::Value image, mlir::Value channel,
                   OffsetOf offsetOf) const;

  std::vector<Planes> planes;
  /// Scales that are the same everywhere in a plane.
  BesideTensors constants;
  int64_t rank = 0;
  ScaleWord kind = ScaleWord::Factor;
};

} // namespace qopt::cpu

#endif
