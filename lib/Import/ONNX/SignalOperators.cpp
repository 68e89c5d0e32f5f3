//===- SignalOperators.cpp - Fourier transforms ---------------------------===//
//
// A transform is a product with a matrix of sines and cosines. Their angles are
// reduced in integers, so that those of a whole quarter turn are exact.
//
//===----------------------------------------------------------------------===//

#include "ComputedAxes.h"
#include "Operators.h"
#include "dialects/QOpt/IR/KnownIntegers.h"
#include "lib/ONNX/ElementTypes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::importer;

static constexpr double kLogOfTen = 2.302585092994046;

namespace {
/// A signal of real and imaginary parts along the last axis; no imaginary ones
/// are null.
struct Signal {
  Value real, imaginary;
};

/// What the axis of a transform is: known, or a list of one of a run.
struct TransformAxis {
  std::optional<int64_t> known;
  Value order;
};
} // namespace

static Type getLong(Composer &c) {
  return c.getNode().getBuilder().getI64Type();
}

/// A number of any rank as a list of one.
static Value asList(Composer &c, Value number) {
  return c.reshape(c.cast(number, getLong(c)), ArrayRef<int64_t>{1});
}

/// sin(quarters / size of a quarter turn), of integers in [0, 4 * size).
static Value sineOfQuarters(Composer &c, Value quarters, Value size) {
  Type f32 = c.getNode().getBuilder().getF32Type();
  Value half = c.mul(size, 2.0);
  Value isBelow = c.test<GreaterOrEqualOp>(quarters, half);
  Value inHalf = c.where(isBelow, c.sub(quarters, half), quarters);
  Value isBehind = c.test<GreaterOp>(inHalf, size);
  Value inQuarter = c.where(isBehind, c.sub(half, inHalf), inHalf);
  Value turn = c.div(c.mul(c.cast(inQuarter, f32), 1.5707963267948966),
                     c.cast(size, f32));
  Value sine = c.of<SinOp>(turn);
  return c.where(isBelow, c.of<NegOp>(sine), sine);
}

/// [size, count] of sines or cosines of 2 pi n k / size.
static Value makeWaves(Composer &c, Value size, Value count, bool isCosine) {
  Value n = c.unsqueeze(c.range(c.integers(0), size), 1);
  Value k = c.range(c.integers(0), count);
  Value steps = c.of<ModOp>(c.mul(n, k), size);
  Value quarters = c.mul(steps, 4.0);
  if (isCosine)
    quarters = c.of<ModOp>(c.add(quarters, size), c.mul(size, 4.0));
  return sineOfQuarters(c, quarters, size);
}

/// The last axis with `size` elements: cut, or zeros behind.
static Value resizeLast(Composer &c, Value x, Value size) {
  if (!x)
    return {};
  int64_t axis = getRank(x) - 1;
  Value have = c.dimOf(x, axis), places = c.range(c.integers(0), size);
  Value inside = c.of<MinOp>(places, c.sub(have, 1.0));
  return c.where(c.test<LessOp>(places, have), c.gather(x, inside, axis), 0.0);
}

/// The discrete transform of the last axis, of `size` points; `count` results.
static Signal transform(Composer &c, const Signal &x, Value size, Value count,
                        bool isInverse) {
  Value cosines = makeWaves(c, size, count, true);
  Value sines = makeWaves(c, size, count, false);
  if (isInverse) {
    sines = c.of<NegOp>(sines);
    Value points = c.cast(size, c.getNode().getBuilder().getF32Type());
    cosines = c.div(cosines, points);
    sines = c.div(sines, points);
  }
  if (!cosines || !sines)
    return {};
  Type type = getElementType(x.real);
  cosines = c.cast(cosines, type);
  sines = c.cast(sines, type);
  Signal result{c.matmul(x.real, cosines),
                c.of<NegOp>(c.matmul(x.real, sines))};
  if (x.imaginary)
    result = {c.add(result.real, c.matmul(x.imaginary, sines)),
              c.add(result.imaginary, c.matmul(x.imaginary, cosines))};
  return result;
}

/// The real signal of `size` points whose transform begins with `x`.
static Value transformToReal(Composer &c, const Signal &x, Value size,
                             Value count) {
  // All but the first and, of an even size, the middle one stand for two.
  Type f32 = c.getNode().getBuilder().getF32Type();
  Value k = c.range(c.integers(0), count);
  Value isSingle =
      c.of<OrOp>(c.test<EqualOp>(k, 0.0), c.test<EqualOp>(c.mul(k, 2.0), size));
  Value weights =
      c.unsqueeze(c.where(isSingle, c.number(1, f32), c.number(2, f32)), 1);
  weights = c.div(weights, c.cast(size, f32));
  auto wavesOf = [&](bool isCosine) {
    Value waves = makeWaves(c, size, count, isCosine);
    return c.mul(c.swapAxes(waves, 0, 1), weights);
  };
  Value result = c.matmul(x.real, wavesOf(true));
  return x.imaginary ? c.sub(result, c.matmul(x.imaginary, wavesOf(false)))
                     : result;
}

