//===- EmbeddedFiles.cpp - Files that the build puts in here ----*- C++ -*-===//
//
// The assembler reads them; the build gives their paths.
//
//===----------------------------------------------------------------------===//

#include "EmbeddedFiles.h"

// clang-format off
#define QOPT_EMBED(symbol, path)                                               \
  __asm__(".pushsection .rodata\n"                                             \
          ".balign 8\n"                                                        \
          ".hidden " #symbol "_begin\n"                                        \
          ".globl " #symbol "_begin\n"                                         \
          #symbol "_begin:\n"                                                  \
          ".incbin \"" path "\"\n"                                             \
          ".hidden " #symbol "_end\n"                                          \
          ".globl " #symbol "_end\n"                                           \
          #symbol "_end:\n"                                                    \
          ".popsection\n");                                                    \
  extern "C" const char symbol##_begin[], symbol##_end[]
// clang-format on

QOPT_EMBED(qopt_embedded_runtime, QOPT_RUNTIME_OBJECT);
QOPT_EMBED(qopt_embedded_libc, QOPT_LIBC_STUB);

llvm::StringRef qopt::getRuntimeObject() {
  return {qopt_embedded_runtime_begin,
          static_cast<size_t>(qopt_embedded_runtime_end -
                              qopt_embedded_runtime_begin)};
}

llvm::StringRef qopt::getLibcStub() {
  return {
      qopt_embedded_libc_begin,
      static_cast<size_t>(qopt_embedded_libc_end - qopt_embedded_libc_begin)};
}
