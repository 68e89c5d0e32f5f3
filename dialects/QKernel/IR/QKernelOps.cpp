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
  return isa<ContractOp, DepthwiseConvOp, kernel::AttentionOp, RowsOp, MapOp>(op);
}

StringRef kernel::getKernelNameAttrName(Operation *op) {
  return isKernel(op) ? "kernel" : "qopt.kernel";
}

StringRef kernel::getReasonAttrName(Operation *op) {
  return isKernel(op) ? "reason" : "qopt.reason";
}

bool kernel::isEpilogueOp(Operation *op) {
  return op->hasTrait<ElementwiseTrait>() ||
         isa<QuantizeOp, DequantizeOp, RequantizeOp, ShiftOp, DivideRoundOp, LookupOp,
             BatchNormOp>(op);
}

//===----------------------------------------------------------------------===//
// Text form: qkernel.map(%a, %b) {kernel = ...} (%x: T, %y: T) -> R { ... } : T, T
//===----------------------------------------------------------------------===//

static void printKernel(Operation *op, OpAsmPrinter &printer) {
  Block &block = op->getRegion(0).front();
  printer << "(" << op->getOperands() << ")";
  printer.printOptionalAttrDict(op->getAttrs());
  printer << " : ";
  printer.printFunctionalType(op);
  printer << " ";
  printer << "(";
  llvm::interleaveComma(block.getArguments(), printer,
                        [&](BlockArgument arg) { printer.printRegionArgument(arg); });
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
      parser.resolveOperands(operands, type.getInputs(), where, result.operands) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren,
                               /*allowType=*/true) ||
      parser.parseRegion(*result.addRegion(), arguments))
    return failure();
  result.addTypes(type.getResults());
  return success();
}

static bool isRootOf(Operation *kernel, Operation *op) {
  auto conv = dyn_cast<ConvOp>(op);
  bool isDepthwise =
      conv && conv.getGroup() > 1 &&
      cast<RankedTensorType>(conv.getX().getType()).getDimSize(1) ==
          static_cast<int64_t>(conv.getGroup());
  return llvm::TypeSwitch<Operation *, bool>(kernel)
      .Case([&](ContractOp) { return isa<MatMulOp>(op) || (conv && !isDepthwise); })
      .Case([&](DepthwiseConvOp) { return isDepthwise; })
      .Case([&](kernel::AttentionOp) { return isa<qopt::AttentionOp>(op); })
      .Case([&](RowsOp) {
        return isa<SoftmaxOp, LayerNormOp, ReduceOp, GlobalAveragePoolOp,
                   QuantizeDynamicOp>(op);
      })
      .Default([](Operation *) { return false; });
}

static Operation *findRoot(Operation *kernel) {
  for (Operation &op : kernel->getRegion(0).front().without_terminator())
    if (isRootOf(kernel, &op))
      return &op;
  return nullptr;
}

static LogicalResult verifyKernel(Operation *kernel) {
  Block &block = kernel->getRegion(0).front();
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  // kernel_c1
  if (!yield || yield.getOperandTypes() != kernel->getResultTypes())
    return kernel->emitOpError("expects a body that yields the result types");
  // kernel_c2
  if (block.getNumArguments() != kernel->getNumOperands())
    return kernel->emitOpError("expects ")
           << kernel->getNumOperands() << " block arguments, but found "
           << block.getNumArguments();
  for (auto [argument, operand] :
       llvm::zip_equal(block.getArguments(), kernel->getOperands())) {
    Type logical = operand.getType();
    if (auto pack = operand.getDefiningOp<PackOp>())
      logical = pack.getOperands().front().getType();
    if (argument.getType() != logical)
      return kernel->emitOpError("expects a block argument of type ")
             << logical << ", but found " << argument.getType();
  }
  // kernel_c3
  int roots = 0;
  for (Operation &op : block.without_terminator()) {
    if (isRootOf(kernel, &op))
      ++roots;
    else if (!isEpilogueOp(&op))
      return kernel->emitOpError("cannot hold '") << op.getName() << "'";
  }
  int expected = isa<MapOp>(kernel) ? 0 : 1;
  if (roots != expected)
    return kernel->emitOpError("expects ")
           << expected << " root ops, but found " << roots;
  return success();
}

#define QOPT_KERNEL_METHODS(OP)                                                \
  ParseResult OP::parse(OpAsmParser &parser, OperationState &result) {         \
    return parseKernel(parser, result);                                        \
  }                                                                            \
  void OP::print(OpAsmPrinter &printer) { printKernel(*this, printer); }       \
  LogicalResult OP::verify() { return verifyKernel(*this); }                   \
  Operation *OP::getRoot() { return findRoot(*this); }

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

void QKernelDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/QKernel/IR/QKernelOps.cpp.inc"
      >();
}
