//===- Services.h - What generated code asks of Vulkan ----------*- C++ -*-===//
//
// A run is recorded call by call and happens in `qopt_rt_vk_wait` and
// `qopt_rt_vk_finish`. After a failure the other calls do nothing, so that
// generated code checks there alone. A tensor is a handle; null after a
// failure.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_VULKAN_SERVICES_H
#define QOPT_LIB_RUNTIME_VULKAN_SERVICES_H

#include "../Program.h"

extern "C" {

/// Starts a run on a device that has `features` (bits of vulkan::Feature).
/// Returns a qopt_status; a run that could not start has no other call.
QOPT_RT_HIDDEN int32_t qopt_rt_vk_begin(qopt_context *context,
                                        int64_t features);

/// Memory of the device until `qopt_rt_vk_free` or the end of the run. What
/// was recorded before a free still sees the tensor.
QOPT_RT_HIDDEN void *qopt_rt_vk_alloc(qopt_context *context, int64_t bytes);
QOPT_RT_HIDDEN void qopt_rt_vk_free(qopt_context *context, void *tensor);

/// Copies host memory, as it is now, to a tensor.
QOPT_RT_HIDDEN void qopt_rt_vk_upload(qopt_context *context, const void *data,
                                      void *tensor, int64_t bytes);
/// Copies a tensor to another one.
QOPT_RT_HIDDEN void qopt_rt_vk_copy(qopt_context *context, void *from, void *to,
                                    int64_t bytes);
/// A copy of constant host memory, made once and kept.
QOPT_RT_HIDDEN void *qopt_rt_vk_weight(qopt_context *context, const void *data,
                                       int64_t bytes);

/// Runs a shader with as many invocations, in groups of 64. Binding 0 holds
/// `parameters` as 32-bit numbers, the others are the tensors. The address of
/// the code stands for the code in all runs.
QOPT_RT_HIDDEN void qopt_rt_vk_dispatch(qopt_context *context, const void *code,
                                        int64_t codeBytes, void *const *tensors,
                                        int64_t tensorCount,
                                        const int64_t *parameters,
                                        int64_t parameterCount,
                                        int64_t invocations);

/// Copies a tensor to host memory, which is there after the next wait.
QOPT_RT_HIDDEN void qopt_rt_vk_download(qopt_context *context, void *tensor,
                                        void *data, int64_t bytes);

/// Runs what was recorded and waits for it; what follows is recorded anew.
/// Returns a qopt_status.
QOPT_RT_HIDDEN int32_t qopt_rt_vk_wait(qopt_context *context);

/// The same at the end of the run.
QOPT_RT_HIDDEN int32_t qopt_rt_vk_finish(qopt_context *context);

} // extern "C"

#endif // QOPT_LIB_RUNTIME_VULKAN_SERVICES_H
