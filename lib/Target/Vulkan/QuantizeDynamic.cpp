//===- QuantizeDynamic.cpp - Codes with scales made from the data ---------===//
//
// One invocation a row or block. Divisions are our own: the codes follow from
// them.
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"
#include "ExactPolicy.h"
#include "Kernels.h"
#include "Rows.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Numerics/ElementCodes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

static std::optional<ScaleRule> getRule(StringRef name) {
  if (name == "floor")
    return ScaleRule::Floor;
  if (name == "ceil")
    return ScaleRule::Ceil;
  if (name == "even")
    return ScaleRule::Even;
  return std::nullopt;
}

namespace {
/// The tensors of the op on the device.
struct Tensors {
  Value x, codes, scales;
  Type xType, codeType, scaleType;
  SmallVector<Value> dims;
};
} // namespace

/// Codes of rows (or samples) with one f32 scale.
static LogicalResult quantizeRows(DeviceProgram &program, QuantizeDynamicOp op,
                                  const Tensors &tensors,
                                  const ElementFormatInfo &info) {
  x86::VectorBuilder v = program.vectors();
  Value rows = v.product(program.dims(op.getScales().front()));
  Value length =
      op.getPer() == "row"
          ? tensors.dims.back()
          : v.product(ArrayRef(tensors.dims).drop_front());
  return program.dispatch(rows, [&](Shader &shader, Value row) {
    ExactPolicy policy(shader.b, shader.loc);
    Value count = shader.host(length), first = shader.mul(row, count);
    auto get = [&](Value i) {
      return shader.load(tensors.x, tensors.xType, shader.add(first, i));
    };
    Value most = rowMax(shader, count, policy.f(0),
                        [&](Value i) { return policy.abs(get(i)); });
    auto scale = numerics::symmetricScale(policy, most, info.symmetricMax);
    shader.store(scale.scale, tensors.scales, tensors.scaleType, row);
    shader.loop(shader.i32(0), count, shader.i32(1), [&](Value i) {
      Value code = numerics::quantizeToInt(policy, get(i), scale.inverse,
                                           policy.i(0), info.symmetricMin,
                                           info.symmetricMax);
      shader.store(code, tensors.codes, tensors.codeType,
                   shader.add(first, i));
    });
    return success();
  });
}

/// Codes of blocks along an axis with an E8M0 scale each.
static LogicalResult quantizeBlocks(DeviceProgram &program,
                                    QuantizeDynamicOp op,
                                    const Tensors &tensors,
                                    const BlockFormat &format, ScaleRule rule) {
  SmallVector<Value> scaleDims = program.dims(op.getScales().front());
  int64_t axis = op.getFormat().getAxis(), block = op.getFormat().getBlockSize();
  x86::VectorBuilder v = program.vectors();
  return program.dispatch(v.product(scaleDims), [&](Shader &shader, Value index) {
    ExactPolicy policy(shader.b, shader.loc);
    SmallVector<Value> place =
        shader.delinearize(index, shader.host(scaleDims));
    SmallVector<Value> space = shader.host(tensors.dims);
    Value first = shader.mul(place[axis], shader.i32(block));
    Value end = shader.min(shader.add(first, shader.i32(block)), space[axis]);
    auto at = [&](Value i) {
      SmallVector<Value> position = place;
      position[axis] = i;
      return shader.linearize(position, space);
    };
    auto get = [&](Value i) {
      return shader.load(tensors.x, tensors.xType, at(i));
    };
    Value one = shader.i32(1);
    Value most = shader.loop(first, end, one, policy.i(0),
                             [&](Value i, ValueRange before) {
                               return SmallVector<Value>{policy.maxS(
                                   numerics::magnitudeBits(policy, get(i)),
                                   before[0])};
                             })[0];
    Value byte = numerics::mxScaleByte(policy, most, format, rule);
    shader.store(byte, tensors.scales, tensors.scaleType, index);
    shader.loop(first, end, one, [&](Value i) {
      Value code =
          numerics::mxElementCode(policy, get(i), most, byte, format);
      shader.store(code, tensors.codes, tensors.codeType, at(i));
    });
    return success();
  });
}

LogicalResult vulkan::emitQuantizeDynamic(DeviceProgram &program,
                                          Operation *kernel) {
  auto op = cast<QuantizeDynamicOp>(cast<kernel::RowsOp>(kernel).getRoot());
  Block &body = cast<kernel::RowsOp>(kernel).getBodyBlock();
  const BlockFormat &format = *lookupFormat(op.getFormat().getName());
  auto rule = getRule(op.getRule());
  bool isAlone = body.getOperations().size() == 2 &&
                 llvm::equal(body.getTerminator()->getOperands(),
                             op->getResults());
  bool isRows = op.getFormat().getBlockSize() == 0 &&
                format.elementInfo().isInteger();
  bool isBlocks = op.getFormat().getBlockSize() != 0 &&
                  format.hasSharedExponent() && rule;
  if (!isAlone || op.getScales().size() != 1 || (!isRows && !isBlocks))
    return op.emitOpError("has no Vulkan kernel for the format ")
           << op.getFormat().getName();
  auto x = program.handle(op.getX());
  if (failed(x))
    return failure();
  Tensors tensors;
  tensors.x = *x;
  tensors.xType = getElementTypeOrSelf(op.getX());
  tensors.dims = program.dims(op.getX());
  tensors.codes = program.allocateOnDevice(kernel->getResult(0));
  tensors.scales = program.allocateOnDevice(kernel->getResult(1));
  tensors.codeType = getElementTypeOrSelf(op.getCodes());
  tensors.scaleType = getElementTypeOrSelf(op.getScales().front());
  if (!tensors.xType.isF32() && !tensors.xType.isF16() && !tensors.xType.isBF16())
    return op.emitOpError("has no Vulkan kernel for elements of type ")
           << tensors.xType;
  return isRows ? quantizeRows(program, op, tensors, format.elementInfo())
                : quantizeBlocks(program, op, tensors, format, *rule);
}
