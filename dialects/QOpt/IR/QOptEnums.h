//===- QOptEnums.h - Choices of ops, by name --------------------*- C++ -*-===//
//
// Generated from QOptEnums.td, with `stringify` and `symbolize` of each.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTENUMS_H
#define DIALECTS_QOPT_IR_QOPTENUMS_H

#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

#include "dialects/QOpt/IR/QOptEnums.h.inc"

#endif // DIALECTS_QOPT_IR_QOPTENUMS_H
