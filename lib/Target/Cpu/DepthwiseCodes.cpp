//===- DepthwiseCodes.cpp - Depthwise convolutions of 8-bit codes ---------===//
//
// A word of four neighbouring codes of a row is multiplied by a word of four
// taps. Words at byte r of a row, at r + 4, r + 8 ... belong to every fourth
// output (with a stride of 2, to every second), so plain loads from r = 0, 1, 2
// and 3 give 64 outputs without a shuffle of codes; their sums are interleaved.
//
// A plane is walked in strips that stay in L1: the strip's input is copied with
// its borders, as unsigned bytes, then summed as one long row whose outputs
// behind the end of a row are dropped. A part is a plane or several small ones,
// which take each step together: a load that spans stores waits until these
// have left the core, and so it waits once for all planes.
//
//===----------------------------------------------------------------------===//

#include "ContractCodes.h"
#include "Depthwise.h"
#include "Dot.h"
#include "Packing.h"
#include "ProductKernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

/// What a vector of codes holds.
static constexpr int64_t kBytes = 64;
/// Codes in a word.
static constexpr int64_t kWord = 4;
/// Outputs of a strip. A row of more is cut: where there are several strips
/// side by side, each is one row, so outputs are always written in order.
static constexpr int64_t kStripOutputs = 4096;
/// Outputs of the planes of a part, unless one alone has more, and how many
/// parts there are to be before a part has several planes.
static constexpr int64_t kPartOutputs = 1024, kWantedParts = 16;
/// Words of a kernel: its loops are written out.
static constexpr int64_t kMostWords = 32;

static TapShape tapsOf(const Window &window, int64_t outputs) {
  return {outputs, window.kernel[0], window.kernel[1], window.dilations[1]};
}

static Window windowOf(ConvOp op) {
  return Window(typeOf(op.getW()).getShape().drop_front(2), op.getStrides(),
                op.getPads(), op.getDilations());
}

namespace {
/// The strips of a plane. Host values, in the kernel its own.
struct Strips {
  Strips(VectorBuilder &v, const DepthwiseShape &shape);
  void capture(CaptureList &captures) {
    captures.add({&columns, &rows, &rowBytes, &shared, &phaseBytes, &inputBytes,
                  &planeBytes, &memory, &planes});
  }

  /// The outputs of a strip: columns and rows. The last ones have fewer.
  Value columns, rows;
  /// Of its input: from a row to the next, where a row's right border is the
  /// next one's left one; what two rows share; the rows of a *phase*; all. Row
  /// q * s + p of a strip is row q of phase p, where s is the stride along H.
  Value rowBytes, shared, phaseBytes, inputBytes;
  /// Of a plane: the input, and the sums behind it. A thread has that of the
  /// planes of a part.
  Value planeBytes, memory, planes;

  Value bytes(VectorBuilder &v) const { return v.mul(planes, planeBytes); }
};

/// A strip in the kernel.
struct Strip {
  /// The first output.
  Value y, x;
  Value rows, columns;
};

/// Writes the kernel.
class CodeDepthwise {
public:
  CodeDepthwise(CpuProgram &program, ConvOp op, Epilogue &epilogue);
  void launch(CpuProgram &program);

private:
  void capture(CaptureList &captures);
  void startPart(VectorBuilder &v, const KernelScope &scope);
  void forEachPlane(VectorBuilder &v, llvm::function_ref<void()> body);
  void startSums(VectorBuilder &v);
  void copyInput(VectorBuilder &v, const Strip &strip);
  void copyRow(VectorBuilder &v, const Strip &strip, Value inputRow, Value out);
  void fill(VectorBuilder &v, Value out, Value first, Value last);
  void sum(VectorBuilder &v, const Strip &strip);
  Value loadWords(VectorBuilder &v, Value row, Value offset);
  void finish(VectorBuilder &v, const Strip &strip);

  /// Vectors of sums that interleave.
  int64_t vectors() const { return kWord / window.strides[1]; }

