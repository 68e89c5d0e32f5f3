//===- ContractConv.cpp - Operands of a convolution -----------------------===//
//
// Batch entries are pairs of an image and a group of channels.
//
//===----------------------------------------------------------------------===//

#include "ContractConv.h"
#include "Packing.h"
#include "PackingLanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

static ArrayRef<int64_t> shapeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getShape();
}

ConvSource::ConvSource(CpuProgram &program, ConvOp op, CodeUnit unit)
    : tier(program.tier()), op(op),
      window(shapeOf(op.getW()).drop_front(2), op.getStrides(), op.getPads(),
             op.getDilations()),
      lhs{op.getX(), op.getXZeros()}, rhs{op.getW(), op.getWZeros()},
      channelGroups(op.getGroup()), groupChannels(shapeOf(op.getW())[1]),
      isImage(shapeOf(op.getX()).size() == 4) {
  VectorBuilder v(program.code());
  bool isGrouped = !op.getXScales().empty() || !op.getWScales().empty();
  kind = !isGrouped && isByteCodes(op.getX()) ? DotKind::UnsignedLanes
                                              : DotKind::Float;
  if (kind != DotKind::Float) {
    terms.rowZero = storedZero(program, rhs, /*storedUnsigned=*/false);
    terms.laneZero = storedZero(program, lhs, /*storedUnsigned=*/true);
    terms.depth = v.i64(groupChannels * window.positions());
  }
  int64_t perPosition = kind == DotKind::Float
                            ? groupChannels
                            : int64_t(llvm::divideCeil(groupChannels, 4));
  steps = v.i64(perPosition * window.positions());
  tile = largestTile(tier, kind, unit);
  rows = v.i64(shapeOf(op.getW())[0] / channelGroups);
  batches = v.mul(program.dims(op.getX())[0], v.i64(channelGroups));
}

void ConvSource::prepare(CpuProgram &program, Epilogue &epilogue) {
  setAxes(program, epilogue);
  setInput(program);
  setWeight(program);
}

/// True when vectors that end with a row leave one lane in eight empty, or
/// more. Pieces of rows need a known width.
static bool wastesLanes(Value width) {
  std::optional<int64_t> known = knownNumber(width);
  return known && *known > 0 &&
         *known * 8 <= int64_t(llvm::divideCeil(*known, kLanes)) * kLanes * 7;
}

void ConvSource::setAxes(CpuProgram &program, Epilogue &epilogue) {
  VectorBuilder v(program.code());
  SmallVector<Value> x(program.dims(op.getX()));
  SmallVector<Value> y(program.dims(op.getResult()));
  inputHeight = isImage ? x[2] : v.i64(1);
  inputWidth = x.back();
  outputHeight = isImage ? y[2] : v.i64(1);
  outputWidth = y.back();
  bool canFlatten = isImage && epilogue.canCollapse(2, 3);
  isFlat = canFlatten && (window.isPointwise() || wastesLanes(outputWidth));
  if (isFlat && window.isPointwise()) {
    inputWidth = v.mul(inputHeight, inputWidth);
    inputHeight = v.i64(1);
  } else if (isFlat) {
    denseWidth = *knownNumber(outputWidth);
    denseHeight = outputHeight;
  }
  if (isFlat) {
    outputWidth = v.mul(outputHeight, outputWidth);
    outputHeight = v.i64(1);
  }
  if (isFlat || !isImage)
    epilogue.collapse({0, 1, 2});
  else
    epilogue.collapse({0, 1, 2, 3});
  rowVectors = v.ceilDiv(outputWidth, v.i64(kLanes));
  vectors = v.mul(outputHeight, rowVectors);
}

void ConvSource::setInput(CpuProgram &program) {
  VectorBuilder v(program.code());
  InputCopy copy;
  copy.source = program.buffer(op.getX()).pointer;
  SmallVector<Value> x = program.dims(op.getX());
  copy.planes = v.mul(x[0], x[1]);
  copy.height = inputHeight;
  copy.width = inputWidth;
  copy.from = copy.to = memoryType(lhs.element());
  copy.border = kind == DotKind::Float
                    ? v.f32(0)
                    : storedZero(program, lhs, lhs.isUnsigned());
  input = prepareInput(program, window, copy);
}

void ConvSource::setWeight(CpuProgram &program) {
  KernelShape shape{shapeOf(op.getW())[0], groupChannels, window.positions()};
  rowWords = steps;
  if (kind == DotKind::Float) {
    weights = program.packedWeight(op.getW(), [&](ArrayRef<uint8_t> elements) {
      return packFloatRows(elements, shape);
    });
  } else {
    bool withSums = terms.needsRowSums();
    SmallVector<Value> pieces = program.packedWeights(
        op.getW(), ElementForm::Integers, [&](ArrayRef<uint8_t> codes) {
          return packCodeRows(codes, shape, rhs.isUnsigned()).pieces(withSums);
        });
    weights = pieces.front();
    if (withSums)
      terms.rowSums = pieces.back();
  }
  if (op.getBias())
    bias = program.buffer(op.getBias()).pointer;
}

void ConvSource::capture(CaptureList &captures) {
  captures.add({&outputHeight, &outputWidth, &denseHeight, &rowVectors,
                &weights, &rowWords, &bias, &scratchWords});
  input.capture(captures);
  terms.capture(captures);
}

Value ConvSource::laneWords(VectorBuilder &v, int64_t numVectors) {
  scratchWords = v.mul(steps, v.i64(numVectors * kLanes));
  return v.add(scratchWords, v.i64(numVectors * kLanes));
}

