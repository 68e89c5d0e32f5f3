//===- PropagateCodes.cpp - Dequantize, op, quantize to codes to codes ----===//
//
// All scales are powers of two, so every rewrite is integer arithmetic: shifts,
// one rounding at the end, and tables.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/HostConstants.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/CodeClamp.h"
#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/Quantization/ConstantBuilder.h"
#include "dialects/QOpt/Quantization/IntegerBias.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "qopt/Reference/ExpressionValue.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace qopt {
#define GEN_PASS_DEF_PROPAGATECODESPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Bits by which one operand of a sum is shifted to meet the other: with codes
/// of 8 bits and a zero, sums stay below 2^30.
static constexpr int kMaxAlignment = 20;
/// Bits below the code of an activation that a constant is rounded to.
static constexpr int kConstantBits = 8;
/// Range of intermediate sums.
static constexpr int64_t kSumLimit = kMaxSumOfProducts;

namespace {
/// How 8-bit codes stand for reals: 2^exponent * (code - zero).
struct CodeScale {
  int exponent;
  int64_t zero;
  bool operator==(const CodeScale &other) const {
    return exponent == other.exponent && zero == other.zero;
  }
};

struct Coded {
  Value codes;
  CodeScale scale;
};
} // namespace

/// The scale when it is one power of two for the whole tensor.
static std::optional<CodeScale> getCodeScale(ValueRange scales,
                                             ValueRange zeros) {
  if (scales.size() != 1 || zeros.size() > 1)
    return std::nullopt;
  auto scale = scales[0].getDefiningOp<ConstantOp>();
  if (!scale || typeOf(scale).getNumElements() != 1 ||
      !isa<Float8E8M0FNUType>(typeOf(scale).getElementType()))
    return std::nullopt;
  CodeScale result{std::ilogb(readReals(scale).front()), 0};
  if (zeros.empty())
    return result;
  auto zero = zeros[0].getDefiningOp<ConstantOp>();
  if (!zero || typeOf(zero).getNumElements() != 1)
    return std::nullopt;
  result.zero = static_cast<int64_t>(readReals(zero).front());
  return result;
}

static std::optional<Coded> getCoded(Value real) {
  auto op = real.getDefiningOp<DequantizeOp>();
  if (!op || !typeOf(op.getCodes()).getElementType().isSignlessInteger(8))
    return std::nullopt;
  auto scale = getCodeScale(op.getScales(), op.getZeros());
  if (!scale)
    return std::nullopt;
  return Coded{op.getCodes(), *scale};
}

static std::optional<CodeScale> getCodeScale(QuantizeOp op) {
  if (!typeOf(op.getResult()).getElementType().isSignlessInteger(8))
    return std::nullopt;
  return getCodeScale(op.getScales(), op.getZeros());
}

//===----------------------------------------------------------------------===//
// Integer arithmetic
//===----------------------------------------------------------------------===//

static Value createScalar(OpBuilder &builder, Location loc, int64_t value,
                          int64_t rank, Type elementType) {
  return createConstant(builder, loc, ArrayRef<int64_t>{value},
                        SmallVector<int64_t>(rank, 1), elementType);
}

static Value createShift(OpBuilder &builder, Location loc, Value x, int amount,
                         int64_t zero, CodeRange range, Type elementType) {
  int64_t rank = typeOf(x).getRank();
  Value amountValue =
      createScalar(builder, loc, amount, rank, builder.getIntegerType(8));
  Value zeroValue;
  if (zero != 0)
    zeroValue = createScalar(builder, loc, zero, rank, elementType);
  return ShiftOp::create(builder, loc, typeOf(x).clone(elementType), x,
                         amountValue, zeroValue, range.first, range.second);
}

/// (code - zero) * 2^left in i32.
static Value createAligned(OpBuilder &builder, Location loc, Coded coded,
                           int left) {
  return createShift(builder, loc, coded.codes, -left,
                     -(coded.scale.zero << left), {-kSumLimit, kSumLimit},
                     builder.getI32Type());
}

