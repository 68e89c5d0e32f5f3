//===- HostConstants.h - Tensors in memory and in the IR --------*- C++ -*-===//
//
// Between host tensors, MLIR element types and the values of qopt.constant.
// In the IR sub-byte codes are one stream of bits; in memory each takes a byte,
// with the code in the low bits and zeros above.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_HOSTCONSTANTS_H
#define DIALECTS_QOPT_IR_HOSTCONSTANTS_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "qopt/Support/HostTensor.h"

namespace qopt {

/// The host type whose elements `type` has; nothing for types that no host
/// tensor holds. `index` is i64.
std::optional<ElementType> getHostElementType(mlir::Type type);

/// The MLIR type of elements of `type`.
mlir::Type getMLIRElementType(ElementType type, mlir::MLIRContext *context);

/// The value of a `qopt.constant` that holds `tensor`: an elements attribute
/// for at most 1 KiB of a type of whole bytes, else a `#qopt.weight`, which
/// shares the tensor's bytes where they need no packing.
mlir::Attribute makeConstantValue(const HostTensor &tensor,
                                  mlir::MLIRContext *context);

/// The elements of a constant. They may be those of the weight store, which
/// must outlive the tensor.
llvm::Expected<HostTensor> readConstant(ConstantOp op);

/// The elements of an attribute, as `readConstant`.
llvm::Expected<HostTensor> readElements(mlir::ElementsAttr elements);

} // namespace qopt

#endif // DIALECTS_QOPT_IR_HOSTCONSTANTS_H
