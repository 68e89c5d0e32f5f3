//===- ContractConv.cpp - The sums of convolutions ------------------------===//
//
// k runs over (kh, kw, ci). A position outside x takes part as 0, whatever the
// scale, so its products are left out. One spatial axis is the case of kh = 1.
//
//===----------------------------------------------------------------------===//

#include "Contract.h"
#include "ExactPolicy.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

namespace {
/// What belongs to one output element.
class ConvSum {
public:
  ConvSum(DeviceProgram &program, Shader &shader, ConvOp op, CodeOperand &x,
          CodeOperand &w, ValueRange coordinates);
  Value run();

private:
  using Step = llvm::function_ref<SmallVector<Value>(
      Value xIndex, Value wIndex, SmallVector<Value> xPosition,
      SmallVector<Value> wPosition, ValueRange sums)>;

  /// Walks the channels [low, high) at one kernel position.
  Value walkChannels(ArrayRef<Value> tap, ArrayRef<Value> at, Value low,
                     Value high, Value init);
  /// Calls `body` for each kernel position whose element of x exists.
  Value walkTaps(Value init,
                 llvm::function_ref<Value(ArrayRef<Value> tap,
                                          ArrayRef<Value> at, Value sum)>
                     body);
  GroupScale scaleOf(CodeOperand &operand, Value channel, ArrayRef<Value> rest);

  Shader &shader;
  ConvOp op;
  CodeOperand &x, &w;
  ExactPolicy policy;
  SumKind kind;
  SmallVector<Value> xDims, wDims, output;
  Value sample, outputChannel, firstChannel, groupChannels;
};
} // namespace

ConvSum::ConvSum(DeviceProgram &program, Shader &shader, ConvOp op,
                 CodeOperand &x, CodeOperand &w, ValueRange coordinates)
    : shader(shader), op(op), x(x), w(w), policy(shader.b, shader.loc),
      kind(getSumKind(x, w)), xDims(shader.host(x.dims())),
      wDims(shader.host(w.dims())), output(coordinates.drop_front(2)),
      sample(coordinates[0]), outputChannel(coordinates[1]) {
  groupChannels = wDims[1];
  host::CodeBuilder v = program.code();
  Value perGroup = v.div(w.dims()[0], v.i64(op.getGroup()));
  Value group = shader.div(outputChannel, shader.host(perGroup));
  firstChannel =
      op.getGroup() == 1 ? shader.i32(0) : shader.mul(group, groupChannels);
}

Value ConvSum::walkTaps(
    Value init,
    llvm::function_ref<Value(ArrayRef<Value>, ArrayRef<Value>, Value)> body) {
  size_t axes = output.size();
  Value zero = shader.i32(0), one = shader.i32(1);
  SmallVector<Value> tap(axes), at(axes);
  std::function<Value(size_t, Value, Value)> walk =
      [&](size_t axis, Value inside, Value sum) -> Value {
    if (axis == axes)
      return shader.ifElse(inside, sum, [&] {
        return SmallVector<Value>{body(tap, at, sum)};
      })[0];
    return shader.loop(
        zero, wDims[2 + axis], one, sum, [&](Value i, ValueRange sums) {
          tap[axis] = i;
          at[axis] = shader.add(
              shader.sub(
                  shader.mul(output[axis], shader.i32(op.getStrides()[axis])),
                  shader.i32(op.getPads()[axis])),
              shader.mul(i, shader.i32(op.getDilations()[axis])));
          // One unsigned comparison: a negative number is a huge one.
          Value isInside = arith::CmpIOp::create(shader.b, shader.loc,
                                                 arith::CmpIPredicate::ult,
                                                 at[axis], xDims[2 + axis]);
          if (inside)
            isInside = shader.both(inside, isInside);
          return SmallVector<Value>{walk(axis + 1, isInside, sums[0])};
        })[0];
  };
  return walk(0, Value(), init);
}

Value ConvSum::walkChannels(ArrayRef<Value> tap, ArrayRef<Value> at, Value low,
                            Value high, Value init) {
  auto place = [&](Value first, Value second, ArrayRef<Value> rest) {
    SmallVector<Value> position{first, second};
    position.append(rest.begin(), rest.end());
    return position;
  };
  return shader.loop(
      low, high, shader.i32(1), init, [&](Value ci, ValueRange sums) {
        SmallVector<Value> xAt =
            place(sample, shader.add(firstChannel, ci), at);
        SmallVector<Value> wAt = place(outputChannel, ci, tap);
        Value xIndex = shader.linearize(xAt, xDims);
        Value wIndex = shader.linearize(wAt, wDims);
        if (kind == SumKind::Integer)
          return SmallVector<Value>{policy.addI(
              sums[0], policy.mulI(x.integer(shader, xIndex, xAt),
                                   w.integer(shader, wIndex, wAt)))};
        return SmallVector<Value>{policy.fma(
            x.real(shader, xIndex, xAt), w.real(shader, wIndex, wAt), sums[0])};
      })[0];
}

GroupScale ConvSum::scaleOf(CodeOperand &operand, Value channel,
                            ArrayRef<Value> rest) {
  bool isWeight = &operand == &w;
  SmallVector<Value> position{isWeight ? outputChannel : sample,
                              isWeight ? channel
                                       : shader.add(firstChannel, channel)};
  position.append(rest.begin(), rest.end());
  return operand.scale(shader, position);
}

Value ConvSum::run() {
  Value zero = shader.i32(0);
  bool isInteger = kind == SumKind::Integer;
  int64_t block = std::max(x.getBlock(1), w.getBlock(1));
  bool hasRuns = block || w.getBlock(0);
  if (kind != SumKind::Grouped || !hasRuns) {
    Value sum =
        walkTaps(isInteger ? zero : policy.f(0),
                 [&](ArrayRef<Value> tap, ArrayRef<Value> at, Value sum) {
                   return walkChannels(tap, at, zero, groupChannels, sum);
                 });
    if (kind != SumKind::Grouped)
      return sum;
    SmallVector<Value> corner(output.size(), zero);
    return addGroup(shader, x, w, policy.f(0), sum, scaleOf(x, zero, corner),
                    scaleOf(w, zero, corner));
  }
  Value step = block ? shader.i32(block) : groupChannels;
  return walkTaps(
      policy.f(0), [&](ArrayRef<Value> tap, ArrayRef<Value> at, Value sum) {
        return shader.loop(
            zero, groupChannels, step, sum, [&](Value ci, ValueRange sums) {
              Value high = shader.min(shader.add(ci, step), groupChannels);
              Value t = walkChannels(tap, at, ci, high, policy.f(0));
              return SmallVector<Value>{addGroup(shader, x, w, sums[0], t,
                                                 scaleOf(x, ci, at),
                                                 scaleOf(w, ci, tap))};
            })[0];
      });
}

Value vulkan::sumConv(DeviceProgram &program, Shader &shader, ConvOp op,
                      CodeOperand &x, CodeOperand &w, ValueRange coordinates) {
  return ConvSum(program, shader, op, x, w, coordinates).run();
}
