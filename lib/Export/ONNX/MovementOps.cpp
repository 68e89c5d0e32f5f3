//===- MovementOps.cpp - Data movement and shapes -------------------------===//
//
// What our ops have as attributes are inputs in ONNX, and constants.
//
//===----------------------------------------------------------------------===//

#include "OpForms.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

static NodeAttribute getInteger(Operation *op, StringRef name) {
  return {name, op->getAttrOfType<IntegerAttr>(name).getInt()};
}

static ArrayRef<int64_t> getList(Operation *op, StringRef name) {
  return op->getAttrOfType<DenseI64ArrayAttr>(name).asArrayRef();
}

static void writeReshape(GraphWriter &writer, Operation *op,
                         StringRef operation) {
  auto reshape = cast<ReshapeOp>(op);
  writer.finish(
      operation,
      {writer.use(reshape.getX()), writer.useAsInt64(reshape.getShape())},
      {{"allowzero", static_cast<int64_t>(reshape.getAllowZero())}});
}

static void writeTranspose(GraphWriter &writer, Operation *op,
                           StringRef operation) {
  writer.finish(operation, writer.use(op->getOperand(0)),
                {{"perm", SmallVector<int64_t>(getList(op, "perm"))}});
}

static void writeSlice(GraphWriter &writer, Operation *op,
                       StringRef operation) {
  auto slice = cast<SliceOp>(op);
  // All four lists are of one type.
  unsigned width = elementTypeOf(slice.getStarts()).getIntOrFloatBitWidth();
  SmallVector<std::string> inputs{
      writer.use(slice.getX()), writer.use(slice.getStarts()),
      writer.use(slice.getEnds()), writer.addIntegers(slice.getAxes(), width)};
  if (slice.getSteps())
    inputs.push_back(writer.use(slice.getSteps()));
  writer.finish(operation, inputs);
}

/// An op with the attribute `axis` and its operands as inputs.
static void writeAlongAxis(GraphWriter &writer, Operation *op,
                           StringRef operation) {
  writer.finish(operation, useOperands(writer, op), {getInteger(op, "axis")});
}

/// An op whose `axes` are the second input.
static void writeWithAxes(GraphWriter &writer, Operation *op,
                          StringRef operation) {
  writer.finish(operation, {writer.use(op->getOperand(0)),
                            writer.addIntegers(getList(op, "axes"))});
}

static void writeExpand(GraphWriter &writer, Operation *op,
                        StringRef operation) {
  auto expand = cast<ExpandOp>(op);
  writer.finish(operation, {writer.use(expand.getX()),
                            writer.useAsInt64(expand.getShape())});
}

static void writeShape(GraphWriter &writer, Operation *op,
                       StringRef operation) {
  writer.finish(operation, writer.use(op->getOperand(0)),
                {getInteger(op, "start"), getInteger(op, "end")});
}

static void writePad(GraphWriter &writer, Operation *op, StringRef operation) {
  auto pad = cast<PadOp>(op);
  SmallVector<std::string> inputs{writer.use(pad.getX()),
                                  writer.addIntegers(pad.getPads())};
  if (pad.getValue())
    inputs.push_back(writer.use(pad.getValue()));
  writer.finish(operation, inputs);
}

static void writeConstantOfShape(GraphWriter &writer, Operation *op,
                                 StringRef operation) {
  auto filled = cast<ConstantOfShapeOp>(op);
  writer.finish(operation, writer.useAsInt64(filled.getShape()));
  ElementsAttr value = filled.getValue();
  if (auto dense = dyn_cast<DenseElementsAttr>(value))
    value = dense.reshape(RankedTensorType::get({1}, value.getElementType()));
  writer.setTensorAttribute("value", value);
}

static void writeSplit(GraphWriter &writer, Operation *op,
                       StringRef operation) {
  auto split = cast<SplitOp>(op);
  writer.finish(
      operation,
      {writer.use(split.getX()), writer.addIntegers(split.getSizes())},
      {getInteger(op, "axis")});
}

ArrayRef<OpForm> qopt::exporter::getMovementForms() {
  static constexpr OpForm rows[] = {
      {ConcatOp::getOperationName(), "Concat", writeAlongAxis},
      {ConstantOfShapeOp::getOperationName(), "ConstantOfShape",
       writeConstantOfShape},
      {ExpandOp::getOperationName(), "Expand", writeExpand},
      {FlattenOp::getOperationName(), "Flatten", writeAlongAxis},
      {GatherOp::getOperationName(), "Gather", writeAlongAxis},
      {PadOp::getOperationName(), "Pad", writePad},
      {RangeOp::getOperationName(), "Range", writeSame},
      {ReshapeOp::getOperationName(), "Reshape", writeReshape},
      {ShapeOp::getOperationName(), "Shape", writeShape},
      {SliceOp::getOperationName(), "Slice", writeSlice},
      {SplitOp::getOperationName(), "Split", writeSplit},
      {SqueezeOp::getOperationName(), "Squeeze", writeWithAxes},
      {TransposeOp::getOperationName(), "Transpose", writeTranspose},
      {UnsqueezeOp::getOperationName(), "Unsqueeze", writeWithAxes},
  };
  return rows;
}
