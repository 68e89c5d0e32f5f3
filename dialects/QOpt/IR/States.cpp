//===- States.cpp - What a program goes on from in its next run -----------===//

#include "dialects/QOpt/IR/States.h"
#include "dialects/QOpt/IR/TensorTypes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace qopt;

ConcatOp qopt::findAppend(BlockArgument past) {
  auto program = dyn_cast<FunctionOpInterface>(past.getOwner()->getParentOp());
  if (!program || !program.getFunctionBody().hasOneBlock())
    return {};
  auto state = program.getArgAttrOfType<DenseI64ArrayAttr>(past.getArgNumber(),
                                                           kStateAttrName);
  Operation *end = past.getOwner()->getTerminator();
  if (!state || state.size() != 2 || state[0] < 0 ||
      state[0] >= end->getNumOperands())
    return {};
  auto append = end->getOperand(state[0]).getDefiningOp<ConcatOp>();
  if (!append || append.getInputs().size() != 2 ||
      append.getInputs().front() != past || append.getInputs().back() == past ||
      static_cast<int64_t>(append.getAxis()) != state[1])
    return {};
  for (Operation *user : past.getUsers())
    if (user != append && !isa<ShapeOp>(user))
      return {};
  return append;
}

bool qopt::isKeyOrValue(const OpOperand &use) {
  auto attention = dyn_cast<AttentionOp>(use.getOwner());
  return attention && (&use == &attention.getKeyMutable() ||
                       &use == &attention.getValueMutable());
}

RankedTensorType qopt::rowScaleTypeOf(RankedTensorType rows) {
  SmallVector<int64_t> dims(rows.getShape());
  dims.back() = 1;
  return RankedTensorType::get(dims, Float32Type::get(rows.getContext()));
}

std::string qopt::makeScaleName(StringRef state, unsigned number) {
  std::string name = (state + ".scale").str();
  return number ? name + "." + std::to_string(number) : name;
}

bool qopt::decodesRows(Operation *maker) {
  if (auto cast = dyn_cast<CastOp>(maker))
    return typeOf(cast.getX()).getElementType().isF16() &&
           typeOf(cast.getResult()).getElementType().isF32();
  auto op = dyn_cast<DequantizeOp>(maker);
  if (!op || op.getScales().size() != 1 || !op.getZeros().empty() ||
      (op.getFormat() && op.getFormat()->getName() != "i8"))
    return false;
  RankedTensorType codes = typeOf(op.getCodes());
  RankedTensorType scales = typeOf(op.getScales().front());
  return codes.getElementType().isSignlessInteger(8) &&
         scales.getElementType().isF32() && codes.getRank() > 0 &&
         scales.getRank() == codes.getRank() && scales.getShape().back() == 1 &&
         scales.getShape().drop_back() == codes.getShape().drop_back();
}
