//===- SequenceOperators.cpp - Sequences and optionals --------------------===//
//
// The tensors of a sequence have one element type and one rank here; which of
// their dims are known follows from all that are put in.
//
//===----------------------------------------------------------------------===//

#include "Operators.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "lib/ONNX/ElementTypes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static bool isTensor(Value value) {
  return isa<RankedTensorType>(value.getType());
}

static LogicalResult expectTensor(NodeImporter &node, Value value) {
  if (isTensor(value))
    return success();
  return node.fail(
      malformed("expects a tensor, but found " + toString(value.getType())));
}

/// The type of the tensors of a sequence; null, with a failure, for what is
/// none.
static TensorType getElement(NodeImporter &node, Value value) {
  if (auto sequence = dyn_cast<SequenceType>(value.getType()))
    return sequence.getElement();
  (void)node.fail(
      malformed("expects a sequence, but found " + toString(value.getType())));
  return {};
}

/// The same, of tensors whose rank is known: some were put in.
static RankedTensorType getRankedElement(NodeImporter &node, Value value) {
  TensorType element = getElement(node, value);
  auto ranked = dyn_cast_if_present<RankedTensorType>(element);
  if (element && !ranked)
    (void)node.fail(malformed("takes a tensor of a sequence that is empty"));
  return ranked;
}

/// The type that tensors of both types have; null on failure.
static RankedTensorType join(NodeImporter &node, TensorType a,
                             RankedTensorType b) {
  if (a.getElementType() != b.getElementType()) {
    (void)node.fail(
        malformed("expects tensors of one element type, but found " +
                  toString(a) + " and " + toString(b)));
    return {};
  }
  auto ranked = dyn_cast<RankedTensorType>(a);
  if (!ranked)
    return b;
  if (ranked.getRank() != b.getRank()) {
    (void)node.fail(unsupported("a sequence of tensors of different ranks is "
                                "not supported, but found " +
                                toString(a) + " and " + toString(b)));
    return {};
  }
  SmallVector<int64_t> shape(ranked.getShape());
  for (auto [dim, other] : llvm::zip_equal(shape, b.getShape()))
    if (dim != other)
      dim = ShapedType::kDynamic;
  return RankedTensorType::get(shape, b.getElementType());
}

