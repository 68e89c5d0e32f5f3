//===- QuantizationOperators.cpp - QuantizeLinear, DequantizeLinear -------===//
//
// ONNX tells per tensor, per axis and blocked apart by the shape of the scale;
// our ops want scales and zeros of the codes' rank.
//
//===----------------------------------------------------------------------===//

#include "CodeFormat.h"
#include "Composer.h"
#include "DynamicQuantization.h"
#include "Operators.h"
#include "lib/ONNX/ElementTypes.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

namespace {
/// How scales belong to codes.
struct Granularity {
  /// -1 where all codes share one scale.
  int64_t axis = -1;
  /// 0 where scales do not belong to blocks.
  int64_t block = 0;
  /// Of scales and zeros, with the rank of the codes.
  SmallVector<int64_t> shape;
};
} // namespace

static bool isOneElement(RankedTensorType type) {
  return type.hasStaticShape() && type.getRank() <= 1 &&
         type.getNumElements() == 1;
}

static bool differ(int64_t a, int64_t b) {
  return !ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && a != b;
}

static LogicalResult checkBlockedShape(NodeImporter &node, Value x, Value scale,
                                       const Granularity &granularity) {
  for (int64_t i = 0; i < getRank(x); ++i) {
    int64_t dim = getType(x).getDimSize(i);
    int64_t size = getType(scale).getDimSize(i);
    if (i == granularity.axis && !ShapedType::isDynamic(dim))
      dim = llvm::divideCeil(dim, granularity.block);
    if (differ(size, dim))
      return node.fail(malformed("expects " + Twine(dim) + " scales on axis " +
                                 Twine(i) + ", but found " + Twine(size)));
  }
  return success();
}

/// Reads `axis` and `block_size` and holds them against the shapes.
static std::optional<Granularity> readGranularity(NodeImporter &node, Value x,
                                                  Type codes, Value scale) {
  int64_t rank = getRank(x);
  RankedTensorType type = getType(scale);
  int64_t axisAttribute = node.getInt("axis", 1);
  int64_t block = node.getInt("block_size", 0);
  Granularity granularity;
  if (block < 0) {
    (void)node.fail(malformed("attribute \"block_size\" expects 0 or more, but "
                              "found " +
                              Twine(block)));
    return std::nullopt;
  }
  if (isOneElement(type) && block == 0) {
    granularity.shape.assign(rank, 1);
    return granularity;
  }
  std::optional<int64_t> axis = node.getAxis(axisAttribute, rank);
  if (!axis)
    return std::nullopt;
  granularity.axis = *axis;
  granularity.block = block;
  if (block > 0 && type.getRank() == rank) {
    granularity.shape = llvm::to_vector(type.getShape());
    if (failed(checkBlockedShape(node, x, scale, granularity)))
      return std::nullopt;
    // Of values that are computed, a scale for a whole row is that of dynamic
    // quantization. Weights stay in blocks.
    int64_t dim = getType(x).getDimSize(*axis);
    bool isComputed =
        !scale.getDefiningOp<ConstantOp>() && !x.getDefiningOp<ConstantOp>();
    if (isComputed && !ShapedType::isDynamic(dim) && dim <= block &&
        isa<IntegerType>(codes)) {
      granularity.axis = -1;
      granularity.block = 0;
    }
    return granularity;
  }
  if (block == 0 && type.getRank() == 1) {
    int64_t size = type.getDimSize(0), dim = getType(x).getDimSize(*axis);
    if (differ(size, dim)) {
      (void)node.fail(malformed("expects " + Twine(dim) + " scales for axis " +
                                Twine(*axis) + ", but found " + Twine(size)));
      return std::nullopt;
    }
    granularity.shape.assign(rank, 1);
    granularity.shape[*axis] = size;
    return granularity;
  }
  (void)node.fail(malformed(
      block > 0
          ? "expects a scale of rank " + Twine(rank) +
                " with a block_size, but found rank " + Twine(type.getRank())
          : "expects a scale of rank 0 or 1 without a block_size, but "
            "found rank " +
                Twine(type.getRank())));
  return std::nullopt;
}

