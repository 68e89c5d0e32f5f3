//===- GraphImporter.cpp - An ONNX graph becoming a module ----------------===//
//
// ONNX wants its nodes sorted, so one pass over them is enough. A name is
// defined once: by an input, an initializer or a node.
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "FixShapes.h"
#include "NodeImporter.h"
#include "Operators.h"
#include "lib/ONNX/ElementTypes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Import/ONNX/ImportONNX.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// Of the graph's inputs and outputs.
static constexpr llvm::StringLiteral kTensorsOnly =
    "only tensors are supported, not sequences, maps, optional or sparse "
    "values";

/// Puts what a failure is about in front of it.
static Failure about(const Twine &subject, Failure failure) {
  failure.what = (subject + ": " + failure.what).str();
  return failure;
}

/// A symbol of a dim, or empty where it names nothing: exporters write `?`,
/// `unk__12` and the like for dims that have nothing in common.
static StringRef getSymbol(const onnx::TensorShapeProto::Dimension &dim) {
  StringRef name = dim.dim_param();
  bool isIdentifier =
      !name.empty() && !llvm::isDigit(name.front()) &&
      llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
  return isIdentifier && !name.starts_with("unk__") ? name : StringRef();
}

namespace {
/// What an input or output of the graph states about itself.
struct DeclaredTensor {
  Type elementType;
  /// Absent when the model does not even state the rank.
  std::optional<SmallVector<int64_t>> shape;
  SmallVector<StringRef> symbols;
};

class GraphImporter : public BodyImporter {
public:
  GraphImporter(const onnx::GraphProto &graph, int64_t opset,
                TensorReader &tensors, MLIRContext *context)
      : graph(graph), opset(opset), tensors(tensors), builder(context) {}

  std::optional<Failure> run(ArrayRef<InputShape> shapes,
                             OwningOpRef<ModuleOp> &module);

  std::optional<Failure> importBody(const onnx::GraphProto &body, bool isLoop,
                                    Block &block, ArrayRef<Value> arguments,
                                    SmallVectorImpl<Value> &results) override;
  size_t countRows() const override { return getRoot().nodeRows.size(); }
  void dropRows(size_t count) override { getRoot().nodeRows.truncate(count); }

private:
  /// The importer of a graph that a node of `outer` holds.
  GraphImporter(const onnx::GraphProto &graph, GraphImporter &outer,
                bool isLoop, Block &block)
      : graph(graph), outer(&outer), numLoops(outer.numLoops + isLoop),
        opset(outer.opset), tensors(outer.tensors),
        builder(outer.builder.getContext()), function(outer.function),
        block(&block) {
    builder.setInsertionPointToEnd(&block);
  }

  GraphImporter &getRoot() { return outer ? outer->getRoot() : *this; }
  const GraphImporter &getRoot() const {
    return outer ? outer->getRoot() : *this;
  }
  std::optional<Failure> runBody(ArrayRef<Value> arguments,
                                 SmallVectorImpl<Value> &results);
  std::optional<Failure> bindArguments(ArrayRef<Value> arguments);
  std::optional<Failure> readNames();
  std::optional<Failure> importInputs();
  std::optional<Failure> importNodes();
  std::optional<Failure> importNode(int index);
  /// What can be said of a node whose inputs are not known.
  std::optional<Failure> checkNode(int index);
  bool usesMissing(const onnx::NodeProto &node) const;
  void standInForOutputs(const onnx::NodeProto &node);
  std::optional<Failure> getInputs(const onnx::NodeProto &node,
                                   const Operator &row,
                                   SmallVectorImpl<Value> &inputs);
  /// Gives the outputs of a node their names.
  std::optional<Failure> bindOutputs(const onnx::NodeProto &node,
                                     ArrayRef<Value> outputs);
  /// Adds the node's row, which Constant nodes have not, and says its location.
  Location addNodeRow(const onnx::NodeProto &node, int index);
  std::optional<Failure> importOutputs();
  std::optional<Failure> importOutput(const onnx::ValueInfoProto &output,
                                      SmallVectorImpl<Value> &values);
  std::optional<Failure> readDeclared(const onnx::ValueInfoProto &info,
                                      DeclaredTensor &declared);
  /// The value of a name, made from its initializer where that is new.
  std::optional<Failure> getValue(StringRef name, Value &value);
  std::optional<Failure> checkDeclaredTypes(const onnx::NodeProto &node);
  DictionaryAttr makeTensorAttrs(StringRef name, ArrayRef<int64_t> shape,
                                 ArrayRef<StringRef> symbols);
  std::string describe(const onnx::NodeProto &node, int index);