  const Tier &tier;
  Epilogue &epilogue;
  DepthwiseShape shape;
  Window window;
  TapShape taps;
  Type element;
  Strips strips;
  Value source, weights, weightSums, inputZero, weightZero;

  /// Of the part in work.
  Value firstPlane, numPlanes, memory, border;
  /// Of the plane in work.
  DepthwiseAt at;
  Value start, input, sums;
  std::unique_ptr<Dot> dot;
  SmallVector<Dot::Operand> words;
};
} // namespace

Strips::Strips(VectorBuilder &v, const DepthwiseShape &shape) {
  const Window &window = shape.window;
  int64_t stride = window.strides[1], taps = tapsOf(window, 0).span();
  columns = v.min(v.max(shape.width, v.i64(1)), v.i64(kStripOutputs));
  Value needed =
      v.add(v.mul(v.sub(columns, v.i64(1)), v.i64(stride)), v.i64(taps));
  Value left = v.i64(window.before[1]);
  Value right = v.sub(v.sub(needed, left), shape.inputWidth);
  // Strips side by side have no borders between them.
  shared = v.select(v.less(v.i64(kStripOutputs), shape.width), v.i64(0),
                    v.max(v.min(left, right), v.i64(0)));
  Value rowOutputs =
      v.max(v.ceilDiv(v.sub(needed, shared), v.i64(stride)), v.i64(1));
  rowBytes = v.mul(rowOutputs, v.i64(stride));
  rows = v.max(v.div(v.i64(kStripOutputs), rowOutputs), v.i64(1));
  rows = v.min(rows, v.max(shape.height, v.i64(1)));
  int64_t phases = window.strides[0];
  int64_t halo = (window.kernel[0] - 1) * window.dilations[0] + 1;
  Value inputRows =
      v.add(v.mul(v.sub(rows, v.i64(1)), v.i64(phases)), v.i64(halo));
  // A row may spill a vector into what lies behind it, and so do the words of
  // outputs that are dropped.
  phaseBytes = v.add(v.mul(v.ceilDiv(inputRows, v.i64(phases)), rowBytes),
                     v.add(shared, v.i64(kBytes)));
  int64_t spill =
      2 * kBytes + llvm::alignTo(tapsOf(window, 0).rowWords() * kWord, kBytes);
  auto aligned = [&](Value bytes) {
    return v.mul(v.ceilDiv(bytes, v.i64(kBytes)), v.i64(kBytes));
  };
  inputBytes = aligned(v.add(v.mul(phaseBytes, v.i64(phases)), v.i64(spill)));
  Value outputs = v.add(v.mul(rows, rowOutputs), v.i64(2 * kBytes));
  planeBytes = v.add(inputBytes, aligned(v.mul(outputs, v.i64(4))));
  // Planes of one strip only.
  Value isCut = v.add(v.max(v.sub(shape.height, rows), v.i64(0)),
                      v.max(v.sub(shape.width, columns), v.i64(0)));
  planes = v.min(v.div(v.i64(kPartOutputs), v.max(outputs, v.i64(1))),
                 v.div(shape.planes, v.i64(kWantedParts)));
  planes =
      v.max(v.select(v.equal(isCut, v.i64(0)), planes, v.i64(1)), v.i64(1));
}

CodeDepthwise::CodeDepthwise(CpuProgram &program, ConvOp op, Epilogue &epilogue)
    : tier(program.tier()), epilogue(epilogue), shape(program, op),
      window(shape.window),
      taps(tapsOf(window, typeOf(op.getW()).getDimSize(0))), strips([&] {
        VectorBuilder v(program.code());
        return Strips(v, shape);
      }()) {
  CodeOperand x{op.getX(), op.getXZeros()}, w{op.getW(), op.getWZeros()};
  element = x.element();
  inputZero = storedZero(program, x, /*storedUnsigned=*/true);
  weightZero = storedZero(program, w, /*storedUnsigned=*/false);
  strips.memory = [&] {
    VectorBuilder v(program.code());
    return program.scratch(strips.bytes(v));
  }();
  source = program.buffer(op.getX()).pointer;
  bool withSums = !isZero(inputZero);
  SmallVector<Value> pieces = program.packedWeights(
      op.getW(), ElementForm::Integers, [&](ArrayRef<uint8_t> codes) {
        return packCodeTaps(codes, taps, w.isUnsigned()).pieces(withSums);
      });
  weights = pieces.front();
  if (withSums)
    weightSums = pieces.back();
}

