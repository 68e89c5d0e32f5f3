//===- BlockedWeightOperators.cpp - Weights of 2, 4 or 8 bits in blocks ---===//
//
// ONNX Runtime keeps them as bytes, [N, blocks, bytes of a block]; the first
// code of a byte is in its low bits, as in a tensor of such codes, so that the
// bytes of the file are taken as they lie.
//
//===----------------------------------------------------------------------===//

#include "CodeFormat.h"
#include "Composer.h"
#include "Operators.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

/// The first `columns` codes of each of `rows` rows of `source`, the bytes of
/// `bytes`, as a tensor of codes of `bits`.
static Value makeCodes(NodeImporter &node, Value bytes,
                       ArrayRef<uint8_t> source, int64_t rows, int64_t columns,
                       int64_t bits) {
  OpBuilder &builder = node.getBuilder();
  Type element = builder.getIntegerType(bits, /*isSigned=*/false);
  auto type = RankedTensorType::get({rows, columns}, element);
  int64_t pitch = rows == 0 ? 0 : source.size() / rows;
  auto constant = bytes.getDefiningOp<ConstantOp>();
  if (auto weight = dyn_cast<WeightAttr>(constant.getValue()))
    if (columns * bits == pitch * 8)
      return ConstantOp::create(builder, node.getLoc(), type, weight);
  TensorData data;
  data.type = type;
  data.owned.resize(llvm::divideCeil(rows * columns * bits, 8));
  int64_t perByte = 8 / bits;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < columns; ++i) {
      uint8_t byte = source[row * pitch + i / perByte];
      uint8_t code = (byte >> (i % perByte * bits)) & ((1 << bits) - 1);
      int64_t to = row * columns + i;
      data.owned[to / perByte] |= code << (to % perByte * bits);
    }
  return makeConstant(builder, node.getLoc(), std::move(data));
}

namespace {
/// The attributes of blocked weights [rows, columns].
struct Blocks {
  int64_t rows, columns, size, bits;

  int64_t count() const { return llvm::divideCeil(columns, size); }
  /// Bytes of a row of zero points, which begins with a byte.
  int64_t zeroBytes() const { return llvm::divideCeil(count() * bits, 8); }
};
} // namespace

static LogicalResult checkBits(NodeImporter &node, int64_t bits, int64_t size) {
  if (bits != 2 && bits != 4 && bits != 8)
    return node.fail(unsupported("attribute \"bits\" expects 2, 4 or 8, but "
                                 "found " +
                                 Twine(bits)));
  if (size >= 16 && size <= (int64_t(1) << 20) && llvm::isPowerOf2_64(size))
    return success();
  return node.fail(malformed("attribute \"block_size\" expects a power of two "
                             "from 16 on, but found " +
                             Twine(size)));
}

/// Scales or zero points of A's type, one for each block.
static Value readForBlocks(NodeImporter &node, Value value,
                           const Blocks &blocks, StringRef name) {
  RankedTensorType type = getType(value);
  if (!type.hasStaticShape() ||
      type.getNumElements() != blocks.rows * blocks.count()) {
    (void)node.fail(malformed("expects " + name + " for " + Twine(blocks.rows) +
                              " rows of " + Twine(blocks.count()) +
                              " blocks, but found " + toString(type)));
    return {};
  }
  int64_t shape[] = {blocks.rows, blocks.count()};
  if (Value constant = reshapeConstant(node.getBuilder(), value, shape))
    return constant;
  return Composer(node).reshape(value, ArrayRef<int64_t>(shape));
}

/// Zero points in bytes as codes [rows, blocks].
static Value readPackedZeros(NodeImporter &node, Value zeros,
                             const Blocks &blocks) {
  SmallVector<uint8_t> storage;
  auto bytes = getConstantBytes(zeros, storage);
  if (!bytes) {
    (void)node.fail(unsupported("expects constant zero points in bytes"));
    return {};
  }
  int64_t expected = blocks.rows * blocks.zeroBytes();
  if (static_cast<int64_t>(bytes->size()) != expected) {
    (void)node.fail(malformed("expects " + Twine(expected) +
                              " bytes of zero points, but found " +
                              Twine(bytes->size())));
    return {};
  }
  return makeCodes(node, zeros, *bytes, blocks.rows, blocks.count(),
                   blocks.bits);
}

/// 2^(bits - 1) for every block.
static Value makeMiddle(NodeImporter &node, const Blocks &blocks) {
  TensorData data;
  data.type = RankedTensorType::get(
      {blocks.rows, blocks.count()},
      node.getBuilder().getIntegerType(blocks.bits, false));
  uint8_t middle = blocks.bits == 2 ? 0xAA : blocks.bits == 4 ? 0x88 : 0x80;
  data.owned.assign(
      llvm::divideCeil(blocks.rows * blocks.count() * blocks.bits, 8), middle);
  return makeConstant(node.getBuilder(), node.getLoc(), std::move(data));
}

