//===- Phases.cpp - The phases of a compilation ---------------------------===//
//
// Which passes, in which order, and why.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/Phases.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "qopt/Conversion/QOptToQKernel/Passes.h"
#include "qopt/Target/TargetBackend.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qopt;

static constexpr llvm::StringRef kPhaseNames[] = {
    "import", "prepare", "calibrate", "transform", "quantize",
    "fuse",   "kernels", "target",    "emit"};

llvm::StringRef qopt::getName(Phase phase) {
  return kPhaseNames[static_cast<int>(phase)];
}

std::optional<Phase> qopt::findPhase(llvm::StringRef name) {
  const auto *it = llvm::find(kPhaseNames, name);
  if (it == std::end(kPhaseNames))
    return std::nullopt;
  return static_cast<Phase>(it - std::begin(kPhaseNames));
}

/// A format without an axis, as an attribute's text.
static std::string textOfFormat(StringRef name, int64_t group, StringRef scale,
                                StringRef zero) {
  std::string text = ("<\"" + name + "\"").str();
  if (group > 0)
    text += ", block = " + std::to_string(group);
  if (!scale.empty())
    text += (", scale = " + scale).str();
  if (!zero.empty())
    text += (", zero = " + zero).str();
  return text + ">";
}

/// An override as the pass takes it.
static std::string textOfOverride(const Recipe &recipe,
                                  const OverrideRecipe &rule) {
  auto quote = [](StringRef text) {
    std::string quoted;
    llvm::raw_string_ostream os(quoted);
    os << '"';
    llvm::printEscapedString(text, os);
    os << '"';
    return quoted;
  };
  NodePrecision asked = recipe.getPrecision(&rule);
  std::string plan = "params = float";
  if (!asked.isFloat()) {
    plan = "params = \"" + asked.params + "\"";
    if (asked.params != "weight-only")
      plan += ", act = " + textOfFormat(asked.activations.format, 0,
                                        asked.activations.scale, "");
    plan +=
        ", weight = " + textOfFormat(asked.weights.format, asked.weights.group,
                                     asked.weights.scale, asked.weights.zero);
  }
  return "nodes = " + quote(rule.nodes) + ", ops = " + quote(rule.ops) +
         ", plan = #qopt.request<" + plan + ">";
}

static PlanPrecisionPassOptions planOptions(const Recipe &recipe) {
  PlanPrecisionPassOptions options;
  options.activations = recipe.activations.mode;
  options.activationFormat = recipe.activations.format;
  options.activationScale = recipe.activations.scale;
  options.weightFormat = recipe.weights.format;
  options.group = recipe.weights.group;
  options.weightScale = recipe.weights.scale;
  options.weightZero = recipe.weights.zero;
  for (const OverrideRecipe &rule : recipe.overrides)
    options.overrides.push_back(textOfOverride(recipe, rule));
  return options;
}

void qopt::buildPreparePipeline(OpPassManager &pm, const Recipe &recipe) {
  OpPassManager &function = pm.nest<func::FuncOp>();
  // No later pass knows sequences.
  function.addPass(createFoldSequencesPass());
  function.addPass(createInferShapesPass());
  // Shape arithmetic must be gone before patterns look for constant shapes.
  function.addPass(createFoldConstantsPass());
  function.addPass(createInferShapesPass());
  function.addPass(createDecomposeGemmPass());
  function.addPass(createFoldBatchNormPass());
  function.addPass(createFoldChannelAffinePass());
  function.addPass(createRecognizePatternsPass());
  function.addPass(createCSEPass());
  // Patterns are recognised between floats; the plan looks for codes.
  function.addPass(createSinkDequantizePass());
  function.addPass(createSignCodesPass());
  if (!recipe.isFloat())
    function.addPass(createPlanPrecisionPass(planOptions(recipe)));
  pm.addPass(createVerifyPreparedPass());
}

void qopt::buildTransformPipeline(OpPassManager &pm, const Recipe &recipe) {
  TransformLayersPassOptions options;
  for (const std::string &text : recipe.transforms.options.write())
    options.transforms.push_back(text);
  options.isPow2 = recipe.transforms.pow2;
  options.keepsCodes = recipe.isCodePath();
  pm.nest<func::FuncOp>().addPass(
      createTransformLayersPass(options, *recipe.methods));
}

