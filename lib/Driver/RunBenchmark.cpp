//===- RunBenchmark.cpp - How long a run takes ----------------------------===//
//
// Percentiles are times that were measured: the nearest rank, no interpolation.
//
//===----------------------------------------------------------------------===//

#include "RunBenchmark.h"

#include "llvm/ADT/STLExtras.h"
#include <chrono>
#include <cmath>
#include <numeric>

using namespace qopt;

/// The least time that `fraction` of all runs took at most. `times` ascend.
static double findPercentile(llvm::ArrayRef<double> times, double fraction) {
  auto rank = static_cast<size_t>(std::ceil(fraction * times.size()));
  return times[std::max<size_t>(rank, 1) - 1];
}

Timing qopt::summarizeTimes(std::vector<double> timesInMs) {
  llvm::sort(timesInMs);
  Timing timing;
  timing.iters = timesInMs.size();
  timing.minInMs = timesInMs.front();
  timing.meanInMs = std::accumulate(timesInMs.begin(), timesInMs.end(), 0.0) /
                    timesInMs.size();
  timing.medianInMs = findPercentile(timesInMs, 0.5);
  timing.p90InMs = findPercentile(timesInMs, 0.9);
  timing.p99InMs = findPercentile(timesInMs, 0.99);
  return timing;
}

llvm::Expected<Timing> qopt::measure(RunProgram &program,
                                     llvm::ArrayRef<HostTensor> arguments,
                                     const RunOptions &options) {
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::duration<double, std::milli>;
  for (int64_t i = 0; i < options.warmup.value_or(3); ++i)
    if (llvm::Error error = program.runWithoutResults(arguments))
      return std::move(error);
  std::vector<double> times;
  Clock::time_point first = Clock::now(), begin = first;
  Milliseconds minTime(1000 * options.minTimeInSeconds.value_or(1));
  auto isDone = [&] {
    if (options.iters)
      return static_cast<int64_t>(times.size()) >= *options.iters;
    return !times.empty() && begin - first >= minTime;
  };
  while (!isDone()) {
    if (llvm::Error error = program.runWithoutResults(arguments))
      return std::move(error);
    Clock::time_point end = Clock::now();
    times.push_back(Milliseconds(end - begin).count());
    begin = end;
  }
  return summarizeTimes(std::move(times));
}