/// (code - zero) * scale by blocks of rows, in the type of the scales.
static Value dequantizeBlocks(NodeImporter &node, Value codes, Value scales,
                              Value zeros, const Blocks &blocks) {
  if (!codes || !scales || !zeros || node.getFailure())
    return {};
  OpBuilder &builder = node.getBuilder();
  Type scale = getElementType(scales);
  FormatAttr format =
      getCodeFormat(getElementType(codes), scale, getElementType(zeros),
                    /*axis=*/1, blocks.size);
  auto op = DequantizeOp::create(
      builder, node.getLoc(),
      RankedTensorType::get(getType(codes).getShape(), scale), codes, scales,
      zeros, format);
  return succeeded(node.finish(op)) ? op.getResult() : Value();
}

/// The same where row k of the weights belongs to group groups[k].
static Value dequantizeGroups(NodeImporter &node, Value codes, Value scales,
                              Value zeros, Value groups) {
  Composer c(node);
  Type type = scales ? getElementType(scales) : Type();
  if (!codes || !zeros || !type)
    return {};
  auto spread = [&](Value values) { return c.gather(values, groups, 1); };
  Value difference = c.sub(c.cast(codes, type), spread(c.cast(zeros, type)));
  return c.mul(difference, spread(scales));
}

static LogicalResult importMatMulNBits(NodeImporter &node) {
  Value a = node.getInput(0), b = node.getInput(1), scales = node.getInput(2),
        zeros = node.getInput(3), groups = node.getInput(4),
        bias = node.getInput(5);
  Blocks blocks{node.getInt("N", 0), node.getInt("K", 0),
                node.getInt("block_size", 0), node.getInt("bits", 4)};
  node.ignoreAttribute("accuracy_level"); // what an implementation may round
  if (node.getInt("weight_prepacked", 0) != 0)
    return node.fail(unsupported("weights that a machine has packed are not "
                                 "supported"));
  if (failed(checkBits(node, blocks.bits, blocks.size)) ||
      failed(node.expectFloat(a)) ||
      failed(node.expectSameElementType(a, scales)) ||
      failed(node.expectRank(a, 1, "A")))
    return failure();
  constexpr int64_t kMost = int64_t(1) << 31;
  if (blocks.rows < 1 || blocks.columns < 1 || blocks.rows > kMost ||
      blocks.columns > kMost)
    return node.fail(malformed("attributes \"N\" and \"K\" expect positive "
                               "numbers, but found " +
                               Twine(blocks.rows) + " and " +
                               Twine(blocks.columns)));
  int64_t depth = getType(a).getShape().back();
  if (!ShapedType::isDynamic(depth) && depth != blocks.columns)
    return node.fail(malformed("expects rows of " + Twine(blocks.columns) +
                               ", as \"K\" says, but found " + Twine(depth)));
  SmallVector<uint8_t> storage;
  auto bytes = getConstantBytes(b, storage);
  if (!bytes || !getElementType(b).isUnsignedInteger(8))
    return node.fail(unsupported("expects constant weights of uint8"));
  int64_t expected =
      blocks.rows * blocks.count() * blocks.size * blocks.bits / 8;
  if (static_cast<int64_t>(bytes->size()) != expected)
    return node.fail(malformed("expects " + Twine(expected) +
                               " bytes of weights, but found " +
                               Twine(bytes->size())));
  Value codes =
      makeCodes(node, b, *bytes, blocks.rows, blocks.columns, blocks.bits);
  if (!zeros)
    zeros = makeMiddle(node, blocks);
  else if (getElementType(zeros).isUnsignedInteger(8))
    zeros = readPackedZeros(node, zeros, blocks);
  else if (failed(node.expectSameElementType(a, zeros)))
    return failure();
  else
    zeros = readForBlocks(node, zeros, blocks, "zero points");
  scales = readForBlocks(node, scales, blocks, "scales");
  Composer c(node);
  if (groups && getType(groups).hasStaticShape() &&
      getType(groups).getNumElements() > blocks.columns)
    groups = c.slice(groups, 0, 0, blocks.columns);
  Value weights = groups ? dequantizeGroups(node, codes, scales, zeros, groups)
                         : dequantizeBlocks(node, codes, scales, zeros, blocks);
  Value product = c.matmul(a, c.transpose(weights, {1, 0}));
  if (bias && product) {
    if (failed(node.expectBroadcast({product, bias})))
      return failure();
    product = c.add(product, bias);
  }
  return node.setOutput(0, product);
}

ArrayRef<Operator> qopt::importer::getBlockedWeightOperators() {
  static constexpr Operator rows[] = {
      {"com.microsoft.MatMulNBits", 1, 3, 6, importMatMulNBits,
       "constant weights"},
  };
  return rows;
}
