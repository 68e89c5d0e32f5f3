//===- ContextTest.cpp - Runs of a model written by hand --------*- C++ -*-===//
//
// One model adds two i32 vectors of one symbolic size and returns the sum,
// another adds columns to a state. They play the generated code, so everything
// that code relies on is seen here.
//
//===----------------------------------------------------------------------===//

#include "lib/Runtime/Context.h"
#include "lib/Runtime/Services.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/Digest.h"
#include "test/Support/TemporaryFolder.h"
#include "gtest/gtest.h"
#include <atomic>
#include <cstring>
#include <optional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <xmmintrin.h>

using namespace qopt::runtime;

namespace {
struct AddArguments {
  const int32_t *a, *b;
  int32_t *sum;
  int64_t size;
  unsigned *modes;
};
} // namespace

static void addPart(void *state, int64_t part, int64_t thread) {
  AddArguments &arguments = *static_cast<AddArguments *>(state);
  int64_t end = std::min(arguments.size, (part + 1) * 10);
  for (int64_t i = part * 10; i < end; ++i)
    arguments.sum[i] = arguments.a[i] + arguments.b[i];
  arguments.modes[thread] = _mm_getcsr() & ~0x3fu;
}

static int32_t runAdd(qopt_context *context, const char *weights,
                      const qopt_rt_input *inputs, void *) {
  int64_t size = inputs[0].dims[0];
  EXPECT_EQ(std::string(weights, 7), "weights");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(inputs[i].data) % 64, 0u);
    EXPECT_EQ(inputs[i].rank, 1);
  }
  if (size == 13)
    return qopt_rt_fail(context, QOPT_BAD_DATA, "13 is bad luck");
  if (size == 14)
    return qopt_rt_alloc(context, INT64_MAX) ? QOPT_OK : QOPT_NO_RESOURCE;
  if (size == 15)
    return QOPT_OK;
  if (size == 17)
    for (;;)
      if (int32_t status = qopt_rt_iterate(context))
        return status;
  int64_t bytes = size * 4;
  int32_t *sum =
      static_cast<int32_t *>(qopt_rt_output(context, 0, &size, 1, bytes));
  int64_t threads = qopt_rt_threads(context);
  unsigned *modes =
      static_cast<unsigned *>(qopt_rt_alloc(context, threads * 4));
  std::fill(modes, modes + threads, 0x1f80);
  AddArguments arguments = {static_cast<const int32_t *>(inputs[0].data),
                            static_cast<const int32_t *>(inputs[1].data), sum,
                            size, modes};
  qopt_rt_parallel(context, addPart, &arguments, (size + 9) / 10);
  for (int64_t thread = 0; thread < threads; ++thread)
    EXPECT_EQ(modes[thread], 0x1f80u);
  qopt_rt_free(context, modes);
  qopt_rt_observe(context, 7, sum, &size, 1);
  return QOPT_OK;
}

static const int64_t dynamicDim[] = {-1};
static const char *const symbols[] = {"n"};
static const qopt_value_info inputInfos[] = {
    {"a", dynamicDim, symbols, 1, QOPT_ELEMENT_I32},
    {"b", dynamicDim, symbols, 1, QOPT_ELEMENT_I32}};
static const qopt_value_info outputInfo = {"sum", dynamicDim, symbols, 1,
                                           QOPT_ELEMENT_I32};
static const qopt_rt_tier tier = {"any", runAdd, 0};
static const qopt_rt_program program = {QOPT_RT_PROGRAM_VERSION,
                                        "add",
                                        "{}",
                                        2,
                                        inputInfos,
                                        1,
                                        &outputInfo,
                                        1,
                                        &tier,
                                        0,
                                        nullptr};

