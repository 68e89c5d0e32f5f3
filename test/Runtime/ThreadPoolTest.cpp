//===- ThreadPoolTest.cpp - The threads of one context ----------*- C++ -*-===//
//
// Every part runs once, on the thread that its number alone decides.
//
//===----------------------------------------------------------------------===//

#include "lib/Runtime/ThreadPool.h"
#include "gtest/gtest.h"
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

TEST_P(ThreadPoolTest, RunsEachPartOnceOnTheSameThread) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam()));
  EXPECT_EQ(pool.getThreadCount(), GetParam());
  for (int64_t parts : {0, 1, 2, 5, 7, 8, 1000}) {
    Log first = runParts(pool, parts);
    EXPECT_EQ(first.runsOfPart, std::vector<int>(parts, 1));
    for (int64_t part = 1; part < parts; ++part)
      EXPECT_LE(first.threadOfPart[part - 1], first.threadOfPart[part]);
    if (parts >= GetParam()) {
      EXPECT_EQ(first.threadOfPart.back(), GetParam() - 1);
    }
    for (int repetition = 0; repetition < 20; ++repetition)
      EXPECT_EQ(runParts(pool, parts).threadOfPart, first.threadOfPart);
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

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Values(1, 2, 3, 7));
