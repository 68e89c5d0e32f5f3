//===- AccuracyGate.cpp - The accuracy that a compile must keep -----------===//
//
// A NaN keeps no bound: every comparison is written so that it fails.
//
//===----------------------------------------------------------------------===//

#include "qopt/Pipelines/AccuracyGate.h"
#include "qopt/Support/CodedError.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace qopt;
using llvm::StringRef;

/// Below it noise is a third of the signal.
static constexpr double kPoorDecibels = 10;

static std::string describeSamples(const Accuracy &accuracy) {
  return llvm::formatv("on {0} sample{1} that {2} chosen by", accuracy.samples,
                       accuracy.samples == 1 ? "" : "s",
                       accuracy.isOnFitted ? "ranges or weights were"
                                           : "nothing was");
}

static std::string formatDecibels(double value) {
  if (std::isnan(value))
    return "unknown";
  if (std::isinf(value))
    return "infinite";
  return llvm::formatv("{0:f1} dB", value);
}

std::string Accuracy::describe() const {
  std::string text;
  for (const OutputAccuracy &output : outputs)
    if (output.count == 0)
      text += "output \"" + output.output +
              "\": the samples have no number to compare\n";
    else
      text +=
          llvm::formatv("output \"{0}\": SQNR {1}, cosine {2:f5}, {3}\n",
                        output.output, formatDecibels(output.sqnrInDecibels),
                        output.cosine, describeSamples(*this))
              .str();
  return text;
}

std::string Accuracy::findPoorOutputs() const {
  std::string names;
  for (const OutputAccuracy &output : outputs)
    if (!(output.sqnrInDecibels >= kPoorDecibels))
      names +=
          llvm::formatv("{0}\"{1}\" ({2})", names.empty() ? "" : ", ",
                        output.output, formatDecibels(output.sqnrInDecibels))
              .str();
  if (names.empty())
    return "";
  return llvm::formatv(
      "outputs are far from the float model's {0}: {1}; take a "
      "preset with more bits, or give sensitive nodes another "
      "precision in a recipe's overrides",
      describeSamples(*this), names);
}

static bool isLowerBound(StringRef metric) { return metric != "max-error"; }

llvm::Expected<AccuracyGate> AccuracyGate::parse(StringRef text) {
  AccuracyGate gate;
  auto [metric, bound] = text.split(text.contains("<=") ? "<=" : ">=");
  gate.metric = metric.trim().str();
  bool isKnown = gate.metric == "cosine" || gate.metric == "sqnr" ||
                 gate.metric == "max-error";
  bool hasSign = text.contains(isLowerBound(gate.metric) ? ">=" : "<=");
  if (!isKnown || !hasSign || bound.trim().getAsDouble(gate.bound) ||
      !std::isfinite(gate.bound))
    return makeError(
        ExitCode::BadUse,
        "the accuracy gate expects cosine>=NUMBER, sqnr>=DECIBELS or "
        "max-error<=NUMBER, but found '" +
            text + "'");
  return gate;
}

llvm::Error AccuracyGate::check(llvm::ArrayRef<OutputAccuracy> outputs) const {
  for (const OutputAccuracy &output : outputs) {
    if (output.count == 0)
      return makeError(ExitCode::BadData,
                       "output \"" + output.output +
                           "\": the samples have no number that the accuracy "
                           "gate could look at\nnote: leave out samples that "
                           "are empty");
    double value = metric == "cosine" ? output.cosine
                   : metric == "sqnr" ? output.sqnrInDecibels
                                      : output.largestError;
    bool isKept = isLowerBound(metric) ? value >= bound : value <= bound;
    if (!isKept)
      return makeError(
          ExitCode::NotAccurate,
          llvm::formatv(
              "output \"{0}\": {1} is {2:f6}, but the accuracy gate "
              "asks for {3}{4:f6}\nnote: take a preset with more bits, or "
              "give sensitive nodes another precision in a recipe's "
              "overrides",
              output.output, metric, value,
              isLowerBound(metric) ? ">=" : "<=", bound)
              .str());
  }
  return llvm::Error::success();
}
