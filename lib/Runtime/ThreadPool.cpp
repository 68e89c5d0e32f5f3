//===- ThreadPool.cpp - The threads of one context --------------*- C++ -*-===//
//
// Kernels follow each other within microseconds, so both sides spin for a short
// while before they sleep. Whoever wakes another first changes the number that
// the other sleeps on and then looks whether it sleeps; the sleeper does the
// two in the other order. So no wake-up is lost.
//
// stop() changes `isStopping` and then `job`, so a worker reads `job` first: if
// it has seen the number that stop() made, it sees `isStopping` too; if it has
// seen an earlier one, it does not sleep on the later. The atomics of the
// hand-shake are sequentially consistent, hence so is every run.
//
//===----------------------------------------------------------------------===//

#include "ThreadPool.h"
#include "FloatMode.h"

#include <climits>
#include <cstdint>
#include <linux/futex.h>
#include <new>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

using namespace qopt::runtime;

static constexpr int64_t maxSpinNanoseconds = 50'000;

static void sleepWhileEqual(std::atomic<uint32_t> &number, uint32_t value) {
  syscall(SYS_futex, &number, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

static void wakeAll(std::atomic<uint32_t> &number) {
  syscall(SYS_futex, &number, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

static int64_t readNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

/// Spins until `condition()` or until the time is over; returns the condition.
template <typename Condition>
static bool spinUntil(int64_t nanoseconds, Condition condition) {
  if (condition())
    return true;
  if (nanoseconds == 0)
    return false;
  int64_t end = readNanoseconds() + nanoseconds;
  do {
    for (int i = 0; i < 32; ++i) {
      if (condition())
        return true;
      _mm_pause();
    }
  } while (readNanoseconds() < end);
  return false;
}

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

/// Tickets count parts in 32 bits.
static uint64_t makeTicket(uint32_t job, int64_t part) {
  return uint64_t(job) << 32 | uint32_t(part);
}

int64_t ThreadPool::getShareBegin(int64_t owner) const {
  // The first `extra` shares have one part more.
  int64_t count = parts.load();
  int64_t share = count / threadCount, extra = count % threadCount;
  return owner * share + (owner < extra ? owner : extra);
}

/// Runs what is left of a share of job `number`; returns how many parts.
int64_t ThreadPool::runShare(uint32_t number, int64_t owner, int64_t thread) {
  std::atomic<uint64_t> &ticket = shares[owner].ticket;
  int64_t done = 0;
  uint64_t seen = ticket.load();
  for (;;) {
    // Should this be another job's end, then the exchange fails or there was
    // nothing left to do.
    int64_t end = getShareBegin(owner + 1);
    int64_t part = static_cast<uint32_t>(seen);
    if (seen >> 32 != number || part >= end)
      return done;
    if (!ticket.compare_exchange_weak(seen, seen + 1))
      continue;
    task(state, part, thread);
    ++done;
    seen = ticket.load();
  }
}

void ThreadPool::runParts(uint32_t number, int64_t thread) {
  int64_t done = 0;
  for (int64_t i = 0; i < threadCount; ++i)
    done += runShare(number, (thread + i) % threadCount, thread);
  if (done == 0)
    return;
  uint32_t finished = static_cast<uint32_t>(done);
  if (pending.fetch_sub(finished) == finished && isCallerAsleep.load())
    wakeAll(pending);
}

/// Waits for another job than `seen`; returns its number.
uint32_t ThreadPool::waitForJob(uint32_t seen) {
  uint32_t number = seen;
  auto hasJob = [&] { return (number = job.load()) != seen; };
  if (spinUntil(spinNanoseconds, hasJob))
    return number;
  sleepers.fetch_add(1);
  while (!hasJob())
    sleepWhileEqual(job, seen);
  sleepers.fetch_sub(1);
  return number;
}

void *ThreadPool::runWorker(void *argument) {
  Worker &worker = *static_cast<Worker *>(argument);
  ThreadPool &pool = *worker.pool;
  if (pool.isPinned)
    pinToCpu(worker.index);
  DefaultFloatMode mode;
  for (uint32_t seen = 0;;) {
    seen = pool.waitForJob(seen);
    if (pool.isStopping.load())
      return nullptr;
    pool.runParts(seen, worker.index);
  }
}

bool ThreadPool::start(int64_t threads) {
  int64_t cpus = countUsableCpus();
  threadCount = threads;
  // A pool that leaves CPUs free must not choose them: another pool may have
  // chosen the same. One with more threads than CPUs must not spin.
  isPinned = threads == cpus;
  spinNanoseconds = threads <= cpus ? maxSpinNanoseconds : 0;
  if (threads == 1)
    return true;
  workers = static_cast<Worker *>(calloc(threads, sizeof(Worker)));
  shares = static_cast<Share *>(
      aligned_alloc(alignof(Share), threads * sizeof(Share)));
  if (!workers || !shares) {
    stop();
    return false;
  }
  for (int64_t index = 0; index < threads; ++index)
    new (&shares[index]) Share();

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
  isStopping.store(true);
  job.fetch_add(1);
  wakeAll(job);
  for (int64_t index = 1; index <= startedCount; ++index)
    pthread_join(workers[index].thread, nullptr);
  free(workers);
  free(shares);
  workers = nullptr;
  shares = nullptr;
  startedCount = 0;
}

void ThreadPool::waitForWorkers() {
  auto isDone = [&] { return pending.load() == 0; };
  if (spinUntil(spinNanoseconds, isDone))
    return;
  isCallerAsleep.store(1);
  while (uint32_t count = pending.load())
    sleepWhileEqual(pending, count);
  isCallerAsleep.store(0);
}

/// Makes the parts of a new job ready to be taken, then says so.
void ThreadPool::publish(qopt_task newTask, void *newState, int64_t newParts) {
  uint32_t number = job.load() + 1;
  // With the new job's numbers in old tickets, a late thread would find parts.
  for (int64_t owner = 0; owner < threadCount; ++owner)
    shares[owner].ticket.store(makeTicket(number, UINT32_MAX));
  task = newTask;
  state = newState;
  parts.store(newParts);
  pending.store(static_cast<uint32_t>(newParts));
  for (int64_t owner = 0; owner < threadCount; ++owner)
    shares[owner].ticket.store(makeTicket(number, getShareBegin(owner)));
  job.store(number);
  if (sleepers.load() != 0)
    wakeAll(job);
}

void ThreadPool::run(qopt_task newTask, void *newState, int64_t newParts) {
  if (threadCount == 1 || newParts <= 1 || newParts >= UINT32_MAX) {
    for (int64_t part = 0; part < newParts; ++part)
      newTask(newState, part, 0);
    return;
  }
  publish(newTask, newState, newParts);
  runParts(job.load(), 0);
  waitForWorkers();
}
