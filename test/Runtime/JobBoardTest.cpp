//===- JobBoardTest.cpp - How threads share the parts of a job --*- C++ -*-===//
//
// The text of JobBoard.h, run through all interleavings of a few threads; and
// copies of it with a fault planted in each, which must be found.
//
//===----------------------------------------------------------------------===//

#include "lib/Runtime/JobBoard.h"
#include "caller_sleeps_unannounced/JobBoard.h"
#include "job_before_the_task/JobBoard.h"
#include "looks_for_sleepers_too_early/JobBoard.h"
#include "old_tickets_stay/JobBoard.h"
#include "parts_done_before_they_run/JobBoard.h"
#include "stop_between_two_looks/JobBoard.h"
#include "stop_wakes_too_early/JobBoard.h"
#include "test/Runtime/InterleavingExplorer.h"
#include "ticket_taken_without_exchange/JobBoard.h"
#include "gtest/gtest.h"
#include <cstdlib>
#include <new>

using namespace qopt;
using namespace qopt::interleavings;

namespace {
constexpr int maxJobs = 3, maxParts = 4;

/// What the threads do: thread 0 runs jobs of so many parts and stops.
struct Scenario {
  int threads;
  int jobs;
  int parts[maxJobs];
  /// Each part waits until all have begun: every thread must come.
  bool isMeeting;
  /// See explore().
  bool isPlainSeen = true;
};

/// The shared memory of a scenario.
template <template <typename> class Board> struct Model {
  Board<System> board;
  typename Board<System>::Share shares[maxThreads];
  int current = -1;
  int runs[maxParts] = {};
  bool isBusy[maxThreads] = {};
  Atomic<uint32_t> begun = 0;
  /// Each job's parts write one row and read the row of the job before.
  Plain<int> rows[maxJobs + 1][maxParts] = {
      {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}};
};
} // namespace

static Scenario scenario;

template <template <typename> class Board> struct Program {
  using Memory = Model<Board>;
  static_assert(sizeof(Memory) <= maxSharedBytes, "too large to explore");

  static void start(void *memory) {
    current = new (memory) Memory();
    current->board.open(current->shares, scenario.threads, 0);
  }

  /// `state` is where the job's row is.
  static void runPart(void *state, int64_t part, int64_t thread) {
    auto *row = static_cast<Plain<int>(*)[maxParts]>(state);
    Memory &model = *current;
    if (row != &model.rows[model.current + 1])
      fail("a part has the state of another job");
    if (part < 0 || part >= scenario.parts[model.current])
      fail("a part that the job does not have");
    if (++model.runs[part] != 1)
      fail("a part runs twice");
    if (thread < 0 || thread >= scenario.threads || model.isBusy[thread])
      fail("two parts run as one thread");
    model.isBusy[thread] = true;
    if (scenario.isMeeting) {
      model.begun.fetch_add(1);
      model.begun.await(scenario.parts[model.current]);
    } else {
      row[0][part] = row[-1][(part + 1) % maxParts] + 1;
    }
    model.isBusy[thread] = false;
  }

  static void live(void *memory, int thread) {
    Memory &model = *static_cast<Memory *>(memory);
    if (thread != 0)
      return model.board.work(thread);
    for (int job = 0; job < scenario.jobs; ++job) {
      model.current = job;
      for (int &runs : model.runs)
        runs = 0;
      if (scenario.isMeeting)
        model.begun.store(0);
      model.board.run(runPart, &model.rows[job + 1], scenario.parts[job]);
      for (int part = 0; part < scenario.parts[job]; ++part) {
        if (model.runs[part] != 1)
          fail("a part does not run");
        if (!scenario.isMeeting && int(model.rows[job + 1][part]) == 0)
          fail("a part has not written");
      }
    }
    model.board.stop();
    for (int worker = 1; worker < scenario.threads; ++worker)
      announce({Kind::AwaitEnd, 0, nullptr, uint64_t(worker)});
  }

  static Memory *current;
};
template <template <typename> class Board>
Model<Board> *Program<Board>::current = nullptr;