/// Puts columns behind those of a state, and gives out what is there then.
static int32_t runAppend(qopt_context *context, const char *,
                         const qopt_rt_input *inputs, void *) {
  int64_t before = inputs[0].dims[1], added = inputs[1].dims[1];
  int64_t dims[] = {2, before + added}, bytes = 8 * dims[1];
  qopt_rt_place place;
  if (int32_t status =
          qopt_rt_append(context, 0, /*axis=*/1, dims, 2, bytes, &place))
    return status;
  auto *seen =
      static_cast<int32_t *>(qopt_rt_output(context, 1, dims, 2, bytes));
  auto *past = static_cast<const int32_t *>(inputs[0].data);
  auto *columns = static_cast<const int32_t *>(inputs[1].data);
  for (int64_t row = 0; row < 2; ++row) {
    auto *kept = static_cast<int32_t *>(place.data) + row * place.slots;
    if (past != place.data)
      std::copy_n(past + row * before, before, kept);
    std::copy_n(columns + row * added, added, kept + before);
    std::copy_n(kept, dims[1], seen + row * dims[1]);
  }
  if (added && columns[0] == 13)
    return qopt_rt_fail(context, QOPT_BAD_DATA, "13 is bad luck");
  return QOPT_OK;
}

static const int64_t columnDims[] = {2, -1};
static const char *const columnSymbols[] = {"", ""};
static const qopt_value_info columnInputs[] = {
    {"past", columnDims, columnSymbols, 2, QOPT_ELEMENT_I32},
    {"new", columnDims, columnSymbols, 2, QOPT_ELEMENT_I32}};
static const qopt_value_info columnOutputs[] = {
    {"present", columnDims, columnSymbols, 2, QOPT_ELEMENT_I32},
    {"seen", columnDims, columnSymbols, 2, QOPT_ELEMENT_I32}};
static const qopt_rt_tier appendTier = {"any", runAppend, 0};
static const qopt_rt_state columnState = {{0, 0, 1, 0}, 1};
static const qopt_rt_program appending = {
    QOPT_RT_PROGRAM_VERSION, "append", "{}",        2, columnInputs, 2,
    columnOutputs,           1,        &appendTier, 1, &columnState};

namespace {
class Context : public testing::Test {
protected:
  void SetUp() override { open(program); }
  void open(const qopt_rt_program &program) {
    std::string bytes(4096, 'x');
    bytes += "weights";
    trailer = {QOPT_RT_TRAILER_MARK, 4096, 7, {}};
    qopt::Digest digest = qopt::computeSha256("weights");
    memcpy(trailer.sha256, digest.data(), digest.size());
    bytes.resize(qopt_rt_trailer_copy_offset(trailer));
    bytes.append(reinterpret_cast<const char *>(&trailer), sizeof(trailer));
    path = folder.file("model");
    ASSERT_FALSE(bool(qopt::writeFileAtomically(path, bytes)));
    ASSERT_EQ(openModel(program, trailer, path.c_str(), &model, {}), QOPT_OK);
  }
  void TearDown() override {
    destroyContext(context);
    closeModel(model);
  }
  void create(qopt_context_options options) {
    ASSERT_EQ(createContext(model, &options, &context, {}), QOPT_OK);
  }
  void createWithThreads(int32_t threads) {
    qopt_context_options options = {};
    options.threads = threads;
    create(options);
  }
  static qopt_tensor tensorOf(std::vector<int32_t> &values,
                              const int64_t *dims) {
    return {values.data(), dims, 1, QOPT_ELEMENT_I32, 0, values.size() * 4};
  }
  /// Runs with two inputs of these sizes, with values i and 1000 * i.
  qopt_status run(int64_t sizeOfA, int64_t sizeOfB,
                  qopt_tensor *output = nullptr) {
    std::vector<int32_t> a(sizeOfA), b(sizeOfB);
    for (int64_t i = 0; i < sizeOfA; ++i)
      a[i] = i;
    for (int64_t i = 0; i < sizeOfB; ++i)
      b[i] = 1000 * i;
    qopt_tensor inputs[] = {tensorOf(a, &sizeOfA), tensorOf(b, &sizeOfB)};
    return runContext(context, inputs, output);
  }
  void expectSum(const qopt_tensor &output, int64_t size) {
    ASSERT_EQ(output.rank, 1);
    ASSERT_EQ(output.dims[0], size);
    EXPECT_EQ(output.element_type, QOPT_ELEMENT_I32);
    for (int64_t i = 0; i < size; ++i)
      ASSERT_EQ(static_cast<int32_t *>(output.data)[i], 1001 * i);
  }