  const onnx::GraphProto &graph;
  /// That of the graph around this one, whose names are seen too.
  GraphImporter *outer = nullptr;
  /// Of the loops around the graph.
  int numLoops = 0;
  int64_t opset;
  TensorReader &tensors;
  OpBuilder builder;
  func::FuncOp function;
  /// Where the ops of this graph stand, but for those in regions.
  Block *block = nullptr;
  llvm::StringMap<Value> values;
  llvm::StringMap<const onnx::TensorProto *> initializers;
  /// What the model says of values that nodes make.
  llvm::StringMap<const onnx::ValueInfoProto *> declaredValues;
  /// Values that are not known, because a node before them was refused.
  llvm::StringSet<> missing;
  /// Names that some node or the graph's outputs take.
  llvm::StringSet<> usedNames;
  SmallVector<Attribute> nodeRows;
};
} // namespace

/// The name of a node, or `Op#index` where it has none.
static std::string getName(const onnx::NodeProto &node, int index) {
  if (!node.name().empty())
    return node.name();
  return node.op_type() + "#" + std::to_string(index);
}

std::string GraphImporter::describe(const onnx::NodeProto &node, int index) {
  std::string op = quote(node.op_type());
  return "node " + quote(getName(node, index)) + " (" +
         op.substr(1, op.size() - 2) + ", opset " + std::to_string(opset) + ")";
}

static void forEachUse(const onnx::NodeProto &node,
                       llvm::function_ref<void(StringRef)> visit);

/// Calls `visit` for each name that a graph and those in its nodes take.
static void forEachUse(const onnx::GraphProto &graph,
                       llvm::function_ref<void(StringRef)> visit) {
  for (const onnx::NodeProto &node : graph.node())
    forEachUse(node, visit);
  for (const onnx::ValueInfoProto &output : graph.output())
    visit(output.name());
}

static void forEachUse(const onnx::NodeProto &node,
                       llvm::function_ref<void(StringRef)> visit) {
  for (const std::string &input : node.input())
    visit(input);
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.has_g())
      forEachUse(attribute.g(), visit);
}

std::optional<Failure> GraphImporter::readNames() {
  for (const onnx::TensorProto &tensor : graph.initializer())
    if (!initializers.try_emplace(tensor.name(), &tensor).second)
      return about("initializer " + quote(tensor.name()),
                   malformed("expects a name of its own, but another "
                             "initializer has it"));
  if (graph.sparse_initializer_size() != 0)
    return unsupported("sparse initializers are not supported",
                       "store them as dense tensors");
  forEachUse(graph, [&](StringRef name) { usedNames.insert(name); });
  for (const auto *list : {&graph.value_info(), &graph.output()})
    for (const onnx::ValueInfoProto &info : *list)
      if (info.type().tensor_type().elem_type() != 0)
        declaredValues[info.name()] = &info;
  return std::nullopt;
}

std::optional<Failure>
GraphImporter::readDeclared(const onnx::ValueInfoProto &info,
                            DeclaredTensor &declared) {
  if (info.has_type() &&
      info.type().value_case() != onnx::TypeProto::VALUE_NOT_SET &&
      !info.type().has_tensor_type())
    return unsupported(kTensorsOnly);
  const onnx::TypeProto::Tensor &type = info.type().tensor_type();
  StringRef typeName = getOnnxTypeName(type.elem_type());
  if (typeName.empty())
    return malformed("expects a data type, but found number " +
                     Twine(type.elem_type()));
  declared.elementType =
      getOnnxElementType(builder.getContext(), type.elem_type());
  if (!declared.elementType)
    return unsupported("tensors of type " + typeName + " are not supported");
  if (!type.has_shape())
    return std::nullopt;
  declared.shape.emplace();
  for (const onnx::TensorShapeProto::Dimension &dim : type.shape().dim()) {
    bool isStatic = dim.dim_value() > 0;
    declared.shape->push_back(isStatic ? dim.dim_value()
                                       : ShapedType::kDynamic);
    declared.symbols.push_back(isStatic ? StringRef() : getSymbol(dim));
  }
  return checkShape(*declared.shape, declared.elementType);
}

