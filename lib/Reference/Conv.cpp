//===- Conv.cpp - Evaluation of convolutions ------------------------------===//
//
// A convolution is a matrix product: weights [co, k] times columns [k, pixel]
// with k over (kh, kw, ci). One spatial axis is evaluated as two, the first of
// size 1. Columns are made for a tile of pixels at a time.
//
//===----------------------------------------------------------------------===//

#include "Chains.h"
#include "CodeOperand.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::reference;
using llvm::Error;
using llvm::Expected;

static constexpr int64_t kTilePixels = 512;

namespace {
struct Geometry {
  int64_t batch, channels, height, width; // of x
  int64_t outputs, groupChannels, kh, kw; // of w
  int64_t oh, ow, group;
  Shape strides, pads, dilations;

  int64_t getDepth() const { return kh * kw * groupChannels; }
  int64_t getPixels() const { return oh * ow; }
  int64_t getGroupOutputs() const { return outputs / group; }

  /// Offset in a plane of x under tap (i, j) of output pixel `pixel`; nothing
  /// outside x.
  std::optional<int64_t> getOffset(int64_t pixel, int64_t i, int64_t j) const {
    int64_t y = pixel / ow * strides[0] - pads[0] + i * dilations[0];
    int64_t x = pixel % ow * strides[1] - pads[1] + j * dilations[1];
    if (y < 0 || y >= height || x < 0 || x >= width)
      return std::nullopt;
    return y * width + x;
  }
};
} // namespace

static Geometry getGeometry(ConvOp op, ArrayRef<int64_t> x, ArrayRef<int64_t> w,
                            ArrayRef<int64_t> result) {
  Geometry g;
  g.batch = x[0], g.channels = x[1], g.height = x[2], g.width = x[3];
  g.outputs = w[0], g.groupChannels = w[1], g.kh = w[2], g.kw = w[3];
  g.group = op.getGroup();
  bool isFlat = op.getStrides().size() == 1;
  auto twoAxes = [&](ArrayRef<int64_t> values, int64_t neutral) {
    Shape both(values);
    if (isFlat)
      both.insert(both.begin(), neutral);
    return both;
  };
  g.strides = twoAxes(op.getStrides(), 1);
  g.dilations = twoAxes(op.getDilations(), 1);
  g.pads = twoAxes(op.getPads(), 0); // only the pads in front are used
  g.oh = isFlat ? 1 : result[2];
  g.ow = result.back();
  return g;
}

/// Weights [co, ci, kh, kw] as [co, (kh, kw, ci)].
template <class T>
static std::vector<T> reorderWeights(const Geometry &g,
                                     const std::vector<T> &w) {
  std::vector<T> result(w.size());
  int64_t taps = g.kh * g.kw;
  for (int64_t co = 0; co < g.outputs; ++co)
    for (int64_t ci = 0; ci < g.groupChannels; ++ci)
      for (int64_t tap = 0; tap < taps; ++tap)
        result[co * g.getDepth() + tap * g.groupChannels + ci] =
            w[(co * g.groupChannels + ci) * taps + tap];
  return result;
}

/// columns[k][p] for the pixels [begin, begin + count); `x` is at the first
/// channel of the group.
template <class T>
static void makeColumns(const Geometry &g, const T *x, int64_t begin,
                        int64_t count, T *columns) {
  for (int64_t i = 0; i < g.kh; ++i)
    for (int64_t j = 0; j < g.kw; ++j)
      for (int64_t p = 0; p < count; ++p) {
        std::optional<int64_t> offset = g.getOffset(begin + p, i, j);
        T *column = columns + (i * g.kw + j) * g.groupChannels * count + p;
        for (int64_t ci = 0; ci < g.groupChannels; ++ci)
          column[ci * count] =
              offset ? x[ci * g.height * g.width + *offset] : T(0);
      }
}

