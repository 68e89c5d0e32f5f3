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
using namespace qopt::cpu;

/// Values from 2^-60 to 2^60 are moderate.
static constexpr int32_t kModerateLog2 = 60;

/// Calls `body` with the first of each 16 of `count` elements and what it
/// returned for those before them; returns whether a lane is set at the end.
static Value anyLane(VectorBuilder &v, Value count,
                     function_ref<Value(Value, Value)> body) {
  Value none = v.constant(v.b.getI32IntegerAttr(0), kLanes);
  SmallVector<Value> lanes =
      v.loop(v.i64(0), count, kLanes, {none}, [&](Value i, ValueRange before) {
        return SmallVector<Value>{body(i, before.front())};
      });
  return vector::ReductionOp::create(v.b, v.loc, vector::CombiningKind::OR,
                                     lanes.front());
}

/// `seen`, with a 1 in the lanes below `count` that are neither 0 nor moderate.
static Value addExtremes(VectorBuilder &v, Value x, Value count, Value seen) {
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  Value magnitude = b.andI(b.bitsOf(x), b.i(0x7FFFFFFF));
  Value isLow = b.ltS(magnitude, b.i((127 - kModerateLog2) << 23));
  Value isHigh = b.gtS(magnitude, b.i((127 + kModerateLog2) << 23));
  Value isSmall = b.andM(isLow, b.neI(magnitude, b.i(0)));
  Value isExtreme = b.andM(b.orM(isSmall, isHigh), v.mask(count));
  return b.select(isExtreme, b.i(1), seen);
}

ScaledWeight cpu::scaleWeight(CpuProgram &program, const DecodedWeight &weight,
                              int64_t outputs, int64_t positions,
                              const GroupShape &groups) {
  VectorBuilder host(program.code());
  int64_t stride = llvm::alignTo(positions, kLanes);
  ScaledWeight result;
  result.rowStride = host.i64(stride);
  result.pointer = program.temporary(host.i64(outputs * stride * 4));
  result.flags = program.temporary(host.i64(outputs * 4));

  ScaledWeight target = result;
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
        Value to = v.mul(scope.part, v.i64(stride));
        Value flag = anyLane(v, count, [&](Value i, Value seen) {
          Value power =
              v.constant(cast<TypedAttr>(v.b.getZeroAttr(word)), kLanes);
          if (source.scales)
            power = load(source.scales, words, i, word);
          power = divideWord(v, kind, power, groups.multiplierLog2);
          Value scaled = scaleByPower(
              v, program.tier(), kind,
              load(source.pointer, row, i, v.b.getF32Type()), power);
          v.store(scaled, target.pointer, v.add(to, i));
          return addExtremes(v, scaled, v.sub(count, i), seen);
        });
        v.storeScalar(flag, target.flags, scope.part);
      });
  return result;
}

Value cpu::scaleInput(CpuProgram &program, const Window &window,
                      const WindowInput &input, const InputScales &scales,
                      const ImageSize &size, const ScaledWeight &weight,
                      int64_t multiplier) {
  VectorBuilder host(program.code());
  Value planes = host.mul(size.images, size.channels);
  Value result = program.temporary(host.mul(planes, host.i64(4)));

  Value flags = result, channels = size.channels;
  WindowInput target = input;
  InputScales words = scales;
  ScaledWeight factors = weight;
  CaptureList list;
  target.capture(list);
  words.capture(list);
  factors.capture(list);
  list.add({&flags, &channels});
  program.launch("scale_input", list.values(), planes, [&](KernelScope &scope) {
    list.enter(scope);
    VectorBuilder v(scope.b, scope.loc);
    Value image = v.div(scope.part, channels);
    Value channel = v.rem(scope.part, channels);
    Value first = v.mul(scope.part, target.planeStride);
    Value count = v.mul(target.phaseStride, v.i64(window.strides[1]));
    auto scaledAt = [&](Value i) {
      return scaleByPower(
          v, program.tier(), words.wordKind(),
          v.load(target.pointer, v.add(first, i), v.b.getF32Type()),
          words.inPlane(v, image, channel, i));
    };
    Value flag = anyLane(v, count, [&](Value i, Value seen) {
      return addExtremes(v, scaledAt(i), v.sub(count, i), seen);
    });
    for (int64_t i = 0; i < multiplier; ++i) {
      Value output = v.add(v.mul(channel, v.i64(multiplier)), v.i64(i));
      flag = arith::OrIOp::create(
          v.b, v.loc, flag,
          v.loadScalar(factors.flags, output, v.b.getI32Type()));
    }
    v.storeScalar(flag, flags, scope.part);
    v.ifThen(v.equal(flag, v.i32(0)), [&] {
      v.loop(v.i64(0), count, kLanes, [&](Value i) {
        v.store(scaledAt(i), target.pointer, v.add(first, i));
      });
    });
  });
  return result;
}
