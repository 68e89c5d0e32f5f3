//===- QOptOps.h - The ops of the qopt dialect ------------------*- C++ -*-===//
//
// All op families; each is defined by a .td and a .cpp of its own.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTOPS_H
#define DIALECTS_QOPT_IR_QOPTOPS_H

#include "dialects/QOpt/IR/Contraction.h"
#include "dialects/QOpt/IR/DimPolicy.h"
#include "dialects/QOpt/IR/QOptDialect.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptContractionOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptElementwiseOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptLoopOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptMovementOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptNormalizationOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptQuantizationOps.h.inc"
#define GET_OP_CLASSES
#include "dialects/QOpt/IR/QOptSequenceOps.h.inc"

#endif
