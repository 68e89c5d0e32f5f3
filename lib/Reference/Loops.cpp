//===- Loops.cpp - Evaluation by formulas of loops ------------------------===//
//
// Of all that moves, searches, joins or reduces elements. Generic kernels are
// written from the same formulas.
//
//===----------------------------------------------------------------------===//

#include "HostLoops.h"
#include "dialects/QOpt/Numerics/LoopFormulas.h"
#include <cstring>

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using numerics::ValueKind;

HostTensor &HostLoops::get(Value tensor) const {
  if (auto result = dyn_cast<OpResult>(tensor);
      result && result.getOwner() == evaluation.op)
    return evaluation.results[result.getResultNumber()];
  // Formulas write results alone.
  return const_cast<HostTensor &>(evaluation[tensor]);
}

HostLoops::Element HostLoops::load(Value tensor, Index at) const {
  const HostTensor &from = get(tensor);
  // By far the most.
  if (from.getType() == ElementType::F32)
    return from.as<float>()[at];
  switch (*numerics::getValueKind(typeOf(tensor).getElementType())) {
  case ValueKind::Float:
    return readFloat(from, at);
  case ValueKind::Bool:
    return readInteger(from, at) != 0;
  case ValueKind::Int:
    // Of codes that are floats the bits.
    return static_cast<int32_t>(
        isFloat(from.getType()) ? loadRaw(tensor, at) : readInteger(from, at));
  case ValueKind::Long:
    return readInteger(from, at);
  case ValueKind::Double:
    return from.as<double>()[at];
  }
  llvm_unreachable("all kinds are read");
}

void HostLoops::store(const Element &value, Value tensor, Index at) const {
  HostTensor &to = get(tensor);
  if (auto *number = std::get_if<float>(&value))
    return writeFloat(to, at, *number);
  if (auto *truth = std::get_if<bool>(&value))
    return writeInteger(to, at, *truth);
  if (auto *integer = std::get_if<int32_t>(&value))
    return writeInteger(to, at, *integer);
  if (auto *wide = std::get_if<double>(&value)) {
    to.asMutable<double>()[at] = *wide;
    return;
  }
  writeInteger(to, at, std::get<int64_t>(value));
}

HostLoops::Raw HostLoops::loadRaw(Value tensor, Index at) const {
  const HostTensor &from = get(tensor);
  unsigned size = getBytesPerElement(from.getType());
  Raw bytes = 0;
  std::memcpy(&bytes, from.getData() + at * size, size);
  return bytes;
}

void HostLoops::storeRaw(Raw bytes, Value tensor, Index at) const {
  HostTensor &to = get(tensor);
  unsigned size = getBytesPerElement(to.getType());
  std::memcpy(to.getMutableData() + at * size, &bytes, size);
}

numerics::Indices<HostLoops> HostLoops::elementsOf(Value tensor) const {
  numerics::Indices<HostLoops> elements;
  const HostTensor &from = get(tensor);
  for (int64_t i = 0, count = from.getNumElements(); i < count; ++i)
    elements.push_back(readInteger(from, i));
  return elements;
}

void HostLoops::copy(const numerics::Indices<HostLoops> &dims,
                     const numerics::Strided<HostLoops> &from,
                     const numerics::Strided<HostLoops> &to) const {
  int64_t count = getProduct(dims);
  if (!problem.empty() || count == 0)
    return;
  int64_t bytes = getBytesPerElement(get(from.tensor).getType());
  int64_t inner = dims.empty() ? 1 : dims.back();
  int64_t fromStep = dims.empty() ? 0 : from.strides.back() * bytes;
  int64_t toStep = dims.empty() ? 0 : to.strides.back() * bytes;
  const char *source = get(from.tensor).getData() + from.start * bytes;
  char *target = get(to.tensor).getMutableData() + to.start * bytes;
  ArrayRef<int64_t> outer(dims);
  outer = dims.empty() ? outer : outer.drop_back();
  Shape at(outer.size(), 0);
  for (int64_t row = 0, rows = count / inner; row < rows; ++row) {
    int64_t fromRow = 0, toRow = 0;
    for (size_t i = 0; i < outer.size(); ++i) {
      fromRow += at[i] * from.strides[i] * bytes;
      toRow += at[i] * to.strides[i] * bytes;
    }
    if (fromStep == bytes && toStep == bytes)
      std::memcpy(target + toRow, source + fromRow, inner * bytes);
    else
      for (int64_t i = 0; i < inner; ++i)
        std::memcpy(target + toRow + i * toStep,
                    source + fromRow + i * fromStep, bytes);
    advance(at, outer);
  }
}

llvm::Error reference::evaluateLoops(const Evaluation &evaluation) {
  if (!numerics::hasFormula(evaluation.op))
    return evaluation.unsupported("has no formula for its types");
  HostLoops policy(evaluation);
  numerics::runFormula(policy, evaluation.op);
  if (!policy.problem.empty())
    return evaluation.badData(policy.problem);
  return llvm::Error::success();
}
