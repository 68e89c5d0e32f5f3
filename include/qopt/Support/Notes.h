//===- Notes.h - What to do about an error ----------------------*- C++ -*-===//
//
// The place that finds an error may not know what helps: whoever asked for the
// work does.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_NOTES_H
#define QOPT_SUPPORT_NOTES_H

#include "qopt/Support/CodedError.h"

namespace qopt {

/// `error` with a note, where its code is `code` and it has none.
llvm::Error withNote(llvm::Error error, ExitCode code, const llvm::Twine &note);

} // namespace qopt

#endif // QOPT_SUPPORT_NOTES_H
