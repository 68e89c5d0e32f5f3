//===- GroupedContractIntegers.cpp - Codes as signed bytes ----------------===//
//
// Decoding is arithmetic on bytes: a table would need an instruction that not
// all tiers have.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractIntegers.h"
#include "ContractDot.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;

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

bool x86::haveExactSums(const GroupedOperand &lhs, const GroupedOperand &rhs,
                        const GroupShape &groups,
                        std::optional<int64_t> depth) {
  std::optional<IntegerRange> a = rangeOf(lhs), b = rangeOf(rhs);
  if (!a || !b || !a->fitsByte() || !b->fitsByte())
    return false;
  int64_t length = depth ? std::min(groups.block, *depth) : groups.block;
  return length <= (int64_t(1) << 24) / (a->magnitude() * b->magnitude());
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
  Value shiftLeft(Value x, int64_t distance) {
    return arith::ShLIOp::create(v.b, v.loc, x, constant(distance));
  }
  /// Of unsigned bytes.
  Value isBelow(Value x, int64_t bound) {
    return arith::CmpIOp::create(v.b, v.loc, arith::CmpIPredicate::ult, x,
                                 constant(bound));
  }

  VectorBuilder &v;
  int64_t lanes;
};
} // namespace

/// A float code times 2^integerLog2: its magnitude up to the second binade, and
/// twice as much from binade to binade.
static Value integersOfFloats(ByteBuilder &b, Value codes,
                              const ElementFormatInfo &info) {
  VectorBuilder &v = b.v;
  Value magnitude = b.bitAnd(codes, info.codeMask() >> 1), result = magnitude;
  for (int64_t field = 2; field < 1 << info.exponentBits; ++field) {
    Value skipped = b.constant((field - 1) << info.mantissaBits);
    Value value = b.shiftLeft(v.sub(magnitude, skipped), field - 1);
    Value isBelow = b.isBelow(magnitude, field << info.mantissaBits);
    result = v.select(isBelow, result, value);
  }
  Value sign = b.bitAnd(codes, 1 << (info.bits - 1));
  Value isPositive = v.equal(sign, b.constant(0));
  return v.select(isPositive, result, v.sub(b.constant(0), result));
}

Value x86::integerBytes(VectorBuilder &v, const GroupedOperand &operand,
                        Value codes, Value zero) {
  ByteBuilder b(v, codes);
  const ElementFormatInfo &info = infoOf(*elementFormatOf(operand.element()));
  Value result = codes;
  if (!info.isInteger()) {
    result = integersOfFloats(b, codes, info);
  } else if (info.isSigned() && info.bits < 8) {
    int64_t sign = 1 << (info.bits - 1);
    result = v.sub(b.bitXor(codes, sign), b.constant(sign));
  }
  return zero ? v.sub(result, zero) : result;
}

Value x86::offsetBytes(VectorBuilder &v, Value bytes) {
  return ByteBuilder(v, bytes).bitXor(bytes, 0x80);
}

Value x86::zeroBytes(VectorBuilder &v, Value zeros) {
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  Value byte = b.andI(b.toInt(zeros), b.i(0xFF));
  auto bytes =
      VectorType::get({kLanes * kElementsInWord}, v.b.getI8Type());
  return vector::BitCastOp::create(v.b, v.loc, bytes,
                                   b.mulI(byte, b.i(0x01010101)));
}

Value x86::addOffsets(VectorBuilder &v, const Tier &tier, Value words,
                      Value sum) {
  Dot dot(v, tier, DotKind::UnsignedRows);
  return dot.add(dot.row(v.i32(int32_t(0x80808080))), dot.lanes(words), sum);
}
