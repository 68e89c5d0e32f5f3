//===- JobBoard.h - How threads share the parts of a job --------*- C++ -*-===//
//
// The hand-shake of ThreadPool, over atomics and sleeps that are a parameter:
// test/Runtime runs this very text through all interleavings of a few threads.
//
// Whoever wakes another first changes the number that the other sleeps on and
// then looks whether it sleeps; the sleeper does the two in the other order. So
// no wake-up is lost. stop() changes `isStopping` and then `job`, so a worker
// reads `job` first: if it has seen the number that stop() made, it sees
// `isStopping` too; if it has seen an earlier one, it does not sleep on the
// later.
//
// Memory order: every atomic is sequentially consistent, and the rest is only
// touched by a thread that an atomic gave it to. Such a program does on every
// machine what some interleaving of its threads does, so the interleavings are
// all there is to check.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_JOBBOARD_H
#define QOPT_LIB_RUNTIME_JOBBOARD_H

#include "qopt-runtime/qopt_model.h"
#include <cstdint>

namespace qopt::runtime {

template <typename System> class JobBoard {
  template <typename T> using Atomic = typename System::template Atomic<T>;
  template <typename T> using Plain = typename System::template Plain<T>;

public:
  /// The number of a job (high half) and the next part of a share. A thread
  /// that comes late finds another job's number.
  struct alignas(64) Share {
    Atomic<uint64_t> ticket{0};
  };

  /// Comes before all else; `newShares` has one for each thread.
  void open(Share *newShares, int64_t threads, int64_t nanosecondsToSpin) {
    shares = newShares;
    threadCount = threads;
    spinNanoseconds = nanosecondsToSpin;
  }

  /// The life of a worker, from thread 1 up; ends after stop().
  void work(int64_t thread) {
    for (uint32_t seen = 0;;) {
      seen = waitForJob(seen);
      if (isStopping.load())
        return;
      runParts(seen, thread);
    }
  }

  /// Runs all parts and returns when they are done; only thread 0 calls it.
  void run(qopt_task newTask, void *newState, int64_t newParts) {
    if (threadCount == 1 || newParts <= 1 || newParts >= UINT32_MAX) {
      for (int64_t part = 0; part < newParts; ++part)
        newTask(newState, part, 0);
      return;
    }
    runParts(publish(newTask, newState, newParts), 0);
    waitForWorkers();
  }

  /// Lets the workers end; nothing runs afterwards.
  void stop() {
    isStopping.store(true);
    job.fetch_add(1);
    System::wakeAll(job);
  }

private:
  /// Tickets count parts in 32 bits.
  static uint64_t makeTicket(uint32_t number, int64_t part) {
    return uint64_t(number) << 32 | uint32_t(part);
  }

  int64_t getShareBegin(int64_t owner) {
    // The first `extra` shares have one part more.
    int64_t count = parts.load();
    int64_t share = count / threadCount, extra = count % threadCount;
    return owner * share + (owner < extra ? owner : extra);
  }

  /// Makes the parts of a new job ready to be taken, then says so; returns the
  /// number of the job.
  uint32_t publish(qopt_task newTask, void *newState, int64_t newParts) {
    uint32_t number = job.load() + 1;
    // With the new job's numbers in old tickets, a late thread would find
    // parts.
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
      System::wakeAll(job);
    return number;
  }

  /// Waits for another job than `seen`; returns its number.
  uint32_t waitForJob(uint32_t seen) {
    uint32_t number = seen;
    auto hasJob = [&] { return (number = job.load()) != seen; };
    if (System::spinUntil(spinNanoseconds, hasJob))
      return number;
    sleepers.fetch_add(1);
    while (!hasJob())
      System::sleepWhileEqual(job, seen);
    sleepers.fetch_sub(1);
    return number;
  }

  void waitForWorkers() {
    auto isDone = [&] { return pending.load() == 0; };
    if (System::spinUntil(spinNanoseconds, isDone))
      return;
    isCallerAsleep.store(1);
    while (uint32_t count = pending.load())
      System::sleepWhileEqual(pending, count);
    isCallerAsleep.store(0);
  }

  /// Runs what is left of a share of job `number`; returns how many parts.
  int64_t runShare(uint32_t number, int64_t owner, int64_t thread) {
    Atomic<uint64_t> &ticket = shares[owner].ticket;
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

  void runParts(uint32_t number, int64_t thread) {
    int64_t done = 0;
    for (int64_t i = 0; i < threadCount; ++i)
      done += runShare(number, (thread + i) % threadCount, thread);
    if (done == 0)
      return;
    uint32_t finished = static_cast<uint32_t>(done);
    if (pending.fetch_sub(finished) == finished && isCallerAsleep.load())
      System::wakeAll(pending);
  }

  Share *shares = nullptr;
  int64_t threadCount = 1;
  int64_t spinNanoseconds = 0;

  Plain<qopt_task> task{nullptr};
  Plain<void *> state{nullptr};
  Atomic<int64_t> parts{0};

  /// Grows with each job; workers sleep on it.
  alignas(64) Atomic<uint32_t> job{0};
  Atomic<uint32_t> sleepers{0};
  Atomic<bool> isStopping{false};
  /// Parts of the job that are not done; the caller sleeps on it.
  alignas(64) Atomic<uint32_t> pending{0};
  Atomic<uint32_t> isCallerAsleep{0};
};

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_JOBBOARD_H
