//===- Recorder.cpp - The commands of a run ---------------------*- C++ -*-===//
//
// Tensors keep their memory from run to run: a tensor that is freed goes to the
// next one that it fits and that uses at least half of it.
//
//===----------------------------------------------------------------------===//

#include "Recorder.h"

using namespace qopt::runtime;
using namespace qopt::runtime::vulkan;

static constexpr uint32_t kSetsPerPool = 128;
/// Pools of one submit: a loop can record any number of shaders.
static constexpr int64_t kMaxPoolsInUse = 32;
static constexpr uint32_t kMaxGroupsPerRow = 32768;

//===----------------------------------------------------------------------===//
// Opening and closing
//===----------------------------------------------------------------------===//

qopt_status Recorder::open(TextBuffer error) {
  if (qopt_status status = device.open(error); status != QOPT_OK)
    return status;
  VkCommandPoolCreateInfo poolInfo = {};
  poolInfo.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  poolInfo.queueFamilyIndex = device.queueFamily;
  VkResult result = device.vk.CreateCommandPool(device.device, &poolInfo,
                                                nullptr, &commandPool);
  if (result == VK_SUCCESS) {
    VkCommandBufferAllocateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    info.commandPool = commandPool;
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = 1;
    result = device.vk.AllocateCommandBuffers(device.device, &info, &commands);
  }
  if (result == VK_SUCCESS) {
    VkFenceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    result = device.vk.CreateFence(device.device, &info, nullptr, &fence);
  }
  if (result == VK_SUCCESS)
    return QOPT_OK;
  setText(error, "the Vulkan device cannot be used: %s", describe(result));
  return QOPT_NO_RESOURCE;
}

void Recorder::close() {
  Functions &vk = device.vk;
  VkDevice handle = device.device;
  if (handle && vk.QueueSubmit) {
    vk.DeviceWaitIdle(handle);
    for (Pipeline &pipeline : pipelines)
      vk.DestroyPipeline(handle, pipeline.pipeline, nullptr);
    for (Layout &layout : layouts) {
      vk.DestroyPipelineLayout(handle, layout.pipeline, nullptr);
      vk.DestroyDescriptorSetLayout(handle, layout.set, nullptr);
    }
    for (VkDescriptorPool pool : pools)
      vk.DestroyDescriptorPool(handle, pool, nullptr);
    vk.DestroyFence(handle, fence, nullptr);
    vk.DestroyCommandPool(handle, commandPool, nullptr);
    device.freeBlocks(weightBlocks);
    device.freeBlocks(tensorBlocks);
    device.freeBlocks(stagingBlocks);
  }
  for (Tensor *tensor : tensors)
    free(tensor);
  for (Weight &weight : weights)
    free(weight.tensor);
  pipelines.release();
  pools.release();
  tensors.release();
  weights.release();
  downloads.release();
  device.close();
}

//===----------------------------------------------------------------------===//
// Recording
//===----------------------------------------------------------------------===//

VkResult Recorder::begin() {
  for (Tensor *tensor : tensors)
    tensor->isFree = true;
  VkResult result = record();
  // A run that ended early recorded uploads that never ran.
  for (int64_t i = weightsSent; result == VK_SUCCESS && i < weights.size; ++i)
    result =
        upload(weights[i].data, weights[i].bytes, weights[i].tensor->region);
  return result;
}

VkResult Recorder::record() {
  Functions &vk = device.vk;
  for (Block &block : stagingBlocks)
    block.used = 0;
  for (VkDescriptorPool pool : pools)
    vk.ResetDescriptorPool(device.device, pool, 0);
  poolsInUse = setsInPool = 0;
  downloads.size = 0;
  VkResult result = vk.ResetCommandPool(device.device, commandPool, 0);
  if (result != VK_SUCCESS)
    return result;
  VkCommandBufferBeginInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  result = vk.BeginCommandBuffer(commands, &info);
  isRecording = result == VK_SUCCESS;
  return result;
}

VkResult Recorder::makeTensor(uint64_t bytes, Tensor *&tensor) {
  Tensor *best = nullptr;
  for (Tensor *known : tensors)
    if (known->isFree && known->region.size > bytes &&
        known->region.size / 2 <= bytes + 4096 &&
        (!best || known->region.size < best->region.size))
      best = known;
  if (best) {
    best->isFree = false;
    tensor = best;
    return VK_SUCCESS;
  }
  tensor = static_cast<Tensor *>(calloc(1, sizeof(Tensor)));
  Tensor **place = tensor ? tensors.add() : nullptr;
  if (!place) {
    free(tensor);
    return VK_ERROR_OUT_OF_HOST_MEMORY;
  }
  VkResult result =
      device.allocate(tensorBlocks, MemoryKind::Device, bytes, tensor->region);
  if (result != VK_SUCCESS) {
    free(tensor);
    --tensors.size;
    return result;
  }
  *place = tensor;
  return VK_SUCCESS;
}

