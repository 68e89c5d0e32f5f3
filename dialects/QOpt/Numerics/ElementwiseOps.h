//===- ElementwiseOps.h - The formula of every element-wise op --*- C++ -*-===//
//
// One dispatch from ops to formulas, for all that work element by element.
// How a value of an element type is held (`getValueKind`), by operands and
// by the result alike:
//   f32 f16 bf16           F: the caller widens f16 and bf16, and rounds once
//   i1                     M
//   i2..i32 ui2..ui16      I: sign-extended, unsigned ones zero-extended
//   ui32 i64 ui64 index    L: the same
//   f64                    D
//   f8 f6 f4 types         I: the bits of the code, zero-extended
// Integer results are wrapped to their element type, so a chain of ops needs no
// step between them.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_ELEMENTWISEOPS_H
#define DIALECTS_QOPT_NUMERICS_ELEMENTWISEOPS_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/Numerics/Activations.h"
#include "dialects/QOpt/Numerics/DoubleFunctions.h"
#include "dialects/QOpt/Numerics/ElementCodes.h"
#include "dialects/QOpt/Numerics/Power.h"
#include "dialects/QOpt/Numerics/Remainder.h"
#include "dialects/QOpt/Numerics/Trigonometry.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"
#include <type_traits>
#include <variant>

