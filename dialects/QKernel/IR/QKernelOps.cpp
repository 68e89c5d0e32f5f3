//===- QKernelOps.cpp - The qkernel dialect -------------------------------===//
//
// All kernels share one text form, one verifier and one decomposition.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

#include "dialects/QKernel/IR/QKernelDialect.cpp.inc"

bool kernel::isKernel(Operation *op) {
  return isa<ContractOp, DepthwiseConvOp, kernel::AttentionOp, RowsOp, MapOp>(
      op);
}

StringRef kernel::getKernelNameAttrName(Operation *op) {
  return isKernel(op) ? "kernel" : "qopt.kernel";
}

StringRef kernel::getReasonAttrName(Operation *op) {
  return isKernel(op) ? "reason" : "qopt.reason";
}

bool kernel::needsKernel(Operation *op) {
  if (isKernel(op))
    return true;
  bool isInKernel = op->getParentOp() && isKernel(op->getParentOp());
  return !isInKernel && isa_and_nonnull<QOptDialect>(op->getDialect()) &&
         !isa<ConstantOp, ObserveOp>(op);
}

bool kernel::isView(Operation *op) {
  return isa<BitCastOp, ReshapeOp, FlattenOp, SqueezeOp, UnsqueezeOp>(op);
}

bool kernel::isEpilogueOp(Operation *op) {
  return op->hasTrait<ElementwiseTrait>() || op->hasTrait<EpilogueTrait>();
}

std::optional<KernelFamily> kernel::getFamily(Operation *kernel) {
  using Family = std::optional<KernelFamily>;
  return llvm::TypeSwitch<Operation *, Family>(kernel)
      .Case([](ContractOp) { return KernelFamily::Contract; })
      .Case([](DepthwiseConvOp) { return KernelFamily::DepthwiseConv; })
      .Case([](kernel::AttentionOp) { return KernelFamily::Attention; })
      .Case([](RowsOp) { return KernelFamily::Rows; })
      .Default([](Operation *) { return std::nullopt; });
}

template <class KernelOp>
static Operation *create(OpBuilder &builder, Location loc, TypeRange results,
                         ValueRange inputs) {
  return KernelOp::create(builder, loc, results, inputs,
                          /*kernel=*/StringAttr(), /*reason=*/StringAttr());
}

Operation *kernel::createKernel(OpBuilder &builder, Location loc,
                                Operation *root, TypeRange results,
                                ValueRange inputs) {
  if (!root)
    return create<MapOp>(builder, loc, results, inputs);
  switch (cast<KernelRootOpInterface>(root).getKernelFamily()) {
  case KernelFamily::Contract:
    return create<ContractOp>(builder, loc, results, inputs);
  case KernelFamily::DepthwiseConv:
    return create<DepthwiseConvOp>(builder, loc, results, inputs);
  case KernelFamily::Attention:
    return create<kernel::AttentionOp>(builder, loc, results, inputs);
  case KernelFamily::Rows:
    return create<RowsOp>(builder, loc, results, inputs);
  }
  llvm_unreachable("all families have a kernel");
}

static int64_t rankOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

bool kernel::quantizesRows(QuantizeDynamicOp op) {
  int64_t rank = rankOf(op.getX());
  FormatAttr format = op.getFormat();
  if (rank == 0)
    return false;
  bool isOfBlocks = format.isBlocked() && op.getScales().size() == 1;
  return isOfBlocks ? format.getAxis() == rank - 1 : op.getPer() == Per::Row;
}

//===----------------------------------------------------------------------===//
// Text form: qkernel.map(%a, %b) {kernel = ...} (%x: T, %y: T) -> R { ... } :
// T, T
//===----------------------------------------------------------------------===//

static void printKernel(Operation *op, OpAsmPrinter &printer) {
  Block &block = op->getRegion(0).front();
  printer << "(" << op->getOperands() << ")";
  printer.printOptionalAttrDict(op->getAttrs());
  printer << " : ";
  printer.printFunctionalType(op);
  printer << " ";
  printer << "(";
  llvm::interleaveComma(block.getArguments(), printer, [&](BlockArgument arg) {
    printer.printRegionArgument(arg);
  });
  printer << ") ";
  printer.printRegion(op->getRegion(0), /*printEntryBlockArgs=*/false);
}