/// Codes of `to` from the integer x * 2^exponent.
static Value createCodes(OpBuilder &builder, Location loc, Value x,
                         int exponent, CodeScale to, CodeRange range) {
  int amount = std::clamp(to.exponent - exponent, -32, 32);
  return createShift(builder, loc, x, amount, to.zero, range,
                     builder.getIntegerType(8));
}

/// The same reals with other codes.
static Value createRequantized(OpBuilder &builder, Location loc, Coded from,
                               CodeScale to) {
  if (from.scale == to)
    return from.codes;
  Value x =
      from.scale.zero == 0 ? from.codes : createAligned(builder, loc, from, 0);
  return createCodes(builder, loc, x, from.scale.exponent, to, {-128, 127});
}

/// Codes for `op` of `a` + `b` or `a` - `b`, as `sum` is: aligned i32 tensors
/// whose unit is 2^`exponent`.
static Value createSumCodes(OpBuilder &builder, Location loc, QuantizeOp op,
                            Operation *sum, Value a, Value b, int exponent,
                            CodeScale to, Clamp clamp) {
  Type type = typeOf(op.getResult()).clone(builder.getI32Type());
  Value total = isa<AddOp>(sum)
                    ? AddOp::create(builder, loc, type, a, b).getResult()
                    : SubOp::create(builder, loc, type, a, b).getResult();
  CodeRange range = getCodeRange(builder.getIntegerType(8), clamp,
                                 std::ldexp(1.0, to.exponent), to.zero);
  return createCodes(builder, loc, total, exponent, to, range);
}

namespace {
/// A pattern on the quantizer at the end of a step.
struct StepPattern : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto to = getCodeScale(op);
    if (!to)
      return rewriter.notifyMatchFailure(op, "the scale is no power of two");
    FailureOr<Value> codes = rewriteStep(op, *to, rewriter);
    if (failed(codes))
      return failure();
    rewriter.replaceOp(op, *codes);
    return success();
  }

  virtual FailureOr<Value> rewriteStep(QuantizeOp op, CodeScale to,
                                       PatternRewriter &rewriter) const = 0;

  static Location fuse(PatternRewriter &rewriter, Operation *a, Operation *b) {
    return rewriter.getFusedLoc({a->getLoc(), b->getLoc()});
  }
};

/// Codes of other codes, with nothing in between.
struct Requantize : StepPattern {
  using StepPattern::StepPattern;
  FailureOr<Value> rewriteStep(QuantizeOp op, CodeScale to,
                               PatternRewriter &rewriter) const override {
    auto from = getCoded(op.getX());
    if (!from)
      return rewriter.notifyMatchFailure(op, "no codes come in");
    return createRequantized(rewriter, op.getLoc(), *from, to);
  }
};

/// Ops that move or choose elements do so with codes.
struct MoveCodes : StepPattern {
  using StepPattern::StepPattern;
  FailureOr<Value> rewriteStep(QuantizeOp op, CodeScale to,
                               PatternRewriter &rewriter) const override {
    Operation *move = op.getX().getDefiningOp();
    StringRef why;
    if (!move || getCodeRole(move, why) != CodeRole::Preserving)
      return rewriter.notifyMatchFailure(op, "no movement comes before");
    auto from = getCoded(move->getOperand(0));
    if (!from)
      return rewriter.notifyMatchFailure(op, "floats are moved");
    Operation *moved = rewriter.clone(*move);
    rewriter.modifyOpInPlace(moved, [&] {
      moved->setOperand(0, from->codes);
      for (Value result : moved->getResults())
        result.setType(typeOf(result).clone(rewriter.getIntegerType(8)));
      moved->removeAttr(kStatisticsAttrName);
    });
    Value codes = moved->getResult(cast<OpResult>(op.getX()).getResultNumber());
    return createRequantized(rewriter, fuse(rewriter, move, op),
                             {codes, from->scale}, to);
  }
};

