//===- States.cpp - What a context keeps between runs -----------*- C++ -*-===//
//
// Sizes come from the host's inputs and are checked like them.
//
//===----------------------------------------------------------------------===//

#include "States.h"
#include "Context.h"

#include <new>
#include <stdlib.h>
#include <string.h>

using namespace qopt::runtime;

//===----------------------------------------------------------------------===//
// The host's calls
//===----------------------------------------------------------------------===//

qopt_status States::bind(const qopt_rt_program &newProgram, int64_t newCapacity,
                         TextBuffer error) {
  if (newProgram.stateCount == 0) {
    setText(error, "the model has no states; compile it with --state "
                   "OUTPUT=INPUT");
    return QOPT_BAD_USE;
  }
  if (newCapacity < 0) {
    setText(error, "expected a capacity from 0 on, but found %lld",
            static_cast<long long>(newCapacity));
    return QOPT_BAD_USE;
  }
  for (int64_t i = 0; i < newProgram.stateCount && newCapacity == 0; ++i)
    if (newProgram.states[i].axis >= 0 && newProgram.states[i].capacity == 0) {
      setText(error, "the model was compiled without a capacity for its "
                     "states; give one");
      return QOPT_BAD_USE;
    }
  unbind();
  program = &newProgram;
  capacity = newCapacity;
  states = static_cast<State *>(calloc(program->stateCount, sizeof(State)));
  inputs = static_cast<qopt_tensor *>(
      calloc(program->inputCount, sizeof(qopt_tensor)));
  bool isComplete = states && inputs;
  for (int64_t i = 0; isComplete && i < program->stateCount; ++i) {
    new (&states[i]) State();
    const qopt_value_info &info = program->inputs[program->states[i].input];
    states[i].dims =
        static_cast<int64_t *>(calloc(info.rank + 1, sizeof(int64_t)));
    isComplete = states[i].dims != nullptr;
  }
  if (isComplete)
    return QOPT_OK;
  unbind();
  setText(error, "no memory for the states");
  return QOPT_NO_RESOURCE;
}

void States::release(State &state) {
  free(state.buffers[0]);
  free(state.buffers[1]);
  state.buffers[0] = state.buffers[1] = nullptr;
  state.capacityInBytes = 0;
  state.hasBegun = false;
}

void States::unbind() {
  for (int64_t i = 0; states && i < program->stateCount; ++i) {
    release(states[i]);
    free(states[i].dims);
  }
  free(states);
  free(inputs);
  states = nullptr;
  inputs = nullptr;
}

void States::reset() {
  for (int64_t i = 0; states && i < program->stateCount; ++i)
    states[i].hasBegun = false;
}

int64_t States::getLength(int64_t index) const {
  if (!states || index < 0 || index >= program->stateCount ||
      !states[index].hasBegun || program->states[index].axis < 0)
    return 0;
  return states[index].dims[program->states[index].axis];
}

bool States::allocate(State &state, uint64_t bytes, bool isAppended) {
  if (bytes <= state.capacityInBytes)
    return true;
  release(state);
  int count = isAppended ? 1 : 2;
  for (int i = 0; i < count; ++i) {
    state.buffers[i] = aligned_alloc(QOPT_BUFFER_ALIGNMENT, bytes);
    if (!state.buffers[i]) {
      release(state);
      return false;
    }
  }
  state.capacityInBytes = bytes;
  return true;
}

/// Copies the elements of a tensor of `info` with `dims` that has `slots` along
/// `axis` on both sides.
static void copyElements(const qopt_value_info &info, const int64_t *dims,
                         int64_t axis, int64_t slots, const void *from,
                         void *to) {
  uint64_t outer = 1, inner = getElementSize(info.element_type);
  for (int64_t i = 0; i < info.rank; ++i)
    (i < axis ? outer : inner) *= i == axis ? 1 : dims[i];
  for (uint64_t i = 0; i < outer; ++i)
    memcpy(static_cast<char *>(to) + i * slots * inner,
           static_cast<const char *>(from) + i * slots * inner,
           dims[axis] * inner);
}

