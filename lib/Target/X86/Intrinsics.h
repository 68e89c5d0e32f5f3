//===- Intrinsics.h - Instructions of x86-64 by name ------------*- C++ -*-===//
//
// What no dialect has an op for.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_INTRINSICS_H
#define QOPT_LIB_TARGET_X86_INTRINSICS_H

#include "lib/Target/Cpu/VectorBuilder.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace qopt::x86 {

/// The result of `llvm.x86.<name>`.
inline mlir::Value intrinsic(cpu::VectorBuilder &v, const llvm::Twine &name,
                             mlir::Type type, mlir::ValueRange operands) {
  return mlir::LLVM::CallIntrinsicOp::create(
             v.b, v.loc, type, v.b.getStringAttr("llvm.x86." + name), operands)
      .getResult(0);
}

} // namespace qopt::x86

#endif
