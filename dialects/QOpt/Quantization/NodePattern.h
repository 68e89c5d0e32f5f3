//===- NodePattern.h - The nodes that an override means ---------*- C++ -*-===//
//
// Patterns match whole names: "Conv.3" must not mean "Conv_30" as well.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_NODEPATTERN_H
#define DIALECTS_QOPT_QUANTIZATION_NODEPATTERN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>

namespace qopt {

/// Extended regular expressions over whole texts; an empty one matches all.
struct NodePattern {
  /// Names of ONNX nodes. A name that is no expression matches itself.
  std::string nodes;
  /// ONNX operators.
  std::string ops;

  bool matches(llvm::StringRef node, llvm::StringRef op) const;
};

/// Of the ONNX nodes that an op was made of, the one that computes its
/// products; the first where none does. `opOf` gives the operator of an id, or
/// nothing where the id is unknown.
std::optional<int64_t> findNodeOfProducts(
    llvm::ArrayRef<int64_t> ids,
    llvm::function_ref<std::optional<llvm::StringRef>(int64_t)> opOf);

} // namespace qopt

#endif
