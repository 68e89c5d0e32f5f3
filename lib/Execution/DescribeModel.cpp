//===- DescribeModel.cpp - What a model says of itself --------------------===//
//
// A manifest that is not JSON is shown as a string.
//
//===----------------------------------------------------------------------===//

#include "qopt/Execution/DescribeModel.h"

using namespace qopt;

llvm::json::Array qopt::describeValues(llvm::ArrayRef<ModelValue> values) {
  llvm::json::Array list;
  for (const ModelValue &value : values) {
    llvm::json::Array dims;
    for (int64_t dim : value.dims)
      dims.push_back(dim < 0 ? llvm::json::Value(nullptr)
                             : llvm::json::Value(dim));
    list.push_back(
        llvm::json::Object{{"name", value.name},
                           {"type", getName(value.type)},
                           {"dims", std::move(dims)},
                           {"symbols", llvm::json::Array(value.symbols)}});
  }
  return list;
}

llvm::json::Object qopt::describeModel(const ModelRunner &runner) {
  llvm::json::Array tiers;
  for (const ModelTier &tier : runner.getTiers())
    tiers.push_back(llvm::json::Object{{"name", tier.name},
                                       {"available", tier.isAvailable},
                                       {"chosen", tier.isChosen},
                                       {"reason", tier.reason}});
  llvm::json::Array states;
  for (const ModelState &state : runner.getStates())
    states.push_back(llvm::json::Object{
        {"input", runner.getInputs()[state.input].name},
        {"output", runner.getOutputs()[state.output].name},
        {"axis", state.axis < 0 ? llvm::json::Value(nullptr)
                                : llvm::json::Value(state.axis)},
        {"capacity", state.capacity == 0 ? llvm::json::Value(nullptr)
                                         : llvm::json::Value(state.capacity)}});
  llvm::json::Object description{{"name", runner.getName()},
                                 {"states", std::move(states)},
                                 {"tiers", std::move(tiers)}};
  llvm::Expected<llvm::json::Value> manifest =
      llvm::json::parse(runner.getManifest());
  if (manifest) {
    description["manifest"] = std::move(*manifest);
  } else {
    llvm::consumeError(manifest.takeError());
    description["manifest"] = runner.getManifest();
  }
  return description;
}
