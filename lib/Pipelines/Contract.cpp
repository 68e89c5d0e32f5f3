//===- Contract.cpp - What became of each ONNX node -----------------------===//
//
// Node ids travel in locations, so the contract reads what the IR is, not what
// passes say they did.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Contract.h"
#include "Precision.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Quantization/NodePattern.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace qopt;

uint64_t WeightBytes::total() const {
  uint64_t sum = scales + floats;
  for (auto &[type, size] : codes)
    sum += size;
  return sum;
}

static std::string textOf(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

const ContractRow *Contract::find(int64_t id) const {
  auto it = llvm::lower_bound(
      rows, id, [](const ContractRow &row, int64_t id) { return row.id < id; });
  return it != rows.end() && it->id == id ? &*it : nullptr;
}

ContractRow *Contract::find(int64_t id) {
  return const_cast<ContractRow *>(std::as_const(*this).find(id));
}

/// The node that computes the products: others were fused into it.
const ContractRow *Contract::findRowOfProducts(Location loc) const {
  auto id = findNodeOfProducts(
      getNodeIds(loc), [&](int64_t id) -> std::optional<StringRef> {
        const ContractRow *row = find(id);
        return row ? std::optional<StringRef>(row->op) : std::nullopt;
      });
  return id ? find(*id) : nullptr;
}

ContractRow *Contract::findRowOfProducts(Operation *contraction) {
  return const_cast<ContractRow *>(
      std::as_const(*this).findRowOfProducts(contraction->getLoc()));
}

std::string Contract::describeNode(Location loc) const {
  const ContractRow *row = findRowOfProducts(loc);
  return row ? "node \"" + row->node + "\" (" + row->op + ")" : "";
}

void Contract::start(ModuleOp module) {
  auto table = module->getAttrOfType<ArrayAttr>(kNodesAttrName);
  if (!table)
    return;
  for (Attribute attr : table) {
    auto info = cast<NodeInfoAttr>(attr);
    ContractRow &row = rows.emplace_back();
    row.id = info.getId();
    row.node = info.getName().str();
    row.op = info.getOp().str();
  }
  llvm::sort(rows, [](const ContractRow &a, const ContractRow &b) {
    return a.id < b.id;
  });
}

static bool isQOpt(Operation *op) {
  return op->getDialect() && op->getDialect()->getNamespace() == "qopt";
}

static bool readsDequantized(Operation *op) {
  return llvm::any_of(op->getOperands(), [](Value operand) {
    return operand.getDefiningOp<DequantizeOp>();
  });
}

void Contract::readPlan(func::FuncOp main, const Recipe &recipe,
                        StringRef phase) {
  llvm::DenseSet<int64_t> alive;
  main.walk([&](Operation *op) {
    if (!isQOpt(op))
      return;
    SmallVector<int64_t> ids = getNodeIds(op->getLoc());
    alive.insert(ids.begin(), ids.end());
    bool contraction = isContraction(op);
    auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
    ContractRow *products = findRowOfProducts(op);
    NodePrecision precision =
        products ? recipe.getPrecision(products->node, products->op)
                 : recipe.getPrecision(nullptr);
    // Policy leaves a request on every product but those that the model came
    // with codes for.
    bool isOfFile = !request && contraction && readsDequantized(op);
    if (!request && !isOfFile && !(contraction && precision.isFloat()))
      return;
    std::string asked = "float";
    if (products && (isa<GatherOp>(op) || (request && request.getWeight()) ||
                     getWeightedContraction(op)))
      asked = describeAsked(op, precision);
    for (int64_t id : ids) {
      ContractRow *row = find(id);
      // Without a request, what the model's own codes say stands.
      if (!row || (!request && !row->planned.empty()))
        continue;
      row->isContraction |= contraction;
      row->isPlanned = true;
      row->planned = request ? describeRequest(request) : describePrecision(op);
      if (row->asked.empty())
        row->asked = asked;
      if (request)
        row->reason = request.getWhy() ? request.getWhy().getValue().str() : "";
      else if (isOfFile && !precision.isFloat())
        row->reason = "from the file";
    }
  });
  for (ContractRow &row : rows)
    if (row.kernel.empty() && !alive.contains(row.id))
      row.kernel = ("folded in " + phase).str();
}

static void countBytes(ConstantOp constant, WeightBytes &bytes) {
  auto type = cast<RankedTensorType>(constant.getResult().getType());
  uint64_t size = (type.getNumElements() *
                       uint64_t(getPackedBitWidth(type.getElementType())) +
                   7) /
                  8;
  bool isScale = false;
  for (OpOperand &use : constant.getResult().getUses()) {
    Operation *user = use.getOwner();
    if (auto scaled = dyn_cast<ScaledOpInterface>(user))
      isScale |= llvm::any_of(
          scaled.getScaledTensors(), [&](const ScaledTensor &codes) {
            return llvm::is_contained(codes.scales, use.get()) ||
                   llvm::is_contained(codes.zeros, use.get());
          });
    else if (auto gather = dyn_cast<GatherOp>(user))
      isScale |= llvm::any_of(gather.getResult().getUses(), [](OpOperand &row) {
        return isa<DequantizeOp>(row.getOwner()) && row.getOperandNumber() != 0;
      });
    else
      isScale |= isa<RequantizeOp, ShiftOp>(user);
  }
  if (isScale)
    bytes.scales += size;
  else if (isa<Float32Type, Float16Type, BFloat16Type>(type.getElementType()))
    bytes.floats += size;
  else
    bytes.codes[textOf(type.getElementType())] += size;
}

/// A node in several pieces is what its widest piece is; integers are sums on
/// the way to codes.
static int rankOf(StringRef realised) {
  return llvm::StringSwitch<int>(realised)
      .Case("", 0)
      .Case("integer", 1)
      .Case("float", 3)
      .Default(2);
}

void Contract::readResult(func::FuncOp main, StringRef phase) {
  bytes = WeightBytes();
  main.walk([&](Operation *op) {
    if (auto constant = dyn_cast<ConstantOp>(op))
      return countBytes(constant, bytes);
    if (!isQOpt(op))
      return;
    bool contraction = isContraction(op);
    bool isDecided = contraction || op->hasAttr(kRequestAttrName);
    for (int64_t id : getNodeIds(op->getLoc())) {
      ContractRow *row = find(id);
      // A table's codes and scales are gathered apart, without a request.
      bool isTable = row && !row->isContraction && isa<GatherOp>(op);
      if (!row || (row->isPlanned && !isDecided && !isTable))
        continue;
      bool isProduct = row->isPlanned && (contraction || isa<GatherOp>(op));
      std::string realised =
          isProduct ? describePrecision(op) : describeValues(op);
      if (row->isPlanned && isTable && realised == "float" &&
          !row->realised.empty())
        continue;
      if (row->isPlanned || rankOf(realised) > rankOf(row->realised))
        row->realised = realised;
    }
    if (contraction)
      if (ContractRow *row = findRowOfProducts(op); row && row->isContraction)
        row->macs += countMacs(op);
  });
  for (ContractRow &row : rows)
    finish(row, phase);
}

/// Fills what no op said.
void Contract::finish(ContractRow &row, StringRef phase) {
  if (row.realised.empty()) {
    if (row.kernel.empty())
      row.kernel = ("folded in " + phase).str();
    // Products that policy planned may not vanish.
    row.realised = row.isPlanned ? "nothing" : "folded";
  }
  if (row.isPlanned)
    return;
  row.planned = row.realised;
  if (row.asked.empty())
    row.asked = row.realised;
}

void Contract::readKernels(ModuleOp module) {
  // The most capable machine is the last one, and so has the last word.
  for (auto variant : module.getOps<kernel::VariantOp>())
    readKernelsOf(variant);
}

/// What the ops of a variant say, each node once, in the order of the nodes.
std::vector<NodeKernel> Contract::findKernels(kernel::VariantOp variant) {
  std::map<int64_t, NodeKernel> told;
  variant.walk([&](Operation *op) {
    auto name =
        op->getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(op));
    if (!name)
      return;
    ContractRow *products = findRowOfKernel(op);
    auto reason = op->getAttrOfType<StringAttr>(kernel::getReasonAttrName(op));
    op->walk([&](Operation *inner) {
      for (int64_t id : getNodeIds(inner->getLoc())) {
        if (!find(id))
          continue;
        auto [it, isNew] = told.try_emplace(id);
        // What computes a node's products says more than what only follows.
        if (!isNew && !isContraction(inner))
          continue;
        NodeKernel &entry = it->second;
        entry.node = id;
        entry.kernel = name.getValue().str();
        if (products && !entry.products)
          entry.products = products->id;
        if (reason && entry.reason.empty())
          entry.reason = reason.getValue().str();
      }
    });
  });
  std::vector<NodeKernel> entries;
  for (auto &[id, entry] : told)
    entries.push_back(std::move(entry));
  return entries;
}