struct ConcatCodes : StepPattern {
  using StepPattern::StepPattern;
  FailureOr<Value> rewriteStep(QuantizeOp op, CodeScale to,
                               PatternRewriter &rewriter) const override {
    auto concat = op.getX().getDefiningOp<ConcatOp>();
    if (!concat)
      return rewriter.notifyMatchFailure(op, "no concat comes before");
    SmallVector<Coded> inputs;
    for (Value input : concat.getInputs()) {
      auto coded = getCoded(input);
      if (!coded)
        return rewriter.notifyMatchFailure(op, "an input is float");
      inputs.push_back(*coded);
    }
    Location loc = fuse(rewriter, concat, op);
    SmallVector<Value> codes;
    for (Coded input : inputs)
      codes.push_back(createRequantized(rewriter, loc, input, to));
    return ConcatOp::create(rewriter, loc, op.getResult().getType(), codes,
                            concat.getAxis())
        .getResult();
  }
};

struct PadCodes : StepPattern {
  using StepPattern::StepPattern;
  FailureOr<Value> rewriteStep(QuantizeOp op, CodeScale to,
                               PatternRewriter &rewriter) const override {
    auto pad = op.getX().getDefiningOp<PadOp>();
    if (!pad)
      return rewriter.notifyMatchFailure(op, "no pad comes before");
    auto from = getCoded(pad.getX());
    if (!from)
      return rewriter.notifyMatchFailure(op, "floats are padded");
    double border = 0;
    if (pad.getValue()) {
      auto constant = pad.getValue().getDefiningOp<ConstantOp>();
      if (!constant)
        return rewriter.notifyMatchFailure(op, "the border is no constant");
      border = readReals(constant).front();
    }
    Location loc = fuse(rewriter, pad, op);
    double code = std::nearbyint(std::ldexp(border, -to.exponent)) + to.zero;
    Value value = createScalar(
        rewriter, loc, static_cast<int64_t>(std::clamp(code, -128.0, 127.0)), 0,
        rewriter.getIntegerType(8));
    Value codes = createRequantized(rewriter, loc, *from, to);
    return PadOp::create(rewriter, loc, op.getResult().getType(), codes, value,
                         pad.getPads())
        .getResult();
  }
};

/// A sum of two tensors of codes: both are aligned to the finer exponent.
struct AddCodes : StepPattern {
  using StepPattern::StepPattern;
  FailureOr<Value> rewriteStep(QuantizeOp op, CodeScale to,
                               PatternRewriter &rewriter) const override {
    Clamp clamp;
    Operation *sum = peelClamp(op.getX(), clamp).getDefiningOp();
    if (!isa_and_nonnull<AddOp, SubOp>(sum))
      return rewriter.notifyMatchFailure(op, "no sum comes before");
    auto lhs = getCoded(sum->getOperand(0)), rhs = getCoded(sum->getOperand(1));
    if (!lhs || !rhs)
      return rewriter.notifyMatchFailure(op, "an operand is float");
    int exponent = std::min(lhs->scale.exponent, rhs->scale.exponent);
    int lhsLeft = lhs->scale.exponent - exponent;
    int rhsLeft = rhs->scale.exponent - exponent;
    if (std::max(lhsLeft, rhsLeft) > kMaxAlignment)
      return rewriter.notifyMatchFailure(op, "the scales are too far apart");
    Location loc = fuse(rewriter, sum, op);
    Value a = createAligned(rewriter, loc, *lhs, lhsLeft);
    Value b = createAligned(rewriter, loc, *rhs, rhsLeft);
    return createSumCodes(rewriter, loc, op, sum, a, b, exponent, to, clamp);
  }
};