qopt_status States::copyFrom(const States &other, TextBuffer error) {
  if (&other == this)
    return QOPT_OK;
  if (!other.areBound()) {
    setText(error, "the context keeps no states");
    return QOPT_BAD_USE;
  }
  if (qopt_status status = bind(*other.program, other.capacity, error);
      status != QOPT_OK)
    return status;
  for (int64_t i = 0; i < program->stateCount; ++i) {
    const State &from = other.states[i];
    State &to = states[i];
    if (!from.hasBegun)
      continue;
    const qopt_rt_state &how = program->states[i];
    if (!allocate(to, from.capacityInBytes, how.isAppended)) {
      reset();
      setText(error, "no memory for states of %llu bytes",
              static_cast<unsigned long long>(from.capacityInBytes));
      return QOPT_NO_RESOURCE;
    }
    const qopt_value_info &info = program->inputs[how.input];
    uint64_t size = getElementSize(info.element_type);
    for (int64_t axis = 0; axis < info.rank; ++axis) {
      to.dims[axis] = from.dims[axis];
      size *= from.dims[axis];
    }
    const void *source = from.buffers[from.current];
    if (how.isAppended)
      copyElements(info, to.dims, how.axis, getSlots(how), source,
                   to.buffers[0]);
    else
      memcpy(to.buffers[0], source, size);
    to.current = 0;
    to.hasBegun = true;
  }
  return QOPT_OK;
}

//===----------------------------------------------------------------------===//
// A run
//===----------------------------------------------------------------------===//

bool States::isStateInput(int64_t input) const {
  for (int64_t i = 0; i < program->stateCount; ++i)
    if (program->states[i].input == input)
      return true;
  return false;
}

/// Finds the dims of a state that is to begin, and memory for all that it may
/// grow to. It has begun when the run succeeds: another may have other dims.
qopt_status States::begin(qopt_context &context, int64_t index,
                          const qopt_tensor *given) {
  State &state = states[index];
  const qopt_rt_state &how = program->states[index];
  const qopt_value_info &info = program->inputs[how.input];
  uint64_t size = getElementSize(info.element_type);
  bool isTooLarge = false;
  for (int64_t axis = 0; axis < info.rank; ++axis) {
    int64_t dim = info.dims[axis];
    if (axis == how.axis)
      dim = 0;
    for (int64_t i = 0; dim < 0 && i < program->inputCount; ++i) {
      const qopt_value_info &other = program->inputs[i];
      if (isStateInput(i) || given[i].rank != other.rank)
        continue;
      for (int64_t j = 0; j < other.rank && info.symbols[axis][0]; ++j)
        if (strcmp(other.symbols[j], info.symbols[axis]) == 0)
          dim = given[i].dims[j];
    }
    if (dim < 0)
      return failRun(context, QOPT_BAD_DATA,
                     "state \"%s\": no input says how large dim %lld is; "
                     "compile the model with --shapes",
                     info.name, static_cast<long long>(axis));
    state.dims[axis] = dim;
    int64_t most = axis == how.axis ? getSlots(how) : dim;
    isTooLarge |=
        __builtin_mul_overflow(size, static_cast<uint64_t>(most), &size) ||
        size > INT64_MAX / 4;
  }
  uint64_t bytes = (size + QOPT_BUFFER_SLACK + QOPT_BUFFER_ALIGNMENT - 1) /
                   QOPT_BUFFER_ALIGNMENT * QOPT_BUFFER_ALIGNMENT;
  if (isTooLarge || !allocate(state, bytes, how.isAppended))
    return failRun(context, QOPT_NO_RESOURCE,
                   "no memory for state \"%s\" of %s%llu bytes", info.name,
                   how.isAppended ? "" : "twice ",
                   static_cast<unsigned long long>(size));
  if (how.axis < 0)
    memset(state.buffers[state.current], 0, size);
  return QOPT_OK;
}

