/*===- qopt_model.h - The C ABI of a compiled model ---------------*- C -*-===*\
|*
|* A compiled model is a shared library with one exported function,
|* qopt_model_get_api. Everything else is reached through the table that it
|* returns, so that several models can live in one process.
|*
|* A host does, in this order: dlopen, dlsym("qopt_model_get_api"), get_api,
|* open, create_context, run any number of times, destroy_context, close,
|* dlclose. A model may be shared by threads; a context belongs to one thread
|* at a time.
|*
\*===----------------------------------------------------------------------===*/

#ifndef QOPT_RUNTIME_QOPT_MODEL_H
#define QOPT_RUNTIME_QOPT_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version that this header describes. It grows when a field changes its
    meaning; fields that are only added grow `size_in_bytes` of the table. */
#define QOPT_MODEL_ABI_VERSION 1u

/** Buffers with this alignment in bytes, and this many spare bytes behind the
    tensor, are used in place; others are copied. */
#define QOPT_BUFFER_ALIGNMENT 64
#define QOPT_BUFFER_SLACK 64

/** What every call that can fail returns. The values are the exit codes of the
    tools. */
enum {
  QOPT_OK = 0,
  /** The tensors do not fit the model: rank, dims, size. */
  QOPT_BAD_DATA = 1,
  /** The call, its options or QOPT_CPU are wrong. */
  QOPT_BAD_USE = 2,
  /** Valid, but not possible on this machine. */
  QOPT_UNSUPPORTED = 3,
  /** No file, no memory, no thread; a damaged file. */
  QOPT_NO_RESOURCE = 4,
  /** A defect of the model. */
  QOPT_INTERNAL = 70,
  /** The host ended the run: see `limit_loops`. */
  QOPT_INTERRUPTED = 130
};
typedef int32_t qopt_status;

/** Element types: X(name, number, bytes of one element, text). The numbers of
    types that ONNX knows are ONNX's. Types of less than eight bits take one
    byte an element, with the code in the low bits. */
#define QOPT_FOR_EACH_ELEMENT_TYPE(X)                                          \
  X(F32, 1, 4, "f32")                                                          \
  X(U8, 2, 1, "u8")                                                            \
  X(I8, 3, 1, "i8")                                                            \
  X(U16, 4, 2, "u16")                                                          \
  X(I16, 5, 2, "i16")                                                          \
  X(I32, 6, 4, "i32")                                                          \
  X(I64, 7, 8, "i64")                                                          \
  X(BOOL, 9, 1, "bool")                                                        \
  X(F16, 10, 2, "f16")                                                         \
  X(F64, 11, 8, "f64")                                                         \
  X(U32, 12, 4, "u32")                                                         \
  X(U64, 13, 8, "u64")                                                         \
  X(BF16, 16, 2, "bf16")                                                       \
  X(F8E4M3FN, 17, 1, "f8E4M3FN")                                               \
  X(F8E4M3FNUZ, 18, 1, "f8E4M3FNUZ")                                           \
  X(F8E5M2, 19, 1, "f8E5M2")                                                   \
  X(F8E5M2FNUZ, 20, 1, "f8E5M2FNUZ")                                           \
  X(U4, 21, 1, "u4")                                                           \
  X(I4, 22, 1, "i4")                                                           \
  X(F4E2M1FN, 23, 1, "f4E2M1FN")                                               \
  X(F8E8M0FNU, 24, 1, "f8E8M0FNU")                                             \
  X(U2, 25, 1, "u2")                                                           \
  X(I2, 26, 1, "i2")                                                           \
  X(F6E2M3FN, 27, 1, "f6E2M3FN")                                               \
  X(F6E3M2FN, 28, 1, "f6E3M2FN")

enum {
#define QOPT_ELEMENT_TYPE_ENUMERATOR(name, number, bytes, text)                \
  QOPT_ELEMENT_##name = number,
  QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_ELEMENT_TYPE_ENUMERATOR)
#undef QOPT_ELEMENT_TYPE_ENUMERATOR
};
typedef int32_t qopt_element_type;

