//===- CodeOperand.cpp - An operand of a contraction ----------------------===//
//
// Multipliers are powers of two, so decoding with them is exact; a group's sum
// is divided by them where its scales are applied.
//
//===----------------------------------------------------------------------===//

#include "CodeOperand.h"

#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include "dialects/QOpt/Numerics/Scaling.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Expected;

static HostTensor insertAxisOfOne(const HostTensor &tensor,
                                  std::optional<int64_t> axis) {
  if (!axis || *axis > tensor.getRank())
    return tensor;
  Shape dims(tensor.getDims());
  dims.insert(dims.begin() + *axis, 1);
  return tensor.reshape(dims);
}

Expected<CodeOperand> CodeOperand::get(const Evaluation &evaluation,
                                       Value codes, ValueRange scales,
                                       ValueRange zeros,
                                       std::optional<FormatAttr> format,
                                       std::optional<int64_t> insertAxis) {
  CodeOperand operand;
  operand.codes = insertAxisOfOne(evaluation[codes], insertAxis);
  operand.format = format;
  if (!isFloat(operand.codes.getType()) && !operand.isInteger())
    return evaluation.unsupported("cannot multiply " +
                                  getName(operand.codes.getType()));
  if (format && insertAxis && format->getAxis() >= *insertAxis)
    return evaluation.unsupported("cannot have blocks along a spatial axis");
  auto collect = [&](ValueRange values,
                     SmallVector<Beside> &into) -> llvm::Error {
    for (const HostTensor *tensor : evaluation.tensors(values)) {
      HostTensor beside = insertAxisOfOne(*tensor, insertAxis);
      auto layout =
          ScaleLayout::get(beside.getDims(), operand.getDims(), format);
      if (!layout && tensor->getNumElements() == 1)
        layout = ScaleLayout::broadcast({}, operand.getDims());
      if (!layout)
        return evaluation.badData(
            "cannot use " + formatDims(tensor->getDims()) +
            " scales or zeros beside " + formatDims(operand.getDims()));
      into.push_back({beside, *layout});
    }
    return llvm::Error::success();
  };
  if (llvm::Error error = collect(scales, operand.scales))
    return std::move(error);
  if (llvm::Error error = collect(zeros, operand.zeros))
    return std::move(error);
  return operand;
}

bool CodeOperand::isReal() const {
  return codes.getType() == ElementType::F32 ||
         codes.getType() == ElementType::F16 ||
         codes.getType() == ElementType::BF16;
}

bool CodeOperand::hasOnlyExponents() const {
  return llvm::all_of(scales, [](const Beside &scale) {
    return scale.tensor.getType() == ElementType::F8E8M0FNU;
  });
}

int64_t CodeOperand::getBlock(int64_t axis) const {
  return format && !scales.empty() && format->getAxis() == axis
             ? format->getBlockSize()
             : 0;
}

int CodeOperand::getMultiplierLog2() const {
  if (format)
    return lookupFormat(format->getName())->integerLog2().value_or(0);
  return infoOf(*getElementFormat(codes.getType())).integerLog2.value_or(0);
}

/// Calls `visit(i, zero)` for each code, where zero is the tensor and the
/// offset of its zero in it.
template <class Visit> void CodeOperand::forEachZero(Visit visit) const {
  if (zeros.empty())
    return;
  const Beside &zero = zeros.front();
  Shape position(getDims().size(), 0);
  for (int64_t i = 0, e = codes.getNumElements(); i < e; ++i) {
    visit(i, zero.tensor, zero.layout.getOffset(position));
    advance(position, getDims());
  }
}

std::vector<int32_t> CodeOperand::getIntegers() const {
  std::vector<int32_t> integers(codes.getNumElements());
  for (int64_t i = 0, e = integers.size(); i < e; ++i)
    integers[i] = readInteger(codes, i);
  forEachZero([&](int64_t i, const HostTensor &zero, int64_t offset) {
    integers[i] -= readInteger(zero, offset);
  });
  return integers;
}

std::vector<float> CodeOperand::getReals() const {
  std::vector<float> reals(codes.getNumElements());
  for (int64_t i = 0, e = reals.size(); i < e; ++i)
    reals[i] = readFloat(codes, i);
  forEachZero([&](int64_t i, const HostTensor &zero, int64_t offset) {
    reals[i] -= readFloat(zero, offset);
  });
  int log2 = getMultiplierLog2();
  if (format)
    log2 += lookupFormat(format->getName())->unitLog2;
  if (log2 != 0)
    for (float &real : reals)
      real *= std::ldexp(1.0f, log2);
  return reals;
}

/// The product of the scales for which `counts` holds.
template <class Counts>
GroupScale CodeOperand::multiplyScales(ArrayRef<int64_t> position,
                                       Counts counts) const {
  GroupScale result;
  for (const Beside &scale : scales) {
    if (!counts(scale))
      continue;
    int64_t offset = scale.layout.getOffset(position);
    result.factor *= readFloat(scale.tensor, offset);
    if (scale.tensor.getType() == ElementType::F8E8M0FNU) {
      uint8_t byte = scale.tensor.as<uint8_t>()[offset];
      result.exponent += byte - 127;
      result.isNaN |= byte == 255;
    }
  }
  return result;
}

GroupScale CodeOperand::getScale(ArrayRef<int64_t> position) const {
  return multiplyScales(position, [](const Beside &) { return true; });
}

GroupScale CodeOperand::getScaleOutside(ArrayRef<int64_t> position) const {
  return multiplyScales(position, [](const Beside &scale) {
    return llvm::all_of(ArrayRef(scale.layout.strides).take_back(2),
                        [](int64_t stride) { return stride == 0; });
  });
}

SumKind reference::getSumKind(const CodeOperand &a, const CodeOperand &b) {
  if (!a.hasScales() && !b.hasScales()) {
    if (a.isReal() && b.isReal())
      return SumKind::Chain;
    if (a.isInteger() && b.isInteger())
      return SumKind::Integer;
  }
  return SumKind::Grouped;
}

GroupSum::GroupSum(const CodeOperand &a, const CodeOperand &b)
    : hasOnlyExponents((a.hasScales() || b.hasScales()) &&
                       a.hasOnlyExponents() && b.hasOnlyExponents()),
      multiplierLog2(a.getMultiplierLog2() + b.getMultiplierLog2()) {}

float GroupSum::add(float y, float t, const GroupScale &a,
                    const GroupScale &b) const {
  if (!hasOnlyExponents)
    return std::fma(t * std::ldexp(1.0f, -multiplierLog2), a.factor * b.factor,
                    y);
  if (a.isNaN || b.isNaN)
    return std::numeric_limits<float>::quiet_NaN();
  numerics::ScalarPolicy policy;
  return y +
         numerics::scale2(policy, t, a.exponent + b.exponent - multiplierLog2);
}
