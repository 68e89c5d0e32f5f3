//===- CodePath.cpp - Which ops compute codes from codes ------------------===//
//
// A step is what becomes one integer op or a fixed few of them: a contraction
// with bias and clamp, a sum with clamp, a chain of unary functions.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/CodePath.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"

using namespace mlir;
using namespace qopt;

static bool isFloatTensor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32();
}

SmallVector<Value> qopt::getActivations(Operation *op) {
  SmallVector<Value> values;
  for (Value operand : op->getOperands())
    if (isFloatTensor(operand) && !isWeightExpression(operand) &&
        !llvm::is_contained(values, operand))
      values.push_back(operand);
  return values;
}

static bool isOneConstant(Value value) {
  return value.getDefiningOp<ConstantOp>() &&
         typeOf(value).getNumElements() == 1;
}

/// True for a dequantized weight of a constant's codes.
static bool isDequantizedWeight(Value value) {
  auto op = value.getDefiningOp<DequantizeOp>();
  return op && op.getCodes().getDefiningOp<ConstantOp>();
}

bool qopt::isOfFile(QuantizeOp op) { return op.getDivide(); }

static bool isQuantizedContraction(Operation *op) {
  if (!isContractionOfCodes(op))
    return false;
  Contraction sum = cast<ContractionOpInterface>(op).getContraction();
  auto codes = sum.lhs.tensor.getDefiningOp<DequantizeOp>();
  auto quantize =
      codes ? codes.getCodes().getDefiningOp<QuantizeOp>() : QuantizeOp();
  return quantize && !isOfFile(quantize) && isDequantizedWeight(sum.rhs.tensor);
}

static bool isUnary(Operation *op) {
  if (!op->hasTrait<ElementwiseTrait>() || isa<CastOp>(op) ||
      !isFloatTensor(op->getResult(0)))
    return false;
  int64_t activations = 0;
  for (Value operand : op->getOperands()) {
    if (!isFloatTensor(operand))
      return false;
    activations += !isOneConstant(operand);
  }
  // A constant of a higher rank would change the shape.
  return activations == 1 &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return typeOf(operand).getRank() <=
                      typeOf(op->getResult(0)).getRank() &&
                  (isOneConstant(operand) ||
                   operand.getType() == op->getResult(0).getType());
         });
}

std::optional<int64_t> qopt::getAverageCount(Operation *op) {
  auto x = typeOf(op->getOperand(0));
  ArrayRef<int64_t> dims = x.getShape();
  if (x.getRank() < 3 || x.getRank() > 4 || ShapedType::isDynamic(dims[1]))
    return std::nullopt;
  int64_t count = 1;
  if (isa<GlobalAveragePoolOp>(op)) {
    for (int64_t dim : dims.drop_front(2)) {
      if (ShapedType::isDynamic(dim))
        return std::nullopt;
      count *= dim;
    }
  } else {
    auto pool = cast<AveragePoolOp>(op);
    bool isPadded =
        llvm::any_of(pool.getPads(), [](int64_t pad) { return pad; });
    if (pool.getCeilMode() || (isPadded && !pool.getCountIncludePad()))
      return std::nullopt;
    for (int64_t size : pool.getKernel())
      count *= size;
  }
  constexpr int64_t kMaxCount = int64_t(1) << 22; // times 255, below 2^30
  return count > 0 && count <= kMaxCount ? std::optional(count) : std::nullopt;
}

bool qopt::isMovement(Operation *op) {
  return isa<TransposeOp, ReshapeOp, FlattenOp, SqueezeOp, UnsqueezeOp>(op);
}

CodeRole qopt::getCodeRole(Operation *op, StringRef &why) {
  why = "no integer form";
  if (isQuantizedContraction(op))
    return CodeRole::Contraction;
  if (isUnary(op))
    return CodeRole::Unary;
  if (isa<AddOp, SubOp>(op) && isFloatTensor(op->getResult(0)))
    return CodeRole::Sum;
  if (isa<MulOp>(op)) {
    why = "product of two tensors: float by preset";
    return CodeRole::None;
  }
  if (isa<AttentionOp>(op)) {
    why = "attention: float by preset";
    return CodeRole::None;
  }
  if (isa<AveragePoolOp, GlobalAveragePoolOp>(op)) {
    why = "the number of positions varies";
    return getAverageCount(op) ? CodeRole::Average : CodeRole::None;
  }
  if (op->getNumOperands() == 0 || !isFloatTensor(op->getOperand(0)))
    return CodeRole::None;
  if (isMovement(op) ||
      isa<SliceOp, ExpandOp, GatherOp, SplitOp, MaxPoolOp>(op))
    return CodeRole::Preserving;
  if (isa<ConcatOp>(op))
    return CodeRole::Concat;
  if (auto pad = dyn_cast<PadOp>(op)) {
    why = "the border is no constant";
    return !pad.getValue() || isOneConstant(pad.getValue()) ? CodeRole::Pad
                                                            : CodeRole::None;
  }
  return CodeRole::None;
}

/// True for a contraction, with or without bias, or a sum.
static bool isClampable(Value value) {
  Operation *op = value.getDefiningOp();
  return op && (isQuantizedContraction(op) || isa<AddOp, SubOp>(op));
}

bool qopt::isClamp(Operation *op) {
  return isa<ReluOp, ClipOp>(op) && op->getOperand(0).hasOneUse() &&
         isClampable(op->getOperand(0));
}

/// True for the sum of a contraction and a constant.
static bool isBias(Operation *op) {
  if (!isa<AddOp>(op))
    return false;
  for (unsigned i : {0u, 1u}) {
    Operation *product = op->getOperand(i).getDefiningOp();
    if (product && isQuantizedContraction(product) &&
        op->getOperand(i).hasOneUse() &&
        op->getOperand(1 - i).getDefiningOp<ConstantOp>() &&
        op->getOperand(i).getType() == op->getResult(0).getType())
      return true;
  }
  return false;
}

bool qopt::isInsideOfStep(Value value) {
  if (!value.hasOneUse() || !value.getDefiningOp())
    return false;
  Operation *user = *value.user_begin();
  if (isBias(user) || isClamp(user))
    return true;
  Operation *maker = value.getDefiningOp();
  return isUnary(maker) && !isClamp(maker) && !isBias(maker) && isUnary(user);
}

bool qopt::isMadeFromCodes(Value activation) {
  Operation *op = activation.getDefiningOp();
  if (!op)
    return false;
  auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
  StringRef why;
  CodeRole role = getCodeRole(op, why);
  return (request && request.getParams() == Params::Static) ||
         isa<ReluOp, ClipOp>(op) ||
         (role != CodeRole::None && role != CodeRole::Unary);
}
