//===- GroupedContractConv.cpp - Convolutions with scales -----------------===//
//
// Inputs and weights are decoded first, each value once: to bytes (inputs plus
// 128) or to f32. Blocks run along the channels at each kernel position.
//
//===----------------------------------------------------------------------===//

#include "ContractConv.h"
#include "GroupedContractInput.h"
#include "GroupedContractIntegers.h"
#include "GroupedContractSources.h"
#include "GroupedContractTile.h"
#include "GroupedContractWeight.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

namespace {
class GroupedConvSource : public ConvSource {
public:
  GroupedConvSource(CpuProgram &program, ConvOp op, const GroupShape &shape);

  void capture(CaptureList &captures) override;
  Value laneWords(VectorBuilder &v, int64_t numVectors) override;
  Lanes lanes(VectorBuilder &v, Value batch, Value vector, Value count,
              Value scratch) override;
  Rows rowsFrom(VectorBuilder &v, Value batch, Value row) override;

protected:
  void setInput(CpuProgram &program) override;
  void setWeight(CpuProgram &program) override;
  Type inputElement() const override {
    Builder b(lhs.element().getContext());
    return areIntegers() ? b.getIntegerType(8, /*isSigned=*/false)
                         : Type(b.getF32Type());
  }

private:
  bool areIntegers() const { return kind != DotKind::Float; }
  /// Stores the scales of 16 outputs for all groups.
  void packScales(VectorBuilder &v, Value batch, Value index, Value target);

  GroupedOperand input, weight;
  InputScales inputScales;
  Value weightScales, weightStarts;
};
} // namespace

GroupedConvSource::GroupedConvSource(CpuProgram &program, ConvOp op,
                                     const GroupShape &shape)
    : ConvSource(program, op), input(lhsOf(op)), weight(rhsOf(op)) {
  VectorBuilder v(program.code());
  tile = program.tier().getLargestGroupedTile();
  groups = shape;
  // Without blocks all of k is one group.
  bool isWhole = shape.block == kOneBlock;
  groups.positions = isWhole ? 1 : window.positions();
  int64_t groupPositions = isWhole ? window.positions() : 1;
  groups.channels = v.i64(groupChannels * groupPositions);
  int64_t perPosition = llvm::divideCeil(groupChannels, groups.elementsInStep);
  if (sumsIntegers(groups))
    kind = DotKind::UnsignedLanes;
  steps = v.i64(perPosition * window.positions());
  groups.positionSteps = v.i64(perPosition * groupPositions);
}

void GroupedConvSource::setInput(CpuProgram &program) {
  SmallVector<Value> x = program.dims(op.getX());
  ImageSize size{x[0], x[1], inputHeight, inputWidth};
  ConvSource::input = areIntegers()
                          ? decodeIntegerInput(program, window, input, size)
                          : decodeInput(program, window, input, size);
  inputScales = InputScales(program, window, input, size, groups.scaleWord);
}

void GroupedConvSource::setWeight(CpuProgram &program) {
  DecodedWeight decoded =
      areIntegers() ? decodeIntegerWeight(program, weight, window, groups)
                    : decodeWeight(program, weight, window, groups);
  weights = decoded.pointer;
  rowWords = decoded.rowStride;
  weightScales = decoded.scales;
  weightStarts = decoded.starts;
  if (op.getBias())
    bias = program.buffer(op.getBias()).pointer;
}

void GroupedConvSource::capture(CaptureList &captures) {
  ConvSource::capture(captures);
  captures.add(
      {&weightScales, &weightStarts, &groups.channels, &groups.positionSteps});
  inputScales.capture(captures);
}

Value GroupedConvSource::laneWords(VectorBuilder &v, int64_t numVectors) {
  Value words = ConvSource::laneWords(v, numVectors);
  return v.add(words, v.mul(groups.count(v), v.i64(numVectors * kLanes)));
}

void GroupedConvSource::packScales(VectorBuilder &v, Value batch, Value index,
                                   Value target) {
  Value image = v.div(batch, v.i64(channelGroups));
  Value firstChannel =
      v.mul(v.rem(batch, v.i64(channelGroups)), v.i64(groupChannels));
  SmallVector<PixelPiece> pieces = pixels(v, index);
  Value blocks = groups.blocks(v);
  v.loop(v.i64(0), v.i64(groups.positions), 1, [&](Value position) {
    Value i = v.div(position, v.i64(window.kernel[1]));
    Value j = v.rem(position, v.i64(window.kernel[1]));
    v.loop(v.i64(0), blocks, 1, [&](Value block) {
      Value channel = v.add(firstChannel, v.mul(block, v.i64(groups.block)));
      Value group = v.add(v.mul(position, blocks), block);
      Value scales;
      for (const PixelPiece &piece : pieces) {
        Value own =
            inputScales.at(v, window, image, channel, piece.y, piece.x, i, j);
        scales = scales ? v.select(piece.before, scales, own) : own;
      }
      v.store(scales, target, v.mul(group, v.i64(tile.vectors * kLanes)));
    });
  });
}

ContractSource::Lanes GroupedConvSource::lanes(VectorBuilder &v, Value batch,
                                               Value vector, Value count,
                                               Value scratch) {
  Lanes result = ConvSource::lanes(v, batch, vector, count, scratch);
  if (inputScales.empty())
    return result;
  // Behind the lanes and their (unused) sums.
  Value first = v.add(scratchWords, v.i64(tile.vectors * kLanes));
  result.scales = v.address(scratch, first, v.b.getI32Type());
  result.scaleStep = v.i64(tile.vectors * kLanes);
  v.loop(v.i64(0), count, 1, [&](Value i) {
    packScales(
        v, batch, v.add(vector, i),
        v.address(result.scales, v.mul(i, v.i64(kLanes)), v.b.getI32Type()));
  });
  return result;
}

ContractSource::Rows GroupedConvSource::rowsFrom(VectorBuilder &v, Value batch,
                                                 Value row) {
  Rows result = ConvSource::rowsFrom(v, batch, row);
  Value count = groups.count(v);
  Value first = v.mul(channelOf(v, batch, row), count);
  result.scaleStride = count;
  if (weightScales)
    result.scales = v.address(weightScales, first, v.b.getI32Type());
  if (weightStarts)
    result.starts = v.address(weightStarts, first, v.b.getI32Type());
  return result;
}

std::unique_ptr<ContractSource>
cpu::makeGroupedConvSource(CpuProgram &program, ConvOp op,
                           const GroupShape &shape, Epilogue &epilogue) {
  auto source = std::make_unique<GroupedConvSource>(program, op, shape);
  source->prepare(program, epilogue);
  return source;
}
