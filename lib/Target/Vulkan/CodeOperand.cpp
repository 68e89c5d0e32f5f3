//===- CodeOperand.cpp - An operand of a contraction ----------------------===//
//
// Products of decoded codes are exact in f32, so a device that has no fma still
// makes the bits of the formula.
//
//===----------------------------------------------------------------------===//

#include "CodeOperand.h"
#include "Epilogue.h"
#include "ExactPolicy.h"
#include "dialects/QOpt/Numerics/ElementwiseOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

CodeOperand::CodeOperand(DeviceProgram &program, Value codes, ValueRange scales,
                         ValueRange zeros, std::optional<FormatAttr> format)
    : program(program), codes(codes), scales(scales), zeros(zeros),
      hostDims(program.dims(codes)), format(format) {}

LogicalResult CodeOperand::prepare() {
  SmallVector<Value> all{codes};
  all.append(scales);
  all.append(zeros);
  return success(llvm::all_of(
      all, [&](Value tensor) { return succeeded(program.handle(tensor)); }));
}

bool CodeOperand::isReal(Value tensor) {
  Type element = getElementTypeOrSelf(tensor);
  return element.isF32() || element.isF16() || element.isBF16();
}

bool CodeOperand::hasOnlyExponents() const {
  return llvm::all_of(scales, [](Value scale) {
    return isa<Float8E8M0FNUType>(getElementTypeOrSelf(scale));
  });
}

int64_t CodeOperand::getBlock(int64_t axis) const {
  return format && hasScales() && format->getAxis() == axis
             ? format->getBlockSize()
             : 0;
}

int CodeOperand::getMultiplierLog2() const {
  if (format)
    return lookupFormat(format->getName())->integerLog2().value_or(0);
  Type element = getElementTypeOrSelf(codes);
  if (element.isInteger(32))
    return 0;
  return infoOf(*elementFormatOf(element)).integerLog2.value_or(0);
}

Value CodeOperand::loadBeside(Shader &shader, Value tensor,
                              ValueRange position) {
  SmallVector<Value> dims = program.dims(tensor);
  Value index;
  if (cast<RankedTensorType>(tensor.getType()).hasStaticShape() &&
      cast<RankedTensorType>(tensor.getType()).getNumElements() == 1)
    index = shader.i32(0);
  else
    index =
        broadcastIndex(program, shader, dims, position,
                       format && format->isBlocked() ? format->getAxis() : -1,
                       format ? format->getBlockSize() : 0);
  return shader.load(*program.handle(tensor), getElementTypeOrSelf(tensor),
                     index);
}

Value CodeOperand::integer(Shader &shader, Value index, ValueRange position) {
  Value code =
      shader.load(*program.handle(codes), getElementTypeOrSelf(codes), index);
  if (zeros.empty())
    return code;
  return shader.sub(code, loadBeside(shader, zeros.front(), position));
}

Value CodeOperand::real(Shader &shader, Value index, ValueRange position) {
  ExactPolicy policy(shader.b, shader.loc);
  auto asReal = [&](Value value, Value tensor) {
    Type element = getElementTypeOrSelf(tensor);
    if (isa<FloatType>(value.getType()))
      return value;
    if (element.isInteger(32))
      return policy.toFloat(value);
    return numerics::decodeCode(policy, value, *elementFormatOf(element));
  };
  Value value = asReal(
      shader.load(*program.handle(codes), getElementTypeOrSelf(codes), index),
      codes);
  if (!zeros.empty())
    value =
        policy.sub(value, asReal(loadBeside(shader, zeros.front(), position),
                                 zeros.front()));
  int log2 = getMultiplierLog2();
  if (format)
    log2 += lookupFormat(format->getName())->unitLog2;
  return numerics::scaleByUnit(policy, value, log2);
}

GroupScale CodeOperand::scale(Shader &shader, ValueRange position) {
  ExactPolicy policy(shader.b, shader.loc);
  SmallVector<Value> values;
  for (Value scale : scales)
    values.push_back(loadBeside(shader, scale, position));
  auto combined =
      numerics::combineScales<numerics::MLIRPolicy>(policy, scales, values);
  return {combined.factor, combined.exponent, combined.isNaN};
}

SumKind vulkan::getSumKind(const CodeOperand &a, const CodeOperand &b) {
  if (!a.hasScales() && !b.hasScales()) {
    if (a.isReal() && b.isReal())
      return SumKind::Chain;
    if (!a.isReal() && !b.isReal())
      return SumKind::Integer;
  }
  return SumKind::Grouped;
}

Value vulkan::addGroup(Shader &shader, const CodeOperand &a,
                       const CodeOperand &b, Value y, Value t,
                       const GroupScale &aScale, const GroupScale &bScale) {
  ExactPolicy policy(shader.b, shader.loc);
  int log2 = a.getMultiplierLog2() + b.getMultiplierLog2();
  if (!a.hasOnlyExponents() || !b.hasOnlyExponents() ||
      (!a.hasScales() && !b.hasScales())) {
    Value unit =
        log2 == 0
            ? t
            : policy.mul(t, numerics::powerOfTwo(policy, policy.i(-log2)));
    Value factor = aScale.factor;
    if (!a.hasScales())
      factor = bScale.factor;
    else if (b.hasScales())
      factor = policy.mul(aScale.factor, bScale.factor);
    return policy.fma(unit, factor, y);
  }
  Value exponent = policy.subI(policy.addI(aScale.exponent, bScale.exponent),
                               policy.i(log2));
  Value sum = policy.add(y, numerics::scale2(policy, t, exponent));
  return policy.select(policy.orM(aScale.isNaN, bScale.isNaN),
                       policy.f(numerics::quietNaN), sum);
}
