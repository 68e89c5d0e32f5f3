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

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Longer sums are not followed.
static constexpr size_t kMaxTerms = 8;

static bool isKnownSum(const DimSource &source) {
  return source.limit == 0 && (source.isStatic() || !source.terms.empty());
}

/// The number that is added to the terms.
static int64_t numberOf(const DimSource &source) {
  return source.isStatic() ? source.size : source.plus;
}

static DimSource makeSum(ArrayRef<DimTerm> terms, int64_t number) {
  DimSource sum;
  for (const DimTerm &term : terms)
    if (term.factor != 0)
      sum.terms.push_back(term);
  if (sum.terms.empty())
    sum.size = number;
  else
    sum.plus = number;
  return sum;
}

static std::optional<DimSource>
addSources(const DimSource &a, const DimSource &b, int64_t factor = 1) {
  int64_t number;
  if (!isKnownSum(a) || !isKnownSum(b) ||
      a.terms.size() + b.terms.size() > kMaxTerms ||
      llvm::MulOverflow(numberOf(b), factor, number) ||
      llvm::AddOverflow(numberOf(a), number, number))
    return std::nullopt;
  SmallVector<DimTerm, 1> terms(a.terms);
  for (DimTerm term : b.terms) {
    if (llvm::MulOverflow(term.factor, factor, term.factor))
      return std::nullopt;
    auto *same = llvm::find_if(terms, [&](const DimTerm &other) {
      return other.value == term.value && other.axis == term.axis;
    });
    if (same == terms.end())
      terms.push_back(term);
    else if (llvm::AddOverflow(same->factor, term.factor, same->factor))
      return std::nullopt;
  }
  llvm::sort(terms, [](const DimTerm &x, const DimTerm &y) {
    return std::make_pair(x.value.getAsOpaquePointer(), x.axis) <
           std::make_pair(y.value.getAsOpaquePointer(), y.axis);
  });
  return makeSum(terms, number);
}

static std::optional<DimSource> multiplySources(const DimSource &a,
                                                const DimSource &b) {
  if (!a.isStatic())
    return b.isStatic() ? multiplySources(b, a) : std::nullopt;
  return a.limit == 0 ? addSources(DimSource::ofNumber(0), b, a.size)
                      : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Dims
//===----------------------------------------------------------------------===//

/// The first argument and axis with this symbol.
static std::optional<DimSource> findSymbol(FunctionOpInterface function,
                                           StringRef wanted) {
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    auto type = dyn_cast<RankedTensorType>(function.getArgument(i).getType());
    auto dims = function.getArgAttrOfType<ArrayAttr>(i, kDimsAttrName);
    if (!type || !dims)
      continue;
    for (int64_t j = 0, e = std::min<int64_t>(type.getRank(), dims.size());
         j < e; ++j) {
      auto symbol = dyn_cast<StringAttr>(dims[j]);
      if (type.isDynamicDim(j) && symbol && symbol.getValue() == wanted)
        return DimSource::ofDim(function.getArgument(i), j);
    }
  }
  return std::nullopt;
}

/// The first argument and axis with the symbol of this dim, else itself.
static DimSource traceArgument(BlockArgument argument, int64_t axis) {
  DimSource itself = DimSource::ofDim(argument, axis);
  auto function =
      dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
  if (!function)
    return itself;
  auto dims = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(),
                                                   kDimsAttrName);
  if (!dims || axis >= static_cast<int64_t>(dims.size()))
    return itself;
  auto symbol = dyn_cast<StringAttr>(dims[axis]);
  if (!symbol || symbol.empty())
    return itself;
  return findSymbol(function, symbol.getValue()).value_or(itself);
}

