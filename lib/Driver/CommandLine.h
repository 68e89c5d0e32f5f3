//===- CommandLine.h - What the tools share at their edges ------*- C++ -*-===//
//
// LLVM's parser tells some mistakes in words of its own, in several places and
// with our path in them. Arguments are looked at before it sees them.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_COMMANDLINE_H
#define LIB_DRIVER_COMMANDLINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"

namespace qopt {

/// What other tools call a flag of ours.
struct FlagAlias {
  llvm::StringLiteral name, flag;
};

/// Stands below the flags in the help of both tools.
inline constexpr llvm::StringLiteral kEnvironmentHelp =
    "\nENVIRONMENT:\n\n"
    "  QOPT_CPU=TIER         - of a run: the tier of the model to take; of a "
    "compile: the best that --cpu native means\n"
    "  QOPT_VULKAN_DEVICE=N  - of a run: the number of the device to take\n";

/// Refuses flags that nobody registered, flags without their value and a second
/// model. Suggests flags of `category`.
llvm::Error checkArguments(int argc, char **argv,
                           llvm::cl::OptionCategory &category,
                           llvm::ArrayRef<FlagAlias> aliases);

/// Prints a message of a tool. A line is an error; one that begins with `note:
/// ` is a note, one that is indented goes on.
void printMessage(llvm::StringRef tool, llvm::StringRef text);

} // namespace qopt

#endif // LIB_DRIVER_COMMANDLINE_H