DictionaryAttr GraphImporter::makeTensorAttrs(StringRef name,
                                              ArrayRef<int64_t> shape,
                                              ArrayRef<StringRef> symbols) {
  SmallVector<StringRef> dims(shape.size());
  for (size_t i = 0; i < std::min(shape.size(), symbols.size()); ++i)
    if (ShapedType::isDynamic(shape[i]))
      dims[i] = symbols[i];
  return builder.getDictionaryAttr(
      {builder.getNamedAttr(kNameAttrName, builder.getStringAttr(name)),
       builder.getNamedAttr(kDimsAttrName, builder.getStrArrayAttr(dims))});
}

std::optional<Failure> GraphImporter::importInputs() {
  for (const onnx::ValueInfoProto &input : graph.input()) {
    // Before IR version 4 every initializer was an input too; since then such
    // an input is a default, which we take.
    if (initializers.contains(input.name()))
      continue;
    std::string subject = "input " + quote(input.name());
    if (input.name().empty())
      return about(subject, malformed("expects a name"));
    if (values.contains(input.name()))
      return about(subject, malformed("expects a name of its own, but another "
                                      "input has it"));
    DeclaredTensor declared;
    if (auto failure = readDeclared(input, declared))
      return about(subject, std::move(*failure));
    if (!declared.shape)
      return about(subject,
                   unsupported("expects a shape, but the model states none",
                               "state the rank; dims may be symbols"));
    unsigned index = function.getNumArguments();
    auto type = RankedTensorType::get(*declared.shape, declared.elementType);
    if (failed(function.insertArgument(
            index, type,
            makeTensorAttrs(input.name(), *declared.shape, declared.symbols),
            NameLoc::get(builder.getStringAttr(input.name())))))
      return about(subject, malformed("cannot be an argument"));
    values[input.name()] = function.getArgument(index);
  }
  return std::nullopt;
}

std::optional<Failure> GraphImporter::getValue(StringRef name, Value &value) {
  Value &known = values[name];
  if ((value = known))
    return std::nullopt;
  auto initializer = initializers.find(name);
  if (initializer != initializers.end()) {
    TensorData data;
    if (auto failure = tensors.read(*initializer->second, data))
      return about("initializer " + quote(name), std::move(*failure));
    Location loc = NameLoc::get(builder.getStringAttr(name));
    // A node may be making a region: others than its ops use the constant too.
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(block);
    value = known = makeConstant(builder, loc, std::move(data));
    return std::nullopt;
  }
  values.erase(name);
  for (const onnx::NodeProto &node : graph.node())
    if (llvm::is_contained(node.output(), name.str()))
      return malformed("uses " + quote(name) +
                           ", which a later node or itself makes",
                       "sort the nodes so that each comes after those it uses");
  if (outer)
    return outer->getValue(name, value);
  return malformed("uses " + quote(name) +
                   ", which no input, initializer or node makes");
}

std::optional<Failure>
GraphImporter::checkDeclaredTypes(const onnx::NodeProto &node) {
  for (const std::string &output : node.output()) {
    auto declared = declaredValues.find(output);
    auto value = values.find(output);
    if (declared == declaredValues.end() || value == values.end())
      continue;
    int32_t type = declared->second->type().tensor_type().elem_type();
    auto made = dyn_cast<RankedTensorType>(value->second.getType());
    Type found = made ? made.getElementType() : Type();
    Type expected = getOnnxElementType(builder.getContext(), type);
    if (expected && expected != found)
      return malformed("output " + quote(output) + " is declared as " +
                       getOnnxTypeName(type) +
                       ", but the operator makes another type");
  }
  return std::nullopt;
}

