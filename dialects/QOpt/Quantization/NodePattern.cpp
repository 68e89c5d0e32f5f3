//===- NodePattern.cpp - The nodes that an override means -----------------===//

#include "dialects/QOpt/Quantization/NodePattern.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Regex.h"

using namespace qopt;
using llvm::StringRef;

static bool matchesWhole(StringRef pattern, StringRef text) {
  return pattern.empty() || pattern == text ||
         llvm::Regex(("^(" + pattern + ")$").str()).match(text);
}

bool NodePattern::matches(StringRef node, StringRef op) const {
  return matchesWhole(nodes, node) && matchesWhole(ops, op);
}

static bool hasProducts(StringRef op) {
  return llvm::StringSwitch<bool>(op)
      .Cases({"Conv", "MatMul", "Gemm", "ConvInteger", "MatMulInteger",
              "QLinearConv", "QLinearMatMul", "Attention"},
             true)
      .Default(false);
}

std::optional<int64_t> qopt::findNodeOfProducts(
    llvm::ArrayRef<int64_t> ids,
    llvm::function_ref<std::optional<StringRef>(int64_t)> opOf) {
  std::optional<int64_t> first;
  for (int64_t id : ids) {
    std::optional<StringRef> op = opOf(id);
    if (!op)
      continue;
    if (hasProducts(*op))
      return id;
    first = first ? first : id;
  }
  return first;
}
