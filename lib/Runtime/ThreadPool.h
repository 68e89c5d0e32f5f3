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

#include "Futexes.h"
#include "JobBoard.h"
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
  void run(qopt_task task, void *state, int64_t parts) {
    board.run(task, state, parts);
  }

  int64_t getThreadCount() const { return threadCount; }

private:
  using Board = JobBoard<Futexes>;

  struct Worker {
    ThreadPool *pool;
    int64_t index;
    pthread_t thread;
  };

  static void *runWorker(void *argument);

  Worker *workers = nullptr;
  Board::Share *shares = nullptr;
  int64_t threadCount = 1;
  int64_t startedCount = 0;
  bool isPinned = false;
  Board board;
};

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_THREADPOOL_H
