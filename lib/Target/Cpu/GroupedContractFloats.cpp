//===- GroupedContractFloats.cpp - Narrow codes as lanes of f32 -----------===//
//
// A permutation of 16 lanes looks at four bits of each index alone, so codes
// need no mask in front of it: a table for two bits is repeated.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractFloats.h"
#include "CpuProgram.h"
#include "Packing.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

bool FloatLanes::canHold(const GroupedOperand &operand, int64_t block) {
  unsigned bits = operand.bits();
  return (bits == 2 || bits == 4) &&
         (block == kOneBlock || block % (32 / bits) == 0);
}

FloatLanes::FloatLanes(CpuProgram &program, const GroupedOperand &operand,
                       int64_t depth, int64_t columns)
    : operand(operand) {
  pointer = program.packedWeight(operand.tensor, [&](ArrayRef<uint8_t> codes) {
    return packCodeWords(codes, depth, columns, operand.bits());
  });
  VectorBuilder v(program.code());
  wordRows = v.i64(llvm::divideCeil(depth, stepsInWord()));
}

void FloatLanes::capture(CaptureList &captures) {
  captures.add({&pointer, &wordRows});
}

Value FloatLanes::load(VectorBuilder &v, Value panel, Value step) const {
  Value row = v.add(v.mul(panel, wordRows), v.div(step, v.i64(stepsInWord())));
  return v.load(pointer, v.mul(row, v.i64(kLanes)), v.b.getI32Type());
}

/// The f32 of each code times 2^log2 at its place, as often as 16 lanes take.
static SmallVector<float> makeTable(const GroupedOperand &operand, int log2) {
  ElementFormat format = *elementFormatOf(operand.element());
  SmallVector<float> table;
  for (uint32_t i = 0; i < kLanes; ++i)
    table.push_back(
        std::ldexp(qopt::decode(i & infoOf(format).codeMask(), format), log2));
  return table;
}

Value FloatLanes::decode(VectorBuilder &v, const Tier &tier, Value words,
                         Value index, Value zero) const {
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  Value distance = arith::TruncIOp::create(v.b, v.loc, v.b.getI32Type(),
                                           v.mul(index, v.i64(operand.bits())));
  Value codes = b.shrU(words, v.splat(distance));
  int log2 = operand.factorLog2();
  Value number =
      tier.lookUpFloats(v, makeTable(operand, zero ? 0 : log2), codes);
  if (!number)
    return operand.decode(v, b.andI(codes, b.i((1 << operand.bits()) - 1)),
                          zero);
  if (!zero)
    return number;
  number = b.sub(number, zero);
  return log2 ? b.mul(number, b.f(std::ldexp(1.0f, log2))) : number;
}
