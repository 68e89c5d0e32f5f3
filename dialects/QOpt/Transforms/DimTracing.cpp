//===- DimTracing.cpp - Where a dim comes from ----------------------------===//
//
// One rule for each op that keeps some of its operand's dims. An op without a
// rule is a source.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/DimTracing.h"
#include "dialects/QOpt/IR/TypeInference.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;

/// Longest chain of ops that is followed; what lies behind is not looked at.
static constexpr unsigned kMaxDepth = 1000;

static int64_t getRank(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

/// The first argument and axis with the symbol of this dim, else itself.
static DimSource traceArgument(BlockArgument argument, int64_t axis) {
  DimSource itself{ShapedType::kDynamic, argument, axis};
  auto function =
      dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
  if (!function)
    return itself;
  auto symbolOf = [&](unsigned index, int64_t axis) -> StringRef {
    auto dims = function.getArgAttrOfType<ArrayAttr>(index, kDimsAttrName);
    if (!dims || axis >= static_cast<int64_t>(dims.size()))
      return {};
    auto symbol = dyn_cast<StringAttr>(dims[axis]);
    return symbol ? symbol.getValue() : StringRef();
  };
  StringRef wanted = symbolOf(argument.getArgNumber(), axis);
  if (wanted.empty())
    return itself;
  for (unsigned i = 0; i <= argument.getArgNumber(); ++i) {
    auto type = dyn_cast<RankedTensorType>(function.getArgument(i).getType());
    for (int64_t j = 0, rank = type ? type.getRank() : 0; j < rank; ++j)
      if (type.isDynamicDim(j) && symbolOf(i, j) == wanted)
        return {ShapedType::kDynamic, function.getArgument(i), j};
  }
  return itself;
}

DimSource DimTracer::traceDim(Value tensor, int64_t axis) {
  int64_t size = cast<RankedTensorType>(tensor.getType()).getDimSize(axis);
  if (!ShapedType::isDynamic(size))
    return {size, Value(), 0};
  if (auto argument = dyn_cast<BlockArgument>(tensor))
    return traceArgument(argument, axis);
  std::pair<Value, int64_t> key(tensor, axis);
  if (auto it = known.find(key); it != known.end())
    return it->second;
  DimSource source{ShapedType::kDynamic, tensor, axis};
  if (depth < kMaxDepth) {
    ++depth;
    source = traceThrough(cast<OpResult>(tensor), axis);
    --depth;
  }
  known[key] = source;
  return source;
}

/// The dim that a slice from 0 ends at, as a position table is cut to the
/// length of a sequence. A table of one row would be that row whatever the dim.
DimSource DimTracer::traceSlice(SliceOp op, int64_t axis) {
  DimSource itself{ShapedType::kDynamic, op.getResult(), axis};
  const auto *found = llvm::find(op.getAxes(), axis);
  if (found == op.getAxes().end())
    return traceDim(op.getX(), axis);
  int64_t index = found - op.getAxes().begin();
  int64_t size = cast<RankedTensorType>(op.getX().getType()).getDimSize(axis);
  auto isConstant = [&](Value tensor, int64_t expected) {
    auto values = getConstantIntegers(tensor);
    return values && index < static_cast<int64_t>(values->size()) &&
           (*values)[index] == expected;
  };
  if (ShapedType::isDynamic(size) || size < 2 ||
      !isConstant(op.getStarts(), 0) ||
      (op.getSteps() && !isConstant(op.getSteps(), 1)))
    return itself;
  std::optional<DimSource> end = traceElement(op.getEnds(), index);
  if (!end || end->isStatic() || end->limit != 0)
    return itself;
  end->limit = size;
  return *end;
}

/// The source that all operands with a dim here share, sizes of 1 aside. A dim
/// with a limit broadcasts with the dim only where the two are equal.
DimSource DimTracer::traceBroadcast(OpResult result, ValueRange operands,
                                    int64_t axis) {
  DimSource itself{ShapedType::kDynamic, result, axis};
  std::optional<DimSource> shared;
  for (Value operand : operands) {
    int64_t own = axis - (getRank(result) - getRank(operand));
    if (own < 0)
      continue;
    DimSource source = traceDim(operand, own);
    if (source.size == 1)
      continue;
    if (shared) {
      int64_t limit = std::min(shared->limit, source.limit);
      shared->limit = source.limit = limit;
      if (!(*shared == source))
        return itself;
    }
    shared = source;
  }
  return shared.value_or(itself);
}

/// True if these scales of a dynamic quantization have the input's dim here:
/// one for each block, each row, or each sample.
static bool isScaleAxisOfInput(QuantizeDynamicOp op, OpResult scales,
                               int64_t axis) {
  if (op.getFormat().isBlocked() && scales == op.getScales().front())
    return axis != op.getFormat().getAxis();
  return op.getPer() == Per::Row ? axis + 1 != getRank(op.getX()) : axis == 0;
}

DimSource DimTracer::traceThrough(OpResult result, int64_t axis) {
  DimSource itself{ShapedType::kDynamic, result, axis};
  Operation *op = result.getOwner();
  if (op->hasTrait<ElementwiseTrait>())
    return traceBroadcast(result, op->getOperands(), axis);
  return llvm::TypeSwitch<Operation *, DimSource>(op)
      .Case<BatchNormOp, LayerNormOp, SoftmaxOp, QuantizeOp, DequantizeOp,
            RequantizeOp, ShiftOp, DivideRoundOp, LookupOp>(
          [&](Operation *op) { return traceDim(op->getOperand(0), axis); })
      .Case([&](QuantizeDynamicOp op) {
        bool isKept =
            result == op.getCodes() || isScaleAxisOfInput(op, result, axis);
        return isKept ? traceDim(op.getX(), axis) : itself;
      })
      .Case([&](qopt::AttentionOp op) {
        return axis + 1 == getRank(result) ? traceDim(op.getValue(), axis)
                                           : traceDim(op.getQuery(), axis);
      })
      .Case([&](MatMulOp op) {
        int64_t rank = getRank(result), lhsRank = getRank(op.getLhs());
        if (lhsRank < 2 || getRank(op.getRhs()) < 2)
          return itself;
        if (axis == rank - 1)
          return traceDim(op.getRhs(), getRank(op.getRhs()) - 1);
        if (axis == rank - 2)
          return traceDim(op.getLhs(), lhsRank - 2);
        return traceBroadcast(result, {op.getLhs(), op.getRhs()}, axis);
      })
      .Case<ConvOp, AveragePoolOp, MaxPoolOp, GlobalAveragePoolOp>(
          [&](Operation *op) {
            bool isKept = axis == 0 || (axis == 1 && !isa<ConvOp>(op));
            return isKept ? traceDim(op->getOperand(0), axis) : itself;
          })
      .Case([&](ReduceOp op) {
        if (!op.getKeepdims())
          return itself;
        return llvm::is_contained(op.getAxes(), axis)
                   ? DimSource{1, Value(), 0}
                   : traceDim(op.getX(), axis);
      })
      .Case([&](TransposeOp op) {
        return traceDim(op.getX(), op.getPerm()[axis]);
      })
      .Case([&](SqueezeOp op) {
        int64_t source = axis;
        for (int64_t removed : op.getAxes())
          source += removed <= source;
        return traceDim(op.getX(), source);
      })
      .Case([&](UnsqueezeOp op) {
        int64_t before = llvm::count_if(
            op.getAxes(), [&](int64_t added) { return added < axis; });
        return traceDim(op.getX(), axis - before);
      })
      .Case([&](SliceOp op) { return traceSlice(op, axis); })
      .Case([&](ConcatOp op) {
        return axis == static_cast<int64_t>(op.getAxis())
                   ? itself
                   : traceDim(op.getInputs().front(), axis);
      })
      .Case([&](SplitOp op) {
        return axis == static_cast<int64_t>(op.getAxis())
                   ? itself
                   : traceDim(op.getX(), axis);
      })
      .Case([&](GatherOp op) {
        int64_t at = op.getAxis(), inserted = getRank(op.getIndices());
        if (axis < at)
          return traceDim(op.getX(), axis);
        if (axis < at + inserted)
          return traceDim(op.getIndices(), axis - at);
        return traceDim(op.getX(), axis - inserted + 1);
      })
      .Case([&](ReshapeOp op) {
        std::optional<DimSource> element = traceElement(op.getShape(), axis);
        if (!element)
          return itself;
        if (element->size == 0 && !op.getAllowZero() &&
            axis < getRank(op.getX()))
          return traceDim(op.getX(), axis);
        return element->size < 0 && element->isStatic() ? itself : *element;
      })
      .Default([&](Operation *) { return itself; });
}

std::optional<DimSource> DimTracer::traceElement(Value tensor, int64_t index) {
  if (std::optional<SmallVector<int64_t>> values =
          getConstantIntegers(tensor)) {
    if (index >= static_cast<int64_t>(values->size()))
      return std::nullopt;
    return DimSource{(*values)[index], Value(), 0};
  }
  Operation *op = tensor.getDefiningOp();
  if (!op || getRank(tensor) > 1 || depth >= kMaxDepth)
    return std::nullopt;
  ++depth;
  llvm::scope_exit leave([&] { --depth; });
  using Result = std::optional<DimSource>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](ShapeOp op) -> Result {
        return traceDim(op.getX(), static_cast<int64_t>(op.getStart()) + index);
      })
      .Case([&](CastOp op) -> Result {
        Type from =
            cast<RankedTensorType>(op.getX().getType()).getElementType();
        bool isWide = from.isInteger(64) || from.isInteger(32);
        return isWide ? traceElement(op.getX(), index) : std::nullopt;
      })
      .Case([&](ConcatOp op) -> Result {
        int64_t rest = index;
        for (Value input : op.getInputs()) {
          int64_t size = cast<RankedTensorType>(input.getType()).getDimSize(0);
          if (ShapedType::isDynamic(size))
            return std::nullopt;
          if (rest < size)
            return traceElement(input, rest);
          rest -= size;
        }
        return std::nullopt;
      })
      .Case([&](SliceOp op) -> Result {
        auto starts = getConstantIntegers(op.getStarts());
        int64_t size =
            cast<RankedTensorType>(op.getX().getType()).getDimSize(0);
        std::optional<SmallVector<int64_t>> steps;
        if (op.getSteps())
          steps = getConstantIntegers(op.getSteps());
        bool hasUnitStep =
            !op.getSteps() || (steps && steps->size() == 1 && (*steps)[0] == 1);
        if (!starts || starts->size() != 1 || !hasUnitStep ||
            ShapedType::isDynamic(size))
          return std::nullopt;
        int64_t start = (*starts)[0] < 0 ? (*starts)[0] + size : (*starts)[0];
        start = std::clamp<int64_t>(start, 0, size);
        return start + index < size ? traceElement(op.getX(), start + index)
                                    : std::nullopt;
      })
      .Case([&](GatherOp op) -> Result {
        auto indices = getConstantIntegers(op.getIndices());
        int64_t size =
            cast<RankedTensorType>(op.getX().getType()).getDimSize(0);
        if (!indices || index >= static_cast<int64_t>(indices->size()) ||
            ShapedType::isDynamic(size))
          return std::nullopt;
        int64_t at = (*indices)[index];
        at = at < 0 ? at + size : at;
        return at >= 0 && at < size ? traceElement(op.getX(), at)
                                    : std::nullopt;
      })
      .Case<SqueezeOp, UnsqueezeOp, ReshapeOp>([&](Operation *op) -> Result {
        return getRank(op->getOperand(0)) <= 1
                   ? traceElement(op->getOperand(0), index)
                   : std::nullopt;
      })
      .Default([](Operation *) -> Result { return std::nullopt; });
}

bool DimTracer::haveSameShape(Value a, Value b) {
  if (getRank(a) != getRank(b))
    return false;
  return llvm::all_of(llvm::seq<int64_t>(0, getRank(a)), [&](int64_t axis) {
    return traceDim(a, axis) == traceDim(b, axis);
  });
}

bool DimTracer::broadcastsInto(Value from, Value to) {
  int64_t missing = getRank(to) - getRank(from);
  if (missing < 0)
    return false;
  return llvm::all_of(llvm::seq<int64_t>(0, getRank(from)), [&](int64_t axis) {
    DimSource source = traceDim(from, axis);
    return source.size == 1 || source == traceDim(to, axis + missing);
  });
}