void Recorder::waitForWrites() {
  VkMemoryBarrier barrier = {};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask =
      VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_MEMORY_READ_BIT;
  barrier.dstAccessMask =
      VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_MEMORY_READ_BIT;
  VkPipelineStageFlags stages =
      VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
  device.vk.CmdPipelineBarrier(commands, stages, stages, 0, 1, &barrier, 0,
                               nullptr, 0, nullptr);
}

VkResult Recorder::upload(const void *data, uint64_t bytes,
                          const Region &target) {
  if (bytes == 0)
    return VK_SUCCESS;
  Region staging;
  VkResult result =
      device.allocate(stagingBlocks, MemoryKind::Staging, bytes, staging);
  if (result != VK_SUCCESS)
    return result;
  memcpy(staging.mapped, data, bytes);
  return copy(staging, target, bytes);
}

VkResult Recorder::copy(const Region &source, const Region &target,
                        uint64_t bytes) {
  if (bytes == 0)
    return VK_SUCCESS;
  waitForWrites();
  VkBufferCopy copy = {source.offset, target.offset, bytes};
  device.vk.CmdCopyBuffer(commands, source.buffer, target.buffer, 1, &copy);
  return VK_SUCCESS;
}

VkResult Recorder::findWeight(const void *data, uint64_t bytes,
                              Tensor *&tensor) {
  for (Weight &weight : weights)
    if (weight.data == data) {
      tensor = weight.tensor;
      return VK_SUCCESS;
    }
  tensor = static_cast<Tensor *>(calloc(1, sizeof(Tensor)));
  Weight *weight = tensor ? weights.add() : nullptr;
  if (!weight) {
    free(tensor);
    return VK_ERROR_OUT_OF_HOST_MEMORY;
  }
  weight->data = data;
  weight->bytes = bytes;
  weight->tensor = tensor;
  VkResult result =
      device.allocate(weightBlocks, MemoryKind::Device, bytes, tensor->region);
  return result == VK_SUCCESS ? upload(data, bytes, tensor->region) : result;
}

VkResult Recorder::findLayout(uint32_t count, Layout *&layout) {
  layout = &layouts[count];
  if (layout->pipeline)
    return VK_SUCCESS;
  VkDescriptorSetLayoutBinding bindings[kMaxBindings] = {};
  for (uint32_t i = 0; i < count; ++i) {
    bindings[i].binding = i;
    bindings[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    bindings[i].descriptorCount = 1;
    bindings[i].stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
  }
  VkDescriptorSetLayoutCreateInfo setInfo = {};
  setInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
  setInfo.bindingCount = count;
  setInfo.pBindings = bindings;
  VkResult result = device.vk.CreateDescriptorSetLayout(device.device, &setInfo,
                                                        nullptr, &layout->set);
  if (result != VK_SUCCESS)
    return result;
  VkPipelineLayoutCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  info.setLayoutCount = 1;
  info.pSetLayouts = &layout->set;
  return device.vk.CreatePipelineLayout(device.device, &info, nullptr,
                                        &layout->pipeline);
}

VkResult Recorder::findPipeline(const void *code, uint64_t codeBytes,
                                const Layout &layout, VkPipeline &pipeline) {
  for (Pipeline &known : pipelines)
    if (known.code == code) {
      pipeline = known.pipeline;
      return VK_SUCCESS;
    }
  VkShaderModuleCreateInfo moduleInfo = {};
  moduleInfo.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  moduleInfo.codeSize = codeBytes;
  moduleInfo.pCode = static_cast<const uint32_t *>(code);
  VkShaderModule module;
  VkResult result = device.vk.CreateShaderModule(device.device, &moduleInfo,
                                                 nullptr, &module);
  if (result != VK_SUCCESS)
    return result;
  VkComputePipelineCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = "main";
  info.layout = layout.pipeline;
  result = device.vk.CreateComputePipelines(device.device, VK_NULL_HANDLE, 1,
                                            &info, nullptr, &pipeline);
  device.vk.DestroyShaderModule(device.device, module, nullptr);
  if (result != VK_SUCCESS)
    return result;
  Pipeline *made = pipelines.add();
  if (!made) {
    device.vk.DestroyPipeline(device.device, pipeline, nullptr);
    return VK_ERROR_OUT_OF_HOST_MEMORY;
  }
  *made = {code, pipeline};
  return VK_SUCCESS;
}

VkResult Recorder::makeSet(const Layout &layout, VkDescriptorSet &set) {
  if (poolsInUse == 0 || setsInPool == kSetsPerPool) {
    if (poolsInUse == pools.size) {
      VkDescriptorPool *pool = pools.add();
      if (!pool)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
      VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                   kSetsPerPool * kMaxBindings};
      VkDescriptorPoolCreateInfo info = {};
      info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
      info.maxSets = kSetsPerPool;
      info.poolSizeCount = 1;
      info.pPoolSizes = &size;
      VkResult result =
          device.vk.CreateDescriptorPool(device.device, &info, nullptr, pool);
      if (result != VK_SUCCESS) {
        --pools.size;
        return result;
      }
    }
    ++poolsInUse;
    setsInPool = 0;
  }
  ++setsInPool;
  VkDescriptorSetAllocateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
  info.descriptorPool = pools[poolsInUse - 1];
  info.descriptorSetCount = 1;
  info.pSetLayouts = &layout.set;
  return device.vk.AllocateDescriptorSets(device.device, &info, &set);
}

