//===- Recorder.h - The commands of a run -----------------------*- C++ -*-===//
//
// One command buffer, submitted where the host waits for what it computes and
// at the end of a run. Commands see the results of those before them, so memory
// can be given to another tensor while it is recorded.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_VULKAN_RECORDER_H
#define QOPT_LIB_RUNTIME_VULKAN_RECORDER_H

#include "Device.h"

namespace qopt::runtime::vulkan {

struct Tensor {
  Region region;
  bool isFree;
};

/// A constant that lies on the device.
struct Weight {
  const void *data;
  uint64_t bytes;
  Tensor *tensor;
};

struct Pipeline {
  const void *code;
  VkPipeline pipeline;
};

/// What shaders with one number of bindings share.
struct Layout {
  VkDescriptorSetLayout set;
  VkPipelineLayout pipeline;
};

struct Download {
  Region region;
  void *data;
  uint64_t bytes;
};

inline constexpr uint32_t kMaxBindings = 32;

struct Recorder {
  Device device;
  VkCommandPool commandPool;
  VkCommandBuffer commands;
  VkFence fence;
  Layout layouts[kMaxBindings + 1];
  List<VkDescriptorPool> pools;
  int64_t poolsInUse, setsInPool;
  List<Pipeline> pipelines;
  List<Block> weightBlocks, tensorBlocks, stagingBlocks;
  List<Tensor *> tensors;
  List<Weight> weights;
  /// Those whose upload ran.
  int64_t weightsSent;
  List<Download> downloads;
  bool isRecording;

  qopt_status open(TextBuffer error);
  void close();

  VkResult begin();
  VkResult makeTensor(uint64_t bytes, Tensor *&tensor);
  /// Records a copy of host memory to `target`.
  VkResult upload(const void *data, uint64_t bytes, const Region &target);
  VkResult copy(const Region &source, const Region &target, uint64_t bytes);
  VkResult findWeight(const void *data, uint64_t bytes, Tensor *&tensor);
  VkResult dispatch(const void *code, uint64_t codeBytes,
                    Tensor *const *bindings, uint32_t count,
                    const int64_t *parameters, int64_t parameterCount,
                    uint64_t groups);
  VkResult download(const Region &source, void *data, uint64_t bytes);
  /// Ends the recording, runs it and copies what is to be downloaded.
  VkResult finish();
  /// Does so and records anew.
  VkResult wait();

private:
  VkResult record();
  void waitForWrites();
  VkResult findLayout(uint32_t count, Layout *&layout);
  VkResult findPipeline(const void *code, uint64_t codeBytes,
                        const Layout &layout, VkPipeline &pipeline);
  VkResult makeSet(const Layout &layout, VkDescriptorSet &set);
};

} // namespace qopt::runtime::vulkan

#endif // QOPT_LIB_RUNTIME_VULKAN_RECORDER_H
