//===- DepthwiseGrouped.cpp - Depthwise convolutions with scales ----------===//
//
// With blocks each kernel position is a group of one product; without, all
// positions are one group. Products with powers of two as scales are summed by
// fma where their magnitudes allow it.
//
//===----------------------------------------------------------------------===//

#include "Depthwise.h"
#include "GroupedContractScaled.h"
#include "GroupedContractSources.h"
#include "GroupedContractTile.h"
#include "ProductKernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

namespace {
class GroupedDepthwiseSum {
public:
  GroupedDepthwiseSum(CpuProgram &program, const GroupedOperand &x,
                      const GroupedOperand &w, const GroupShape &groups,
                      const DepthwiseShape &shape, int64_t multiplier)
      : tier(program.tier()), window(shape.window), groups(groups),
        multiplier(multiplier) {
    SmallVector<Value> dims = program.dims(x.tensor);
    ImageSize size{dims[0], dims[1], shape.inputHeight, shape.inputWidth};
    input = decodeInput(program, window, x, size);
    inputScales = InputScales(program, window, x, size, groups.scaleWord);
    weight = decodeWeight(program, w, window, groups);
    bool areCodes = !x.isF32() && !w.isF32();
    isScaled = areCodes && groups.scaleWord != ScaleWord::Factor &&
               groups.block != kOneBlock && !inputScales.empty();
    if (!isScaled)
      return;
    scaledWeight = scaleWeight(program, weight, w.type().getDimSize(0),
                               window.positions(), groups);
    flags = scaleInput(program, window, input, inputScales, size, scaledWeight,
                       multiplier);
  }

  void capture(CaptureList &captures) {
    input.capture(captures);
    inputScales.capture(captures);
    captures.add({&weight.pointer, &weight.rowStride, &weight.scales});
    scaledWeight.capture(captures);
    captures.add(flags);
  }

