//===- Constants.h - Bytes of constants as kernels read them ----*- C++ -*-===//
//
// Codes of fewer than 8 bits are packed in the IR and one a byte in memory.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_CONSTANTS_H
#define QOPT_LIB_TARGET_HOST_CONSTANTS_H

#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt::host {

/// The elements of a constant in memory form. The bytes are the weight store's
/// where they need no change, else `storage`'s.
llvm::ArrayRef<uint8_t> constantBytes(ConstantOp op,
                                      std::vector<uint8_t> &storage);

/// The same for an operand of a launch that is a constant, packed or not.
llvm::ArrayRef<uint8_t> constantBytes(mlir::Value constant,
                                      std::vector<uint8_t> &storage);

/// The same for an elements attribute.
std::vector<uint8_t> elementBytes(mlir::ElementsAttr elements);

/// The integers of a constant of codes of up to 8 bits, one a byte: narrow
/// signed ones with their sign, which they have not in memory.
llvm::ArrayRef<uint8_t> constantIntegers(ConstantOp op,
                                         std::vector<uint8_t> &storage);

} // namespace qopt::host

#endif