static ParseResult parseKernel(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<OpAsmParser::Argument> arguments;
  FunctionType type;
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseOperandList(operands, OpAsmParser::Delimiter::Paren) ||
      parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColonType(type) ||
      parser.resolveOperands(operands, type.getInputs(), where,
                             result.operands) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren,
                               /*allowType=*/true) ||
      parser.parseRegion(*result.addRegion(), arguments))
    return failure();
  result.addTypes(type.getResults());
  return success();
}

static bool isRootOf(Operation *kernel, Operation *op) {
  auto root = dyn_cast<KernelRootOpInterface>(op);
  return root && root.getKernelFamily() == getFamily(kernel);
}

static Operation *findRoot(Operation *kernel) {
  for (Operation &op : kernel->getRegion(0).front().without_terminator())
    if (isRootOf(kernel, &op))
      return &op;
  return nullptr;
}

/// What C4 and C5 allow beside the root.
static QuantizeDynamicOp findQuantizer(Operation *kernel) {
  Operation *root = findRoot(kernel);
  for (Operation &op : kernel->getRegion(0).front().without_terminator())
    if (auto quantizer = dyn_cast<QuantizeDynamicOp>(op);
        quantizer && &op != root)
      return quantizer;
  return {};
}

static LayerNormOp findPrologueNorm(Operation *kernel) {
  if (isa<ContractOp>(kernel))
    for (Operation &op : kernel->getRegion(0).front().without_terminator())
      if (auto norm = dyn_cast<LayerNormOp>(op))
        return norm;
  return {};
}

static LogicalResult verifyFrame(Operation *kernel) {
  Block &block = kernel->getRegion(0).front();
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  // kernel_c1
  if (!yield ||
      !llvm::equal(yield.getOperandTypes(),
                   llvm::map_range(kernel->getResultTypes(), withoutLayout)))
    return kernel->emitOpError("expects a body that yields the result types");
  // kernel_c2
  if (block.getNumArguments() != kernel->getNumOperands())
    return kernel->emitOpError("expects ")
           << kernel->getNumOperands() << " block arguments, but found "
           << block.getNumArguments();
  for (auto [argument, operand] :
       llvm::zip_equal(block.getArguments(), kernel->getOperands())) {
    Type logical = withoutLayout(operand.getType());
    auto pack = operand.getDefiningOp<PackOp>();
    if (pack && pack.getOperands().empty())
      return kernel->emitOpError("expects an operand that was packed");
    if (pack)
      logical = pack.getOperands().front().getType();
    if (argument.getType() != logical)
      return kernel->emitOpError("expects a block argument of type ")
             << logical << ", but found " << argument.getType();
  }
  return success();
}

/// Most ops of a body: its code has no branches, and the time to compile such
/// code grows faster than its length.
static constexpr size_t kMaxOps = 1024;

static LogicalResult verifyOps(Operation *kernel) {
  QuantizeDynamicOp quantizer = findQuantizer(kernel);
  LayerNormOp norm = findPrologueNorm(kernel);
  bool mayQuantize = isa<ContractOp, RowsOp>(kernel);
  // kernel_c7
  size_t ops = kernel->getRegion(0).front().getOperations().size();
  if (ops > kMaxOps)
    return kernel->emitOpError("expects at most ")
           << kMaxOps << " ops, but found " << ops;
  // kernel_c3
  int roots = 0;
  for (Operation &op : kernel->getRegion(0).front().without_terminator()) {
    bool isBeside = (mayQuantize && &op == quantizer) || &op == norm;
    if (isBeside || isEpilogueOp(&op))
      continue;
    if (!isRootOf(kernel, &op))
      return kernel->emitOpError("cannot hold '") << op.getName() << "'";
    ++roots;
  }
  int expected = isa<MapOp>(kernel) ? 0 : 1;
  if (roots != expected)
    return kernel->emitOpError("expects ")
           << expected << " root ops, but found " << roots;
  return success();
}

/// True if `value`, of a kernel's body, is made from what `op` makes.
static bool dependsOn(Value value, Operation *op) {
  SmallVector<Value> pending{value};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!pending.empty()) {
    Operation *maker = pending.pop_back_val().getDefiningOp();
    if (maker == op)
      return true;
    if (maker && seen.insert(maker).second)
      llvm::append_range(pending, maker->getOperands());
  }
  return false;
}

