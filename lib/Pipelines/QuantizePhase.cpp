//===- QuantizePhase.cpp - The phases that change numbers -----------------===//
//
// Transforms take what calibration saw; quantize fixes the numbers.
//
//===----------------------------------------------------------------------===//

#include "Compilation.h"
#include "dialects/QOpt/IR/States.h"
#include "dialects/QOpt/Quantization/FactorSearch.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace qopt;

llvm::Error Compilation::transform() {
  if (report.recipe.isFloat())
    return llvm::Error::success();
  if (llvm::Error error = runPipeline(Phase::Transform, [&](OpPassManager &pm) {
        buildTransformPipeline(pm, report.recipe);
      }))
    return error;
  // What a transform dropped is collected again.
  return calibrateModule();
}

/// Takes what transforms say of themselves into the report.
void Compilation::readFactors() {
  getMain().walk([&](Operation *op) {
    auto row =
        dyn_cast_or_null<DictionaryAttr>(op->removeAttr(kFactorsAttrName));
    if (!row)
      return;
    auto text = [&](StringRef name) {
      auto attr = row.getAs<StringAttr>(name);
      return attr ? attr.str() : std::string();
    };
    auto number = [&](StringRef name) {
      auto attr = row.getAs<FloatAttr>(name);
      return attr ? attr.getValueAsDouble() : 0;
    };
    auto name = op->getLoc()->findInstanceOf<NameLoc>();
    report.rescaled.push_back(
        {name ? name.getName().str() : "", text("transform"), text("rule"),
         static_cast<float>(number("smallest")),
         static_cast<float>(number("largest")), number("gain_db")});
  });
}

/// Marks what is to be rounded before `end`, and was not, as next.
static void markLayersBefore(Operation *end) {
  end->getParentOfType<func::FuncOp>().walk([&](Operation *op) {
    if (op == end)
      return WalkResult::interrupt();
    auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
    if (request && request.getParams() != Params::Float &&
        !op->hasAttr(kRoundedAttrName))
      op->setAttr(kRoundNextAttrName, UnitAttr::get(op->getContext()));
    return WalkResult::advance();
  });
}

/// What was collected of the activations of products that are to be rounded.
static llvm::SetVector<DenseResourceElementsAttr>
findCollected(func::FuncOp function) {
  llvm::SetVector<DenseResourceElementsAttr> collected;
  function.walk([&](Operation *op) {
    for (StringRef name : {kMomentsAttrName, kRowsAttrName})
      if (auto attr = op->getAttrOfType<DenseResourceElementsAttr>(name))
        collected.insert(attr);
  });
  return collected;
}

/// Chooses codes, where the rounding method asks for it one group of layers
/// after the other: what is collected for a group is then what the layers
/// before it make with their codes.
llvm::Error Compilation::insertQuantizers() {
  const Recipe &recipe = report.recipe;
  auto run = [&](void (*build)(OpPassManager &, const Recipe &)) {
    auto collected = findCollected(getMain());
    llvm::Error error = runPipeline(
        Phase::Quantize, [&](OpPassManager &pm) { build(pm, recipe); });
    // The context keeps it else, once more for each plan that is tried.
    collected.set_subtract(findCollected(getMain()));
    for (DenseResourceElementsAttr attr : collected)
      attr.getRawHandle().getResource()->setBlob(AsmResourceBlob());
    return error;
  };
  if (llvm::Error error = run(buildPlanRoundingPipeline))
    return error;
  RoundingNeeds needs = recipe.getRoundingNeeds();
  std::vector<ProductGroup> groups;
  if (needs.any())
    groups = findProductGroups(*module);
  if (!needs.isSequential) {
    if (llvm::Error error = collectForRounding(groups))
      return error;
    groups.clear();
  }
  // No later group changes what came before one, so that is run once.
  SampleCut cut(*module);
  for (const ProductGroup &group : groups) {
    markLayersBefore(group.products.front());
    if (llvm::Error error = run(buildRoundNextPipeline))
      return error;
    if (llvm::Error error = collectForRounding(group, &cut))
      return error;
  }
  return run(buildInsertRestPipeline);
}

/// From the plan to integers, and how far these are from the float program.
llvm::Error Compilation::fixNumbers() {
  if (llvm::Error error = insertQuantizers())
    return error;
  if (options.emit == EmitKind::QdqOnnx)
    qdqModule = module->clone();
  if (llvm::Error error = runPipeline(Phase::Quantize, [&](OpPassManager &pm) {
        buildFormCodesPipeline(pm, report.recipe);
      }))
    return error;
  return floatModule ? measureOutputs() : llvm::Error::success();
}

/// Keeps states in the recipe's format; says which are not.
llvm::Error Compilation::convertStates() {
  func::FuncOp main = getMain();
  unsigned count = main.getNumArguments();
  auto isFloatState = [&](unsigned i) {
    return main.getArgAttr(i, kStateAttrName) &&
           getElementTypeOrSelf(main.getArgument(i)).isF32();
  };
  auto all = llvm::seq<unsigned>(0, count);
  int64_t before = llvm::count_if(all, isFloatState);
  if (llvm::Error error =
          runPipeline(Phase::Quantize, buildConvertStatesPipeline))
    return error;
  const std::string &format = report.recipe.cache.format;
  if (llvm::count_if(all, isFloatState) == before)
    return makeError(ExitCode::BadUse,
                     options.model + ": kv-cache.format is " + format +
                         ", but no input of f32 is a state that grows by rows "
                         "behind the past\nnote: name states by --state "
                         "OUTPUT=INPUT, or leave kv-cache out");
  for (unsigned i = 0; i < count; ++i) {
    auto name = main.getArgAttrOfType<StringAttr>(i, kNameAttrName);
    if (name && isFloatState(i))
      report.warnings.push_back(
          ("state \"" + name.getValue() + "\" is kept in f32, not in " +
           format +
           ": it does not grow by rows behind the past, or another op reads "
           "the past")
              .str());
  }
  return llvm::Error::success();
}

/// Fixes the numbers; what was asked of them is checked here.
llvm::Error Compilation::quantize() {
  bool keepsCodes = !report.recipe.cache.format.empty();
  if (keepsCodes)
    if (llvm::Error error = findStates(getMain()))
      return error;
  warnOfStatistics(*module, report.warnings);
  readFactors();
  // Kept where policy may plan again.
  OwningOpRef<ModuleOp> planned;
  if (floatModule && !findNarrowProducts(*module).empty())
    planned = module->clone();
  if (llvm::Error error = fixNumbers())
    return error;
  if (planned)
    if (llvm::Error error = widenPlan(*planned))
      return error;
  if (fixesShapesLate)
    for (ModuleOp program : {*module, qdqModule.get()})
      if (program)
        if (llvm::Error error = fixShapes(program))
          return error;
  report.contract.readPlan(getMain(), report.recipe, getName(Phase::Quantize));
  report.contract.readResult(getMain(), getName(Phase::Quantize));
  if (floatModule)
    if (llvm::Error error = checkAccuracy())
      return error;
  if (keepsCodes)
    return convertStates();
  return qdqModule ? checkContract() : llvm::Error::success();
}
