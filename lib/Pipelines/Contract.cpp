//===- Contract.cpp - What became of each ONNX node -----------------------===//
//
// Node ids travel in locations, so the contract reads what the IR is, not what
// passes say they did.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Contract.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
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

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static bool isContraction(Operation *op) {
  return isa<ConvOp, MatMulOp, GemmOp, qopt::AttentionOp>(op);
}

ContractRow *Contract::find(int64_t id) {
  auto it = llvm::lower_bound(
      rows, id, [](const ContractRow &row, int64_t id) { return row.id < id; });
  return it != rows.end() && it->id == id ? &*it : nullptr;
}

void Contract::start(ModuleOp module, StringRef asked) {
  auto table = module->getAttrOfType<ArrayAttr>(kNodesAttrName);
  if (!table)
    return;
  for (Attribute attr : table) {
    auto info = cast<NodeInfoAttr>(attr);
    ContractRow &row = rows.emplace_back();
    row.id = info.getId();
    row.node = info.getName().str();
    row.op = info.getOp().str();
    row.asked = asked.str();
  }
  llvm::sort(rows, [](const ContractRow &a, const ContractRow &b) {
    return a.id < b.id;
  });
}

/// `i8 x i8 static`, or the model's own types.
static std::string describePlan(RequestAttr request) {
  if (request.getParams() == "float")
    return "float";
  std::string act = request.getAct() ? request.getAct().getName().str() : "float";
  std::string text = act + " x " + request.getWeight().getName().str();
  if (request.getAct() && !request.getAct().isBlocked())
    text += " " + request.getParams().str();
  return text;
}

void Contract::readPlan(ModuleOp module) {
  module.walk([&](Operation *op) {
    bool contraction = isContraction(op);
    auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
    if (!contraction && !request)
      return;
    for (int64_t id : getNodeIds(op->getLoc())) {
      ContractRow *row = find(id);
      // The op's first node is the contraction; others were fused into it.
      if (!row)
        continue;
      row->isContraction |= contraction;
      row->planned = request ? describePlan(request) : "float";
      if (request && request.getWhy())
        row->reason = request.getWhy().getValue().str();
    }
  });
  for (ContractRow &row : rows)
    if (row.planned.empty())
      row.planned = "float";
}

/// The formats that a contraction's operands have.
static std::string describeOperands(Value lhs, ValueRange lhsScales,
                                    std::optional<FormatAttr> lhsFormat, Value rhs,
                                    std::optional<FormatAttr> rhsFormat,
                                    bool isStatic) {
  auto nameOf = [](Value value, std::optional<FormatAttr> format) {
    Type type = typeOf(value).getElementType();
    if (type.isF32() || type.isF16() || type.isBF16())
      return std::string("float");
    return format ? format->getName().str() : textOf(type);
  };
  std::string left = nameOf(lhs, lhsFormat), right = nameOf(rhs, rhsFormat);
  if (left == "float" && right == "float")
    return "float";
  std::string text = left + " x " + right;
  if (left != "float" && !(lhsFormat && lhsFormat->isBlocked()))
    text += isStatic ? " static" : " dynamic";
  return text;
}

static bool isDynamicallyQuantized(Value value) {
  Operation *op = value.getDefiningOp();
  // Codes pass movement ops unchanged.
  while (op && !isa<QuantizeDynamicOp>(op) && op->getNumOperands() > 0 &&
         isa<TransposeOp, ReshapeOp, SliceOp, SqueezeOp, UnsqueezeOp, FlattenOp>(op))
    op = op->getOperand(0).getDefiningOp();
  return isa_and_nonnull<QuantizeDynamicOp>(op);
}

static std::string describeResult(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op)) {
    // Depthwise blocks are decoded in front of a float sum.
    auto x = conv.getX().getDefiningOp<DequantizeOp>();
    auto w = conv.getW().getDefiningOp<DequantizeOp>();
    if (w)
      return describeOperands(x ? x.getCodes() : conv.getX(), {},
                              x ? x.getFormat() : std::nullopt, w.getCodes(),
                              w.getFormat(),
                              x && !isDynamicallyQuantized(x.getCodes()));
    return describeOperands(conv.getX(), conv.getXScales(), conv.getXFormat(),
                            conv.getW(), conv.getWFormat(),
                            !isDynamicallyQuantized(conv.getX()));
  }
  if (auto matmul = dyn_cast<MatMulOp>(op)) {
    auto w = matmul.getRhs().getDefiningOp<DequantizeOp>();
    if (w)
      return describeOperands(matmul.getLhs(), {}, std::nullopt, w.getCodes(),
                              w.getFormat(), false);
    return describeOperands(matmul.getLhs(), matmul.getLhsScales(),
                            matmul.getLhsFormat(), matmul.getRhs(),
                            matmul.getRhsFormat(),
                            !isDynamicallyQuantized(matmul.getLhs()));
  }
  if (auto gather = dyn_cast<GatherOp>(op)) {
    Type type = typeOf(gather.getX()).getElementType();
    if (!isa<FloatType>(type) || type.getIntOrFloatBitWidth() < 16) {
      for (Operation *user : gather.getResult().getUsers())
        if (auto dequantize = dyn_cast<DequantizeOp>(user);
            dequantize && dequantize.getFormat())
          return "float x " + dequantize.getFormat()->getName().str();
    }
  }
  return "float";
}

