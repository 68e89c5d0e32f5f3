//===- VerifyTypes.cpp - What ops say of their types ----------------------===//
//
// In this order: each tensor by itself, the attributes that name axes, element
// types, dims. The rule of an op's dims may index by attributes, so it runs
// only after they were checked.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/VerifyTypes.h"
#include "dialects/QOpt/IR/Axes.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/IR/TypeInference.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;

/// More than any machine has, and far below what 64 bits count.
static constexpr int64_t kMaxBytes = int64_t(1) << 48;

static int64_t rankOf(Value value) { return typeOf(value).getRank(); }

/// True when a dim of `size` broadcasts to one of `dim`, as far as is known.
static bool broadcasts(int64_t size, int64_t dim) {
  return size == 1 || size == dim || ShapedType::isDynamic(size) ||
         ShapedType::isDynamic(dim);
}

/// True when the last of `dims` are what `sizes` broadcast to.
static bool broadcasts(ArrayRef<int64_t> sizes, ArrayRef<int64_t> dims) {
  return sizes.size() <= dims.size() &&
         llvm::all_of(llvm::zip_equal(sizes, dims.take_back(sizes.size())),
                      [](auto pair) {
                        return broadcasts(std::get<0>(pair), std::get<1>(pair));
                      });
}

//===----------------------------------------------------------------------===//
// One tensor
//===----------------------------------------------------------------------===//

static bool isElementType(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return !integer.isSigned() &&
           llvm::is_contained({1, 2, 4, 8, 16, 32, 64}, integer.getWidth()) &&
           !(integer.isUnsigned() && integer.getWidth() == 1);
  return type.isIndex() || elementFormatOf(type) || isa<Float64Type>(type);
}

LogicalResult
qopt::verifyTensor(RankedTensorType type,
                   llvm::function_ref<InFlightDiagnostic()> emitError) {
  // qopt_c1
  if (!isElementType(type.getElementType()) || type.getEncoding())
    return emitError() << "expects a tensor of numbers, but found " << type;
  // qopt_c2
  int64_t bytes = 8;
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim) && dim != 0 &&
        (llvm::MulOverflow(bytes, dim, bytes) || bytes > kMaxBytes))
      return emitError() << "expects a tensor of less than 2^48 bytes, but "
                            "found "
                         << type;
  return success();
}

//===----------------------------------------------------------------------===//
// Attributes that name axes
//===----------------------------------------------------------------------===//

static LogicalResult verifyAscendingAxes(Operation *op, ArrayRef<int64_t> axes,
                                         int64_t rank) {
  int64_t previous = -1;
  for (int64_t axis : axes) {
    if (axis <= previous || axis >= rank)
      return op->emitOpError("expects ascending axes from 0 and below ")
             << rank << ", but found [" << axes << "]";
    previous = axis;
  }
  return success();
}

static LogicalResult verifyAxis(Operation *op, int64_t axis, int64_t from,
                                int64_t to) {
  if (axis >= from && axis < to)
    return success();
  return op->emitOpError("expects an axis from ")
         << from << " and below " << to << ", but found " << axis;
}

/// Checks that the rank of what the numbers of a list are the dims of is known.
static LogicalResult verifyList(Operation *op, Value list) {
  if (rankOf(list) <= 1 && typeOf(list).hasStaticShape())
    return success();
  return op->emitOpError("expects a list of a known number of dims, but found ")
         << list.getType();
}

static LogicalResult verifyFormatAxis(Operation *op, FormatAttr format,
                                      int64_t rank) {
  // qopt_c3
  if (format.getAxis() >= rank || (format.isBlocked() && !format.hasAxis()))
    return op->emitOpError("expects a format with an axis below ")
           << rank << ", but found " << format;
  return success();
}

static LogicalResult verifyPads(PadOp op) {
  int64_t rank = rankOf(op.getX());
  // pad_c1
  if (static_cast<int64_t>(op.getPads().size()) != 2 * rank)
    return op.emitOpError("expects ")
           << 2 * rank << " pads, but found [" << op.getPads() << "]";
  // pad_c2
  for (int64_t pad : op.getPads())
    if (pad < 0 || pad > kMaxWindow)
      return op.emitOpError("expects pads from 0 to 2^30, but found ") << pad;
  // pad_c3
  if (op.getValue() && (!typeOf(op.getValue()).hasStaticShape() ||
                        typeOf(op.getValue()).getNumElements() != 1))
    return op.emitOpError("expects one value, but found ")
           << op.getValue().getType();
  return success();
}