/** One input or output as the model declares it. Owned by the model. */
typedef struct qopt_value_info {
  const char *name;
  /** `rank` dims; -1 where any size is accepted. */
  const int64_t *dims;
  /** `rank` symbol names; "" where a dim has none. Dims of the inputs with the
      same symbol must be equal in each run. */
  const char *const *symbols;
  int64_t rank;
  int64_t element_type;
} qopt_value_info;

/** Code for one kind of CPU. Owned by the model. */
typedef struct qopt_tier_info {
  const char *name;
  /** Why the tier is chosen, or not. */
  const char *reason;
  int32_t is_available;
  int32_t is_chosen;
} qopt_tier_info;

/** A dense row-major tensor, for inputs and for outputs. */
typedef struct qopt_tensor {
  void *data;
  const int64_t *dims;
  int64_t rank;
  /** For inputs 0 is allowed: as the model declares it. */
  qopt_element_type element_type;
  int32_t reserved;
  /** Bytes that may be accessed from `data` on: at least what the dims say. */
  uint64_t capacity_in_bytes;
} qopt_tensor;

/** An output that feeds an input of the next run: keys and values of tokens
    that were seen, or what a recurrent layer remembers. Owned by the model. */
typedef struct qopt_state_info {
  /** Numbers of the input and of the output. */
  int64_t input;
  int64_t output;
  /** The axis that grows from run to run; -1: the dims stay as they are. */
  int64_t axis;
  /** What `axis` grows to where `bind_states` says nothing; 0: it has to. */
  int64_t capacity;
} qopt_state_info;

typedef struct qopt_model qopt_model;
typedef struct qopt_context qopt_context;

/** Runs `task(state, part, thread)` for each part in [0, parts), in any order,
    and returns when all are done. `thread` is in [0, threads of the context)
    and no two parts that run at one time share it. */
typedef void (*qopt_task)(void *state, int64_t part, int64_t thread);
typedef void (*qopt_parallel_for)(void *user, qopt_task task, void *state,
                                  int64_t parts);

/** Sees the value with number `id` during a run of a model that was compiled
    to be observed. Called on the thread that called `run`. */
typedef void (*qopt_observer)(void *user, int32_t id, const void *data,
                              const int64_t *dims, int64_t rank);

/** Asked now and then by the loops of a run, on the thread that called `run`:
    anything but 0 ends the run. */
typedef int32_t (*qopt_interrupt)(void *user);

/** All zero is a valid set of options. */
typedef struct qopt_context_options {
  /** Threads that a run uses, the caller's among them; 0: one for each CPU that
      the process may use. Results do not depend on it. */
  int32_t threads;
  int32_t reserved;
  /** Replaces the context's own threads. Needs `threads` > 0. */
  qopt_parallel_for parallel_for;
  void *parallel_for_user;
  qopt_observer observer;
  void *observer_user;
} qopt_context_options;

/** The functions of a model. `error`, where it is a parameter, receives a text
    that ends in a zero, cut to `error_capacity` bytes; it may be null. */
