//===- InlineFunctions.cpp - Calls of a model's own functions -------------===//
//
// A value inside of a function gets the name of the call in front of its own,
// so that no two calls make one name. Few functions that call each other can
// stand for very many nodes: their number is bounded.
//
//===----------------------------------------------------------------------===//

#include "InlineFunctions.h"
#include "llvm/ADT/StringMap.h"

using namespace qopt;
using namespace qopt::importer;
using llvm::StringRef;
using llvm::Twine;
using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

static constexpr int kMaxDepth = 64;
static constexpr int64_t kMaxNodes = 1 << 20;

namespace {
class Inliner {
public:
  explicit Inliner(int64_t opset) : opset(opset) {}

  std::optional<Failure> add(const onnx::FunctionProto &function);
  std::optional<Failure> expand(Nodes &nodes, int depth);

private:
  std::optional<Failure> expandCall(const onnx::NodeProto &call,
                                    const onnx::FunctionProto &function,
                                    Nodes &result, int depth);
  std::optional<Failure> checkOpset(const onnx::FunctionProto &function) const;

  llvm::StringMap<const onnx::FunctionProto *> functions;
  int64_t opset;
  int64_t numNodes = 0, numCalls = 0;
};

/// The names of one call.
class Renaming {
public:
  explicit Renaming(std::string prefix) : prefix(std::move(prefix)) {}

  void set(StringRef name, StringRef value) { names[name] = value.str(); }
  bool has(StringRef name) const { return names.contains(name); }
  std::string get(StringRef name) const {
    auto found = names.find(name);
    if (name.empty() || found != names.end())
      return name.empty() ? std::string() : found->second;
    return prefix + name.str();
  }
  const std::string &getPrefix() const { return prefix; }

  void rename(onnx::NodeProto &node) const;
  void rename(onnx::GraphProto &graph) const;

private:
  std::string prefix;
  llvm::StringMap<std::string> names;
};
} // namespace

static std::string getKey(StringRef domain, StringRef name,
                          StringRef overload) {
  if (domain == "ai.onnx")
    domain = "";
  return (domain + "\n" + name + "\n" + overload).str();
}

void Renaming::rename(onnx::NodeProto &node) const {
  for (std::string &input : *node.mutable_input())
    input = get(input);
  for (std::string &output : *node.mutable_output())
    output = get(output);
  for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.has_g())
      rename(*attribute.mutable_g());
    for (onnx::GraphProto &graph : *attribute.mutable_graphs())
      rename(graph);
  }
}

void Renaming::rename(onnx::GraphProto &graph) const {
  for (onnx::NodeProto &node : *graph.mutable_node())
    rename(node);
  for (onnx::TensorProto &tensor : *graph.mutable_initializer())
    tensor.set_name(get(tensor.name()));
  for (auto *list : {graph.mutable_input(), graph.mutable_output(),
                     graph.mutable_value_info()})
    for (onnx::ValueInfoProto &value : *list)
      value.set_name(get(value.name()));
}

std::optional<Failure> Inliner::add(const onnx::FunctionProto &function) {
  std::string key =
      getKey(function.domain(), function.name(), function.overload());
  if (!functions.try_emplace(key, &function).second)
    return malformed("expects functions of different names, but found two of " +
                     quote(function.name()));
  return std::nullopt;
}

std::optional<Failure>
Inliner::checkOpset(const onnx::FunctionProto &function) const {
  for (const onnx::OperatorSetIdProto &entry : function.opset_import())
    if ((entry.domain().empty() || entry.domain() == "ai.onnx") &&
        entry.version() != opset)
      return unsupported("function " + quote(function.name()) + " has opset " +
                             Twine(entry.version()) + ", but the model has " +
                             Twine(opset),
                         "inline it with "
                         "onnx.inliner.inline_local_functions");
  return std::nullopt;
}

