//===- VulkanBackend.cpp - The Vulkan target ------------------------------===//
//
// The host function takes the way of x86-64 code: same dialects, same emission.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/Vulkan/VulkanBackend.h"
#include "DeviceProgram.h"
#include "lib/Runtime/Vulkan/Device.h"
#include "lib/Target/Cpu/HostObject.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Target/TargetRegistry.h"

using namespace mlir;
using namespace qopt;

static constexpr llvm::StringLiteral kDevice = "vulkan1.2";
/// The tier of the host function.
static constexpr llvm::StringLiteral kHostTier = "x86-64-v3";

static constexpr Capability table[] = {
    // operation, activation, weight, scale, granularity, accumulator, fused,
    // layout, feature, kernel
    {"contract", "*", "*", "none", "*", "i32", "none", "plain", "",
     "vulkan.contract.codes"},
    {"contract", "*", "*", "none", "*", "f32", "none", "plain", "",
     "vulkan.contract.f32"},
    {"contract", "*", "*", "*", "*", "f32", "none", "plain", "",
     "vulkan.contract.grouped"},
    {"depthwise_conv", "*", "*", "*", "*", "*", "none", "plain", "",
     "vulkan.contract.conv"},
    {"attention", "*", "*", "*", "*", "*", "none", "none", "",
     "vulkan.attention"},
    {"quantize_dynamic", "*", "*", "*", "*", "*", "none", "none", "",
     "vulkan.quantize-dynamic"},
    {"rows", "*", "*", "*", "*", "*", "none", "none", "", "vulkan.rows"},
    {"map", "*", "*", "*", "*", "*", "none", "none", "", "vulkan.map"},
    {"max_pool", "*", "*", "*", "*", "*", "none", "none", "", "vulkan.pool"},
    {"average_pool", "*", "*", "*", "*", "*", "none", "none", "",
     "vulkan.pool"},
    {"*", "*", "*", "*", "*", "*", "none", "none", "", "vulkan.move"},
};

void qopt::registerVulkanDialects(DialectRegistry &registry) {
  cpu::registerDialects(registry);
  registry.insert<spirv::SPIRVDialect>();
}

void qopt::registerVulkanTarget(TargetRegistry &registry) {
  registry.add(std::make_unique<VulkanBackend>());
}

llvm::SmallVector<std::string> VulkanBackend::getCpus() const {
  return {kDevice.str()};
}

bool VulkanBackend::runsHere(llvm::StringRef cpu) const {
  char message[256];
  runtime::vulkan::Device device = {};
  bool isOpen = device.open({message, sizeof(message)}) == QOPT_OK;
  device.close();
  return isOpen && cpu == kDevice;
}

llvm::Expected<TargetCapabilities>
VulkanBackend::getCapabilities(const TargetConfig &config) const {
  if (config.cpu != kDevice)
    return makeError(ExitCode::BadUse,
                     "vulkan has no device \"" + config.cpu + "\"");
  return TargetCapabilities(std::begin(table), std::end(table));
}

static void loadDialects(MLIRContext *context) {
  DialectRegistry registry;
  registerVulkanDialects(registry);
  context->appendDialectRegistry(registry);
  for (StringRef name : registry.getDialectNames())
    context->getOrLoadDialect(name);
}

FailureOr<OwningOpRef<ModuleOp>>
VulkanBackend::lower(func::FuncOp program, const TargetConfig &config,
                     WeightsSection &weights) const {
  if (config.cpu != kDevice)
    return program.emitError("vulkan has no device \"") << config.cpu << "\"",
           failure();
  if (!program.getBody().hasOneBlock())
    return program.emitError("expects a function of one block"), failure();
  loadDialects(program.getContext());
  OwningOpRef<ModuleOp> module(ModuleOp::create(program.getLoc()));
  vulkan::DeviceProgram emitter(*module, kHostTier, weights);
  if (failed(emitter.emitProgram(program)) ||
      failed(cpu::finishModule(*module)))
    return failure();
  return module;
}

FailureOr<CompiledVariant>
VulkanBackend::emitDevice(ModuleOp lowered, const TargetConfig &config) const {
  loadDialects(lowered.getContext());
  return cpu::emitHostObject(lowered, *findCpuTier(kHostTier), config);
}
