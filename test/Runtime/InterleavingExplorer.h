//===- InterleavingExplorer.h - All interleavings of threads ----*- C++ -*-===//
//
// Runs a program of a few threads through every order in which their operations
// on shared memory can follow each other, and looks in each state for faults.
//
// Threads are stacks of one real thread. Each announces its next operation and
// leaves; the explorer chooses who goes on. The bytes of the shared memory and
// of the stacks in use are the state: a state that was met before is not gone
// through again, and an earlier one is returned to by copying its bytes back.
// So a program must keep nothing elsewhere: no heap, no statics.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TEST_RUNTIME_INTERLEAVINGEXPLORER_H
#define QOPT_TEST_RUNTIME_INTERLEAVINGEXPLORER_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace qopt::interleavings {

enum class Kind {
  Start,
  AtomicRead,
  AtomicWrite,
  /// May fail where it could have succeeded.
  CompareExchange,
  PlainRead,
  PlainWrite,
  /// Sleeps if the number has the value.
  Sleep,
  /// Asleep on a number; goes on when woken, or by chance.
  Asleep,
  Wake,
  /// Waits until the number has the value.
  AwaitValue,
  /// Waits until thread `value` is done.
  AwaitEnd,
  Done
};

/// What a thread does next.
struct Operation {
  Kind kind = Kind::Start;
  int line = 0;
  const void *address = nullptr;
  uint64_t value = 0;
};

struct Findings {
  /// The first fault and the operations that led to it; empty if there is none.
  std::string fault;
  uint64_t states = 0;
  uint64_t operations = 0;
};

inline constexpr int maxThreads = 5;
inline constexpr size_t maxSharedBytes = 8192;

/// Runs `body(memory, thread)` for each thread, from shared memory that `start`
/// made. Looks for
/// - threads that wait and that nobody wakes (a sleep that ends by chance is
///   followed, but no program may rely on it);
/// - plain memory that two threads are about to touch and one to write;
/// - what the program itself reports with fail().
/// `isPlainSeen` makes a touch of plain memory an operation among which others
/// can come. Where no two threads meet at it the order tells nothing, and a
/// program that is large can do without.
Findings explore(int threads, bool isPlainSeen, void (*start)(void *memory),
                 void (*body)(void *memory, int thread));

//===----------------------------------------------------------------------===//
// For the threads of the program
//===----------------------------------------------------------------------===//

/// Leaves until the explorer has chosen this thread. Returns whether the
/// operation may succeed.
bool announce(Operation operation);

[[noreturn]] void fail(const char *what);

void sleepWhileEqual(const void *number, uint32_t current(const void *),
                     uint32_t value, int line);
void wakeAll(const void *number, int line);

/// Sequentially consistent, as std::atomic is without memory orders.
template <typename T> class Atomic {
public:
  Atomic(T initial) : value(initial) {}

  T load(int line = __builtin_LINE()) {
    announce({Kind::AtomicRead, line, this});
    return value;
  }
  void store(T next, int line = __builtin_LINE()) {
    announce({Kind::AtomicWrite, line, this, uint64_t(next)});
    value = next;
  }
  T fetch_add(T difference, int line = __builtin_LINE()) {
    announce({Kind::AtomicWrite, line, this, uint64_t(value + difference)});
    T before = value;
    value += difference;
    return before;
  }
  T fetch_sub(T difference, int line = __builtin_LINE()) {
    return fetch_add(-difference, line);
  }
  bool compare_exchange_weak(T &expected, T next, int line = __builtin_LINE()) {
    bool maySucceed =
        announce({Kind::CompareExchange, line, this, uint64_t(next)});
    if (value == expected && maySucceed) {
      value = next;
      return true;
    }
    expected = value;
    return false;
  }
  /// Waits, without an operation of its own, for another thread's store.
  void await(T wanted, int line = __builtin_LINE()) {
    static_assert(sizeof(T) == 4, "the explorer compares 32 bits");
    announce({Kind::AwaitValue, line, this, uint64_t(wanted)});
  }

private:
  T value;
};

/// Memory that no two threads may touch at the same time if one writes.
template <typename T> class Plain {
public:
  Plain(T initial) : value(initial) {}
  operator T() {
    announce({Kind::PlainRead, 0, this});
    return value;
  }
  Plain &operator=(T next) {
    announce({Kind::PlainWrite, 0, this});
    value = next;
    return *this;
  }

private:
  T value;
};

/// What JobBoard asks of a system.
struct System {
  template <typename T> using Atomic = interleavings::Atomic<T>;
  template <typename T> using Plain = interleavings::Plain<T>;

  static void sleepWhileEqual(Atomic<uint32_t> &number, uint32_t value,
                              int line = __builtin_LINE());
  static void wakeAll(Atomic<uint32_t> &number, int line = __builtin_LINE());

  /// A spin that fails has read and done nothing; when it ends is a matter of
  /// when its last look is.
  template <typename Condition>
  static bool spinUntil(int64_t, Condition condition) {
    return condition();
  }
};

} // namespace qopt::interleavings

#endif // QOPT_TEST_RUNTIME_INTERLEAVINGEXPLORER_H
