//===- Notes.cpp - What to do about an error ------------------------------===//
//
// A note is a line of the message.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/Notes.h"

using namespace qopt;

llvm::Error qopt::withNote(llvm::Error error, ExitCode code,
                           const llvm::Twine &note) {
  if (!error)
    return error;
  ExitCode found;
  std::string text = takeMessage(std::move(error), found);
  if (found == code && text.find("\nnote: ") == std::string::npos)
    text += "\nnote: " + note.str();
  return makeError(found, text);
}
