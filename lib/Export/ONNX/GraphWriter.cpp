//===- GraphWriter.cpp - Ops becoming ONNX nodes --------------------------===//
//
// A node keeps the name of the ONNX node that its op came from where both are
// the same operator; what else an op needs is named after it.
//
//===----------------------------------------------------------------------===//

#include "GraphWriter.h"
#include "OpForms.h"
#include "lib/ONNX/ElementTypes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;
using onnx::AttributeProto;

GraphWriter::GraphWriter(onnx::GraphProto &graph, ModuleOp module,
                         uint64_t maxSizeInBytes)
    : graph(graph), module(module), maxSizeInBytes(maxSizeInBytes) {
  if (auto rows = module->getAttrOfType<ArrayAttr>(kNodesAttrName))
    for (auto row : rows.getAsRange<NodeInfoAttr>())
      nodeRows[row.getId()] = row;
}

LogicalResult GraphWriter::run(func::FuncOp main) {
  current = main;
  writeInputs(main);
  for (Operation &op : main.getBody().front().without_terminator()) {
    writeOp(&op);
    if (hasFailed)
      return failure();
  }
  current = main;
  writeOutputs(main);
  return failure(hasFailed);
}

void GraphWriter::fail(const Twine &what, const Twine &note) {
  if (hasFailed)
    return;
  hasFailed = true;
  InFlightDiagnostic diagnostic = current->emitOpError(what);
  if (!note.isTriviallyEmpty())
    diagnostic.attachNote() << note;
}

void GraphWriter::writeOp(Operation *op) {
  current = op;
  if (isa<ConstantOp>(op))
    return;
  const OpForm *form = lookupForm(op->getName().getStringRef());
  if (form)
    return form->write(*this, op, form->operation);
  if (!isa_and_nonnull<QOptDialect>(op->getDialect()))
    return fail("is of a branch or a loop, which is not written to ONNX files",
                "compile to an artefact, which has them");
  fail("has no ONNX form", "ops on codes come late: export the model, not a "
                           "file of a phase after 'transform'");
}

//===----------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------===//

static std::string getTensorName(DictionaryAttr attrs, StringRef defaultName,
                                 unsigned index) {
  if (auto name = attrs ? attrs.getAs<StringAttr>(kNameAttrName) : StringAttr())
    return name.str();
  return (defaultName + Twine(index)).str();
}

void GraphWriter::describe(onnx::ValueInfoProto &info, StringRef name,
                           RankedTensorType type, DictionaryAttr attrs) {
  info.set_name(name.str());
  auto &tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(getDataType(type.getElementType()));
  auto symbols = attrs ? attrs.getAs<ArrayAttr>(kDimsAttrName) : ArrayAttr();
  auto &shape = *tensor.mutable_shape();
  for (int64_t i = 0; i < type.getRank(); ++i) {
    auto &dim = *shape.add_dim();
    if (!type.isDynamicDim(i)) {
      dim.set_dim_value(type.getDimSize(i));
      continue;
    }
    if (!symbols || i >= static_cast<int64_t>(symbols.size()))
      continue;
    StringRef symbol = cast<StringAttr>(symbols[i]).getValue();
    if (!symbol.empty())
      dim.set_dim_param(symbol.str());
  }
}

void GraphWriter::writeInputs(func::FuncOp main) {
  for (BlockArgument argument : main.getArguments()) {
    unsigned index = argument.getArgNumber();
    DictionaryAttr attrs = main.getArgAttrDict(index);
    std::string name = getTensorName(attrs, "arg", index);
    takenNames.insert(name);
    names[argument] = name;
    describe(*graph.add_input(), name, typeOf(argument), attrs);
  }
  Operation *results = main.getBody().front().getTerminator();
  for (auto [i, value] : llvm::enumerate(results->getOperands())) {
    std::string name = getTensorName(main.getResultAttrDict(i), "result", i);
    takenNames.insert(name);
    Operation *maker = value.getDefiningOp();
    if (maker && !isa<ConstantOp>(maker))
      outputNames.try_emplace(value, name);
  }
}

