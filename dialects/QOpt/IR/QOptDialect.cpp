//===- QOptDialect.cpp - The qopt dialect ---------------------------------===//
//
// Registration, and the location form that carries node ids.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptDialect.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace qopt;

#include "dialects/QOpt/IR/QOptDialect.cpp.inc"

void QOptDialect::initialize() {
  weightStore = std::make_unique<WeightStore>();
  registerAttributes();
  registerContractionOps();
  registerElementwiseOps();
  registerLoopOps();
  registerMovementOps();
  registerNormalizationOps();
  registerQuantizationOps();
  registerSequenceOps();
  registerTypes();
}

unsigned qopt::getPackedBitWidth(Type elementType) {
  if (elementType.isInteger(1))
    return 8;
  if (elementType.isIndex())
    return 64;
  return elementType.getIntOrFloatBitWidth();
}

SmallVector<int64_t> qopt::getNodeIds(Location loc) {
  SmallVector<int64_t> ids;
  loc->walk([&](Location inner) {
    if (auto fused = dyn_cast<FusedLocWith<NodeAttr>>(inner))
      ids.push_back(fused.getMetadata().getId());
    return WalkResult::advance();
  });
  llvm::sort(ids);
  ids.erase(llvm::unique(ids), ids.end());
  return ids;
}

Location qopt::getNodeLocation(MLIRContext *context, int64_t id,
                               StringRef name) {
  Location inner = NameLoc::get(StringAttr::get(context, name));
  return FusedLoc::get({inner}, NodeAttr::get(context, id), context);
}