static LogicalResult verifyQuantizer(Operation *kernel) {
  QuantizeDynamicOp quantizer = findQuantizer(kernel);
  LayerNormOp norm = findPrologueNorm(kernel);
  Operation *root = findRoot(kernel);
  if (isa<ContractOp>(kernel)) {
    // kernel_c4
    OpOperand *rows = cast<KernelRootOpInterface>(root).getPrologueOperand();
    bool isLhs = quantizer && rows && rows->get() == quantizer.getCodes() &&
                 quantizer.getCodes().hasOneUse();
    if (quantizer && !isLhs)
      return kernel->emitOpError(
          "expects a quantizer that makes the lhs of 'qopt.matmul'");
    if (norm &&
        !(isLhs && norm->isBeforeInBlock(quantizer) && norm.makesWholeRows()))
      return kernel->emitOpError(
          "expects 'qopt.layer_norm' along the last axis "
          "in front of a quantizer");
  } else if (quantizer &&
             !(cast<KernelRootOpInterface>(root).makesWholeRows() &&
               dependsOn(quantizer.getX(), root))) {
    // kernel_c5
    return kernel->emitOpError("expects a quantizer only of rows that the root "
                               "normalizes along the last axis");
  }
  // kernel_c6
  if (quantizer && !quantizesRows(quantizer))
    return kernel->emitOpError(
        "expects a quantizer that makes the scales of a row from that row");
  return success();
}

static LogicalResult verifyKernel(Operation *kernel) {
  return success(succeeded(verifyFrame(kernel)) &&
                 succeeded(verifyOps(kernel)) &&
                 succeeded(verifyQuantizer(kernel)));
}

#define QOPT_KERNEL_METHODS(OP)                                                \
  ParseResult OP::parse(OpAsmParser &parser, OperationState &result) {         \
    return parseKernel(parser, result);                                        \
  }                                                                            \
  void OP::print(OpAsmPrinter &printer) { printKernel(*this, printer); }       \
  LogicalResult OP::verify() { return verifyKernel(*this); }                   \
  Operation *OP::getRoot() { return findRoot(*this); }                         \
  QuantizeDynamicOp OP::getQuantizer() { return findQuantizer(*this); }        \
  LayerNormOp OP::getPrologueNorm() { return findPrologueNorm(*this); }

QOPT_KERNEL_METHODS(ContractOp)
QOPT_KERNEL_METHODS(DepthwiseConvOp)
QOPT_KERNEL_METHODS(kernel::AttentionOp)
QOPT_KERNEL_METHODS(RowsOp)
QOPT_KERNEL_METHODS(MapOp)
#undef QOPT_KERNEL_METHODS

void kernel::decompose(Operation *op, RewriterBase &rewriter) {
  IRMapping mapping;
  Block &block = op->getRegion(0).front();
  for (auto [argument, operand] :
       llvm::zip_equal(block.getArguments(), op->getOperands())) {
    auto pack = operand.getDefiningOp<PackOp>();
    mapping.map(argument, pack ? pack.getOperands().front() : operand);
  }
  rewriter.setInsertionPoint(op);
  for (Operation &inner : block.without_terminator())
    rewriter.clone(inner, mapping);
  SmallVector<Value> results;
  for (Value value : block.getTerminator()->getOperands())
    results.push_back(mapping.lookup(value));
  rewriter.replaceOp(op, results);
}

#define GET_ATTRDEF_CLASSES
#include "dialects/QKernel/IR/QKernelAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/QKernel/IR/QKernelOps.cpp.inc"

void QKernelDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/QKernel/IR/QKernelAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// The kernels of targets
//===----------------------------------------------------------------------===//

void QKernelDialect::setKernels(StringRef target, KernelSource source) {
  kernelSources[target] = std::move(source);
}

const QKernelDialect::KernelSource *
QKernelDialect::findKernels(StringRef target) const {
  auto it = kernelSources.find(target);
  return it == kernelSources.end() ? nullptr : &it->second;
}

llvm::Expected<KernelList> TargetAttr::getKernels() const {
  auto &dialect = static_cast<QKernelDialect &>(getDialect());
  if (const auto *source = dialect.findKernels(getName()))
    return (*source)(getCpu());
  return llvm::createStringError("target '" + getName().str() +
                                 "' is not known here");
}

void QKernelDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/QKernel/IR/QKernelOps.cpp.inc"
      >();
}