void CodeDepthwise::capture(CaptureList &captures) {
  shape.capture(captures);
  strips.capture(captures);
  captures.add({&source, &weights, &weightSums, &inputZero, &weightZero});
}

void CodeDepthwise::launch(CpuProgram &program) {
  shape.setGroups(epilogue);
  VectorBuilder host(program.code());
  Value parts = host.ceilDiv(shape.planes, strips.planes);
  CaptureList list;
  capture(list);
  cpu::launch(program, "depthwise", list, epilogue, parts,
              [&](VectorBuilder &v, KernelScope &scope) {
                startPart(v, scope);
                Value rowStrips = v.ceilDiv(shape.height, strips.rows);
                Value columnStrips = v.ceilDiv(shape.width, strips.columns);
                v.loop(v.i64(0), rowStrips, 1, [&](Value i) {
                  v.loop(v.i64(0), columnStrips, 1, [&](Value j) {
                    Strip strip;
                    strip.y = v.mul(i, strips.rows);
                    strip.x = v.mul(j, strips.columns);
                    strip.rows =
                        v.min(strips.rows, v.sub(shape.height, strip.y));
                    strip.columns =
                        v.min(strips.columns, v.sub(shape.width, strip.x));
                    forEachPlane(v, [&] { copyInput(v, strip); });
                    forEachPlane(v, [&] { sum(v, strip); });
                    forEachPlane(v, [&] { finish(v, strip); });
                  });
                });
              });
}

void CodeDepthwise::startPart(VectorBuilder &v, const KernelScope &scope) {
  firstPlane = v.mul(scope.part, strips.planes);
  numPlanes = v.min(v.sub(shape.planes, firstPlane), strips.planes);
  memory = v.address(strips.memory, v.mul(scope.thread, strips.bytes(v)),
                     v.b.getI8Type());
  Value zero = arith::TruncIOp::create(v.b, v.loc, v.b.getI8Type(), inputZero);
  border = v.splat(zero, kBytes);
}

void CodeDepthwise::forEachPlane(VectorBuilder &v,
                                 llvm::function_ref<void()> body) {
  v.loop(v.i64(0), numPlanes, 1, [&](Value i) {
    at = shape.planeAt(v, v.add(firstPlane, i));
    input = v.address(memory, v.mul(i, strips.planeBytes), v.b.getI8Type());
    sums = v.address(input, strips.inputBytes, v.b.getI8Type());
    body();
  });
}

/// What is the same for all sums of a plane.
void CodeDepthwise::startSums(VectorBuilder &v) {
  // sum (u - zu)(s - zs) = sum u s - zs sum u + zu (K zs - sum s).
  start = v.i32(0);
  if (shape.bias)
    start = v.loadScalar(shape.bias, at.output, v.b.getI32Type());
  if (weightSums) {
    Value sumOfTaps = v.loadScalar(weightSums, at.output, v.b.getI32Type());
    Value all = v.mul(v.i32(window.positions()), weightZero);
    start = v.add(start, v.mul(inputZero, v.sub(all, sumOfTaps)));
  }
  dot = Dot::make(v, tier, DotKind::UnsignedLanes);
  words.clear();
  Value first = v.mul(at.output, v.i64(taps.words()));
  for (int64_t i = 0; i < taps.words(); ++i)
    words.push_back(dot->row(
        v.loadScalar(weights, v.add(first, v.i64(i)), v.b.getI32Type())));
}

//===----------------------------------------------------------------------===//
// The input of a strip
//===----------------------------------------------------------------------===//