typedef struct qopt_model_api {
  uint32_t abi_version;
  uint32_t size_in_bytes;

  /** Maps the weights and chooses the tier. `path` is the model's file; null:
      the file that this library was loaded from. The environment variable
      QOPT_CPU names a tier to take instead of the best.
      QOPT_NO_RESOURCE: the file is missing. QOPT_BAD_DATA: it is cut or
      stripped, or another model's.
      QOPT_UNSUPPORTED: the CPU runs no tier. QOPT_BAD_USE: QOPT_CPU. */
  qopt_status (*open)(const char *path, qopt_model **model, char *error,
                      size_t error_capacity);
  /** Releases the model. Its contexts must be gone. Null is allowed. */
  void (*close)(qopt_model *model);
  /** Compares the SHA-256 of the weights with the one made when the model was
      compiled. `open` checks only that the weights are there, whole.
      QOPT_BAD_DATA: they differ. */
  qopt_status (*verify)(const qopt_model *model, char *error,
                        size_t error_capacity);

  const char *(*name)(const qopt_model *model);
  /** What the compiler recorded about the model, as JSON. */
  const char *(*manifest)(const qopt_model *model);
  int64_t (*input_count)(const qopt_model *model);
  int64_t (*output_count)(const qopt_model *model);
  int64_t (*tier_count)(const qopt_model *model);
  /** Null when `index` is out of range. */
  const qopt_value_info *(*input)(const qopt_model *model, int64_t index);
  const qopt_value_info *(*output)(const qopt_model *model, int64_t index);
  const qopt_tier_info *(*tier)(const qopt_model *model, int64_t index);

  /** `options` may be null: all defaults.
      QOPT_BAD_USE: options. QOPT_NO_RESOURCE: memory, threads. */
  qopt_status (*create_context)(const qopt_model *model,
                                const qopt_context_options *options,
                                qopt_context **context, char *error,
                                size_t error_capacity);
  /** Stops the threads and releases all memory. Null is allowed. */
  void (*destroy_context)(qopt_context *context);
  /** Threads that a run uses. */
  int64_t (*thread_count)(const qopt_context *context);

  /** Runs the model once. `inputs` has input_count entries. `outputs` has
      output_count entries or is null. An entry whose `data` is not null offers
      `capacity_in_bytes` bytes: the output is written there when it fits, else
      to memory of the context. After success every entry describes its output:
      `data` (the caller's or the context's), `dims`, `rank`, `element_type`.
      What the context owns stays valid until its next run or its end. After
      failure the outputs are unchanged but for the bytes in their buffers. */
  qopt_status (*run)(qopt_context *context, const qopt_tensor *inputs,
                     qopt_tensor *outputs);
  /** Output `index` of the last run, as `run` describes it.
      QOPT_BAD_USE: no such output, or the last run did not succeed. */
  qopt_status (*get_output)(const qopt_context *context, int64_t index,
                            qopt_tensor *output);
  /** Why the last run failed; "" after success. */
  const char *(*error_text)(const qopt_context *context);

  /** Bounds the loops of the runs that follow: what data decide may never end.
      All loops of a run together take at most `max_iterations`, or as many as
      they need where that is 0; one more is QOPT_BAD_DATA. Where `interrupt` is
      not null it may end a run, which is QOPT_INTERRUPTED. Programs without
      loops ask neither.
      QOPT_BAD_USE: `max_iterations` is below 0.
      There where `size_in_bytes` of the table reaches it. */
  qopt_status (*limit_loops)(qopt_context *context, int64_t max_iterations,
                             qopt_interrupt interrupt, void *interrupt_user);

  /*--- States. There where `size_in_bytes` reaches so far. ---*/

  int64_t (*state_count)(const qopt_model *model);
  /** Null when `index` is out of range. */
  const qopt_state_info *(*state)(const qopt_model *model, int64_t index);
  /** From the next run on the context keeps the states: entries of their
      inputs and outputs are not read. States begin empty along the axis that
      grows and with zeros otherwise; dims that the model leaves open are those
      of other inputs with the same symbol. `capacity` is what axes may grow to;
      0: as the model says. A run that would need more fails with QOPT_BAD_DATA;
      a run that fails leaves the states as they were. What was kept is lost.
      Entries of their outputs have dims, and data only where it is not added to
      in place. QOPT_BAD_USE: no states, no capacity. */
  qopt_status (*bind_states)(qopt_context *context, int64_t capacity,
                             char *error, size_t error_capacity);
  /** From the next run on inputs and outputs are the host's again. */
  void (*unbind_states)(qopt_context *context);
  /** States begin anew; their memory is kept. */
  void (*reset_states)(qopt_context *context);
  /** The size of a state along the axis that grows; 0 for others, and where no
      state is kept. */
  int64_t (*state_length)(const qopt_context *context, int64_t index);
  /** Makes the states of `to` copies of those of `from`, a context of the same
      model: a second sequence that begins like the first. Neither may be in a
      run. QOPT_BAD_USE: another model. QOPT_NO_RESOURCE: memory; `to` begins
      anew then. */
  qopt_status (*fork_states)(const qopt_context *from, qopt_context *to,
                             char *error, size_t error_capacity);
} qopt_model_api;

/** The one symbol that a compiled model exports. Returns null when the model
    does not speak `abi_version`. */
#define QOPT_MODEL_GET_API_NAME "qopt_model_get_api"
typedef const qopt_model_api *(*qopt_model_get_api_fn)(uint32_t abi_version);
const qopt_model_api *qopt_model_get_api(uint32_t abi_version);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* QOPT_RUNTIME_QOPT_MODEL_H */
