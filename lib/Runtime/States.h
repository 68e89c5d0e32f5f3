//===- States.h - What a context keeps between runs -------------*- C++ -*-===//
//
// A state that runs add to in place has one buffer, with slots for all that it
// may grow to: a run writes behind what is there, and only one that succeeds
// makes it longer. Any other state has two: a run reads one and writes the
// other, and only a run that succeeds makes the second the first. So a run that
// fails changes nothing, and nothing is copied between runs.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_STATES_H
#define QOPT_LIB_RUNTIME_STATES_H

#include "Services.h"
#include "Text.h"

namespace qopt::runtime {

/// One state of a context.
struct State {
  /// The second is null where runs add in place.
  void *buffers[2] = {};
  /// Bytes of each.
  uint64_t capacityInBytes = 0;
  /// Which one is read.
  int current = 0;
  int64_t *dims = nullptr;
  /// Whether dims and buffers are those of a sequence that has begun.
  bool hasBegun = false;
};

class States {
public:
  /// See qopt_model.h. Nothing is allocated before the first run.
  qopt_status bind(const qopt_rt_program &program, int64_t capacity,
                   TextBuffer error);
  void unbind();
  void reset();
  bool areBound() const { return states != nullptr; }
  int64_t getLength(int64_t index) const;
  qopt_status copyFrom(const States &other, TextBuffer error);

  /// The inputs of a run: those of the host, and the states. Null, with a
  /// failure of the context, when that is not possible. Valid until the next
  /// call.
  const qopt_tensor *completeInputs(qopt_context &context,
                                    const qopt_tensor *inputs);
  /// Offers the buffers that the run is to write.
  void offerOutputs(qopt_context &context) const;
  /// As `qopt_rt_append` of a run.
  qopt_status append(qopt_context &context, int32_t output, const int64_t *dims,
                     int64_t rank, qopt_rt_place &place);
  /// Behind a run that made all outputs: takes them, or fails the run.
  qopt_status take(qopt_context &context);

private:
  qopt_status begin(qopt_context &context, int64_t index,
                    const qopt_tensor *inputs);
  bool allocate(State &state, uint64_t bytes, bool isAppended);
  int64_t getSlots(const qopt_state_info &how) const {
    return capacity != 0 ? capacity : how.capacity;
  }
  qopt_status checkGrowth(qopt_context &context, int64_t index,
                          const int64_t *dims);
  bool isStateInput(int64_t input) const;
  void release(State &state);

  const qopt_rt_program *program = nullptr;
  int64_t capacity = 0;
  State *states = nullptr;
  qopt_tensor *inputs = nullptr;
};

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_STATES_H