void CodeDepthwise::copyInput(VectorBuilder &v, const Strip &strip) {
  Value phases = v.i64(window.strides[0]);
  int64_t halo = (window.kernel[0] - 1) * window.dilations[0] + 1;
  Value count = v.add(v.mul(v.sub(strip.rows, v.i64(1)), phases), v.i64(halo));
  Value first = v.sub(v.mul(strip.y, phases), v.i64(window.before[0]));
  v.loop(v.i64(0), count, 1, [&](Value row) {
    Value out = v.add(v.mul(v.rem(row, phases), strips.phaseBytes),
                      v.mul(v.div(row, phases), strips.rowBytes));
    Value inputRow = v.add(first, row);
    // Negative numbers are large unsigned ones.
    Value isInside = arith::CmpIOp::create(
        v.b, v.loc, arith::CmpIPredicate::ult, inputRow, shape.inputHeight);
    v.ifElse(
        isInside, [&] { copyRow(v, strip, inputRow, out); },
        [&] { fill(v, out, v.i64(0), strips.rowBytes); });
  });
  // No row is behind the last one of a phase.
  v.loop(v.i64(0), phases, 1, [&](Value phase) {
    Value rows = v.ceilDiv(v.max(v.sub(count, phase), v.i64(0)), phases);
    Value out =
        v.add(v.mul(phase, strips.phaseBytes), v.mul(rows, strips.rowBytes));
    fill(v, out, v.i64(0), strips.shared);
  });
}

void CodeDepthwise::fill(VectorBuilder &v, Value out, Value first, Value last) {
  v.loop(first, last, kBytes,
         [&](Value q) { v.store(border, input, v.add(out, q)); });
}

/// Left to right in whole vectors, each of which may spill into what is written
/// next.
void CodeDepthwise::copyRow(VectorBuilder &v, const Strip &strip,
                            Value inputRow, Value out) {
  Value zero = v.i64(0);
  Value column =
      v.sub(v.mul(strip.x, v.i64(window.strides[1])), v.i64(window.before[1]));
  Value left = v.min(v.max(v.sub(zero, column), zero), strips.rowBytes);
  column = v.max(column, zero);
  Value count =
      v.min(v.sub(shape.inputWidth, column), v.sub(strips.rowBytes, left));
  count = v.max(count, zero);
  Value plane = v.mul(at.inputPlane, shape.inputHeight);
  Value from = v.add(v.mul(v.add(plane, inputRow), shape.inputWidth), column);
  fill(v, out, zero, left);
  Value target = v.add(out, left);
  v.loop(zero, count, kBytes, [&](Value q) {
    Value bytes = v.load(source, v.add(from, q), v.b.getI8Type(), kBytes);
    v.store(unsignedBytes(v, bytes, element), input, v.add(target, q));
  });
  fill(v, out, v.add(left, count), strips.rowBytes);
}

//===----------------------------------------------------------------------===//
// Sums and results
//===----------------------------------------------------------------------===//

Value CodeDepthwise::loadWords(VectorBuilder &v, Value row, Value offset) {
  Value bytes = v.load(row, offset, v.b.getI8Type(), kBytes);
  return vector::BitCastOp::create(
      v.b, v.loc, VectorType::get({kLanes}, v.b.getI32Type()), bytes);
}

/// x0 y0 x1 y1 ...: the lower 16, then the upper.
static std::pair<Value, Value> interleave(VectorBuilder &v, Value x, Value y) {
  SmallVector<int64_t> low, high;
  for (int64_t lane = 0; lane < kLanes / 2; ++lane) {
    low.append({lane, lane + kLanes});
    high.append({lane + kLanes / 2, lane + kLanes + kLanes / 2});
  }
  return {vector::ShuffleOp::create(v.b, v.loc, x, y, low),
          vector::ShuffleOp::create(v.b, v.loc, x, y, high)};
}

/// Vector r holds the outputs r, r + n, r + 2n ... of n vectors: as they follow
/// each other.
static SmallVector<Value> inOrder(VectorBuilder &v, ArrayRef<Value> vectors) {
  if (vectors.size() == 1)
    return {vectors.front()};
  SmallVector<Value> even, odd;
  for (auto [r, vector] : llvm::enumerate(vectors))
    (r % 2 ? odd : even).push_back(vector);
  SmallVector<Value> result;
  for (auto [x, y] : llvm::zip_equal(inOrder(v, even), inOrder(v, odd))) {
    auto [low, high] = interleave(v, x, y);
    result.append({low, high});
  }
  return result;
}