/// A sum of codes and a constant tensor.
struct AddConstant : StepPattern {
  using StepPattern::StepPattern;
  FailureOr<Value> rewriteStep(QuantizeOp op, CodeScale to,
                               PatternRewriter &rewriter) const override {
    Clamp clamp;
    Operation *sum = peelClamp(op.getX(), clamp).getDefiningOp();
    if (!isa_and_nonnull<AddOp, SubOp>(sum))
      return rewriter.notifyMatchFailure(op, "no sum comes before");
    bool isOnRight = sum->getOperand(1).getDefiningOp<ConstantOp>() != nullptr;
    auto constant =
        sum->getOperand(isOnRight ? 1 : 0).getDefiningOp<ConstantOp>();
    auto coded = getCoded(sum->getOperand(isOnRight ? 0 : 1));
    if (!constant || !coded)
      return rewriter.notifyMatchFailure(op, "not codes and a constant");
    int exponent = coded->scale.exponent - kConstantBits;
    SmallVector<int64_t> integers;
    for (double real : readReals(constant)) {
      double integer = std::nearbyint(std::ldexp(real, -exponent));
      if (!(std::abs(integer) < kSumLimit / 2))
        return rewriter.notifyMatchFailure(op, "the constant does not fit");
      integers.push_back(static_cast<int64_t>(integer));
    }
    Location loc = fuse(rewriter, sum, op);
    Value a = createAligned(rewriter, loc, *coded, kConstantBits);
    Value b =
        createConstant(rewriter, loc, integers, typeOf(constant).getShape(),
                       rewriter.getI32Type());
    if (!isOnRight)
      std::swap(a, b);
    return createSumCodes(rewriter, loc, op, sum, a, b, exponent, to, clamp);
  }
};

/// Functions of one tensor become a table of all 256 codes.
struct LookUp : StepPattern {
  using StepPattern::StepPattern;
  FailureOr<Value> rewriteStep(QuantizeOp op, CodeScale to,
                               PatternRewriter &rewriter) const override {
    SmallVector<Operation *> chain;
    Value x = op.getX();
    StringRef why;
    while (Operation *maker = x.getDefiningOp()) {
      if (isa<DequantizeOp>(maker) ||
          getCodeRole(maker, why) != CodeRole::Unary)
        break;
      chain.push_back(maker);
      x = getActivations(maker).front();
    }
    auto from = getCoded(x);
    if (chain.empty() || !from)
      return rewriter.notifyMatchFailure(op, "no function of codes");
    std::optional<HostTensor> table =
        evaluateTable(chain, x, from->scale, op, to);
    if (!table)
      return rewriter.notifyMatchFailure(op, "the function has no value");
    Location loc = fuse(rewriter, chain.front(), op);
    Value tableValue =
        createConstant(rewriter, loc, *table, rewriter.getIntegerType(8));
    return LookupOp::create(rewriter, loc, op.getResult().getType(),
                            from->codes, tableValue)
        .getResult();
  }

private:
  /// Runs the ops, made again for a tensor of all codes, with Reference.
  static std::optional<HostTensor> evaluateTable(ArrayRef<Operation *> chain,
                                                 Value x, CodeScale from,
                                                 QuantizeOp quantize,
                                                 CodeScale to) {
    Block block;
    OpBuilder builder(quantize.getContext());
    builder.setInsertionPointToEnd(&block);
    Location loc = quantize.getLoc();
    SmallVector<int64_t> codes;
    for (int64_t code = -128; code <= 127; ++code)
      codes.push_back(code);
    Type i8 = builder.getIntegerType(8), f32 = builder.getF32Type();
    Type exponentType = Float8E8M0FNUType::get(builder.getContext());
    auto realType = RankedTensorType::get({256}, f32);
    auto parameter = [&](int64_t value, Type type) {
      return createScalar(builder, loc, value, 1, type);
    };
    FormatAttr format = quantize.getFormat();
    Value real = DequantizeOp::create(
        builder, loc, realType, createConstant(builder, loc, codes, {256}, i8),
        parameter(from.exponent + 127, exponentType), parameter(from.zero, i8),
        format);
    IRMapping mapping;
    mapping.map(x, real);
    for (Operation *op : llvm::reverse(chain)) {
      Operation *clone = builder.clone(*op, mapping);
      clone->getResult(0).setType(realType);
    }
    Value result = QuantizeOp::create(
        builder, loc, RankedTensorType::get({256}, i8),
        mapping.lookup(quantize.getX()),
        parameter(to.exponent + 127, exponentType), parameter(to.zero, i8),
        format, /*divide=*/false, /*saturate=*/true);
    std::optional<HostTensor> table = evaluateExpression(result);
    // Scalars of rank 0 or of the op's rank keep the table's dims but for ones.
    if (table && table->getNumElements() == 256)
      return table->reshape({256});
    return std::nullopt;
  }
};

