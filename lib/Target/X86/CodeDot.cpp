//===- CodeDot.cpp - Products of codes on x86-64 --------------------------===//
//
// Without VNNI, vpmaddubsw multiplies bytes and adds pairs of products in 16
// bits: that is exact where one side is small. Otherwise the bytes of a word
// are taken apart into two vectors of 16-bit pairs (bytes 0 and 2, bytes 1 and
// 3): the pair products of vpmaddwd are exact and land in the lane of their
// output.
//
//===----------------------------------------------------------------------===//

#include "CodeDot.h"
#include "Intrinsics.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qopt::x86;

Dot::Operand CodeDot::lanes(Value words) {
  if (form == CodeForm::Words)
    return {words};
  Operand result;
  for (int64_t half = 0; half < 2; ++half) {
    Value part = v.extractStrided(words, half * 8, 8);
    if (form == CodeForm::Pairs)
      result.push_back(part);
    else
      appendPairs(part, kind == DotKind::UnsignedRows, result);
  }
  return result;
}

Dot::Operand CodeDot::row(Value word) {
  if (form == CodeForm::Words)
    return {v.splat(word)};
  Value words = v.splat(word, 8);
  if (form == CodeForm::Pairs)
    return {words};
  Operand result;
  appendPairs(words, kind == DotKind::UnsignedLanes, result);
  return result;
}

Value CodeDot::add(const Operand &row, const Operand &lanes, Value sum) {
  if (form == CodeForm::Words)
    return kind == DotKind::UnsignedRows ? dotBytes(sum, row[0], lanes[0])
                                         : dotBytes(sum, lanes[0], row[0]);
  SmallVector<Value, 2> halves;
  size_t parts = row.size();
  for (int64_t half = 0; half < 2; ++half)
    halves.push_back(addHalf(row,
                             ArrayRef<Value>(lanes).slice(half * parts, parts),
                             v.extractStrided(sum, half * 8, 8)));
  SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(0, kLanes));
  return vector::ShuffleOp::create(v.b, v.loc, halves[0], halves[1], all);
}

Value CodeDot::addHalf(ArrayRef<Value> row, ArrayRef<Value> lanes, Value sum) {
  Value products;
  if (form == CodeForm::Pairs) {
    bool rowIsSigned = kind == DotKind::UnsignedLanes;
    Value pairs = rowIsSigned ? multiplyBytes(lanes[0], row[0])
                              : multiplyBytes(row[0], lanes[0]);
    products = multiplyPairs(pairs, v.constant(v.b.getI16IntegerAttr(1), 16));
  } else {
    Value even = multiplyPairs(lanes[0], row[0]);
    Value odd = multiplyPairs(lanes[1], row[1]);
    products = arith::AddIOp::create(v.b, v.loc, even, odd);
  }
  return arith::AddIOp::create(v.b, v.loc, sum, products);
}

Value CodeDot::bitcast(Value x, Type element, int64_t lanes) {
  return vector::BitCastOp::create(v.b, v.loc,
                                   VectorType::get({lanes}, element), x);
}

Value CodeDot::dotBytes(Value sum, Value unsignedWords, Value signedWords) {
  Type byte = v.b.getI8Type();
  return intrinsic(
      v, "avx512.vpdpbusd.512", sum.getType(),
      {sum, bitcast(unsignedWords, byte, 64), bitcast(signedWords, byte, 64)});
}

Value CodeDot::multiplyPairs(Value x, Value y) {
  return intrinsic(v, "avx2.pmadd.wd", VectorType::get({8}, v.b.getI32Type()),
                   {x, y});
}

/// Sums of pairs of products, 16 of them.
Value CodeDot::multiplyBytes(Value unsignedWords, Value signedWords) {
  Type byte = v.b.getI8Type();
  return intrinsic(
      v, "avx2.pmadd.ub.sw", VectorType::get({16}, v.b.getI16Type()),
      {bitcast(unsignedWords, byte, 32), bitcast(signedWords, byte, 32)});
}

/// Bytes 0 and 2, then bytes 1 and 3, of 8 words as pairs of 16 bits.
void CodeDot::appendPairs(Value words, bool isSigned, Operand &result) {
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