/// Scale or zero point with the rank of the codes.
static Value withRank(NodeImporter &node, Value value,
                      const Granularity &granularity) {
  ArrayRef<int64_t> shape = granularity.shape;
  if (getType(value).getShape() == shape)
    return value;
  if (Value constant = reshapeConstant(node.getBuilder(), value, shape))
    return constant;
  SmallVector<int64_t> target;
  for (int64_t dim : shape)
    target.push_back(ShapedType::isDynamic(dim) ? -1 : dim);
  Value dims = makeIntegers(node.getBuilder(), node.getLoc(), target);
  return node.make<ReshapeOp>(getElementType(value), {value, dims},
                              node.attr("allow_zero", false));
}

static FormatAttr getFormat(Type codes, Value scale, Value zero,
                            const Granularity &granularity) {
  return getCodeFormat(codes, getElementType(scale),
                       zero ? getElementType(zero) : Type(), granularity.axis,
                       granularity.block);
}

/// The zero point with the rank of the codes; null when there is none or all of
/// it is 0.
static LogicalResult readZero(NodeImporter &node, Value scale, Type codes,
                              const Granularity &granularity, Value &zero) {
  Value input = node.getInput(2);
  zero = {};
  if (!input)
    return success();
  if (getElementType(input) != codes)
    return node.fail(
        malformed("expects a zero point of the type of the codes"));
  bool isSame =
      succeeded(verifyCompatibleShape(getType(input), getType(scale)));
  if (!isSame &&
      !(isOneElement(getType(input)) && isOneElement(getType(scale))))
    return node.fail(
        malformed("expects a zero point of the shape of the scale"));
  if (isConstantZero(input))
    return success();
  if (isa<FloatType>(codes) && granularity.block > 0)
    return node.fail(
        unsupported("expects a zero point of 0 for blocks of float codes, but "
                    "found another or one that is computed"));
  zero = withRank(node, input, granularity);
  return success(zero != nullptr);
}

static bool isScaleType(Type type) {
  return isa<Float32Type, Float16Type, BFloat16Type, Float8E8M0FNUType>(type);
}

/// The type that an attribute names; null for 0 and on failure.
static Type readTypeAttribute(NodeImporter &node, StringRef name) {
  int64_t dataType = node.getInt(name, 0);
  if (dataType == 0)
    return {};
  Type type = getOnnxElementType(node.getBuilder().getContext(), dataType);
  if (!type)
    (void)node.fail(
        getOnnxTypeName(dataType).empty()
            ? malformed("attribute " + quote(name) +
                        " expects a data type, but found " + Twine(dataType))
            : unsupported(quote(name) + " of " + getOnnxTypeName(dataType) +
                          " is not supported"));
  return type;
}

/// Constant scales are finite; those that divide are above 0 too.
static LogicalResult checkScales(NodeImporter &node, Value scale,
                                 bool isDivisor) {
  auto numbers = getConstantFloats(scale);
  if (!numbers)
    return success();
  for (double number : *numbers)
    if (!std::isfinite(number) || (isDivisor && number <= 0))
      return node.fail(malformed(
          Twine(isDivisor ? "expects finite scales above 0, but found "
                          : "expects finite scales, but found ") +
          llvm::formatv("{0:e}", number).str()));
  return success();
}

/// Codes of floats have no zero point in our formats. One that is there is
/// added to the quotient, or subtracted from the value of the code.
static Value quantizeFloats(NodeImporter &node, Value x, Value scale,
                            Value zero, bool saturate) {
  Composer c(node);
  Type f32 = node.getBuilder().getF32Type();
  Value quotient = c.div(c.cast(x, f32), c.cast(scale, f32));
  Value sum = c.add(quotient, c.cast(zero, f32));
  return sum ? node.make<CastOp>(getElementType(zero), sum,
                                 node.attr("saturate", saturate))
             : Value();
}

static Value dequantizeFloats(NodeImporter &node, Value codes, Value scale,
                              Value zero, Type output) {
  Composer c(node);
  Type f32 = node.getBuilder().getF32Type();
  Value value = c.sub(c.cast(codes, f32), c.cast(zero, f32));
  return c.cast(c.mul(value, c.cast(scale, f32)), output);
}

