//===- Rows.cpp - Norms, softmax, reductions, global pools ----------------===//
//
// Softmax and layer norm: an invocation a row. Reductions: one an output.
//
//===----------------------------------------------------------------------===//

#include "Rows.h"
#include "Epilogue.h"
#include "Kernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/Axes.h"
#include "dialects/QOpt/Numerics/ElementwiseOps.h"
#include "dialects/QOpt/Numerics/Exponential.h"
#include "dialects/QOpt/Numerics/IntegerLimits.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "lib/Target/Cpu/Kernels.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;
using numerics::MLIRPolicy;
using numerics::ValueKind;

Value vulkan::rowSum(Shader &shader, Value count, RowElement element,
                     bool squares) {
  MLIRPolicy policy(shader.b, shader.loc);
  constexpr int64_t kSums = 16;
  SmallVector<Value> zeros(kSums, policy.f(0));
  Value width = shader.i32(kSums);
  SmallVector<Value> sums = shader.loop(
      shader.i32(0), count, width, zeros, [&](Value first, ValueRange before) {
        SmallVector<Value> after(before);
        for (int64_t j = 0; j < kSums; ++j) {
          Value i = shader.add(first, shader.i32(j));
          after[j] = shader.ifElse(shader.less(i, count), before[j], [&] {
            Value value = element(i);
            return SmallVector<Value>{squares
                                          ? policy.fma(value, value, before[j])
                                          : policy.add(before[j], value)};
          })[0];
        }
        return after;
      });
  for (int64_t half = kSums / 2; half > 0; half /= 2)
    for (int64_t j = 0; j < half; ++j)
      sums[j] = policy.add(sums[j], sums[j + half]);
  return sums[0];
}

Value vulkan::rowMax(Shader &shader, Value count, Value init,
                     RowElement element) {
  MLIRPolicy policy(shader.b, shader.loc);
  return shader.loop(shader.i32(0), count, shader.i32(1), init,
                     [&](Value i, ValueRange before) {
                       return SmallVector<Value>{
                           policy.max(element(i), before[0])};
                     })[0];
}

/// Brings the root's operands to the device before the shader is written.
static FailureOr<Value> prepareInput(DeviceProgram &program, Operation *root) {
  for (Value operand : root->getOperands())
    if (failed(program.handle(operand)))
      return failure();
  return program.handle(root->getOperand(0));
}

//===----------------------------------------------------------------------===//
// Softmax, layer norm
//===----------------------------------------------------------------------===//

static LogicalResult emitSoftmax(DeviceProgram &program, Operation *kernel,
                                 SoftmaxOp op) {
  auto x = prepareInput(program, op);
  if (failed(x))
    return failure();
  Type element = getElementTypeOrSelf(op.getX());
  Epilogue epilogue(program, kernel, op.getResult(), op.getResult());
  epilogue.allocate();
  SmallVector<Value> dims(epilogue.dims());
  int64_t axis = countFromFront(op.getAxis(), dims.size());
  SmallVector<Value> rowDims = dims;
  rowDims.erase(rowDims.begin() + axis);
  host::CodeBuilder v = program.code();
  return program.dispatch(v.product(rowDims), [&](Shader &shader, Value row) {
    MLIRPolicy policy(shader.b, shader.loc);
    SmallVector<Value> place = shader.delinearize(row, shader.host(rowDims));
    SmallVector<Value> space = shader.host(dims);
    Value count = space[axis], zero = shader.i32(0), one = shader.i32(1);
    place.insert(place.begin() + axis, zero);
    auto get = [&](Value i) {
      place[axis] = i;
      return shader.load(*x, element, shader.linearize(place, space));
    };
    Value most = rowMax(shader, count, policy.f(-numerics::infinity), get);
    auto exponential = [&](Value i) {
      return numerics::expF32(policy, policy.sub(get(i), most));
    };
    Value sum = rowSum(shader, count, exponential);
    LogicalResult result = success();
    shader.loop(zero, count, one, [&](Value i) {
      Value value = policy.div(exponential(i), sum);
      result = epilogue.finish(shader, place, value);
    });
    return result;
  });
}