static LogicalResult verifySplit(SplitOp op) {
  int64_t rank = rankOf(op.getX());
  // split_c1
  if (failed(verifyAxis(op, op.getAxis(), 0, rank)))
    return failure();
  // split_c2
  int64_t sum = 0, dim = typeOf(op.getX()).getDimSize(op.getAxis());
  bool isSound = op.getSizes().size() == op.getNumResults();
  for (int64_t size : op.getSizes())
    isSound &= size >= 0 && !llvm::AddOverflow(sum, size, sum);
  if (!isSound || (!ShapedType::isDynamic(dim) && sum != dim))
    return op.emitOpError("expects ")
           << op.getNumResults() << " sizes that sum to dim " << op.getAxis()
           << " of " << op.getX().getType() << ", but found [" << op.getSizes()
           << "]";
  return success();
}

static LogicalResult verifyConstantOfShape(ConstantOfShapeOp op) {
  // constant_of_shape_c1
  if (op.getValue().getNumElements() != 1 ||
      op.getValue().getElementType() != typeOf(op.getResult()).getElementType())
    return op.emitOpError("expects one value of the result's element type, but "
                          "found ")
           << op.getValue().getShapedType();
  // constant_of_shape_c2
  return verifyList(op, op.getShape());
}

static LogicalResult verifyRange(RangeOp op) {
  // range_c1
  for (Value bound : op->getOperands()) {
    auto type = typeOf(bound);
    if (!type.getElementType().isSignlessInteger() || type.getRank() > 1 ||
        !type.hasStaticShape() || type.getNumElements() != 1)
      return op.emitOpError("expects one integer, but found ") << type;
  }
  return success();
}

static LogicalResult verifyLayerNorm(LayerNormOp op) {
  int64_t rank = rankOf(op.getX());
  int64_t axis = op.getAxis();
  // layer_norm_c1
  if (failed(verifyAxis(op, axis, -rank, rank)))
    return failure();
  // layer_norm_c2
  axis = countFromFront(axis, rank);
  ArrayRef<int64_t> row = typeOf(op.getX()).getShape().drop_front(axis);
  for (Value factor : op->getOperands().drop_front())
    if (!broadcasts(typeOf(factor).getShape(), row))
      return op.emitOpError("expects a scale and bias that broadcast to the "
                            "axes from ")
             << axis << " of " << op.getX().getType() << ", but found "
             << factor.getType();
  return success();
}

/// Checks that each factor has one value a channel.
static LogicalResult verifyBatchNorm(BatchNormOp op) {
  auto x = typeOf(op.getX());
  // batch_norm_c1
  if (x.getRank() < 2)
    return op.emitOpError("expects a channel axis, but found ") << x;
  // batch_norm_c2
  for (Value factor : op->getOperands().drop_front()) {
    auto type = typeOf(factor);
    if (type.getRank() != 1 ||
        failed(verifyCompatibleShape(type.getShape(), {x.getDimSize(1)})))
      return op.emitOpError("expects one value for each of ")
             << x.getDimSize(1) << " channels, but found " << type;
  }
  return success();
}

static LogicalResult verifyQuantizeDynamic(QuantizeDynamicOp op) {
  // quantize_dynamic_c3
  if (rankOf(op.getX()) == 0)
    return op.emitOpError("expects an axis or more");
  return verifyFormatAxis(op, op.getFormat(), rankOf(op.getX()));
}

