//===- FoldConstants.cpp - Constants, shapes and ops that do nothing ------===//
//
// One walk in the order of the uses: types first, then what they decide.
// Weights stay as they are; an expression on a weight is evaluated when
// quantize ends.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/FoldShapes.h"
#include "dialects/QOpt/Transforms/ShapeRefinement.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "qopt/Reference/Interpreter.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/Support/MathExtras.h"

#define DEBUG_TYPE "qopt-fold-constants"

namespace qopt {
#define GEN_PASS_DEF_FOLDCONSTANTSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Largest tensor, read or made, that is not taken for a weight.
static constexpr uint64_t kMaxBytes = 64 * 1024;

static bool isSmall(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  if (!tensor.hasStaticShape())
    return false;
  uint64_t bits = getPackedBitWidth(tensor.getElementType());
  for (int64_t dim : tensor.getShape())
    bits = llvm::SaturatingMultiply<uint64_t>(bits, dim);
  return bits <= kMaxBytes * 8;
}

/// For an op that gives its operand back unchanged: the operand.
static Value getForwarded(Operation *op) {
  if (auto mul = dyn_cast<MulOp>(op)) {
    if (getScalarConstant(mul.getRhs()) == 1.0f)
      return mul.getLhs();
    return getScalarConstant(mul.getLhs()) == 1.0f ? mul.getRhs() : Value();
  }
  if (auto div = dyn_cast<DivOp>(op))
    return getScalarConstant(div.getRhs()) == 1.0f ? div.getLhs() : Value();
  if (auto cast = dyn_cast<CastOp>(op))
    return cast.getX();
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    auto identity = llvm::seq<int64_t>(0, transpose.getPerm().size());
    return llvm::equal(transpose.getPerm(), identity) ? transpose.getX()
                                                      : Value();
  }
  return Value();
}

/// The constant values of an op on small constants, made by Reference.
static std::optional<SmallVector<Attribute>> evaluate(Operation *op) {
  auto isSmallConstant = [](Value value) {
    return value.getDefiningOp<ConstantOp>() && isSmall(value.getType());
  };
  if (!isExpressionOp(op) ||
      !llvm::all_of(op->getOperands(), isSmallConstant) ||
      !llvm::all_of(op->getResultTypes(), isSmall))
    return std::nullopt;
  SmallVector<HostTensor> operands;
  for (Value operand : op->getOperands()) {
    llvm::Expected<HostTensor> tensor =
        readConstant(operand.getDefiningOp<ConstantOp>());
    if (!tensor) {
      llvm::consumeError(tensor.takeError());
      return std::nullopt;
    }
    operands.push_back(std::move(*tensor));
  }
  llvm::Expected<SmallVector<HostTensor>> results = evaluateOp(op, operands);
  if (!results) {
    // Left for the run, which says what is wrong with the data.
    llvm::consumeError(results.takeError());
    return std::nullopt;
  }
  SmallVector<Attribute> values;
  for (const HostTensor &tensor : *results)
    values.push_back(makeConstantValue(tensor, op->getContext()));
  return values;
}

static Value makeIntegersOf(OpBuilder &builder, Location loc,
                            RankedTensorType type, ArrayRef<int64_t> values) {
  SmallVector<APInt> elements;
  for (int64_t value : values)
    elements.emplace_back(type.getElementTypeBitWidth(), value,
                          /*isSigned=*/true,
                          /*implicitTrunc=*/true);
  return ConstantOp::create(builder, loc, type,
                            DenseElementsAttr::get(type, elements));
}

/// The values that can take the place of the op's results, or nothing.
static SmallVector<Value> fold(Operation *op) {
  OpBuilder builder(op);
  if (isa<ConstantOp>(op) || op->getNumResults() == 0)
    return {};
  if (Value same = getForwarded(op);
      same && same.getType() == op->getResult(0).getType())
    return {same};
  if (op->getNumResults() == 1)
    if (auto elements = getStaticElements(op->getResult(0)))
      return {makeIntegersOf(builder, op->getLoc(),
                             cast<RankedTensorType>(op->getResult(0).getType()),
                             *elements)};
  std::optional<SmallVector<Attribute>> values = evaluate(op);
  if (!values)
    return {};
  SmallVector<Value> results;
  for (auto [value, type] : llvm::zip_equal(*values, op->getResultTypes()))
    results.push_back(ConstantOp::create(builder, op->getLoc(), type, value));
  return results;
}

namespace {
struct FoldConstantsPass
    : qopt::impl::FoldConstantsPassBase<FoldConstantsPass> {
  void runOnOperation() override {
    for (Operation *op : getOps()) {
      foldTarget(op);
      refineShapes(op);
      SmallVector<Value> results = fold(op);
      if (results.empty())
        continue;
      op->replaceAllUsesWith(results);
      ++numFolded;
    }
    SmallVector<Operation *> ops = getOps();
    for (Operation *op : llvm::reverse(ops))
      if (isOpTriviallyDead(op))
        op->erase();
    updateResultTypes(getOperation());
  }

  SmallVector<Operation *> getOps() {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa_and_nonnull<QOptDialect>(op->getDialect()))
        ops.push_back(op);
    });
    return ops;
  }

  void foldTarget(Operation *op) {
    auto reshape = dyn_cast<ReshapeOp>(op);
    std::optional<SmallVector<int64_t>> target;
    if (!reshape || !(target = getStaticTarget(reshape)))
      return;
    OpBuilder builder(op);
    reshape.getShapeMutable().assign(
        makeIntegers(builder, reshape.getLoc(), *target));
  }
};
} // namespace