void CodeDepthwise::sum(VectorBuilder &v, const Strip &strip) {
  startSums(v);
  int64_t stride = window.strides[1];
  SmallVector<Value> rows;
  for (int64_t i = 0; i < window.kernel[0]; ++i) {
    int64_t row = i * window.dilations[0], phases = window.strides[0];
    Value offset = v.add(v.mul(v.i64(row % phases), strips.phaseBytes),
                         v.mul(v.i64(row / phases), strips.rowBytes));
    rows.push_back(v.address(input, offset, v.b.getI8Type()));
  }
  bool wantsInputSums = !isZero(weightZero);
  SmallVector<Dot::Operand> ones;
  for (int64_t j = 0; wantsInputSums && j < taps.rowWords(); ++j)
    ones.push_back(dot->row(v.i32(taps.onesOf(j))));

  Value last = v.add(
      v.mul(v.sub(strip.rows, v.i64(1)), v.div(strips.rowBytes, v.i64(stride))),
      strip.columns);
  v.loop(v.i64(0), last, vectors() * kLanes, [&](Value output) {
    Value first = v.mul(output, v.i64(stride));
    SmallVector<Value> found;
    for (int64_t r = 0; r < vectors(); ++r) {
      Value sum = v.splat(start);
      Value inputSum = v.splat(v.i32(0));
      for (int64_t i = 0; i < taps.words(); ++i) {
        int64_t j = i % taps.rowWords();
        Value codes = loadWords(v, rows[i / taps.rowWords()],
                                v.add(first, v.i64(r * stride + j * kWord)));
        Dot::Operand lanes = dot->lanes(codes);
        sum = dot->add(words[i], lanes, sum);
        if (wantsInputSums)
          inputSum = dot->add(ones[j], lanes, inputSum);
      }
      if (wantsInputSums)
        sum = v.sub(sum, v.mul(inputSum, v.splat(weightZero)));
      found.push_back(sum);
    }
    for (auto [i, sum] : llvm::enumerate(inOrder(v, found)))
      v.store(sum, sums, v.add(output, v.i64(i * kLanes)));
  });
}

void CodeDepthwise::finish(VectorBuilder &v, const Strip &strip) {
  Value rowOutputs = v.div(strips.rowBytes, v.i64(window.strides[1]));
  v.loop(v.i64(0), strip.rows, 1, [&](Value row) {
    v.loop(v.i64(0), strip.columns, kLanes, [&](Value column) {
      Value root =
          v.load(sums, v.add(v.mul(row, rowOutputs), column), v.b.getI32Type());
      at.y = v.add(strip.y, row);
      at.x = v.add(strip.x, column);
      epilogue.finish(v.b, shape.lanesAt(v, at), root);
    });
  });
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

kernel::Match cpu::checkCodeDepthwise(const Tier &, Operation *op) {
  auto root = cast<ConvOp>(cast<kernel::DepthwiseConvOp>(op).getRoot());
  if (!root.getXScales().empty() || !root.getWScales().empty() ||
      !isByteCodes(root.getX()) || !isByteCodes(root.getW()) ||
      !isConstant(op, root.getW()))
    return kernel::Match::other();
  Window window = windowOf(root);
  if (kWord % window.strides[1] != 0 || tapsOf(window, 0).words() > kMostWords)
    return kernel::Match::other();
  return kernel::Match::success();
}

LogicalResult cpu::emitCodeDepthwise(CpuProgram &program, Operation *op) {
  auto root = cast<ConvOp>(cast<kernel::DepthwiseConvOp>(op).getRoot());
  Epilogue epilogue(program, op, root.getResult(), root.getResult());
  CodeDepthwise(program, root, epilogue).launch(program);
  return success();
}
