//===- Layouts.cpp - How tensors between kernels lie in memory ------------===//
//
// Each layout has one spelling, so that types of one layout are equal.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/QKernelOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::kernel;

LogicalResult LayoutAttr::verifyEncoding(
    ArrayRef<int64_t> shape, Type,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  ArrayRef<int64_t> order = getOrder().asArrayRef();
  SmallVector<int64_t> sorted(order);
  llvm::sort(sorted);
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  // layout_c1
  if (sorted != axes)
    return emitError() << "expects a layout of " << shape.size()
                       << " axes, each once, but found " << *this;
  // layout_c2
  if (order == ArrayRef<int64_t>(axes))
    return emitError() << "expects no layout for row-major order, but found "
                       << *this;
  return success();
}

Type kernel::withoutLayout(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !isa_and_nonnull<LayoutAttr>(tensor.getEncoding()))
    return type;
  return RankedTensorType::get(tensor.getShape(), tensor.getElementType());
}

LogicalResult RepackOp::verify() {
  // repack_c1
  if (withoutLayout(getSource().getType()) !=
      withoutLayout(getResult().getType()))
    return emitOpError("expects one shape and element type, but found ")
           << getSource().getType() << " and " << getResult().getType();
  return success();
}

OpFoldResult RepackOp::fold(FoldAdaptor) {
  if (getSource().getType() == getType())
    return getSource();
  // On the way to a layout it does not matter which there was before.
  auto before = getSource().getDefiningOp<RepackOp>();
  if (!before)
    return {};
  if (before.getSource().getType() == getType())
    return before.getSource();
  getSourceMutable().assign(before.getSource());
  return getResult();
}
