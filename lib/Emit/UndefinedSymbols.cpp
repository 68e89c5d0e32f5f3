//===- UndefinedSymbols.cpp - What generated code may need ------*- C++ -*-===//
//
// LLVM turns what a CPU lacks into calls of libgcc or libm, which a model does
// not have, but for the few that the runtime defines. Better a compile error
// that names the function than a model that does not load.
//
//===----------------------------------------------------------------------===//

#include "qopt/Emit/EmitObject.h"

#include "qopt/Support/CodedError.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ObjectFile.h"

using namespace qopt;
using llvm::StringRef;

static bool isAllowed(StringRef name, const Machine &machine) {
  static constexpr StringRef functions[] = {
      "qopt_rt_alloc",  "qopt_rt_free", "qopt_rt_parallel", "qopt_rt_threads",
      "qopt_rt_output", "qopt_rt_fail", "qopt_rt_iterate",  "qopt_rt_observe",
      "qopt_rt_append", "memcpy",       "memmove",          "memset"};
  return llvm::is_contained(functions, name) ||
         llvm::is_contained(machine.getHost().platform->runtimeSymbols, name) ||
         llvm::is_contained(machine.runtimeSymbols, name);
}

llvm::Error qopt::checkUndefinedSymbols(StringRef object,
                                        const Machine &machine) {
  llvm::Expected<std::unique_ptr<llvm::object::ObjectFile>> file =
      llvm::object::ObjectFile::createObjectFile(
          llvm::MemoryBufferRef(object, "model"));
  if (!file)
    return file.takeError();
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    llvm::Expected<uint32_t> flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    if (!(*flags & llvm::object::SymbolRef::SF_Undefined) ||
        (*flags & llvm::object::SymbolRef::SF_FormatSpecific))
      continue;
    llvm::Expected<StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    if (!name->empty() && !isAllowed(*name, machine))
      return makeError(ExitCode::Internal,
                       "the generated code calls '" + *name +
                           "', which a model does not have");
  }
  return llvm::Error::success();
}
