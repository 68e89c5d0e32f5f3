//===- GroupedContractWeight.cpp - Weights of convolutions, decoded -------===//
//
// A part is an output. Vectors of 16 may spill over what is written next; rows
// have room for the last one.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractWeight.h"
#include "GroupedContractIntegers.h"
#include "Packing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

namespace {
/// Sizes of a weight and of the table of its groups.
struct WeightShape {
  WeightShape(const GroupedOperand &operand, const Window &window,
              const GroupShape &groups);

  KernelShape kernel;
  int64_t rank, kernelWidth;
  int64_t block, blocks, tablePositions;
};

/// What the kernel that decodes a weight captures and writes.
class WeightDecoder {
public:
  WeightDecoder(CpuProgram &program, const GroupedOperand &operand,
                const WeightShape &shape, const GroupShape &groups)
      : tier(program.tier()), operand(operand), shape(shape), groups(groups),
        scales(program, operand.scales, operand.tensor, operand.format),
        zeros(program, operand.zeros, operand.tensor, operand.format) {}

  void prepareFloats(CpuProgram &program);
  void prepareIntegers(CpuProgram &program);
  DecodedWeight launch(CpuProgram &program);

private:
  SmallVector<Value> coordinates(VectorBuilder &v, Value output, Value position,
                                 Value channel) const;
  Value unpack(VectorBuilder &v, Value source, Value channel) const;
  void forEachVector(
      VectorBuilder &v, Value output,
      function_ref<void(Value position, Value source, Value channel)> body);
  void writeFloats(VectorBuilder &v, Value output);
  void writeIntegers(VectorBuilder &v, Value output);
  void writeTables(VectorBuilder &v, Value output);

  const Tier &tier;
  const GroupedOperand &operand;
  const WeightShape &shape;
  const GroupShape &groups;
  BesideTensors scales, zeros;
  /// Elements from output to output of what is decoded at run time; 0 where
  /// nothing is.
  int64_t stride = 0;
  bool toIntegers = false;
  DecodedWeight result;
  Value codes, sums;
  Type sumElement;
};
} // namespace

/// Blocks are no longer than all channels; where there are none, of any size.
static int64_t sizeOfBlocks(const GroupShape &groups, int64_t channels) {
  return std::max<int64_t>(std::min(groups.block, channels), 1);
}

WeightShape::WeightShape(const GroupedOperand &operand, const Window &window,
                         const GroupShape &groups)
    : kernelWidth(window.kernel[1]) {
  ArrayRef<int64_t> dims = operand.type().getShape();
  rank = dims.size();
  kernel = {dims[0], dims[1], window.positions()};
  bool isWhole = groups.block == kOneBlock;
  block = sizeOfBlocks(groups, dims[1]);
  blocks = isWhole ? 1 : int64_t(llvm::divideCeil(dims[1], block));
  tablePositions = isWhole ? 1 : window.positions();
}

void WeightDecoder::prepareFloats(CpuProgram &program) {
  VectorBuilder v(program.code());
  auto [outputs, channels, positions] = shape.kernel;
  stride = llvm::divideCeil(channels * positions, kLanes) * kLanes + kLanes;
  codes = program.packedWeight(operand.tensor, [&](ArrayRef<uint8_t> bytes) {
    return operand.isF32()
               ? packFloatRows(bytes, shape.kernel)
               : packCodeStream(bytes, shape.kernel, operand.bits());
  });
  result.rowStride = v.i64(stride);
  result.pointer = program.temporary(v.i64(outputs * stride * 4));
}

void WeightDecoder::prepareIntegers(CpuProgram &program) {
  VectorBuilder v(program.code());
  toIntegers = true;
  auto [outputs, channels, positions] = shape.kernel;
  int64_t words = llvm::divideCeil(channels, kElementsInWord) * positions;
  KernelShape summed = shape.kernel;
  if (groups.block == kOneBlock)
    summed = {outputs, channels * positions, 1};
  int64_t length = sizeOfBlocks(groups, summed.channels);
  bool isReady = operand.bits() == 8;
  SmallVector<Value> pieces = program.packedWeights(
      operand.tensor, ElementForm::Memory, [&](ArrayRef<uint8_t> bytes) {
        Bytes integers = integersOf(operand, bytes);
        SmallVector<Bytes> made;
        made.push_back(
            isReady ? packCodeRows(integers, shape.kernel, /*isUnsigned=*/false)
                          .words
                    : packCodeStream(bytes, shape.kernel, operand.bits()));
        made.push_back(packSums(sumGroups(integers, summed, length), length));
        return made;
      });
  if (isReady) {
    result.pointer = pieces.front();
  } else {
    stride = llvm::alignTo(words * kElementsInWord, kLanes) + kLanes;
    words = stride / kElementsInWord;
    codes = pieces.front();
    result.pointer = program.temporary(v.i64(outputs * stride));
  }
  result.rowStride = v.i64(words);
  sums = pieces.back();
  sumElement = sumType(v.b, length);
  result.starts = program.temporary(
      v.i64(outputs * shape.tablePositions * shape.blocks * 4));
}