static LogicalResult emitLayerNorm(DeviceProgram &program, Operation *kernel,
                                   LayerNormOp op) {
  auto x = prepareInput(program, op);
  if (failed(x))
    return failure();
  Type element = getElementTypeOrSelf(op.getX());
  Epilogue epilogue(program, kernel, op.getResult(), op.getResult());
  epilogue.allocate();
  ArrayRef<Value> dims = epilogue.dims();
  int64_t axis = countFromFront(op.getAxis(), dims.size());
  host::CodeBuilder v = program.code();
  Value rows = v.product(dims.take_front(axis));
  Value length = v.product(dims.drop_front(axis));
  return program.dispatch(rows, [&](Shader &shader, Value row) {
    MLIRPolicy policy(shader.b, shader.loc);
    Value count = shader.host(length), zero = shader.i32(0);
    Value first = shader.mul(row, count), n = policy.toFloat(count);
    auto get = [&](Value i) {
      return shader.load(*x, element, shader.add(first, i));
    };
    Value mean = policy.div(rowSum(shader, count, get), n);
    auto deviation = [&](Value i) { return policy.sub(get(i), mean); };
    Value variance =
        policy.div(rowSum(shader, count, deviation, /*squares=*/true), n);
    Value r =
        policy.div(policy.f(1),
                   policy.sqrt(policy.add(
                       variance, policy.f(op.getEpsilon().convertToFloat()))));
    LogicalResult result = success();
    shader.loop(zero, count, shader.i32(1), [&](Value i) {
      SmallVector<Value> place =
          shader.delinearize(shader.add(first, i), shader.host(dims));
      auto factor = [&](Value tensor) {
        return shader.load(
            *program.handle(tensor), getElementTypeOrSelf(tensor),
            broadcastIndex(program, shader, program.dims(tensor), place));
      };
      Value scaled = policy.mul(deviation(i), r);
      Value value = op.getBias() ? policy.fma(scaled, factor(op.getScale()),
                                              factor(op.getBias()))
                                 : policy.mul(scaled, factor(op.getScale()));
      result = epilogue.finish(shader, place, value);
    });
    return result;
  });
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// The reduced value of `count` elements, all of kind `kind`.
static Value reduce(Shader &shader, Operation *op, ReduceKind what,
                    Type element, Value count, RowElement get) {
  MLIRPolicy policy(shader.b, shader.loc);
  Value zero = shader.i32(0), one = shader.i32(1);
  auto fold = [&](Value init, llvm::function_ref<Value(Value, Value)> step) {
    return shader.loop(zero, count, one, init, [&](Value i, ValueRange before) {
      return SmallVector<Value>{step(get(i), before[0])};
    })[0];
  };
  auto kind = numerics::getValueKind(element);
  if (kind == ValueKind::Float) {
    if (what == ReduceKind::Sum)
      return rowSum(shader, count, get);
    if (what == ReduceKind::Mean)
      return policy.div(rowSum(shader, count, get), policy.toFloat(count));
    if (what == ReduceKind::L2)
      return policy.sqrt(rowSum(shader, count, get, /*squares=*/true));
    if (what == ReduceKind::Max)
      return rowMax(shader, count, policy.f(-numerics::infinity), get);
    if (what == ReduceKind::Min)
      return fold(policy.f(numerics::infinity),
                  [&](Value x, Value y) { return policy.min(x, y); });
    if (what == ReduceKind::Prod)
      return fold(policy.f(1),
                  [&](Value x, Value y) { return policy.mul(y, x); });
  }
  if (kind == ValueKind::Int) {
    Type result = getElementTypeOrSelf(op->getResult(0));
    auto wrap = [&](Value x) { return numerics::wrapInt(policy, x, result); };
    if (what == ReduceKind::Sum)
      return wrap(
          fold(zero, [&](Value x, Value y) { return policy.addI(x, y); }));
    if (what == ReduceKind::Prod)
      return wrap(
          fold(one, [&](Value x, Value y) { return policy.mulI(x, y); }));
    if (what == ReduceKind::Max)
      return fold(policy.i(numerics::leastInteger(element)),
                  [&](Value x, Value y) { return policy.maxS(x, y); });
    if (what == ReduceKind::Min)
      return fold(policy.i(numerics::greatestInteger(element)),
                  [&](Value x, Value y) { return policy.minS(x, y); });
  }
  llvm_unreachable("the check refuses other reductions");
}

/// Reduces the axes `axes` of the root's operand.
static LogicalResult emitReduction(DeviceProgram &program, Operation *kernel,
                                   Operation *op, ReduceKind what,
                                   ArrayRef<int64_t> axes, bool keepsDims) {
  auto x = prepareInput(program, op);
  if (failed(x))
    return failure();
  Type element = getElementTypeOrSelf(op->getOperand(0));
  Epilogue epilogue(program, kernel, op->getResult(0), op->getResult(0));
  epilogue.allocate();
  SmallVector<Value> xDims = program.dims(op->getOperand(0)), reduced;
  for (int64_t axis : axes)
    reduced.push_back(xDims[axis]);
  host::CodeBuilder v = program.code();
  Value length = v.product(reduced);
  return program.dispatch(
      v.product(epilogue.dims()),
      [&](Shader &shader, Value index) -> LogicalResult {
        SmallVector<Value> place =
            shader.delinearize(index, shader.host(epilogue.dims()));
        SmallVector<Value> space = shader.host(xDims);
        auto get = [&](Value i) {
          SmallVector<Value> inner =
                                 shader.delinearize(i, shader.host(reduced)),
                             at;
          size_t nextInner = 0, nextKept = 0;
          for (int64_t axis = 0, e = space.size(); axis < e; ++axis) {
            bool isReduced = llvm::is_contained(axes, axis);
            at.push_back(isReduced ? inner[nextInner++] : place[nextKept]);
            nextKept += !isReduced || keepsDims;
          }
          return shader.load(*x, element, shader.linearize(at, space));
        };
        return epilogue.finish(
            shader, place,
            reduce(shader, op, what, element, shader.host(length), get));
      });
}

kernel::Match vulkan::checkRows(const AnyDevice &, Operation *op) {
  Operation *root = cast<kernel::RowsOp>(op).getRoot();
  if (isa<HadamardOp>(root))
    return kernel::Match::failure("its formula serves devices as it is");
  for (Value operand : root->getOperands())
    if (!isa<BlockArgument>(operand))
      return kernel::Match::failure("ops stand in front of the rows");
  for (Value operand : root->getOperands())
    if (!numerics::getValueKind(getElementTypeOrSelf(operand)))
      return host::unsupported(getElementTypeOrSelf(operand));
  Type element = getElementTypeOrSelf(root->getOperand(0));
  auto kind = numerics::getValueKind(element);
  if (kind == ValueKind::Float)
    return kernel::Match::success();
  auto reduce = dyn_cast<ReduceOp>(root);
  bool hasSteps =
      reduce && llvm::is_contained({ReduceKind::Sum, ReduceKind::Prod,
                                    ReduceKind::Max, ReduceKind::Min},
                                   reduce.getKind());
  if (kind == ValueKind::Int && hasSteps)
    return kernel::Match::success();
  return host::unsupported(element);
}

LogicalResult vulkan::emitRows(DeviceProgram &program, Operation *op) {
  Operation *root = cast<kernel::RowsOp>(op).getRoot();
  return llvm::TypeSwitch<Operation *, LogicalResult>(root)
      .Case(
          [&](SoftmaxOp softmax) { return emitSoftmax(program, op, softmax); })
      .Case([&](LayerNormOp norm) { return emitLayerNorm(program, op, norm); })
      .Case([&](ReduceOp reduce) {
        return emitReduction(program, op, reduce, reduce.getKind(),
                             reduce.getAxes(), reduce.getKeepdims());
      })
      .Case([&](GlobalAveragePoolOp pool) {
        SmallVector<int64_t> axes;
        int64_t rank = cast<RankedTensorType>(pool.getX().getType()).getRank();
        for (int64_t axis = 2; axis < rank; ++axis)
          axes.push_back(axis);
        return emitReduction(program, op, pool, ReduceKind::Mean, axes,
                             /*keepsDims=*/true);
      })
      .Default([](Operation *) -> LogicalResult {
        llvm_unreachable("a root of rows");
      });
}
