//===- RunReport.cpp - What is told of runs -------------------------------===//
//
// Where results are compared, how far they are from what was expected is told
// in place of their elements.
//
//===----------------------------------------------------------------------===//

#include "RunReport.h"

#include "RunElements.h"
#include "qopt/Support/Json.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace qopt;
using llvm::StringRef;

/// Elements that are shown of a result.
static constexpr int64_t kMaxShownElements = 8;

/// Calls `tell` with each output and its distance. Outputs of other shapes are
/// left out: that they differ is told elsewhere.
static void
forEachDistance(const RunProgram &program, const RunRow &row,
                llvm::function_ref<void(StringRef, const Distance &)> tell) {
  for (auto [output, result, wanted] :
       llvm::zip_equal(program.getOutputs(), row.results, *row.expected))
    if (result.getDims() == wanted.getDims())
      tell(output.name, measureDistance(result, wanted));
}

static void printDistance(StringRef output, const Distance &distance,
                          llvm::raw_ostream &os) {
  os << output;
  if (distance.isEqual())
    os << ": equal\n";
  else
    os << llvm::format(": SQNR %.1f dB, cosine %.6f, largest error %.3g\n",
                       distance.sqnrInDecibels, distance.cosine,
                       distance.largestError);
}

static void printResult(const ModelValue &output, const HostTensor &result,
                        llvm::raw_ostream &os) {
  int64_t count = result.getNumElements();
  os << output.name << ": " << formatDims(result.getDims()) << " "
     << getName(result.getType()) << ":";
  for (int64_t i = 0; i < std::min(count, kMaxShownElements); ++i)
    os << llvm::format(" %.9g", static_cast<double>(readElement(result, i)));
  os << (count > kMaxShownElements ? " ...\n" : "\n");
}

void RunReport::printRun(const RunRow &row, StringRef prefix) {
  if (row.expected) {
    forEachDistance(program, row,
                    [&](StringRef output, const Distance &distance) {
                      printDistance(output, distance, os << prefix);
                    });
    return;
  }
  if (!options.outputs.empty())
    return;
  for (auto [output, result] :
       llvm::zip_equal(program.getOutputs(), row.results)) {
    os << prefix;
    printResult(output, result, os);
  }
}

llvm::json::Object RunReport::describeRun(const RunRow &row) const {
  llvm::json::Object run{{"sample", row.sample}};
  if (!options.isBenchmark) {
    llvm::json::Array outputs;
    for (auto [output, result] :
         llvm::zip_equal(program.getOutputs(), row.results))
      outputs.push_back(
          llvm::json::Object{{"name", output.name},
                             {"type", getName(result.getType())},
                             {"dims", llvm::json::Array(result.getDims())}});
    run["outputs"] = std::move(outputs);
  }
  if (!row.expected)
    return run;
  llvm::json::Array distances;
  forEachDistance(program, row,
                  [&](StringRef output, const Distance &distance) {
                    llvm::json::Object object = describeDistance(distance);
                    object["output"] = output;
                    distances.push_back(std::move(object));
                  });
  run["compare"] = std::move(distances);
  run["passed"] = row.hasPassed;
  return run;
}

void RunReport::addRun(const RunRow &row, bool isOneOfMany) {
  if (options.isBenchmark && !row.expected)
    return;
  if (!options.isJson)
    printRun(row, isOneOfMany ? row.sample + ": " : "");
  else if (options.isBenchmark)
    beside = describeRun(row);
  else
    os << llvm::json::Value(describeRun(row)) << "\n";
}

void RunReport::addSummary(StringRef text) {
  if (!options.isJson)
    os << text << "\n";
}

void RunReport::addTiming(const Timing &timing, int64_t threads) {
  if (!options.isJson) {
    os << llvm::format("median %.4f ms, min %.4f, mean %.4f, p90 %.4f, "
                       "p99 %.4f ",
                       timing.medianInMs, timing.minInMs, timing.meanInMs,
                       timing.p90InMs, timing.p99InMs)
       << "(" << timing.iters << " runs, " << threads << " threads, "
       << program.getIsa() << ")\n";
    return;
  }
  llvm::json::Object told = std::move(beside);
  told["median_ms"] = timing.medianInMs;
  told["min_ms"] = timing.minInMs;
  told["mean_ms"] = timing.meanInMs;
  told["p90_ms"] = timing.p90InMs;
  told["p99_ms"] = timing.p99InMs;
  told["iters"] = timing.iters;
  told["threads"] = threads;
  told["isa"] = program.getIsa();
  os << llvm::json::Value(std::move(told)) << "\n";
}