  qopt::TemporaryFolder folder;
  std::string path;
  qopt_rt_trailer trailer;
  qopt_model *model = nullptr;
  qopt_context *context = nullptr;
};
} // namespace

TEST_F(Context, RunsWithAnyNumberOfThreads) {
  for (int32_t threads : {0, 1, 2, 3, 7}) {
    createWithThreads(threads);
    for (int64_t size : {0, 1, 100, 5, 12345}) {
      qopt_tensor output = {};
      ASSERT_EQ(run(size, size, &output), QOPT_OK) << context->error;
      expectSum(output, size);
    }
    destroyContext(context);
    context = nullptr;
  }
}

namespace {
/// As many threads that do nothing as there are CPUs, and half as many again.
class OtherLoad {
public:
  OtherLoad() {
    for (int64_t i = 0; i < countUsableCpus() * 3 / 2; ++i)
      threads.emplace_back([this] {
        while (!isOver)
          _mm_pause();
      });
  }
  ~OtherLoad() {
    isOver = true;
    for (std::thread &thread : threads)
      thread.join();
  }

private:
  std::atomic<bool> isOver{false};
  std::vector<std::thread> threads;
};
} // namespace

TEST_F(Context, EndsWheneverItIsClosed) {
  // 100,800 contexts in all: 7 numbers of threads, 4 of runs, 2 loads.
  int repetitions = getenv("QOPT_TEST_FULL") ? 1800 : 20;
  for (bool hasOtherLoad : {false, true}) {
    std::optional<OtherLoad> load;
    if (hasOtherLoad)
      load.emplace();
    for (int32_t threads = 1; threads <= 7; ++threads)
      for (int i = 0; i < 4 * repetitions; ++i) {
        createWithThreads(threads);
        for (int runs = 0; runs < i % 4; ++runs) {
          qopt_tensor output = {};
          ASSERT_EQ(run(100, 100, &output), QOPT_OK);
          expectSum(output, 100);
        }
        destroyContext(context);
        context = nullptr;
      }
  }
}

TEST_F(Context, KernelsRunInTheDefaultFloatMode) {
  createWithThreads(3);
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);
  EXPECT_EQ(run(100, 100), QOPT_OK);
  EXPECT_EQ(_mm_getcsr() & 0x8040, 0x8040u);
  _mm_setcsr(before);
}

TEST_F(Context, WritesToTheHostsBufferWhenItFits) {
  createWithThreads(2);
  alignas(64) char buffer[1024];
  for (uint64_t offset : {0, 4}) {
    qopt_tensor output = {};
    output.data = buffer + offset;
    output.capacity_in_bytes = 512;
    ASSERT_EQ(run(100, 100, &output), QOPT_OK);
    EXPECT_EQ(output.data, buffer + offset);
    expectSum(output, 100);
    // Too small now: the context's own memory, also when it is passed again.
    for (int64_t size : {200, 300, 100000}) {
      ASSERT_EQ(run(size, size, &output), QOPT_OK);
      EXPECT_NE(output.data, buffer + offset);
      expectSum(output, size);
    }
  }
}

