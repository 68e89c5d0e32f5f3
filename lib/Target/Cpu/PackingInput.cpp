//===- PackingInput.cpp - The input of a convolution, padded --------------===//
//
// A row is written left to right in whole vectors, so each vector may spill
// into what is written next; behind a plane lies room for the last one. A part
// is a plane: two parts never meet.
//
//===----------------------------------------------------------------------===//

#include "PackingInput.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt::cpu;

Window::Window(ArrayRef<int64_t> kernelDims, ArrayRef<int64_t> strideDims,
               ArrayRef<int64_t> pads, ArrayRef<int64_t> dilationDims)
    : kernel{1, 1}, strides{1, 1}, dilations{1, 1}, before{0, 0}, behind{0, 0} {
  size_t rank = kernelDims.size();
  for (size_t i = 0; i < rank; ++i) {
    size_t axis = 2 - rank + i;
    kernel[axis] = kernelDims[i];
    strides[axis] = strideDims[i];
    dilations[axis] = dilationDims[i];
    before[axis] = pads[i];
    behind[axis] = pads[rank + i];
  }
}

bool Window::isPointwise() const {
  return positions() == 1 && strides[0] == 1 && strides[1] == 1 && !before[0] &&
         !before[1] && !behind[0] && !behind[1];
}

Value WindowInput::offset(VectorBuilder &v, const Window &window, Value plane,
                          Value y, Value i, Value j) const {
  Value row = v.add(v.mul(y, v.i64(window.strides[0])),
                    v.mul(i, v.i64(window.dilations[0])));
  Value column = v.mul(j, v.i64(window.dilations[1]));
  Value stride = v.i64(window.strides[1]);
  Value result = v.add(v.mul(plane, planeStride), v.mul(row, rowLength));
  result = v.add(result, v.mul(v.rem(column, stride), phaseStride));
  return v.add(result, v.div(column, stride));
}

namespace {
/// Writes the rows of one plane.
class PlaneWriter {
public:
  PlaneWriter(VectorBuilder &v, const Window &window, const InputCopy &copy,
              const WindowInput &target)
      : v(v), window(window), copy(copy), target(target) {}

  /// Few phases are written one by one; a stride of hundreds, as filter banks
  /// have, is a loop.
  void write(Value plane) {
    constexpr int64_t mostApart = 4;
    int64_t phases = window.strides[1];
    if (phases > mostApart)
      return v.loop(v.i64(0), v.i64(phases), 1,
                    [&](Value phase) { writePhase(plane, phase); });
    for (int64_t phase = 0; phase < phases; ++phase)
      writePhase(plane, v.i64(phase));
  }

private:
  void writePhase(Value plane, Value phase) {
    Value paddedHeight =
        v.add(copy.height, v.i64(window.before[0] + window.behind[0]));
    Value base = v.add(v.mul(plane, target.planeStride),
                       v.mul(phase, target.phaseStride));
    v.loop(v.i64(0), paddedHeight, 1, [&](Value row) {
      Value out = v.add(base, v.mul(row, target.rowLength));
      Value y = v.sub(row, v.i64(window.before[0]));
      // Negative numbers are large unsigned ones.
      Value isInside = arith::CmpIOp::create(
          v.b, v.loc, arith::CmpIPredicate::ult, y, copy.height);
      v.ifElse(
          isInside,
          [&] {
            Value rows = v.add(v.mul(plane, copy.height), y);
            writeRow(v.mul(rows, copy.width), out, phase);
          },
          [&] { fill(out, v.i64(0), target.rowLength); });
    });
  }

  void fill(Value out, Value first, Value last) {
    Value border = v.splat(copy.border);
    v.loop(first, last, kLanes,
           [&](Value q) { v.store(border, target.pointer, v.add(out, q)); });
  }

