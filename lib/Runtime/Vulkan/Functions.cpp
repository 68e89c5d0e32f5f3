//===- Functions.cpp - The entry points of Vulkan ---------------*- C++ -*-===//
//
// Device functions come from the device itself, without the loader's dispatch.
//
//===----------------------------------------------------------------------===//

#include "Functions.h"

#include <dlfcn.h>

using namespace qopt::runtime;

bool vulkan::openLoader(Functions &vk) {
  vk.library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!vk.library)
    return false;
  vk.GetInstanceProcAddr = reinterpret_cast<PFN_vkGetInstanceProcAddr>(
      dlsym(vk.library, "vkGetInstanceProcAddr"));
  return vk.GetInstanceProcAddr != nullptr;
}

bool vulkan::loadInstanceFunctions(Functions &vk, VkInstance instance) {
#define QOPT_LOAD(name)                                                        \
  vk.name = reinterpret_cast<PFN_vk##name>(                                    \
      vk.GetInstanceProcAddr(instance, "vk" #name));                           \
  if (!vk.name)                                                                \
    return false;
  QOPT_FOR_EACH_INSTANCE_FUNCTION(QOPT_LOAD)
#undef QOPT_LOAD
  return true;
}

bool vulkan::loadDeviceFunctions(Functions &vk, VkDevice device) {
#define QOPT_LOAD(name)                                                        \
  vk.name = reinterpret_cast<PFN_vk##name>(                                    \
      vk.GetDeviceProcAddr(device, "vk" #name));                               \
  if (!vk.name)                                                                \
    return false;
  QOPT_FOR_EACH_DEVICE_FUNCTION(QOPT_LOAD)
#undef QOPT_LOAD
  return true;
}

void vulkan::closeLoader(Functions &vk) {
  if (vk.library)
    dlclose(vk.library);
}
