//===- MLIRPolicy.h - Formulas as operations --------------------*- C++ -*-===//
//
// Writes each operation of ValuePolicy.h in the arith and math dialects, on
// f32, f64, i32 and i64 or on vectors of them. No fast-math flag is ever set.
// `min` and `max` are comparisons and selections, because those of arith leave
// the order of zeros or the treatment of NaN to the machine.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_MLIRPOLICY_H
#define DIALECTS_QOPT_NUMERICS_MLIRPOLICY_H

#include "dialects/QOpt/Numerics/ValuePolicy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

namespace qopt::numerics {

class MLIRPolicy {
public:
  using F = mlir::Value;
  using I = mlir::Value;
  using M = mlir::Value;
  using L = mlir::Value;
  using D = mlir::Value;

  /// Scalars when `lanes` is 0, else vectors of that many lanes.
  MLIRPolicy(mlir::OpBuilder &builder, mlir::Location loc, int64_t lanes = 0)
      : builder(builder), loc(loc), lanes(lanes) {}

  /// `element`, or the vector of it with the lanes of this policy.
  mlir::Type typeOf(mlir::Type element) const {
    return lanes ? mlir::VectorType::get({lanes}, element) : element;
  }
  mlir::Type f32() const { return typeOf(builder.getF32Type()); }
  mlir::Type f64() const { return typeOf(builder.getF64Type()); }
  mlir::Type i32() const { return typeOf(builder.getI32Type()); }
  mlir::Type i64() const { return typeOf(builder.getI64Type()); }

  F f(float value) { return constant(builder.getF32FloatAttr(value), f32()); }
  D d(double value) { return constant(builder.getF64FloatAttr(value), f64()); }
  I i(int32_t value) {
    return constant(builder.getI32IntegerAttr(value), i32());
  }
  L l(int64_t value) {
    return constant(builder.getI64IntegerAttr(value), i64());
  }

  F add(F x, F y) { return create<mlir::arith::AddFOp>(x, y); }
  F sub(F x, F y) { return create<mlir::arith::SubFOp>(x, y); }
  F mul(F x, F y) { return create<mlir::arith::MulFOp>(x, y); }
  F div(F x, F y) { return create<mlir::arith::DivFOp>(x, y); }
  F fma(F x, F y, F z) { return create<mlir::math::FmaOp>(x, y, z); }
  F neg(F x) { return create<mlir::arith::NegFOp>(x); }
  F abs(F x) { return create<mlir::math::AbsFOp>(x); }
  F sqrt(F x) { return create<mlir::math::SqrtOp>(x); }
  F roundEven(F x) { return create<mlir::math::RoundEvenOp>(x); }
  F floor(F x) { return create<mlir::math::FloorOp>(x); }
  F ceil(F x) { return create<mlir::math::CeilOp>(x); }
  F min(F x, F y) { return select(uno(x, x), x, select(olt(x, y), x, y)); }
  F max(F x, F y) { return select(uno(x, x), x, select(ogt(x, y), x, y)); }

  M oeq(F x, F y) { return compare(mlir::arith::CmpFPredicate::OEQ, x, y); }
  M olt(F x, F y) { return compare(mlir::arith::CmpFPredicate::OLT, x, y); }
  M ole(F x, F y) { return compare(mlir::arith::CmpFPredicate::OLE, x, y); }
  M ogt(F x, F y) { return compare(mlir::arith::CmpFPredicate::OGT, x, y); }
  M oge(F x, F y) { return compare(mlir::arith::CmpFPredicate::OGE, x, y); }
  M une(F x, F y) { return compare(mlir::arith::CmpFPredicate::UNE, x, y); }
  M uno(F x, F y) { return compare(mlir::arith::CmpFPredicate::UNO, x, y); }
  mlir::Value select(M condition, mlir::Value x, mlir::Value y) {
    return create<mlir::arith::SelectOp>(condition, x, y);
  }
  M andM(M x, M y) { return create<mlir::arith::AndIOp>(x, y); }
  M orM(M x, M y) { return create<mlir::arith::OrIOp>(x, y); }
  M xorM(M x, M y) { return create<mlir::arith::XOrIOp>(x, y); }
  M notM(M x) {
    return xorM(
        x, constant(builder.getBoolAttr(true), typeOf(builder.getI1Type())));
  }

  /// Of an F as I, of a D as L.
  I bitsOf(mlir::Value x) {
    return cast<mlir::arith::BitcastOp>(isDouble(x) ? i64() : i32(), x);
  }
  F floatOf(I x) { return cast<mlir::arith::BitcastOp>(f32(), x); }
  I toInt(F x) { return cast<mlir::arith::FPToSIOp>(i32(), x); }
  /// Of an I, L or D.
  F toFloat(mlir::Value x) {
    return isDouble(x) ? cast<mlir::arith::TruncFOp>(f32(), x)
                       : cast<mlir::arith::SIToFPOp>(f32(), x);
  }
  D doubleOf(L x) { return cast<mlir::arith::BitcastOp>(f64(), x); }
  /// Of an F, I or L.
  D toDouble(mlir::Value x) {
    return mlir::getElementTypeOrSelf(x).isF32()
               ? cast<mlir::arith::ExtFOp>(f64(), x)
               : cast<mlir::arith::SIToFPOp>(f64(), x);
  }