template <template <typename> class Board>
static Findings explore(const Scenario &chosen) {
  scenario = chosen;
  return explore(chosen.threads, chosen.isPlainSeen, Program<Board>::start,
                 Program<Board>::live);
}

//===----------------------------------------------------------------------===//
// What is so
//===----------------------------------------------------------------------===//

static bool isFull() { return std::getenv("QOPT_TEST_FULL") != nullptr; }

static void expectSound(const Scenario &chosen) {
  Findings findings = explore<runtime::JobBoard>(chosen);
  EXPECT_EQ(findings.fault, "");
  std::string name = "states_of_" + std::to_string(chosen.threads) + "_threads";
  for (int job = 0; job < chosen.jobs; ++job)
    name += "_" + std::to_string(chosen.parts[job]);
  testing::Test::RecordProperty(name, std::to_string(findings.states));
}

TEST(JobBoard, EndsWithoutJobs) {
  for (int threads = 1; threads <= 4; ++threads)
    expectSound({threads, 0, {}, false});
}

TEST(JobBoard, RunsEachPartOnce) {
  expectSound({1, 3, {0, 1, 2}, false});
  for (int first = 0; first <= 3; ++first)
    for (int second = 0; second <= 3; ++second)
      expectSound({2, 2, {first, second}, false});
  expectSound({2, 3, {2, 3, 2}, false});
  expectSound({3, 1, {2}, false});
  expectSound({3, 2, {2, 2}, false, false});
  if (isFull()) {
    expectSound({3, 2, {2, 2}, false});
    expectSound({3, 2, {4, 2}, false, false});
    expectSound({3, 3, {2, 2, 2}, false, false});
  }
}

TEST(JobBoard, EveryThreadComes) {
  expectSound({2, 2, {2, 2}, true});
  expectSound({3, 1, {3}, true});
  if (isFull()) {
    expectSound({3, 2, {3, 3}, true});
    expectSound({4, 1, {4}, true, false});
  }
}

//===----------------------------------------------------------------------===//
// What would be found
//===----------------------------------------------------------------------===//

template <template <typename> class Board>
static void expectFault(const Scenario &chosen, const std::string &what) {
  Findings findings = explore<Board>(chosen);
  EXPECT_EQ(findings.fault.substr(0, what.size()), what) << findings.fault;
}

static constexpr Scenario oneJob = {2, 1, {2}, false};
static constexpr Scenario twoJobs = {2, 2, {2, 3}, false};
static constexpr Scenario meeting = {2, 2, {2, 2}, true};

TEST(JobBoardFaults, AStopBetweenTwoLooks) {
  expectFault<runtime::stop_between_two_looks::JobBoard>(oneJob,
                                                         "nobody goes on");
}

TEST(JobBoardFaults, AStopThatWakesTooEarly) {
  expectFault<runtime::stop_wakes_too_early::JobBoard>(oneJob,
                                                       "nobody goes on");
}

TEST(JobBoardFaults, AJobThatLooksForSleepersTooEarly) {
  expectFault<runtime::looks_for_sleepers_too_early::JobBoard>(
      meeting, "nobody goes on");
}

TEST(JobBoardFaults, ACallerThatSleepsUnannounced) {
  expectFault<runtime::caller_sleeps_unannounced::JobBoard>(oneJob,
                                                            "nobody goes on");
}

TEST(JobBoardFaults, TicketsThatStayWhileTheNumberOfPartsChanges) {
  expectFault<runtime::old_tickets_stay::JobBoard>(twoJobs,
                                                   "a part runs twice");
}

TEST(JobBoardFaults, AJobThatComesBeforeItsTask) {
  expectFault<runtime::job_before_the_task::JobBoard>(
      oneJob, "two threads touch plain memory");
}

TEST(JobBoardFaults, PartsThatAreDoneBeforeTheyRun) {
  expectFault<runtime::parts_done_before_they_run::JobBoard>(
      oneJob, "a part does not run");
}

TEST(JobBoardFaults, TicketsThatAreTakenWithoutAnExchange) {
  expectFault<runtime::ticket_taken_without_exchange::JobBoard>(
      oneJob, "a part runs twice");
}
