//===- RoundingMethod.h - How the codes of a weight are chosen --*- C++ -*-===//
//
// A method is one file and one line in CMakeLists.txt; recipes name it as
// `rounding: {method: <name>}`. It gets a layer, the statistics that it asks
// for, and the grid with its final scale rule: a scale that is changed behind a
// method takes back what the method gained.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_QUANTIZATION_ROUNDINGMETHOD_H
#define DIALECTS_QOPT_QUANTIZATION_ROUNDINGMETHOD_H

#include "dialects/QOpt/Quantization/MethodOptions.h"
#include "dialects/QOpt/Quantization/WeightGrid.h"

namespace qopt {

/// Rows of the activation that an op reads, in front of the pass that rounds.
inline constexpr llvm::StringLiteral kRowsAttrName = "qopt.rows";
/// Marks the ops that are rounded next, and those that were, where layers are
/// rounded one group after the other.
inline constexpr llvm::StringLiteral kRoundNextAttrName = "qopt.round_next";
inline constexpr llvm::StringLiteral kRoundedAttrName = "qopt.rounded";

/// How much a row of activations counts in a sum over rows.
enum class RowWeight {
  None,         ///< all rows alike: one massive row can own the sum
  InverseSquare ///< divided by the sum of its squares
};

/// What a method wants to know of the activations that a weight meets, in
/// products of matrices. A need that is not named costs nothing.
struct RoundingNeeds {
  /// The sum over rows x of x x^T.
  bool moments = false;
  RowWeight rowWeight = RowWeight::None;
  /// Rows to be kept, at most; all rows of the samples are as likely.
  int64_t rows = 0;
  /// The activations are those of the program in which all layers before are
  /// rounded, instead of the float program. Costs a run of all samples for each
  /// group of layers that read one activation.
  bool isSequential = false;

  bool any() const { return moments || rows; }
};

/// A weight, and what is known of what it is multiplied with.
struct LayerToRound {
  /// The op that reads the weight: a product of matrices, a convolution, or a
  /// gather.
  mlir::Operation *op;
  /// In f32, as `op` reads it; [K, N] in a product of matrices.
  const HostTensor &weight;
  /// K x K, symmetric; empty where the method asks for none, or the op is no
  /// product of matrices.
  llvm::ArrayRef<double> moments;
  /// Rows of K numbers, one after the other; empty likewise.
  llvm::ArrayRef<float> rows;
};

class RoundingMethod {
public:
  virtual ~RoundingMethod() = default;

  /// What recipes call it: "gptq".
  virtual llvm::StringRef getName() const = 0;

  /// One sentence for the reference of recipes: "makes up for ...".
  virtual llvm::StringRef getMeaning() const = 0;

  /// Keys of `rounding` that this method reads. Names are those of no other
  /// method; declarations live as long as the method.
  virtual llvm::ArrayRef<MethodOption> getOptions() const { return {}; }

  /// What it wants to be told; a method that needs anything needs samples.
  virtual RoundingNeeds getNeeds(const MethodOptions &options) const {
    return {};
  }

  /// The codes of a weight, and its scales and zeros.
  ///   in:   weight [[0.9, -1.4], [1.5, 0.5]], grid <i4, axis = 1>, range rules
  ///   out:  codes [[4, -7], [7, 3]], scales [[0.214, 0.2]]
  /// Fails for a weight that is not finite, and where statistics do not allow
  /// what the options ask.
  virtual llvm::Expected<QuantizedWeight>
  round(const LayerToRound &layer, const WeightGrid &grid,
        const MethodOptions &options) const = 0;
};

} // namespace qopt

#endif
