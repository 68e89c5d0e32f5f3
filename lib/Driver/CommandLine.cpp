//===- CommandLine.cpp - What the tools share at their edges --------------===//
//
// Every problem is told at once; a second model beside an unknown flag is most
// often that flag's value, and is not told.
//
//===----------------------------------------------------------------------===//

#include "CommandLine.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/NearestName.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"

using namespace qopt;
using llvm::StringRef;
namespace cl = llvm::cl;

/// The name of a flag as users write it.
static std::string withDashes(StringRef name) {
  return (name.size() == 1 ? "-" : "--") + name.str();
}

static bool isOurs(const cl::Option &option, cl::OptionCategory &category) {
  return llvm::is_contained(option.Categories, &category);
}

/// The flag that `name` may stand for; empty where none is near.
static std::string suggestFlag(StringRef name, cl::OptionCategory &category,
                               llvm::ArrayRef<FlagAlias> aliases) {
  std::string plain = name.lower();
  llvm::replace(plain, '_', '-');
  for (const FlagAlias &alias : aliases)
    if (alias.name == plain)
      return withDashes(alias.flag);
  NearestName nearest(plain);
  for (auto &[known, option] : cl::getRegisteredOptions())
    if (isOurs(*option, category) && known.size() > 1)
      nearest.add(known);
  return nearest.get().empty() ? "" : withDashes(nearest.get());
}

llvm::Error qopt::checkArguments(int argc, char **argv,
                                 cl::OptionCategory &category,
                                 llvm::ArrayRef<FlagAlias> aliases) {
  auto &flags = cl::getRegisteredOptions();
  std::string unknown, others;
  llvm::SmallVector<StringRef> models;
  auto tell = [](std::string &problems, const llvm::Twine &problem) {
    problems += (problems.empty() ? "" : "\n") + problem.str();
  };
  for (int i = 1; i < argc; ++i) {
    StringRef argument = argv[i];
    if (argument == "--") {
      models.append(argv + i + 1, argv + argc);
      break;
    }
    if (argument == "-" || !argument.starts_with("-")) {
      models.push_back(argument);
      continue;
    }
    auto [name, value] =
        argument.drop_front(argument.starts_with("--") ? 2 : 1).split('=');
    auto known = flags.find(name);
    if (known == flags.end()) {
      tell(unknown, "unknown flag '" + withDashes(name) + "'" +
                        suggest(suggestFlag(name, category, aliases)));
      continue;
    }
    bool needsValue =
        known->second->getValueExpectedFlag() == cl::ValueRequired &&
        !argument.contains('=');
    if (needsValue && ++i == argc)
      tell(others, withDashes(name) + " expects a value" +
                       (known->second->ValueStr.empty()
                            ? ""
                            : ": " + withDashes(name) + " " +
                                  known->second->ValueStr.str()));
  }
  if (unknown.empty() && models.size() > 1)
    tell(others, "expects one model, but found '" + models[0] + "' and '" +
                     models[1] + "'");
  if (unknown.empty() && others.empty())
    return llvm::Error::success();
  if (!others.empty())
    tell(unknown, others);
  return makeError(ExitCode::BadUse,
                   unknown + "\nnote: " + llvm::sys::path::filename(argv[0]) +
                       " --help prints all flags");
}

void qopt::printMessage(StringRef tool, StringRef text) {
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    if (line.consume_front("note: "))
      llvm::WithColor::note() << line << "\n";
    else if (line.starts_with(" "))
      llvm::errs() << line << "\n";
    else
      llvm::WithColor::error(llvm::errs(), tool) << line << "\n";
    text = rest;
  }
}
