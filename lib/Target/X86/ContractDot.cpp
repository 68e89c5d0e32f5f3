//===- ContractDot.cpp - One step of a tile -------------------------------===//
//
// Without VNNI the bytes of a word are taken apart into two vectors of 16-bit
// pairs (bytes 0 and 2, bytes 1 and 3): the pair products of vpmaddwd are exact
// and land in the lane of their output.
//
//===----------------------------------------------------------------------===//

#include "ContractDot.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qopt::x86;

Dot::Dot(VectorBuilder &v, const Tier &tier, DotKind kind)
    : v(v), kind(kind), split(kind != DotKind::Float &&
                              !(tier.hasVnni && tier.vectorBits == 512)) {}

Type Dot::wordType() const {
  return kind == DotKind::Float ? Type(v.b.getF32Type())
                                : Type(v.b.getI32Type());
}

Dot::Operand Dot::lanes(Value words) {
  if (!split)
    return {words};
  bool isSigned = kind == DotKind::UnsignedRows;
  Operand result;
  for (int64_t half = 0; half < 2; ++half)
    appendPairs(v.extractStrided(words, half * 8, 8), isSigned, result);
  return result;
}

Dot::Operand Dot::row(Value word) {
  if (!split)
    return {v.splat(word)};
  Operand result;
  appendPairs(v.splat(word, 8), kind == DotKind::UnsignedLanes, result);
  return result;
}

Value Dot::add(const Operand &row, const Operand &lanes, Value sum) {
  if (kind == DotKind::Float)
    return math::FmaOp::create(v.b, v.loc, row[0], lanes[0], sum);
  if (!split)
    return kind == DotKind::UnsignedRows ? dotBytes(sum, row[0], lanes[0])
                                         : dotBytes(sum, lanes[0], row[0]);
  SmallVector<Value, 2> halves;
  for (int64_t half = 0; half < 2; ++half) {
    Value even = multiplyPairs(lanes[2 * half], row[0]);
    Value odd = multiplyPairs(lanes[2 * half + 1], row[1]);
    Value old = v.extractStrided(sum, half * 8, 8);
    Value products = arith::AddIOp::create(v.b, v.loc, even, odd);
    halves.push_back(arith::AddIOp::create(v.b, v.loc, old, products));
  }
  SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(0, kLanes));
  return vector::ShuffleOp::create(v.b, v.loc, halves[0], halves[1], all);
}

Value Dot::bitcast(Value x, Type element, int64_t lanes) {
  return vector::BitCastOp::create(v.b, v.loc,
                                   VectorType::get({lanes}, element), x);
}

static Value intrinsic(VectorBuilder &v, StringRef name, Type type,
                       ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(v.b, v.loc, type,
                                       v.b.getStringAttr(name), operands)
      .getResult(0);
}

Value Dot::dotBytes(Value sum, Value unsignedWords, Value signedWords) {
  Type byte = v.b.getI8Type();
  return intrinsic(v, "llvm.x86.avx512.vpdpbusd.512", sum.getType(),
                   {sum, bitcast(unsignedWords, byte, 64),
                    bitcast(signedWords, byte, 64)});
}

Value Dot::multiplyPairs(Value x, Value y) {
  return intrinsic(v, "llvm.x86.avx2.pmadd.wd",
                   VectorType::get({8}, v.b.getI32Type()), {x, y});
}

/// Bytes 0 and 2, then bytes 1 and 3, of 8 words as pairs of 16 bits.
void Dot::appendPairs(Value words, bool isSigned, Operand &result) {
  Type half = v.b.getI16Type();
  Value pairs = bitcast(words, half, 16);
  Value eight = v.constant(v.b.getI16IntegerAttr(8), 16);
  if (isSigned) {
    Value up = arith::ShLIOp::create(v.b, v.loc, pairs, eight);
    result.push_back(arith::ShRSIOp::create(v.b, v.loc, up, eight));
    result.push_back(arith::ShRSIOp::create(v.b, v.loc, pairs, eight));
    return;
  }
  Value low = v.constant(v.b.getI16IntegerAttr(255), 16);
  result.push_back(arith::AndIOp::create(v.b, v.loc, pairs, low));
  result.push_back(arith::ShRUIOp::create(v.b, v.loc, pairs, eight));
}
