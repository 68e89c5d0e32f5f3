//===- ContractTile.cpp - Sums of products held in registers --------------===//
//
// Without VNNI the bytes of a word are taken apart into two vectors of 16-bit
// pairs (bytes 0 and 2, bytes 1 and 3): the pair products of vpmaddwd are exact
// and land in the lane of their output.
//
//===----------------------------------------------------------------------===//

#include "ContractTile.h"
#include "ContractAmx.h"
#include "ProgramEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qopt::x86;

TileSize qopt::x86::largestTile(const Tier &tier, DotKind kind, Value steps) {
  std::optional<int64_t> known = steps ? knownNumber(steps) : std::nullopt;
  if (tier.hasAmx && kind != DotKind::Float && (!known || *known >= kAmxWords))
    return kLargestAmxTile;
  if (tier.vectorBits == 512)
    return kind == DotKind::Float || tier.hasVnni ? TileSize{8, 3}
                                                  : TileSize{4, 1};
  return kind == DotKind::Float ? TileSize{6, 1} : TileSize{4, 1};
}

namespace {
/// Multiplies and adds one step. `Operand` is what a word becomes before it is
/// multiplied: itself, or its even and odd bytes in halves of 8 lanes.
class Dot {
public:
  using Operand = SmallVector<Value, 4>;

  Dot(VectorBuilder &v, const Tier &tier, DotKind kind)
      : v(v), kind(kind), split(kind != DotKind::Float &&
                                !(tier.hasVnni && tier.vectorBits == 512)) {}

  Type wordType() const {
    return kind == DotKind::Float ? Type(v.b.getF32Type())
                                  : Type(v.b.getI32Type());
  }

  Operand lanes(Value words) {
    if (!split)
      return {words};
    bool isSigned = kind == DotKind::UnsignedRows;
    Operand result;
    for (int64_t half = 0; half < 2; ++half)
      appendPairs(v.extractStrided(words, half * 8, 8), isSigned, result);
    return result;
  }

  Operand row(Value word) {
    if (!split)
      return {v.splat(word)};
    Operand result;
    appendPairs(v.splat(word, 8), kind == DotKind::UnsignedLanes, result);
    return result;
  }

  Value add(const Operand &row, const Operand &lanes, Value sum) {
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

private:
  Value bitcast(Value x, Type element, int64_t lanes) {
    return vector::BitCastOp::create(v.b, v.loc,
                                     VectorType::get({lanes}, element), x);
  }
  Value intrinsic(StringRef name, Type type, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(v.b, v.loc, type,
                                         v.b.getStringAttr(name), operands)
        .getResult(0);
  }
  Value dotBytes(Value sum, Value unsignedWords, Value signedWords) {
    Type byte = v.b.getI8Type();
    return intrinsic("llvm.x86.avx512.vpdpbusd.512", sum.getType(),
                     {sum, bitcast(unsignedWords, byte, 64),
                      bitcast(signedWords, byte, 64)});
  }
  Value multiplyPairs(Value x, Value y) {
    return intrinsic("llvm.x86.avx2.pmadd.wd",
                     VectorType::get({8}, v.b.getI32Type()), {x, y});
  }
  /// Bytes 0 and 2, then bytes 1 and 3, of 8 words as pairs of 16 bits.
  void appendPairs(Value words, bool isSigned, Operand &result) {
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

  VectorBuilder &v;
  DotKind kind;
  bool split;
};
} // namespace

void qopt::x86::emitTile(VectorBuilder &v, const Tier &tier, DotKind kind,
                         TileSize size, const TileOperands &operands,
                         Value sums, Value sumsStride,
                         function_ref<Value(int64_t, int64_t)> initial) {
  Dot dot(v, tier, kind);
  Type word = dot.wordType();
  Value zero =
      v.constant(kind == DotKind::Float ? TypedAttr(v.b.getF32FloatAttr(0))
                                        : TypedAttr(v.b.getI32IntegerAttr(0)),
                 kLanes);
  SmallVector<Value> inits;
  for (int64_t i = 0; i < size.rows; ++i)
    for (int64_t j = 0; j < size.vectors; ++j)
      inits.push_back(initial ? initial(i, j) : zero);
  SmallVector<Value> results = v.loop(
      v.i64(0), operands.steps, 1, inits, [&](Value step, ValueRange before) {
        SmallVector<Value> after(before);
        SmallVector<Dot::Operand> lanes;
        Value laneOffset = v.mul(step, operands.laneStep);
        for (int64_t j = 0; j < size.vectors; ++j) {
          Value offset =
              v.add(laneOffset, v.mul(v.i64(j), operands.vectorStride));
          lanes.push_back(dot.lanes(v.load(operands.lanes, offset, word)));
        }
        Value rowOffset = v.mul(step, operands.rowStep);
        for (int64_t i = 0; i < size.rows; ++i) {
          Value offset = v.add(rowOffset, v.mul(v.i64(i), operands.rowStride));
          Dot::Operand row = dot.row(v.loadScalar(operands.rows, offset, word));
          for (int64_t j = 0; j < size.vectors; ++j) {
            Value &sum = after[i * size.vectors + j];
            sum = dot.add(row, lanes[j], sum);
          }
        }
        return after;
      });
  for (int64_t i = 0; i < size.rows; ++i)
    for (int64_t j = 0; j < size.vectors; ++j)
      v.store(results[i * size.vectors + j], sums,
              v.add(v.mul(v.i64(i), sumsStride), v.i64(j * kLanes)));
}

void qopt::x86::forEachPiece(VectorBuilder &v, Value count,
                             ArrayRef<int64_t> sizes,
                             function_ref<void(int64_t, Value)> body) {
  Value start = v.i64(0);
  for (int64_t size : sizes) {
    Value pieces = v.div(v.sub(count, start), v.i64(size));
    v.loop(v.i64(0), pieces, 1, [&](Value piece) {
      body(size, v.add(start, v.mul(piece, v.i64(size))));
    });
    start = v.add(start, v.mul(pieces, v.i64(size)));
  }
}

Value qopt::x86::addLaneCodes(VectorBuilder &v, const Tier &tier, DotKind kind,
                              Value words, Value sum) {
  Dot dot(v, tier, kind);
  return dot.add(dot.row(v.i32(0x01010101)), dot.lanes(words), sum);
}
