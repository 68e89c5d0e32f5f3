//===- InterleavingExplorer.cpp - All interleavings of threads --*- C++ -*-===//
//
// Depth first. Stacks are left and entered with setjmp and longjmp, which keep
// what a function call keeps, so a thread is its jmp_buf and its stack from the
// stack pointer upwards.
//
//===----------------------------------------------------------------------===//

#include "test/Runtime/InterleavingExplorer.h"
#include "llvm/Support/xxhash.h"
#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <ucontext.h>
#include <unordered_set>
#include <vector>

using namespace qopt::interleavings;

namespace {
constexpr size_t stackBytes = 16384;

struct Thread {
  Operation next;
  /// Of the stack that is in use, and what a function call keeps.
  char *stackPointer;
  jmp_buf registers;
};

/// All that a state consists of.
struct World {
  alignas(64) char shared[maxSharedBytes];
  Thread threads[maxThreads];
  alignas(64) char stacks[maxThreads][stackBytes];
};

/// A choice in a state: who goes on, and whether by chance (a sleep ends or an
/// exchange fails).
struct Move {
  int thread;
  bool isByChance;
};

struct Visit {
  std::vector<char> bytes;
  std::vector<Move> moves;
  size_t nextMove;
  /// What led here.
  Move move;
  Operation operation;
};

struct DigestHash {
  size_t operator()(const llvm::XXH128_hash_t &digest) const {
    return digest.low64;
  }
};
struct DigestEqual {
  bool operator()(const llvm::XXH128_hash_t &a,
                  const llvm::XXH128_hash_t &b) const {
    return a.low64 == b.low64 && a.high64 == b.high64;
  }
};
} // namespace

// One exploration at a time: a thread that is about to leave knows nothing
// else.
static World world;
static int threadCount;
static int running;
static bool maySucceed;
static bool isPlainSeen;
static const char *failure;
static jmp_buf explorerRegisters;
static ucontext_t explorerContext;
static void (*threadBody)(void *, int);

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

static char *readStackPointer() {
  char *pointer;
#if defined(__x86_64__)
  asm volatile("movq %%rsp, %0" : "=r"(pointer));
#elif defined(__aarch64__)
  asm volatile("mov %0, sp" : "=r"(pointer));
#else
#error "where is the stack pointer?"
#endif
  return pointer;
}

__attribute__((noinline)) static void leave() {
  Thread &thread = world.threads[running];
  thread.stackPointer = readStackPointer();
  if (_setjmp(thread.registers) == 0)
    _longjmp(explorerRegisters, 1);
}

static bool isPlain(Kind kind) {
  return kind == Kind::PlainRead || kind == Kind::PlainWrite;
}

bool qopt::interleavings::announce(Operation operation) {
  if (isPlain(operation.kind) && !isPlainSeen)
    return true;
  world.threads[running].next = operation;
  leave();
  return maySucceed;
}

void qopt::interleavings::fail(const char *what) {
  failure = what;
  _longjmp(explorerRegisters, 1);
}

void System::sleepWhileEqual(Atomic<uint32_t> &number, uint32_t value,
                             int line) {
  announce({Kind::Sleep, line, &number, value});
  uint32_t current;
  std::memcpy(&current, static_cast<const void *>(&number), sizeof(current));
  if (current == value)
    announce({Kind::Asleep, line, &number, value});
}

void System::wakeAll(Atomic<uint32_t> &number, int line) {
  announce({Kind::Wake, line, &number});
  for (Thread &thread : world.threads)
    if (thread.next.kind == Kind::Asleep && thread.next.address == &number)
      thread.next.kind = Kind::Start;
}

static void liveAndEnd() {
  announce({Kind::Start});
  threadBody(world.shared, running);
  announce({Kind::Done});
}

/// Lets a thread do what it announced, up to its next announcement.
__attribute__((noinline)) static void resume(int thread, bool mayItSucceed) {
  running = thread;
  maySucceed = mayItSucceed;
  if (_setjmp(explorerRegisters) == 0)
    _longjmp(world.threads[thread].registers, 1);
}