  I addI(I x, I y) { return create<mlir::arith::AddIOp>(x, y); }
  I subI(I x, I y) { return create<mlir::arith::SubIOp>(x, y); }
  I mulI(I x, I y) { return create<mlir::arith::MulIOp>(x, y); }
  I mulHighU(I x, I y) {
    return mlir::arith::MulUIExtendedOp::create(builder, loc, x, y).getHigh();
  }
  I andI(I x, I y) { return create<mlir::arith::AndIOp>(x, y); }
  I orI(I x, I y) { return create<mlir::arith::OrIOp>(x, y); }
  I xorI(I x, I y) { return create<mlir::arith::XOrIOp>(x, y); }
  I shl(I x, I y) { return create<mlir::arith::ShLIOp>(x, y); }
  I shrS(I x, I y) { return create<mlir::arith::ShRSIOp>(x, y); }
  I shrU(I x, I y) { return create<mlir::arith::ShRUIOp>(x, y); }
  I minS(I x, I y) { return create<mlir::arith::MinSIOp>(x, y); }
  I maxS(I x, I y) { return create<mlir::arith::MaxSIOp>(x, y); }
  M eqI(I x, I y) { return compare(mlir::arith::CmpIPredicate::eq, x, y); }
  M neI(I x, I y) { return compare(mlir::arith::CmpIPredicate::ne, x, y); }
  M ltS(I x, I y) { return compare(mlir::arith::CmpIPredicate::slt, x, y); }
  M leS(I x, I y) { return compare(mlir::arith::CmpIPredicate::sle, x, y); }
  M gtS(I x, I y) { return compare(mlir::arith::CmpIPredicate::sgt, x, y); }
  M geS(I x, I y) { return compare(mlir::arith::CmpIPredicate::sge, x, y); }
  I divS(I x, I y) { return create<mlir::arith::DivSIOp>(x, y); }
  I remS(I x, I y) { return create<mlir::arith::RemSIOp>(x, y); }
  M ltU(I x, I y) { return compare(mlir::arith::CmpIPredicate::ult, x, y); }
  I divU(I x, I y) { return create<mlir::arith::DivUIOp>(x, y); }
  I remU(I x, I y) { return create<mlir::arith::RemUIOp>(x, y); }

  L extendToL(I x) { return cast<mlir::arith::ExtSIOp>(i64(), x); }
  I lowHalf(L x) { return cast<mlir::arith::TruncIOp>(i32(), x); }
  L toLong(F x) { return cast<mlir::arith::FPToSIOp>(i64(), x); }

  // What only code generation needs: values in memory are narrower, sums of
  // products may be wider.

  /// An integer of any width as i32 (or as `bits`), by its sign or by zeros.
  I extendSigned(mlir::Value x, unsigned bits = 32) {
    return resize<mlir::arith::ExtSIOp>(x, bits);
  }
  I extendUnsigned(mlir::Value x, unsigned bits = 32) {
    return resize<mlir::arith::ExtUIOp>(x, bits);
  }
  /// The low `bits` of an integer.
  mlir::Value truncate(mlir::Value x, unsigned bits) {
    return resize<mlir::arith::TruncIOp>(x, bits);
  }
  /// A scalar in every lane.
  mlir::Value splat(mlir::Value scalar) {
    if (!lanes)
      return scalar;
    return cast<mlir::vector::BroadcastOp>(typeOf(scalar.getType()), scalar);
  }

  static bool isDouble(mlir::Value x) {
    return mlir::getElementTypeOrSelf(x).isF64();
  }

private:
  template <class Op, class... Operands> mlir::Value create(Operands... xs) {
    return Op::create(builder, loc, xs...);
  }
  template <class Op> mlir::Value cast(mlir::Type type, mlir::Value x) {
    return Op::create(builder, loc, type, x);
  }
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, F x, F y) {
    return mlir::arith::CmpFOp::create(builder, loc, predicate, x, y);
  }
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, I x, I y) {
    return mlir::arith::CmpIOp::create(builder, loc, predicate, x, y);
  }
  template <class Op> mlir::Value resize(mlir::Value x, unsigned bits) {
    if (mlir::getElementTypeOrSelf(x).getIntOrFloatBitWidth() == bits)
      return x;
    return cast<Op>(typeOf(builder.getIntegerType(bits)), x);
  }
  mlir::Value constant(mlir::TypedAttr value, mlir::Type type) {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
      value = mlir::DenseElementsAttr::get(vector, mlir::Attribute(value));
    return mlir::arith::ConstantOp::create(builder, loc, value);
  }

  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t lanes;
};

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_MLIRPOLICY_H
