//===- GroupedContractInput.cpp - Codes of an image, decoded --------------===//
//
// Outside of the image codes are 0 and scales are 1, so that nothing is added.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractInput.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;

WindowInput x86::decodeInput(ProgramEmitter &program, const Window &window,
                             const GroupedOperand &operand,
                             const ImageSize &size) {
  VectorBuilder v = program.vectors();
  InputCopy copy;
  copy.source = program.buffer(operand.tensor).pointer;
  copy.planes = v.mul(size.images, size.channels);
  copy.height = size.height;
  copy.width = size.width;
  copy.from = memoryType(operand.element());
  copy.to = v.b.getF32Type();
  copy.border = v.f32(0);
  if (!operand.isF32())
    copy.convert = [operand](VectorBuilder &v, Value codes) {
      return operand.decode(v, v.widen(codes, operand.element()));
    };
  return prepareInput(program, window, copy);
}

/// True when a scale is one for all elements of a plane.
static bool isFlat(RankedTensorType type, int64_t rank) {
  return type.getRank() != rank ||
         llvm::all_of(type.getShape().drop_front(2),
                      [](int64_t dim) { return dim == 1; });
}

InputScales::InputScales(ProgramEmitter &program, const Window &window,
                         const GroupedOperand &operand, const ImageSize &size,
                         bool asExponents)
    : rank(operand.type().getRank()), asExponents(asExponents) {
  VectorBuilder v = program.vectors();
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
    copy.to = asExponents ? Type(v.b.getI32Type()) : Type(v.b.getF32Type());
    copy.border = asExponents ? v.i32(0) : v.f32(1);
    copy.convert = [element, asExponents](VectorBuilder &v, Value lanes) {
      return scaleWord(v, v.widen(lanes, element), element, asExponents);
    };
    Planes entry;
    entry.input = prepareInput(program, window, copy);
    Value isOne = v.equal(dims[0], v.i64(1));
    entry.imageStride = v.select(isOne, v.i64(0), dims[1]);
    entry.block = type.getDimSize(1) == 1          ? 0
                  : operand.blockAlong(1)          ? operand.blockAlong(1)
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
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  Type word = asExponents ? Type(v.b.getI32Type()) : Type(v.b.getF32Type());
  Value result;
  auto join = [&](Value scale) {
    if (!result)
      result = scale;
    else
      result = asExponents ? b.addI(result, scale) : b.mul(result, scale);
  };
  for (const Planes &entry : planes) {
    Value plane = v.mul(image, entry.imageStride);
    if (entry.block)
      plane = v.add(plane, v.div(channel, v.i64(entry.block)));
    Value offset = entry.input.offset(v, window, plane, y, i, j);
    join(v.load(entry.input.pointer, v.add(offset, x), word));
  }
  if (!constants.empty()) {
    SmallVector<Value> coordinates(rank, v.i64(0));
    coordinates[0] = image;
    coordinates[1] = channel;
    join(v.splat(constants.scale(v, coordinates, asExponents, false)));
  }
  return result;
}
