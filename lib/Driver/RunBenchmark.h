//===- RunBenchmark.h - How long a run takes --------------------*- C++ -*-===//
//
// Wall time of whole runs on inputs that are in memory.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNBENCHMARK_H
#define LIB_DRIVER_RUNBENCHMARK_H

#include "RunOptions.h"
#include "RunProgram.h"

namespace qopt {

struct Timing {
  double medianInMs = 0, minInMs = 0, meanInMs = 0, p90InMs = 0, p99InMs = 0;
  int64_t iters = 0;
};

/// Sums up the times of single runs, of which there is at least one.
Timing summarizeTimes(std::vector<double> timesInMs);

/// Warms up, then measures until the options are met.
llvm::Expected<Timing> measure(RunProgram &program,
                               llvm::ArrayRef<HostTensor> arguments,
                               const RunOptions &options);

} // namespace qopt

#endif // LIB_DRIVER_RUNBENCHMARK_H
