//===- Pool.cpp - Maxima and means over windows ---------------------------===//
//
// One invocation an output element; positions outside x are skipped.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "dialects/QOpt/Numerics/ElementwiseOps.h"
#include "dialects/QOpt/Numerics/IntegerLimits.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "lib/Target/Cpu/Kernels.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;
using numerics::MLIRPolicy;
using numerics::ValueKind;

namespace {
struct Window {
  ArrayRef<int64_t> kernel, strides, pads, dilations;
};
} // namespace

/// Calls `body(index in x, whether it lies in x, whether in x and its pads,
/// sums)` for each position of the window.
static SmallVector<Value> walkWindow(
    Shader &shader, const Window &window, ValueRange xDims,
    ValueRange coordinates, ValueRange inits,
    llvm::function_ref<SmallVector<Value>(Value, Value, Value, ValueRange)>
        body) {
  size_t axes = window.kernel.size();
  SmallVector<Value> at(coordinates);
  Value zero = shader.i32(0), one = shader.i32(1);
  std::function<SmallVector<Value>(size_t, Value, Value, ValueRange)> walk =
      [&](size_t axis, Value inside, Value padded,
          ValueRange sums) -> SmallVector<Value> {
    if (axis == axes)
      return body(shader.linearize(at, xDims), inside, padded, sums);
    return shader.loop(
        zero, shader.i32(window.kernel[axis]), one, sums,
        [&](Value tap, ValueRange sums) {
          int64_t dilation =
              window.dilations.empty() ? 1 : window.dilations[axis];
          Value place = shader.add(
              shader.sub(shader.mul(coordinates[2 + axis],
                                    shader.i32(window.strides[axis])),
                         shader.i32(window.pads[axis])),
              shader.mul(tap, shader.i32(dilation)));
          at[2 + axis] = place;
          Value size = xDims[2 + axis];
          Value isInside = shader.both(shader.less(shader.i32(-1), place),
                                       shader.less(place, size));
          Value isPadded = shader.less(
              place, shader.add(size, shader.i32(window.pads[axis + axes])));
          if (inside) {
            isInside = shader.both(inside, isInside);
            isPadded = shader.both(padded, isPadded);
          }
          return walk(axis + 1, isInside, isPadded, sums);
        });
  };
  return walk(0, Value(), Value(), inits);
}

static LogicalResult emitMax(DeviceProgram &program, MaxPoolOp op) {
  Type element = getElementTypeOrSelf(op.getX());
  auto kind = numerics::getValueKind(element);
  auto x = program.handle(op.getX());
  if (failed(x))
    return failure();
  Value result = program.destination(op.getResult());
  SmallVector<Value> dims = program.dims(op.getResult());
  Window window{op.getKernel(), op.getStrides(), op.getPads(),
                op.getDilations()};
  return program.dispatch(program.code().product(dims), [&](Shader &shader,
                                                            Value index) {
    MLIRPolicy policy(shader.b, shader.loc);
    bool isFloat = kind == ValueKind::Float;
    Value lowest = isFloat ? policy.f(-numerics::infinity)
                           : policy.i(numerics::leastInteger(element));
    Value most = walkWindow(
        shader, window, shader.host(program.dims(op.getX())),
        shader.delinearize(index, shader.host(dims)), lowest,
        [&](Value at, Value inside, Value, ValueRange sums) {
          return shader.ifElse(inside, sums, [&] {
            Value value = shader.load(*x, element, at);
            return SmallVector<Value>{isFloat ? policy.max(value, sums[0])
                                              : policy.maxS(value, sums[0])};
          });
        })[0];
    shader.store(most, result, element, index);
    return success();
  });
}

static LogicalResult emitAverage(DeviceProgram &program, AveragePoolOp op) {
  Type element = getElementTypeOrSelf(op.getX());
  auto x = program.handle(op.getX());
  if (failed(x))
    return failure();
  Value result = program.destination(op.getResult());
  SmallVector<Value> dims = program.dims(op.getResult());
  Window window{op.getKernel(), op.getStrides(), op.getPads(), {}};
  return program.dispatch(program.code().product(dims), [&](Shader &shader,
                                                            Value index) {
    MLIRPolicy policy(shader.b, shader.loc);
    Value one = shader.i32(1), zero = shader.i32(0);
    SmallVector<Value> sums =
        walkWindow(shader, window, shader.host(program.dims(op.getX())),
                   shader.delinearize(index, shader.host(dims)),
                   ValueRange{policy.f(0), zero},
                   [&](Value at, Value inside, Value padded, ValueRange sums) {
                     Value sum = shader.ifElse(inside, sums[0], [&] {
                       return SmallVector<Value>{
                           policy.add(sums[0], shader.load(*x, element, at))};
                     })[0];
                     Value counts = op.getCountIncludePad() ? padded : inside;
                     Value count =
                         shader.add(sums[1], shader.select(counts, one, zero));
                     return SmallVector<Value>{sum, count};
                   });
    Value mean = policy.div(sums[0], policy.toFloat(sums[1]));
    shader.store(mean, result, element, index);
    return success();
  });
}

kernel::Match vulkan::checkPool(const AnyDevice &, Operation *op) {
  Type element = getElementTypeOrSelf(op->getOperand(0));
  auto kind = numerics::getValueKind(element);
  if (kind == ValueKind::Float ||
      (kind == ValueKind::Int && isa<MaxPoolOp>(op)))
    return kernel::Match::success();
  return host::unsupported(element);
}

LogicalResult vulkan::emitPool(DeviceProgram &program, Operation *op) {
  if (auto max = dyn_cast<MaxPoolOp>(op))
    return emitMax(program, max);
  return emitAverage(program, cast<AveragePoolOp>(op));
}
