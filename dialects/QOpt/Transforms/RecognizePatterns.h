//===- RecognizePatterns.h - Pattern sets of one pass -----------*- C++ -*-===//
//
// One function a family; the pass runs all of them.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_TRANSFORMS_RECOGNIZEPATTERNS_H
#define DIALECTS_QOPT_TRANSFORMS_RECOGNIZEPATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace qopt {

void populateActivationPatterns(mlir::RewritePatternSet &patterns);
void populateAttentionPatterns(mlir::RewritePatternSet &patterns);
void populateLayerNormPatterns(mlir::RewritePatternSet &patterns);
void populateSharedHeadPatterns(mlir::RewritePatternSet &patterns);

/// The location of what takes the place of `ops`.
mlir::Location fuseLocations(mlir::OpBuilder &builder,
                             llvm::ArrayRef<mlir::Operation *> ops);

} // namespace qopt

#endif