SmallVector<Value> WeightDecoder::coordinates(VectorBuilder &v, Value output,
                                              Value position,
                                              Value channel) const {
  SmallVector<Value> at{output, channel};
  if (shape.rank == 4)
    at.push_back(v.div(position, v.i64(shape.kernelWidth)));
  at.push_back(v.rem(position, v.i64(shape.kernelWidth)));
  return at;
}

/// 16 codes of the channels of `source`, a position of an output.
Value WeightDecoder::unpack(VectorBuilder &v, Value source,
                            Value channel) const {
  int64_t channels = shape.kernel.channels, bits = operand.bits();
  if (operand.isF32())
    return v.load(codes, v.add(v.mul(source, v.i64(channels)), channel),
                  v.b.getF32Type());
  int64_t padded = llvm::alignTo(channels, kLanes);
  Value first = v.add(v.mul(source, v.i64(padded)), channel);
  return unpackLanes(v, codes, v.div(v.mul(first, v.i64(bits)), v.i64(8)),
                     bits);
}

void WeightDecoder::forEachVector(
    VectorBuilder &v, Value output,
    function_ref<void(Value, Value, Value)> body) {
  Value positions = v.i64(shape.kernel.positions);
  v.loop(v.i64(0), positions, 1, [&](Value position) {
    Value source = v.add(v.mul(output, positions), position);
    v.loop(v.i64(0), v.i64(shape.kernel.channels), kLanes,
           [&](Value channel) { body(position, source, channel); });
  });
}

void WeightDecoder::writeFloats(VectorBuilder &v, Value output) {
  Value row = v.mul(output, v.i64(stride));
  forEachVector(v, output, [&](Value position, Value source, Value channel) {
    Value zero;
    if (!zeros.empty())
      zero = v.splat(
          zeros.zero(v, coordinates(v, output, position, channel), false));
    Value at = v.add(v.mul(position, v.i64(shape.kernel.channels)), channel);
    v.store(operand.decode(v, unpack(v, source, channel), zero), result.pointer,
            v.add(row, at));
  });
}

/// Codes behind the last channel are 0, and so are their integers.
void WeightDecoder::writeIntegers(VectorBuilder &v, Value output) {
  auto bytes = VectorType::get({kLanes}, v.b.getI8Type());
  Value row = v.mul(output, v.i64(stride));
  forEachVector(v, output, [&](Value position, Value source, Value channel) {
    Value narrow =
        arith::TruncIOp::create(v.b, v.loc, bytes, unpack(v, source, channel));
    Value at = v.mul(
        position, v.i64(llvm::alignTo(shape.kernel.channels, kElementsInWord)));
    v.store(integerBytes(v, tier, operand, narrow), result.pointer,
            v.add(row, v.add(at, channel)));
  });
}

/// The words of the groups of an output.
void WeightDecoder::writeTables(VectorBuilder &v, Value output) {
  Value blocks = v.i64(shape.blocks), positions = v.i64(shape.tablePositions);
  v.loop(v.i64(0), positions, 1, [&](Value position) {
    v.loop(v.i64(0), blocks, 1, [&](Value index) {
      Value group = v.add(v.mul(position, blocks), index);
      Value at = v.add(v.mul(output, v.mul(positions, blocks)), group);
      Value channel = v.mul(index, v.i64(shape.block));
      if (result.scales)
        v.storeScalar(scales.scale(v, coordinates(v, output, position, channel),
                                   groups.scaleWord, false),
                      result.scales, at);
      if (result.starts)
        v.storeScalar(startOf(v, v.loadScalar(sums, at, sumElement)),
                      result.starts, at);
    });
  });
}

DecodedWeight WeightDecoder::launch(CpuProgram &program) {
  VectorBuilder host(program.code());
  if (!scales.empty())
    result.scales = program.temporary(host.i64(
        shape.kernel.outputs * shape.tablePositions * shape.blocks * 4));
  DecodedWeight decoded = result;
  CaptureList list;
  list.add({&codes, &sums, &result.pointer, &result.scales, &result.starts});
  scales.capture(list);
  zeros.capture(list);
  program.launch("decode_weight", list.values(), host.i64(shape.kernel.outputs),
                 [&](KernelScope &scope) {
                   list.enter(scope);
                   VectorBuilder v(scope.b, scope.loc);
                   if (stride && toIntegers)
                     writeIntegers(v, scope.part);
                   else if (stride)
                     writeFloats(v, scope.part);
                   writeTables(v, scope.part);
                 });
  return decoded;
}

DecodedWeight cpu::decodeWeight(CpuProgram &program,
                                const GroupedOperand &operand,
                                const Window &window,
                                const GroupShape &groups) {
  WeightShape shape(operand, window, groups);
  // The positions of a single channel lie where channels of one would, unless
  // each position has a zero of its own.
  if (shape.kernel.channels == 1 && operand.zeros.empty())
    std::swap(shape.kernel.channels, shape.kernel.positions);
  WeightDecoder decoder(program, operand, shape, groups);
  decoder.prepareFloats(program);
  return decoder.launch(program);
}

DecodedWeight cpu::decodeIntegerWeight(CpuProgram &program,
                                       const GroupedOperand &operand,
                                       const Window &window,
                                       const GroupShape &groups) {
  WeightShape shape(operand, window, groups);
  WeightDecoder decoder(program, operand, shape, groups);
  decoder.prepareIntegers(program);
  return decoder.launch(program);
}
