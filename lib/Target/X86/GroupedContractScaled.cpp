//===- GroupedContractScaled.cpp - Codes times powers of two --------------===//
//
// Codes have at most 8 bits, so a product of two of them has 16: it is exact
// between 2^-126 and 2^127.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractScaled.h"
#include "GroupedContractTile.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;

/// Values from 2^-60 to 2^60 are moderate.
static constexpr int32_t kModerateLog2 = 60;

namespace {
/// Scales runs of f32 in place of a kernel's part and watches their magnitudes.
class Scaler {
public:
  Scaler(VectorBuilder &v, ScaleWord kind)
      : v(v), b(v.b, v.loc, kLanes), kind(kind) {}

  /// Writes `count` values: those of `valueAt` times the power `wordAt`.
  /// Returns 0 where all are moderate.
  Value run(Value count, function_ref<Value(Value)> valueAt,
            function_ref<Value(Value)> wordAt, Value target, Value first) {
    Value seen =
        v.loop(v.i64(0), count, kLanes, {b.i(0)},
               [&](Value i, ValueRange before) {
                 Value scaled = scaleByPower(v, kind, valueAt(i), wordAt(i));
                 v.store(scaled, target, v.add(first, i));
                 Value exists = v.mask(v.sub(count, i));
                 Value extreme = b.select(exists, isExtreme(scaled), b.i(0));
                 return SmallVector<Value>{b.orI(before.front(), extreme)};
               })
            .front();
    return vector::ReductionOp::create(v.b, v.loc, vector::CombiningKind::OR,
                                       seen);
  }

private:
  /// 1 in the lanes that are neither 0 nor moderate.
  Value isExtreme(Value x) {
    Value magnitude = b.andI(b.bitsOf(x), b.i(0x7FFFFFFF));
    Value isLow = b.ltS(magnitude, b.i((127 - kModerateLog2) << 23));
    Value isHigh = b.gtS(magnitude, b.i((127 + kModerateLog2) << 23));
    Value isSmall = b.andM(isLow, b.neI(magnitude, b.i(0)));
    return b.select(b.orM(isSmall, isHigh), b.i(1), b.i(0));
  }

  VectorBuilder &v;
  numerics::MLIRPolicy b;
  ScaleWord kind;
};
} // namespace

ScaledOperand x86::scaleInput(ProgramEmitter &program, const Window &window,
                              const WindowInput &input,
                              const InputScales &scales,
                              const ImageSize &size) {
  VectorBuilder host = program.vectors();
  Value planes = host.mul(size.images, size.channels);
  ScaledOperand result;
  result.pointer =
      program.temporary(host.product({planes, input.planeStride, host.i64(4)}));
  result.flags = program.temporary(host.mul(planes, host.i64(4)));

  ScaledOperand target = result;
  WindowInput source = input;
  InputScales words = scales;
  Value channels = size.channels;
  CaptureList list;
  target.capture(list);
  source.capture(list);
  words.capture(list);
  list.add(channels);
  program.launch("scale_input", list.values(), planes, [&](KernelScope &scope) {
    list.enter(scope);
    VectorBuilder v(scope.b, scope.loc);
    Value image = v.div(scope.part, channels);
    Value channel = v.rem(scope.part, channels);
    Value first = v.mul(scope.part, source.planeStride);
    Value count = v.mul(source.phaseStride, v.i64(window.strides[1]));
    Value flag =
        Scaler(v, words.wordKind())
            .run(
                count,
                [&](Value i) {
                  return v.load(source.pointer, v.add(first, i),
                                v.b.getF32Type());
                },
                [&](Value i) { return words.inPlane(v, image, channel, i); },
                target.pointer, first);
    v.storeScalar(flag, target.flags, scope.part);
  });
  return result;
}

ScaledOperand x86::scaleWeight(ProgramEmitter &program,
                               const DecodedWeight &weight, int64_t outputs,
                               int64_t positions, const GroupShape &groups) {
  VectorBuilder host = program.vectors();
  int64_t stride = llvm::alignTo(positions, kLanes);
  ScaledOperand result;
  result.rowStride = host.i64(stride);
  result.pointer = program.temporary(host.i64(outputs * stride * 4));
  result.flags = program.temporary(host.i64(outputs * 4));

  ScaledOperand target = result;
  DecodedWeight source = weight;
  CaptureList list;
  target.capture(list);
  list.add({&source.pointer, &source.rowStride, &source.scales});
  program.launch(
      "scale_weight", list.values(), host.i64(outputs),
      [&](KernelScope &scope) {
        list.enter(scope);
        VectorBuilder v(scope.b, scope.loc);
        Value count = v.i64(positions);
        ScaleWord kind = groups.scaleWord;
        Type word = scaleWordType(v, kind);
        auto load = [&](Value pointer, Value row, Value i, Type type) {
          return v.loadMasked(pointer, v.add(row, i), type, v.sub(count, i));
        };
        Value row = v.mul(scope.part, source.rowStride);
        Value words = v.mul(scope.part, count);
        Value flag = Scaler(v, kind).run(
            count,
            [&](Value i) {
              return load(source.pointer, row, i, v.b.getF32Type());
            },
            [&](Value i) {
              Value power =
                  source.scales
                      ? load(source.scales, words, i, word)
                      : v.constant(cast<TypedAttr>(v.b.getZeroAttr(word)),
                                   kLanes);
              return divideWord(v, kind, power, groups.multiplierLog2);
            },
            target.pointer, v.mul(scope.part, v.i64(stride)));
        v.storeScalar(flag, target.flags, scope.part);
      });
  return result;
}
