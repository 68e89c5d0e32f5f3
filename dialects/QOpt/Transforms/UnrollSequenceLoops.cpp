//===- UnrollSequenceLoops.cpp - Loops that carry sequences ---------------===//
//
// Outer loops go first: what they leave of an inner one is written out as well.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/UnrollSequenceLoops.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/Sequences.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qopt;

/// Ops that the iterations of all loops may become: a few lines of a file can
/// ask for any number.
static constexpr int64_t kMaxOps = 20'000;

static std::optional<int64_t> knownInteger(Value value) {
  APInt number;
  if (!matchPattern(value, m_ConstantInt(&number)))
    return std::nullopt;
  return number.getSExtValue();
}

/// Iterations of a loop that carries what is no tensor; nothing where another
/// loop is, or a run decides.
static std::optional<int64_t> countIterations(scf::ForOp loop) {
  auto start = knownInteger(loop.getLowerBound());
  auto end = knownInteger(loop.getUpperBound());
  auto step = knownInteger(loop.getStep());
  int64_t length;
  if (llvm::none_of(loop.getResultTypes(), isSequenceOrOptional) || !start ||
      !end || !step || *step <= 0 || loop.getUnsignedCmp() ||
      llvm::SubOverflow(*end, *start, length))
    return std::nullopt;
  return length <= 0 ? 0 : 1 + (length - 1) / *step;
}

/// The constant that `op` makes of numbers: a counter that became one says, as
/// a tensor, which element of a sequence is meant. Null for other ops.
static Value foldCounter(OpBuilder &builder, Operation *op) {
  auto from = dyn_cast<tensor::FromElementsOp>(op);
  if (!from)
    return nullptr;
  SmallVector<Attribute> elements;
  for (Value element : from.getElements()) {
    Attribute number;
    if (!matchPattern(element, m_Constant(&number)) ||
        !isa<IntegerAttr>(number))
      return nullptr;
    elements.push_back(number);
  }
  auto type = cast<RankedTensorType>(from.getType());
  return ConstantOp::create(builder, from.getLoc(), type,
                            DenseElementsAttr::get(type, elements));
}

/// Adds the loops of `op` that are in no other one.
static void collectLoops(Operation *op, SmallVectorImpl<scf::ForOp> &loops) {
  op->walk<WalkOrder::PreOrder>([&](scf::ForOp loop) {
    loops.push_back(loop);
    return WalkResult::skip();
  });
}

/// Writes out `count` iterations; returns the loops inside of them.
static SmallVector<scf::ForOp> unroll(scf::ForOp loop, int64_t count) {
  OpBuilder builder(loop);
  SmallVector<scf::ForOp> inner;
  SmallVector<Value> carried = llvm::to_vector(loop.getInitArgs());
  int64_t counter = knownInteger(loop.getLowerBound()).value();
  int64_t step = knownInteger(loop.getStep()).value();
  Block &body = *loop.getBody();
  for (int64_t i = 0; i < count; ++i, counter += step) {
    IRMapping mapping;
    Type type = loop.getInductionVar().getType();
    mapping.map(loop.getInductionVar(),
                arith::ConstantOp::create(builder, loop.getLoc(), type,
                                          IntegerAttr::get(type, counter)));
    mapping.map(loop.getRegionIterArgs(), carried);
    for (Operation &op : body.without_terminator()) {
      Operation *copy = builder.clone(op, mapping);
      collectLoops(copy, inner);
      if (Value constant = foldCounter(builder, copy)) {
        mapping.map(op.getResult(0), constant);
        copy->erase();
      }
    }
    carried = llvm::map_to_vector(
        body.getTerminator()->getOperands(),
        [&](Value value) { return mapping.lookupOrDefault(value); });
  }
  loop.replaceAllUsesWith(carried);
  loop.erase();
  return inner;
}

void qopt::unrollSequenceLoops(func::FuncOp function) {
  SmallVector<scf::ForOp> open;
  collectLoops(function, open);
  int64_t opsLeft = kMaxOps;
  while (!open.empty()) {
    scf::ForOp loop = open.pop_back_val();
    std::optional<int64_t> count = countIterations(loop);
    int64_t size = 0, total;
    loop->walk([&](Operation *) { ++size; });
    if (!count || llvm::MulOverflow(*count, size, total) || total > opsLeft)
      continue;
    opsLeft -= total;
    llvm::append_range(open, unroll(loop, *count));
  }
}