/// The parts of a signal whose last axis holds one or two numbers.
static Signal splitParts(Composer &c, Value x, int64_t axis) {
  bool isComplex = getType(x).getDimSize(axis) == 2;
  return {c.squeeze(c.slice(x, axis, 0, 1), axis),
          isComplex ? c.squeeze(c.slice(x, axis, 1, 2), axis) : Value()};
}

static LogicalResult checkSignal(NodeImporter &node, Value x) {
  if (failed(node.expectFloat(x)))
    return failure();
  if (getElementType(x).isF64())
    return node.fail(unsupported("elements of f64 are not supported"));
  int64_t last = getRank(x) < 2 ? 0 : getType(x).getShape().back();
  if (last == 1 || last == 2)
    return success();
  return node.fail(malformed("expects a signal whose last dim is 1 or 2, but "
                             "found " +
                             toString(x.getType())));
}

/// Puts the axis of the transform last, behind real and imaginary parts, or
/// back from there.
static Value moveAxis(Composer &c, Value x, const TransformAxis &axis,
                      bool isBack) {
  if (!x)
    return {};
  if (!axis.known) {
    Value order = axis.order;
    if (isBack) {
      auto type = RankedTensorType::get({}, getLong(c));
      auto sorted = TopKOp::create(
          c.getNode().getBuilder(), c.getNode().getLoc(), TypeRange{type, type},
          ValueRange{order, c.integers(getRank(x))},
          ArrayRef<NamedAttribute>{c.getNode().attr("axis", int64_t(0)),
                                   c.getNode().attr("largest", false)});
      if (failed(c.getNode().finish(sorted)))
        return {};
      order = sorted.getIndices();
    }
    return permute(c, x, order);
  }
  SmallVector<int64_t> order, back(getRank(x));
  for (int64_t i = 0; i < getRank(x); ++i)
    if (i != *axis.known)
      order.push_back(i);
  order.push_back(*axis.known);
  for (auto [i, from] : llvm::enumerate(order))
    back[from] = i;
  return c.transpose(x, isBack ? back : order);
}

static std::optional<TransformAxis> readAxis(Composer &c, Value x) {
  NodeImporter &node = c.getNode();
  int64_t rank = getRank(x);
  Value given = node.getInput(2);
  int64_t number = node.getOpset() < 20 ? node.getInt("axis", 1) : -2;
  if (given) {
    auto known = getAllKnownIntegers(given);
    if (!known) {
      Value mark = markAxes(c, asList(c, given), rank);
      return TransformAxis{std::nullopt, orderAxes(c, mark)};
    }
    number = known->front();
  }
  std::optional<int64_t> axis = node.getAxis(number, rank);
  if (!axis)
    return std::nullopt;
  if (*axis == rank - 1) {
    (void)node.fail(malformed("expects an axis in front of the last one, which "
                              "holds real and imaginary parts"));
    return std::nullopt;
  }
  return TransformAxis{axis, {}};
}

static LogicalResult importDFT(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), length = node.getInput(1);
  bool isInverse = node.getInt("inverse", 0) != 0;
  bool isOneSided = node.getInt("onesided", 0) != 0;
  if (failed(checkSignal(node, x)))
    return failure();
  std::optional<TransformAxis> axis = readAxis(c, x);
  if (!axis)
    return failure();
  int64_t rank = getRank(x);
  int64_t parts = getType(x).getShape().back();
  Value moved = moveAxis(c, x, *axis, /*isBack=*/false);
  if (!moved)
    return failure();
  // The parts stand in front of the axis now; their number is known.
  Signal signal{c.squeeze(c.slice(moved, rank - 2, 0, 1), rank - 2), {}};
  if (parts == 2)
    signal.imaginary = c.squeeze(c.slice(moved, rank - 2, 1, 2), rank - 2);
  bool isReal = isInverse && isOneSided;
  Value have = c.dimOf(signal.real, rank - 2);
  Value size = length   ? asList(c, length)
               : isReal ? c.mul(c.sub(have, 1.0), 2.0)
                        : have;
  Value half = c.add(c.div(size, 2.0), 1.0);
  Value points = isReal ? half : size;
  if (length || isReal) {
    signal.real = resizeLast(c, signal.real, points);
    signal.imaginary = resizeLast(c, signal.imaginary, points);
  }
  Value result;
  if (isReal) {
    result = c.unsqueeze(transformToReal(c, signal, size, half), rank - 2);
  } else {
    Signal found =
        transform(c, signal, size, isOneSided ? half : size, isInverse);
    result = c.concat({c.unsqueeze(found.real, rank - 2),
                       c.unsqueeze(found.imaginary, rank - 2)},
                      rank - 2);
  }
  return node.setOutput(0, moveAxis(c, result, *axis, /*isBack=*/true));
}

