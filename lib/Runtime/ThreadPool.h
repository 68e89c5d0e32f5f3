//===- ThreadPool.h - The threads of one context ----------------*- C++ -*-===//
//
// Workers live as long as the context. Each thread has a share of the parts, in
// the order of their numbers, and then takes what others have not begun: nobody
// waits for a thread that the system does not run. What a part computes does
// not depend on the thread that runs it.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_THREADPOOL_H
#define QOPT_LIB_RUNTIME_THREADPOOL_H

#include "qopt-runtime/qopt_model.h"
#include <atomic>
#include <pthread.h>

namespace qopt::runtime {

/// CPUs that this process may use, at least 1.
int64_t countUsableCpus();

class ThreadPool {
public:
  /// Starts `threads - 1` workers; the caller of `run` is the first thread.
  /// Returns false, with no worker left, when the system refuses.
  bool start(int64_t threads);

  /// Ends the workers. Allowed when none were started.
  void stop();

  /// Runs all parts and returns when they are done.
  void run(qopt_task task, void *state, int64_t parts);

  int64_t getThreadCount() const { return threadCount; }

private:
  struct Worker {
    ThreadPool *pool;
    int64_t index;
    pthread_t thread;
  };

  static void *runWorker(void *argument);
  uint32_t waitForJob(uint32_t seen);
  void waitForWorkers();
  void publish(qopt_task task, void *state, int64_t parts);
  void runParts(uint32_t number, int64_t thread);
  int64_t runShare(uint32_t number, int64_t owner, int64_t thread);
  int64_t getShareBegin(int64_t owner) const;

  /// The number of a job (high half) and the next part of a share. A thread
  /// that comes late finds another job's number.
  struct alignas(64) Share {
    std::atomic<uint64_t> ticket{0};
  };

  Worker *workers = nullptr;
  Share *shares = nullptr;
  int64_t threadCount = 1;
  int64_t startedCount = 0;
  int64_t spinNanoseconds = 0;
  bool isPinned = false;

  qopt_task task = nullptr;
  void *state = nullptr;
  std::atomic<int64_t> parts{0};

  /// Grows with each job; workers sleep on it.
  alignas(64) std::atomic<uint32_t> job{0};
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> isStopping{false};
  /// Parts of the job that are not done; the caller sleeps on it.
  alignas(64) std::atomic<uint32_t> pending{0};
  std::atomic<uint32_t> isCallerAsleep{0};
};

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_THREADPOOL_H