/// Calls `compute(n, group, begin, count, columns)` for each tile of pixels.
template <class T, class Compute>
static void forEachTile(const Geometry &g, const T *x, Compute compute) {
  std::vector<T> columns(g.getDepth() * std::min(kTilePixels, g.getPixels()));
  int64_t plane = g.height * g.width;
  for (int64_t n = 0; n < g.batch; ++n)
    for (int64_t group = 0; group < g.group; ++group)
      for (int64_t begin = 0; begin < g.getPixels(); begin += kTilePixels) {
        int64_t count = std::min(kTilePixels, g.getPixels() - begin);
        makeColumns(g, x + (n * g.channels + group * g.groupChannels) * plane,
                    begin, count, columns.data());
        compute(n, group, begin, count, columns.data());
      }
}

template <class T>
static void convolve(const Geometry &g, const T *x, const std::vector<T> &w,
                     T *result) {
  int64_t rows = g.getGroupOutputs(), depth = g.getDepth();
  forEachTile(
      g, x,
      [&](int64_t n, int64_t group, int64_t begin, int64_t count,
          const T *columns) {
        int64_t co = group * rows;
        addProducts(
            rows, count, depth, Matrix<const T>{w.data() + co * depth, depth},
            Matrix<const T>{columns, count},
            Matrix<T>{result + (n * g.outputs + co) * g.getPixels() + begin,
                      g.getPixels()});
      });
}

namespace {
/// A run of k that shares scales.
struct Run {
  int64_t begin, end;
};
} // namespace

/// The runs of one group of channels: blocks along the channels of x (whose
/// first is `firstChannel`) and of w at each kernel position, or all of k.
/// Blocks of w along its outputs have scales for each kernel position too.
static SmallVector<Run> getRuns(const Geometry &g, int64_t firstChannel,
                                const CodeOperand &x, const CodeOperand &w) {
  int64_t xBlock = x.getBlock(1), wBlock = w.getBlock(1);
  if (!xBlock && !wBlock && !w.getBlock(0))
    return {Run{0, g.getDepth()}};
  SmallVector<Run> runs;
  for (int64_t k = 0; k < g.getDepth(); ++k) {
    int64_t ci = k % g.groupChannels;
    if (ci == 0 || (xBlock && (firstChannel + ci) % xBlock == 0) ||
        (wBlock && ci % wBlock == 0))
      runs.push_back({k, k});
    runs.back().end = k + 1;
  }
  return runs;
}

static void convolveRuns(const Geometry &g, const CodeOperand &x,
                         const CodeOperand &w, float *result) {
  std::vector<float> reals = x.getReals();
  std::vector<float> weights = reorderWeights(g, w.getReals());
  GroupSum groupSum(x, w);
  int64_t rows = g.getGroupOutputs(), depth = g.getDepth();
  forEachTile(
      g, reals.data(),
      [&](int64_t n, int64_t group, int64_t begin, int64_t count,
          const float *columns) {
        std::vector<float> t(rows * count);
        std::vector<GroupScale> rowScales(rows), columnScales(count);
        int64_t firstChannel = group * g.groupChannels;
        for (Run run : getRuns(g, firstChannel, x, w)) {
          int64_t ci = run.begin % g.groupChannels,
                  tap = run.begin / g.groupChannels;
          int64_t i = tap / g.kw, j = tap % g.kw;
          std::fill(t.begin(), t.end(), 0.0f);
          addProducts(rows, count, run.end - run.begin,
                      Matrix<const float>{weights.data() +
                                              group * rows * depth + run.begin,
                                          depth},
                      Matrix<const float>{columns + run.begin * count, count},
                      Matrix<float>{t.data(), count});
          for (int64_t co = 0; co < rows; ++co)
            rowScales[co] = w.getScale({group * rows + co, ci, i, j});
          for (int64_t p = 0; p < count; ++p) {
            std::optional<int64_t> offset = g.getOffset(begin + p, i, j);
            int64_t channel = firstChannel + ci;
            columnScales[p] = offset
                                  ? x.getScale({n, channel, *offset / g.width,
                                                *offset % g.width})
                                  : x.getScaleOutside({n, channel, 0, 0});
          }
          for (int64_t co = 0; co < rows; ++co)
            for (int64_t p = 0; p < count; ++p) {
              float &y =
                  result[(n * g.outputs + group * rows + co) * g.getPixels() +
                         begin + p];
              y = groupSum.add(y, t[co * count + p], columnScales[p],
                               rowScales[co]);
            }
        }
      });
}

