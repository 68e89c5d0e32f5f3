//===- VulkanBackend.cpp - The Vulkan target ------------------------------===//
//
// The host function takes the way of all code for CPUs: same dialects, same
// emission.
//
//===----------------------------------------------------------------------===//

#include "qopt/Target/Vulkan/VulkanBackend.h"
#include "DeviceProgram.h"
#include "Kernels.h"
#include "lib/Runtime/Vulkan/Device.h"
#include "lib/Target/Host/HostObject.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Target/TargetRegistry.h"

using namespace mlir;
using namespace qopt;

static constexpr llvm::StringLiteral kDevice = "vulkan1.2";

static constexpr llvm::StringLiteral kRuntimeSymbols[] = {
    "qopt_rt_vk_begin",    "qopt_rt_vk_alloc",    "qopt_rt_vk_free",
    "qopt_rt_vk_upload",   "qopt_rt_vk_copy",     "qopt_rt_vk_weight",
    "qopt_rt_vk_dispatch", "qopt_rt_vk_download", "qopt_rt_vk_wait",
    "qopt_rt_vk_finish"};

void qopt::registerVulkanTarget(TargetRegistry &registry) {
  if (const TargetBackend *cpu = registry.findDefault())
    registry.add(std::make_unique<VulkanBackend>(cpu->getMachines().front()));
}

VulkanBackend::VulkanBackend(const Machine &host) {
  device.name = kDevice;
  device.host = &host;
  device.runtimeSymbols = kRuntimeSymbols;
}

void VulkanBackend::registerDialects(DialectRegistry &registry) const {
  host::registerDialects(registry);
  registry.insert<spirv::SPIRVDialect>();
}

/// The name of an open device, and what shaders may miss there.
static std::string describe(const runtime::vulkan::Device &device) {
  VkPhysicalDeviceProperties2 properties = {};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  device.vk.GetPhysicalDeviceProperties2(device.physical, &properties);
  std::string text = properties.properties.deviceName;
  using namespace runtime::vulkan;
  static constexpr std::pair<Feature, const char *> features[] = {
      {Storage8Bit, "8-bit storage"},
      {Storage16Bit, "16-bit storage"},
      {Int64, "64-bit integers"},
      {Float64, "64-bit floats"}};
  for (auto [feature, name] : features)
    if (!(device.features & feature))
      text += std::string(", without ") + name;
  return text;
}

Presence VulkanBackend::findHere(const Machine &machine) const {
  if (Presence host = findCpu(machine.getHost()); !host)
    return host;
  char message[256] = "";
  runtime::vulkan::Device open = {};
  Presence presence;
  presence.isHere = open.open({message, sizeof(message)}) == QOPT_OK;
  presence.detail = presence.isHere ? describe(open) : message;
  open.close();
  return presence;
}

kernel::KernelList VulkanBackend::getKernels(const Machine &) const {
  return vulkan::getKernels();
}

llvm::StringRef VulkanBackend::getHostKernels() const {
  return vulkan::kHostPrefix;
}

FailureOr<OwningOpRef<ModuleOp>>
VulkanBackend::lower(func::FuncOp program, const TargetConfig &config,
                     WeightsSection &weights) const {
  assert(config.cpu == kDevice && "a machine of this target");
  assert(program.getBody().hasOneBlock() && "programs are verified");
  loadDialects(program.getContext());
  OwningOpRef<ModuleOp> module(ModuleOp::create(program.getLoc()));
  vulkan::DeviceProgram emitter(*module, device.host->name,
                                vulkan::getKernels(), weights);
  if (failed(emitter.emitProgram(program)))
    return failure();
  return module;
}

FailureOr<CompiledVariant>
VulkanBackend::emitDevice(ModuleOp lowered, const TargetConfig &config) const {
  loadDialects(lowered.getContext());
  return host::emitHostObject(lowered, device, config);
}
