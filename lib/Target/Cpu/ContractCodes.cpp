//===- ContractCodes.cpp - Zero points of a product of codes --------------===//
//
// All arithmetic is modulo 2^32, as that of the accumulators.
//
//===----------------------------------------------------------------------===//

#include "ContractCodes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

static Type elementOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getElementType();
}

Type CodeOperand::element() const { return elementOf(tensor); }

bool cpu::isByteCodes(Value tensor) {
  Type element = elementOf(tensor);
  return isa<IntegerType>(element) && element.getIntOrFloatBitWidth() <= 8 &&
         element.getIntOrFloatBitWidth() > 1;
}

bool cpu::isZero(Value zero) {
  return knownNumber(zero) == std::optional<int64_t>(0);
}

/// The zero point as it is written, i32.
static Value zeroCode(CpuProgram &program, const CodeOperand &operand) {
  VectorBuilder v(program.code());
  if (operand.zeros.empty())
    return v.i32(0);
  Value tensor = operand.zeros.front();
  Type element = elementOf(tensor);
  if (kernel::IntegersAttr fact = program.factOf(tensor))
    if (std::optional<int64_t> number = fact.getNumber())
      return v.i32(*number);
  Value loaded = v.loadScalar(program.buffer(tensor).pointer, v.i64(0),
                              memoryType(element));
  return v.widen(loaded, element);
}

Value cpu::storedZero(CpuProgram &program, const CodeOperand &operand,
                      bool storedUnsigned) {
  VectorBuilder v(program.code());
  int32_t shift = 0;
  if (operand.isUnsigned() != storedUnsigned)
    shift = storedUnsigned ? 128 : -128;
  return v.add(zeroCode(program, operand), v.i32(shift));
}

Value cpu::unsignedBytes(VectorBuilder &v, Value bytes, Type element) {
  auto type = cast<VectorType>(bytes.getType());
  if (element.getIntOrFloatBitWidth() < 8)
    bytes = arith::TruncIOp::create(v.b, v.loc, type, v.widen(bytes, element));
  if (element.isUnsignedInteger())
    return bytes;
  Value flip = v.constant(v.b.getI8IntegerAttr(-128), type.getDimSize(0));
  return arith::XOrIOp::create(v.b, v.loc, bytes, flip);
}

void CodeTerms::capture(CaptureList &captures) {
  captures.add({&rowZero, &laneZero, &depth, &rowSums, &laneSums});
}

Value CodeTerms::apply(VectorBuilder &v, Value sums, Value row,
                       Value laneCodes) {
  if (laneCodes)
    sums = v.sub(sums, v.mul(laneCodes, v.splat(rowZero)));
  if (!rowSums)
    return sums;
  Value rowSum = v.loadScalar(rowSums, row, v.b.getI32Type());
  Value narrow = arith::TruncIOp::create(v.b, v.loc, v.b.getI32Type(), depth);
  Value whole = v.mul(narrow, rowZero);
  return v.add(sums, v.splat(v.mul(laneZero, v.sub(whole, rowSum))));
}
