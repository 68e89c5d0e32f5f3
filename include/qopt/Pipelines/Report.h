//===- Report.h - What was done to the numbers ------------------*- C++ -*-===//
//
// The contents of report.json and report.html. The schema is in
// docs/report.schema.json; its version grows when a key changes its meaning.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_PIPELINES_REPORT_H
#define QOPT_PIPELINES_REPORT_H

#include "qopt/Pipelines/AccuracyGate.h"
#include "qopt/Pipelines/Contract.h"
#include "qopt/Pipelines/Recipe.h"
#include <string>
#include <vector>

namespace qopt {

inline constexpr int kReportVersion = 1;

struct PhaseCost {
  std::string phase;
  double seconds = 0;
};

/// Error of one quantized tensor against the float one. Of an activation it is
/// what its statistics predict, without a cosine.
struct TensorError {
  std::string node, tensor, format;
  double sqnrInDecibels = 0;
  std::optional<double> cosine;
};

/// The calibrated range of a tensor.
struct TensorRange {
  std::string node;
  float min = 0, max = 0;
  int64_t samples = 0;
};

/// A contraction whose activation and weight were rescaled against each other.
struct RescaledLayer {
  /// `smooth` or `equalize`, and the rule that gave the factors.
  std::string node, transform, rule;
  /// Of what the channels were divided by.
  float smallestFactor = 1, largestFactor = 1;
  /// What the search predicts.
  double gainInDecibels = 0;
};

/// The nodes that an override of the recipe matched.
struct OverrideMatch {
  std::string pattern;
  std::vector<int64_t> nodes;
};

struct Report {
  std::string model, target;
  std::vector<std::string> tiers;
  Recipe recipe;
  Contract contract;
  /// In the order of the recipe.
  std::vector<OverrideMatch> overrides;
  std::vector<TensorError> errors;
  std::vector<TensorRange> ranges;
  std::vector<RescaledLayer> rescaled;
  /// Of each output, where there were samples.
  Accuracy accuracy;
  std::vector<PhaseCost> costs;
  /// Why there is no artefact, where the program broke the accuracy gate or the
  /// precision contract.
  std::string refusal;
  /// What is odd and no error, as the command prints it.
  std::vector<std::string> warnings;
  uint64_t artefactBytes = 0;

  llvm::json::Value toJson() const;
  std::string toHtml() const;
  /// A line for each override: how many nodes it matched.
  std::string describeOverrides() const;
  /// How many of the nodes that an override matched policy decided about.
  int64_t countPlanned(const OverrideMatch &match) const;
  /// Makes the folder for reports, unless it is there.
  static llvm::Error makeFolder(llvm::StringRef folder);
  /// Writes report.json and report.html into `folder`, which is made.
  llvm::Error write(llvm::StringRef folder) const;
};

} // namespace qopt

#endif