/// Checks the axes in front of the matrices, and the mask.
static LogicalResult verifyAttention(AttentionOp op) {
  auto query = typeOf(op.getQuery());
  // attention_c4
  for (Value other : {op.getKey(), op.getValue()})
    if (failed(verifyCompatibleShape(typeOf(other).getShape().drop_back(2),
                                     query.getShape().drop_back(2))))
      return op.emitOpError("expects the leading dims of ")
             << query << ", but found " << other.getType();
  if (!op.getMask())
    return success();
  // attention_c5
  auto mask = typeOf(op.getMask());
  SmallVector<int64_t> scores(query.getShape());
  scores.back() = typeOf(op.getKey()).getDimSize(query.getRank() - 2);
  if (!broadcasts(mask.getShape(), scores))
    return op.emitOpError("expects a mask that broadcasts to [")
           << scores << "], but found " << mask;
  return success();
}

static LogicalResult verifyBias(ConvOp op) {
  if (!op.getBias())
    return success();
  // conv_c7
  auto bias = typeOf(op.getBias());
  int64_t channels = typeOf(op.getW()).getDimSize(0);
  if (failed(verifyCompatibleShape(bias.getShape(), {channels})))
    return op.emitOpError("expects a bias of ")
           << channels << " channels, but found " << bias;
  return success();
}

static LogicalResult verifyAttributes(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](SqueezeOp op) -> LogicalResult {
        auto type = typeOf(op.getX());
        // squeeze_c1
        if (failed(verifyAscendingAxes(op, op.getAxes(), type.getRank())))
          return failure();
        // squeeze_c2
        for (int64_t axis : op.getAxes())
          if (!type.isDynamicDim(axis) && type.getDimSize(axis) != 1)
            return op.emitOpError("expects a dim of 1 on axis ")
                   << axis << ", but found " << type;
        return success();
      })
      .Case([&](UnsqueezeOp op) {
        // unsqueeze_c1
        return verifyAscendingAxes(op, op.getAxes(),
                                   rankOf(op.getX()) + op.getAxes().size());
      })
      .Case([&](ShapeOp op) -> LogicalResult {
        // shape_c1
        int64_t start = op.getStart(), end = op.getEnd();
        if (start < 0 || end < start || end > rankOf(op.getX()))
          return op.emitOpError("expects axes from 0 to ")
                 << rankOf(op.getX()) << ", but found " << start << " to "
                 << end;
        return success();
      })
      .Case([&](PadOp op) { return verifyPads(op); })
      .Case([&](SplitOp op) { return verifySplit(op); })
      .Case([&](ConstantOfShapeOp op) { return verifyConstantOfShape(op); })
      .Case([&](RangeOp op) { return verifyRange(op); })
      .Case<ReshapeOp, ExpandOp>(
          // reshape_c1, expand_c1
          [&](auto op) { return verifyList(op, op.getShape()); })
      .Case([&](FlattenOp op) {
        // flatten_c1
        return verifyAxis(op, op.getAxis(), 0, rankOf(op.getX()) + 1);
      })
      .Case([&](SoftmaxOp op) {
        // softmax_c1
        return verifyAxis(op, op.getAxis(), -rankOf(op.getX()),
                          rankOf(op.getX()));
      })
      .Case([&](LayerNormOp op) { return verifyLayerNorm(op); })
      .Case([&](BatchNormOp op) { return verifyBatchNorm(op); })
      .Case([&](GlobalAveragePoolOp op) -> LogicalResult {
        // global_average_pool_c1
        if (rankOf(op.getX()) < 2)
          return op.emitOpError("expects a channel axis, but found ")
                 << op.getX().getType();
        return success();
      })
      .Case([&](AttentionOp op) { return verifyAttention(op); })
      .Case([&](QuantizeDynamicOp op) { return verifyQuantizeDynamic(op); })
      .Case([&](ConvOp op) { return verifyBias(op); })
      .Default([](Operation *) { return success(); });
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

/// Checks that `values` have the elements of the first one.
static LogicalResult verifySameElements(Operation *op, ValueRange values) {
  Type expected = typeOf(values.front()).getElementType();
  for (Value value : values)
    if (typeOf(value).getElementType() != expected)
      return op->emitOpError("expects elements of ")
             << expected << ", but found " << value.getType();
  return success();
}

static LogicalResult verifyElementsAre(Operation *op, ValueRange values,
                                       Type expected) {
  for (Value value : values)
    if (typeOf(value).getElementType() != expected)
      return op->emitOpError("expects elements of ")
             << expected << ", but found " << value.getType();
  return success();
}

