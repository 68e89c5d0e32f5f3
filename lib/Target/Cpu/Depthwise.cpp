//===- Depthwise.cpp - Convolutions of one channel by one kernel ----------===//
//
// A part is one output plane; lanes run along a row of it. Products of codes
// are taken of values less their zero points, so borders count as 0.
//
//===----------------------------------------------------------------------===//

#include "Depthwise.h"
#include "ContractCodes.h"
#include "ProductKernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

DepthwiseShape::DepthwiseShape(CpuProgram &program, ConvOp op)
    : window(typeOf(op.getW()).getShape().drop_front(2), op.getStrides(),
             op.getPads(), op.getDilations()),
      isImage(typeOf(op.getX()).getRank() == 4) {
  VectorBuilder v(program.code());
  SmallVector<Value> x = program.dims(op.getX());
  SmallVector<Value> y = program.dims(op.getResult());
  inputPlanes = v.mul(x[0], x[1]);
  inputHeight = isImage ? x[2] : v.i64(1);
  inputWidth = x.back();
  outputs = y[1];
  planes = v.mul(y[0], y[1]);
  height = isImage ? y[2] : v.i64(1);
  width = y.back();
  multiplier = v.div(outputs, v.i64(op.getGroup()));
  element = typeOf(op.getResult()).getElementType();
  if (op.getBias())
    bias = program.buffer(op.getBias()).pointer;
}

void DepthwiseShape::capture(CaptureList &captures) {
  captures.add({&multiplier, &inputHeight, &inputWidth, &outputs, &planes,
                &height, &width, &bias});
}

void DepthwiseShape::setGroups(Epilogue &epilogue) const {
  if (isImage)
    epilogue.collapse({0, 1, 2, 3});
  else
    epilogue.collapse({0, 1, 2});
}

DepthwiseAt DepthwiseShape::planeAt(VectorBuilder &v, Value plane) const {
  DepthwiseAt at;
  at.image = v.div(plane, outputs);
  at.output = v.rem(plane, outputs);
  at.inputPlane = v.div(plane, multiplier);
  return at;
}

Epilogue::Lanes DepthwiseShape::lanesAt(VectorBuilder &v,
                                        const DepthwiseAt &at) const {
  Epilogue::Lanes lanes;
  lanes.coordinates = {at.image, at.output};
  if (isImage)
    lanes.coordinates.push_back(at.y);
  lanes.coordinates.push_back(at.x);
  lanes.laneGroup = lanes.coordinates.size() - 1;
  lanes.count = v.min(v.sub(width, at.x), v.i64(kLanes));
  Value rowsBehind = v.sub(v.sub(height, at.y), v.i64(1));
  lanes.room =
      v.min(v.add(v.mul(rowsBehind, width), v.sub(width, at.x)), v.i64(kLanes));
  return lanes;
}

LogicalResult cpu::emitDepthwisePlanes(
    CpuProgram &program, DepthwiseShape shape, CaptureList &list,
    Epilogue &epilogue,
    function_ref<Value(VectorBuilder &, const DepthwiseAt &)> sumOf) {
  shape.setGroups(epilogue);
  Value parts = shape.planes;
  shape.capture(list);
  launch(program, "depthwise", list, epilogue, parts,
         [&](VectorBuilder &v, KernelScope &scope) {
           DepthwiseAt at = shape.planeAt(v, scope.part);
           Type element = shape.element;
           Value addend;
           if (shape.bias)
             addend = v.splat(
                 v.loadScalar(shape.bias, at.output, memoryType(element)));
           v.loop(v.i64(0), shape.height, 1, [&](Value y) {
             v.loop(v.i64(0), shape.width, kLanes, [&](Value x) {
               at.y = y;
               at.x = x;
               Value root = sumOf(v, at);
               if (addend && element.isF32())
                 root = arith::AddFOp::create(v.b, v.loc, root, addend);
               else if (addend)
                 root = v.add(root, addend);
               epilogue.finish(v.b, shape.lanesAt(v, at), root);
             });
           });
         });
  return success();
}