DimSource DimTracer::traceDim(Value tensor, int64_t axis) {
  int64_t size = cast<RankedTensorType>(tensor.getType()).getDimSize(axis);
  if (!ShapedType::isDynamic(size))
    return DimSource::ofNumber(size);
  if (auto argument = dyn_cast<BlockArgument>(tensor))
    return traceArgument(argument, axis);
  std::pair<Value, int64_t> key(tensor, axis);
  if (auto it = known.find(key); it != known.end())
    return it->second;
  DimSource source = DimSource::ofDim(tensor, axis);
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
  DimSource itself = DimSource::ofDim(op.getResult(), axis);
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

static bool isInteger64(RankedTensorType type) {
  return type.getElementType().isInteger(64);
}

/// The dim that a range from 0 counts up to: in steps of 1 and to what is a
/// dim, hence not below 0.
DimSource DimTracer::traceRange(RangeOp op) {
  DimSource itself = DimSource::ofDim(op.getResult(), 0);
  std::optional<DimSource> start = traceElement(op.getStart(), 0);
  std::optional<DimSource> limit = traceElement(op.getLimit(), 0);
  std::optional<DimSource> delta = traceElement(op.getDelta(), 0);
  if (!start || !limit || !delta || delta->size != 1)
    return itself;
  std::optional<DimSource> count = addSources(*limit, *start, -1);
  bool isSum = count && !count->isStatic() && count->plus >= 0 &&
               llvm::all_of(count->terms, [](const DimTerm &term) {
                 return term.factor > 0;
               });
  return isSum ? *count : itself;
}

DimSource DimTracer::traceReshape(ReshapeOp op, int64_t axis) {
  std::optional<DimSource> element = traceElement(op.getShape(), axis);
  if (!element)
    return DimSource::ofDim(op.getResult(), axis);
  if (element->size == 0 && !op.getAllowZero() && axis < getRank(op.getX()))
    return traceDim(op.getX(), axis);
  bool isRest = element->isStatic() && element->size < 0;
  return isRest ? traceRest(op, axis) : *element;
}

/// What is left of the operand's dims without those of the other axes, as the
/// number of heads is. Without elements it may be anything.
DimSource DimTracer::traceRest(ReshapeOp op, int64_t axis) {
  DimSource itself = DimSource::ofDim(op.getResult(), axis);
  SmallVector<DimSource> left;
  int64_t number = 1, divisor = 1;
  for (int64_t i = 0, e = getRank(op.getX()); i < e; ++i) {
    DimSource source = traceDim(op.getX(), i);
    if (!source.isStatic())
      left.push_back(source);
    else if (llvm::MulOverflow(number, source.size, number))
      return itself;
  }
  for (int64_t i = 0, e = getRank(op.getResult()); i < e; ++i) {
    if (i == axis)
      continue;
    std::optional<DimSource> element = traceElement(op.getShape(), i);
    if (!element || (element->isStatic() && element->size < 0))
      return itself;
    DimSource source = traceReshape(op, i);
    auto *same = llvm::find(left, source);
    if (!source.isStatic() && same == left.end())
      return itself;
    if (!source.isStatic())
      left.erase(same);
    else if (llvm::MulOverflow(divisor, source.size, divisor))
      return itself;
  }
  if (divisor == 0 || number % divisor != 0 || left.size() > 1)
    return itself;
  DimSource ratio = DimSource::ofNumber(number / divisor);
  if (left.empty())
    return ratio;
  return multiplySources(ratio, left.front()).value_or(itself);
}

/// A wanted dim of 1 is that of the operand, and one that the operand has, too.
DimSource DimTracer::traceExpand(ExpandOp op, int64_t axis) {
  DimSource itself = DimSource::ofDim(op.getResult(), axis);
  int64_t rank = getRank(op.getResult());
  auto shape = cast<RankedTensorType>(op.getShape().getType());
  int64_t own = axis - (rank - getRank(op.getX()));
  int64_t wantedAt = axis - (rank - shape.getDimSize(0));
  DimSource have = own < 0 ? DimSource::ofNumber(1) : traceDim(op.getX(), own);
  std::optional<DimSource> wanted = DimSource::ofNumber(1);
  if (wantedAt >= 0)
    wanted = traceElement(op.getShape(), wantedAt);
  if (!wanted)
    return itself;
  if (wanted->size == 1 || *wanted == have)
    return have;
  return have.size == 1 ? *wanted : itself;
}

/// The source that all operands with a dim here share, sizes of 1 aside. A dim
/// with a limit broadcasts with the dim only where the two are equal.
DimSource DimTracer::traceBroadcast(OpResult result, ValueRange operands,
                                    int64_t axis) {
  DimSource itself = DimSource::ofDim(result, axis);
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
  DimSource itself = DimSource::ofDim(result, axis);
  Operation *op = result.getOwner();
  if (op->hasTrait<ElementwiseTrait>())
    return traceBroadcast(result, op->getOperands(), axis);
  return llvm::TypeSwitch<Operation *, DimSource>(op)
      .Case<BatchNormOp, LayerNormOp, SoftmaxOp, HadamardOp, QuantizeOp,
            DequantizeOp, RequantizeOp, ShiftOp, DivideRoundOp, LookupOp,
            ScatterElementsOp>(
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
        if (!op.getKeepdims()) {
          int64_t source = axis;
          for (int64_t removed : op.getAxes())
            source += removed <= source;
          return traceDim(op.getX(), source);
        }
        return llvm::is_contained(op.getAxes(), axis)
                   ? DimSource::ofNumber(1)
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
        if (axis != static_cast<int64_t>(op.getAxis()))
          return traceDim(op.getInputs().front(), axis);
        std::optional<DimSource> sum = DimSource::ofNumber(0);
        for (Value input : op.getInputs()) {
          sum = addSources(*sum, traceDim(input, axis));
          if (!sum)
            return itself;
        }
        return *sum;
      })
      .Case([&](RangeOp op) { return traceRange(op); })
      .Case([&](ExpandOp op) { return traceExpand(op, axis); })
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
      .Case([&](GatherNDOp op) {
        int64_t last = getRank(op.getIndices()) - 1;
        if (axis < last)
          return traceDim(op.getIndices(), axis);
        int64_t depth =
            cast<RankedTensorType>(op.getIndices().getType()).getDimSize(last);
        return ShapedType::isDynamic(depth)
                   ? itself
                   : traceDim(op.getX(),
                              axis - last + depth +
                                  static_cast<int64_t>(op.getBatchDims()));
      })
      .Case([&](ReshapeOp op) { return traceReshape(op, axis); })
      .Default([&](Operation *) { return itself; });
}

