//===- TransformLayers.cpp - Transformations in their order ---------------===//
//
// One after the other over the whole function: a transformation sees what those
// before it left.
//
//===----------------------------------------------------------------------===//

#include "qopt/Transforms/Methods.h"
#include "qopt/Transforms/Passes.h"

namespace qopt {
#define GEN_PASS_DEF_TRANSFORMLAYERSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
struct TransformLayers : qopt::impl::TransformLayersPassBase<TransformLayers> {
  using TransformLayersPassBase::TransformLayersPassBase;
  TransformLayers(const TransformLayersPassOptions &options,
                  const MethodRegistry &methods)
      : TransformLayersPassBase(options), methods(&methods) {}

  void runOnOperation() override {
    MethodOptions options = methods->getTransformOptions();
    if (llvm::Error error = options.read(transforms)) {
      emitError(getOperation().getLoc(), "transforms: ")
          << llvm::toString(std::move(error));
      return signalPassFailure();
    }
    for (const auto &transformation : methods->getTransformations())
      if (transformation->isOn(options))
        for (const LayerGroup &group : findLayerGroups(getOperation()))
          transformation->apply(group, {isPow2, keepsCodes}, options);
  }

private:
  const MethodRegistry *methods = &getMethods();
};
} // namespace

std::unique_ptr<Pass>
qopt::createTransformLayersPass(const TransformLayersPassOptions &options,
                                const MethodRegistry &methods) {
  return std::make_unique<TransformLayers>(options, methods);
}
