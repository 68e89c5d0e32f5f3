//===- Device.cpp - A Vulkan device with its memory -------------*- C++ -*-===//
//
// Regions are multiples of 256 bytes, the largest alignment that a device may
// ask of storage buffers.
//
//===----------------------------------------------------------------------===//

#include "Device.h"

using namespace qopt::runtime;
using namespace qopt::runtime::vulkan;

static constexpr uint64_t kAlignment = 256;
static constexpr uint64_t kBlockBytes = uint64_t(16) << 20;

const char *vulkan::describe(VkResult result) {
  switch (result) {
  case VK_ERROR_OUT_OF_HOST_MEMORY:
    return "out of host memory";
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    return "out of device memory";
  case VK_ERROR_DEVICE_LOST:
    return "the device was lost";
  case VK_ERROR_INITIALIZATION_FAILED:
    return "initialization failed";
  case VK_ERROR_INCOMPATIBLE_DRIVER:
    return "there is no driver";
  case VK_ERROR_LAYER_NOT_PRESENT:
    return "a layer is missing";
  case VK_ERROR_FEATURE_NOT_PRESENT:
    return "a feature is missing";
  default:
    return "the driver reported an error";
  }
}

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

qopt_status Device::createInstance(TextBuffer error) {
  if (!openLoader(vk)) {
    setText(error, "the model runs on Vulkan, but libvulkan.so.1 cannot be "
                   "loaded; install a Vulkan loader and driver");
    return QOPT_NO_RESOURCE;
  }
  auto create = reinterpret_cast<PFN_vkCreateInstance>(
      vk.GetInstanceProcAddr(nullptr, "vkCreateInstance"));
  VkApplicationInfo application = {};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pEngineName = "qopt";
  application.apiVersion = VK_API_VERSION_1_2;
  VkInstanceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  VkResult result = create ? create(&info, nullptr, &instance)
                           : VK_ERROR_INITIALIZATION_FAILED;
  if (result != VK_SUCCESS || !loadInstanceFunctions(vk, instance)) {
    setText(error, "Vulkan cannot be started: %s", describe(result));
    return result == VK_ERROR_INCOMPATIBLE_DRIVER ? QOPT_UNSUPPORTED
                                                  : QOPT_NO_RESOURCE;
  }
  return QOPT_OK;
}

/// -1 without a queue that computes.
static int64_t findComputeQueue(const Functions &vk, VkPhysicalDevice device) {
  VkQueueFamilyProperties families[16];
  uint32_t count = 16;
  vk.GetPhysicalDeviceQueueFamilyProperties(device, &count, families);
  for (uint32_t i = 0; i < count; ++i)
    if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)
      return i;
  return -1;
}

static int rankOf(const Functions &vk, VkPhysicalDevice device) {
  VkPhysicalDeviceProperties2 properties = {};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  vk.GetPhysicalDeviceProperties2(device, &properties);
  if (properties.properties.apiVersion < VK_API_VERSION_1_2 ||
      findComputeQueue(vk, device) < 0)
    return 0;
  switch (properties.properties.deviceType) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    return 4;
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
    return 3;
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
    return 2;
  default:
    return 1;
  }
}

/// The number that `text` is; -1 where it is none.
static int64_t parseIndex(const char *text) {
  int64_t value = 0;
  if (!*text)
    return -1;
  for (; *text; ++text) {
    if (*text < '0' || *text > '9' || value > 1000)
      return -1;
    value = 10 * value + (*text - '0');
  }
  return value;
}