void GraphWriter::writeOutputs(func::FuncOp main) {
  Operation *results = main.getBody().front().getTerminator();
  for (auto [i, value] : llvm::enumerate(results->getOperands())) {
    DictionaryAttr attrs = main.getResultAttrDict(i);
    std::string name = getTensorName(attrs, "result", i);
    std::string made = use(value);
    // An input, a constant, or a value that is an output already.
    if (made != name)
      addNode("Identity", {made}, {}).add_output(name);
    describe(*graph.add_output(), name, typeOf(value), attrs);
  }
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

std::string GraphWriter::use(Value value, StringRef role) {
  auto known = names.find(value);
  if (known != names.end())
    return known->second;
  auto constant = value.getDefiningOp<ConstantOp>();
  assert(constant && "a value is used before it is made");
  return names[value] = writeConstant(constant, role);
}

std::string GraphWriter::useAsInt64(Value value) {
  return convert(use(value), elementTypeOf(value),
                 IntegerType::get(module.getContext(), 64));
}

void GraphWriter::setName(Value value, StringRef name) {
  auto output = outputNames.find(value);
  if (output != outputNames.end() && output->second != name) {
    // The output's own name, through a node that changes nothing.
    addNode("Identity", {name.str()}, {}).add_output(output->second);
    names[value] = output->second;
    return;
  }
  names[value] = name.str();
}

std::string GraphWriter::makeUnique(llvm::StringSet<> &taken,
                                    StringRef wanted) {
  std::string name = wanted.str();
  for (int number = 2; !taken.insert(name).second; ++number)
    name = (wanted + "_" + Twine(number)).str();
  return name;
}

/// The first name of a location, or `absent`.
static StringRef findName(Location loc, StringRef absent) {
  auto name = loc->findInstanceOf<NameLoc>();
  return name ? name.getName().getValue() : absent;
}

std::string GraphWriter::nameConstant(ConstantOp constant, StringRef role) {
  std::string name = findName(constant.getLoc(), "constant").str();
  if (!role.empty())
    name += ("_" + role).str();
  return makeUnique(takenNames, name);
}

std::string GraphWriter::nameNode(StringRef operation) {
  std::string first;
  for (int64_t id : getNodeIds(current->getLoc())) {
    NodeInfoAttr row = nodeRows.lookup(id);
    if (!row)
      continue;
    if (row.getOp() == operation && takenNodeNames.insert(row.getName()).second)
      return row.getName().str();
    if (first.empty())
      first = row.getName().str();
  }
  if (first.empty())
    first = findName(current->getLoc(), "").str();
  return makeUnique(takenNodeNames, first.empty()
                                        ? operation.str()
                                        : first + "/" + operation.str());
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

static void setValue(AttributeProto &attribute, int64_t value) {
  attribute.set_type(AttributeProto::INT);
  attribute.set_i(value);
}
static void setValue(AttributeProto &attribute, float value) {
  attribute.set_type(AttributeProto::FLOAT);
  attribute.set_f(value);
}
static void setValue(AttributeProto &attribute, const std::string &value) {
  attribute.set_type(AttributeProto::STRING);
  attribute.set_s(value);
}
static void setValue(AttributeProto &attribute,
                     const SmallVector<int64_t> &values) {
  attribute.set_type(AttributeProto::INTS);
  for (int64_t value : values)
    attribute.add_ints(value);
}

onnx::NodeProto &GraphWriter::addNode(StringRef operation,
                                      ArrayRef<std::string> inputs,
                                      ArrayRef<NodeAttribute> attributes) {
  onnx::NodeProto &node = *graph.add_node();
  node.set_name(nameNode(operation));
  node.set_op_type(operation.str());
  for (const std::string &input : inputs)
    node.add_input(input);
  for (const NodeAttribute &attribute : attributes) {
    AttributeProto &added = *node.add_attribute();
    added.set_name(attribute.name.str());
    std::visit([&](const auto &value) { setValue(added, value); },
               attribute.value);
  }
  return node;
}

std::string GraphWriter::add(StringRef operation, ArrayRef<std::string> inputs,
                             ArrayRef<NodeAttribute> attributes) {
  onnx::NodeProto &node = addNode(operation, inputs, attributes);
  std::string name = makeUnique(takenNames, node.name() + "_output");
  node.add_output(name);
  return name;
}

void GraphWriter::finish(Value result, StringRef operation,
                         ArrayRef<std::string> inputs,
                         ArrayRef<NodeAttribute> attributes) {
  getDataType(elementTypeOf(result));
  auto output = outputNames.find(result);
  if (output == outputNames.end()) {
    names[result] = add(operation, inputs, attributes);
    return;
  }
  addNode(operation, inputs, attributes).add_output(output->second);
  names[result] = output->second;
}

void GraphWriter::finish(StringRef operation, ArrayRef<std::string> inputs,
                         ArrayRef<NodeAttribute> attributes) {
  if (current->getNumResults() == 1)
    return finish(current->getResult(0), operation, inputs, attributes);
  onnx::NodeProto &node = addNode(operation, inputs, attributes);
  for (Value result : current->getResults()) {
    auto output = outputNames.find(result);
    names[result] = output == outputNames.end()
                        ? makeUnique(takenNames, node.name() + "_output")
                        : output->second;
    node.add_output(names[result]);
  }
}

std::string GraphWriter::convert(StringRef name, Type from, Type to) {
  if (from == to)
    return name.str();
  getDataType(from);
  return add("Cast", {name.str()}, {{"to", getDataType(to)}});
}

std::string qopt::exporter::toString(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

int64_t GraphWriter::getDataType(Type elementType) {
  std::optional<int32_t> type = findOnnxDataType(elementType);
  if (!type) {
    fail("has elements of type " + toString(elementType) +
         ", which ONNX does not have");
    return 0;
  }
  opset = std::max(opset, getOpsetOf(*type));
  return *type;
}
