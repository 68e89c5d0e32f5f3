//===- Program.h - What the compiler tells the runtime ----------*- C++ -*-===//
//
// The layouts that a compiled model's generated part and the runtime share.
// The compiler builds the same structs, so every field is a pointer or 64 bits
// wide and a change here raises the version.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_PROGRAM_H
#define QOPT_LIB_RUNTIME_PROGRAM_H

#include "qopt-runtime/qopt_model.h"

#define QOPT_RT_PROGRAM_VERSION 3
#define QOPT_RT_HIDDEN __attribute__((visibility("hidden")))

extern "C" {

/// An input as the generated code sees it: 64-byte aligned, with readable
/// slack behind it.
struct qopt_rt_input {
  void *data;
  const int64_t *dims;
  int64_t rank;
};

/// The generated main function of a tier. Returns a qopt_status.
typedef int32_t (*qopt_rt_entry)(qopt_context *context, const char *weights,
                                 const qopt_rt_input *inputs, void *unused);

struct qopt_rt_tier {
  const char *name;
  qopt_rt_entry entry;
  /// Bits that `detectCpuFeatures` of its architecture gives a meaning.
  int64_t requiredFeatures;
};

/// A state, and what hosts need not know of it.
struct qopt_rt_state : qopt_state_info {
  /// Not 0: runs add to it in place.
  int64_t isAppended;
};

struct qopt_rt_program {
  int64_t version;
  const char *name;
  const char *manifest;
  int64_t inputCount;
  const qopt_value_info *inputs;
  int64_t outputCount;
  const qopt_value_info *outputs;
  /// The last tier that the machine can run is taken.
  int64_t tierCount;
  const qopt_rt_tier *tiers;
  int64_t stateCount;
  const qopt_rt_state *states;
};

/// Defined by the generated part.
QOPT_RT_HIDDEN extern const qopt_rt_program qopt_rt_program_desc;

/// Where the weights are in the model's file. The linker of models finds it by
/// its mark and fills it in; a copy ends the trailer, so that a file that lost
/// its trailer, or has another's, is noticed without reading the weights.
struct qopt_rt_trailer {
  char mark[16];
  uint64_t offset;
  uint64_t size;
  unsigned char sha256[32];
};

} // extern "C"

#define QOPT_RT_TRAILER_MARK "qopt-trailer-v1"
static_assert(sizeof(qopt_rt_trailer) == 64, "the copy is found by its size");
static_assert(sizeof(QOPT_RT_TRAILER_MARK) == 16, "the mark fills its field");

/// Where the copy of the descriptor begins: kernels may read slack bytes
/// behind the weights.
inline uint64_t qopt_rt_trailer_copy_offset(const qopt_rt_trailer &trailer) {
  return (trailer.offset + trailer.size + QOPT_BUFFER_SLACK + 63) / 64 * 64;
}

#endif // QOPT_LIB_RUNTIME_PROGRAM_H
