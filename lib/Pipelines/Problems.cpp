//===- Problems.cpp - Diagnostics in a user's words -----------------------===//
//
// An op's name is left out where the node says more. Of a program that was
// written by hand the place in its file is told, and the op.
//
//===----------------------------------------------------------------------===//

#include "Problems.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qopt;

Problems::Problems(MLIRContext &context, StringRef model,
                   const Contract &contract, std::vector<std::string> *warnings)
    : model(llvm::sys::path::filename(model)), contract(contract),
      handler(&context, [this, warnings](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
          add(diagnostic);
        else if (diagnostic.getSeverity() == DiagnosticSeverity::Warning &&
                 warnings)
          warnings->push_back(describe(diagnostic));
        return success();
      }) {}

std::string Problems::describe(Location loc) const {
  if (std::string node = contract.describeNode(loc); !node.empty())
    return node;
  if (auto name = loc->findInstanceOf<NameLoc>())
    return "\"" + name.getName().str() + "\"";
  if (auto place = loc->findInstanceOf<FileLineColLoc>())
    return "line " + std::to_string(place.getLine());
  return "";
}

std::string Problems::describe(Diagnostic &diagnostic) const {
  std::string place = describe(diagnostic.getLocation());
  std::string text = diagnostic.str();
  StringRef what = text;
  bool isByHand = place.empty() || StringRef(place).starts_with("line ");
  if (size_t end = what.find("' op ");
      what.starts_with("'") && end != StringRef::npos && !isByHand)
    what = what.drop_front(end + StringRef("' op ").size());
  return place + (place.empty() ? "" : ": ") + what.str();
}

void Problems::add(Diagnostic &diagnostic) {
  std::string line = describe(diagnostic);
  if (!llvm::is_contained(lines, line))
    lines.push_back(line);
  for (Diagnostic &note : diagnostic.getNotes())
    if (std::string noted = note.str(); !llvm::is_contained(notes, noted))
      notes.push_back(noted);
}

/// What helps with any failure of a kind.
static StringRef getDefaultNote(ExitCode code) {
  switch (code) {
  case ExitCode::Unsupported:
    return "other kinds of numbers may be supported: try another preset, keep "
           "the node in float by a recipe's overrides, or export the model in "
           "float32";
  case ExitCode::BadData:
    return "make the file again with this version of qopt-compile";
  case ExitCode::Internal:
    return "this is a defect of qopt; please report it with the model";
  default:
    return "";
  }
}

llvm::Error Problems::take(ExitCode code, const llvm::Twine &fallback) {
  if (lines.empty())
    lines.push_back(fallback.str());
  std::string text = model + ": ";
  if (lines.size() == 1)
    text += lines.front();
  else
    text += std::to_string(lines.size()) + " problems\n  " +
            llvm::join(lines, "\n  ");
  if (notes.empty() && !getDefaultNote(code).empty())
    notes.push_back(getDefaultNote(code).str());
  for (const std::string &note : notes)
    text += "\nnote: " + note;
  return makeError(code, text);
}

llvm::Error Problems::orReported(llvm::Error error) {
  if (!error || empty())
    return error;
  ExitCode code;
  std::string text = takeMessage(std::move(error), code);
  return take(code, text);
}
