//===- OutlineKernels.cpp - A function of each kernel ---------------------===//
//
// Where operands come from does not count: the body of a kernel sees nothing
// else from outside.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/EqualRegions.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "dialects/QOpt/IR/KnownIntegers.h"

#define DEBUG_TYPE "qkernel-outline"

namespace qopt::kernel {
#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;

//===----------------------------------------------------------------------===//
// Which ops are launched
//===----------------------------------------------------------------------===//

/// True for a tensor whose elements may be dims of others.
static bool isShortList(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return tensor.getElementType().isInteger() && tensor.hasStaticShape() &&
         tensor.getRank() <= 1 && tensor.getNumElements() <= kMaxKnownIntegers;
}

static bool isLaunched(Operation *op) {
  if (!kernel::needsKernel(op) || kernel::isView(op))
    return false;
  bool hasPacked = llvm::any_of(op->getOperands(), [](Value operand) {
    return operand.getDefiningOp<kernel::PackOp>();
  });
  return !hasPacked && !llvm::all_of(op->getResultTypes(), isShortList);
}

//===----------------------------------------------------------------------===//
// Which ops are equal
//===----------------------------------------------------------------------===//

/// All but where the results lie.
static DictionaryAttr attributesOf(Operation *op) {
  NamedAttrList attributes(op->getAttrDictionary());
  attributes.erase(kernel::kOutputsAttrName);
  return attributes.getDictionary(op->getContext());
}

static llvm::hash_code hashOf(Operation *op) {
  llvm::hash_code hash =
      llvm::hash_combine(op->getName(), attributesOf(op),
                         llvm::hash_combine_range(op->getOperandTypes()),
                         llvm::hash_combine_range(op->getResultTypes()));
  for (Region &region : op->getRegions())
    hash = llvm::hash_combine(hash, kernel::hashRegion(region));
  return hash;
}

static bool areEqual(Operation *a, Operation *b) {
  return a->getName() == b->getName() && attributesOf(a) == attributesOf(b) &&
         a->getOperandTypes() == b->getOperandTypes() &&
         a->getResultTypes() == b->getResultTypes() &&
         llvm::equal(a->getRegions(), b->getRegions(), kernel::areRegionsEqual);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// A symbol that says which op a kernel is of.
static std::string makeName(int64_t number, Operation *op) {
  if (kernel::isKernel(op))
    op = &op->getRegion(0).front().front();
  return "k" + std::to_string(number) + "." +
         op->getName().stripDialect().str();
}

namespace {
class OutlineKernelsPass
    : public kernel::impl::OutlineKernelsPassBase<OutlineKernelsPass> {
public:
  void runOnOperation() override {
    SmallVector<Operation *> found;
    for (auto function : getOperation().getOps<func::FuncOp>())
      function.walk([&](Operation *op) {
        if (isLaunched(op))
          found.push_back(op);
      });
    count = 0;
    llvm::DenseMap<size_t, SmallVector<func::FuncOp>> made;
    for (Operation *op : found)
      launch(op, findOrMake(op, made[hashOf(op)]));
    numLaunches += found.size();
  }

private:
  /// Functions of this variant.
  int64_t count = 0;

  func::FuncOp findOrMake(Operation *op,
                          SmallVectorImpl<func::FuncOp> &bucket) {
    for (func::FuncOp function : bucket)
      if (areEqual(op, &function.getBody().front().front()))
        return function;
    OpBuilder b = OpBuilder::atBlockEnd(&getOperation().getBody().front());
    auto function = func::FuncOp::create(
        b, op->getLoc(), makeName(count++, op),
        b.getFunctionType(op->getOperandTypes(), op->getResultTypes()));
    function.setPrivate();
    Block *block = function.addEntryBlock();
    b.setInsertionPointToEnd(block);
    Operation *copy = b.clone(*op);
    copy->removeAttr(kernel::kOutputsAttrName);
    copy->setOperands(block->getArguments());
    func::ReturnOp::create(b, op->getLoc(), copy->getResults());
    bucket.push_back(function);
    ++numFunctions;
    return function;
  }

  static void launch(Operation *op, func::FuncOp function) {
    OpBuilder b(op);
    auto launch = kernel::LaunchOp::create(
        b, op->getLoc(), op->getResultTypes(), FlatSymbolRefAttr::get(function),
        op->getOperands());
    if (Attribute outputs = op->getAttr(kernel::kOutputsAttrName))
      launch->setAttr(kernel::kOutputsAttrName, outputs);
    op->replaceAllUsesWith(launch);
    op->erase();
  }
};
} // namespace
