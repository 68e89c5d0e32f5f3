//===- Services.cpp - What generated code asks of Vulkan --------*- C++ -*-===//
//
// The recorder is made by the first run of a context and ends with it. A device
// that failed is opened anew by the next run.
//
//===----------------------------------------------------------------------===//

#include "Services.h"

#include "../Context.h"
#include "Recorder.h"

using namespace qopt::runtime;
using namespace qopt::runtime::vulkan;

namespace {
/// The state of a context.
struct Session {
  Recorder recorder;
  int32_t status;
};
} // namespace

static void destroySession(void *state) {
  Session *session = static_cast<Session *>(state);
  session->recorder.close();
  free(session);
}

/// The session of a run in which nothing failed yet, else null.
static Session *sessionOf(qopt_context *context) {
  Session *session = static_cast<Session *>(context->device);
  return session && session->status == QOPT_OK ? session : nullptr;
}

static qopt_status fail(qopt_context *context, qopt_status status,
                        const char *text) {
  failRun(*context, status, "%s", text);
  if (Session *session = static_cast<Session *>(context->device))
    session->status = status;
  return status;
}

/// False after recording the failure.
static bool check(qopt_context *context, VkResult result, const char *action) {
  if (result == VK_SUCCESS)
    return true;
  char text[256];
  setText({text, sizeof(text)}, "Vulkan cannot %s: %s", action,
          describe(result));
  fail(context, QOPT_NO_RESOURCE, text);
  return false;
}

static qopt_status openSession(qopt_context *context) {
  Session *session = static_cast<Session *>(calloc(1, sizeof(Session)));
  if (!session)
    return fail(context, QOPT_NO_RESOURCE, "no memory for a Vulkan device");
  char text[256];
  qopt_status status = session->recorder.open({text, sizeof(text)});
  if (status != QOPT_OK) {
    destroySession(session);
    return fail(context, status, text);
  }
  context->device = session;
  context->destroyDevice = destroySession;
  return QOPT_OK;
}

int32_t qopt_rt_vk_begin(qopt_context *context, int64_t features) {
  if (context->device && !sessionOf(context)) {
    destroySession(context->device);
    context->device = nullptr;
  }
  if (!context->device)
    if (qopt_status status = openSession(context); status != QOPT_OK)
      return status;
  Session *session = sessionOf(context);
  if (int64_t missing = features & ~session->recorder.device.features)
    return fail(
        context, QOPT_UNSUPPORTED,
        missing & Storage8Bit
            ? "the Vulkan device lacks storage of 8 bits, which the model needs"
        : missing & Storage16Bit
            ? "the Vulkan device lacks storage of 16 bits, which the model "
              "needs"
        : missing & Int64
            ? "the Vulkan device lacks 64-bit integers, which the model needs"
            : "the Vulkan device lacks 64-bit floats, which the model needs");
  check(context, session->recorder.begin(), "record a run");
  return session->status;
}

/// False, with the failure recorded, for what one binding cannot hold.
static bool fits(qopt_context *context, Session &session, int64_t bytes) {
  if (bytes >= 0 &&
      static_cast<uint64_t>(bytes) + 256 <= session.recorder.device.maxRange)
    return true;
  char text[256];
  setText({text, sizeof(text)},
          "the Vulkan device binds at most %llu bytes, but a tensor has %lld",
          static_cast<unsigned long long>(session.recorder.device.maxRange),
          static_cast<long long>(bytes));
  fail(context, QOPT_UNSUPPORTED, text);
  return false;
}

void *qopt_rt_vk_alloc(qopt_context *context, int64_t bytes) {
  Session *session = sessionOf(context);
  if (!session || !fits(context, *session, bytes))
    return nullptr;
  Tensor *tensor = nullptr;
  if (!check(context, session->recorder.makeTensor(bytes, tensor),
             "allocate a tensor"))
    return nullptr;
  return tensor;
}

void qopt_rt_vk_free(qopt_context *context, void *tensor) {
  if (sessionOf(context))
    static_cast<Tensor *>(tensor)->isFree = true;
}

void qopt_rt_vk_upload(qopt_context *context, const void *data, void *tensor,
                       int64_t bytes) {
  Session *session = sessionOf(context);
  if (session)
    check(context,
          session->recorder.upload(data, bytes,
                                   static_cast<Tensor *>(tensor)->region),
          "upload a tensor");
}

void qopt_rt_vk_copy(qopt_context *context, void *from, void *to,
                     int64_t bytes) {
  Session *session = sessionOf(context);
  if (session)
    check(context,
          session->recorder.copy(static_cast<Tensor *>(from)->region,
                                 static_cast<Tensor *>(to)->region, bytes),
          "copy a tensor");
}

void *qopt_rt_vk_weight(qopt_context *context, const void *data,
                        int64_t bytes) {
  Session *session = sessionOf(context);
  if (!session || !fits(context, *session, bytes))
    return nullptr;
  Tensor *tensor = nullptr;
  if (!check(context, session->recorder.findWeight(data, bytes, tensor),
             "load the weights"))
    return nullptr;
  return tensor;
}

void qopt_rt_vk_dispatch(qopt_context *context, const void *code,
                         int64_t codeBytes, void *const *tensors,
                         int64_t tensorCount, const int64_t *parameters,
                         int64_t parameterCount, int64_t invocations) {
  Session *session = sessionOf(context);
  if (!session || invocations == 0)
    return;
  Recorder &recorder = session->recorder;
  if (tensorCount + 1 > recorder.device.maxBindings ||
      tensorCount + 1 > kMaxBindings) {
    fail(context, QOPT_UNSUPPORTED,
         "the Vulkan device binds too few buffers for the model");
    return;
  }
  check(context,
        recorder.dispatch(code, codeBytes,
                          reinterpret_cast<Tensor *const *>(tensors),
                          static_cast<uint32_t>(tensorCount), parameters,
                          parameterCount, (invocations + 63) / 64),
        "record a shader");
}

void qopt_rt_vk_download(qopt_context *context, void *tensor, void *data,
                         int64_t bytes) {
  Session *session = sessionOf(context);
  if (session)
    check(context,
          session->recorder.download(static_cast<Tensor *>(tensor)->region,
                                     data, bytes),
          "read a tensor");
}

int32_t qopt_rt_vk_wait(qopt_context *context) {
  Session *session = static_cast<Session *>(context->device);
  if (session->status == QOPT_OK)
    check(context, session->recorder.wait(), "run the model");
  return session->status;
}

int32_t qopt_rt_vk_finish(qopt_context *context) {
  Session *session = static_cast<Session *>(context->device);
  if (session->status == QOPT_OK)
    check(context, session->recorder.finish(), "run the model");
  return session->status;
}
