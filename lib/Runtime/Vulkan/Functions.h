//===- Functions.h - The entry points of Vulkan -----------------*- C++ -*-===//
//
// The loader is opened when a model first runs, so that a machine without
// Vulkan still opens the file.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_VULKAN_FUNCTIONS_H
#define QOPT_LIB_RUNTIME_VULKAN_FUNCTIONS_H

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

namespace qopt::runtime::vulkan {

#define QOPT_FOR_EACH_INSTANCE_FUNCTION(X)                                     \
  X(DestroyInstance)                                                           \
  X(EnumeratePhysicalDevices)                                                  \
  X(GetPhysicalDeviceProperties2)                                              \
  X(GetPhysicalDeviceFeatures2)                                                \
  X(GetPhysicalDeviceMemoryProperties)                                         \
  X(GetPhysicalDeviceQueueFamilyProperties)                                    \
  X(CreateDevice)                                                              \
  X(GetDeviceProcAddr)

#define QOPT_FOR_EACH_DEVICE_FUNCTION(X)                                       \
  X(DestroyDevice)                                                             \
  X(DeviceWaitIdle)                                                            \
  X(GetDeviceQueue)                                                            \
  X(CreateBuffer)                                                              \
  X(DestroyBuffer)                                                             \
  X(GetBufferMemoryRequirements)                                               \
  X(AllocateMemory)                                                            \
  X(FreeMemory)                                                                \
  X(BindBufferMemory)                                                          \
  X(MapMemory)                                                                 \
  X(CreateDescriptorSetLayout)                                                 \
  X(DestroyDescriptorSetLayout)                                                \
  X(CreatePipelineLayout)                                                      \
  X(DestroyPipelineLayout)                                                     \
  X(CreateShaderModule)                                                        \
  X(DestroyShaderModule)                                                       \
  X(CreateComputePipelines)                                                    \
  X(DestroyPipeline)                                                           \
  X(CreateDescriptorPool)                                                      \
  X(DestroyDescriptorPool)                                                     \
  X(ResetDescriptorPool)                                                       \
  X(AllocateDescriptorSets)                                                    \
  X(UpdateDescriptorSets)                                                      \
  X(CreateCommandPool)                                                         \
  X(DestroyCommandPool)                                                        \
  X(ResetCommandPool)                                                          \
  X(AllocateCommandBuffers)                                                    \
  X(BeginCommandBuffer)                                                        \
  X(EndCommandBuffer)                                                          \
  X(CmdPipelineBarrier)                                                        \
  X(CmdBindPipeline)                                                           \
  X(CmdBindDescriptorSets)                                                     \
  X(CmdDispatch)                                                               \
  X(CmdCopyBuffer)                                                             \
  X(CreateFence)                                                               \
  X(DestroyFence)                                                              \
  X(ResetFences)                                                               \
  X(WaitForFences)                                                             \
  X(QueueSubmit)

struct Functions {
  void *library;
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
#define QOPT_MEMBER(name) PFN_vk##name name;
  QOPT_FOR_EACH_INSTANCE_FUNCTION(QOPT_MEMBER)
  QOPT_FOR_EACH_DEVICE_FUNCTION(QOPT_MEMBER)
#undef QOPT_MEMBER
};

/// Opens the loader. False when there is none.
bool openLoader(Functions &vk);
/// False when an entry point is missing.
bool loadInstanceFunctions(Functions &vk, VkInstance instance);
bool loadDeviceFunctions(Functions &vk, VkDevice device);
void closeLoader(Functions &vk);

} // namespace qopt::runtime::vulkan

#endif // QOPT_LIB_RUNTIME_VULKAN_FUNCTIONS_H
