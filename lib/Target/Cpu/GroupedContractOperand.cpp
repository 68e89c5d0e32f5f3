//===- GroupedContractOperand.cpp - Codes with what stands beside ---------===//
//
// Zeros are subtracted before units and multipliers apply: all of these steps
// are exact.
//
//===----------------------------------------------------------------------===//

#include "GroupedContractOperand.h"
#include "GroupedContractTile.h"
#include "dialects/QOpt/Numerics/ElementCodes.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

static int64_t lanesOf(Value value) {
  auto type = dyn_cast<VectorType>(value.getType());
  return type ? type.getDimSize(0) : 0;
}

//===----------------------------------------------------------------------===//
// Scales and zeros
//===----------------------------------------------------------------------===//

BesideTensors::BesideTensors(CpuProgram &program, ValueRange tensors,
                             Value codes, std::optional<FormatAttr> format) {
  VectorBuilder v(program.code());
  auto codesType = cast<RankedTensorType>(codes.getType());
  for (Value tensor : tensors) {
    auto type = cast<RankedTensorType>(tensor.getType());
    Entry entry;
    entry.pointer = program.buffer(tensor).pointer;
    entry.element = type.getElementType();
    entry.hasLanes = false;
    int64_t rank = codesType.getRank();
    entry.strides.assign(rank, v.i64(0));
    entry.blocks.assign(rank, 1);
    if (type.getRank() == rank) {
      SmallVector<Value> dims = program.dims(tensor);
      SmallVector<Value> strides = v.strides(dims);
      for (int64_t axis = 0; axis < rank; ++axis) {
        if (type.getDimSize(axis) == 1)
          continue;
        Value isOne = v.equal(dims[axis], v.i64(1));
        entry.strides[axis] = v.select(isOne, v.i64(0), strides[axis]);
        bool isBlocked =
            format && format->isBlocked() && format->getAxis() == axis;
        if (isBlocked)
          entry.blocks[axis] = format->getBlockSize();
      }
      entry.hasLanes = type.getDimSize(rank - 1) != 1;
    }
    entries.push_back(std::move(entry));
  }
}

void BesideTensors::capture(CaptureList &captures) {
  for (Entry &entry : entries) {
    captures.add(entry.pointer);
    for (Value &stride : entry.strides)
      captures.add(stride);
  }
}

Value BesideTensors::load(VectorBuilder &v, const Entry &entry,
                          ArrayRef<Value> coordinates, bool forLanes) const {
  Value offset = v.i64(0);
  for (auto [coordinate, stride, block] :
       llvm::zip_equal(coordinates, entry.strides, entry.blocks)) {
    Value index = block == 1 ? coordinate : v.div(coordinate, v.i64(block));
    offset = v.add(offset, v.mul(index, stride));
  }
  if (forLanes && entry.hasLanes)
    return v.loadLanes(entry.pointer, offset, entry.element);
  Value scalar =
      v.widen(v.loadScalar(entry.pointer, offset, memoryType(entry.element)),
              entry.element);
  return forLanes ? v.splat(scalar) : scalar;
}

Value cpu::scaleWord(VectorBuilder &v, Value lanes, Type element,
                     ScaleWord kind) {
  numerics::MLIRPolicy b(v.b, v.loc, lanesOf(lanes));
  if (kind == ScaleWord::Exponent || kind == ScaleWord::FloatExponent) {
    Value isNaN = b.eqI(lanes, b.i(255)), exponent = b.subI(lanes, b.i(127));
    if (kind == ScaleWord::Exponent)
      return b.select(isNaN, b.i(kNaNExponent), exponent);
    return b.select(isNaN, b.f(numerics::quietNaN), b.toFloat(exponent));
  }
  std::optional<ElementFormat> format = elementFormatOf(element);
  if (element.getIntOrFloatBitWidth() > 8)
    return lanes;
  return numerics::decodeCode(b, lanes, *format);
}

Value cpu::joinScales(VectorBuilder &v, Value a, Value b, ScaleWord kind) {
  numerics::MLIRPolicy policy(v.b, v.loc, lanesOf(a));
  switch (kind) {
  case ScaleWord::Factor:
  case ScaleWord::Power:
    return policy.mul(a, b);
  case ScaleWord::Exponent:
    return policy.addI(a, b);
  case ScaleWord::FloatExponent:
    return policy.add(a, b);
  }
  llvm_unreachable("unknown scale word");
}

Value BesideTensors::scale(VectorBuilder &v, ArrayRef<Value> coordinates,
                           ScaleWord kind, bool forLanes) const {
  Value result;
  for (const Entry &entry : entries) {
    Value word = scaleWord(v, load(v, entry, coordinates, forLanes),
                           entry.element, kind);
    result = result ? joinScales(v, result, word, kind) : word;
  }
  return result;
}