/// Gives attributes that refer to one of the call its value, or the default of
/// the function, or takes them away; in subgraphs too.
static void resolveAttributes(onnx::NodeProto &node,
                              const onnx::NodeProto &call,
                              const onnx::FunctionProto &function) {
  google::protobuf::RepeatedPtrField<onnx::AttributeProto> kept;
  for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.has_g())
      for (onnx::NodeProto &inner : *attribute.mutable_g()->mutable_node())
        resolveAttributes(inner, call, function);
    if (attribute.ref_attr_name().empty()) {
      kept.Add()->Swap(&attribute);
      continue;
    }
    const onnx::AttributeProto *value = nullptr;
    for (const onnx::AttributeProto &given : call.attribute())
      if (given.name() == attribute.ref_attr_name())
        value = &given;
    for (const onnx::AttributeProto &absent : function.attribute_proto())
      if (!value && absent.name() == attribute.ref_attr_name())
        value = &absent;
    if (!value)
      continue;
    std::string name = attribute.name();
    onnx::AttributeProto *copy = kept.Add();
    *copy = *value;
    copy->set_name(name);
  }
  node.mutable_attribute()->Swap(&kept);
}

static void addIdentity(Nodes &nodes, const std::string &from,
                        const std::string &to) {
  onnx::NodeProto *node = nodes.Add();
  node->set_op_type("Identity");
  node->add_input(from);
  node->add_output(to);
}

std::optional<Failure> Inliner::expandCall(const onnx::NodeProto &call,
                                           const onnx::FunctionProto &function,
                                           Nodes &result, int depth) {
  if (depth > kMaxDepth)
    return malformed("function " + quote(function.name()) +
                     " calls functions more than " + Twine(kMaxDepth) +
                     " deep, or itself");
  if (call.input_size() > function.input_size() ||
      call.output_size() > function.output_size())
    return malformed("function " + quote(function.name()) + " has " +
                     Twine(function.input_size()) + " inputs and " +
                     Twine(function.output_size()) +
                     " outputs, but a call has more");
  if (auto failure = checkOpset(function))
    return failure;
  std::string name = call.name().empty()
                         ? function.name() + "#" + std::to_string(numCalls)
                         : call.name();
  // Numbered: the names of calls need not differ.
  Renaming names(name + "." + std::to_string(numCalls++) + "/");
  for (int i = 0; i < function.input_size(); ++i)
    names.set(function.input(i),
              i < call.input_size() ? StringRef(call.input(i)) : StringRef());
  Nodes inner, behind;
  for (int i = 0; i < call.output_size(); ++i) {
    if (call.output(i).empty())
      continue;
    // What is an input too, or an output twice, is copied.
    if (names.has(function.output(i)))
      addIdentity(behind, names.get(function.output(i)), call.output(i));
    else
      names.set(function.output(i), call.output(i));
  }
  for (const onnx::NodeProto &node : function.node()) {
    onnx::NodeProto *copy = inner.Add();
    *copy = node;
    resolveAttributes(*copy, call, function);
    names.rename(*copy);
    copy->set_name(name + "/" +
                   (node.name().empty()
                        ? node.op_type() + "#" + std::to_string(inner.size())
                        : node.name()));
  }
  for (onnx::NodeProto &node : behind)
    inner.Add()->Swap(&node);
  if (auto failure = expand(inner, depth + 1))
    return failure;
  for (onnx::NodeProto &node : inner)
    result.Add()->Swap(&node);
  return std::nullopt;
}

std::optional<Failure> Inliner::expand(Nodes &nodes, int depth) {
  Nodes result;
  for (onnx::NodeProto &node : nodes) {
    if (++numNodes > kMaxNodes)
      return unsupported("functions make more than " + Twine(kMaxNodes) +
                         " nodes");
    for (onnx::AttributeProto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        if (auto failure =
                expand(*attribute.mutable_g()->mutable_node(), depth + 1))
          return failure;
    auto function =
        functions.find(getKey(node.domain(), node.op_type(), node.overload()));
    if (function == functions.end())
      result.Add()->Swap(&node);
    else if (auto failure =
                 expandCall(node, *function->second, result, depth + 1))
      return failure;
  }
  nodes.Swap(&result);
  return std::nullopt;
}

std::optional<Failure> qopt::importer::inlineFunctions(onnx::ModelProto &model,
                                                       int64_t opset) {
  if (model.functions_size() == 0)
    return std::nullopt;
  Inliner inliner(opset);
  for (const onnx::FunctionProto &function : model.functions())
    if (auto failure = inliner.add(function))
      return failure;
  return inliner.expand(*model.mutable_graph()->mutable_node(), 0);
}
