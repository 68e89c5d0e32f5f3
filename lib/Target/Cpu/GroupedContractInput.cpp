//===- GroupedContractInput.cpp - Codes of an image, decoded --------------===//
//
// Outside of the image codes are 0 and scales are 1, so that nothing is added.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractInput.h"
#include "GroupedContractIntegers.h"
#include "GroupedContractTile.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

/// The copy of the codes of an operand, but for what they become.
static InputCopy copyOf(CpuProgram &program, const GroupedOperand &operand,
                        const ImageSize &size) {
  VectorBuilder v(program.code());
  InputCopy copy;
  copy.source = program.buffer(operand.tensor).pointer;
  copy.planes = v.mul(size.images, size.channels);
  copy.height = size.height;
  copy.width = size.width;
  copy.from = memoryType(operand.element());
  return copy;
}

WindowInput cpu::decodeInput(CpuProgram &program, const Window &window,
                             const GroupedOperand &operand,
                             const ImageSize &size) {
  VectorBuilder v(program.code());
  InputCopy copy = copyOf(program, operand, size);
  copy.to = v.b.getF32Type();
  copy.border = v.f32(0);
  if (!operand.isF32())
    copy.convert = [operand](VectorBuilder &v, Value codes) {
      return operand.decode(v, v.widen(codes, operand.element()));
    };
  return prepareInput(program, window, copy);
}

WindowInput cpu::decodeIntegerInput(CpuProgram &program, const Window &window,
                                    const GroupedOperand &operand,
                                    const ImageSize &size) {
  VectorBuilder v(program.code());
  InputCopy copy = copyOf(program, operand, size);
  copy.to = v.b.getI8Type();
  copy.border = v.i32(128);
  const Tier &tier = program.tier();
  copy.convert = [operand, &tier](VectorBuilder &v, Value codes) {
    return offsetBytes(v, integerBytes(v, tier, operand, codes));
  };
  return prepareInput(program, window, copy);
}

/// True when a scale is one for all elements of a plane.
static bool isFlat(RankedTensorType type, int64_t rank) {
  return type.getRank() != rank ||
         llvm::all_of(type.getShape().drop_front(2),
                      [](int64_t dim) { return dim == 1; });
}

InputScales::InputScales(CpuProgram &program, const Window &window,
                         const GroupedOperand &operand, const ImageSize &size,
                         ScaleWord kind)
    : rank(operand.type().getRank()), kind(kind) {
  VectorBuilder v(program.code());
  SmallVector<Value> flat;
  for (Value scale : operand.scales) {
    auto type = cast<RankedTensorType>(scale.getType());
    if (isFlat(type, rank)) {
      flat.push_back(scale);
      continue;
    }
    SmallVector<Value> dims = program.dims(scale);
    Type element = type.getElementType();
    InputCopy copy;
    copy.source = program.buffer(scale).pointer;
    copy.planes = v.mul(dims[0], dims[1]);
    copy.height = size.height;
    copy.width = size.width;
    copy.from = memoryType(element);
    copy.to = scaleWordType(v, kind);
    copy.border = kind == ScaleWord::Exponent        ? v.i32(0)
                  : kind == ScaleWord::FloatExponent ? v.f32(0)
                                                     : v.f32(1);
    copy.convert = [element, kind](VectorBuilder &v, Value lanes) {
      return scaleWord(v, v.widen(lanes, element), element, kind);
    };
    Planes entry;
    entry.input = prepareInput(program, window, copy);
    Value isOne = v.equal(dims[0], v.i64(1));
    entry.imageStride = v.select(isOne, v.i64(0), dims[1]);
    entry.block = type.getDimSize(1) == 1 ? 0
                  : operand.blockAlong(1) ? operand.blockAlong(1)
                                          : 1;
    planes.push_back(std::move(entry));
  }
  constants = BesideTensors(program, flat, operand.tensor, operand.format);
}

void InputScales::capture(CaptureList &captures) {
  for (Planes &entry : planes) {
    entry.input.capture(captures);
    captures.add(entry.imageStride);
  }
  constants.capture(captures);
}

Value InputScales::at(VectorBuilder &v, const Window &window, Value image,
                      Value channel, Value y, Value x, Value i, Value j) const {
  return load(v, image, channel, [&](const WindowInput &input, Value plane) {
    return v.add(input.offset(v, window, plane, y, i, j), x);
  });
}

Value InputScales::inPlane(VectorBuilder &v, Value image, Value channel,
                           Value offset) const {
  return load(v, image, channel, [&](const WindowInput &input, Value plane) {
    return v.add(v.mul(plane, input.planeStride), offset);
  });
}

Value InputScales::load(VectorBuilder &v, Value image, Value channel,
                        OffsetOf offsetOf) const {
  Value result;
  auto join = [&](Value scale) {
    result = result ? joinScales(v, result, scale, kind) : scale;
  };
  for (const Planes &entry : planes) {
    Value plane = v.mul(image, entry.imageStride);
    if (entry.block)
      plane = v.add(plane, v.div(channel, v.i64(entry.block)));
    join(v.load(entry.input.pointer, offsetOf(entry.input, plane),
                scaleWordType(v, kind)));
  }
  if (!constants.empty()) {
    SmallVector<Value> coordinates(rank, v.i64(0));
    coordinates[0] = image;
    coordinates[1] = channel;
    join(v.splat(constants.scale(v, coordinates, kind, false)));
  }
  return result;
}