SmallVector<PixelPiece> ConvSource::pixels(VectorBuilder &v, Value vector) {
  if (!denseWidth) {
    Value x = v.mul(v.rem(vector, rowVectors), v.i64(kLanes));
    return {{v.div(vector, rowVectors), x, Value()}};
  }
  Value first = v.mul(vector, v.i64(kLanes)), width = v.i64(denseWidth);
  Value y = v.div(first, width), x = v.rem(first, width);
  SmallVector<PixelPiece> pieces{{y, x, Value()}};
  int64_t more = llvm::divideCeil(kLanes - 1, denseWidth);
  for (int64_t i = 1; i <= more; ++i) {
    Value row = v.add(y, v.i64(i));
    Value lanesBefore = v.sub(v.i64(i * denseWidth), x);
    Value exists = v.less(row, denseHeight);
    pieces.push_back({v.select(exists, row, y),
                      v.select(exists, v.sub(v.i64(0), lanesBefore), x),
                      v.mask(lanesBefore)});
  }
  return pieces;
}

ContractSource::Lanes ConvSource::lanes(VectorBuilder &v, Value batch,
                                        Value vector, Value count,
                                        Value scratch) {
  Type word = v.b.getI32Type();
  Value laneStep = v.i64(tile.vectors * kLanes);
  Value sums = v.address(scratch, scratchWords, word);
  bool wantsSums = !sumsAreFloats() && terms.needsLaneSums();
  LanePacker packer(v, tier, kind, inputElement(), wantsSums);
  Value firstPlane = v.mul(batch, v.i64(groupChannels));
  Value perPosition = packer.stepsOf(v.i64(groupChannels));
  v.loop(v.i64(0), count, 1, [&](Value i) {
    SmallVector<PixelPiece> pieces = pixels(v, v.add(vector, i));
    Value target = v.address(scratch, v.mul(i, v.i64(kLanes)), word);
    auto packPosition = [&](Value position, Value sum) {
      Value kernelWidth = v.i64(window.kernel[1]);
      LaneRun run;
      run.source = input.pointer;
      auto offsetOf = [&](const PixelPiece &piece) {
        Value offset = input.offset(v, window, firstPlane, piece.y,
                                    v.div(position, kernelWidth),
                                    v.rem(position, kernelWidth));
        return v.add(offset, piece.x);
      };
      run.offset = offsetOf(pieces.front());
      for (const PixelPiece &piece : llvm::drop_begin(pieces))
        run.pieces.push_back({offsetOf(piece), piece.before});
      run.stride = input.planeStride;
      run.depth = v.i64(groupChannels);
      return packer.pack(run, target, v.mul(position, perPosition), laneStep,
                         sum);
    };
    SmallVector<Value> sum;
    if (wantsSums)
      sum.push_back(v.constant(v.b.getI32IntegerAttr(0), kLanes));
    sum = v.loop(v.i64(0), v.i64(window.positions()), 1, sum,
                 [&](Value position, ValueRange before) {
                   Value after = packPosition(
                       position, wantsSums ? before.front() : Value());
                   return SmallVector<Value>(wantsSums ? 1 : 0, after);
                 });
    if (wantsSums)
      v.store(sum.front(), sums, v.mul(i, v.i64(kLanes)));
  });
  return {scratch, v.i64(kLanes), laneStep, wantsSums ? sums : Value()};
}

ContractSource::Rows ConvSource::rowsFrom(VectorBuilder &v, Value batch,
                                          Value row) {
  Value offset = v.mul(channelOf(v, batch, row), rowWords);
  return {v.address(weights, offset, v.b.getI32Type()), rowWords, v.i64(1)};
}

Epilogue::Lanes ConvSource::coordinates(VectorBuilder &v,
                                        const OutputVector &at) {
  Epilogue::Lanes lanes;
  lanes.coordinates = {v.div(at.batch, v.i64(channelGroups)),
                       channelOf(v, at.batch, at.row)};
  if (isImage && !isFlat)
    lanes.coordinates.push_back(v.div(at.vector, rowVectors));
  Value x = v.mul(v.rem(at.vector, rowVectors), v.i64(kLanes));
  lanes.coordinates.push_back(x);
  lanes.laneGroup = lanes.coordinates.size() - 1;
  std::optional<int64_t> known = knownNumber(outputWidth);
  if (!known || *known % kLanes != 0)
    lanes.count = v.min(v.sub(outputWidth, x), v.i64(kLanes));
  return lanes;
}

Value ConvSource::finish(VectorBuilder &v, Value sums, const OutputVector &at,
                         Value laneSums) {
  Value channel = channelOf(v, at.batch, at.row);
  if (!sumsAreFloats())
    sums = terms.apply(v, sums, channel, laneSums);
  if (!bias)
    return sums;
  if (!sumsAreFloats())
    return v.add(sums, v.splat(v.loadScalar(bias, channel, v.b.getI32Type())));
  Value addend = v.splat(v.loadScalar(bias, channel, v.b.getF32Type()));
  return arith::AddFOp::create(v.b, v.loc, sums, addend);
}

std::unique_ptr<ContractSource> cpu::makeConvSource(CpuProgram &program,
                                                    ConvOp op, CodeUnit unit,
                                                    Epilogue &epilogue) {
  auto source = std::make_unique<ConvSource>(program, op, unit);
  source->prepare(program, epilogue);
  return source;
}
