//===- RunReport.h - What is told of runs -----------------------*- C++ -*-===//
//
// For people or as JSON, one object a run. A benchmark prints one object: its
// comparison, where one is asked for, is part of it.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNREPORT_H
#define LIB_DRIVER_RUNREPORT_H

#include "RunBenchmark.h"
#include "RunCompare.h"
#include "RunProgram.h"

namespace qopt {

/// One run as it is told.
struct RunRow {
  /// The file of its inputs; empty: `--input` gave them all.
  std::string sample;
  llvm::ArrayRef<HostTensor> results;
  /// What was expected; nothing where nothing is compared.
  std::optional<std::vector<HostTensor>> expected;
  bool hasPassed = true;
};

class RunReport {
public:
  RunReport(const RunProgram &program, const RunOptions &options,
            llvm::raw_ostream &os)
      : program(program), options(options), os(os) {}

  /// `isOneOfMany` puts the file in front of what is told to people.
  void addRun(const RunRow &row, bool isOneOfMany);
  /// The last line for people.
  void addSummary(llvm::StringRef text);
  void addTiming(const Timing &timing, int64_t threads);

private:
  void printRun(const RunRow &row, llvm::StringRef prefix);
  llvm::json::Object describeRun(const RunRow &row) const;

  const RunProgram &program;
  const RunOptions &options;
  llvm::raw_ostream &os;
  /// What a benchmark tells beside the times.
  llvm::json::Object beside;
};

} // namespace qopt

#endif // LIB_DRIVER_RUNREPORT_H