static bool isFloat32OrNarrower(Value value) {
  Type type = typeOf(value).getElementType();
  return type.isF32() || type.isF16() || type.isBF16();
}

static bool isReal(Value value) {
  return isFloat32OrNarrower(value) || typeOf(value).getElementType().isF64();
}

static LogicalResult verifyReals(Operation *op, ValueRange values) {
  for (Value value : values)
    if (!isReal(value))
      return op->emitOpError(
                 "expects elements of f16, bf16, f32 or f64, but found ")
             << value.getType();
  return success();
}

/// What codes are made of, or stand for.
static LogicalResult verifyUncoded(Operation *op, Value value) {
  if (isFloat32OrNarrower(value))
    return success();
  return op->emitOpError("expects elements of f16, bf16 or f32, but found ")
         << value.getType();
}

static LogicalResult verifyScaleElements(Operation *op, ValueRange scales) {
  for (Value scale : scales) {
    auto element = elementFormatOf(typeOf(scale).getElementType());
    if (!element || infoOf(*element).isInteger())
      return op->emitOpError("expects scales of floats, but found ")
             << scale.getType();
  }
  return success();
}

/// Checks codes and what stands beside them.
static LogicalResult verifyCodes(Operation *op, const ScaledTensor &codes) {
  // qopt_c7
  if (codes.format && !codes.scales.empty() &&
      failed(
          verifyElementsAre(op, codes.tensor, codes.format.getElementType())))
    return failure();
  if (failed(verifyScaleElements(op, codes.scales)))
    return failure();
  for (Value zero : codes.zeros)
    if (!isa<IntegerType>(typeOf(zero).getElementType()) && !isReal(zero))
      return op->emitOpError("expects zeros of numbers, but found ")
             << zero.getType();
  return success();
}

/// Checks what a sum of products is made of.
static LogicalResult verifySum(Operation *op, const Contraction &sum) {
  auto isInteger = [](const ContractionOperand &side) {
    return isa<IntegerType>(side.getType().getElementType());
  };
  Value result = op->getResult(0);
  // qopt_c8
  if (!sum.hasScales() && isInteger(sum.lhs) && isInteger(sum.rhs))
    return verifyElementsAre(op, result,
                             IntegerType::get(op->getContext(), 32));
  return verifyReals(op, result);
}

static LogicalResult verifyElementwiseElements(Operation *op) {
  // qopt_c4
  SmallVector<Value> same(op->getOperands());
  Value result = op->getResult(0);
  if (isa<CastOp>(op))
    return success();
  if (isa<WhereOp>(op))
    same.erase(same.begin());
  if (isa<EqualOp, LessOp, LessOrEqualOp, GreaterOp, GreaterOrEqualOp>(op)) {
    if (failed(verifySameElements(op, same)))
      return failure();
    return verifyElementsAre(op, result, IntegerType::get(op->getContext(), 1));
  }
  same.push_back(result);
  return verifySameElements(op, same);
}

