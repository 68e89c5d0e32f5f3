//===- Programs.cpp - Digit classifiers compiled in tests -----------------===//
//
// A sample is written beside the output.
//
//===----------------------------------------------------------------------===//

#include "Programs.h"
#include "qopt/InitAllDialects.h"
#include "qopt/InitAllTargets.h"
#include "qopt/Support/Npz.h"
#include "llvm/Support/ErrorHandling.h"
#include <random>

using namespace qopt;

std::unique_ptr<mlir::MLIRContext> test::makeContext() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  // The kernels that passes ask for live as long as their registry.
  static const TargetRegistry *targets = [] {
    auto *all = new TargetRegistry;
    registerAllTargets(*all);
    return all;
  }();
  targets->registerDialects(registry);
  return std::make_unique<mlir::MLIRContext>(
      registry, mlir::MLIRContext::Threading::DISABLED);
}

static std::string writeImages(const TemporaryFolder &folder,
                               llvm::ArrayRef<int64_t> dims) {
  HostTensor images =
      llvm::cantFail(HostTensor::allocate(ElementType::F32, dims));
  std::mt19937 random(1);
  for (float &pixel : images.asMutable<float>())
    pixel = static_cast<float>(random() % 17) / 16;
  std::string path = folder.file("images.npz");
  llvm::cantFail(writeNpz(path, {{"x", images}}));
  return path;
}

llvm::Expected<Report> test::compileDigits(const Recipe &recipe, Phase phase,
                                           const TemporaryFolder &folder,
                                           llvm::StringRef model,
                                           mlir::MLIRContext *context) {
  CompileOptions options;
  options.model = (QOPT_SOURCE_DIR "/test/models/" + model + ".onnx").str();
  options.output = folder.file("program.mlir");
  options.recipe = recipe;
  options.calibration = model == "digits-mlp"
                            ? writeImages(folder, {8, 64})
                            : writeImages(folder, {8, 1, 8, 8});
  options.calibrateWithReference = true;
  options.measuresErrors = true;
  options.cpus = {"x86-64-v4"};
  options.stopAfter = phase;
  TargetRegistry targets;
  registerAllTargets(targets);
  std::unique_ptr<mlir::MLIRContext> own;
  if (!context) {
    own = makeContext();
    context = own.get();
  }
  return compile(options, targets, *context);
}

Report test::compileDigits(llvm::StringRef preset, Phase phase) {
  TemporaryFolder folder;
  Recipe recipe = llvm::cantFail(getPreset(preset));
  // What presets ask for, whatever becomes of the outputs.
  recipe.policy.minOutputSqnr = 0;
  return llvm::cantFail(compileDigits(recipe, phase, folder));
}

const ContractRow &test::findRow(const Report &report, llvm::StringRef node) {
  for (const ContractRow &row : report.contract.getRows())
    if (row.node == node)
      return row;
  llvm::report_fatal_error("no such node");
}
