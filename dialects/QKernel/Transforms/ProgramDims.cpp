//===- ProgramDims.cpp - Dims of a program's memory -----------------------===//
//
// Dims that have one name are compared at the start of a program, which knows
// the first of them alone from there on.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/ProgramDims.h"
#include "dialects/QKernel/Transforms/AskedChecks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

void ProgramDims::insert(Value memory) {
  auto type = dyn_cast<MemRefType>(memory.getType());
  if (!type || type.hasStaticShape())
    return;
  b.setInsertionPointAfterValue(memory);
  Location loc = memory.getLoc();
  Values open;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i)) {
      open.push_back(memref::DimOp::create(b, loc, memory, i));
      dims[{memory, i}] = open.back();
    }
  CheckSizeOp::create(b, loc, open, TypeAttr::get(type));
}

void ProgramDims::insert() {
  SmallVector<Value> memories(program.getArguments());
  program.walk([&](Operation *op) {
    if (!isa<scf::SCFDialect>(op->getDialect()))
      return;
    llvm::append_range(memories, op->getResults());
    for (Region &region : op->getRegions())
      for (Block &block : region)
        llvm::append_range(memories, block.getArguments());
  });
  for (Value memory : memories)
    insert(memory);
}

/// Values that turn out to be one can make others one.
void ProgramDims::merge() {
  bool isChanged = true;
  while (isChanged) {
    isChanged = false;
    IRRewriter rewriter(b);
    DominanceInfo dominance(program);
    eliminateCommonSubExpressions(rewriter, dominance, program);
    program.walk([&](Operation *op) {
      if (!isa<arith::ArithDialect>(op->getDialect()) || op->use_empty() ||
          op->hasTrait<OpTrait::ConstantLike>())
        return;
      b.setInsertionPoint(op);
      Values folded;
      if (failed(b.tryFold(op, folded)) || folded.empty() ||
          folded.front() == op->getResult(0))
        return;
      op->replaceAllUsesWith(folded);
      isChanged = true;
    });
  }
}

std::optional<ProgramDims::ArgumentDim>
ProgramDims::findArgumentDim(Value value) {
  auto dim = value.getDefiningOp<memref::DimOp>();
  auto argument = dim ? dyn_cast<BlockArgument>(dim.getSource()) : nullptr;
  if (!argument || argument.getOwner() != &program.getBody().front())
    return std::nullopt;
  return ArgumentDim(argument.getArgNumber(), *dim.getConstantIndex());
}

void ProgramDims::join() {
  for (auto check : program.getBody().front().getOps<RequireOp>()) {
    auto compare = check.getCondition().getDefiningOp<arith::CmpIOp>();
    if (!compare || compare.getPredicate() != arith::CmpIPredicate::eq ||
        check->hasAttr(kAskedAttrName))
      continue;
    auto key = findArgumentDim(compare.getLhs());
    auto first = findArgumentDim(compare.getRhs());
    if (!key || !first || joined.count(*first) ||
        !joined.try_emplace(*key, compare.getRhs(), check).second)
      continue;
    // There is memory of what was one dim, and so there is of the other.
    b.setInsertionPointAfter(check);
    for (Operation *user : llvm::to_vector(compare.getLhs().getUsers()))
      if (isa<CheckSizeOp>(user) && user->getBlock() == check->getBlock() &&
          user->isBeforeInBlock(check))
        b.clone(*user);
  }
}

bool ProgramDims::isBehind(Operation *op, Operation *check) {
  Operation *ancestor = check->getBlock()->findAncestorOpInBlock(*op);
  return ancestor && check->isBeforeInBlock(ancestor);
}

void ProgramDims::replaceJoined() {
  SmallVector<memref::DimOp> all;
  program.walk([&](memref::DimOp dim) { all.push_back(dim); });
  for (memref::DimOp dim : all) {
    auto key = findArgumentDim(dim);
    auto it = key ? joined.find(*key) : joined.end();
    if (it == joined.end())
      continue;
    auto [first, check] = it->second;
    dim.getResult().replaceUsesWithIf(first,
                                      [&, check = check](OpOperand &use) {
                                        return isBehind(use.getOwner(), check);
                                      });
  }
}

ProgramDims::Values ProgramDims::dimsOf(Value given) {
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(b, given.getLoc(), number);
  };
  if (auto tensor = dyn_cast<RankedTensorType>(given.getType())) {
    // A packed operand has the dims of what was packed.
    if (auto pack = given.getDefiningOp<PackOp>())
      tensor = cast<RankedTensorType>(pack.getOperands().front().getType());
    return llvm::map_to_vector(tensor.getShape(), constant);
  }
  ValueRange open;
  if (Operation *maker = given.getDefiningOp())
    open = llvm::TypeSwitch<Operation *, ValueRange>(maker)
               .Case([](memref::AllocOp op) { return op.getDynamicSizes(); })
               .Case<OutputMemoryOp, AppendMemoryOp, ViewOp>(
                   [](auto op) { return op.getDims(); })
               .Default([](Operation *) { return ValueRange(); });
  Values result;
  for (auto [i, dim] :
       llvm::enumerate(cast<MemRefType>(given.getType()).getShape())) {
    if (!ShapedType::isDynamic(dim)) {
      result.push_back(constant(dim));
    } else if (!open.empty()) {
      result.push_back(open.front());
      open = open.drop_front();
    } else {
      Value own = dims.lookup({given, i});
      auto key = findArgumentDim(own);
      auto it = key ? joined.find(*key) : joined.end();
      bool isJoined = it != joined.end() &&
                      isBehind(&*b.getInsertionPoint(), it->second.second);
      result.push_back(isJoined ? it->second.first : own);
    }
  }
  return result;
}