namespace {
/// Sums of f32 and of codes.
class DepthwiseSum {
public:
  DepthwiseSum(CpuProgram &program, ConvOp op, const DepthwiseShape &shape);

  void capture(CaptureList &captures) {
    input.capture(captures);
    captures.add({&weights, &inputZero, &weightZero});
  }
  Value operator()(VectorBuilder &v, const DepthwiseAt &at) const;

private:
  Window window;
  bool areFloats;
  Type inputElement, weightElement;
  WindowInput input;
  Value weights, inputZero, weightZero;
};
} // namespace

DepthwiseSum::DepthwiseSum(CpuProgram &program, ConvOp op,
                           const DepthwiseShape &shape)
    : window(shape.window) {
  VectorBuilder v(program.code());
  CodeOperand x{op.getX(), op.getXZeros()}, w{op.getW(), op.getWZeros()};
  inputElement = x.element();
  weightElement = w.element();
  areFloats = inputElement.isF32();
  InputCopy copy;
  copy.source = program.buffer(op.getX()).pointer;
  copy.planes = shape.inputPlanes;
  copy.height = shape.inputHeight;
  copy.width = shape.inputWidth;
  copy.from = copy.to = memoryType(inputElement);
  copy.border = v.f32(0);
  if (!areFloats) {
    inputZero = storedZero(program, x, x.isUnsigned());
    weightZero = storedZero(program, w, w.isUnsigned());
    copy.border = inputZero;
  }
  input = prepareInput(program, window, copy);
  weights = program.buffer(op.getW()).pointer;
}

Value DepthwiseSum::operator()(VectorBuilder &v, const DepthwiseAt &at) const {
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  Value sum = areFloats ? b.f(0) : b.i(0);
  Value firstWeight = v.mul(at.output, v.i64(window.positions()));
  for (int64_t i = 0; i < window.kernel[0]; ++i)
    for (int64_t j = 0; j < window.kernel[1]; ++j) {
      Value offset = v.add(at.x, input.offset(v, window, at.inputPlane, at.y,
                                              v.i64(i), v.i64(j)));
      Value x = v.loadLanes(input.pointer, offset, inputElement);
      Value index = v.add(firstWeight, v.i64(i * window.kernel[1] + j));
      Value w = v.widen(v.loadScalar(weights, index, memoryType(weightElement)),
                        weightElement);
      if (areFloats) {
        sum = b.fma(x, v.splat(w), sum);
        continue;
      }
      if (!isZero(weightZero))
        w = v.sub(w, weightZero);
      if (!isZero(inputZero))
        x = v.sub(x, v.splat(inputZero));
      sum = v.add(sum, v.mul(x, v.splat(w)));
    }
  return sum;
}

kernel::Match cpu::checkDepthwise(const Tier &, Operation *op) {
  auto root = cast<ConvOp>(cast<kernel::DepthwiseConvOp>(op).getRoot());
  if (!root.getXScales().empty() || !root.getWScales().empty())
    return kernel::Match::other();
  Type x = typeOf(root.getX()).getElementType();
  Type w = typeOf(root.getW()).getElementType();
  bool areCodes = isByteCodes(root.getX()) && isByteCodes(root.getW());
  if (!areCodes && !(x.isF32() && w.isF32()))
    return wrongOperands(root.getX(), root.getW());
  return kernel::Match::success();
}

LogicalResult cpu::emitDepthwise(CpuProgram &program, Operation *op) {
  auto root = cast<ConvOp>(cast<kernel::DepthwiseConvOp>(op).getRoot());
  Epilogue epilogue(program, op, root.getResult(), root.getResult());
  DepthwiseShape shape(program, root);
  DepthwiseSum sum(program, root, shape);
  CaptureList list;
  sum.capture(list);
  return emitDepthwisePlanes(
      program, shape, list, epilogue,
      [&](VectorBuilder &v, const DepthwiseAt &at) { return sum(v, at); });
}
