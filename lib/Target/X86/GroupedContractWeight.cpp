//===- GroupedContractWeight.cpp - Weights of convolutions, decoded -------===//
//
// A part is an output. Vectors of 16 may spill over what is written next; rows
// have room for the last one.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractWeight.h"
#include "Constants.h"
#include "Packing.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;

DecodedWeight x86::decodeWeight(ProgramEmitter &program,
                                const GroupedOperand &operand,
                                const Window &window,
                                const GroupShape &groups) {
  VectorBuilder host = program.vectors();
  ArrayRef<int64_t> shape = operand.type().getShape();
  // The positions of a single channel lie where channels of one would, unless
  // each position has a zero of its own.
  bool isSingle = shape[1] == 1 && operand.zeros.empty();
  KernelShape kernel = isSingle
                           ? KernelShape{shape[0], window.positions(), 1}
                           : KernelShape{shape[0], shape[1], window.positions()};
  auto [outputs, channels, positions] = kernel;
  int64_t paddedChannels = llvm::divideCeil(channels, kLanes) * kLanes;
  int64_t stride =
      llvm::divideCeil(channels * positions, kLanes) * kLanes + kLanes;
  bool isWhole = groups.block == kOneBlock;
  int64_t block = std::min(groups.block, shape[1]);
  int64_t blocks = isWhole ? 1 : int64_t(llvm::divideCeil(shape[1], block));
  int64_t tablePositions = isWhole ? 1 : window.positions();
  std::vector<uint8_t> storage;
  ArrayRef<uint8_t> bytes =
      constantBytes(program.constantOf(operand.tensor), storage);
  bool isF32 = operand.isF32();
  Value codes = program.weightPointer(
      isF32 ? packFloatRows(bytes, kernel)
            : packCodeStream(bytes, kernel, operand.bits()));
  BesideTensors scales(program, operand.scales, operand.tensor, operand.format);
  BesideTensors zeros(program, operand.zeros, operand.tensor, operand.format);

  DecodedWeight result;
  result.rowStride = host.i64(stride);
  result.pointer = program.temporary(host.i64(outputs * stride * 4));
  if (!scales.empty())
    result.scales =
        program.temporary(host.i64(outputs * tablePositions * blocks * 4));
  Value target = result.pointer, table = result.scales;
  CaptureList list;
  list.add({&codes, &target, &table});
  scales.capture(list);
  zeros.capture(list);
  int64_t kernelWidth = window.kernel[1];
  int64_t rank = shape.size();
  program.launch("decode_weight", list.values(), host.i64(outputs),
                 [&, channels = channels,
                  positions = positions](KernelScope &scope) {
    list.enter(scope);
    VectorBuilder v(scope.b, scope.loc);
    auto coordinates = [&](Value position, Value channel) {
      SmallVector<Value> at{scope.part, channel};
      if (rank == 4)
        at.push_back(v.div(position, v.i64(kernelWidth)));
      at.push_back(v.rem(position, v.i64(kernelWidth)));
      return at;
    };
    Value row = v.mul(scope.part, v.i64(stride));
    v.loop(v.i64(0), v.i64(positions), 1, [&](Value position) {
      Value source =
          v.add(v.mul(scope.part, v.i64(positions)), position);
      v.loop(v.i64(0), v.i64(channels), kLanes, [&](Value channel) {
        Value values;
        if (isF32) {
          values = v.load(
              codes, v.add(v.mul(source, v.i64(channels)), channel),
              v.b.getF32Type());
        } else {
          Value first = v.add(v.mul(source, v.i64(paddedChannels)), channel);
          Value offset = v.div(v.mul(first, v.i64(operand.bits())), v.i64(8));
          values = unpackLanes(v, codes, offset, operand.bits());
        }
        Value zero;
        if (!zeros.empty())
          zero = v.splat(zeros.zero(
              v, coordinates(position, channel), false));
        Value at = v.add(v.mul(position, v.i64(channels)), channel);
        v.store(operand.decode(v, values, zero), target, v.add(row, at));
      });
    });
    if (!table)
      return;
    v.loop(v.i64(0), v.i64(tablePositions), 1, [&](Value position) {
      v.loop(v.i64(0), v.i64(blocks), 1, [&](Value index) {
        Value word =
            scales.scale(v, coordinates(position, v.mul(index, v.i64(block))),
                         groups.scaleWord, false);
        Value group = v.add(v.mul(position, v.i64(blocks)), index);
        v.storeScalar(
            word, table,
            v.add(v.mul(scope.part, v.i64(tablePositions * blocks)), group));
      });
    });
  });
  return result;
}