static ArrayAttr writeEntries(MLIRContext *context,
                              ArrayRef<NodeKernel> entries) {
  Builder b(context);
  SmallVector<Attribute> all;
  for (const NodeKernel &entry : entries) {
    NamedAttrList fields;
    fields.append("node", b.getI64IntegerAttr(entry.node));
    fields.append("kernel", b.getStringAttr(entry.kernel));
    if (!entry.reason.empty())
      fields.append("reason", b.getStringAttr(entry.reason));
    if (entry.products)
      fields.append("products", b.getI64IntegerAttr(*entry.products));
    all.push_back(fields.getDictionary(context));
  }
  return b.getArrayAttr(all);
}

/// What `writeEntries` wrote of one node; nothing for what it cannot have
/// written.
static std::optional<NodeKernel> readEntry(Attribute attribute) {
  auto fields = dyn_cast<DictionaryAttr>(attribute);
  if (!fields)
    return std::nullopt;
  auto node = fields.getAs<IntegerAttr>("node");
  auto kernel = fields.getAs<StringAttr>("kernel");
  auto reason = fields.getAs<StringAttr>("reason");
  auto products = fields.getAs<IntegerAttr>("products");
  auto isId = [](IntegerAttr number) {
    return number && number.getType().isInteger(64);
  };
  if (!isId(node) || !kernel || (products && !isId(products)) ||
      fields.size() != 2 + size_t(bool(reason)) + size_t(bool(products)))
    return std::nullopt;
  NodeKernel entry{node.getInt(), kernel.str(), reason ? reason.str() : "", {}};
  if (products)
    entry.products = products.getInt();
  return entry;
}