static LogicalResult verifyElements(Operation *op) {
  if (op->hasTrait<ElementwiseTrait>())
    return verifyElementwiseElements(op);
  auto same = [&](auto... values) {
    return verifySameElements(op, SmallVector<Value>{values...});
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      // qopt_c5
      .Case<ReshapeOp, TransposeOp, SliceOp, GatherOp, SqueezeOp, UnsqueezeOp,
            ExpandOp, FlattenOp>(
          [&](auto op) { return same(op.getX(), op.getResult()); })
      .Case<GlobalAveragePoolOp, AveragePoolOp, MaxPoolOp, ReduceOp>(
          [&](auto op) { return same(op.getX(), op.getResult()); })
      .Case([&](BitCastOp op) -> LogicalResult {
        auto bitsOf = [](Value value) {
          Type element = typeOf(value).getElementType();
          return element.isIndex() ? 64u : element.getIntOrFloatBitWidth();
        };
        // bit_cast_c1
        if (bitsOf(op.getX()) == bitsOf(op.getResult()))
          return success();
        return op.emitOpError("expects element types of as many bits, but "
                              "found ")
               << op.getX().getType() << " and " << op.getResult().getType();
      })
      .Case([&](SplitOp op) {
        SmallVector<Value> values(op.getParts());
        values.push_back(op.getX());
        return verifySameElements(op, values);
      })
      .Case([&](PadOp op) {
        return op.getValue() ? same(op.getX(), op.getValue(), op.getResult())
                             : same(op.getX(), op.getResult());
      })
      .Case([&](ConcatOp op) {
        SmallVector<Value> values(op.getInputs());
        values.push_back(op.getResult());
        return verifySameElements(op, values);
      })
      .Case([&](ShapeOp op) {
        return verifyElementsAre(op, op.getResult(),
                                 IntegerType::get(op.getContext(), 64));
      })
      .Case([&](RangeOp op) {
        return same(op.getStart(), op.getLimit(), op.getDelta(),
                    op.getResult());
      })
      // qopt_c6
      .Case<SoftmaxOp, LayerNormOp, HadamardOp, BatchNormOp, AttentionOp,
            GemmOp>([&](Operation *op) -> LogicalResult {
        return success(succeeded(verifyReals(op, op->getOperands())) &&
                       succeeded(verifyReals(op, op->getResults())));
      })
      .Case([&](QuantizeOp op) -> LogicalResult {
        return success(
            succeeded(verifyUncoded(op, op.getX())) &&
            succeeded(verifyCodes(op, {op.getResult(), op.getScales(),
                                       op.getZeros(), op.getFormatAttr()})));
      })
      .Case([&](DequantizeOp op) -> LogicalResult {
        return success(
            succeeded(verifyUncoded(op, op.getResult())) &&
            succeeded(verifyCodes(op, op.getScaledTensors().front())));
      })
      .Case([&](QuantizeDynamicOp op) -> LogicalResult {
        return success(
            succeeded(verifyUncoded(op, op.getX())) &&
            succeeded(verifyElementsAre(op, op.getCodes(),
                                        op.getFormat().getElementType())) &&
            succeeded(verifyScaleElements(op, op.getScales())));
      })
      .Case([&](ContractionOpInterface op) -> LogicalResult {
        Contraction sum = op.getContraction();
        if (failed(verifyCodes(op, sum.lhs)) ||
            failed(verifyCodes(op, sum.rhs)) || failed(verifySum(op, sum)))
          return failure();
        return sum.bias
                   ? verifySameElements(op, {sum.bias->get(), op->getResult(0)})
                   : success();
      })
      .Case<RequantizeOp, ShiftOp, DivideRoundOp>(
          [&](Operation *op) -> LogicalResult {
            // requantize_c3, shift_c3, divide_round_c4
            Value x = op->getOperand(0);
            auto type = dyn_cast<IntegerType>(typeOf(x).getElementType());
            if (!type || type.getWidth() > 32)
              return op->emitOpError(
                         "expects integers of 32 bits or fewer, but found ")
                     << x.getType();
            return success();
          })
      .Case([&](LookupOp op) -> LogicalResult {
        auto type = dyn_cast<IntegerType>(typeOf(op.getX()).getElementType());
        // lookup_c2
        if (!type || type.getWidth() != 8)
          return op.emitOpError("expects codes of 8 bits, but found ")
                 << op.getX().getType();
        return success();
      })
      .Default([](Operation *) { return success(); });
}

//===----------------------------------------------------------------------===//
// Dims
//===----------------------------------------------------------------------===//

/// Checks the sizes of scales and zeros: 1, the dim, or the number of blocks.
static LogicalResult verifyBeside(Operation *op, const ScaledTensor &codes,
                                  ValueRange beside) {
  // qopt_c9
  ArrayRef<int64_t> dims = typeOf(codes.tensor).getShape();
  FormatAttr format = codes.format;
  for (Value value : beside) {
    auto type = typeOf(value);
    if (type.hasStaticShape() && type.getNumElements() == 1)
      continue;
    bool fits = type.getRank() == static_cast<int64_t>(dims.size());
    for (int64_t i = 0; fits && i < type.getRank(); ++i) {
      int64_t size = type.getDimSize(i), dim = dims[i];
      bool isOpen = ShapedType::isDynamic(size) || ShapedType::isDynamic(dim);
      bool isOfBlocks =
          !isOpen && format && format.isBlocked() && format.getAxis() == i &&
          size == static_cast<int64_t>(llvm::divideCeil(
                      uint64_t(dim), uint64_t(format.getBlockSize())));
      fits = isOpen || size == 1 || size == dim || isOfBlocks;
    }
    if (!fits)
      return op->emitOpError("expects scales and zeros that fit ")
             << codes.tensor.getType() << ", but found " << type;
  }
  return success();
}

static LogicalResult verifyScaledTensors(Operation *op) {
  auto scaled = dyn_cast<ScaledOpInterface>(op);
  if (!scaled)
    return success();
  for (const ScaledTensor &codes : scaled.getScaledTensors())
    if ((codes.format &&
         failed(verifyFormatAxis(op, codes.format, rankOf(codes.tensor)))) ||
        failed(verifyBeside(op, codes, codes.scales)) ||
        failed(verifyBeside(op, codes, codes.zeros)))
      return failure();
  return success();
}

/// Checks that operands with dims in common agree on them: the rule of the
/// result's dims takes one.
static LogicalResult verifyBroadcast(Operation *op) {
  // qopt_c11
  ArrayRef<int64_t> result = typeOf(op->getResult(0)).getShape();
  auto check = [&](Value operand, ArrayRef<int64_t> sizes,
                   ArrayRef<int64_t> dims) -> LogicalResult {
    if (broadcasts(sizes, dims))
      return success();
    return op->emitOpError("expects operands that broadcast to ")
           << op->getResult(0).getType() << ", but found " << operand.getType();
  };
  if (op->hasTrait<ElementwiseTrait>())
    for (Value operand : op->getOperands())
      if (failed(check(operand, typeOf(operand).getShape(), result)))
        return failure();
  if (auto product = dyn_cast<MatMulOp>(op)) {
    bool isRow = rankOf(product.getLhs()) == 1,
         isColumn = rankOf(product.getRhs()) == 1;
    for (Value operand : {product.getLhs(), product.getRhs()})
      if (rankOf(operand) > 2 &&
          failed(check(operand, typeOf(operand).getShape().drop_back(2),
                       result.drop_back(2 - isRow - isColumn))))
        return failure();
  }
  return success();
}

/// Checks that declared dims are those that the operands give.
static LogicalResult verifyDims(Operation *op) {
  // qopt_c10
  auto shapes = inferResultShapes(op);
  if (failed(shapes))
    return success();
  for (auto [result, shape] : llvm::zip_equal(op->getResults(), *shapes)) {
    auto type = typeOf(result);
    if (failed(verifyCompatibleShape(type.getShape(), shape)))
      return op->emitOpError("has a result of type ")
             << type << ", but its operands give "
             << RankedTensorType::get(shape, type.getElementType());
  }
  return success();
}

/// Checks the tensors of a sequence or optional too.
static LogicalResult verifyType(Operation *op, Type type) {
  if (auto optional = dyn_cast<OptionalType>(type))
    return verifyType(op, optional.getElement());
  if (auto sequence = dyn_cast<SequenceType>(type))
    type = sequence.getElement();
  // Without a rank the elements alone can be wrong.
  auto tensor = cast<TensorType>(type);
  if (!tensor.hasRank())
    tensor = RankedTensorType::get({}, tensor.getElementType());
  return verifyTensor(cast<RankedTensorType>(tensor),
                      [&] { return op->emitOpError(); });
}

LogicalResult qopt::verifyTypes(Operation *op) {
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, op->getResultTypes());
  for (Type type : types)
    if (failed(verifyType(op, type)))
      return failure();
  // What else must hold stands in the definitions of the ops of sequences.
  if (!llvm::all_of(types, llvm::IsaPred<RankedTensorType>))
    return success();
  return success(
      succeeded(verifyAttributes(op)) && succeeded(verifyElements(op)) &&
      succeeded(verifyScaledTensors(op)) && succeeded(verifyDims(op)) &&
      (op->getNumResults() == 0 || succeeded(verifyBroadcast(op))));
}