  void writeRow(Value in, Value out, Value phase) {
    Value stride = v.i64(window.strides[1]), left = v.i64(window.before[1]);
    Value first = v.ceilDiv(v.max(v.sub(left, phase), v.i64(0)), stride);
    Value column = v.sub(v.add(v.mul(first, stride), phase), left);
    Value count = v.max(v.sub(copy.width, column), v.i64(0));
    count = v.ceilDiv(count, stride);
    fill(out, v.i64(0), first);
    v.loop(v.i64(0), count, kLanes, [&](Value q) {
      Value from = v.add(column, v.mul(q, stride));
      Value values = loadColumns(in, from);
      if (copy.convert)
        values = copy.convert(v, values);
      v.store(values, target.pointer, v.add(out, v.add(q, first)));
    });
    fill(out, v.add(count, first), target.rowLength);
  }

  /// 16 elements, a stride apart, of the row at `in`, from `column` on.
  Value loadColumns(Value in, Value column) {
    int64_t stride = window.strides[1];
    Value at = v.add(in, column);
    if (stride == 1)
      return v.load(copy.source, at, copy.from);
    if (stride == 2) {
      Value low = v.load(copy.source, at, copy.from);
      Value behind = v.sub(v.sub(copy.width, column), v.i64(kLanes));
      Value next = v.add(at, v.i64(kLanes));
      // 32 bytes lie in the slack behind a buffer, 128 do not.
      Value high = copy.from.getIntOrFloatBitWidth() == 8
                       ? v.load(copy.source, next, copy.from)
                       : v.loadMasked(copy.source, next, copy.from,
                                      v.max(behind, v.i64(0)));
      SmallVector<int64_t> even;
      for (int64_t lane = 0; lane < kLanes; ++lane)
        even.push_back(2 * lane);
      return vector::ShuffleOp::create(v.b, v.loc, low, high, even);
    }
    Value last = v.sub(v.add(in, copy.width), v.i64(1));
    Value result =
        v.constant(cast<TypedAttr>(v.b.getZeroAttr(copy.from)), kLanes);
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      Value index = v.min(v.add(at, v.i64(lane * stride)), last);
      Value element = v.loadScalar(copy.source, index, copy.from);
      result = vector::InsertOp::create(v.b, v.loc, element, result, lane);
    }
    return result;
  }

  VectorBuilder &v;
  const Window &window;
  const InputCopy &copy;
  const WindowInput &target;
};
} // namespace

WindowInput qopt::cpu::prepareInput(CpuProgram &program, const Window &window,
                                    InputCopy copy) {
  VectorBuilder host(program.code());
  WindowInput result;
  bool hasBorder = window.before[0] || window.before[1] || window.behind[0] ||
                   window.behind[1];
  if (!hasBorder && window.strides[1] == 1 && !copy.convert) {
    result = {copy.source, copy.width, host.i64(0),
              host.mul(copy.height, copy.width)};
    return result;
  }
  auto padded = [&](Value dim, int axis) {
    return host.add(dim, host.i64(window.before[axis] + window.behind[axis]));
  };
  int64_t phases = window.strides[1];
  result.rowLength = host.ceilDiv(padded(copy.width, 1), host.i64(phases));
  result.phaseStride = host.mul(padded(copy.height, 0), result.rowLength);
  result.planeStride = host.add(host.mul(result.phaseStride, host.i64(phases)),
                                host.i64(2 * kLanes));
  int64_t width = copy.to.getIntOrFloatBitWidth() / 8;
  result.pointer = program.temporary(
      host.product({copy.planes, result.planeStride, host.i64(width)}));

  WindowInput target = result;
  CaptureList list;
  target.capture(list);
  list.add({&copy.source, &copy.height, &copy.width, &copy.border});
  program.launch(
      "pad_input", list.values(), copy.planes, [&](KernelScope &scope) {
        list.enter(scope);
        VectorBuilder v(scope.b, scope.loc);
        if (copy.border.getType() != copy.to)
          copy.border =
              arith::TruncIOp::create(v.b, v.loc, copy.to, copy.border);
        PlaneWriter(v, window, copy, target).write(scope.part);
      });
  return result;
}
