//===- GroupedContractIntegers.cpp - Codes as signed bytes ----------------===//
//
// Codes of up to 4 bits are looked up in a table of 16 bytes; wider floats are
// decoded by arithmetic on bytes.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractIntegers.h"
#include "Dot.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

namespace {
struct IntegerRange {
  int64_t min, max;

  bool fitsByte() const { return min >= -128 && max <= 127; }
  int64_t magnitude() const { return std::max(-min, max); }
};
} // namespace

/// The integers that elements of a format are; nothing where they are none.
static std::optional<IntegerRange> rangeOf(Type element) {
  std::optional<ElementFormat> format = elementFormatOf(element);
  if (!format)
    return std::nullopt;
  const ElementFormatInfo &info = infoOf(*format);
  if (info.isInteger())
    return IntegerRange{info.integerMin, info.integerMax};
  if (info.kind != ElementKind::Float || !info.integerLog2)
    return std::nullopt;
  int64_t max = int64_t(std::ldexp(info.max, *info.integerLog2));
  return IntegerRange{-max, max};
}

/// The same less the zeros.
static std::optional<IntegerRange> rangeOf(const GroupedOperand &operand) {
  std::optional<IntegerRange> range = rangeOf(operand.element());
  for (Value zero : operand.zeros) {
    Type type = cast<RankedTensorType>(zero.getType()).getElementType();
    std::optional<IntegerRange> zeros = rangeOf(type);
    if (!range || !zeros || !isa<IntegerType>(operand.element()) ||
        !isa<IntegerType>(type))
      return std::nullopt;
    range = IntegerRange{range->min - zeros->max, range->max - zeros->min};
  }
  return range;
}

/// True for elements that are signed bytes, whatever their zeros are.
static bool areBytes(Type element) {
  std::optional<IntegerRange> range = rangeOf(element);
  return range && range->fitsByte();
}

kernel::Match cpu::useIntegers(const GroupedOperand &lhs,
                               const GroupedOperand &rhs,
                               std::optional<int64_t> depth,
                               GroupShape &groups) {
  if (!areBytes(lhs.element()) || !areBytes(rhs.element()))
    return kernel::Match::other();
  std::optional<IntegerRange> a = rangeOf(lhs), b = rangeOf(rhs);
  if (!a || !b || !a->fitsByte() || !b->fitsByte())
    return kernel::Match::failure("codes less their zeros are no bytes");
  int64_t length = depth ? std::min(groups.block, *depth) : groups.block;
  if (length > (int64_t(1) << 24) / (a->magnitude() * b->magnitude()))
    return kernel::Match::failure("sums of groups are not sure to be exact");
  groups.elementsInStep = kElementsInWord;
  groups.largestSigned = b->magnitude();
  bool areSingle = lhs.scales.size() <= 1 && rhs.scales.size() <= 1;
  if (groups.scaleWord == ScaleWord::Exponent && areSingle)
    groups.scaleWord = ScaleWord::Power;
  return kernel::Match::success();
}

namespace {
/// Operations on a vector of bytes.
class ByteBuilder {
public:
  ByteBuilder(VectorBuilder &v, Value like)
      : v(v), lanes(cast<VectorType>(like.getType()).getDimSize(0)) {}

  Value constant(int64_t value) {
    return v.constant(v.b.getI8IntegerAttr(int8_t(value)), lanes);
  }
  Value bitAnd(Value x, int64_t mask) {
    return arith::AndIOp::create(v.b, v.loc, x, constant(mask));
  }
  Value bitXor(Value x, int64_t mask) {
    return arith::XOrIOp::create(v.b, v.loc, x, constant(mask));
  }

  VectorBuilder &v;
  int64_t lanes;
};
} // namespace

/// A float code times 2^integerLog2: its magnitude up to the second binade;
/// from each one to the next a step counts twice as much.
static Value integersOfFloats(ByteBuilder &b, Value codes,
                              const ElementFormatInfo &info) {
  VectorBuilder &v = b.v;
  Value magnitude = b.bitAnd(codes, info.codeMask() >> 1), result = magnitude;
  for (int64_t field = 2; field < 1 << info.exponentBits; ++field) {
    Value binade = b.constant(field << info.mantissaBits);
    Value steps = v.sub(v.max(magnitude, binade), binade);
    for (int64_t i = 0; i < 1 << (field - 2); ++i)
      result = v.add(result, steps);
  }
  Value sign = b.bitAnd(codes, 1 << (info.bits - 1));
  Value isPositive = v.equal(sign, b.constant(0));
  return v.select(isPositive, result, v.sub(b.constant(0), result));
}

/// The integer of a code.
static int8_t integerOfCode(ElementFormat format, uint32_t code) {
  const ElementFormatInfo &info = infoOf(format);
  return int8_t(std::ldexp(decode(code, format), *info.integerLog2));
}

Bytes cpu::integersOf(const GroupedOperand &operand, ArrayRef<uint8_t> codes) {
  ElementFormat format = *elementFormatOf(operand.element());
  Bytes integers;
  for (uint8_t code : codes)
    integers.push_back(uint8_t(integerOfCode(format, code)));
  return integers;
}

Value cpu::integerBytes(VectorBuilder &v, const Tier &tier,
                        const GroupedOperand &operand, Value codes,
                        Value zero) {
  ByteBuilder b(v, codes);
  ElementFormat format = *elementFormatOf(operand.element());
  const ElementFormatInfo &info = infoOf(format);
  Value result = codes;
  if (info.bits <= 4 && info.isSigned()) {
    SmallVector<int8_t> table;
    for (uint32_t code = 0; code < 16; ++code)
      table.push_back(integerOfCode(format, code));
    result = tier.lookUpBytes(v, table, codes);
  } else if (!info.isInteger()) {
    result = integersOfFloats(b, codes, info);
  }
  return zero ? v.sub(result, zero) : result;
}

Value cpu::offsetBytes(VectorBuilder &v, Value bytes) {
  return ByteBuilder(v, bytes).bitXor(bytes, 0x80);
}

Value cpu::zeroBytes(VectorBuilder &v, Value zeros) {
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  Value byte = b.andI(b.toInt(zeros), b.i(0xFF));
  auto bytes = VectorType::get({kLanes * kElementsInWord}, v.b.getI8Type());
  return vector::BitCastOp::create(v.b, v.loc, bytes,
                                   b.mulI(byte, b.i(0x01010101)));
}

Value cpu::addOffsets(VectorBuilder &v, const Tier &tier, int64_t largestSigned,
                      Value words, Value sum) {
  auto dot = Dot::make(v, tier, DotKind::UnsignedRows, largestSigned);
  return dot->add(dot->row(v.i32(kByteOffsets)), dot->lanes(words), sum);
}

static bool fitsShort(int64_t length) { return length * 128 <= INT16_MAX; }

Type cpu::sumType(OpBuilder &b, int64_t length) {
  return fitsShort(length) ? b.getI16Type() : b.getI32Type();
}

Bytes cpu::packSums(const std::vector<int32_t> &sums, int64_t length) {
  if (!fitsShort(length))
    return bytesOf(sums);
  return bytesOf(std::vector<int16_t>(sums.begin(), sums.end()));
}

Value cpu::startOf(VectorBuilder &v, Value sum) {
  auto type = dyn_cast<VectorType>(sum.getType());
  numerics::MLIRPolicy b(v.b, v.loc, type ? type.getDimSize(0) : 0);
  return b.mulI(b.extendSigned(sum), b.i(-128));
}