LogicalResult qopt::verifyNodeKernels(kernel::VariantOp variant) {
  auto entries = variant->getAttrOfType<ArrayAttr>(kNodeKernelsAttrName);
  std::optional<int64_t> last;
  for (Attribute attribute :
       entries ? entries.getValue() : ArrayRef<Attribute>()) {
    std::optional<NodeKernel> entry = readEntry(attribute);
    if (!entry || (last && entry->node <= *last))
      return variant.emitOpError("expects what runs each node, in the order of "
                                 "the nodes, but found ")
             << attribute << " in " << kNodeKernelsAttrName;
    last = entry->node;
  }
  if (!entries)
    return variant.emitOpError("does not say what runs each node in ")
           << kNodeKernelsAttrName;
  return success();
}

void Contract::writeKernels(ModuleOp module) {
  for (auto variant : module.getOps<kernel::VariantOp>())
    variant->setAttr(kNodeKernelsAttrName,
                     writeEntries(module.getContext(), findKernels(variant)));
}

void Contract::readKernelsOf(kernel::VariantOp variant) {
  std::string machine = variant.getTarget().getCpu().str();
  std::vector<NodeKernel> entries;
  if (auto written = variant->getAttrOfType<ArrayAttr>(kNodeKernelsAttrName))
    for (Attribute attribute : written)
      entries.push_back(*readEntry(attribute));
  else
    entries = findKernels(variant);
  for (const NodeKernel &entry : entries) {
    ContractRow *row = find(entry.node);
    if (!row)
      continue;
    row->kernel = entry.kernel;
    row->kernels.emplace_back(machine, entry.kernel);
    const ContractRow *products =
        entry.products ? find(*entry.products) : nullptr;
    if (products && !row->isPlanned && row->realised == "float")
      row->asked = row->planned = row->realised = "inside " + products->node;
    if (row->reason.empty())
      row->reason = entry.reason;
  }
}

/// The node whose products a kernel computes, of several the first; null where
/// it computes none.
ContractRow *Contract::findRowOfKernel(Operation *op) {
  ContractRow *row = nullptr;
  op->walk([&](Operation *inner) {
    if (!isContraction(inner))
      return WalkResult::advance();
    row = findRowOfProducts(inner);
    return WalkResult::interrupt();
  });
  return row;
}

std::vector<const ContractRow *> Contract::findBreaches(StringRef level) const {
  std::vector<const ContractRow *> breaches;
  for (const ContractRow &row : rows) {
    bool isBreach = row.realised != row.planned;
    if (level == "any" || level == "slow")
      isBreach |= row.realised != row.asked;
    if (level == "slow")
      isBreach |= llvm::any_of(row.kernels, [](const auto &entry) {
        return entry.second == kernel::kGeneric;
      });
    if (isBreach)
      breaches.push_back(&row);
  }
  return breaches;
}

std::map<std::string, double> Contract::shareOfMacs() const {
  std::map<std::string, double> shares;
  double total = 0;
  for (const ContractRow &row : rows)
    total += row.macs;
  for (const ContractRow &row : rows)
    if (row.macs > 0)
      shares[row.realised] += row.macs / total;
  return shares;
}

llvm::json::Value Contract::toJson() const {
  llvm::json::Array table;
  for (const ContractRow &row : rows) {
    llvm::json::Object kernels;
    for (auto &[machine, kernel] : row.kernels)
      kernels[machine] = kernel;
    table.push_back(llvm::json::Object{{"node", row.node},
                                       {"op", row.op},
                                       {"asked", row.asked},
                                       {"planned", row.planned},
                                       {"realised", row.realised},
                                       {"kernel", row.kernel},
                                       {"kernels", std::move(kernels)},
                                       {"reason", row.reason}});
  }
  return table;
}

std::string Contract::summarize() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "multiply-accumulates: ";
  auto shares = shareOfMacs();
  llvm::interleaveComma(shares, os, [&](const auto &entry) {
    os << llvm::format("%.1f%% ", entry.second * 100) << entry.first;
  });
  os << (shares.empty() ? "none" : "") << "\nweights: " << bytes.total()
     << " bytes (";
  for (auto &[type, size] : bytes.codes)
    os << type << " " << size << ", ";
  os << "scales " << bytes.scales << ", float " << bytes.floats << ")\n";
  int fallbacks = findBreaches("planned").size();
  os << "nodes: " << rows.size()
     << ", realised otherwise than planned: " << fallbacks << "\n";
  return text;
}
