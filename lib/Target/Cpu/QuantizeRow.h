//===- QuantizeRow.h - Codes of a row with scales of its own ----*- C++ -*-===//
//
// What kernels that quantize share: the facts about a `qopt.quantize_dynamic`,
// and the code for one row, whether it lies in memory or was just made in
// scratch.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_QUANTIZEROW_H
#define QOPT_LIB_TARGET_CPU_QUANTIZEROW_H

#include "CaptureList.h"
#include "VectorBuilder.h"
#include "dialects/QKernel/IR/Kernel.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"

namespace qopt::cpu {

/// A `qopt.quantize_dynamic` that has a kernel.
struct Quantization {
  QuantizeDynamicOp op;
  const BlockFormat *format = nullptr;
  ScaleRule rule = ScaleRule::Floor;
  /// The element type of x where the kernel reads it.
  mlir::Type xType;
  mlir::Type codeType;
  llvm::SmallVector<mlir::Type> scaleTypes;
  /// Of blocks: their axis and size. Integers have size 0.
  int64_t axis = 0, block = 0;

  bool isNvfp4() const { return block && !format->hasSharedExponent(); }
  void writeScale(VectorBuilder &v, unsigned i, mlir::Value pointer,
                  mlir::Value value, mlir::Value offset) const {
    v.storeScalar(v.narrow(value, scaleTypes[i]), pointer, offset);
  }
};

/// Whether rows can be quantized so.
kernel::Match checkQuantization(QuantizeDynamicOp op);

/// Reads an op that the check matches.
Quantization readQuantization(QuantizeDynamicOp op);

/// The formulas of a block format, in lanes or on scalars.
struct BlockRule {
  const BlockFormat &format;
  ScaleRule rule;
  bool isNvfp4;
  /// NVFP4: the factor of the row or sample, a scalar.
  mlir::Value encodeScale = {};

  /// The byte of a block's scale from the bits of its largest magnitude.
  mlir::Value scaleByte(numerics::MLIRPolicy &b, mlir::Value amax) const;
  /// What elements need of the block: NVFP4's step.
  mlir::Value prepare(numerics::MLIRPolicy &b, mlir::Value byte) const;
  mlir::Value code(numerics::MLIRPolicy &b, mlir::Value x, mlir::Value amax,
                   mlir::Value prepared) const;
};

/// Elements that follow each other in memory.
struct Run {
  mlir::Value pointer, begin;
};

/// The largest magnitude of `size` elements, as f32 where NaN wins.
mlir::Value largestMagnitude(VectorBuilder &v, const Quantization &q, Run x,
                             mlir::Value size);
/// Writes the integer codes of `size` elements.
void writeIntegers(VectorBuilder &v, const Quantization &q, Run x, Run codes,
                   mlir::Value size, mlir::Value inverse);
/// A row of `size` integers and its scale.
void quantizeIntegers(VectorBuilder &v, const Quantization &q, Run x, Run codes,
                      Run scale, mlir::Value size);
/// A row of `size` elements in blocks and their scales.
void quantizeBlocks(VectorBuilder &v, const Quantization &q,
                    const BlockRule &rule, Run x, Run codes, Run scales,
                    mlir::Value size);
/// The same, and the outer scale where the format has one for each row.
void quantizeRowOfBlocks(VectorBuilder &v, const Quantization &q, Run x,
                         Run codes, llvm::ArrayRef<Run> scales,
                         mlir::Value size);
/// NVFP4: the factor of elements whose largest magnitude is `amax`.
mlir::Value encodeScaleOf(VectorBuilder &v, mlir::Value amax);
/// NVFP4: writes the scale that belongs to such a factor.
void writeOuterScale(VectorBuilder &v, const Quantization &q,
                     mlir::Value encodeScale, Run scale);

/// Quantizes rows of f32 by what is in them alone.
class RowQuantizer {
public:
  /// Host: rows of `size` elements become codes and scales at these places.
  RowQuantizer(HostProgram &program, const Quantization &quantization,
               mlir::Value codes, llvm::ArrayRef<mlir::Value> scales,
               mlir::Value size);
  void capture(CaptureList &captures) {
    captures.add({&codes, &size, &scalesPerRow});
    for (mlir::Value &scale : scales)
      captures.add(scale);
  }
  /// Kernel: quantizes row `row`, whose elements are `x`.
  void run(VectorBuilder &v, Run x, mlir::Value row) const;

private:
  Quantization quantization;
  mlir::Value codes, size, scalesPerRow;
  llvm::SmallVector<mlir::Value> scales;
};

} // namespace qopt::cpu

#endif
