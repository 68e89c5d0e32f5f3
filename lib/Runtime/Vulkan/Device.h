//===- Device.h - A Vulkan device with its memory ---------------*- C++ -*-===//
//
// What a context keeps of Vulkan. Every function that can fail returns a
// VkResult or a qopt_status and leaves what it made to `close`.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_VULKAN_DEVICE_H
#define QOPT_LIB_RUNTIME_VULKAN_DEVICE_H

#include "../Text.h"
#include "Functions.h"
#include "List.h"
#include "qopt-runtime/qopt_model.h"

namespace qopt::runtime::vulkan {

/// What shaders can need beyond Vulkan 1.2; the compiler has the same bits.
enum Feature : int64_t {
  Storage8Bit = 1 << 0,
  Storage16Bit = 1 << 1,
  Int64 = 1 << 2,
  Float64 = 1 << 3,
};

/// One buffer with memory of its own, cut into regions.
struct Block {
  VkBuffer buffer;
  VkDeviceMemory memory;
  uint64_t size, used;
  /// Host memory; null where the host cannot reach it.
  char *mapped;
};

/// A part of a block.
struct Region {
  VkBuffer buffer;
  uint64_t offset, size;
  char *mapped;
};

enum class MemoryKind { Device, Staging };

struct Device {
  Functions vk;
  VkInstance instance;
  VkPhysicalDevice physical;
  VkDevice device;
  VkQueue queue;
  uint32_t queueFamily;
  uint32_t maxGroups;
  uint64_t maxRange;
  uint32_t maxBindings;
  int64_t features;
  VkPhysicalDeviceMemoryProperties memory;

  /// Opens the device that QOPT_VULKAN_DEVICE names, else the best one.
  /// `error` gets the text of a failure.
  qopt_status open(TextBuffer error);
  void close();

  /// Takes `bytes` from the last of `blocks` or from a new one.
  VkResult allocate(List<Block> &blocks, MemoryKind kind, uint64_t bytes,
                    Region &region);
  void freeBlocks(List<Block> &blocks);

private:
  qopt_status createInstance(TextBuffer error);
  qopt_status choosePhysical(TextBuffer error);
  qopt_status createDevice(TextBuffer error);
  VkResult makeBlock(Block &block, MemoryKind kind, uint64_t size);
};

/// The name of a result for an error text.
const char *describe(VkResult result);

} // namespace qopt::runtime::vulkan

#endif // QOPT_LIB_RUNTIME_VULKAN_DEVICE_H
