//===- TargetRegistry.cpp - The targets of a compiler ---------------------===//
//
// There are few, so a search is a walk.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/TargetRegistry.h"
#include "llvm/ADT/STLExtras.h"

using namespace qopt;

bool TargetRegistry::add(std::unique_ptr<TargetBackend> backend) {
  if (find(backend->getName()))
    return false;
  all.push_back(std::move(backend));
  return true;
}

void TargetRegistry::takeFrom(TargetRegistry &other) {
  for (auto &backend : other.all)
    if (!find(backend->getName()))
      all.push_back(std::move(backend));
  llvm::erase(other.all, nullptr);
}

const TargetBackend *TargetRegistry::find(llvm::StringRef name) const {
  for (const auto &backend : all)
    if (backend->getName() == name)
      return backend.get();
  return nullptr;
}
