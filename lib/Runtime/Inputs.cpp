//===- Inputs.cpp - Check what the host gives -------------------*- C++ -*-===//
//
// The generated code believes its inputs, so everything it relies on is
// checked here, and what is not aligned or has no slack is copied.
//
//===----------------------------------------------------------------------===//

#include "Context.h"

#include <string.h>

using namespace qopt::runtime;

static const char *nameOfElementType(int64_t elementType) {
  switch (elementType) {
#define QOPT_CASE(name, number, bytes, text)                                   \
  case number:                                                                 \
    return text;
    QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_CASE)
#undef QOPT_CASE
  }
  return "an unknown type";
}

/// Checks type, rank, dims and size of one input; `size` receives its bytes.
static qopt_status checkInput(qopt_context &context,
                              const qopt_value_info &info,
                              const qopt_tensor &tensor, uint64_t &size) {
  if (tensor.element_type != 0 && tensor.element_type != info.element_type)
    return failRun(context, QOPT_BAD_DATA,
                   "input \"%s\": expected elements of %s, but found %s",
                   info.name, nameOfElementType(info.element_type),
                   nameOfElementType(tensor.element_type));
  if (tensor.rank != info.rank)
    return failRun(context, QOPT_BAD_DATA,
                   "input \"%s\": expected rank %lld, but found %lld",
                   info.name, static_cast<long long>(info.rank),
                   static_cast<long long>(tensor.rank));
  int64_t product = getElementSize(info.element_type);
  bool isEmpty = false;
  for (int64_t axis = 0; axis < info.rank; ++axis) {
    int64_t dim = tensor.dims[axis];
    if (info.dims[axis] >= 0 && dim != info.dims[axis])
      return failRun(context, QOPT_BAD_DATA,
                     "input \"%s\": expected size %lld in dim %lld, but found "
                     "%lld",
                     info.name, static_cast<long long>(info.dims[axis]),
                     static_cast<long long>(axis), static_cast<long long>(dim));
    isEmpty |= dim == 0;
    if (dim < 0 ||
        __builtin_mul_overflow(product, dim == 0 ? 1 : dim, &product))
      return failRun(context, QOPT_BAD_DATA,
                     "input \"%s\": size %lld in dim %lld is not possible",
                     info.name, static_cast<long long>(dim),
                     static_cast<long long>(axis));
  }
  size = isEmpty ? 0 : product;
  if (size > tensor.capacity_in_bytes || (size != 0 && !tensor.data))
    return failRun(context, QOPT_BAD_DATA,
                   "input \"%s\": expected %llu bytes, but found %llu",
                   info.name, static_cast<unsigned long long>(size),
                   static_cast<unsigned long long>(
                       tensor.data ? tensor.capacity_in_bytes : 0));
  return QOPT_OK;
}

/// Finds the input and the axis of a dim by its number among all inputs' dims.
static const qopt_value_info &findDim(const qopt_rt_program &program,
                                      int64_t index, int64_t &axis) {
  const qopt_value_info *info = program.inputs;
  while (index >= info->rank)
    index -= info++->rank;
  axis = index;
  return *info;
}

static qopt_status checkSymbols(qopt_context &context) {
  const qopt_model &model = *context.model;
  for (int64_t i = 0; i < model.inputDimCount; ++i) {
    int64_t first = model.firstWithSymbol[i];
    if (context.inputDims[i] == context.inputDims[first])
      continue;
    int64_t axis, firstAxis;
    const qopt_value_info &info = findDim(*model.program, i, axis);
    const qopt_value_info &firstInfo =
        findDim(*model.program, first, firstAxis);
    return failRun(context, QOPT_BAD_DATA,
                   "inputs \"%s\" (size %lld in dim %lld) and \"%s\" (size "
                   "%lld in dim %lld) disagree about \"%s\"",
                   firstInfo.name,
                   static_cast<long long>(context.inputDims[first]),
                   static_cast<long long>(firstAxis), info.name,
                   static_cast<long long>(context.inputDims[i]),
                   static_cast<long long>(axis), info.symbols[axis]);
  }
  return QOPT_OK;
}

static bool overlaps(const void *a, uint64_t aSize, const void *b,
                     uint64_t bSize) {
  uintptr_t aBegin = reinterpret_cast<uintptr_t>(a);
  uintptr_t bBegin = reinterpret_cast<uintptr_t>(b);
  return aBegin < bBegin + bSize && bBegin < aBegin + aSize;
}

/// Whether kernels may read `tensor` where it is, while outputs are written.
static bool isUsableInPlace(const qopt_context &context,
                            const qopt_tensor &tensor, uint64_t size) {
  if (size == 0 || tensor.capacity_in_bytes - size < QOPT_BUFFER_SLACK ||
      reinterpret_cast<uintptr_t>(tensor.data) % QOPT_BUFFER_ALIGNMENT != 0)
    return false;
  for (int64_t i = 0; i < context.model->program->outputCount; ++i) {
    const Output &output = context.outputs[i];
    if (overlaps(tensor.data, size, output.own, output.ownCapacity) ||
        overlaps(tensor.data, size, output.offered, output.offeredCapacity))
      return false;
  }
  return true;
}

qopt_status qopt::runtime::prepareInputs(qopt_context &context,
                                         const qopt_tensor *inputs) {
  const qopt_rt_program &program = *context.model->program;
  int64_t *dims = context.inputDims;
  for (int64_t i = 0; i < program.inputCount; ++i) {
    const qopt_value_info &info = program.inputs[i];
    const qopt_tensor &tensor = inputs[i];
    uint64_t size;
    if (qopt_status status = checkInput(context, info, tensor, size);
        status != QOPT_OK)
      return status;
    for (int64_t axis = 0; axis < info.rank; ++axis)
      dims[axis] = tensor.dims[axis];
    void *data = tensor.data;
    if (!isUsableInPlace(context, tensor, size)) {
      data = context.arena.allocate(size);
      if (!data)
        return failRun(context, QOPT_NO_RESOURCE,
                       "no memory for input \"%s\" of %llu bytes", info.name,
                       static_cast<unsigned long long>(size));
      if (size != 0)
        memcpy(data, tensor.data, size);
    }
    context.inputs[i] = {data, dims, info.rank};
    dims += info.rank;
  }
  return checkSymbols(context);
}
