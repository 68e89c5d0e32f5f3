//===- Phases.h - The phases of a compilation -------------------*- C++ -*-===//
//
// Each phase is a pipeline that ends in a verified form with a name.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_PIPELINES_PHASES_H
#define QOPT_PIPELINES_PHASES_H

#include "mlir/Pass/PassManager.h"
#include "qopt/Pipelines/Recipe.h"
#include <optional>

namespace qopt {
class TargetBackend;

enum class Phase {
  Import,
  Prepare,
  Calibrate,
  Transform,
  Quantize,
  Fuse,
  Kernels,
  Target,
  Emit
};

llvm::StringRef getName(Phase phase);
std::optional<Phase> findPhase(llvm::StringRef name);

/// Recognises patterns, folds what is exact enough to fold, writes the plan.
void buildPreparePipeline(mlir::OpPassManager &pm, const Recipe &recipe);

/// Equivalent transformations; needs statistics where the recipe has static
/// activations.
void buildTransformPipeline(mlir::OpPassManager &pm, const Recipe &recipe);

/// The beginning of `quantize`: what is to be rounded is known behind it.
void buildPlanRoundingPipeline(mlir::OpPassManager &pm, const Recipe &recipe);

/// Quantizes the layers that are marked as next, where a rounding method asks
/// for the activations of the program in which those before are rounded.
void buildRoundNextPipeline(mlir::OpPassManager &pm, const Recipe &recipe);

/// All other layers, and what comes between them.
void buildInsertRestPipeline(mlir::OpPassManager &pm, const Recipe &recipe);

/// The first half of `quantize`, these without the marked ones: float ops
/// between dequantizers and quantizers, the form in which quantized ONNX models
/// are written.
void buildInsertQuantizersPipeline(mlir::OpPassManager &pm,
                                   const Recipe &recipe);

/// The second half: ops on codes in place of those.
void buildFormCodesPipeline(mlir::OpPassManager &pm, const Recipe &recipe);

/// Follows the dims of inputs that were fixed when the numbers were: results
/// keep their bits.
void buildFollowShapesPipeline(mlir::OpPassManager &pm);

/// Behind the rest of `quantize`: states that are added to in codes are kept as
/// such, so inputs and outputs are others.
void buildConvertStatesPipeline(mlir::OpPassManager &pm);

/// Both halves. Fixes the numbers; needs statistics of all static activations.
void buildQuantizePipeline(mlir::OpPassManager &pm, const Recipe &recipe);

/// Checks the form that `phase` leaves for `backend`.
void buildVerifyPipeline(mlir::OpPassManager &pm, Phase phase,
                         const TargetBackend &backend);

/// Fuses into kernels. From here every phase is exact, and its pipeline is the
/// target's.
void buildFusePipeline(mlir::OpPassManager &pm);

} // namespace qopt

#endif
