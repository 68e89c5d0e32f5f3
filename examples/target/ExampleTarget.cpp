//===- ExampleTarget.cpp - A target outside of qopt's tree ----------------===//
//
// A machine with an x86-64 host that has no kernels of its own yet: everything
// runs on the host, in the way of the AVX2 tier. Kernels are then replaced one
// row of the table at a time. The table says that no kernel quantizes inside,
// so `kernels` takes such ones apart.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/CodedError.h"
#include "qopt/Target/TargetPlugin.h"
#include "qopt/Target/X86/X86Backend.h"

using namespace qopt;

static constexpr llvm::StringLiteral kMachine = "example-1";

static constexpr Capability table[] = {
    // operation, activation, weight, scale, granularity, accumulator, fused,
    // layout, feature, kernel
    {"contract", "*", "*", "*", "*", "*", "none", "plain", "",
     "example.host.contract"},
    {"depthwise_conv", "*", "*", "*", "*", "*", "none", "plain", "",
     "example.host.depthwise"},
    {"attention", "*", "*", "*", "*", "*", "none", "none", "",
     "example.host.attention"},
    {"quantize_dynamic", "*", "*", "*", "*", "*", "none", "none", "",
     "example.host.quantize-dynamic"},
    {"rows", "*", "*", "*", "*", "*", "none", "none", "", "example.host.rows"},
    {"map", "*", "*", "*", "*", "*", "none", "none", "", "example.host.map"},
    {"*", "*", "*", "*", "*", "*", "none", "none", "", "example.host.move"},
};

namespace {
class ExampleTarget : public TargetBackend {
public:
  llvm::StringRef getName() const override { return "example"; }

  ExampleTarget() {
    machine.name = kMachine;
    machine.host = &host.getMachines().front();
  }

  llvm::ArrayRef<Machine> getMachines() const override { return machine; }

  llvm::Expected<TargetCapabilities>
  getCapabilities(const TargetConfig &config) const override {
    if (config.cpu != kMachine)
      return makeError(ExitCode::BadUse,
                       "example has no machine \"" + config.cpu + "\"");
    return TargetCapabilities(std::begin(table), std::end(table));
  }

  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  lower(mlir::func::FuncOp program, const TargetConfig &config,
        WeightsSection &weights) const override {
    return host.lower(program, onHost(config), weights);
  }

  mlir::FailureOr<CompiledVariant>
  emitDevice(mlir::ModuleOp lowered,
             const TargetConfig &config) const override {
    auto variant = host.emitDevice(lowered, onHost(config));
    if (mlir::succeeded(variant))
      variant->cpu = config.cpu;
    return variant;
  }

private:
  TargetConfig onHost(TargetConfig config) const {
    config.cpu = machine.host->name.str();
    return config;
  }

  X86Backend host;
  Machine machine;
};
} // namespace

extern "C" TargetPlugin qoptGetTargetPlugin() {
  return {kTargetPluginApi, "example", [](TargetRegistry &registry) {
            registry.add(std::make_unique<ExampleTarget>());
          }};
}
