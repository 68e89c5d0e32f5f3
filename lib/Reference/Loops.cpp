//===- Loops.cpp - Evaluation of ops of loops -----------------------------===//
//
// Runs the formulas that generic kernels are written from.
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
  switch (*numerics::getValueKind(typeOf(tensor).getElementType())) {
  case ValueKind::Float:
    return readFloat(from, at);
  case ValueKind::Bool:
    return readInteger(from, at) != 0;
  case ValueKind::Int:
    return static_cast<int32_t>(readInteger(from, at));
  case ValueKind::Long:
    return readInteger(from, at);
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

llvm::Error reference::evaluateLoops(const Evaluation &evaluation) {
  HostLoops policy(evaluation);
  if (!numerics::runFormula(policy, evaluation.op))
    return evaluation.unsupported("has no reference evaluation");
  if (!policy.problem.empty())
    return evaluation.badData(policy.problem);
  return llvm::Error::success();
}