static LogicalResult importSTFT(NodeImporter &node) {
  Composer c(node);
  Value x = node.getInput(0), window = node.getInput(2);
  Value length = node.getInput(3);
  bool isOneSided = node.getInt("onesided", 1) != 0;
  // ONNX Runtime takes a real signal without its axis of parts too.
  if (getRank(x) == 2 && succeeded(node.expectFloat(x)))
    x = c.unsqueeze(x, 2);
  if (failed(checkSignal(node, x)))
    return failure();
  if (getRank(x) != 3)
    return node.fail(malformed("expects a signal of rank 3, but found " +
                               toString(x.getType())));
  if (!window && !length)
    return node.fail(malformed("expects a window or a frame_length"));
  Value step = asList(c, node.getInput(1));
  Value size = length ? asList(c, length) : c.dimOf(window, 0);
  Value frames = c.add(c.div(c.sub(c.dimOf(x, 1), size), step), 1.0);
  Value starts = c.mul(c.range(c.integers(0), frames), step);
  Value places = c.add(c.unsqueeze(starts, 1), c.range(c.integers(0), size));
  Signal signal = splitParts(c, x, 2);
  auto frame = [&](Value part) {
    if (!part)
      return Value();
    Value cut = c.gather(part, places, 1);
    return window ? c.mul(cut, c.cast(window, getElementType(part))) : cut;
  };
  Value count = isOneSided ? c.add(c.div(size, 2.0), 1.0) : size;
  Signal found = transform(c, {frame(signal.real), frame(signal.imaginary)},
                           size, count, /*isInverse=*/false);
  return node.setOutput(
      0, c.concat({c.unsqueeze(found.real, 3), c.unsqueeze(found.imaginary, 3)},
                  3));
}

/// Triangles over the bins of a spectrum; all five numbers may be a run's.
static LogicalResult importMelWeightMatrix(NodeImporter &node) {
  Composer c(node);
  Type f32 = node.getBuilder().getF32Type();
  Type type = getOnnxElementType(
      node.getBuilder().getContext(),
      node.getInt("output_datatype", onnx::TensorProto::FLOAT));
  if (!type || type.isInteger(1))
    return node.fail(malformed("expects an output_datatype of numbers"));
  Value numMels = asList(c, node.getInput(0));
  Value size = asList(c, node.getInput(1)), rate = asList(c, node.getInput(2));
  auto toMel = [&](Value hertz) {
    Value list = c.reshape(c.cast(hertz, f32), ArrayRef<int64_t>{1});
    // 2595 log10(1 + f / 700)
    return c.mul(c.of<LogOp>(c.add(c.div(list, 700.0), 1.0)), 2595 / kLogOfTen);
  };
  Value low = toMel(node.getInput(3)), high = toMel(node.getInput(4));
  Value count = c.add(numMels, 2.0);
  Value step = c.div(c.sub(high, low), c.cast(count, f32));
  Value mels =
      c.add(c.mul(c.cast(c.range(c.integers(0), count), f32), step), low);
  Value hertz =
      c.mul(c.sub(c.of<ExpOp>(c.mul(mels, kLogOfTen / 2595)), 1.0), 700.0);
  Value bins = c.of<FloorOp>(
      c.div(c.mul(hertz, c.cast(c.add(size, 1.0), f32)), c.cast(rate, f32)));
  auto from = [&](int64_t first) {
    Value start = c.integers(first);
    return c.slice(bins, 0, start, c.add(start, numMels));
  };
  Value begin = from(0), middle = from(1), end = from(2);
  Value numBins = c.add(c.div(size, 2.0), 1.0);
  Value bin = c.unsqueeze(c.cast(c.range(c.integers(0), numBins), f32), 1);
  auto safe = [&](Value span) { return c.of<MaxOp>(span, 1.0); };
  Value rise = c.div(c.sub(bin, begin), safe(c.sub(middle, begin)));
  Value fall = c.div(c.sub(end, bin), safe(c.sub(end, middle)));
  Value isMiddle = c.test<EqualOp>(bin, middle);
  rise =
      c.where(c.of<AndOp>(isMiddle, c.test<EqualOp>(begin, middle)), 1.0, rise);
  Value rises = c.of<AndOp>(c.test<GreaterOrEqualOp>(bin, begin),
                            c.test<LessOrEqualOp>(bin, middle));
  Value falls = c.of<AndOp>(c.test<GreaterOrEqualOp>(bin, middle),
                            c.test<LessOp>(bin, end));
  Value result = c.where(falls, fall, c.where(rises, rise, 0.0));
  return node.setOutput(0, c.cast(result, type));
}

ArrayRef<Operator> qopt::importer::getSignalOperators() {
  static constexpr Operator rows[] = {
      {"DFT", 17, 1, 3, importDFT, "no float64"},
      {"MelWeightMatrix", 17, 5, 5, importMelWeightMatrix},
      {"STFT", 17, 2, 4, importSTFT, "no float64"},
  };
  return rows;
}
