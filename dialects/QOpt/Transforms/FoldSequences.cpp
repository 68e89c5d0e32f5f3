//===- FoldSequences.cpp - Tensors in place of sequences ------------------===//
//
// One walk in the order of uses, which remembers the tensors of each sequence
// whose length is known. What is folded stays until no op uses it; who knows no
// more takes a construct of its tensors.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/FoldSequences.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "dialects/QOpt/IR/Sequences.h"
#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "dialects/QOpt/Transforms/ShapeRefinement.h"
#include "dialects/QOpt/Transforms/SpreadSequences.h"
#include "dialects/QOpt/Transforms/UnrollSequenceLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

#define DEBUG_TYPE "qopt-fold-sequences"

namespace qopt {
#define GEN_PASS_DEF_FOLDSEQUENCESPASS
#include "dialects/QOpt/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
using Tensors = SmallVector<Value>;
using Sizes = SmallVector<int64_t>;

/// What is known of the sequences and optionals of a function.
class Folder {
public:
  /// Folds what `op` does with sequences; false where a run alone knows it.
  /// Fails, with a diagnostic, for a position that no run could take.
  FailureOr<bool> fold(Operation *op);
  /// What is known of the result of `op` as an op on tensors, for those that
  /// know no more; null where that is nothing.
  SequenceConstructOp construct(Operation *op) const;

private:
  FailureOr<bool> fold(SequenceConstructOp op);
  FailureOr<bool> fold(SequenceAtOp op);
  FailureOr<bool> fold(SequenceInsertOp op);
  FailureOr<bool> fold(SequenceEraseOp op);
  FailureOr<bool> fold(SequenceLengthOp op);
  FailureOr<bool> fold(SplitToSequenceOp op);
  FailureOr<bool> fold(ConcatFromSequenceOp op);
  FailureOr<bool> fold(OptionalOp op);
  FailureOr<bool> fold(OptionalHasElementOp op);
  FailureOr<bool> fold(OptionalGetElementOp op);

  llvm::DenseMap<Value, Tensors> sequences;
  /// The value of an optional; null where it holds nothing.
  llvm::DenseMap<Value, Value> optionals;
};
} // namespace

SequenceConstructOp Folder::construct(Operation *op) const {
  auto known = sequences.find(op->getResult(0));
  if (known == sequences.end() || isa<SequenceConstructOp>(op))
    return {};
  OpBuilder b(op);
  return SequenceConstructOp::create(b, op->getLoc(),
                                     op->getResult(0).getType(), known->second);
}

LogicalResult qopt::refuseSequences(Operation *op) {
  InFlightDiagnostic error =
      op->emitOpError("works on a sequence or optional that a run alone knows");
  error.attachNote()
      << "qopt-run --reference runs it; kernels are for tensors: "
      << (isa<SplitToSequenceOp>(op)
              ? "make the sizes of parts constants of the model"
              : "keep them inside of the model");
  return error;
}

static LogicalResult explain(InFlightDiagnostic error) {
  error.attachNote() << "no run of the model can do it: correct the model";
  return error;
}

//===----------------------------------------------------------------------===//
// Ops in place of others
//===----------------------------------------------------------------------===//

/// Makes an op with results whose dims follow from its operands.
template <class Op>
static Op make(OpBuilder &b, Location loc, TypeRange elements,
               ValueRange operands, ArrayRef<NamedAttribute> attributes) {
  SmallVector<Type> types;
  for (Type element : elements)
    types.push_back(RankedTensorType::get({}, element));
  auto op = Op::create(b, loc, types, operands, attributes);
  refineShapes(op);
  return op;
}

static Value unsqueeze(OpBuilder &b, Location loc, Value x, int64_t axis) {
  return make<UnsqueezeOp>(b, loc, typeOf(x).getElementType(), x,
                           b.getNamedAttr("axes", b.getDenseI64ArrayAttr(axis)))
      .getResult();
}

static Value squeeze(OpBuilder &b, Location loc, Value x, int64_t axis) {
  return make<SqueezeOp>(b, loc, typeOf(x).getElementType(), x,
                         b.getNamedAttr("axes", b.getDenseI64ArrayAttr(axis)))
      .getResult();
}

/// `tensors` one after the other, or stacked along a new axis.
static Value join(OpBuilder &b, Location loc, Tensors tensors, int64_t axis,
                  bool isNewAxis) {
  if (isNewAxis)
    for (Value &tensor : tensors)
      tensor = unsqueeze(b, loc, tensor, axis);
  if (tensors.size() == 1)
    return tensors.front();
  return make<ConcatOp>(b, loc, typeOf(tensors.front()).getElementType(),
                        tensors,
                        b.getNamedAttr("axis", b.getI64IntegerAttr(axis)))
      .getResult();
}