VkResult Recorder::dispatch(const void *code, uint64_t codeBytes,
                            Tensor *const *bindings, uint32_t count,
                            const int64_t *parameters, int64_t parameterCount,
                            uint64_t groups) {
  VkResult result;
  if (poolsInUse > kMaxPoolsInUse && (result = wait()) != VK_SUCCESS)
    return result;
  Region numbers;
  result = device.allocate(stagingBlocks, MemoryKind::Staging,
                           parameterCount * sizeof(int32_t), numbers);
  if (result != VK_SUCCESS)
    return result;
  int32_t *words = reinterpret_cast<int32_t *>(numbers.mapped);
  for (int64_t i = 0; i < parameterCount; ++i)
    words[i] = static_cast<int32_t>(parameters[i]);
  Layout *layout;
  if ((result = findLayout(count + 1, layout)) != VK_SUCCESS)
    return result;
  VkPipeline pipeline;
  if ((result = findPipeline(code, codeBytes, *layout, pipeline)) != VK_SUCCESS)
    return result;
  VkDescriptorSet set;
  if ((result = makeSet(*layout, set)) != VK_SUCCESS)
    return result;
  VkDescriptorBufferInfo buffers[kMaxBindings];
  VkWriteDescriptorSet writes[kMaxBindings] = {};
  for (uint32_t i = 0; i <= count; ++i) {
    const Region &region = i == 0 ? numbers : bindings[i - 1]->region;
    buffers[i] = {region.buffer, region.offset, region.size};
    writes[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    writes[i].dstSet = set;
    writes[i].dstBinding = i;
    writes[i].descriptorCount = 1;
    writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    writes[i].pBufferInfo = &buffers[i];
  }
  Functions &vk = device.vk;
  vk.UpdateDescriptorSets(device.device, count + 1, writes, 0, nullptr);
  waitForWrites();
  vk.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
  vk.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                           layout->pipeline, 0, 1, &set, 0, nullptr);
  uint32_t columns = groups < kMaxGroupsPerRow ? groups : kMaxGroupsPerRow;
  uint32_t rows = (groups + columns - 1) / columns;
  vk.CmdDispatch(commands, columns, rows, 1);
  return VK_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Finishing
//===----------------------------------------------------------------------===//

VkResult Recorder::download(const Region &source, void *data, uint64_t bytes) {
  if (bytes == 0)
    return VK_SUCCESS;
  Region staging;
  VkResult result =
      device.allocate(stagingBlocks, MemoryKind::Staging, bytes, staging);
  if (result != VK_SUCCESS)
    return result;
  Download *made = downloads.add();
  if (!made)
    return VK_ERROR_OUT_OF_HOST_MEMORY;
  *made = {staging, data, bytes};
  return copy(source, staging, bytes);
}

VkResult Recorder::finish() {
  Functions &vk = device.vk;
  VkMemoryBarrier barrier = {};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT;
  barrier.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
  vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                        VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, nullptr,
                        0, nullptr);
  isRecording = false;
  VkResult result = vk.EndCommandBuffer(commands);
  if (result != VK_SUCCESS)
    return result;
  VkSubmitInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.commandBufferCount = 1;
  info.pCommandBuffers = &commands;
  if ((result = vk.QueueSubmit(device.queue, 1, &info, fence)) != VK_SUCCESS)
    return result;
  result = vk.WaitForFences(device.device, 1, &fence, VK_TRUE, UINT64_MAX);
  if (result != VK_SUCCESS)
    return result;
  vk.ResetFences(device.device, 1, &fence);
  weightsSent = weights.size;
  for (Download &download : downloads)
    memcpy(download.data, download.region.mapped, download.bytes);
  // The first run stages all weights; what later ones need is far less.
  if (stagingBlocks.size > 4)
    device.freeBlocks(stagingBlocks);
  return VK_SUCCESS;
}

VkResult Recorder::wait() {
  VkResult result = finish();
  return result == VK_SUCCESS ? record() : result;
}
