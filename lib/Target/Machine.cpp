//===- Machine.cpp - What is known of a machine ---------------------------===//
//
// The runtime asks the same question of itself when it opens a model.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/Machine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace qopt;

Presence qopt::findCpu(const Machine &host) {
  const Platform &platform = *host.platform;
  llvm::Triple wanted(platform.triple), here(llvm::sys::getProcessTriple());
  if (wanted.getArch() != here.getArch() || wanted.getOS() != here.getOS())
    return {false, "this machine is " + here.getArchName().str() + " with " +
                       here.getOSName().str() + ", not " +
                       wanted.getArchName().str() + " with " +
                       wanted.getOSName().str()};
  int64_t missing =
      host.requiredFeatures & ~platform.detectFeatures(host.requiredFeatures);
  if (missing == 0)
    return {true, ""};
  return {false, std::string("this machine lacks ") +
                     platform.getFeatureName(missing)};
}