TEST_F(Context, AnOutputCanBeAnInput) {
  createWithThreads(2);
  qopt_tensor output = {};
  ASSERT_EQ(run(50, 50, &output), QOPT_OK);
  qopt_tensor inputs[] = {output, output};
  ASSERT_EQ(runContext(context, inputs, &output), QOPT_OK);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(static_cast<int32_t *>(output.data)[i], 2002 * i);
  qopt_tensor queried = {};
  ASSERT_EQ(getOutput(context, 0, &queried), QOPT_OK);
  EXPECT_EQ(queried.data, output.data);
  EXPECT_EQ(getOutput(context, 1, &queried), QOPT_BAD_USE);
}

TEST_F(Context, RefusesInputsThatDoNotFit) {
  createWithThreads(1);
  EXPECT_EQ(run(2, 3), QOPT_BAD_DATA);
  EXPECT_STREQ(context->error, "inputs \"a\" (size 2 in dim 0) and \"b\" (size "
                               "3 in dim 0) disagree about \"n\"");
  qopt_tensor queried;
  EXPECT_EQ(getOutput(context, 0, &queried), QOPT_BAD_USE);

  std::vector<int32_t> values(4);
  int64_t dims[] = {4, 1};
  auto failWith = [&](qopt_tensor changed) {
    qopt_tensor inputs[] = {tensorOf(values, dims), changed};
    EXPECT_EQ(runContext(context, inputs, nullptr), QOPT_BAD_DATA);
    return std::string(context->error);
  };
  qopt_tensor tensor = tensorOf(values, dims);
  tensor.rank = 2;
  EXPECT_EQ(failWith(tensor), "input \"b\": expected rank 1, but found 2");
  tensor = tensorOf(values, dims);
  tensor.element_type = QOPT_ELEMENT_F32;
  EXPECT_EQ(failWith(tensor),
            "input \"b\": expected elements of i32, but found f32");
  tensor = tensorOf(values, dims);
  tensor.capacity_in_bytes = 15;
  EXPECT_EQ(failWith(tensor), "input \"b\": expected 16 bytes, but found 15");
  int64_t negative[] = {-4}, huge[] = {INT64_MAX / 2};
  tensor = tensorOf(values, negative);
  EXPECT_EQ(failWith(tensor), "input \"b\": size -4 in dim 0 is not possible");
  tensor = tensorOf(values, huge);
  EXPECT_EQ(failWith(tensor), "input \"b\": size 4611686018427387903 in dim 0 "
                              "is not possible");
}

TEST_F(Context, GoesOnAfterAFailedRun) {
  createWithThreads(2);
  EXPECT_EQ(run(13, 13), QOPT_BAD_DATA);
  EXPECT_STREQ(context->error, "13 is bad luck");
  EXPECT_EQ(run(14, 14), QOPT_NO_RESOURCE);
  EXPECT_STREQ(context->error, "no memory for 9223372036854775807 bytes");
  EXPECT_EQ(run(15, 15), QOPT_INTERNAL);
  EXPECT_STREQ(context->error, "output \"sum\" was not made");
  EXPECT_EQ(run(16, 16), QOPT_OK);
  EXPECT_STREQ(context->error, "");
}

TEST_F(Context, ChecksItsOptions) {
  char text[128];
  qopt_context_options options = {};
  options.threads = -1;
  EXPECT_EQ(createContext(model, &options, &context, {text, sizeof(text)}),
            QOPT_BAD_USE);
  EXPECT_STREQ(text, "expected 0 to 1024 threads, but found -1");
  options.threads = 0;
  options.parallel_for = [](void *, qopt_task, void *, int64_t) {};
  EXPECT_EQ(createContext(model, &options, &context, {text, sizeof(text)}),
            QOPT_BAD_USE);
}

