//===- TargetRegistry.cpp - The targets of a compiler ---------------------===//
//
// There are few, so a search is a walk.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/TargetRegistry.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "qopt/Target/KnownKernels.h"
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

/// The best machine of `target` that is here and a CPU; or null. A device that
/// need not be opened is not.
static const Machine *findCpuHere(const TargetBackend &target) {
  return target.getMachines().front().isDevice() ? nullptr
                                                 : target.findBestHere();
}

const TargetBackend *TargetRegistry::findDefault() const {
  for (const auto &backend : all)
    if (findCpuHere(*backend))
      return backend.get();
  return all.empty() ? nullptr : all.front().get();
}

std::pair<const TargetBackend *, const Machine *>
TargetRegistry::findCpuFor(const TargetBackend &target) const {
  for (const TargetBackend *backend : {&target, findDefault()})
    if (const Machine *machine = backend ? findCpuHere(*backend) : nullptr)
      return {backend, machine};
  return {nullptr, nullptr};
}

void qopt::makeKernelsKnown(const TargetBackend &backend,
                            kernel::QKernelDialect &dialect) {
  dialect.setKernels(backend.getName(), [&backend](llvm::StringRef cpu) {
    return backend.findKernels(cpu);
  });
}

namespace {
class KernelsExtension
    : public mlir::DialectExtension<KernelsExtension, kernel::QKernelDialect> {
public:
  explicit KernelsExtension(const TargetBackend &backend) : backend(backend) {}

  void apply(mlir::MLIRContext *,
             kernel::QKernelDialect *dialect) const override {
    makeKernelsKnown(backend, *dialect);
  }

private:
  const TargetBackend &backend;
};
} // namespace

void TargetRegistry::registerDialects(mlir::DialectRegistry &dialects) const {
  for (const auto &backend : all) {
    backend->registerDialects(dialects);
    dialects.addExtension(mlir::TypeID::getFromOpaquePointer(backend.get()),
                          std::make_unique<KernelsExtension>(*backend));
  }
}

llvm::json::Array TargetRegistry::describe() const {
  llvm::json::Array rows;
  for (const auto &backend : all)
    for (const Machine &machine : backend->getMachines()) {
      Presence presence = backend->findHere(machine);
      llvm::json::Object row{{"target", backend->getName()},
                             {"machine", machine.name},
                             {"runs_here", presence.isHere},
                             {"detail", presence.detail}};
      if (machine.host)
        row["host"] = machine.host->name;
      rows.push_back(std::move(row));
    }
  return rows;
}

const TargetBackend *TargetRegistry::find(llvm::StringRef name) const {
  for (const auto &backend : all)
    if (backend->getName() == name)
      return backend.get();
  return nullptr;
}