/// A mean is a sum by a convolution with ones, divided once.
struct AverageCodes : StepPattern {
  using StepPattern::StepPattern;
  FailureOr<Value> rewriteStep(QuantizeOp op, CodeScale to,
                               PatternRewriter &rewriter) const override {
    Operation *pool = op.getX().getDefiningOp();
    if (!isa_and_nonnull<AveragePoolOp, GlobalAveragePoolOp>(pool))
      return rewriter.notifyMatchFailure(op, "no mean comes before");
    auto count = getAverageCount(pool);
    auto from = getCoded(pool->getOperand(0));
    if (!count || !from)
      return rewriter.notifyMatchFailure(op, "not a mean of a number of codes");
    int right = to.exponent - from->scale.exponent;
    int64_t divisor = *count;
    // What the divisor cannot take is shifted before.
    int left = std::max(-right, 0);
    if (left > 0 && (int64_t(255) * *count << std::min(left, 32)) >= kSumLimit)
      return rewriter.notifyMatchFailure(op, "the scales are too far apart");
    Location loc = fuse(rewriter, pool, op);
    Value sum = createSum(rewriter, loc, pool, *from);
    CodeRange all{-128, 127};
    Type i8 = rewriter.getIntegerType(8);
    if (llvm::isPowerOf2_64(divisor))
      return createShift(
          rewriter, loc, sum,
          std::clamp(right + static_cast<int>(llvm::Log2_64(divisor)), -32, 32),
          to.zero, all, i8);
    if (left > 0)
      sum = createShift(rewriter, loc, sum, -left, 0, {-kSumLimit, kSumLimit},
                        rewriter.getI32Type());
    if (right > 0 && right < 31)
      divisor <<= right;
    // A larger divisor makes every quotient 0, as this one does.
    divisor = std::min<int64_t>(right >= 31 ? INT32_MAX : divisor, INT32_MAX);
    Value zero =
        createScalar(rewriter, loc, to.zero, typeOf(sum).getRank(), i8);
    return DivideRoundOp::create(rewriter, loc, op.getResult().getType(), sum,
                                 zero, divisor, all.first, all.second)
        .getResult();
  }

private:
  static Value createSum(OpBuilder &builder, Location loc, Operation *pool,
                         Coded from) {
    auto x = typeOf(from.codes);
    int64_t channels = x.getDimSize(1), spatial = x.getRank() - 2;
    SmallVector<int64_t> kernel(x.getShape().drop_front(2));
    SmallVector<int64_t> strides(spatial, 1), pads(2 * spatial, 0);
    if (auto average = dyn_cast<AveragePoolOp>(pool)) {
      kernel.assign(average.getKernel().begin(), average.getKernel().end());
      strides.assign(average.getStrides().begin(), average.getStrides().end());
      pads.assign(average.getPads().begin(), average.getPads().end());
    }
    SmallVector<int64_t> dims{channels, 1};
    dims.append(kernel);
    int64_t count = 1;
    for (int64_t dim : dims)
      count *= dim;
    Type i8 = builder.getIntegerType(8);
    Value ones =
        createConstant(builder, loc, SmallVector<int64_t>(count, 1), dims, i8);
    SmallVector<Value> zeros;
    if (from.scale.zero != 0)
      zeros.push_back(
          createScalar(builder, loc, from.scale.zero, x.getRank(), i8));
    return ConvOp::create(
        builder, loc, typeOf(pool->getResult(0)).clone(builder.getI32Type()),
        from.codes, ValueRange(), zeros, ones, ValueRange(), ValueRange(),
        Value(), strides, pads, SmallVector<int64_t>(spatial, 1), channels,
        FormatAttr(), FormatAttr());
  }
};

