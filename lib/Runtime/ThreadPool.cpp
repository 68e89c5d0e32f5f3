//===- ThreadPool.cpp - The threads of one context --------------*- C++ -*-===//
//
// Starts, ties and ends the threads; how they share a job is in JobBoard.h.
// Kernels follow each other within microseconds, so both sides spin for a short
// while before they sleep.
//
//===----------------------------------------------------------------------===//

#include "ThreadPool.h"
#include "Cpu.h"

#include <new>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

using namespace qopt::runtime;

static constexpr int64_t kMaxSpinNanoseconds = 50'000;

int64_t qopt::runtime::countUsableCpus() {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
    return 1;
  int64_t count = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    count += CPU_ISSET(cpu, &cpus) ? 1 : 0;
  return count > 0 ? count : 1;
}

/// Ties the calling thread to the CPU with this number among the usable ones.
static void pinToCpu(int64_t index) {
  cpu_set_t usable, chosen;
  if (sched_getaffinity(0, sizeof(usable), &usable) != 0)
    return;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &usable) || index-- != 0)
      continue;
    CPU_ZERO(&chosen);
    CPU_SET(cpu, &chosen);
    sched_setaffinity(0, sizeof(chosen), &chosen);
    return;
  }
}

void *ThreadPool::runWorker(void *argument) {
  Worker &worker = *static_cast<Worker *>(argument);
  ThreadPool &pool = *worker.pool;
  if (pool.isPinned)
    pinToCpu(worker.index);
  DefaultFloatMode mode;
  pool.board.work(worker.index);
  return nullptr;
}

bool ThreadPool::start(int64_t threads) {
  int64_t cpus = countUsableCpus();
  threadCount = threads;
  // A pool that leaves CPUs free must not choose them: another pool may have
  // chosen the same. One with more threads than CPUs must not spin.
  isPinned = threads == cpus;
  int64_t spinNanoseconds = threads <= cpus ? kMaxSpinNanoseconds : 0;
  if (threads == 1)
    return true;
  workers = static_cast<Worker *>(calloc(threads, sizeof(Worker)));
  shares = static_cast<Board::Share *>(
      aligned_alloc(alignof(Board::Share), threads * sizeof(Board::Share)));
  if (!workers || !shares) {
    stop();
    return false;
  }
  for (int64_t index = 0; index < threads; ++index)
    new (&shares[index]) Board::Share();
  board.open(shares, threads, spinNanoseconds);

  // The host's signals are for the host's threads.
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  bool isStarted = true;
  for (int64_t index = 1; index < threads && isStarted; ++index) {
    workers[index].pool = this;
    workers[index].index = index;
    isStarted = pthread_create(&workers[index].thread, nullptr, runWorker,
                               &workers[index]) == 0;
    if (isStarted)
      startedCount = index;
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (!isStarted)
    stop();
  return isStarted;
}

void ThreadPool::stop() {
  board.stop();
  for (int64_t index = 1; index <= startedCount; ++index)
    pthread_join(workers[index].thread, nullptr);
  free(workers);
  free(shares);
  workers = nullptr;
  shares = nullptr;
  startedCount = 0;
}