static LogicalResult expectPosition(NodeImporter &node, Value position) {
  if (!position)
    return success();
  if (failed(expectTensor(node, position)) ||
      failed(node.expectIndices(position, "a position")))
    return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

static LogicalResult importSequenceConstruct(NodeImporter &node) {
  RankedTensorType element;
  for (Value input : node.getInputs()) {
    if (failed(expectTensor(node, input)))
      return failure();
    element = element ? join(node, element, getType(input)) : getType(input);
    if (!element)
      return failure();
  }
  return node.setOutput(0, node.makeTyped<SequenceConstructOp>(
                               SequenceType::get(element.getContext(), element),
                               node.getInputs()));
}

static LogicalResult importSequenceEmpty(NodeImporter &node) {
  MLIRContext *context = node.getBuilder().getContext();
  int64_t dtype = node.getInt("dtype", 1);
  Type element;
  if (dtype >= 0 && dtype <= std::numeric_limits<int32_t>::max())
    element = getOnnxElementType(context, dtype);
  if (!element)
    return node.fail(
        unsupported("tensors of type " + Twine(dtype) + " are not supported"));
  auto type = SequenceType::get(context, UnrankedTensorType::get(element));
  return node.setOutput(
      0, node.makeTyped<SequenceConstructOp>(type, ValueRange()));
}

/// The operands of a node with an optional position at `index`.
static SmallVector<Value> getOperands(NodeImporter &node, size_t index) {
  SmallVector<Value> operands(node.getInputs().take_front(index));
  if (Value position = node.getInput(index))
    operands.push_back(position);
  return operands;
}

static LogicalResult importSequenceInsert(NodeImporter &node) {
  Value sequence = node.getInput(0), tensor = node.getInput(1);
  TensorType element = getElement(node, sequence);
  if (!element || failed(expectTensor(node, tensor)) ||
      failed(expectPosition(node, node.getInput(2))))
    return failure();
  RankedTensorType joined = join(node, element, getType(tensor));
  if (!joined)
    return failure();
  return node.setOutput(0, node.makeTyped<SequenceInsertOp>(
                               SequenceType::get(joined.getContext(), joined),
                               getOperands(node, 2)));
}

static LogicalResult importSequenceErase(NodeImporter &node) {
  Value sequence = node.getInput(0);
  if (!getElement(node, sequence) ||
      failed(expectPosition(node, node.getInput(1))))
    return failure();
  return node.setOutput(0, node.makeTyped<SequenceEraseOp>(
                               sequence.getType(), getOperands(node, 1)));
}

static LogicalResult importSequenceAt(NodeImporter &node) {
  RankedTensorType element = getRankedElement(node, node.getInput(0));
  if (!element || failed(expectPosition(node, node.getInput(1))))
    return failure();
  return node.setOutput(
      0, node.makeTyped<SequenceAtOp>(element, node.getInputs()));
}

static LogicalResult importSequenceLength(NodeImporter &node) {
  if (!getElement(node, node.getInput(0)))
    return failure();
  auto type = RankedTensorType::get({}, node.getBuilder().getI64Type());
  return node.setOutput(
      0, node.makeTyped<SequenceLengthOp>(type, node.getInputs()));
}

static LogicalResult importSplitToSequence(NodeImporter &node) {
  Value x = node.getInput(0), sizes = node.getInput(1);
  bool keepsAxis = node.getInt("keepdims", 1) != 0 || sizes;
  if (failed(expectTensor(node, x)))
    return failure();
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", 0), getRank(x));
  if (!axis || failed(expectPosition(node, sizes)))
    return failure();
  SmallVector<int64_t> shape(getType(x).getShape());
  int64_t dim = shape[*axis];
  shape[*axis] = sizes ? ShapedType::kDynamic : 1;
  auto known = sizes ? getAllKnownIntegers(sizes) : std::nullopt;
  if (known && getRank(sizes) == 0 && known->front() > 0 &&
      !ShapedType::isDynamic(dim) && dim % known->front() == 0)
    shape[*axis] = known->front();
  if (!keepsAxis)
    shape.erase(shape.begin() + *axis);
  auto element = RankedTensorType::get(shape, getElementType(x));
  return node.setOutput(
      0, node.makeTyped<SplitToSequenceOp>(
             SequenceType::get(element.getContext(), element),
             getOperands(node, 1),
             {node.attr("axis", *axis), node.attr("keepdims", keepsAxis)}));
}

static LogicalResult importConcatFromSequence(NodeImporter &node) {
  RankedTensorType element = getRankedElement(node, node.getInput(0));
  if (!element)
    return failure();
  bool isNewAxis = node.getInt("new_axis", 0) != 0;
  if (!node.hasAttribute("axis"))
    return node.fail(malformed("expects attribute \"axis\""));
  std::optional<int64_t> axis =
      node.getAxis(node.getInt("axis", 0), element.getRank() + isNewAxis);
  if (!axis)
    return failure();
  SmallVector<int64_t> shape(element.getShape());
  if (isNewAxis)
    shape.insert(shape.begin() + *axis, ShapedType::kDynamic);
  else
    shape[*axis] = ShapedType::kDynamic;
  auto type = RankedTensorType::get(shape, element.getElementType());
  return node.setOutput(
      0, node.makeTyped<ConcatFromSequenceOp>(
             type, node.getInputs(),
             {node.attr("axis", *axis), node.attr("new_axis", isNewAxis)}));
}

//===----------------------------------------------------------------------===//
// Optionals
//===----------------------------------------------------------------------===//

static LogicalResult importOptional(NodeImporter &node) {
  Value value = node.getInput(0);
  if (isa<OptionalType>(value.getType()))
    return node.fail(malformed("expects a tensor or a sequence, but found " +
                               toString(value.getType())));
  if (auto sequence = dyn_cast<SequenceType>(value.getType());
      sequence && !sequence.getElement().hasRank())
    return node.fail(
        unsupported("an optional of a sequence that is empty is not "
                    "supported"));
  node.ignoreAttribute("type");
  return node.setOutput(
      0, node.makeTyped<OptionalOp>(
             OptionalType::get(value.getContext(), value.getType()), value));
}

static LogicalResult importOptionalHasElement(NodeImporter &node) {
  Value value = node.getInput(0);
  auto type = RankedTensorType::get({}, node.getBuilder().getI1Type());
  if (value && isa<OptionalType>(value.getType()))
    return node.setOutput(0, node.makeTyped<OptionalHasElementOp>(type, value));
  // What is there but no optional is a value.
  auto holds = DenseElementsAttr::get(type, bool(value));
  return node.setOutput(
      0, ConstantOp::create(node.getBuilder(), node.getLoc(), type, holds));
}

static LogicalResult importOptionalGetElement(NodeImporter &node) {
  Value value = node.getInput(0);
  auto optional = dyn_cast<OptionalType>(value.getType());
  if (!optional)
    return node.setOutput(0, value);
  return node.setOutput(
      0, node.makeTyped<OptionalGetElementOp>(optional.getElement(), value));
}

ArrayRef<Operator> qopt::importer::getSequenceOperators() {
  static constexpr const char *rank = "one rank";
  static constexpr bool takesLists = true;
  static constexpr Operator rows[] = {
      {"ConcatFromSequence", 11, 1, 1, importConcatFromSequence, rank,
       takesLists},
      {"Optional", 15, 1, 1, importOptional, "with a value", takesLists},
      {"OptionalGetElement", 15, 1, 1, importOptionalGetElement, "",
       takesLists},
      {"OptionalHasElement", 15, 0, 1, importOptionalHasElement, "",
       takesLists},
      {"SequenceAt", 11, 2, 2, importSequenceAt, rank, takesLists},
      {"SequenceConstruct", 11, 1, kAnyNumber, importSequenceConstruct, rank,
       takesLists},
      {"SequenceEmpty", 11, 0, 0, importSequenceEmpty, "", takesLists},
      {"SequenceErase", 11, 1, 2, importSequenceErase, rank, takesLists},
      {"SequenceInsert", 11, 2, 3, importSequenceInsert, rank, takesLists},
      {"SequenceLength", 11, 1, 1, importSequenceLength, rank, takesLists},
      {"SplitToSequence", 11, 1, 2, importSplitToSequence,
       "one rank; a compile must know the sizes", takesLists},
  };
  return rows;
}