Value BesideTensors::zero(VectorBuilder &v, ArrayRef<Value> coordinates,
                          bool forLanes) const {
  const Entry &entry = entries.front();
  Value code = load(v, entry, coordinates, forLanes);
  numerics::MLIRPolicy b(v.b, v.loc, lanesOf(code));
  if (isa<IntegerType>(entry.element))
    return b.toFloat(code);
  return scaleWord(v, code, entry.element, ScaleWord::Factor);
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

bool GroupedOperand::isSupported() const {
  std::optional<ElementFormat> elementFormat = elementFormatOf(element());
  return isF32() || (elementFormat && bits() <= 8);
}

bool GroupedOperand::hasOnlyExponents() const {
  return llvm::all_of(scales, [](Value scale) {
    auto type = cast<RankedTensorType>(scale.getType());
    return isa<Float8E8M0FNUType>(type.getElementType());
  });
}

int64_t GroupedOperand::blockAlong(int64_t axis) const {
  return format && !scales.empty() && format->getAxis() == axis
             ? format->getBlockSize()
             : 0;
}

int GroupedOperand::multiplierLog2() const {
  if (format)
    return lookupFormat(format->getName())->integerLog2().value_or(0);
  return infoOf(*elementFormatOf(element())).integerLog2.value_or(0);
}

int GroupedOperand::factorLog2() const {
  int log2 = multiplierLog2();
  return format ? log2 + lookupFormat(format->getName())->unitLog2 : log2;
}

Value GroupedOperand::decode(VectorBuilder &v, Value codes, Value zero) const {
  numerics::MLIRPolicy b(v.b, v.loc, lanesOf(codes));
  Value value =
      isF32() ? codes
              : numerics::decodeCode(b, codes, *elementFormatOf(element()));
  if (zero)
    value = b.sub(value, zero);
  int log2 = factorLog2();
  return log2 ? b.mul(value, b.f(std::ldexp(1.0f, log2))) : value;
}

Value cpu::unpackLanes(VectorBuilder &v, Value pointer, Value offset,
                       unsigned bits) {
  Type byte = v.b.getI8Type();
  auto words = VectorType::get({kLanes}, v.b.getI32Type());
  Value bytes = v.load(pointer, offset, byte);
  if (bits == 8)
    return arith::ExtUIOp::create(v.b, v.loc, words, bytes);
  SmallVector<int64_t> low, high;
  SmallVector<int32_t> shifts;
  bool crosses = false;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    int64_t at = lane * bits;
    low.push_back(at / 8);
    high.push_back(at / 8 + 1);
    shifts.push_back(at % 8);
    crosses |= at % 8 + bits > 8;
  }
  auto pick = [&](ArrayRef<int64_t> lanes) -> Value {
    Value picked = vector::ShuffleOp::create(v.b, v.loc, bytes, bytes, lanes);
    return arith::ExtUIOp::create(v.b, v.loc, words, picked);
  };
  numerics::MLIRPolicy b(v.b, v.loc, kLanes);
  Value window = pick(low);
  if (crosses)
    window = b.orI(window, b.shl(pick(high), b.i(8)));
  Value distance = arith::ConstantOp::create(
      v.b, v.loc, DenseIntElementsAttr::get(words, shifts));
  return b.andI(b.shrU(window, distance), b.i((1 << bits) - 1));
}

/// How the scales of two operands are kept. To scale by f32 exponents gives the
/// bits of scale2 where no sum of a group is below 2^-32: codes see to that.
static ScaleWord scaleWordOf(const Tier &tier, const GroupedOperand &lhs,
                             const GroupedOperand &rhs) {
  bool hasScales = !lhs.scales.empty() || !rhs.scales.empty();
  if (!hasScales || !lhs.hasOnlyExponents() || !rhs.hasOnlyExponents())
    return ScaleWord::Factor;
  bool canScale = tier.scalesByFloats() && !lhs.isF32() && !rhs.isF32();
  return canScale ? ScaleWord::FloatExponent : ScaleWord::Exponent;
}

std::optional<GroupShape>
cpu::groupShapeOf(const Tier &tier, const GroupedOperand &lhs, int64_t lhsAxis,
                  const GroupedOperand &rhs, int64_t rhsAxis) {
  int64_t a = lhs.blockAlong(lhsAxis), b = rhs.blockAlong(rhsAxis);
  GroupShape groups;
  groups.block = a && b ? std::min(a, b) : std::max(a, b);
  if (a && b && std::max(a, b) % groups.block != 0)
    return std::nullopt;
  if (!groups.block)
    groups.block = kOneBlock;
  groups.scaleWord = scaleWordOf(tier, lhs, rhs);
  groups.multiplierLog2 = lhs.multiplierLog2() + rhs.multiplierLog2();
  return groups;
}

std::optional<GroupShape> cpu::convGroupShapeOf(const Tier &tier,
                                                const GroupedOperand &x,
                                                const GroupedOperand &w) {
  std::optional<GroupShape> groups = groupShapeOf(tier, x, 1, w, 1);
  if (groups && groups->block == kOneBlock && w.blockAlong(0))
    groups->block = w.type().getDimSize(1);
  return groups;
}