qopt_status Device::choosePhysical(TextBuffer error) {
  VkPhysicalDevice devices[32];
  uint32_t count = 32;
  VkResult result = vk.EnumeratePhysicalDevices(instance, &count, devices);
  if (result != VK_SUCCESS && result != VK_INCOMPLETE)
    count = 0;
  if (const char *wanted = getenv("QOPT_VULKAN_DEVICE")) {
    int64_t index = parseIndex(wanted);
    if (index < 0 || index >= count) {
      setText(error, "QOPT_VULKAN_DEVICE=%s names no device; there are %u",
              wanted, count);
      return QOPT_BAD_USE;
    }
    physical = devices[index];
    if (rankOf(vk, physical) > 0)
      return QOPT_OK;
    setText(error,
            "QOPT_VULKAN_DEVICE=%s: the device lacks Vulkan 1.2 or a "
            "queue that computes",
            wanted);
    return QOPT_UNSUPPORTED;
  }
  int best = 0;
  for (uint32_t i = 0; i < count; ++i)
    if (int rank = rankOf(vk, devices[i]); rank > best) {
      best = rank;
      physical = devices[i];
    }
  if (best > 0)
    return QOPT_OK;
  setText(error, "this machine has no device with Vulkan 1.2 and a queue that "
                 "computes");
  return QOPT_UNSUPPORTED;
}

qopt_status Device::createDevice(TextBuffer error) {
  VkPhysicalDeviceVulkan12Features has12 = {};
  has12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  VkPhysicalDeviceVulkan11Features has11 = {};
  has11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
  has11.pNext = &has12;
  VkPhysicalDeviceFeatures2 has = {};
  has.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  has.pNext = &has11;
  vk.GetPhysicalDeviceFeatures2(physical, &has);
  if (has12.storageBuffer8BitAccess && has12.shaderInt8)
    features |= Storage8Bit;
  if (has11.storageBuffer16BitAccess && has.features.shaderInt16)
    features |= Storage16Bit;
  if (has.features.shaderInt64)
    features |= Int64;
  if (has.features.shaderFloat64)
    features |= Float64;

  VkPhysicalDeviceVulkan12Features want12 = {};
  want12.sType = has12.sType;
  want12.storageBuffer8BitAccess = want12.shaderInt8 =
      features & Storage8Bit ? VK_TRUE : VK_FALSE;
  VkPhysicalDeviceVulkan11Features want11 = {};
  want11.sType = has11.sType;
  want11.pNext = &want12;
  want11.storageBuffer16BitAccess =
      features & Storage16Bit ? VK_TRUE : VK_FALSE;
  VkPhysicalDeviceFeatures2 want = {};
  want.sType = has.sType;
  want.pNext = &want11;
  want.features.shaderInt16 = features & Storage16Bit ? VK_TRUE : VK_FALSE;
  want.features.shaderInt64 = features & Int64 ? VK_TRUE : VK_FALSE;
  want.features.shaderFloat64 = features & Float64 ? VK_TRUE : VK_FALSE;
  // A wrong index must not take the device, and with it the desktop, down.
  want.features.robustBufferAccess = VK_TRUE;

  queueFamily = static_cast<uint32_t>(findComputeQueue(vk, physical));
  float priority = 1;
  VkDeviceQueueCreateInfo queueInfo = {};
  queueInfo.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queueInfo.queueFamilyIndex = queueFamily;
  queueInfo.queueCount = 1;
  queueInfo.pQueuePriorities = &priority;
  VkDeviceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pNext = &want;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queueInfo;
  VkResult result = vk.CreateDevice(physical, &info, nullptr, &device);
  if (result != VK_SUCCESS || !loadDeviceFunctions(vk, device)) {
    setText(error, "the Vulkan device cannot be opened: %s", describe(result));
    return QOPT_NO_RESOURCE;
  }
  vk.GetDeviceQueue(device, queueFamily, 0, &queue);

  VkPhysicalDeviceProperties2 properties = {};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  vk.GetPhysicalDeviceProperties2(physical, &properties);
  const VkPhysicalDeviceLimits &limits = properties.properties.limits;
  maxRange = limits.maxStorageBufferRange;
  maxGroups = limits.maxComputeWorkGroupCount[0];
  maxBindings = limits.maxPerStageDescriptorStorageBuffers;
  vk.GetPhysicalDeviceMemoryProperties(physical, &memory);
  return QOPT_OK;
}

