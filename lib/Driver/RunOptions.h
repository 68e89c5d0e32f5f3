//===- RunOptions.h - What qopt-run was asked to do -------------*- C++ -*-===//
//
// A plain struct: linking a model resets every option of LLVM's parser, so
// nothing reads those after the start.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNOPTIONS_H
#define LIB_DRIVER_RUNOPTIONS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qopt {

/// How near results have to be to what is expected.
struct Tolerance {
  /// Nothing: exact for integers, 1e-5 for floats.
  std::optional<double> absolute, relative;
  /// Asked of each output instead, where it is given.
  std::optional<double> minSqnrInDecibels;
};

struct RunOptions {
  /// A compiled model, an ONNX model, or a phase file.
  std::string model;
  /// An .npz or a folder of them; empty: none.
  std::string inputs, outputs, expect;
  /// `NAME=@FILE.npy` or `NAME=2x3xf32[=VALUE]`.
  std::vector<std::string> inputSpecs;
  uint64_t seed = 0;
  Tolerance tolerance;
  /// 0: one for each CPU.
  int32_t threads = 0;
  /// Of all loops of a run together; nothing: as many as they need.
  std::optional<int64_t> maxIterations;
  bool usesReference = false;
  /// Samples are steps of one sequence.
  bool keepsStates = false;
  /// 0: what the model says.
  int64_t capacity = 0;
  /// `reference`, or a file that is interpreted; empty: nothing.
  std::string compare;
  bool isDescription = false;
  bool isVerification = false;
  bool isJson = false;

  bool isBenchmark = false;
  /// Nothing: 3.
  std::optional<int64_t> warmup;
  /// Nothing: as many as fit into the time.
  std::optional<int64_t> iters;
  /// Nothing: 1.
  std::optional<double> minTimeInSeconds;

  /// A list of cases, one JSON object a line; empty: none.
  std::string batch;
};

/// Told by the file's extension.
enum class ModelKind { Compiled, Onnx, Phase };
ModelKind getModelKind(llvm::StringRef path);

/// Reads the command line. `--help` and `--version` end the process.
llvm::Expected<RunOptions> parseRunOptions(int argc, char **argv);

/// Checks what no single flag can tell.
llvm::Error checkRunOptions(const RunOptions &options);

} // namespace qopt

#endif // LIB_DRIVER_RUNOPTIONS_H
