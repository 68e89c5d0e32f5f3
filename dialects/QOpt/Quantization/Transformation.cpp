//===- Transformation.cpp - Rewrites that leave results as they are -------===//

#include "dialects/QOpt/Quantization/Transformation.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace qopt;

bool Layer::isQuantized() const {
  return request && request.getAct() &&
         !isInCodesOf(view.lhs.operand->get(), request.getAct()) &&
         !isInCodesOf(view.rhs.operand->get(), request.getWeight());
}

bool Layer::isWeightOnly() const {
  return request && !request.getAct() && request.getWeight() &&
         !isInCodesOf(view.rhs.operand->get(), request.getWeight());
}

std::optional<Statistics> LayerGroup::getStatistics() const {
  std::optional<Statistics> stats = qopt::getStatistics(activation);
  return stats && stats->samples ? stats : std::nullopt;
}

bool Transformation::isOn(const MethodOptions &options) const {
  std::string value = formatValue(options.getValue(getName()));
  return value != "false" && value != "off";
}

std::vector<LayerGroup> qopt::findLayerGroups(func::FuncOp function) {
  llvm::MapVector<Value, LayerGroup> groups;
  function.walk([&](Operation *op) {
    std::optional<Contraction> view = getWeightedContraction(op);
    if (!view)
      return;
    Value activation = view->lhs.tensor;
    LayerGroup &group = groups[activation];
    group.activation = activation;
    group.layers.push_back(
        {op, *view, op->getAttrOfType<RequestAttr>(kRequestAttrName)});
  });
  std::vector<LayerGroup> found;
  for (auto &[activation, group] : groups)
    found.push_back(std::move(group));
  return found;
}