const qopt_tensor *States::completeInputs(qopt_context &context,
                                          const qopt_tensor *given) {
  for (int64_t i = 0; i < program->inputCount; ++i)
    inputs[i] = given[i];
  for (int64_t i = 0; i < program->stateCount; ++i) {
    State &state = states[i];
    if (!state.hasBegun && begin(context, i, given) != QOPT_OK)
      return nullptr;
    int64_t input = program->states[i].input;
    const qopt_value_info &info = program->inputs[input];
    inputs[input] = {state.buffers[state.current],
                     state.dims,
                     info.rank,
                     static_cast<qopt_element_type>(info.element_type),
                     0,
                     state.capacityInBytes};
  }
  return inputs;
}

void States::offerOutputs(qopt_context &context) const {
  for (int64_t i = 0; i < program->stateCount; ++i) {
    const State &state = states[i];
    Output &output = context.outputs[program->states[i].output];
    if (program->states[i].isAppended) {
      output.offered = nullptr;
      output.offeredCapacity = 0;
      continue;
    }
    output.offered = state.buffers[1 - state.current];
    output.offeredCapacity = state.capacityInBytes;
  }
}

/// Whether a run may make state `index` one of `dims`.
qopt_status States::checkGrowth(qopt_context &context, int64_t index,
                                const int64_t *dims) {
  const qopt_rt_state &how = program->states[index];
  const qopt_value_info &info = program->inputs[how.input];
  if (how.axis >= 0 && dims[how.axis] > getSlots(how))
    return failRun(context, QOPT_BAD_DATA,
                   "state \"%s\" has a capacity of %lld, but %lld are "
                   "needed; reset it, or bind more",
                   info.name, static_cast<long long>(getSlots(how)),
                   static_cast<long long>(dims[how.axis]));
  for (int64_t axis = 0; axis < info.rank; ++axis)
    if (axis != how.axis && dims[axis] != states[index].dims[axis])
      return failRun(
          context, QOPT_BAD_DATA,
          "state \"%s\" has size %lld in dim %lld, but output "
          "\"%s\" %lld",
          info.name, static_cast<long long>(states[index].dims[axis]),
          static_cast<long long>(axis), program->outputs[how.output].name,
          static_cast<long long>(dims[axis]));
  return QOPT_OK;
}

qopt_status States::append(qopt_context &context, int32_t outputIndex,
                           const int64_t *dims, int64_t rank,
                           qopt_rt_place &place) {
  int64_t index = 0;
  while (index < program->stateCount &&
         program->states[index].output != outputIndex)
    ++index;
  if (index == program->stateCount || !program->states[index].isAppended ||
      rank != program->outputs[outputIndex].rank)
    return failRun(context, QOPT_INTERNAL, "output %d is no state",
                   outputIndex);
  if (qopt_status status = checkGrowth(context, index, dims); status != QOPT_OK)
    return status;
  Output &output = context.outputs[outputIndex];
  memcpy(output.dims, dims, rank * sizeof(int64_t));
  output.rank = rank;
  output.data = states[index].buffers[0];
  place = {output.data, getSlots(program->states[index])};
  return QOPT_OK;
}

qopt_status States::take(qopt_context &context) {
  for (int64_t i = 0; i < program->stateCount; ++i)
    if (qopt_status status = checkGrowth(
            context, i, context.outputs[program->states[i].output].dims);
        status != QOPT_OK)
      return status;
  for (int64_t i = 0; i < program->stateCount; ++i) {
    State &state = states[i];
    Output &output = context.outputs[program->states[i].output];
    state.hasBegun = true;
    memcpy(state.dims, output.dims, output.rank * sizeof(int64_t));
    if (program->states[i].isAppended) {
      output.data = nullptr;
      continue;
    }
    state.current = 1 - state.current;
    // An output that is an input, too, was not made in the buffer.
    if (output.data != state.buffers[state.current])
      memcpy(state.buffers[state.current], output.data, output.sizeInBytes);
    output.data = output.offered;
  }
  return QOPT_OK;
}
