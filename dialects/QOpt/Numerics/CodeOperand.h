//===- CodeOperand.h - Codes beside their scales, in loops ------*- C++ -*-===//
//
// One operand of a contraction, decoded for the sum that the element types ask
// for. Scales and zeros have the rank of the codes; each of their dims is 1,
// the dim of the codes, or the number of blocks on the axis of the format.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_CODEOPERAND_H
#define DIALECTS_QOPT_NUMERICS_CODEOPERAND_H

#include "dialects/QOpt/IR/Contraction.h"
#include "dialects/QOpt/Numerics/LoopPolicy.h"
#include "dialects/QOpt/Numerics/Scaling.h"
#include <optional>

namespace qopt::numerics {

/// Where one factor of a product is.
template <class P> struct Place {
  Indices<P> at;
  /// False where it is outside of an image; nothing where that cannot be.
  std::optional<typename P::B::M> inside = std::nullopt;
};

/// The scales of a group of codes: their product and, of E8M0 scales, the sum
/// of their exponents and whether one is NaN.
template <class P> struct GroupScale {
  typename P::B::F factor;
  typename P::B::I exponent;
  typename P::B::M isNaN;
};

template <class P> class CodeOperand {
public:
  using Index = typename P::Index;
  using F = typename P::B::F;
  using I = typename P::B::I;

  CodeOperand(P &p, const ScaledTensor &operand)
      : codes(operand.tensor), scales(operand.scales), zeros(operand.zeros),
        format(operand.format), dims(p.dims(operand.tensor)) {}

  bool isDouble() const { return typeOf(codes).getElementType().isF64(); }
  bool isReal() const {
    mlir::Type type = typeOf(codes).getElementType();
    return type.isF32() || type.isF16() || type.isBF16();
  }
  bool isInteger() const {
    return llvm::isa<mlir::IntegerType>(typeOf(codes).getElementType());
  }
  bool hasScales() const { return !scales.empty(); }
  bool hasOnlyExponents() const {
    return llvm::all_of(scales,
                        [](mlir::Value scale) { return isE8M0(scale); });
  }
  /// Codes along `axis` that share scales; 0 where all do.
  int64_t getBlock(int64_t axis) const {
    return format && hasScales() && format.getAxis() == axis
               ? format.getBlockSize()
               : 0;
  }
  /// t such that each unit * (code - zero) * 2^t is an integer, where the
  /// format has one; else 0.
  int getMultiplierLog2() const {
    if (format)
      return lookupFormat(format.getName())->integerLog2().value_or(0);
    std::optional<ElementFormat> element =
        elementFormatOf(typeOf(codes).getElementType());
    return element ? infoOf(*element).integerLog2.value_or(0) : 0;
  }

  /// code - zero, which has one element. 0 outside.
  I loadInteger(P &p, const Place<P> &place) const {
    auto b = p.values();
    I value = loadAs<I>(p, codes, linearize(p, place.at, dims));
    if (!zeros.empty())
      value = b.subI(value, loadAs<I>(p, zeros.front(), p.index(0)));
    return place.inside ? b.select(*place.inside, value, b.i(0)) : value;
  }
  /// An element of f64. 0 outside.
  typename P::B::D loadDouble(P &p, const Place<P> &place) const {
    using D = typename P::B::D;
    auto b = p.values();
    D value = loadAs<D>(p, codes, linearize(p, place.at, dims));
    return place.inside ? b.select(*place.inside, value, b.d(0)) : value;
  }
  /// unit * (code - zero) * 2^getMultiplierLog2(). 0 outside.
  F loadReal(P &p, const Place<P> &place) const {
    auto b = p.values();
    F value = loadFloat(p, codes, linearize(p, place.at, dims));
    if (!zeros.empty())
      value = b.sub(value, loadFloat(p, zeros.front(),
                                     findBeside(p, zeros.front(), place.at)));
    int log2 = getMultiplierLog2();
    if (format)
      log2 += lookupFormat(format.getName())->unitLog2;
    value = scaleByUnit(b, value, log2);
    return place.inside ? b.select(*place.inside, value, b.f(0)) : value;
  }
  /// Outside of an image a scale counts that is one for all of its plane.
  GroupScale<P> loadScale(P &p, const Place<P> &place) const {
    auto b = p.values();
    GroupScale<P> result{b.f(1), b.i(0), b.neI(b.i(0), b.i(0))};
    for (mlir::Value scale : scales) {
      Index at = findBeside(p, scale, place.at);
      F factor = loadFloat(p, scale, at);
      I exponent = b.i(0);
      auto isNaN = b.neI(b.i(0), b.i(0));
      if (isE8M0(scale)) {
        I byte = loadAs<I>(p, scale, at);
        exponent = b.subI(byte, b.i(127));
        isNaN = b.eqI(byte, b.i(255));
      }
      if (place.inside) {
        auto counts = b.orM(*place.inside, isOneForAPlane(p, scale));
        factor = b.select(counts, factor, b.f(1));
        exponent = b.select(counts, exponent, b.i(0));
        isNaN = b.andM(counts, isNaN);
      }
      result.factor = b.mul(result.factor, factor);
      result.exponent = b.addI(result.exponent, exponent);
      result.isNaN = b.orM(result.isNaN, isNaN);
    }
    return result;
  }

private:
  static bool isE8M0(mlir::Value scale) {
    return llvm::isa<mlir::Float8E8M0FNUType>(typeOf(scale).getElementType());
  }
  /// Where the element of `tensor` is that belongs to the code at `at`.
  Index findBeside(P &p, mlir::Value tensor, const Indices<P> &at) const {
    if (typeOf(tensor).hasStaticShape() && typeOf(tensor).getNumElements() == 1)
      return p.index(0);
    Indices<P> own = p.dims(tensor), position(at);
    for (size_t axis = 0; axis < own.size(); ++axis) {
      Index &index = position[axis];
      int64_t block = format ? format.getBlockSize() : 0;
      if (block && format.getAxis() == static_cast<int64_t>(axis)) {
        // A dim that is that of the codes wins over one that counts blocks.
        auto isDim = p.equal(own[axis], dims[axis]);
        index = p.select(isDim, index, p.div(index, p.index(block)));
      }
      index = p.select(p.equal(own[axis], p.index(1)), p.index(0), index);
    }
    return linearize(p, position, own);
  }
  typename P::B::M isOneForAPlane(P &p, mlir::Value tensor) const {
    auto b = p.values();
    auto isOne = p.less(p.index(0), p.index(1));
    Indices<P> own = p.dims(tensor);
    for (size_t axis = 2; axis < own.size(); ++axis)
      isOne = b.andM(isOne, p.equal(own[axis], p.index(1)));
    return isOne;
  }

  mlir::Value codes;
  mlir::OperandRange scales, zeros;
  FormatAttr format;
  Indices<P> dims;
};

/// Which sum the element types of two operands ask for.
enum class SumKind { Chain, Integer, Grouped };

template <class P>
SumKind getSumKind(const CodeOperand<P> &a, const CodeOperand<P> &b) {
  if (!a.hasScales() && !b.hasScales()) {
    if (a.isReal() && b.isReal())
      return SumKind::Chain;
    if (a.isInteger() && b.isInteger())
      return SumKind::Integer;
  }
  return SumKind::Grouped;
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_CODEOPERAND_H
