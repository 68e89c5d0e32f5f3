//===- ContractConv.h - Operands of a convolution ---------------*- C++ -*-===//
//
// Rows are output channels, lanes 16 neighbouring outputs of one row of the
// image, or of the whole image where rows would leave many lanes empty. A part
// packs what its lanes read, in the order of k: position by position, channels
// fastest.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_CONTRACTCONV_H
#define QOPT_LIB_TARGET_CPU_CONTRACTCONV_H

#include "ContractCodes.h"
#include "ContractOperands.h"
#include "PackingInput.h"

namespace qopt::cpu {

/// Neighbouring outputs of one row: lane 0 stands at (y, x), perhaps left of
/// the row where only later lanes count. `before`: the lanes of earlier pieces;
/// null in the first one.
struct PixelPiece {
  mlir::Value y, x, before;
};

class ConvSource : public ContractSource {
public:
  ConvSource(CpuProgram &program, ConvOp op, CodeUnit unit = CodeUnit::Vectors);
  /// Host: prepares the operands. Call once.
  void prepare(CpuProgram &program, Epilogue &epilogue);

  void capture(CaptureList &captures) override;
  mlir::Value laneWords(VectorBuilder &v, int64_t numVectors) override;
  Lanes lanes(VectorBuilder &v, mlir::Value batch, mlir::Value vector,
              mlir::Value count, mlir::Value scratch) override;
  Rows rowsFrom(VectorBuilder &v, mlir::Value batch, mlir::Value row) override;
  Epilogue::Lanes coordinates(VectorBuilder &v,
                              const OutputVector &at) override;
  mlir::Value finish(VectorBuilder &v, mlir::Value sums, const OutputVector &at,
                     mlir::Value laneSums) override;

protected:
  virtual void setInput(CpuProgram &program);
  virtual void setWeight(CpuProgram &program);
  /// What the elements of the prepared input are.
  virtual mlir::Type inputElement() const { return lhs.element(); }
  void setAxes(CpuProgram &program, Epilogue &epilogue);
  /// Where the 16 outputs of a vector stand.
  llvm::SmallVector<PixelPiece> pixels(VectorBuilder &v, mlir::Value vector);
  /// The output channel of a row.
  mlir::Value channelOf(VectorBuilder &v, mlir::Value batch, mlir::Value row) {
    return v.add(v.mul(v.rem(batch, v.i64(channelGroups)), rows), row);
  }

  const Tier &tier;
  ConvOp op;
  Window window;
  CodeOperand lhs, rhs;
  int64_t channelGroups, groupChannels;
  bool isImage;
  /// Lanes run over all outputs of a plane. Where rows are no rows of the
  /// input, `denseWidth` is their length.
  bool isFlat = false;
  int64_t denseWidth = 0;
  mlir::Value denseHeight;
  mlir::Value inputHeight, inputWidth, outputHeight, outputWidth, rowVectors;
  WindowInput input;
  mlir::Value weights, rowWords, bias;
  mlir::Value scratchWords;
  CodeTerms terms;
};

} // namespace qopt::cpu

#endif
