//===- NodeImporter.cpp - One ONNX node becoming ops ----------------------===//
//
// Checks here are the ones that many operators share.
//
//===----------------------------------------------------------------------===//

#include "NodeImporter.h"
#include "dialects/QOpt/IR/Axes.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "dialects/QOpt/IR/TypeInference.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;
using onnx::AttributeProto;

std::string qopt::importer::toString(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

NodeImporter::NodeImporter(const onnx::NodeProto &node, int64_t opset,
                           OpBuilder &builder, Location loc,
                           ArrayRef<Value> inputs, TensorReader &tensors,
                           BodyImporter &bodies)
    : node(node), opset(opset), builder(builder), loc(loc), inputs(inputs),
      tensors(tensors), bodies(bodies), rowsBefore(bodies.countRows()),
      outputs(node.output_size()), knownAttributes(node.attribute_size()) {}

LogicalResult NodeImporter::fail(Failure newFailure) {
  if (!failure)
    failure = std::move(newFailure);
  return mlir::failure();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

bool NodeImporter::hasAttribute(StringRef name) const {
  return llvm::any_of(node.attribute(), [&](const AttributeProto &attribute) {
    return StringRef(attribute.name()) == name;
  });
}

const AttributeProto *NodeImporter::find(StringRef name) {
  for (int i = 0, e = node.attribute_size(); i < e; ++i) {
    if (StringRef(node.attribute(i).name()) != name)
      continue;
    knownAttributes.set(i);
    return &node.attribute(i);
  }
  return nullptr;
}

const AttributeProto *
NodeImporter::findOfType(StringRef name, AttributeProto::AttributeType type) {
  const AttributeProto *attribute = find(name);
  if (!attribute || attribute->type() == type)
    return attribute;
  (void)fail(malformed("attribute " + quote(name) + " expects type " +
                       AttributeProto::AttributeType_Name(type) +
                       ", but found " +
                       AttributeProto::AttributeType_Name(attribute->type())));
  return nullptr;
}

int64_t NodeImporter::getInt(StringRef name, int64_t absent) {
  const AttributeProto *attribute = findOfType(name, AttributeProto::INT);
  return attribute ? attribute->i() : absent;
}

float NodeImporter::getFloat(StringRef name, float absent) {
  const AttributeProto *attribute = findOfType(name, AttributeProto::FLOAT);
  return attribute ? attribute->f() : absent;
}

std::string NodeImporter::getString(StringRef name, StringRef absent) {
  const AttributeProto *attribute = findOfType(name, AttributeProto::STRING);
  return attribute ? attribute->s() : absent.str();
}

SmallVector<int64_t> NodeImporter::getInts(StringRef name) {
  const AttributeProto *attribute = findOfType(name, AttributeProto::INTS);
  if (!attribute)
    return {};
  return SmallVector<int64_t>(attribute->ints().begin(),
                              attribute->ints().end());
}

SmallVector<float> NodeImporter::getFloats(StringRef name) {
  const AttributeProto *attribute = findOfType(name, AttributeProto::FLOATS);
  if (!attribute)
    return {};
  return SmallVector<float>(attribute->floats().begin(),
                            attribute->floats().end());
}

SmallVector<std::string> NodeImporter::getStrings(StringRef name) {
  const AttributeProto *attribute = findOfType(name, AttributeProto::STRINGS);
  if (!attribute)
    return {};
  return SmallVector<std::string>(attribute->strings().begin(),
                                  attribute->strings().end());
}

const onnx::GraphProto *NodeImporter::getGraph(StringRef name) {
  const AttributeProto *attribute = findOfType(name, AttributeProto::GRAPH);
  if (attribute)
    return &attribute->g();
  (void)fail(malformed("expects attribute " + quote(name)));
  return nullptr;
}

LogicalResult NodeImporter::importBranch(StringRef name,
                                         SmallVectorImpl<Value> &results) {
  return importBody(name, /*isLoop=*/false, {}, results);
}

LogicalResult NodeImporter::importLoopBody(StringRef name,
                                           ArrayRef<Value> arguments,
                                           SmallVectorImpl<Value> &results) {
  return importBody(name, /*isLoop=*/true, arguments, results);
}

LogicalResult NodeImporter::importBody(StringRef name, bool isLoop,
                                       ArrayRef<Value> arguments,
                                       SmallVectorImpl<Value> &results) {
  const onnx::GraphProto *body = getGraph(name);
  if (!body || failure)
    return mlir::failure();
  auto found = bodies.importBody(*body, isLoop, *builder.getInsertionBlock(),
                                 arguments, results);
  if (!found)
    return success();
  found->what = (name + ": " + found->what).str();
  return fail(std::move(*found));
}

std::optional<TensorData> NodeImporter::getTensor(StringRef name) {
  const AttributeProto *attribute = findOfType(name, AttributeProto::TENSOR);
  if (!attribute)
    return std::nullopt;
  TensorData data;
  if (auto tensorFailure = tensors.read(attribute->t(), data)) {
    tensorFailure->what =
        "attribute " + quote(name) + ": " + tensorFailure->what;
    (void)fail(std::move(*tensorFailure));
    return std::nullopt;
  }
  return data;
}

LogicalResult NodeImporter::checkAttributesKnown() {
  // Of the first opsets, where an operator could name inputs to overwrite.
  if (opset < 6)
    ignoreAttribute("consumed_inputs");
  int unknown = knownAttributes.find_first_unset();
  if (unknown < 0)
    return success();
  return fail(unsupported(
      "attribute " + quote(node.attribute(unknown).name()) +
          " is not supported in this opset",
      "the attribute may belong to another opset: check the model with "
      "onnx.checker"));
}

//===----------------------------------------------------------------------===//
// Shapes and constants
//===----------------------------------------------------------------------===//

std::optional<int64_t> NodeImporter::getAxis(int64_t axis, int64_t rank) {
  if (axis >= -rank && axis < rank)
    return countFromFront(axis, rank);
  (void)fail(malformed("expects an axis from " + Twine(-rank) + " to " +
                       Twine(rank - 1) + ", but found " + Twine(axis)));
  return std::nullopt;
}

std::optional<SmallVector<int64_t>>
NodeImporter::getAxes(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes) {
    std::optional<int64_t> normal = getAxis(axis, rank);
    if (!normal)
      return std::nullopt;
    result.push_back(*normal);
  }
  llvm::sort(result);
  auto twice = std::adjacent_find(result.begin(), result.end());
  if (twice == result.end())
    return result;
  (void)fail(malformed("expects each axis once, but found " + Twine(*twice) +
                       " twice"));
  return std::nullopt;
}

std::optional<SmallVector<int64_t>>
NodeImporter::getConstantIntegers(size_t input, StringRef name) {
  Value value = getInput(input);
  if (failed(expectIndices(value, name)))
    return std::nullopt;
  if (auto elements = getAllKnownIntegers(value))
    return elements;
  (void)fail(
      unsupported("expects a constant " + name + " (input " + Twine(input) +
                      "), but it is computed",
                  "fold constants first, for example with onnxruntime's basic "
                  "optimisations or onnxsim"));
  return std::nullopt;
}

std::optional<int64_t> NodeImporter::getListSize(size_t input, StringRef name) {
  Value value = getInput(input);
  if (failed(expectIndices(value, name)))
    return std::nullopt;
  RankedTensorType type = getType(value);
  if (type.getRank() == 1 && !type.isDynamicDim(0))
    return type.getDimSize(0);
  (void)fail(type.getRank() == 1
                 ? unsupported("expects " + name + " (input " + Twine(input) +
                                   ") of known size, but found " +
                                   toString(type),
                               "the rank of the result must be known")
                 : malformed("expects " + name + " (input " + Twine(input) +
                             ") of rank 1, but found " + toString(type)));
  return std::nullopt;
}

LogicalResult NodeImporter::expectSameElementType(Value a, Value b) {
  if (importer::getElementType(a) == importer::getElementType(b))
    return success();
  return fail(malformed("expects inputs of one element type, but found " +
                        toString(importer::getElementType(a)) + " and " +
                        toString(importer::getElementType(b))));
}

LogicalResult NodeImporter::expectElementType(Value value, bool isExpected,
                                              StringRef expected) {
  if (isExpected)
    return success();
  return fail(malformed("expects " + expected + ", but found " +
                        toString(value.getType())));
}

LogicalResult NodeImporter::expectFloat(Value value) {
  return expectElementType(value,
                           isa<FloatType>(importer::getElementType(value)),
                           "a tensor of floats");
}

LogicalResult NodeImporter::expectIndices(Value value, StringRef name) {
  Type type = importer::getElementType(value);
  return expectElementType(value, type.isInteger(64) || type.isInteger(32),
                           (name + " of int64 or int32").str());
}

LogicalResult NodeImporter::expectRank(Value value, int64_t least,
                                       StringRef name) {
  if (getRank(value) >= least)
    return success();
  return fail(malformed("expects " + name + " of rank " + Twine(least) +
                        " or more, but found " + toString(value.getType())));
}

LogicalResult NodeImporter::expectBroadcast(ArrayRef<Value> values) {
  SmallVector<int64_t> result;
  for (Value value : values) {
    ArrayRef<int64_t> shape = getType(value).getShape();
    if (result.size() < shape.size())
      result.insert(result.begin(), shape.size() - result.size(), 1);
    for (size_t i = 0; i < shape.size(); ++i) {
      int64_t &dim = result[result.size() - shape.size() + i];
      bool isFixed = dim != 1 && !ShapedType::isDynamic(dim);
      if (isFixed && shape[i] != 1 && !ShapedType::isDynamic(shape[i]) &&
          shape[i] != dim)
        return fail(malformed("expects shapes that broadcast, but found " +
                              toString(values.front().getType()) + " and " +
                              toString(value.getType())));
      if (!isFixed && shape[i] != 1)
        dim = shape[i];
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

NamedAttribute NodeImporter::attr(StringRef name, int64_t value) {
  return attr(name, builder.getI64IntegerAttr(value));
}

NamedAttribute NodeImporter::attr(StringRef name, float value) {
  return attr(name, builder.getF32FloatAttr(value));
}

NamedAttribute NodeImporter::attr(StringRef name, bool value) {
  return attr(name, builder.getBoolAttr(value));
}

NamedAttribute NodeImporter::attr(StringRef name, StringRef value) {
  return attr(name, builder.getStringAttr(value));
}

NamedAttribute NodeImporter::attr(StringRef name, ArrayRef<int64_t> value) {
  return attr(name, builder.getDenseI64ArrayAttr(value));
}

NamedAttribute NodeImporter::attr(StringRef name, Attribute value) {
  return builder.getNamedAttr(name, value);
}

LogicalResult NodeImporter::finish(Operation *op) {
  if (failed(refineResultTypes(op)))
    return fail(
        unsupported("the dims of the result cannot be inferred",
                    "fold constants first: sizes and steps must be known"));
  for (Value result : op->getResults())
    if (auto shapeFailure = checkShape(getType(result).getShape(),
                                       importer::getElementType(result)))
      return fail(std::move(*shapeFailure));
  return verifyNew(op);
}

LogicalResult NodeImporter::verifyNew(Operation *op) {
  std::string text;
  ScopedDiagnosticHandler handler(op->getContext(),
                                  [&](Diagnostic &diagnostic) {
                                    if (text.empty())
                                      text = diagnostic.str();
                                    return success();
                                  });
  if (succeeded(verify(op)))
    return success();
  // The op's name says nothing to the owner of the model.
  StringRef what = text;
  what.consume_front(("'" + op->getName().getStringRef() + "' op ").str());
  return fail(malformed(what));
}

LogicalResult NodeImporter::setOutput(size_t index, Value value) {
  if (!value)
    return mlir::failure();
  if (index < outputs.size())
    outputs[index] = value;
  return success();
}