/// Puts a thread on its stack, up to its first announcement.
__attribute__((noinline)) static void startThread(int thread) {
  running = thread;
  ucontext_t context;
  getcontext(&context);
  context.uc_stack.ss_sp = world.stacks[thread];
  context.uc_stack.ss_size = stackBytes;
  context.uc_link = nullptr;
  makecontext(&context, liveAndEnd, 0);
  if (_setjmp(explorerRegisters) == 0)
    swapcontext(&explorerContext, &context);
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

template <typename Visitor> static void visitBytes(Visitor visit) {
  visit(world.shared, maxSharedBytes);
  for (int i = 0; i < threadCount; ++i) {
    Thread &thread = world.threads[i];
    visit(reinterpret_cast<char *>(&thread), sizeof(thread));
    visit(thread.stackPointer,
          world.stacks[i] + stackBytes - thread.stackPointer);
  }
}

static void save(std::vector<char> &bytes) {
  bytes.clear();
  visitBytes([&](const char *from, size_t size) {
    bytes.insert(bytes.end(), from, from + size);
  });
}

static void restore(const std::vector<char> &bytes) {
  const char *from = bytes.data();
  // The stack pointers are among what comes first.
  visitBytes([&](char *to, size_t size) {
    std::memcpy(to, from, size);
    from += size;
  });
}

static bool canGoOn(const Thread &thread) {
  uint32_t number;
  switch (thread.next.kind) {
  case Kind::Asleep:
  case Kind::Done:
    return false;
  case Kind::AwaitValue:
    std::memcpy(&number, thread.next.address, sizeof(number));
    return number == thread.next.value;
  case Kind::AwaitEnd:
    return world.threads[thread.next.value].next.kind == Kind::Done;
  default:
    return true;
  }
}

static std::string describe(int thread, const Operation &next) {
  static const char *const names[] = {"goes on",
                                      "loads",
                                      "stores",
                                      "exchanges",
                                      "reads",
                                      "writes",
                                      "sleeps",
                                      "is asleep",
                                      "wakes",
                                      "awaits",
                                      "awaits the end of",
                                      "is done"};
  std::string text = "thread " + std::to_string(thread) + " " +
                     names[static_cast<int>(next.kind)];
  if (next.kind == Kind::AwaitEnd)
    return text + " thread " + std::to_string(next.value);
  if (next.address)
    text +=
        " [" +
        std::to_string(static_cast<const char *>(next.address) - world.shared) +
        "]";
  if (next.value)
    text += " " + std::to_string(next.value);
  if (next.line)
    text += " at line " + std::to_string(next.line);
  return text;
}

static std::string describeAll() {
  std::string text;
  for (int i = 0; i < threadCount; ++i)
    text += "\n  " + describe(i, world.threads[i].next);
  return text;
}

/// What is wrong in this state, or an empty text.
static std::string findFault(const std::vector<Move> &moves) {
  if (failure)
    return failure;
  for (int i = 0; i < threadCount; ++i)
    for (int j = 0; j < i; ++j) {
      const Operation &a = world.threads[i].next, &b = world.threads[j].next;
      if (isPlain(a.kind) && isPlain(b.kind) && a.address == b.address &&
          (a.kind == Kind::PlainWrite || b.kind == Kind::PlainWrite))
        return "two threads touch plain memory:" + describeAll();
    }
  bool isOver = std::all_of(
      world.threads, world.threads + threadCount,
      [](const Thread &thread) { return thread.next.kind == Kind::Done; });
  bool isStuck = std::all_of(moves.begin(), moves.end(),
                             [](const Move &move) { return move.isByChance; });
  return isStuck && !isOver ? "nobody goes on:" + describeAll() : "";
}

static std::vector<Move> findMoves() {
  std::vector<Move> moves;
  for (int i = 0; i < threadCount; ++i) {
    Kind kind = world.threads[i].next.kind;
    if (canGoOn(world.threads[i]))
      moves.push_back({i, false});
    if (kind == Kind::Asleep || kind == Kind::CompareExchange)
      moves.push_back({i, true});
  }
  return moves;
}

Findings qopt::interleavings::explore(int threads, bool shallSeePlain,
                                      void (*start)(void *),
                                      void (*body)(void *, int)) {
  std::memset(static_cast<void *>(&world), 0, sizeof(world));
  threadCount = threads;
  threadBody = body;
  isPlainSeen = shallSeePlain;
  failure = nullptr;
  start(world.shared);
  for (int i = 0; i < threads; ++i)
    startThread(i);

  Findings findings;
  std::unordered_set<llvm::XXH128_hash_t, DigestHash, DigestEqual> met;
  std::vector<Visit> path;
  std::vector<char> bytes;
  /// Looks at the state that the world is in, and goes into it if it is new.
  auto enter = [&](Move move, Operation operation) {
    save(bytes);
    llvm::ArrayRef<uint8_t> state(reinterpret_cast<uint8_t *>(bytes.data()),
                                  bytes.size());
    if (!failure && !met.insert(llvm::xxh3_128bits(state)).second)
      return true;
    ++findings.states;
    std::vector<Move> moves = findMoves();
    findings.fault = findFault(moves);
    path.push_back({bytes, std::move(moves), 0, move, operation});
    return findings.fault.empty();
  };
  bool isSound = enter({}, {});
  while (isSound && !path.empty()) {
    Visit &visit = path.back();
    if (visit.nextMove == visit.moves.size()) {
      path.pop_back();
      continue;
    }
    Move move = visit.moves[visit.nextMove++];
    restore(visit.bytes);
    Operation operation = world.threads[move.thread].next;
    resume(move.thread, !move.isByChance);
    ++findings.operations;
    isSound = enter(move, operation);
  }
  if (!isSound) {
    findings.fault += "\nafter";
    for (size_t i = 1; i < path.size(); ++i)
      findings.fault += "\n  " +
                        describe(path[i].move.thread, path[i].operation) +
                        (path[i].move.isByChance ? ", by chance not" : "");
  }
  return findings;
}
