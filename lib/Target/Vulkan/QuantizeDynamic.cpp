//===- QuantizeDynamic.cpp - Codes with scales made from the data ---------===//
//
// One invocation a block; rows and samples are searched by many, and an element
// is the work of one. Divisions are our own: the codes follow from them.
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"
#include "ExactPolicy.h"
#include "Kernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Numerics/ElementCodes.h"
#include "lib/Target/Cpu/Kernels.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

namespace {
/// The tensors of the op on the device.
struct Tensors {
  Value x, codes, scales;
  Type xType, codeType, scaleType;
  SmallVector<Value> dims;
};
} // namespace

/// Invocations that look for the largest magnitude of a row, or of a sample:
/// one alone would walk over an image.
static constexpr int64_t kRowSearchers = 32, kSampleSearchers = 1024;

namespace {
/// The largest magnitudes of parts of each row or sample, as bits.
struct Search {
  Value rows, length, found;
  int64_t searchers;
};
} // namespace

/// The largest of the bits from `first` on.
static Value largestBits(Shader &shader, Value first, Value end, Value step,
                         llvm::function_ref<Value(Value)> bits) {
  ExactPolicy policy(shader.b, shader.loc);
  return shader.loop(
      first, end, step, policy.i(0), [&](Value i, ValueRange before) {
        return SmallVector<Value>{policy.maxS(bits(i), before[0])};
      })[0];
}

static FailureOr<Search> searchMagnitudes(DeviceProgram &program,
                                          QuantizeDynamicOp op,
                                          const Tensors &tensors) {
  host::CodeBuilder v = program.code();
  Type i32 = program.builder().getI32Type();
  bool isRow = op.getPer() == Per::Row;
  Search result;
  result.searchers = isRow ? kRowSearchers : kSampleSearchers;
  result.rows = v.product(program.dims(op.getScales().back()));
  result.length = isRow ? tensors.dims.back()
                        : v.product(ArrayRef(tensors.dims).drop_front());
  Value searches = v.mul(result.rows, v.i64(result.searchers));
  result.found = program.deviceTemporary({searches}, i32);
  auto search = [&](Shader &shader, Value index) {
    ExactPolicy policy(shader.b, shader.loc);
    Value count = shader.host(result.length),
          step = shader.i32(result.searchers);
    Value row = shader.div(index, step);
    Value begin = shader.mul(row, count);
    Value own = shader.sub(index, shader.mul(row, step));
    Value most =
        largestBits(shader, shader.add(begin, own), shader.add(begin, count),
                    step, [&](Value i) {
                      return numerics::magnitudeBits(
                          policy, shader.load(tensors.x, tensors.xType, i));
                    });
    shader.store(most, result.found, i32, index);
    return success();
  };
  if (failed(program.dispatch(searches, search)))
    return failure();
  return result;
}

/// The bits of the largest magnitude of `row`.
static Value largestFound(Shader &shader, const Search &search, Value row) {
  Type i32 = shader.b.getI32Type();
  Value begin = shader.mul(row, shader.i32(search.searchers));
  return largestBits(
      shader, begin, shader.add(begin, shader.i32(search.searchers)),
      shader.i32(1),
      [&](Value i) { return shader.load(search.found, i32, i); });
}

/// Codes of rows (or samples) with one f32 scale.
static LogicalResult quantizeRows(DeviceProgram &program, QuantizeDynamicOp op,
                                  const Tensors &tensors,
                                  const ElementFormatInfo &info) {
  host::CodeBuilder v = program.code();
  Type f32 = program.builder().getF32Type();
  FailureOr<Search> search = searchMagnitudes(program, op, tensors);
  if (failed(search))
    return failure();
  Value inverses = program.deviceTemporary({search->rows}, f32);
  auto finish = [&](Shader &shader, Value row) {
    ExactPolicy policy(shader.b, shader.loc);
    Value most = policy.floatOf(largestFound(shader, *search, row));
    auto scale = numerics::symmetricScale(policy, most, info.symmetricMax);
    shader.store(scale.scale, tensors.scales, tensors.scaleType, row);
    shader.store(scale.inverse, inverses, f32, row);
    return success();
  };
  auto quantize = [&](Shader &shader, Value index) {
    ExactPolicy policy(shader.b, shader.loc);
    Value row = shader.div(index, shader.host(search->length));
    Value code = numerics::quantizeToInt(
        policy, shader.load(tensors.x, tensors.xType, index),
        shader.load(inverses, f32, row), policy.i(0), info.symmetricMin,
        info.symmetricMax);
    shader.store(code, tensors.codes, tensors.codeType, index);
    return success();
  };
  return success(
      succeeded(program.dispatch(search->rows, finish)) &&
      succeeded(program.dispatch(v.product(tensors.dims), quantize)));
}