/// Finds the row for a node, and holds the node against it.
static std::optional<Failure>
findOperator(const onnx::NodeProto &node, int64_t opset, const Operator *&row) {
  StringRef domain = node.domain();
  bool isStandard = domain.empty() || domain == "ai.onnx";
  if (!isStandard && domain != "com.microsoft" && domain != "ai.onnx.preview")
    return unsupported("operators of domain " + quote(domain) +
                           " are not supported",
                       "export the model with standard operators and functions "
                       "that it defines itself");
  int64_t since;
  row = isStandard
            ? lookupOperator(node.op_type(), opset, since)
            : lookupOperator((domain + "." + node.op_type()).str(), 1, since);
  if (!row && since != 0)
    return malformed("the operator came with opset " + Twine(since) +
                     ", but the model has opset " + Twine(opset));
  if (!row)
    return unsupported("the operator is not supported",
                       "qopt-compile --list-operators prints the supported "
                       "ones, as does docs/onnx-operators.md; export the model "
                       "with these");
  llvm::StringSet<> names;
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (!names.insert(attribute.name()).second)
      return malformed("attribute " + quote(attribute.name()) + " comes twice");
  size_t found = node.input_size();
  if (found >= row->minInputs && found <= row->maxInputs)
    return std::nullopt;
  std::string expected = std::to_string(row->minInputs) + " inputs";
  if (row->maxInputs == kAnyNumber)
    expected += " or more";
  else if (row->maxInputs != row->minInputs)
    expected += " or more, at most " + std::to_string(row->maxInputs);
  return malformed("expects " + expected + ", but found " + Twine(found));
}

std::optional<Failure>
GraphImporter::getInputs(const onnx::NodeProto &node, const Operator &row,
                         SmallVectorImpl<Value> &inputs) {
  inputs.resize(node.input_size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!node.input(i).empty()) {
      if (auto failure = getValue(node.input(i), inputs[i]))
        return failure;
      if (!row.takesLists && !isa<RankedTensorType>(inputs[i].getType()))
        return unsupported("input " + Twine(i) +
                               " is a sequence or optional, which the operator "
                               "is not supported with",
                           "take tensors from it by SequenceAt or "
                           "ConcatFromSequence");
    } else if (i >= row.optionalInputs &&
               (i < row.minInputs || row.maxInputs == kAnyNumber)) {
      return malformed("expects input " + Twine(i) + ", but it is left out");
    }
  }
  return std::nullopt;
}

std::optional<Failure> GraphImporter::bindOutputs(const onnx::NodeProto &node,
                                                  ArrayRef<Value> outputs) {
  for (auto [i, name] : llvm::enumerate(node.output())) {
    if (name.empty())
      continue;
    if (initializers.contains(name) || values.contains(name))
      return malformed("output " + quote(name) +
                       " has the name of another value");
    if (outputs[i])
      values[name] = outputs[i];
    else if (usedNames.contains(name))
      return unsupported("output " + Twine(i) + ", " + quote(name) +
                         ", is not supported");
  }
  return checkDeclaredTypes(node);
}

Location GraphImporter::addNodeRow(const onnx::NodeProto &node, int index) {
  MLIRContext *context = builder.getContext();
  std::string name = getName(node, index);
  if (StringRef(node.op_type()) == "Constant")
    return NameLoc::get(builder.getStringAttr(name));
  SmallVector<Attribute> &rows = getRoot().nodeRows;
  int64_t id = rows.size();
  rows.push_back(NodeInfoAttr::get(context, id, name, node.op_type()));
  return getNodeLocation(context, id, name);
}

std::optional<Failure> GraphImporter::importNode(int index) {
  const onnx::NodeProto &node = graph.node(index);
  const Operator *row;
  SmallVector<Value> inputs;
  if (auto failure = findOperator(node, opset, row))
    return failure;
  if (auto failure = getInputs(node, *row, inputs))
    return failure;
  NodeImporter importer(node, opset, builder, addNodeRow(node, index), inputs,
                        tensors, *this);
  if (failed(row->import(importer)) || importer.getFailure() ||
      failed(importer.checkAttributesKnown()))
    return importer.getFailure();
  return bindOutputs(node, importer.getOutputs());
}

