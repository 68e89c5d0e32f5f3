//===- PhaseText.h - What the text of a phase file may ask for --*- C++ -*-===//
//
// MLIR's parser and printer recurse, and print what an alias stands for at each
// of its uses: a short text can need any stack and any time.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_PHASETEXT_H
#define LIB_PIPELINES_PHASETEXT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace qopt {

/// Fails where `text`, of the file `path`, should not reach the parser.
llvm::Error checkPhaseText(llvm::StringRef text, llvm::StringRef path);

} // namespace qopt

#endif // LIB_PIPELINES_PHASETEXT_H