/// The bias of a product that leaves the path is added before it leaves.
struct AddBias : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AddOp op,
                                PatternRewriter &rewriter) const override {
    bool isOnRight = op.getRhs().getDefiningOp<ConstantOp>() != nullptr;
    auto constant =
        (isOnRight ? op.getRhs() : op.getLhs()).getDefiningOp<ConstantOp>();
    auto real =
        (isOnRight ? op.getLhs() : op.getRhs()).getDefiningOp<DequantizeOp>();
    if (!constant || !real || !real->hasOneUse() ||
        !typeOf(real.getCodes()).getElementType().isSignlessInteger(32))
      return rewriter.notifyMatchFailure(op,
                                         "not an accumulator and a constant");
    if (real.getResult().getType() != op.getResult().getType())
      return rewriter.notifyMatchFailure(op, "the sum broadcasts");
    auto integers = toAccumulators(constant, real);
    if (!integers)
      return rewriter.notifyMatchFailure(op, "the bias does not fit");
    Location loc = rewriter.getFusedLoc({real.getLoc(), op.getLoc()});
    auto codes = typeOf(real.getCodes());
    Value bias =
        createConstant(rewriter, loc, *integers, typeOf(constant).getShape(),
                       rewriter.getI32Type());
    Value sum = AddOp::create(rewriter, loc, codes, real.getCodes(), bias);
    rewriter.replaceOpWithNewOp<DequantizeOp>(op, op.getResult().getType(), sum,
                                              real.getScales(), real.getZeros(),
                                              real.getFormatAttr());
    return success();
  }

private:
  /// The constant at the scale of the accumulator; nothing when scales are no
  /// powers of two, or vary where the constant does not.
  static std::optional<SmallVector<int64_t>> toAccumulators(ConstantOp constant,
                                                            DequantizeOp real) {
    ArrayRef<int64_t> dims = typeOf(constant).getShape();
    int64_t rank = typeOf(real).getRank(),
            missing = rank - int64_t(dims.size());
    SmallVector<double> reals = readReals(constant);
    for (Value scale : real.getScales()) {
      auto op = scale.getDefiningOp<ConstantOp>();
      auto type = typeOf(scale);
      if (!op || !isa<Float8E8M0FNUType>(type.getElementType()))
        return std::nullopt;
      SmallVector<double> values = readReals(op);
      int64_t stride = 1;
      SmallVector<int64_t> strides(rank, 0);
      for (int64_t i = rank - 1; i >= 0; stride *= type.getDimSize(i), --i) {
        if (type.getDimSize(i) == 1)
          continue;
        if (i < missing || dims[i - missing] != type.getDimSize(i))
          return std::nullopt;
        strides[i] = stride;
      }
      for (auto [flat, value] : llvm::enumerate(reals)) {
        int64_t rest = flat, offset = 0;
        for (int64_t i = rank - 1; i >= missing; --i) {
          offset += rest % dims[i - missing] * strides[i];
          rest /= dims[i - missing];
        }
        value /= values[offset];
      }
    }
    SmallVector<int64_t> integers;
    for (double value : reals) {
      if (!(std::abs(value) < kSumLimit))
        return std::nullopt;
      integers.push_back(static_cast<int64_t>(std::nearbyint(value)));
    }
    return integers;
  }
};

struct PropagateCodes : qopt::impl::PropagateCodesPassBase<PropagateCodes> {
  using PropagateCodesPassBase::PropagateCodesPassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Requantize, MoveCodes, ConcatCodes, PadCodes, AddCodes, LookUp,
                 AverageCodes>(&getContext(), /*benefit=*/2);
    patterns.add<AddConstant, AddBias>(&getContext(), /*benefit=*/1);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
