//===- EmbeddedFile.h - Files that the build puts into a library *- C++ -*-===//
//
// The assembler reads them; the build gives their paths.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_EMBEDDEDFILE_H
#define QOPT_TARGET_EMBEDDEDFILE_H

#include "llvm/ADT/StringRef.h"

/// Defines `static llvm::StringRef name()`, the content of the file `path`.
// clang-format off
#define QOPT_EMBED(name, path)                                                 \
  __asm__(".pushsection .rodata\n"                                             \
          ".balign 8\n"                                                        \
          ".hidden qopt_embedded_" #name "_begin\n"                            \
          ".globl qopt_embedded_" #name "_begin\n"                             \
          "qopt_embedded_" #name "_begin:\n"                                   \
          ".incbin \"" path "\"\n"                                             \
          ".hidden qopt_embedded_" #name "_end\n"                              \
          ".globl qopt_embedded_" #name "_end\n"                               \
          "qopt_embedded_" #name "_end:\n"                                     \
          ".popsection\n");                                                    \
  extern "C" const char qopt_embedded_##name##_begin[],                        \
      qopt_embedded_##name##_end[];                                            \
  static llvm::StringRef name() {                                              \
    return {qopt_embedded_##name##_begin,                                      \
            static_cast<size_t>(qopt_embedded_##name##_end -                   \
                                qopt_embedded_##name##_begin)};                \
  }
// clang-format on

#endif // QOPT_TARGET_EMBEDDEDFILE_H