TEST_F(Context, EndsLoopsThatDoNotEnd) {
  createWithThreads(2);
  EXPECT_EQ(limitLoops(context, -1, nullptr, nullptr), QOPT_BAD_USE);
  ASSERT_EQ(limitLoops(context, 100, nullptr, nullptr), QOPT_OK);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run(17, 17), QOPT_BAD_DATA);
    EXPECT_STREQ(context->error,
                 "the loops of the run take more than 100 iterations, the most "
                 "that were allowed");
  }
  EXPECT_EQ(run(18, 18), QOPT_OK);

  int asked = 0;
  auto interrupt = [](void *user) -> int32_t {
    return ++*static_cast<int *>(user) == 3;
  };
  ASSERT_EQ(limitLoops(context, 0, interrupt, &asked), QOPT_OK);
  EXPECT_EQ(run(17, 17), QOPT_INTERRUPTED);
  EXPECT_STREQ(context->error, "interrupted");
  EXPECT_EQ(asked, 3);
}

TEST_F(Context, UsesTheHostsThreadsAndObserver) {
  struct Host {
    int64_t parts = 0, observed = 0, size = 0;
  } host;
  qopt_context_options options = {};
  options.threads = 2;
  options.parallel_for_user = options.observer_user = &host;
  options.parallel_for = [](void *user, qopt_task task, void *state,
                            int64_t parts) {
    static_cast<Host *>(user)->parts += parts;
    for (int64_t part = parts; part-- > 0;)
      task(state, part, part % 2);
  };
  options.observer = [](void *user, int32_t id, const void *data,
                        const int64_t *dims, int64_t rank) {
    Host *host = static_cast<Host *>(user);
    host->observed = id;
    host->size = dims[rank - 1];
  };
  create(options);
  qopt_tensor output = {};
  ASSERT_EQ(run(25, 25, &output), QOPT_OK);
  expectSum(output, 25);
  EXPECT_EQ(host.parts, 3);
  EXPECT_EQ(host.observed, 7);
  EXPECT_EQ(host.size, 25);
}

namespace {
class AppendedState : public Context {
protected:
  void SetUp() override {
    open(appending);
    createWithThreads(1);
  }
  /// Adds `columns` with 100 more in the second row behind `past`, which is
  /// only read where no state is kept. What the run saw is in `seen`.
  qopt_status add(qopt_context *to, std::vector<int32_t> columns,
                  std::vector<int32_t> past = {}) {
    int64_t size = columns.size();
    for (int64_t i = 0; i < size; ++i)
      columns.push_back(columns[i] + 100);
    int64_t pastDims[] = {2, static_cast<int64_t>(past.size()) / 2};
    int64_t dims[] = {2, size};
    qopt_tensor inputs[] = {tensorOf(past, pastDims), tensorOf(columns, dims)};
    inputs[0].rank = inputs[1].rank = 2;
    qopt_tensor outputs[2] = {};
    qopt_status status = runContext(to, inputs, outputs);
    seen.clear();
    if (status == QOPT_OK) {
      auto *data = static_cast<const int32_t *>(outputs[1].data);
      seen.assign(data, data + 2 * outputs[1].dims[1]);
    }
    return status;
  }

  std::vector<int32_t> seen;
};
using Seen = std::vector<int32_t>;
} // namespace

TEST_F(AppendedState, GrowsWhereItIs) {
  ASSERT_EQ(context->states.bind(appending, 5, {}), QOPT_OK);
  ASSERT_EQ(add(context, {1, 2}), QOPT_OK) << context->error;
  EXPECT_EQ(seen, Seen({1, 2, 101, 102}));
  qopt_tensor present;
  ASSERT_EQ(getOutput(context, 0, &present), QOPT_OK);
  EXPECT_EQ(present.data, nullptr);
  EXPECT_EQ(present.dims[1], 2);
  ASSERT_EQ(add(context, {3}), QOPT_OK);
  EXPECT_EQ(seen, Seen({1, 2, 3, 101, 102, 103}));
  // Runs that fail change nothing, whether they wrote or not.
  EXPECT_EQ(add(context, {4, 5, 6}), QOPT_BAD_DATA);
  EXPECT_STREQ(context->error, "state \"past\" has a capacity of 5, but 6 are "
                               "needed; reset it, or bind more");
  EXPECT_EQ(add(context, {13}), QOPT_BAD_DATA);
  EXPECT_EQ(context->states.getLength(0), 3);
  // What is full is still read where it is.
  ASSERT_EQ(add(context, {4, 5}), QOPT_OK);
  ASSERT_EQ(add(context, {}), QOPT_OK);
  EXPECT_EQ(seen, Seen({1, 2, 3, 4, 5, 101, 102, 103, 104, 105}));
}