namespace qopt::numerics {

enum class ValueKind { Float, Bool, Int, Long, Double };

/// How values of `type` are held; nothing for types that have no formulas.
inline std::optional<ValueKind> getValueKind(mlir::Type type) {
  if (type.isF32() || type.isF16() || type.isBF16())
    return ValueKind::Float;
  if (type.isF64())
    return ValueKind::Double;
  if (type.isIndex())
    return ValueKind::Long;
  if (auto integer = mlir::dyn_cast<mlir::IntegerType>(type)) {
    if (integer.getWidth() == 1)
      return ValueKind::Bool;
    if (integer.getWidth() < 32 ||
        (integer.getWidth() == 32 && !integer.isUnsigned()))
      return ValueKind::Int;
    if (integer.getWidth() <= 64)
      return ValueKind::Long;
    return std::nullopt;
  }
  if (elementFormatOf(type))
    return ValueKind::Int;
  return std::nullopt;
}

/// A value of any kind. A policy whose types are one type uses that type.
template <class B>
using ElementValue =
    std::conditional_t<std::is_same_v<typename B::F, typename B::I>,
                       typename B::F,
                       std::variant<typename B::F, typename B::I, typename B::L,
                                    typename B::M, typename B::D>>;

/// `value` as the type of the kind that it is known to have.
template <class B, class T> T getAs(const ElementValue<B> &value) {
  if constexpr (std::is_same_v<typename B::F, typename B::I>)
    return value;
  else
    return std::get<T>(value);
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// The value of a one-byte or wider integer type that has its low bits.
template <class B>
typename B::I wrapInt(B &b, typename B::I x, mlir::Type type) {
  auto integer = mlir::dyn_cast<mlir::IntegerType>(type);
  if (!integer || integer.getWidth() >= 32)
    return x;
  typename B::I distance = b.i(32 - integer.getWidth());
  typename B::I shifted = b.shl(x, distance);
  return integer.isUnsigned() ? b.shrU(shifted, distance)
                              : b.shrS(shifted, distance);
}

template <class B>
typename B::L wrapLong(B &b, typename B::L x, mlir::Type type) {
  return type.isInteger(32) ? b.andI(x, b.l(0xFFFFFFFF)) : x;
}

/// x, an F or D, without its fraction.
template <class B, class T> T truncateReal(B &b, T x, T zero) {
  return b.select(b.olt(x, zero), b.ceil(x), b.floor(x));
}

/// The unsigned number x of 64 bits, rounded once: of a large one the lowest
/// bit, which no float holds, stands for those below.
template <class B, class Convert>
auto fromUnsigned(B &b, typename B::L x, Convert convert) {
  typename B::L half = b.orI(b.shrU(x, b.l(1)), b.andI(x, b.l(1)));
  auto isLarge = b.ltS(x, b.l(0));
  auto whole = convert(b.select(isLarge, half, x));
  return b.select(isLarge, b.add(whole, whole), whole);
}

/// An L of `type` as F or D.
template <class B>
typename B::F longToFloat(B &b, typename B::L x, mlir::Type type) {
  auto convert = [&](typename B::L x) { return b.toFloat(x); };
  return type.isUnsignedInteger(64) ? fromUnsigned(b, x, convert) : convert(x);
}
template <class B>
typename B::D longToDouble(B &b, typename B::L x, mlir::Type type) {
  auto convert = [&](typename B::L x) { return b.toDouble(x); };
  return type.isUnsignedInteger(64) ? fromUnsigned(b, x, convert) : convert(x);
}

/// x without its fraction, or the nearest bound of an integer of `bits` bits;
/// NaN gives 0. A type of fewer than 8 bits takes the low bits of an i32. x is
/// an F or D, of which `real(c)` makes constants.
template <class B, class T, class Real>
ElementValue<B> realToInteger(B &b, T x, mlir::Type type, Real real) {
  unsigned bits = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  bool isUnsigned = type.isUnsignedInteger() && bits >= 8;
  unsigned range = bits < 8 ? 32 : bits;
  unsigned magnitude = isUnsigned ? range : range - 1;
  double end = 2.0 * double(uint64_t(1) << (magnitude - 1)),
         low = isUnsigned ? 0 : -end;
  int64_t most = int64_t(~uint64_t(0) >> (64 - magnitude));
  int64_t least = isUnsigned ? 0 : -most - 1;
  auto isInside = b.andM(b.oge(x, real(low)), b.olt(x, real(end)));
  T safe = truncateReal(b, T(b.select(isInside, x, real(0))), real(0));
  auto isAbove = b.oge(x, real(end)), isBelow = b.olt(x, real(low));
  if (getValueKind(type) == ValueKind::Long) {
    typename B::L whole;
    if (magnitude < 64) {
      whole = b.toLong(safe);
    } else {
      // The upper half of the numbers is counted from 2^63 on.
      auto isUpper = b.oge(safe, real(0x1p63));
      whole = b.toLong(b.select(isUpper, b.sub(safe, real(0x1p63)), safe));
      whole = b.xorI(
          whole,
          b.select(isUpper, b.l(std::numeric_limits<int64_t>::min()), b.l(0)));
    }
    return b.select(isAbove, b.l(most), b.select(isBelow, b.l(least), whole));
  }
  typename B::I inside;
  if constexpr (std::is_same_v<T, typename B::F>)
    inside = b.toInt(safe);
  else
    inside = b.lowHalf(b.toLong(safe));
  typename B::I whole =
      b.select(isAbove, b.i(int32_t(most)),
               b.select(isBelow, b.i(int32_t(least)), inside));
  return wrapInt(b, whole, type);
}

/// The byte of the next power of two upwards, as encodeE8M0() gives it.
template <class B>
typename B::I encodeE8M0Code(B &b, typename B::F x, bool saturate = true) {
  using I = typename B::I;
  I bits = b.bitsOf(x);
  // A carry out of the fraction is the step upwards; 2^-127 is subnormal.
  I byte = b.shrS(b.addI(bits, b.i(0x7FFFFF)), b.i(23));
  if (saturate)
    byte = b.minS(byte, b.i(254));
  byte = b.select(b.leS(bits, b.i(0x400000)), b.i(0), byte);
  // Negative numbers are; without saturation all below 2^-127 but for what is
  // rounded up to it.
  auto isOutside = b.leS(bits, b.i(saturate ? -1 : 0x200000));
  byte = b.select(isOutside, b.i(saturate ? 0 : 255), byte);
  return b.select(b.uno(x, x), b.i(255), byte);
}

/// x as f32 rounded to odd: rounded once more, to 22 bits or fewer, it is what
/// x is rounded to.
template <class B> typename B::F roundToOdd(B &b, typename B::D x) {
  using F = typename B::F;
  using I = typename B::I;
  F near = b.toFloat(x);
  auto wide = b.abs(b.toDouble(near)), magnitude = b.abs(x);
  I bits = b.bitsOf(near);
  bits = b.select(b.ogt(wide, magnitude), b.subI(bits, b.i(1)), bits);
  bits = b.select(b.orM(b.ogt(wide, magnitude), b.olt(wide, magnitude)),
                  b.orI(bits, b.i(1)), bits);
  return b.floatOf(bits);
}

/// qopt.cast.
template <class B>
mlir::FailureOr<ElementValue<B>> castElement(B &b, ElementValue<B> value,
                                             mlir::Type from, mlir::Type to,
                                             bool saturate = true) {
  using F = typename B::F;
  using I = typename B::I;
  using L = typename B::L;
  using M = typename B::M;
  using D = typename B::D;
  using V = ElementValue<B>;
  auto fromKind = getValueKind(from), toKind = getValueKind(to);
  if (!fromKind || !toKind)
    return mlir::failure();
  if (from == to)
    return value;
  // Codes of narrow floats pass through f32.
  if (mlir::isa<mlir::FloatType>(from) && *fromKind == ValueKind::Int) {
    value = V(decodeCode(b, getAs<B, I>(value), *elementFormatOf(from)));
    fromKind = ValueKind::Float;
  }
  bool toCode = mlir::isa<mlir::FloatType>(to) && *toKind == ValueKind::Int;
  if (toCode || *toKind == ValueKind::Float) {
    F x;
    switch (*fromKind) {
    case ValueKind::Float:
      x = getAs<B, F>(value);
      break;
    case ValueKind::Bool:
      x = b.select(getAs<B, M>(value), b.f(1), b.f(0));
      break;
    case ValueKind::Int:
      x = b.toFloat(getAs<B, I>(value));
      break;
    case ValueKind::Long:
      x = longToFloat(b, getAs<B, L>(value), from);
      break;
    case ValueKind::Double: {
      D wide = getAs<B, D>(value);
      x = to.isF32() ? b.toFloat(wide) : roundToOdd(b, wide);
      break;
    }
    }
    if (!toCode)
      return V(x);
    ElementFormat format = *elementFormatOf(to);
    return V(format == ElementFormat::F8E8M0FNU
                 ? encodeE8M0Code(b, x, saturate)
                 : encodeFloatCode(b, x, format, saturate));
  }
  if (*toKind == ValueKind::Double)
    switch (*fromKind) {
    case ValueKind::Float:
      return V(b.toDouble(getAs<B, F>(value)));
    case ValueKind::Bool:
      return V(b.select(getAs<B, M>(value), b.d(1), b.d(0)));
    case ValueKind::Int:
      return V(b.toDouble(getAs<B, I>(value)));
    case ValueKind::Long:
      return V(longToDouble(b, getAs<B, L>(value), from));
    case ValueKind::Double:
      return value;
    }
  if (*toKind == ValueKind::Bool)
    switch (*fromKind) {
    case ValueKind::Float:
      return V(b.une(getAs<B, F>(value), b.f(0)));
    case ValueKind::Bool:
      return value;
    case ValueKind::Int:
      return V(b.neI(getAs<B, I>(value), b.i(0)));
    case ValueKind::Long:
      return V(b.neI(getAs<B, L>(value), b.l(0)));
    case ValueKind::Double:
      return V(b.une(getAs<B, D>(value), b.d(0)));
    }
  if (*fromKind == ValueKind::Float)
    return realToInteger(b, getAs<B, F>(value), to,
                         [&](double c) { return b.f(float(c)); });
  if (*fromKind == ValueKind::Double)
    return realToInteger(b, getAs<B, D>(value), to,
                         [&](double c) { return b.d(c); });
  if (*toKind == ValueKind::Int) {
    I x;
    switch (*fromKind) {
    case ValueKind::Bool:
      x = b.select(getAs<B, M>(value), b.i(1), b.i(0));
      break;
    case ValueKind::Long:
      x = b.lowHalf(getAs<B, L>(value));
      break;
    default:
      x = getAs<B, I>(value);
      break;
    }
    return V(wrapInt(b, x, to));
  }
  L x;
  switch (*fromKind) {
  case ValueKind::Bool:
    x = b.select(getAs<B, M>(value), b.l(1), b.l(0));
    break;
  case ValueKind::Int:
    x = b.extendToL(getAs<B, I>(value));
    break;
  default:
    x = getAs<B, L>(value);
    break;
  }
  return V(wrapLong(b, x, to));
}

//===----------------------------------------------------------------------===//
// One kind of operands
//===----------------------------------------------------------------------===//

/// The remainder of a division to zero, or that with the sign of the divisor:
/// `fmod` is the first one, of operands of type T.
template <class B, class T, class Remainder, class CopySign>
T modReal(B &b, ModOp op, T x, T y, T zero, Remainder fmod,
          CopySign copySignOf) {
  T rest = fmod(x, y);
  if (op.getTruncates())
    return rest;
  auto isZero = b.oeq(rest, zero);
  auto differs = b.xorM(b.olt(rest, zero), b.olt(y, zero));
  rest = b.select(differs, b.add(rest, y), rest);
  return b.select(isZero, copySignOf(zero, y), rest);
}

/// Ops on operands of T, which is F or D, that only round. `real(c)` makes
/// constants.
template <class B, class T, class Real>
mlir::FailureOr<ElementValue<B>>
realElement(B &b, mlir::Operation *op, llvm::ArrayRef<ElementValue<B>> operands,
            Real real) {
  using V = ElementValue<B>;
  using Result = mlir::FailureOr<V>;
  T x = getAs<B, T>(operands[0]);
  T y = operands.size() > 1 ? getAs<B, T>(operands[1]) : x;
  auto attr = [&](llvm::APFloat value) { return real(value.convertToFloat()); };
  return llvm::TypeSwitch<mlir::Operation *, Result>(op)
      .Case([&](AddOp) -> Result { return V(b.add(x, y)); })
      .Case([&](SubOp) -> Result { return V(b.sub(x, y)); })
      .Case([&](MulOp) -> Result { return V(b.mul(x, y)); })
      .Case([&](DivOp) -> Result { return V(b.div(x, y)); })
      .Case([&](FmaOp) -> Result {
        return V(b.fma(x, y, getAs<B, T>(operands[2])));
      })
      .Case([&](MinOp) -> Result { return V(b.min(x, y)); })
      .Case([&](MaxOp) -> Result { return V(b.max(x, y)); })
      .Case([&](EqualOp) -> Result { return V(b.oeq(x, y)); })
      .Case([&](LessOp) -> Result { return V(b.olt(x, y)); })
      .Case([&](LessOrEqualOp) -> Result { return V(b.ole(x, y)); })
      .Case([&](GreaterOp) -> Result { return V(b.ogt(x, y)); })
      .Case([&](GreaterOrEqualOp) -> Result { return V(b.oge(x, y)); })
      .Case([&](SqrtOp) -> Result { return V(b.sqrt(x)); })
      .Case([&](ReciprocalOp) -> Result { return V(b.div(real(1), x)); })
      .Case([&](NegOp) -> Result { return V(b.neg(x)); })
      .Case([&](AbsOp) -> Result { return V(b.abs(x)); })
      .Case([&](FloorOp) -> Result { return V(b.floor(x)); })
      .Case([&](CeilOp) -> Result { return V(b.ceil(x)); })
      .Case([&](RoundOp) -> Result { return V(b.roundEven(x)); })
      .Case([&](ClipOp clip) -> Result {
        T result = x;
        if (clip.getLow())
          result = b.max(result, attr(*clip.getLow()));
        if (clip.getHigh())
          result = b.min(result, attr(*clip.getHigh()));
        return V(result);
      })
      .Default([](mlir::Operation *) -> Result { return mlir::failure(); });
}

/// Ops on F operands; the result is F, or M for comparisons.
template <class B>
mlir::FailureOr<ElementValue<B>>
floatElement(B &b, mlir::Operation *op,
             llvm::ArrayRef<ElementValue<B>> operands) {
  using F = typename B::F;
  using V = ElementValue<B>;
  using Result = mlir::FailureOr<V>;
  F x = getAs<B, F>(operands[0]);
  F y = operands.size() > 1 ? getAs<B, F>(operands[1]) : x;
  auto attr = [&](llvm::APFloat value) { return b.f(value.convertToFloat()); };
  return llvm::TypeSwitch<mlir::Operation *, Result>(op)
      .Case([&](PowOp) -> Result { return V(powF32(b, x, y)); })
      .Case([&](ModOp mod) -> Result {
        return V(modReal(
            b, mod, x, y, b.f(0),
            [&](F x, F y) { return remainderF32(b, x, y); },
            [&](F x, F y) { return copySign(b, x, y); }));
      })
      .Case([&](ReluOp) -> Result { return V(reluF32(b, x)); })
      .Case([&](SigmoidOp) -> Result { return V(sigmoidF32(b, x)); })
      .Case([&](TanhOp) -> Result { return V(tanhF32(b, x)); })
      .Case([&](ErfOp) -> Result { return V(erfF32(b, x)); })
      .Case([&](ExpOp) -> Result { return V(expF32(b, x)); })
      .Case([&](LogOp) -> Result { return V(logF32(b, x)); })
      .Case([&](SinOp) -> Result { return V(sinF32(b, x)); })
      .Case([&](CosOp) -> Result { return V(cosF32(b, x)); })
      .Case([&](SoftplusOp) -> Result { return V(softplusF32(b, x)); })
      .Case([&](SiluOp) -> Result { return V(siluF32(b, x)); })
      .Case([&](HardSwishOp) -> Result { return V(hardSwishF32(b, x)); })
      .Case([&](GeluOp gelu) -> Result {
        return gelu.getForm() == GeluForm::Erf ? V(geluErfF32(b, x))
                                               : V(geluTanhF32(b, x));
      })
      .Case([&](LeakyReluOp leaky) -> Result {
        return V(leakyReluF32(b, x, attr(leaky.getAlpha())));
      })
      .Case([&](EluOp elu) -> Result {
        return V(eluF32(b, x, attr(elu.getAlpha())));
      })
      .Case([&](HardSigmoidOp hard) -> Result {
        return V(
            hardSigmoidF32(b, x, attr(hard.getAlpha()), attr(hard.getBeta())));
      })
      .Default([&](mlir::Operation *op) {
        return realElement<B, F>(b, op, operands,
                                 [&](double c) { return b.f(float(c)); });
      });
}

/// Ops on D operands; the result is D, or M for comparisons.
template <class B>
mlir::FailureOr<ElementValue<B>>
doubleElement(B &b, mlir::Operation *op,
              llvm::ArrayRef<ElementValue<B>> operands) {
  using D = typename B::D;
  using V = ElementValue<B>;
  using Result = mlir::FailureOr<V>;
  D x = getAs<B, D>(operands[0]);
  D y = operands.size() > 1 ? getAs<B, D>(operands[1]) : x;
  return llvm::TypeSwitch<mlir::Operation *, Result>(op)
      .Case([&](PowOp) -> Result { return V(powF64(b, x, y)); })
      .Case([&](ModOp mod) -> Result {
        return V(modReal(
            b, mod, x, y, b.d(0),
            [&](D x, D y) { return remainderF64(b, x, y); },
            [&](D x, D y) { return copySignF64(b, x, y); }));
      })
      .Case([&](ReluOp) -> Result { return V(b.max(x, b.d(0))); })
      .Case([&](SigmoidOp) -> Result { return V(sigmoidF64(b, x)); })
      .Case([&](TanhOp) -> Result { return V(tanhF64(b, x)); })
      .Case([&](ExpOp) -> Result { return V(expF64(b, x)); })
      .Case([&](LogOp) -> Result { return V(logF64(b, x)); })
      .Case([&](SoftplusOp) -> Result { return V(softplusF64(b, x)); })
      .Case([&](SiluOp) -> Result { return V(b.mul(x, sigmoidF64(b, x))); })
      .Case([&](LeakyReluOp leaky) -> Result {
        D alpha = b.d(leaky.getAlpha().convertToFloat());
        return V(b.select(b.olt(x, b.d(0)), b.mul(alpha, x), x));
      })
      .Default([&](mlir::Operation *op) {
        return realElement<B, D>(b, op, operands,
                                 [&](double c) { return b.d(c); });
      });
}

/// Ops on M operands.
template <class B>
mlir::FailureOr<ElementValue<B>>
boolElement(B &b, mlir::Operation *op,
            llvm::ArrayRef<ElementValue<B>> operands) {
  using M = typename B::M;
  using V = ElementValue<B>;
  using Result = mlir::FailureOr<V>;
  M x = getAs<B, M>(operands[0]);
  M y = operands.size() > 1 ? getAs<B, M>(operands[1]) : x;
  return llvm::TypeSwitch<mlir::Operation *, Result>(op)
      .Case([&](AndOp) -> Result { return V(b.andM(x, y)); })
      .Case([&](OrOp) -> Result { return V(b.orM(x, y)); })
      .template Case<XorOp>([&](auto) -> Result { return V(b.xorM(x, y)); })
      .Case([&](NotOp) -> Result { return V(b.notM(x)); })
      .Case([&](EqualOp) -> Result { return V(b.notM(b.xorM(x, y))); })
      .Default([](mlir::Operation *) -> Result { return mlir::failure(); });
}

/// Ops on I or on L operands, T being one of them; `isUnsigned` says that L has
/// no sign. The caller wraps results.
template <class B, class T>
mlir::FailureOr<ElementValue<B>>
integerElement(B &b, mlir::Operation *op, bool isLong, bool isUnsigned,
               llvm::ArrayRef<ElementValue<B>> operands) {
  using V = ElementValue<B>;
  using Result = mlir::FailureOr<V>;
  using M = typename B::M;
  auto constant = [&](int64_t value) -> T {
    if constexpr (!std::is_same_v<typename B::I, typename B::L>) {
      if constexpr (std::is_same_v<T, typename B::L>)
        return b.l(value);
      else
        return b.i(int32_t(value));
    } else {
      return isLong ? b.l(value) : b.i(int32_t(value));
    }
  };
  T x = getAs<B, T>(operands[0]);
  T y = operands.size() > 1 ? getAs<B, T>(operands[1]) : x;
  T zero = constant(0);
  auto less = [&](T x, T y) -> M {
    if constexpr (std::is_same_v<T, typename B::L>)
      if (isUnsigned)
        return b.ltU(x, y);
    return b.ltS(x, y);
  };
  // What is undefined is left out: x / 0 = 0, and x / -1 is a negation.
  auto isUndefined = [&]() -> M {
    auto isZero = b.eqI(y, zero);
    return isUnsigned ? isZero : b.orM(isZero, b.eqI(y, constant(-1)));
  };
  auto divisor = [&] { return b.select(isUndefined(), constant(1), y); };
  auto quotient = [&](T x, T y) -> T {
    if constexpr (std::is_same_v<T, typename B::L>)
      if (isUnsigned)
        return b.divU(x, y);
    return b.divS(x, y);
  };
  auto remainder = [&](T x, T y) -> T {
    if constexpr (std::is_same_v<T, typename B::L>)
      if (isUnsigned)
        return b.remU(x, y);
    return b.remS(x, y);
  };
  auto bound = [&](llvm::APFloat value) {
    float f = value.convertToFloat();
    if (isUnsigned)
      return constant(f >= 0x1p64f ? -1 : f > 0 ? int64_t(uint64_t(f)) : 0);
    if (isLong)
      return constant(f >= 0x1p63f    ? std::numeric_limits<int64_t>::max()
                      : f >= -0x1p63f ? int64_t(f)
                                      : std::numeric_limits<int64_t>::min());
    return constant(f >= 0x1p31f    ? std::numeric_limits<int32_t>::max()
                    : f >= -0x1p31f ? int32_t(f)
                                    : std::numeric_limits<int32_t>::min());
  };
  auto least = [&](T x, T y) { return b.select(less(x, y), x, y); };
  auto most = [&](T x, T y) { return b.select(less(y, x), x, y); };
  return llvm::TypeSwitch<mlir::Operation *, Result>(op)
      .Case([&](AddOp) -> Result { return V(b.addI(x, y)); })
      .Case([&](SubOp) -> Result { return V(b.subI(x, y)); })
      .Case([&](MulOp) -> Result { return V(b.mulI(x, y)); })
      .Case([&](DivOp) -> Result {
        T special = zero;
        if (!isUnsigned)
          special = b.select(b.eqI(y, zero), zero, b.subI(zero, x));
        return V(b.select(isUndefined(), special, quotient(x, divisor())));
      })
      .Case([&](ModOp mod) -> Result {
        // By the divisor 1 the rest is 0, which is right for 0 and -1 as well.
        T rest = remainder(x, divisor());
        if (isUnsigned || mod.getTruncates())
          return V(rest);
        auto differs = b.andM(b.neI(rest, zero), b.ltS(b.xorI(rest, y), zero));
        return V(b.select(differs, b.addI(rest, y), rest));
      })
      .Case([&](PowOp) -> Result {
        // By squaring, for each bit of the exponent but the sign.
        T power = constant(1), square = x;
        for (int bit = 0, bits = isLong ? 63 + isUnsigned : 31; bit < bits;
             ++bit) {
          auto isSet =
              b.neI(b.andI(y, constant(int64_t(uint64_t(1) << bit))), zero);
          power = b.select(isSet, b.mulI(power, square), power);
          square = b.mulI(square, square);
        }
        if (isUnsigned)
          return V(power);
        // 1 / x^-y is 0 but for 1 and -1.
        auto isOdd = b.neI(b.andI(y, constant(1)), zero);
        T inverse = b.select(b.eqI(x, constant(-1)),
                             b.select(isOdd, x, constant(1)), zero);
        inverse = b.select(b.eqI(x, constant(1)), x, inverse);
        return V(b.select(b.ltS(y, zero), inverse, power));
      })
      .Case([&](MinOp) -> Result {
        return V(isUnsigned ? least(x, y) : b.minS(x, y));
      })
      .Case([&](MaxOp) -> Result {
        return V(isUnsigned ? most(x, y) : b.maxS(x, y));
      })
      .Case([&](AndOp) -> Result { return V(b.andI(x, y)); })
      .Case([&](OrOp) -> Result { return V(b.orI(x, y)); })
      .template Case<XorOp>([&](auto) -> Result { return V(b.xorI(x, y)); })
      .Case([&](EqualOp) -> Result { return V(b.eqI(x, y)); })
      .Case([&](LessOp) -> Result { return V(less(x, y)); })
      .Case([&](LessOrEqualOp) -> Result {
        return V(isUnsigned ? b.notM(less(y, x)) : b.leS(x, y));
      })
      .Case([&](GreaterOp) -> Result {
        return V(isUnsigned ? less(y, x) : b.gtS(x, y));
      })
      .Case([&](GreaterOrEqualOp) -> Result {
        return V(isUnsigned ? b.notM(less(x, y)) : b.geS(x, y));
      })
      .Case(
          [&](ReluOp) -> Result { return V(isUnsigned ? x : b.maxS(x, zero)); })
      .Case([&](NegOp) -> Result { return V(b.subI(zero, x)); })
      .Case([&](AbsOp) -> Result {
        return V(isUnsigned ? x : b.select(b.ltS(x, zero), b.subI(zero, x), x));
      })
      .Case([&](ClipOp clip) -> Result {
        T result = x;
        if (clip.getLow())
          result = isUnsigned ? most(result, bound(*clip.getLow()))
                              : b.maxS(result, bound(*clip.getLow()));
        if (clip.getHigh())
          result = isUnsigned ? least(result, bound(*clip.getHigh()))
                              : b.minS(result, bound(*clip.getHigh()));
        return V(result);
      })
      .Default([](mlir::Operation *) -> Result { return mlir::failure(); });
}

//===----------------------------------------------------------------------===//
// Codes and scales
//===----------------------------------------------------------------------===//

/// The scales of an element: an exponent where all are E8M0, else a factor.
template <class B> struct ElementScale {
  bool isExponent;
  typename B::I exponent;
  typename B::M isNaN;
  typename B::F factor;
};

template <class B>
ElementScale<B> combineScales(B &b, mlir::ValueRange scales,
                              llvm::ArrayRef<ElementValue<B>> values) {
  using F = typename B::F;
  using I = typename B::I;
  auto isE8M0 = [](mlir::Value scale) {
    return mlir::isa<mlir::Float8E8M0FNUType>(
        mlir::getElementTypeOrSelf(scale));
  };
  ElementScale<B> result{llvm::all_of(scales, isE8M0), b.i(0),
                         b.neI(b.i(0), b.i(0)), b.f(1)};
  if (result.isExponent) {
    result.exponent = b.i(-127 * int32_t(scales.size()));
    for (const ElementValue<B> &value : values) {
      I byte = getAs<B, I>(value);
      result.exponent = b.addI(result.exponent, byte);
      result.isNaN = b.orM(result.isNaN, b.eqI(byte, b.i(255)));
    }
    return result;
  }
  bool isFirst = true;
  for (auto [scale, value] : llvm::zip_equal(scales, values)) {
    mlir::Type type = mlir::getElementTypeOrSelf(scale);
    F factor = getValueKind(type) == ValueKind::Float
                   ? getAs<B, F>(value)
                   : decodeCode(b, getAs<B, I>(value), *elementFormatOf(type));
    result.factor = isFirst ? factor : b.mul(result.factor, factor);
    isFirst = false;
  }
  return result;
}

/// x * 2^unitLog2.
template <class B>
typename B::F scaleByUnit(B &b, typename B::F x, int unitLog2) {
  return unitLog2 == 0 ? x : b.mul(x, powerOfTwo(b, b.i(unitLog2)));
}

/// qopt.quantize: x, the scales, the zero.
template <class B>
mlir::FailureOr<ElementValue<B>>
quantizeElement(B &b, QuantizeOp op, llvm::ArrayRef<ElementValue<B>> operands) {
  using F = typename B::F;
  using V = ElementValue<B>;
  mlir::Type type = mlir::getElementTypeOrSelf(op.getResult());
  std::optional<ElementFormat> element = elementFormatOf(type);
  size_t numScales = op.getScales().size();
  mlir::Type xType = mlir::getElementTypeOrSelf(op.getX());
  if (!element || xType.isInteger(64) || xType.isF64())
    return mlir::failure();
  auto x = castElement(b, operands[0], mlir::getElementTypeOrSelf(op.getX()),
                       mlir::Float32Type::get(op.getContext()));
  if (mlir::failed(x))
    return mlir::failure();
  const ElementFormatInfo &info = infoOf(*element);
  const BlockFormat &format = *lookupFormat(op.getFormat().getName());
  ElementScale<B> scale =
      combineScales(b, op.getScales(), operands.slice(1, numScales));
  F value = getAs<B, F>(*x);
  if (scale.isExponent) {
    value = scale2(b, value, b.subI(b.i(0), scale.exponent));
    value = b.select(scale.isNaN, b.f(quietNaN), value);
  } else if (op.getDivide()) {
    value = b.div(value, scale.factor);
  } else {
    value = b.mul(value, b.div(b.f(1), scale.factor));
  }
  value = scaleByUnit(b, value, -format.unitLog2);
  bool hasZero = operands.size() > 1 + numScales;
  if (!info.isInteger()) {
    if (hasZero && op.getDivide())
      value =
          b.add(value, decodeCode(b, getAs<B, typename B::I>(operands.back()),
                                  *element));
    return V(encodeFloatCode(b, value, *element, op.getSaturate()));
  }
  typename B::I zero =
      hasZero ? getAs<B, typename B::I>(operands.back()) : b.i(0);
  bool isSymmetric = format.hasSharedExponent();
  return V(roundToCode(b, value, zero,
                       isSymmetric ? info.symmetricMin : info.integerMin,
                       isSymmetric ? info.symmetricMax : info.integerMax));
}

/// qopt.dequantize: the code, the scales, the zero.
template <class B>
mlir::FailureOr<ElementValue<B>>
dequantizeElement(B &b, DequantizeOp op,
                  llvm::ArrayRef<ElementValue<B>> operands) {
  using F = typename B::F;
  size_t numScales = op.getScales().size();
  mlir::Type f32 = mlir::Float32Type::get(op.getContext());
  auto real = [&](ElementValue<B> code, mlir::Value from) {
    return castElement(b, code, mlir::getElementTypeOrSelf(from), f32);
  };
  auto code = real(operands[0], op.getCodes());
  if (mlir::failed(code))
    return mlir::failure();
  F value = getAs<B, F>(*code);
  if (operands.size() > 1 + numScales) {
    auto zero = real(operands.back(), op.getZeros().back());
    if (mlir::failed(zero))
      return mlir::failure();
    value = b.sub(value, getAs<B, F>(*zero));
  }
  if (op.getFormat())
    value = scaleByUnit(b, value,
                        lookupFormat(op.getFormat()->getName())->unitLog2);
  ElementScale<B> scale =
      combineScales(b, op.getScales(), operands.slice(1, numScales));
  if (!scale.isExponent)
    return ElementValue<B>(b.mul(value, scale.factor));
  value = scale2(b, value, scale.exponent);
  return ElementValue<B>(b.select(scale.isNaN, b.f(quietNaN), value));
}

/// qopt.batch_norm: x, scale, bias, mean, variance.
template <class B>
typename B::F batchNormElement(B &b, typename B::F x, typename B::F scale,
                               typename B::F bias, typename B::F mean,
                               typename B::F variance, float epsilon) {
  typename B::F m = b.div(scale, b.sqrt(b.add(variance, b.f(epsilon))));
  return b.fma(b.sub(x, mean), m, bias);
}

//===----------------------------------------------------------------------===//
// The dispatch
//===----------------------------------------------------------------------===//

/// The result of `op` for one element of each operand, in operand order. Fails
/// for an op, or an element type of it, that has no formula. The element types
/// are those of the first operand (of `where`: the second) and of the result.
template <class B>
mlir::FailureOr<ElementValue<B>> evaluateElementwise(
    B &b, mlir::Operation *op, llvm::ArrayRef<ElementValue<B>> operands,
    mlir::Type operandElementType, mlir::Type resultElementType) {
  using F = typename B::F;
  using I = typename B::I;
  using L = typename B::L;
  using M = typename B::M;
  using D = typename B::D;
  using V = ElementValue<B>;
  using Result = mlir::FailureOr<V>;
  auto kind = getValueKind(operandElementType);
  auto resultKind = getValueKind(resultElementType);
  if (!kind || !resultKind)
    return mlir::failure();
  auto isCode = [](mlir::Type type) {
    return mlir::isa<mlir::FloatType>(type) &&
           getValueKind(type) == ValueKind::Int;
  };
  auto wrap = [&](Result result) -> Result {
    if (mlir::failed(result) || isCode(resultElementType))
      return result;
    if (*resultKind == ValueKind::Int)
      return V(wrapInt(b, getAs<B, I>(*result), resultElementType));
    if (*resultKind == ValueKind::Long)
      return V(wrapLong(b, getAs<B, L>(*result), resultElementType));
    return result;
  };
  return llvm::TypeSwitch<mlir::Operation *, Result>(op)
      .Case([&](CastOp cast) {
        return castElement(b, operands[0], operandElementType,
                           resultElementType, cast.getSaturate());
      })
      .Case([&](WhereOp) -> Result {
        M condition = getAs<B, M>(operands[0]);
        auto choose = [&](auto x, auto y) {
          return V(b.select(condition, x, y));
        };
        switch (*kind) {
        case ValueKind::Float:
          return choose(getAs<B, F>(operands[1]), getAs<B, F>(operands[2]));
        case ValueKind::Int:
          return choose(getAs<B, I>(operands[1]), getAs<B, I>(operands[2]));
        case ValueKind::Long:
          return choose(getAs<B, L>(operands[1]), getAs<B, L>(operands[2]));
        case ValueKind::Double:
          return choose(getAs<B, D>(operands[1]), getAs<B, D>(operands[2]));
        case ValueKind::Bool: {
          M x = getAs<B, M>(operands[1]), y = getAs<B, M>(operands[2]);
          return V(b.orM(b.andM(condition, x), b.andM(b.notM(condition), y)));
        }
        }
        return mlir::failure();
      })
      .Case([&](QuantizeOp quantize) {
        return quantizeElement(b, quantize, operands);
      })
      .Case([&](DequantizeOp dequantize) {
        return dequantizeElement(b, dequantize, operands);
      })
      .Case([&](RequantizeOp op) -> Result {
        if (*kind != ValueKind::Int)
          return mlir::failure();
        return V(requantize(b, getAs<B, I>(operands[0]),
                            getAs<B, F>(operands[1]), getAs<B, I>(operands[2]),
                            op.getMin(), op.getMax()));
      })
      .Case([&](ShiftOp op) -> Result {
        if (*kind != ValueKind::Int)
          return mlir::failure();
        I zero = op.getZero() ? getAs<B, I>(operands[2]) : b.i(0);
        return V(shiftToCode(b, getAs<B, I>(operands[0]),
                             getAs<B, I>(operands[1]), zero, op.getMin(),
                             op.getMax()));
      })
      .Case([&](DivideRoundOp op) -> Result {
        if (*kind != ValueKind::Int)
          return mlir::failure();
        return V(divideToCode(b, getAs<B, I>(operands[0]), op.getDivisor(),
                              getAs<B, I>(operands[1]), op.getMin(),
                              op.getMax()));
      })
      .Case([&](BatchNormOp op) -> Result {
        if (*kind != ValueKind::Float)
          return mlir::failure();
        return V(batchNormElement(
            b, getAs<B, F>(operands[0]), getAs<B, F>(operands[1]),
            getAs<B, F>(operands[2]), getAs<B, F>(operands[3]),
            getAs<B, F>(operands[4]), op.getEpsilon().convertToFloat()));
      })
      .Default([&](mlir::Operation *) -> Result {
        if (isCode(operandElementType))
          return mlir::failure();
        switch (*kind) {
        case ValueKind::Float:
          return floatElement(b, op, operands);
        case ValueKind::Bool:
          return boolElement(b, op, operands);
        case ValueKind::Int:
          return wrap(integerElement<B, I>(b, op, /*isLong=*/false,
                                           /*isUnsigned=*/false, operands));
        case ValueKind::Long:
          return wrap(integerElement<B, L>(
              b, op, /*isLong=*/true, operandElementType.isUnsignedInteger(64),
              operands));
        case ValueKind::Double:
          return doubleElement(b, op, operands);
        }
        return mlir::failure();
      });
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_ELEMENTWISEOPS_H
