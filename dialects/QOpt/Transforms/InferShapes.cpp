//===- InferShapes.cpp - Propagates dims through a function ---------------===//
//
// Ops stand in the order of their uses, so one walk reaches the fixed point.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptOps.h"
#include "dialects/QOpt/IR/TypeInference.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "dialects/QOpt/Transforms/ShapeRefinement.h"

#define DEBUG_TYPE "qopt-infer-shapes"

namespace qopt {
#define GEN_PASS_DEF_INFERSHAPESPASS
#include "dialects/QOpt/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

bool qopt::refineShapes(Operation *op) {
  auto copes = [&](Operation *user) {
    return isa_and_nonnull<QOptDialect>(user->getDialect()) ||
           isa<func::ReturnOp>(user);
  };
  if (!isa_and_nonnull<QOptDialect>(op->getDialect()) ||
      !llvm::all_of(op->getUsers(), copes))
    return false;
  auto before = llvm::to_vector(op->getResultTypes());
  return succeeded(refineResultTypes(op)) && op->getResultTypes() != before;
}

/// Takes the names from the result's dims that are known by now.
static void dropNamesOfKnownDims(func::FuncOp function, unsigned index) {
  auto names = function.getResultAttrOfType<ArrayAttr>(index, kDimsAttrName);
  auto type = dyn_cast<RankedTensorType>(function.getResultTypes()[index]);
  if (!names || !type || static_cast<int64_t>(names.size()) != type.getRank())
    return;
  SmallVector<Attribute> kept(names.begin(), names.end());
  for (auto [name, size] : llvm::zip_equal(kept, type.getShape()))
    if (!ShapedType::isDynamic(size))
      name = StringAttr::get(function.getContext());
  function.setResultAttr(index, kDimsAttrName,
                         ArrayAttr::get(function.getContext(), kept));
}

void qopt::updateResultTypes(func::FuncOp function) {
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return;
  Operation *terminator = function.front().getTerminator();
  function.setType(FunctionType::get(function.getContext(),
                                     function.getArgumentTypes(),
                                     terminator->getOperandTypes()));
  for (unsigned index = 0; index < function.getNumResults(); ++index)
    dropNamesOfKnownDims(function, index);
}

namespace {
struct InferShapesPass : qopt::impl::InferShapesPassBase<InferShapesPass> {
  void runOnOperation() override {
    getOperation().walk([&](Operation *op) { numRefined += refineShapes(op); });
    updateResultTypes(getOperation());
  }
};
} // namespace