std::optional<DimSource> DimTracer::traceElement(Value tensor, int64_t index) {
  if (std::optional<SmallVector<int64_t>> values =
          getConstantIntegers(tensor)) {
    if (index >= static_cast<int64_t>(values->size()))
      return std::nullopt;
    return DimSource::ofNumber((*values)[index]);
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
      .Case<AddOp, SubOp, MulOp>([&](Operation *op) -> Result {
        auto operand = [&](unsigned i) -> Result {
          Value value = op->getOperand(i);
          auto type = cast<RankedTensorType>(value.getType());
          bool isOne = type.hasStaticShape() && type.getNumElements() == 1;
          return isInteger64(type) ? traceElement(value, isOne ? 0 : index)
                                   : std::nullopt;
        };
        Result a = operand(0), b = operand(1);
        if (!a || !b)
          return std::nullopt;
        if (isa<MulOp>(op))
          return multiplySources(*a, *b);
        return addSources(*a, *b, isa<SubOp>(op) ? -1 : 1);
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

bool DimTracer::broadcastsInto(Value from, Value to, int64_t trailing) {
  int64_t missing = getRank(to) - getRank(from);
  if (missing < 0)
    return false;
  int64_t count = std::max<int64_t>(getRank(from) - trailing, 0);
  return llvm::all_of(llvm::seq<int64_t>(0, count), [&](int64_t axis) {
    DimSource source = traceDim(from, axis);
    return source.size == 1 || source == traceDim(to, axis + missing);
  });
}