/// Codes of blocks along an axis with a scale each: E8M0, or with
/// `encodeScales`, of rows or samples, that of NVFP4.
static LogicalResult quantizeBlocks(DeviceProgram &program,
                                    QuantizeDynamicOp op,
                                    const Tensors &tensors,
                                    const BlockFormat &format, ScaleRule rule,
                                    Value encodeScales = {}) {
  SmallVector<Value> scaleDims = program.dims(op.getScales().front());
  int64_t axis = op.getFormat().getAxis(),
          block = op.getFormat().getBlockSize();
  host::CodeBuilder v = program.code();
  return program.dispatch(v.product(scaleDims), [&](Shader &shader,
                                                    Value index) {
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
    Value most = shader.loop(
        first, end, one, policy.i(0), [&](Value i, ValueRange before) {
          return SmallVector<Value>{
              policy.maxS(numerics::magnitudeBits(policy, get(i)), before[0])};
        })[0];
    Value factor, step;
    if (encodeScales) {
      Value row = op.getPer() == Per::Row
                      ? shader.div(index, shader.host(scaleDims.back()))
                      : place.front();
      factor = shader.load(encodeScales, shader.b.getF32Type(), row);
    }
    Value byte = encodeScales
                     ? numerics::nvfp4ScaleCode(policy, most, factor)
                     : numerics::mxScaleByte(policy, most, format, rule);
    if (encodeScales)
      step = numerics::nvfp4Step(policy, byte, factor);
    shader.store(byte, tensors.scales, tensors.scaleType, index);
    shader.loop(first, end, one, [&](Value i) {
      Value code =
          encodeScales
              ? numerics::nvfp4ElementCode(policy, get(i), step)
              : numerics::mxElementCode(policy, get(i), most, byte, format);
      shader.store(code, tensors.codes, tensors.codeType, at(i));
    });
    return success();
  });
}

/// For each row or sample, the factor that brings block scales of NVFP4 into
/// E4M3, in device memory; the outer scale is 1 over it.
static FailureOr<Value> computeEncodeScales(DeviceProgram &program,
                                            QuantizeDynamicOp op,
                                            const Tensors &tensors,
                                            Value outerScales) {
  Type f32 = program.builder().getF32Type();
  FailureOr<Search> search = searchMagnitudes(program, op, tensors);
  if (failed(search))
    return failure();
  Value encodeScales = program.deviceTemporary({search->rows}, f32);
  auto finish = [&](Shader &shader, Value row) {
    ExactPolicy policy(shader.b, shader.loc);
    Value scale = numerics::nvfp4EncodeScaleOfBits(
        policy, largestFound(shader, *search, row));
    shader.store(scale, encodeScales, f32, row);
    shader.store(policy.div(policy.f(1), scale), outerScales, f32, row);
    return success();
  };
  if (failed(program.dispatch(search->rows, finish)))
    return failure();
  return encodeScales;
}

static bool hasRows(QuantizeDynamicOp op) {
  return op.getFormat().getBlockSize() == 0;
}

static bool isNvfp4(QuantizeDynamicOp op) {
  return !hasRows(op) && op.getScales().size() == 2 &&
         isa<Float8E4M3FNType>(getElementTypeOrSelf(op.getScales().front())) &&
         getElementTypeOrSelf(op.getScales().back()).isF32();
}

kernel::Match vulkan::checkQuantizeDynamic(const AnyDevice &,
                                           Operation *kernel) {
  auto rows = cast<kernel::RowsOp>(kernel);
  auto op = cast<QuantizeDynamicOp>(rows.getRoot());
  Block &body = rows.getBodyBlock();
  if (body.getOperations().size() != 2)
    return kernel::Match::failure("other ops stand beside the quantizer");
  const BlockFormat &format = *lookupFormat(op.getFormat().getName());
  bool isKnown = hasRows(op) ? format.elementInfo().isInteger()
                             : format.hasSharedExponent();
  if (!isNvfp4(op) && !(isKnown && op.getScales().size() == 1))
    return kernel::Match::failure("format " + op.getFormat().getName() +
                                  " has no kernel");
  Type x = getElementTypeOrSelf(op.getX());
  if (!x.isF32() && !x.isF16() && !x.isBF16())
    return host::unsupported(x);
  return kernel::Match::success();
}

/// The memory of what the quantizer makes: a result's, or this op's alone where
/// nobody reads it.
static Value place(DeviceProgram &program, Operation *kernel, Value made) {
  Operation *yield = kernel->getRegion(0).front().getTerminator();
  Value memory;
  for (OpOperand &yielded : yield->getOpOperands())
    if (yielded.get() == made)
      memory =
          program.destination(kernel->getResult(yielded.getOperandNumber()));
  if (memory)
    return memory;
  return program.deviceTemporary(program.dims(made),
                                 getElementTypeOrSelf(made));
}

LogicalResult vulkan::emitQuantizeDynamic(DeviceProgram &program,
                                          Operation *kernel) {
  auto op = cast<QuantizeDynamicOp>(cast<kernel::RowsOp>(kernel).getRoot());
  const BlockFormat &format = *lookupFormat(op.getFormat().getName());
  auto x = program.handle(op.getX());
  if (failed(x))
    return failure();
  Tensors tensors;
  tensors.x = *x;
  tensors.xType = getElementTypeOrSelf(op.getX());
  tensors.dims = program.dims(op.getX());
  tensors.codes = place(program, kernel, op.getCodes());
  tensors.scales = place(program, kernel, op.getScales().front());
  tensors.codeType = getElementTypeOrSelf(op.getCodes());
  tensors.scaleType = getElementTypeOrSelf(op.getScales().front());
  if (isNvfp4(op)) {
    auto encodeScales = computeEncodeScales(
        program, op, tensors, place(program, kernel, op.getScales().back()));
    if (failed(encodeScales))
      return failure();
    return quantizeBlocks(program, op, tensors, format, ScaleRule::Floor,
                          *encodeScales);
  }
  return hasRows(op)
             ? quantizeRows(program, op, tensors, format.elementInfo())
             : quantizeBlocks(program, op, tensors, format, op.getRule());
}
