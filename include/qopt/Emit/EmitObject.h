//===- EmitObject.h - LLVM IR to object code --------------------*- C++ -*-===//
//
// The only way from IR to machine code. No fast-math, no contraction that is
// not written, no calls to libraries that a model does not have.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_EMIT_EMITOBJECT_H
#define QOPT_EMIT_EMITOBJECT_H

#include "qopt/Target/CodeForm.h"
#include "qopt/Target/Machine.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace llvm {
class Module;
} // namespace llvm

namespace qopt {

using ObjectBytes = llvm::SmallVector<char, 0>;

/// Optimises a copy of `module` for `host`, a CPU, and generates code for it.
/// Only the functions named in `exports` can be linked to; what else the module
/// defines becomes local, so that objects of several tiers can be linked
/// together. A crash of the code generator is an error; `module` stays as it
/// is.
llvm::Expected<ObjectBytes> emitObject(const llvm::Module &module,
                                       const Machine &host,
                                       llvm::ArrayRef<llvm::StringRef> exports,
                                       CodeForm form = CodeForm::Object);

/// Fails when `object` needs a symbol that is neither one of the runtime's
/// services, nor memcpy, memmove or memset, nor one that `machine` may use.
llvm::Error checkUndefinedSymbols(llvm::StringRef object,
                                  const Machine &machine);

} // namespace qopt

#endif // QOPT_EMIT_EMITOBJECT_H