/// Adds bias[co] to each pixel of [n, co, pixel].
template <class T, class Add>
static void addBias(const Geometry &g, const T *bias, T *result, Add add) {
  for (int64_t plane = 0; plane < g.batch * g.outputs; ++plane)
    for (int64_t p = 0; p < g.getPixels(); ++p) {
      T &y = result[plane * g.getPixels() + p];
      y = add(y, bias[plane % g.outputs]);
    }
}

static Error convolveIntegers(const Evaluation &evaluation, ConvOp op,
                              const Geometry &g, const CodeOperand &x,
                              const CodeOperand &w) {
  HostTensor &result = evaluation.result();
  if (result.getType() != ElementType::I32)
    return evaluation.unsupported("cannot sum up in " +
                                  getName(result.getType()));
  int32_t *sums = result.asMutable<int32_t>().data();
  convolve(g, x.getIntegers().data(), reorderWeights(g, w.getIntegers()), sums);
  if (!op.getBias())
    return Error::success();
  const HostTensor &bias = evaluation[op.getBias()];
  if (bias.getType() != ElementType::I32)
    return evaluation.unsupported("cannot add a bias of " +
                                  getName(bias.getType()));
  addBias(g, bias.as<int32_t>().data(), sums, [](int32_t a, int32_t b) {
    return static_cast<int32_t>(static_cast<uint32_t>(a) +
                                static_cast<uint32_t>(b));
  });
  return Error::success();
}

static Error convolveReals(const Evaluation &evaluation, ConvOp op,
                           const Geometry &g, const CodeOperand &x,
                           const CodeOperand &w) {
  HostTensor &tensor = evaluation.result();
  if (!isFloat(tensor.getType()))
    return evaluation.unsupported("cannot sum up in " +
                                  getName(tensor.getType()));
  FloatResult result(tensor);
  if (getSumKind(x, w) == SumKind::Grouped)
    convolveRuns(g, x, w, result.data());
  else
    convolve(g, FloatElements(evaluation[op.getX()]).data(),
             reorderWeights(g, w.getReals()), result.data());
  if (op.getBias()) {
    FloatElements bias(evaluation[op.getBias()]);
    addBias(g, bias.data(), result.data(),
            [](float a, float b) { return a + b; });
  }
  result.commit();
  return Error::success();
}

Error reference::evaluateConv(const Evaluation &evaluation, ConvOp op) {
  std::optional<int64_t> insertAxis;
  if (op.getStrides().size() == 1)
    insertAxis = 2;
  Expected<CodeOperand> x =
      CodeOperand::get(evaluation, op.getX(), op.getXScales(), op.getXZeros(),
                       op.getXFormat(), insertAxis);
  if (!x)
    return x.takeError();
  Expected<CodeOperand> w =
      CodeOperand::get(evaluation, op.getW(), op.getWScales(), op.getWZeros(),
                       op.getWFormat(), insertAxis);
  if (!w)
    return w.takeError();
  Geometry g = getGeometry(op, x->getDims(), w->getDims(),
                           evaluation.result().getDims());
  if (g.outputs % g.group != 0)
    return evaluation.badData("expects output channels in " + Twine(g.group) +
                              " groups of one size, but found " +
                              Twine(g.outputs));
  if (g.channels != g.groupChannels * g.group)
    return evaluation.badData("expects " + Twine(g.groupChannels * g.group) +
                              " input channels, but found " +
                              Twine(g.channels));
  if (op.getBias() && evaluation[op.getBias()].getNumElements() != g.outputs)
    return evaluation.badData("expects a bias of " + Twine(g.outputs) +
                              " channels");
  if (getSumKind(*x, *w) == SumKind::Integer)
    return convolveIntegers(evaluation, op, g, *x, *w);
  return convolveReals(evaluation, op, g, *x, *w);
}
