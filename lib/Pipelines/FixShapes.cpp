//===- FixShapes.cpp - Dims of --shapes that samples do not have ----------===//
//
// Such samples calibrate the model as it is; its inputs get these dims when the
// numbers are fixed.
//
//===----------------------------------------------------------------------===//

#include "Compilation.h"
#include "Problems.h"
#include "qopt/Import/ONNX/ImportONNX.h"

using namespace mlir;
using namespace qopt;

/// True when every sample has the dims of the inputs.
static bool fitSamples(func::FuncOp main, const CalibrationData &data) {
  return llvm::all_of(data.files, [&](const std::string &file) {
    auto sample = readSample(file, main);
    bool fits = static_cast<bool>(sample);
    llvm::consumeError(sample.takeError());
    return fits;
  });
}

/// Samples of other dims than --shapes gives calibrate the model as it is,
/// whose inputs get these dims when its numbers are fixed.
llvm::Error Compilation::openForSamples() {
  if (fitSamples(getMain(), calibrationData))
    return llvm::Error::success();
  ImportError error;
  auto open = importOnnxModel(options.model, context, error);
  // Where that does not help, the dims that were asked for are told of.
  if (failed(open) ||
      !fitSamples((*open)->lookupSymbol<func::FuncOp>("main"), calibrationData))
    return llvm::Error::success();
  if (options.stopAfter && *options.stopAfter < Phase::Quantize)
    return makeError(
        ExitCode::BadUse,
        "the samples have other dims than --shapes gives, so that these are "
        "fixed at the end of quantize, behind --stop-after=" +
            getName(*options.stopAfter) +
            "\nnote: stop after quantize or later, or give samples of these "
            "dims");
  module = std::move(*open);
  fixesShapesLate = true;
  return llvm::Error::success();
}

/// Gives the inputs of `program`, whose numbers are fixed, the dims of
/// --shapes.
llvm::Error Compilation::fixShapes(ModuleOp program) {
  if (llvm::Error error = fixInputShapes(
          program.lookupSymbol<func::FuncOp>("main"), options.shapes))
    return error;
  Problems problems(context, options.model, report.contract);
  PassManager pm(&context, ModuleOp::getOperationName());
  buildFollowShapesPipeline(pm);
  if (failed(pm.run(program)))
    return problems.take(ExitCode::Unsupported,
                         "cannot be fixed to the dims of --shapes");
  return llvm::Error::success();
}