void qopt::buildPlanRoundingPipeline(OpPassManager &pm, const Recipe &recipe) {
  OpPassManager &function = pm.nest<func::FuncOp>();
  // Weight quantizers read values, so expressions are evaluated before them.
  function.addPass(createEvaluateWeightsPass());
  if (!recipe.isFloat() && recipe.needsCalibration())
    function.addPass(
        createChooseDynamicPass({recipe.activations.maxStaticCost}));
}

static std::unique_ptr<Pass> createInsertion(const Recipe &recipe,
                                             bool onlyNext) {
  InsertQuantizationPassOptions options;
  options.clipSearch = recipe.rounding.clipSearch;
  options.scaleRule = recipe.rounding.scaleRule;
  options.pow2Rounding = recipe.rounding.pow2;
  options.pow2Scales = recipe.rounding.pow2Scales;
  options.activationRounding = recipe.rounding.activation;
  for (const std::string &text : recipe.rounding.options.write())
    options.rounding.push_back(text);
  options.correctsBias = recipe.rounding.correctBias;
  options.onlyNext = onlyNext;
  return createInsertQuantizationPass(options, *recipe.methods);
}

void qopt::buildRoundNextPipeline(OpPassManager &pm, const Recipe &recipe) {
  pm.nest<func::FuncOp>().addPass(createInsertion(recipe, /*onlyNext=*/true));
}

void qopt::buildInsertRestPipeline(OpPassManager &pm, const Recipe &recipe) {
  if (recipe.isFloat())
    return;
  OpPassManager &function = pm.nest<func::FuncOp>();
  function.addPass(createInsertion(recipe, /*onlyNext=*/false));
  if (recipe.isCodePath())
    function.addPass(createQuantizeActivationsPass(
        {recipe.rounding.activation, recipe.activations.minSqnr}));
  // One tensor with one set of parameters is quantized once.
  function.addPass(createCSEPass());
  // Only here it is known which sums become codes.
  function.addPass(createFitBiasesPass());
}

void qopt::buildInsertQuantizersPipeline(OpPassManager &pm,
                                         const Recipe &recipe) {
  buildPlanRoundingPipeline(pm, recipe);
  buildInsertRestPipeline(pm, recipe);
}

void qopt::buildFormCodesPipeline(OpPassManager &pm, const Recipe &recipe) {
  OpPassManager &function = pm.nest<func::FuncOp>();
  if (!recipe.cache.format.empty())
    function.addPass(createRoundStatesPass({recipe.cache.format}));
  // A float recipe runs these as well: models come with codes of their own.
  function.addPass(createSignWeightsPass());
  function.addPass(createFormQuantizedOpsPass());
  function.addPass(createFormRequantizePass());
  if (recipe.isCodePath())
    function.addPass(createPropagateCodesPass());
  function.addPass(createCSEPass());
  function.addPass(createEvaluateWeightsPass());
  pm.addPass(createVerifyQuantizedPass());
}

void qopt::buildFollowShapesPipeline(OpPassManager &pm) {
  OpPassManager &function = pm.nest<func::FuncOp>();
  function.addPass(createInferShapesPass());
  function.addPass(createFoldConstantsPass());
  function.addPass(createInferShapesPass());
  // Rows of a table whose places are known by now.
  function.addPass(createEvaluateWeightsPass());
  function.addPass(createCSEPass());
}

void qopt::buildConvertStatesPipeline(OpPassManager &pm) {
  OpPassManager &function = pm.nest<func::FuncOp>();
  function.addPass(createConvertStatesPass());
  function.addPass(createCSEPass());
}

void qopt::buildQuantizePipeline(OpPassManager &pm, const Recipe &recipe) {
  buildInsertQuantizersPipeline(pm, recipe);
  buildFormCodesPipeline(pm, recipe);
}

void qopt::buildFusePipeline(OpPassManager &pm) {
  OpPassManager &function = pm.nest<func::FuncOp>();
  function.addPass(createConvertQOptToQKernelPass());
  function.addPass(createCSEPass());
}

void qopt::buildVerifyPipeline(OpPassManager &pm, Phase phase,
                               const TargetBackend &backend) {
  if (phase >= Phase::Target)
    pm.addPass(kernel::createVerifyTargetPass(
        {backend.getHostKernels().str(), /*memory=*/true}));
  else if (phase == Phase::Kernels)
    pm.addPass(kernel::createVerifyKernelsPass());
  else if (phase >= Phase::Quantize)
    pm.addPass(createVerifyQuantizedPass());
  else if (phase >= Phase::Prepare)
    pm.addPass(createVerifyPreparedPass());
}
