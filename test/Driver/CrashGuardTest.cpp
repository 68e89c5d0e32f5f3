//===- CrashGuardTest.cpp - A crash is an error message ---------*- C++ -*-===//
//
// Each way to crash ends in an internal error, and the next work goes on.
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/CrashGuard.h"
#include "qopt/Support/CodedError.h"
#include "gtest/gtest.h"
#include <csignal>

using namespace qopt;

/// The message of work that crashes.
static std::string crash(llvm::function_ref<void()> work) {
  llvm::Error error = runGuarded("qopt-test", "m.onnx", [&] {
    work();
    return llvm::Error::success();
  });
  if (!error)
    return "no crash";
  ExitCode code;
  std::string message = takeMessage(std::move(error), code);
  EXPECT_EQ(code, ExitCode::Internal);
  return message;
}

static constexpr const char *kMessage =
    "m.onnx: qopt-test crashed\n"
    "note: please report this, with the files that it was given";

TEST(CrashGuard, TellsOfASignal) {
  EXPECT_EQ(crash([] { raise(SIGABRT); }), kMessage);
  EXPECT_EQ(crash([] { raise(SIGSEGV); }), kMessage);
}

/// Takes more stack than there is.
static int recurse(volatile int *depth) {
  volatile char frame[256] = {};
  ++*depth;
  return *depth < 0 ? 0 : recurse(depth) + frame[*depth % 256];
}

TEST(CrashGuard, TellsOfAnEndlessRecursion) {
  volatile int depth = 0;
  EXPECT_EQ(crash([&] { recurse(&depth); }), kMessage);
  EXPECT_GT(depth, 10000);
}

// Death tests run first: a process that survived a crash stays one that
// crashed.
TEST(CrashGuardDeathTest, EndsAProcessThatCrashedAtOnce) {
  // What runs at the end may wait for what the thread that crashed held.
  auto endAfter = [](llvm::function_ref<void()> work) {
    std::atexit([] { std::_Exit(99); });
    crash(work);
    std::exit(endProcess(70));
  };
  EXPECT_EXIT(endAfter([] { raise(SIGBUS); }), testing::ExitedWithCode(70), "");
  EXPECT_EXIT(endAfter([] {}), testing::ExitedWithCode(99), "");
}

TEST(CrashGuard, PassesOnWhatTheWorkSays) {
  EXPECT_EQ(crash([] {}), "no crash");
  llvm::Error error = runGuarded("qopt-test", "m.onnx", [] {
    return makeError(ExitCode::BadData, "what is wrong");
  });
  ExitCode code;
  EXPECT_EQ(takeMessage(std::move(error), code), "what is wrong");
  EXPECT_EQ(code, ExitCode::BadData);
}