std::optional<Failure> GraphImporter::checkNode(int index) {
  const Operator *row;
  return findOperator(graph.node(index), opset, row);
}

bool GraphImporter::usesMissing(const onnx::NodeProto &node) const {
  bool uses = false;
  forEachUse(node, [&](StringRef name) { uses |= missing.contains(name); });
  return uses || (outer && outer->usesMissing(node));
}

/// Where the model states what a refused node makes, the nodes behind it can
/// still be looked at; the module is thrown away.
void GraphImporter::standInForOutputs(const onnx::NodeProto &node) {
  for (const std::string &output : node.output()) {
    if (output.empty() || values.contains(output))
      continue;
    auto info = declaredValues.find(output);
    DeclaredTensor declared;
    if (info == declaredValues.end() || readDeclared(*info->second, declared) ||
        !declared.shape) {
      missing.insert(output);
      continue;
    }
    auto type = RankedTensorType::get(*declared.shape, declared.elementType);
    values[output] =
        function.front().addArgument(type, builder.getUnknownLoc());
  }
}

/// Several refusals as one: a line for each node, each note once.
static Failure joinRefusals(ArrayRef<Failure> refusals) {
  static constexpr size_t kMaxLines = 100;
  if (refusals.size() == 1)
    return refusals.front();
  Failure joined =
      unsupported(Twine(refusals.size()) + " nodes are not supported");
  llvm::SetVector<StringRef> notes;
  for (const Failure &refusal : refusals.take_front(kMaxLines))
    joined.what += "\n  " + refusal.what;
  for (const Failure &refusal : refusals)
    notes.insert(getNote(refusal));
  if (refusals.size() > kMaxLines)
    joined.what +=
        "\n  and " + std::to_string(refusals.size() - kMaxLines) + " more";
  joined.note = llvm::join(notes, "\nnote: ");
  return joined;
}

/// Who has to change a model wants to know every node in the way. A fault of
/// the model itself is told alone: what stands behind it means nothing.
std::optional<Failure> GraphImporter::importNodes() {
  SmallVector<Failure> refusals;
  for (int i = 0, e = graph.node_size(); i < e; ++i) {
    const onnx::NodeProto &node = graph.node(i);
    bool isKnown = !usesMissing(node);
    auto failure = isKnown ? importNode(i) : checkNode(i);
    if (!failure && isKnown)
      continue;
    if (failure && failure->code == ExitCode::Unsupported)
      refusals.push_back(about(describe(node, i), std::move(*failure)));
    else if (failure && refusals.empty())
      return about(describe(node, i), std::move(*failure));
    standInForOutputs(node);
  }
  if (refusals.empty())
    return std::nullopt;
  return joinRefusals(refusals);
}

std::optional<Failure>
GraphImporter::importOutput(const onnx::ValueInfoProto &output,
                            SmallVectorImpl<Value> &results) {
  Value value;
  if (auto failure = getValue(output.name(), value))
    return failure;
  if (!isa<RankedTensorType>(value.getType()))
    return unsupported(kTensorsOnly);
  DeclaredTensor declared;
  bool hasType = output.type().value_case() != onnx::TypeProto::VALUE_NOT_SET;
  if (hasType)
    if (auto failure = readDeclared(output, declared))
      return failure;
  if (hasType && declared.elementType != importer::getElementType(value))
    return malformed("is declared with another type than it has");
  ArrayRef<int64_t> shape = importer::getType(value).getShape();
  // What the model says of the dims is not proven: only its names are taken.
  if (!declared.shape || declared.shape->size() != shape.size())
    declared.symbols.clear();
  if (failed(function.insertResult(
          results.size(), value.getType(),
          makeTensorAttrs(output.name(), shape, declared.symbols))))
    return malformed("cannot be a result");
  results.push_back(value);
  return std::nullopt;
}