  Value operator()(VectorBuilder &v, const DepthwiseAt &at) const {
    if (!isScaled)
      return sumGroups(v, at);
    Value flag = v.loadScalar(flags, at.inputPlane, v.b.getI32Type());
    auto choice = scf::IfOp::create(
        v.b, v.loc, TypeRange{VectorType::get({kLanes}, v.b.getF32Type())},
        v.equal(flag, v.i32(0)), /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(v.b);
    v.b.setInsertionPointToStart(choice.thenBlock());
    scf::YieldOp::create(v.b, v.loc, sumScaled(v, at));
    v.b.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(v.b, v.loc, sumGroups(v, at));
    return choice.getResult(0);
  }

private:
  /// fma of operands that are scaled already.
  Value sumScaled(VectorBuilder &v, const DepthwiseAt &at) const {
    numerics::MLIRPolicy b(v.b, v.loc, kLanes);
    Value sum = b.f(0);
    for (int64_t position = 0; position < window.positions(); ++position)
      sum = b.fma(loadInput(v, at, position),
                  loadWeight(v, scaledWeight.pointer, scaledWeight.rowStride,
                             at, position),
                  sum);
    return sum;
  }

  Value sumGroups(VectorBuilder &v, const DepthwiseAt &at) const {
    numerics::MLIRPolicy b(v.b, v.loc, kLanes);
    bool isWhole = groups.block == kOneBlock;
    Value sum = b.f(0), t = b.f(0);
    for (int64_t position = 0; position < window.positions(); ++position) {
      t = b.fma(loadInput(v, at, position),
                loadWeight(v, weight.pointer, weight.rowStride, at, position),
                isWhole ? t : b.f(0));
      if (!isWhole)
        sum = add(v, at, position, sum, t);
    }
    return isWhole ? add(v, at, 0, sum, t) : sum;
  }

  Value loadInput(VectorBuilder &v, const DepthwiseAt &at,
                  int64_t position) const {
    Value offset = input.offset(v, window, at.inputPlane, at.y,
                                v.i64(position / window.kernel[1]),
                                v.i64(position % window.kernel[1]));
    return v.load(input.pointer, v.add(offset, at.x), v.b.getF32Type());
  }
  Value loadWeight(VectorBuilder &v, Value pointer, Value stride,
                   const DepthwiseAt &at, int64_t position) const {
    Value row = v.mul(at.output, stride);
    return v.splat(
        v.loadScalar(pointer, v.add(row, v.i64(position)), v.b.getF32Type()));
  }
  Value add(VectorBuilder &v, const DepthwiseAt &at, int64_t position,
            Value sum, Value t) const {
    Value lhs, rhs;
    if (!inputScales.empty())
      lhs = inputScales.at(v, window, at.image,
                           v.div(at.output, v.i64(multiplier)), at.y, at.x,
                           v.i64(position / window.kernel[1]),
                           v.i64(position % window.kernel[1]));
    if (weight.scales) {
      int64_t count = groups.block == kOneBlock ? 1 : window.positions();
      Value index = v.add(v.mul(at.output, v.i64(count)), v.i64(position));
      rhs = v.splat(v.loadScalar(weight.scales, index,
                                 scaleWordType(v, groups.scaleWord)));
    }
    return addGroup(v, tier, groups, sum, t, lhs, rhs);
  }

  const Tier &tier;
  Window window;
  GroupShape groups;
  int64_t multiplier;
  WindowInput input;
  InputScales inputScales;
  DecodedWeight weight;
  bool isScaled = false;
  ScaledWeight scaledWeight;
  /// Where operands are not scaled beforehand.
  Value flags;
};
} // namespace

static StringRef reject(Operation *kernel, const GroupedOperand &x,
                        const GroupedOperand &w) {
  if (!isConstant(kernel, w.tensor))
    return "the weight is not constant";
  if (!x.zeros.empty())
    return "the input has zeros";
  for (Value zero : w.zeros) {
    auto type = cast<RankedTensorType>(zero.getType());
    if (type.getRank() > 1 &&
        llvm::any_of(type.getShape().drop_front(1),
                     [](int64_t dim) { return dim != 1; }))
      return "zeros differ from position to position";
  }
  return "";
}

kernel::Match cpu::checkGroupedDepthwise(const Tier &tier, Operation *op) {
  auto root = cast<ConvOp>(cast<kernel::DepthwiseConvOp>(op).getRoot());
  GroupedOperand x = lhsOf(root), w = rhsOf(root);
  if (x.scales.empty() && w.scales.empty())
    return kernel::Match::other();
  if (!x.isSupported() || !w.isSupported())
    return wrongOperands(x.tensor, w.tensor);
  StringRef reason = reject(op, x, w);
  if (!reason.empty())
    return kernel::Match::failure(reason);
  if (!convGroupShapeOf(tier, x, w))
    return wrongBlocks(*x.format, *w.format);
  return kernel::Match::success();
}

LogicalResult cpu::emitGroupedDepthwise(CpuProgram &program, Operation *op) {
  auto root = cast<ConvOp>(cast<kernel::DepthwiseConvOp>(op).getRoot());
  GroupedOperand x = lhsOf(root), w = rhsOf(root);
  std::optional<GroupShape> groups = convGroupShapeOf(program.tier(), x, w);
  // One channel: a block holds one product, whatever its size.
  if (groups->block != kOneBlock)
    groups->block = 1;
  Epilogue epilogue(program, op, root.getResult(), root.getResult());
  DepthwiseShape shape(program, root);
  // The weight is constant, so its dims are known.
  int64_t multiplier = w.type().getDimSize(0) / root.getGroup();
  GroupedDepthwiseSum sum(program, x, w, *groups, shape, multiplier);
  CaptureList list;
  sum.capture(list);
  return emitDepthwisePlanes(
      program, shape, list, epilogue,
      [&](VectorBuilder &v, const DepthwiseAt &at) { return sum(v, at); });
}
