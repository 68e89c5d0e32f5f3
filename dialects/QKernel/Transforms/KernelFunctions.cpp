//===- KernelFunctions.cpp - Functions that hold one kernel ---------------===//
//
// Equal kernels are found by a hash that leaves out where results lie.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/KernelFunctions.h"
#include "dialects/QKernel/Transforms/EqualRegions.h"
#include "dialects/QOpt/IR/KnownIntegers.h"

using namespace mlir;
using namespace qopt;

bool kernel::isShortList(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return tensor.getElementType().isInteger() && tensor.hasStaticShape() &&
         tensor.getRank() <= 1 && tensor.getNumElements() <= kMaxKnownIntegers;
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
// The functions
//===----------------------------------------------------------------------===//

/// A symbol that says which op a kernel is of.
static std::string makeName(int64_t number, Operation *op) {
  if (kernel::isKernel(op))
    op = &op->getRegion(0).front().front();
  return "k" + std::to_string(number) + "." +
         op->getName().stripDialect().str();
}

kernel::KernelFunctions::KernelFunctions(VariantOp variant)
    : variant(variant), numOthers(llvm::count_if(variant.getOps<func::FuncOp>(),
                                                 [](func::FuncOp function) {
                                                   return function.isPrivate();
                                                 })) {}

func::FuncOp kernel::KernelFunctions::findOrMake(Operation *op) {
  SmallVector<func::FuncOp> &bucket = made[hashOf(op)];
  for (func::FuncOp function : bucket)
    if (areEqual(op, &function.getBody().front().front()))
      return function;
  OpBuilder b = OpBuilder::atBlockEnd(&variant.getBody().front());
  auto function = func::FuncOp::create(
      b, op->getLoc(), makeName(numOthers + numMade++, op),
      b.getFunctionType(op->getOperandTypes(), op->getResultTypes()));
  function.setPrivate();
  Block *block = function.addEntryBlock();
  b.setInsertionPointToEnd(block);
  Operation *copy = b.clone(*op);
  copy->removeAttr(kOutputsAttrName);
  copy->setOperands(block->getArguments());
  func::ReturnOp::create(b, op->getLoc(), copy->getResults());
  bucket.push_back(function);
  return function;
}
