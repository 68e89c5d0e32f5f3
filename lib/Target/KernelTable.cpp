//===- KernelTable.cpp - Kernels that rows of a table make ----------------===//
//
// Types are compared by their names: rows are read by people.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/KernelTable.h"

using namespace qopt;

bool qopt::matches(const KernelTypes &types,
                   const kernel::KernelSignature &signature) {
  auto fits = [](llvm::StringRef entry, llvm::StringRef name) {
    return entry == "*" || entry == name;
  };
  return types.operation == signature.operation &&
         fits(types.activation, signature.activation) &&
         fits(types.weight, signature.weight) &&
         fits(types.scale, signature.scale) &&
         fits(types.granularity, signature.granularity) &&
         fits(types.accumulator, signature.accumulator) &&
         fits(types.fused, signature.fused);
}