qopt_status Device::open(TextBuffer error) {
  if (qopt_status status = createInstance(error); status != QOPT_OK)
    return status;
  if (qopt_status status = choosePhysical(error); status != QOPT_OK)
    return status;
  return createDevice(error);
}

void Device::close() {
  if (device && vk.DestroyDevice)
    vk.DestroyDevice(device, nullptr);
  if (instance && vk.DestroyInstance)
    vk.DestroyInstance(instance, nullptr);
  closeLoader(vk);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// The first memory type of `bits` with all of `flags`; -1 where there is none.
static int64_t findMemoryType(const VkPhysicalDeviceMemoryProperties &memory,
                              uint32_t bits, VkMemoryPropertyFlags flags) {
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i)
    if ((bits >> i & 1) &&
        (memory.memoryTypes[i].propertyFlags & flags) == flags)
      return i;
  return -1;
}

VkResult Device::makeBlock(Block &block, MemoryKind kind, uint64_t size) {
  VkBufferCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = size;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
               VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
               VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  VkResult result = vk.CreateBuffer(device, &info, nullptr, &block.buffer);
  if (result != VK_SUCCESS)
    return result;
  VkMemoryRequirements needs = {};
  vk.GetBufferMemoryRequirements(device, block.buffer, &needs);
  VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                               VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  int64_t type = -1;
  if (kind == MemoryKind::Device) {
    type = findMemoryType(memory, needs.memoryTypeBits,
                          VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    if (type < 0)
      type = findMemoryType(memory, needs.memoryTypeBits, 0);
  } else {
    type = findMemoryType(memory, needs.memoryTypeBits,
                          host | VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
    if (type < 0)
      type = findMemoryType(memory, needs.memoryTypeBits, host);
  }
  if (type < 0)
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  VkMemoryAllocateInfo allocation = {};
  allocation.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  allocation.allocationSize = needs.size;
  allocation.memoryTypeIndex = static_cast<uint32_t>(type);
  result = vk.AllocateMemory(device, &allocation, nullptr, &block.memory);
  if (result == VK_SUCCESS)
    result = vk.BindBufferMemory(device, block.buffer, block.memory, 0);
  if (result == VK_SUCCESS && kind == MemoryKind::Staging) {
    void *mapped = nullptr;
    result = vk.MapMemory(device, block.memory, 0, VK_WHOLE_SIZE, 0, &mapped);
    block.mapped = static_cast<char *>(mapped);
  }
  block.size = size;
  return result;
}

VkResult Device::allocate(List<Block> &blocks, MemoryKind kind, uint64_t bytes,
                          Region &region) {
  uint64_t size = (bytes + kAlignment) / kAlignment * kAlignment;
  Block *block = blocks.size ? &blocks[blocks.size - 1] : nullptr;
  if (!block || block->size - block->used < size) {
    block = blocks.add();
    if (!block)
      return VK_ERROR_OUT_OF_HOST_MEMORY;
    VkResult result =
        makeBlock(*block, kind, size > kBlockBytes ? size : kBlockBytes);
    if (result != VK_SUCCESS) {
      vk.DestroyBuffer(device, block->buffer, nullptr);
      vk.FreeMemory(device, block->memory, nullptr);
      --blocks.size;
      return result;
    }
  }
  region.buffer = block->buffer;
  region.offset = block->used;
  region.size = size;
  region.mapped = block->mapped ? block->mapped + block->used : nullptr;
  block->used += size;
  return VK_SUCCESS;
}

void Device::freeBlocks(List<Block> &blocks) {
  for (Block &block : blocks) {
    vk.DestroyBuffer(device, block.buffer, nullptr);
    vk.FreeMemory(device, block.memory, nullptr);
  }
  blocks.release();
}
