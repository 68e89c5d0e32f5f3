//===- ThreadPoolTest.cpp - The threads of one context ----------*- C++ -*-===//
//
// Every part runs once, and nobody waits for a thread that does not come.
//
//===----------------------------------------------------------------------===//

#include "lib/Runtime/ThreadPool.h"
#include "gtest/gtest.h"
#include <atomic>
#include <cstdlib>
#include <unistd.h>
#include <vector>

using namespace qopt::runtime;

namespace {
struct Log {
  std::vector<int64_t> threadOfPart;
  std::vector<int> runsOfPart;
};
} // namespace

static void logPart(void *state, int64_t part, int64_t thread) {
  Log &log = *static_cast<Log *>(state);
  log.threadOfPart[part] = thread;
  ++log.runsOfPart[part];
}

static Log runParts(ThreadPool &pool, int64_t parts) {
  Log log{std::vector<int64_t>(parts, -1), std::vector<int>(parts, 0)};
  pool.run(logPart, &log, parts);
  return log;
}

class ThreadPoolTest : public testing::TestWithParam<int64_t> {};

TEST_P(ThreadPoolTest, RunsEachPartOnce) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam()));
  EXPECT_EQ(pool.getThreadCount(), GetParam());
  // Jobs of different sizes in turn, so that a thread that is late for one
  // would find parts in the next.
  for (int repetition = 0; repetition < 500; ++repetition)
    for (int64_t parts : {0, 1, 2, 5, 1000, 7, 8}) {
      Log log = runParts(pool, parts);
      EXPECT_EQ(log.runsOfPart, std::vector<int>(parts, 1));
      for (int64_t thread : log.threadOfPart) {
        EXPECT_GE(thread, 0);
        EXPECT_LT(thread, GetParam());
      }
    }
  pool.stop();
}

namespace {
struct Held {
  std::atomic<int64_t> done{0}, held{0};
  int64_t parts;
};
} // namespace

/// A worker keeps its part until all others are done or kept.
static void holdInWorkers(void *state, int64_t part, int64_t thread) {
  Held &held = *static_cast<Held *>(state);
  if (thread != 0) {
    ++held.held;
    while (held.done + held.held < held.parts)
      usleep(50);
  }
  ++held.done;
}

TEST_P(ThreadPoolTest, CallerTakesThePartsOfThreadsThatAreLate) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam()));
  for (int repetition = 0; repetition < 20; ++repetition) {
    Held held;
    held.parts = 50;
    pool.run(holdInWorkers, &held, held.parts);
    EXPECT_EQ(held.done, held.parts);
  }
  pool.stop();
}

TEST_P(ThreadPoolTest, WakesThreadsThatSleep) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam()));
  for (int repetition = 0; repetition < 20; ++repetition) {
    usleep(500 * (repetition % 3));
    EXPECT_EQ(runParts(pool, 14).runsOfPart, std::vector<int>(14, 1));
  }
  pool.stop();
}

static void sleepInPart(void *state, int64_t part, int64_t thread) {
  if (thread != 0)
    usleep(2000);
  logPart(state, part, thread);
}

TEST_P(ThreadPoolTest, CallerSleepsUntilSlowWorkersAreDone) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam()));
  for (int repetition = 0; repetition < 5; ++repetition) {
    Log log{std::vector<int64_t>(7, -1), std::vector<int>(7, 0)};
    pool.run(sleepInPart, &log, 7);
    EXPECT_EQ(log.runsOfPart, std::vector<int>(7, 1));
  }
  pool.stop();
}

TEST_P(ThreadPoolTest, StopsRightAfterAnyNumberOfRuns) {
  int repetitions = getenv("QOPT_TEST_FULL") ? 100'000 : 1000;
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    ThreadPool pool;
    ASSERT_TRUE(pool.start(GetParam()));
    for (int run = 0; run < repetition % 4; ++run)
      EXPECT_EQ(runParts(pool, 8).runsOfPart, std::vector<int>(8, 1));
    pool.stop();
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Values(1, 2, 3, 7));