static LogicalResult importQuantizeLinear(NodeImporter &node) {
  Value x = node.getInput(0), scale = node.getInput(1);
  OpBuilder &builder = node.getBuilder();
  bool saturate = node.getInt("saturate", 1) != 0;
  Type precision = readTypeAttribute(node, "precision");
  Type output = readTypeAttribute(node, "output_dtype");
  Type codes = output ? output : builder.getIntegerType(8, /*isSigned=*/false);
  if (Value zero = node.getInput(2)) {
    codes = getElementType(zero);
    if (output && output != codes)
      return node.fail(malformed("expects output_dtype to be the type of the "
                                 "zero point"));
  }
  if (!isa<Float32Type, Float16Type, BFloat16Type>(getElementType(x)) ||
      !isScaleType(getElementType(scale)))
    return node.fail(
        unsupported("expects x of float, float16 or bfloat16 and a "
                    "scale of these or float8e8m0"));
  if (precision && !precision.isF32())
    return node.fail(unsupported("expects a precision of float, but found "
                                 "another"));
  if (failed(checkScales(node, scale, /*isDivisor=*/true)))
    return failure();
  std::optional<Granularity> granularity =
      readGranularity(node, x, codes, scale);
  Value zero;
  if (!granularity || failed(readZero(node, scale, codes, *granularity, zero)))
    return failure();
  FormatAttr format = getFormat(codes, scale, zero, *granularity);
  if (!format)
    return node.fail(unsupported("codes of this type are not supported"));
  Value scales = withRank(node, scale, *granularity);
  if (!scales || node.getFailure())
    return failure();
  if (zero && isa<FloatType>(codes))
    return node.setOutput(0, quantizeFloats(node, x, scales, zero, saturate));
  auto op =
      QuantizeOp::create(builder, node.getLoc(),
                         RankedTensorType::get(getType(x).getShape(), codes), x,
                         scales, zero ? ValueRange(zero) : ValueRange(), format,
                         builder.getUnitAttr(), builder.getBoolAttr(saturate));
  if (failed(node.finish(op)))
    return failure();
  return node.setOutput(0, op.getResult());
}

static LogicalResult importDequantizeLinear(NodeImporter &node) {
  Value codes = node.getInput(0), scale = node.getInput(1);
  OpBuilder &builder = node.getBuilder();
  Type scaleType = getElementType(scale), codeType = getElementType(codes);
  Type output = readTypeAttribute(node, "output_dtype");
  if (!isScaleType(scaleType))
    return node.fail(
        unsupported("expects a scale of float, float16, bfloat16 or "
                    "float8e8m0"));
  if (!output && isa<Float8E8M0FNUType>(scaleType))
    return node.fail(malformed("expects output_dtype beside a scale of "
                               "float8e8m0"));
  if (!output)
    output = scaleType;
  if (!isa<Float32Type, Float16Type, BFloat16Type>(output))
    return node.fail(malformed("expects output_dtype float, float16 or "
                               "bfloat16"));
  if (failed(checkScales(node, scale, /*isDivisor=*/false)))
    return failure();
  std::optional<Granularity> granularity =
      readGranularity(node, codes, codeType, scale);
  Value zero;
  if (!granularity ||
      failed(readZero(node, scale, codeType, *granularity, zero)))
    return failure();
  FormatAttr format = getFormat(codeType, scale, zero, *granularity);
  if (!format && !codeType.isInteger(32))
    return node.fail(unsupported("codes of this type are not supported"));
  Value scales = withRank(node, scale, *granularity);
  if (!scales || node.getFailure())
    return failure();
  if (zero && isa<FloatType>(codeType))
    return node.setOutput(0,
                          dequantizeFloats(node, codes, scales, zero, output));
  auto op = DequantizeOp::create(
      builder, node.getLoc(),
      RankedTensorType::get(getType(codes).getShape(), output), codes, scales,
      zero ? ValueRange(zero) : ValueRange(), format);
  if (failed(node.finish(op)))
    return failure();
  return node.setOutput(0, op.getResult());
}

static LogicalResult importDynamicQuantizeLinear(NodeImporter &node) {
  std::optional<DynamicCodes> made =
      quantizeDynamically(node, node.getInput(0));
  if (!made || failed(node.setOutput(0, made->codes)) ||
      failed(node.setOutput(1, made->scale)))
    return failure();
  return node.setOutput(2, made->zero);
}

ArrayRef<Operator> qopt::importer::getQuantizationOperators() {
  static constexpr Operator rows[] = {
      {"DequantizeLinear", 10, 2, 3, importDequantizeLinear,
       "blocks of float codes without a zero point"},
      {"DynamicQuantizeLinear", 11, 1, 1, importDynamicQuantizeLinear},
      {"QuantizeLinear", 10, 2, 3, importQuantizeLinear,
       "precision float; blocks of float codes without a zero point"},
  };
  return rows;
}
