//===- TargetPlugin.cpp - Targets from libraries --------------------------===//
//
// A plug-in fills a registry of its own first, so that one that fails leaves no
// target behind.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/TargetPlugin.h"
#include "qopt/Support/CodedError.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace qopt;

static llvm::Error badPlugin(llvm::StringRef path, const llvm::Twine &problem) {
  return makeError(ExitCode::BadUse,
                   path + ": " + problem +
                       "\nnote: docs/Guides/add-a-target.md says how a target "
                       "is built as a plug-in");
}

llvm::Error qopt::loadTargetPlugin(llvm::StringRef path,
                                   TargetRegistry &registry) {
  if (std::error_code code =
          llvm::sys::fs::access(path, llvm::sys::fs::AccessMode::Exist))
    return makeError(ExitCode::NoResource, path + ": " + code.message());
  // The loader takes a name without a slash for one of the system's libraries.
  llvm::SmallString<128> file(path);
  llvm::sys::fs::make_absolute(file);
  std::string problem;
  auto library =
      llvm::sys::DynamicLibrary::getPermanentLibrary(file.c_str(), &problem);
  if (!library.isValid())
    return badPlugin(path, "cannot be loaded: " + problem);
  auto *entry = reinterpret_cast<TargetPlugin (*)()>(
      library.getAddressOfSymbol(kTargetPluginEntry.data()));
  if (!entry)
    return badPlugin(path, "is no plug-in: it exports no function " +
                               kTargetPluginEntry);
  TargetPlugin plugin = entry();
  if (plugin.api != kTargetPluginApi)
    return badPlugin(path, "was built for version " + llvm::Twine(plugin.api) +
                               " of the plug-in interface, but this compiler "
                               "has version " +
                               llvm::Twine(kTargetPluginApi));
  TargetRegistry own;
  plugin.registerTargets(own);
  for (const auto &backend : own.backends())
    if (registry.find(backend->getName()))
      return badPlugin(path,
                       "target '" + backend->getName() + "' is known already");
  registry.takeFrom(own);
  return llvm::Error::success();
}
