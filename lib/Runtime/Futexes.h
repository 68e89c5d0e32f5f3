//===- Futexes.h - Atomics that a thread can sleep on -----------*- C++ -*-===//
//
// What JobBoard stands on in a compiled model. Its test puts a model of the
// same things in their place.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_FUTEXES_H
#define QOPT_LIB_RUNTIME_FUTEXES_H

#include "Cpu.h"

#include <atomic>
#include <climits>
#include <cstdint>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace qopt::runtime {

struct Futexes {
  /// Used without memory orders, hence sequentially consistent.
  template <typename T> using Atomic = std::atomic<T>;
  /// What the atomics keep from being read and written at the same time.
  template <typename T> using Plain = T;

  /// Returns when woken, at once when `number` is not `value`, or by chance.
  static void sleepWhileEqual(Atomic<uint32_t> &number, uint32_t value) {
    syscall(SYS_futex, &number, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
  }

  static void wakeAll(Atomic<uint32_t> &number) {
    syscall(SYS_futex, &number, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr,
            0);
  }

  /// Spins until `condition()` or until the time is over; returns the last
  /// value of the condition.
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
        pauseSpinning();
      }
    } while (readNanoseconds() < end);
    return false;
  }

private:
  static int64_t readNanoseconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
  }
};

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_FUTEXES_H
