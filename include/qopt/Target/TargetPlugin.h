//===- TargetPlugin.h - Targets from libraries ------------------*- C++ -*-===//
//
// A target outside of this tree: a shared library with one exported function,
// built against the headers of the compiler that loads it.
//
//   extern "C" qopt::TargetPlugin qoptGetTargetPlugin() {
//     return {qopt::kTargetPluginApi, "my machine", [](TargetRegistry &all) {
//               all.add(std::make_unique<MyBackend>());
//             }};
//   }
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_TARGETPLUGIN_H
#define QOPT_TARGET_TARGETPLUGIN_H

#include "qopt/Target/TargetRegistry.h"

namespace qopt {

/// Changes whenever a class that plug-ins derive from or are given changes.
inline constexpr uint32_t kTargetPluginApi = 7;

/// What a plug-in says of itself.
struct TargetPlugin {
  /// `kTargetPluginApi` of the headers that it was built with.
  uint32_t api;
  /// For messages.
  const char *name;
  void (*registerTargets)(TargetRegistry &registry);
};

/// The one function that a plug-in exports.
inline constexpr llvm::StringLiteral kTargetPluginEntry = "qoptGetTargetPlugin";

/// Loads the library at `path`, which stays loaded, and adds its targets to
/// `registry`. Fails with ExitCode::NoResource for a file that cannot be read,
/// with ExitCode::BadUse for one that is no plug-in, was built for another
/// compiler, or whose target's name is taken.
llvm::Error loadTargetPlugin(llvm::StringRef path, TargetRegistry &registry);

} // namespace qopt

#endif // QOPT_TARGET_TARGETPLUGIN_H