TEST_F(AppendedState, IsResetAndForked) {
  ASSERT_EQ(context->states.bind(appending, 70, {}), QOPT_OK);
  ASSERT_EQ(add(context, {1, 2}), QOPT_OK);
  qopt_context_options options = {};
  options.threads = 1;
  qopt_context *other;
  ASSERT_EQ(createContext(model, &options, &other, {}), QOPT_OK);
  ASSERT_EQ(other->states.copyFrom(context->states, {}), QOPT_OK);
  ASSERT_EQ(add(context, {3}), QOPT_OK);
  ASSERT_EQ(add(other, {4, 5}), QOPT_OK);
  EXPECT_EQ(seen, Seen({1, 2, 4, 5, 101, 102, 104, 105}));
  destroyContext(other);
  ASSERT_EQ(add(context, {6}), QOPT_OK);
  EXPECT_EQ(seen, Seen({1, 2, 3, 6, 101, 102, 103, 106}));
  context->states.reset();
  ASSERT_EQ(add(context, {7}), QOPT_OK);
  EXPECT_EQ(seen, Seen({7, 107}));
}

TEST_F(AppendedState, IsAnOutputWhereNoneIsKept) {
  ASSERT_EQ(add(context, {3}, {1, 2, 101, 102}), QOPT_OK) << context->error;
  EXPECT_EQ(seen, Seen({1, 2, 3, 101, 102, 103}));
  qopt_tensor present;
  ASSERT_EQ(getOutput(context, 0, &present), QOPT_OK);
  EXPECT_EQ(memcmp(present.data, seen.data(), 24), 0);
}

TEST_F(Context, RefusesToRunInAForkedProcess) {
  createWithThreads(2);
  pid_t child = fork();
  if (child == 0) {
    qopt_status status = run(5, 5);
    destroyContext(context);
    _exit(status);
  }
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), QOPT_BAD_USE);
  EXPECT_EQ(run(5, 5), QOPT_OK);
}

TEST_F(Context, NoticesMissingAndChangedWeights) {
  char text[512];
  qopt_model *other;
  qopt_status expected = QOPT_BAD_DATA;
  auto open = [&](const qopt_rt_trailer &wanted) {
    EXPECT_EQ(
        openModel(program, wanted, path.c_str(), &other, {text, sizeof(text)}),
        expected);
    EXPECT_EQ(other, nullptr);
    return std::string(text);
  };
  qopt_rt_trailer wrong = trailer;
  wrong.sha256[5] ^= 1;
  EXPECT_EQ(open(wrong), path + ": the weights are not those of this model; "
                                "was the file stripped or changed?");
  wrong = trailer;
  wrong.offset = 0;
  EXPECT_EQ(open(wrong),
            path + ": the model was never finished: it has no weights");
  wrong = trailer;
  wrong.size = UINT64_MAX - 4096;
  open(wrong);
  ASSERT_EQ(truncate(path.c_str(), 4200), 0);
  EXPECT_EQ(open(trailer).rfind(path + ": the weights are missing: expected a "
                                       "file of at least 4288 bytes, but found "
                                       "4200",
                                0),
            0u)
      << text;
  EXPECT_TRUE(model->weights.verify(trailer));
  wrong = trailer;
  wrong.sha256[31] ^= 1;
  EXPECT_FALSE(model->weights.verify(wrong));
  ASSERT_EQ(unlink(path.c_str()), 0);
  expected = QOPT_NO_RESOURCE;
  EXPECT_EQ(open(trailer), path + ": cannot open: No such file or directory");
}