/// Gives the users of `from` the value `to`, which is the same; false where its
/// type is not, and a user does not cope with that.
static bool replace(Value from, Value to) {
  auto copes = [](Operation *user) {
    return isa_and_nonnull<QOptDialect>(user->getDialect()) ||
           isa<func::ReturnOp>(user);
  };
  if (from.getType() != to.getType() && !llvm::all_of(from.getUsers(), copes))
    return false;
  from.replaceAllUsesWith(to);
  return true;
}

/// The index of `position` among `size`, or among one more; nothing where it is
/// not known. Fails, with a diagnostic, where there is none.
static FailureOr<std::optional<int64_t>>
findPosition(Operation *op, Value position, int64_t size, int64_t end) {
  auto known = getAllKnownIntegers(position);
  if (!known)
    return std::optional<int64_t>();
  std::optional<int64_t> at = qopt::findPosition(known->front(), size, end);
  if (!at)
    return explain(op->emitOpError("expects a position from ")
                   << -size << " and below " << end << ", but found "
                   << known->front());
  return at;
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

FailureOr<bool> Folder::fold(SequenceConstructOp op) {
  sequences[op.getResult()] = Tensors(op.getInputs());
  return true;
}

/// One of `tensors` of the same static dims, which a run knows.
static Value selectTensor(SequenceAtOp op, const Tensors &tensors) {
  auto isLikeFirst = [&](Value tensor) {
    return tensor.getType() == tensors.front().getType();
  };
  if (tensors.empty() || !typeOf(tensors.front()).hasStaticShape() ||
      !llvm::all_of(tensors, isLikeFirst))
    return {};
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value position = op.getPosition();
  Type element = typeOf(tensors.front()).getElementType();
  Value stack = join(b, loc, tensors, 0, /*isNewAxis=*/true);
  Value picked = make<GatherOp>(b, loc, element, ValueRange{stack, position},
                                b.getNamedAttr("axis", b.getI64IntegerAttr(0)))
                     .getResult();
  return typeOf(position).getRank() == 0 ? picked : squeeze(b, loc, picked, 0);
}

FailureOr<bool> Folder::fold(SequenceAtOp op) {
  auto tensors = sequences.find(op.getSequence());
  if (tensors == sequences.end())
    return false;
  int64_t size = tensors->second.size();
  auto at = findPosition(op, op.getPosition(), size, size);
  if (failed(at))
    return failure();
  Value tensor =
      *at ? tensors->second[**at] : selectTensor(op, tensors->second);
  return tensor && replace(op.getResult(), tensor);
}

FailureOr<bool> Folder::fold(SequenceInsertOp op) {
  auto known = sequences.find(op.getSequence());
  if (known == sequences.end())
    return false;
  Tensors tensors = known->second;
  std::optional<int64_t> at = tensors.size();
  if (op.getPosition()) {
    auto found =
        findPosition(op, op.getPosition(), tensors.size(), tensors.size() + 1);
    if (failed(found))
      return failure();
    at = *found;
  }
  if (!at)
    return false;
  tensors.insert(tensors.begin() + *at, op.getTensor());
  sequences[op.getResult()] = std::move(tensors);
  return true;
}

FailureOr<bool> Folder::fold(SequenceEraseOp op) {
  auto known = sequences.find(op.getSequence());
  if (known == sequences.end())
    return false;
  Tensors tensors = known->second;
  std::optional<int64_t> at = int64_t(tensors.size()) - 1;
  if (op.getPosition()) {
    auto found =
        findPosition(op, op.getPosition(), tensors.size(), tensors.size());
    if (failed(found))
      return failure();
    at = *found;
  } else if (tensors.empty()) {
    return explain(op.emitOpError("expects a sequence that is not empty"));
  }
  if (!at)
    return false;
  tensors.erase(tensors.begin() + *at);
  sequences[op.getResult()] = std::move(tensors);
  return true;
}

FailureOr<bool> Folder::fold(SequenceLengthOp op) {
  auto tensors = sequences.find(op.getSequence());
  if (tensors == sequences.end())
    return false;
  OpBuilder b(op);
  auto type = RankedTensorType::get({}, b.getI64Type());
  auto length = DenseElementsAttr::get(type, int64_t(tensors->second.size()));
  return replace(op.getResult(),
                 ConstantOp::create(b, op.getLoc(), type, length));
}

/// The sizes of the parts, where they are known. Fails, with a diagnostic,
/// where there can be none.
static FailureOr<std::optional<Sizes>> findSizes(SplitToSequenceOp op) {
  int64_t dim = typeOf(op.getX()).getDimSize(op.getAxis());
  Value sizes = op.getSizes();
  if (sizes && typeOf(sizes).getRank() == 1)
    return getAllKnownIntegers(sizes);
  Sizes part{1};
  if (sizes) {
    auto known = getAllKnownIntegers(sizes);
    if (!known)
      return std::optional<Sizes>();
    part = *known;
  }
  if (part.front() < 1)
    return explain(op.emitOpError("expects parts of 1 or more, but found ")
                   << part.front());
  if (ShapedType::isDynamic(dim))
    return std::optional<Sizes>();
  Sizes result;
  for (; dim > 0; dim -= result.back())
    result.push_back(std::min(dim, part.front()));
  return std::optional<Sizes>(std::move(result));
}

FailureOr<bool> Folder::fold(SplitToSequenceOp op) {
  auto found = findSizes(op);
  if (failed(found))
    return failure();
  const std::optional<Sizes> &sizes = *found;
  if (!sizes)
    return false;
  int64_t dim = typeOf(op.getX()).getDimSize(op.getAxis()), rest = dim;
  for (int64_t size : *sizes) {
    if (size < 0)
      return explain(
          op.emitOpError("expects sizes that are not negative, but found ")
          << size);
    rest -= size;
  }
  if (!ShapedType::isDynamic(dim) && rest != 0)
    return explain(op.emitOpError("expects sizes that sum to ")
                   << dim << ", but found [" << *sizes << "]");
  OpBuilder b(op);
  Type element = typeOf(op.getX()).getElementType();
  auto split = make<SplitOp>(
      b, op.getLoc(), SmallVector<Type>(sizes->size(), element), op.getX(),
      {b.getNamedAttr("axis", op.getAxisAttr()),
       b.getNamedAttr("sizes", b.getDenseI64ArrayAttr(*sizes))});
  Tensors parts(split.getParts());
  if (!op.getKeepdims())
    for (Value &part : parts)
      part = squeeze(b, op.getLoc(), part, op.getAxis());
  sequences[op.getResult()] = std::move(parts);
  return true;
}

FailureOr<bool> Folder::fold(ConcatFromSequenceOp op) {
  auto tensors = sequences.find(op.getSequence());
  if (tensors == sequences.end())
    return false;
  if (tensors->second.empty())
    return explain(op.emitOpError("expects a sequence that is not empty"));
  OpBuilder b(op);
  return replace(op.getResult(), join(b, op.getLoc(), tensors->second,
                                      op.getAxis(), op.getNewAxis()));
}

//===----------------------------------------------------------------------===//
// Optionals
//===----------------------------------------------------------------------===//

FailureOr<bool> Folder::fold(OptionalOp op) {
  optionals[op.getResult()] = op.getValue();
  return true;
}

FailureOr<bool> Folder::fold(OptionalHasElementOp op) {
  auto value = optionals.find(op.getOptional());
  if (value == optionals.end())
    return false;
  OpBuilder b(op);
  auto type = RankedTensorType::get({}, b.getI1Type());
  auto holds = DenseElementsAttr::get(type, bool(value->second));
  return replace(op.getResult(),
                 ConstantOp::create(b, op.getLoc(), type, holds));
}

FailureOr<bool> Folder::fold(OptionalGetElementOp op) {
  auto value = optionals.find(op.getOptional());
  if (value == optionals.end())
    return false;
  if (!value->second)
    return explain(op.emitOpError("expects an optional that holds a value"));
  return replace(op.getResult(), value->second);
}

FailureOr<bool> Folder::fold(Operation *op) {
  return llvm::TypeSwitch<Operation *, FailureOr<bool>>(op)
      .Case<SequenceConstructOp, SequenceAtOp, SequenceInsertOp,
            SequenceEraseOp, SequenceLengthOp, SplitToSequenceOp,
            ConcatFromSequenceOp, OptionalOp, OptionalHasElementOp,
            OptionalGetElementOp>([&](auto known) { return fold(known); })
      .Default([](Operation *) { return false; });
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct FoldSequencesPass
    : qopt::impl::FoldSequencesPassBase<FoldSequencesPass> {
  void getDependentDialects(DialectRegistry &registry) const override {
    registry
        .insert<arith::ArithDialect, scf::SCFDialect, tensor::TensorDialect>();
  }

  void runOnOperation() override {
    unrollSequenceLoops(getOperation());
    Folder folder;
    SmallVector<Operation *> folded;
    bool hasFailed = false;
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      refineShapes(op);
      FailureOr<bool> isFolded = folder.fold(op);
      hasFailed |= failed(isFolded);
      if (succeeded(isFolded) && *isFolded)
        folded.push_back(op);
    });
    if (hasFailed)
      return signalPassFailure();
    numFolded += folded.size();
    for (Operation *op : llvm::reverse(folded)) {
      if (!op->use_empty())
        if (SequenceConstructOp known = folder.construct(op))
          op->getResult(0).replaceAllUsesWith(known.getResult());
      if (op->use_empty())
        op->erase();
    }
    if (failed(spreadSequences(getOperation())))
      return signalPassFailure();
    updateResultTypes(getOperation());
  }
};
} // namespace