std::optional<Failure> GraphImporter::importOutputs() {
  if (graph.output_size() == 0)
    return malformed("expects an output, but the graph has none");
  SmallVector<Value> results;
  llvm::StringSet<> names;
  for (const onnx::ValueInfoProto &output : graph.output()) {
    std::string subject = "output " + quote(output.name());
    if (!names.insert(output.name()).second)
      return about(subject, malformed("is an output twice"));
    if (auto failure = importOutput(output, results))
      return about(subject, std::move(*failure));
  }
  func::ReturnOp::create(builder, builder.getUnknownLoc(), results);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Graphs inside of nodes
//===----------------------------------------------------------------------===//

std::optional<Failure> GraphImporter::bindArguments(ArrayRef<Value> arguments) {
  for (const onnx::ValueInfoProto &input : graph.input()) {
    if (initializers.contains(input.name()))
      continue;
    std::string subject = "input " + quote(input.name());
    if (arguments.empty())
      return about(subject, malformed("is one more than the operator gives"));
    Value value = arguments.front();
    arguments = arguments.drop_front();
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    Type declared = getOnnxElementType(builder.getContext(),
                                       input.type().tensor_type().elem_type());
    if (tensor && declared && declared != tensor.getElementType())
      return about(subject, malformed("is declared as " + toString(declared) +
                                      ", but the operator gives " +
                                      toString(tensor.getElementType())));
    if (!values.try_emplace(input.name(), value).second)
      return about(subject, malformed("expects a name of its own, but another "
                                      "input has it"));
  }
  if (arguments.empty())
    return std::nullopt;
  return malformed("expects " + Twine(arguments.size()) +
                   " inputs more than the graph has");
}

std::optional<Failure> GraphImporter::runBody(ArrayRef<Value> arguments,
                                              SmallVectorImpl<Value> &results) {
  if (auto failure = readNames())
    return failure;
  if (auto failure = bindArguments(arguments))
    return failure;
  if (auto failure = importNodes())
    return failure;
  for (const onnx::ValueInfoProto &output : graph.output()) {
    Value value;
    if (auto failure = getValue(output.name(), value))
      return about("output " + quote(output.name()), std::move(*failure));
    results.push_back(value);
  }
  return std::nullopt;
}

/// Of loops in loops. Each body is imported more than once, and all in it.
static constexpr int kMaxLoops = 4;

std::optional<Failure>
GraphImporter::importBody(const onnx::GraphProto &body, bool isLoop,
                          Block &block, ArrayRef<Value> arguments,
                          SmallVectorImpl<Value> &results) {
  GraphImporter inner(body, *this, isLoop, block);
  if (inner.numLoops > kMaxLoops)
    return unsupported("more than " + Twine(kMaxLoops) +
                       " loops inside of each other are not supported");
  return inner.runBody(arguments, results);
}

std::optional<Failure> GraphImporter::run(ArrayRef<InputShape> shapes,
                                          OwningOpRef<ModuleOp> &module) {
  if (auto failure = readNames())
    return failure;
  module = ModuleOp::create(NameLoc::get(builder.getStringAttr(graph.name())));
  builder.setInsertionPointToEnd(module->getBody());
  function = func::FuncOp::create(builder, module->getLoc(), "main",
                                  builder.getFunctionType({}, {}));
  block = function.addEntryBlock();
  builder.setInsertionPointToEnd(block);
  if (auto failure = importInputs())
    return failure;
  // As if the model stated these dims: no node knows better.
  if (auto failure = fixShapes(function, shapes))
    return failure;
  if (auto failure = importNodes())
    return failure;
  if (auto failure = importOutputs())
    return failure;
  // Those that were reshaped, or that became attributes.
  function.walk([](ConstantOp constant) {
    if (constant->use_empty())
      constant.erase();
  });
  (*module)->setAttr(kNodesAttrName, builder.getArrayAttr(nodeRows));
  return std::nullopt;
}

std::optional<Failure>
qopt::importer::importGraph(const onnx::GraphProto &graph, int64_t opset,
                            ArrayRef<InputShape> shapes, TensorReader &tensors,
                            MLIRContext *context,
                            OwningOpRef<ModuleOp> &module) {
  return GraphImporter(graph, opset, tensors, context).run(shapes, module);
}