/// Products of one run; a dim that is unknown counts as 1.
static uint64_t countMacs(Operation *op) {
  uint64_t outputs = 1, products = 1;
  for (int64_t dim : typeOf(op->getResult(0)).getShape())
    outputs *= ShapedType::isDynamic(dim) ? 1 : dim;
  auto known = [](int64_t dim) -> uint64_t {
    return ShapedType::isDynamic(dim) ? 1 : dim;
  };
  if (auto conv = dyn_cast<ConvOp>(op))
    for (int64_t dim : typeOf(conv.getW()).getShape().drop_front())
      products *= known(dim);
  else if (auto matmul = dyn_cast<MatMulOp>(op))
    products = known(typeOf(matmul.getLhs()).getShape().back());
  else if (auto attention = dyn_cast<qopt::AttentionOp>(op))
    products = known(typeOf(attention.getQuery()).getShape().back()) +
               known(typeOf(attention.getKey()).getDimSize(
                   typeOf(attention.getKey()).getRank() - 2));
  return outputs * products;
}

static void countBytes(ConstantOp constant, WeightBytes &bytes) {
  auto type = typeOf(constant.getResult());
  uint64_t size = (type.getNumElements() *
                       uint64_t(getPackedBitWidth(type.getElementType())) +
                   7) / 8;
  bool isScale = false;
  for (OpOperand &use : constant.getResult().getUses()) {
    Operation *user = use.getOwner();
    if (auto dequantize = dyn_cast<DequantizeOp>(user))
      isScale |= use.getOperandNumber() != 0;
    else if (auto quantize = dyn_cast<QuantizeOp>(user))
      isScale |= use.getOperandNumber() != 0;
    else if (auto matmul = dyn_cast<MatMulOp>(user))
      isScale |= use.get() != matmul.getRhs() && use.get() != matmul.getLhs();
    else if (auto conv = dyn_cast<ConvOp>(user))
      isScale |= use.get() != conv.getW() && use.get() != conv.getBias() &&
                 use.get() != conv.getX();
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

void Contract::readResult(ModuleOp module, StringRef phase) {
  llvm::DenseSet<int64_t> alive;
  bytes = WeightBytes();
  module.walk([&](Operation *op) {
    if (auto constant = dyn_cast<ConstantOp>(op))
      return countBytes(constant, bytes);
    if (!op->getDialect() || op->getDialect()->getNamespace() != "qopt")
      return;
    SmallVector<int64_t> ids = getNodeIds(op->getLoc());
    alive.insert(ids.begin(), ids.end());
    bool contraction = isContraction(op);
    if (!contraction && !isa<GatherOp>(op))
      return;
    uint64_t macs = contraction ? countMacs(op) : 0;
    for (int64_t id : ids)
      if (ContractRow *row = find(id)) {
        std::string realised = describeResult(op);
        if (contraction || row->realised.empty() || realised != "float")
          row->realised = realised;
        row->isContraction |= contraction;
        // Nodes fused into a contraction do not count its products again.
        row->macs = std::max(row->macs, id == ids.front() ? macs : 0);
      }
  });
  for (ContractRow &row : rows) {
    if (!row.realised.empty())
      continue;
    if (alive.contains(row.id)) {
      row.realised = "float";
      continue;
    }
    row.realised = row.planned;
    row.kernel = ("folded in " + phase).str();
  }
}

void Contract::readKernels(ModuleOp module) {
  module.walk([&](Operation *op) {
    bool isKernel = kernel::isKernel(op);
    if (!isKernel && (op->getParentOp() && kernel::isKernel(op->getParentOp())))
      return;
    if (!op->getDialect() ||
        (!isKernel && op->getDialect()->getNamespace() != "qopt") ||
        isa<ConstantOp>(op))
      return;
    auto name = op->getAttrOfType<StringAttr>("kernel");
    auto reason = op->getAttrOfType<StringAttr>("reason");
    auto mark = [&](Location loc) {
      for (int64_t id : getNodeIds(loc))
        if (ContractRow *row = find(id)) {
          row->kernel = name ? name.getValue().str() : "generic";
          if (reason && row->reason.empty())
            row->reason = reason.getValue().str();
        }
    };
    mark(op->getLoc());
    if (isKernel)
      op->walk([&](Operation *inner) { mark(inner->getLoc()); });
  });
}

std::vector<const ContractRow *>
Contract::findBreaches(StringRef level) const {
  std::vector<const ContractRow *> breaches;
  for (const ContractRow &row : rows) {
    bool isBreach = row.realised != row.planned;
    if (level == "any" || level == "slow")
      isBreach |= row.isContraction && row.asked != "fp32" && row.realised == "float";
    if (level == "slow")
      isBreach |= row.kernel == "generic";
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
  for (const ContractRow &row : rows)
    table.push_back(llvm::json::Object{{"node", row.node},
                                       {"op", row.op},
                                       {"asked", row.asked},
                                       {"planned", row.planned},
                                       {"realised", row.realised},
                                       {"kernel", row.kernel},
                                       {"reason", row.reason}});
  return table;
}

std::string Contract::summarize() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "multiply-accumulates:";
  for (auto &[precision, share] : shareOfMacs())
    os << llvm::format(" %.1f%% ", share * 100) << precision << ";";
  os << "\nweights: " << bytes.total() << " bytes (";
  for (auto &[type, size] : bytes.codes)
    os << type << " " << size << ", ";
  os << "scales " << bytes.scales << ", float " << bytes.floats << ")\n";
  int fallbacks = findBreaches("planned").size();
  os << "nodes: " << rows.size() << ", realised otherwise than planned: "
     << fallbacks << "\n";
  return text;
}
