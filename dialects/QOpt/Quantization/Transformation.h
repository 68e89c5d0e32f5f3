//===- Transformation.h - Rewrites that leave results as they are -*- C++ -*-=//
//
// A transformation is one file and one line in lib/Transforms/CMakeLists.txt;
// recipes name it as a key of `transforms`. It gets layers that share an
// activation with its statistics, and makes them easier to round: factors
// between channels and weights, a rotation of an activation that its weights
// take back, a branch of low rank. What it writes on weights are expressions,
// evaluated once at the end of `quantize`.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_TRANSFORMATION_H
#define DIALECTS_QOPT_QUANTIZATION_TRANSFORMATION_H

#include "dialects/QOpt/Quantization/MethodOptions.h"
#include "dialects/QOpt/Quantization/Statistics.h"
#include "dialects/QOpt/Quantization/WeightExpressions.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt {

/// A contraction with a weight.
struct Layer {
  mlir::Operation *op;
  Contraction view;
  /// What is planned; null for an op that is to stay as it is.
  RequestAttr request;

  /// True where the activation is to have codes, and neither it nor the weight
  /// stands in codes that the model came with.
  bool isQuantized() const;
  /// True where the weight alone is to have codes, and has none yet.
  bool isWeightOnly() const;
  /// The same as `isQuantized` with one range for all data.
  bool isStatic() const {
    return isQuantized() && request.getParams() == Params::Static;
  }
};

/// The layers that read one activation, in the order of the program.
struct LayerGroup {
  mlir::Value activation;
  std::vector<Layer> layers;

  /// What samples showed of the activation, if any reached it.
  std::optional<Statistics> getStatistics() const;
};

/// What all transformations of a recipe are told.
struct TransformSettings {
  /// Factors are powers of two.
  bool isPow2 = false;
  /// Nothing that floats compute may come between ops on codes.
  bool keepsCodes = false;
};

/// The activations that a transformation has something to do with.
enum class TransformedActivations {
  Any,
  Weighted,  ///< those in front of weights that are to have codes
  Quantized, ///< those that are to have codes
  Static,    ///< those of codes with one range for all data
  Float,     ///< those that stay floats in front of weights in codes
};

class Transformation {
public:
  virtual ~Transformation() = default;

  /// The key of `transforms` that turns it on: "smooth".
  virtual llvm::StringRef getName() const = 0;

  /// The keys that it reads; the first has its name. Others are those of no
  /// other transformation. Declarations live as long as it does.
  virtual llvm::ArrayRef<MethodOption> getOptions() const = 0;

  /// What it does, for the reference of recipes: IR before and behind, what it
  /// leaves alone, and the line `Numerics:`.
  virtual llvm::StringRef getDescription() const = 0;

  /// True where the recipe turns it on.
  virtual bool isOn(const MethodOptions &options) const;

  /// A recipe without such activations is refused where it turns this on.
  virtual TransformedActivations getActivations() const {
    return TransformedActivations::Any;
  }

  /// True where it does nothing without statistics, so that a recipe that turns
  /// it on needs samples.
  virtual bool needsStatistics() const { return false; }

  /// Rewrites a group, or leaves it alone. Drops the statistics of values that
  /// it changes (`setStatistics`), and tells the report what it did
  /// (`kFactorsAttrName`).
  ///   in:   %y = qopt.matmul %x, %w
  ///   out:  %y = qopt.matmul (qopt.mul %x, %r), (qopt.mul %w, %s)
  virtual void apply(const LayerGroup &group, const TransformSettings &settings,
                     const MethodOptions &options) const = 0;
};

/// The groups of a function, in the order of their first layers.
std::vector<LayerGroup> findLayerGroups(mlir::func::FuncOp function);

} // namespace qopt

#endif
