//===- ModelRunnerTest.cpp - Runs a compiled model --------------*- C++ -*-===//
//
// From a few lines of IR to a file to numbers; and every file that is not a
// whole model is refused.
//
//===----------------------------------------------------------------------===//

#include "qopt/Execution/ModelRunner.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/MappedFile.h"
#include "test/Emit/TinyModel.h"
#include "test/Support/TemporaryFolder.h"
#include <cstdlib>
#include <unistd.h>

using namespace qopt;

extern "C" qopt_status runInC(const char *path, float *values, int64_t count);

namespace {
class ModelRunnerTest : public testing::Test {
protected:
  void SetUp() override {
    path = folder.file("tiny.so");
    ASSERT_FALSE(bool(linkTinyModel(path)));
  }
  void TearDown() override { unsetenv("QOPT_CPU"); }

  std::unique_ptr<ModelRunner> open() {
    llvm::Expected<std::unique_ptr<ModelRunner>> runner =
        ModelRunner::open(path);
    if (runner)
      return std::move(*runner);
    ADD_FAILURE() << llvm::toString(runner.takeError());
    return nullptr;
  }
  std::string failureOfOpen(ExitCode expected) {
    ExitCode code;
    std::string text = takeMessage(ModelRunner::open(path).takeError(), code);
    EXPECT_EQ(code, expected) << text;
    return text;
  }
  static HostTensor makeInput(int64_t size) {
    HostTensor tensor =
        cantFail(HostTensor::allocate(ElementType::F32, {size}));
    for (int64_t i = 0; i < size; ++i)
      tensor.asMutable<float>()[i] = i;
    return tensor;
  }
  static void expectOutput(ModelRunner &runner, int64_t size, float factor,
                           float summand) {
    llvm::SmallVector<HostTensor> results;
    llvm::Error error = runner.run({makeInput(size)}, results);
    ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
    ASSERT_EQ(results.size(), 1u);
    ASSERT_EQ(results[0].getDims(), llvm::ArrayRef<int64_t>({size}));
    for (int64_t i = 0; i < size; ++i)
      ASSERT_EQ(results[0].as<float>()[i], i * factor + summand);
  }

  TemporaryFolder folder;
  std::string path;
};
} // namespace

TEST_F(ModelRunnerTest, OpensAnotherModelAfterOneThatIsOpenTwice) {
  setenv("QOPT_CPU", "x86-64-v3", 1);
  std::unique_ptr<ModelRunner> first = open(), again = open();
  again.reset();
  // The file that was closed leaves its number to the next one.
  std::string other = folder.file("other.so");
  ASSERT_FALSE(bool(linkTinyModel(other, /*weight=*/5.0f)));
  path = other;
  std::unique_ptr<ModelRunner> second = open();
  ASSERT_TRUE(first && second);
  expectOutput(*first, 10, 2.0f, 3.0f);
  expectOutput(*second, 10, 5.0f, 3.0f);
}

TEST_F(ModelRunnerTest, DescribesTheModel) {
  std::unique_ptr<ModelRunner> runner = open();
  ASSERT_TRUE(runner);
  EXPECT_EQ(runner->getName(), "tiny");
  EXPECT_EQ(runner->getManifest(), "{\"made\": \"by hand\"}");
  ASSERT_EQ(runner->getInputs().size(), 1u);
  EXPECT_EQ(runner->getInputs()[0].name, "x");
  EXPECT_EQ(runner->getInputs()[0].type, ElementType::F32);
  EXPECT_EQ(runner->getInputs()[0].dims[0], -1);
  EXPECT_EQ(runner->getInputs()[0].symbols[0], "n");
  EXPECT_EQ(runner->getOutputs()[0].name, "y");
  ASSERT_EQ(runner->getTiers().size(), 2u);
}

TEST_F(ModelRunnerTest, EachTierOfThisMachineCanBeForced) {
  unsigned numRun = 0;
  for (const Machine &tier : getX86Machines()) {
    if (tier.name == "amx" || !findCpu(tier))
      continue;
    setenv("QOPT_CPU", tier.name.str().c_str(), 1);
    std::unique_ptr<ModelRunner> runner = open();
    ASSERT_TRUE(runner);
    EXPECT_EQ(runner->getChosenTier(), tier.name);
    expectOutput(*runner, 100, 2.0f, tier.name == "x86-64-v3" ? 3.0f : 4.0f);
    ++numRun;
  }
  EXPECT_GE(numRun, 1u);
  setenv("QOPT_CPU", "amx", 1);
  EXPECT_EQ(failureOfOpen(ExitCode::BadUse),
            path + ": QOPT_CPU=amx names no tier of this model; it has "
                   "x86-64-v3, x86-64-v4\nnote: unset QOPT_CPU, or compile the "
                   "model again and name the tier in --cpu");
}

TEST_F(ModelRunnerTest, RunsAnySizeOnAnyNumberOfThreads) {
  setenv("QOPT_CPU", "x86-64-v3", 1);
  std::unique_ptr<ModelRunner> runner = open();
  ASSERT_TRUE(runner);
  for (int32_t threads : {0, 1, 2, 3, 7}) {
    runner->setThreads(threads);
    for (int64_t size : {1, 1000, 17})
      expectOutput(*runner, size, 2.0f, 3.0f);
  }
}

TEST_F(ModelRunnerTest, ReportsTheModelsOwnFailureAndWrongInputs) {
  std::unique_ptr<ModelRunner> runner = open();
  ASSERT_TRUE(runner);
  ExitCode code;
  llvm::SmallVector<HostTensor> results;
  auto failureOf = [&](llvm::ArrayRef<HostTensor> inputs) {
    std::string text = takeMessage(runner->run(inputs, results), code);
    EXPECT_EQ(code, ExitCode::BadData);
    EXPECT_TRUE(results.empty());
    return text;
  };
  EXPECT_EQ(failureOf({makeInput(0)}), path + ": x has no row");
  EXPECT_EQ(failureOf({}), path + ": expected 1 inputs, but found 0");
  EXPECT_EQ(failureOf({makeInput(2).bitcast(ElementType::I32)}),
            path + ": input \"x\": expected elements of f32, but found i32");
  EXPECT_EQ(failureOf({makeInput(2).reshape({1, 2})}),
            path + ": input \"x\": expected rank 1, but found 2");
}

TEST_F(ModelRunnerTest, OrdersInputsByName) {
  std::unique_ptr<ModelRunner> runner = open();
  ASSERT_TRUE(runner);
  ExitCode code;
  NamedTensor x = {"x", makeInput(2)}, z = {"z", makeInput(2)};
  EXPECT_EQ(cantFail(runner->orderInputs({x})).size(), 1u);
  EXPECT_EQ(takeMessage(runner->orderInputs({z}).takeError(), code),
            "input \"x\" is missing; found \"z\"");
  EXPECT_EQ(takeMessage(runner->orderInputs({x, z}).takeError(), code),
            "the model has no input \"z\"; it has \"x\"");
}

TEST_F(ModelRunnerTest, ShowsValuesToTheObserver) {
  std::unique_ptr<ModelRunner> runner = open();
  ASSERT_TRUE(runner);
  int32_t seen = 0;
  int64_t size = 0;
  runner->setObserver(
      [&](int32_t id, const void *data, llvm::ArrayRef<int64_t> dims) {
        seen = id;
        size = dims[0];
      });
  ASSERT_FALSE(bool(runner->runWithoutResults({makeInput(9)})));
  EXPECT_EQ(seen, 5);
  EXPECT_EQ(size, 9);
}

TEST_F(ModelRunnerTest, AReplacedFileIsAnotherModel) {
  setenv("QOPT_CPU", "x86-64-v3", 1);
  std::unique_ptr<ModelRunner> before = open();
  ASSERT_FALSE(bool(linkTinyModel(path, /*weight=*/5.0f)));
  std::unique_ptr<ModelRunner> after = open();
  ASSERT_TRUE(before && after);
  expectOutput(*before, 10, 2.0f, 3.0f);
  expectOutput(*after, 10, 5.0f, 3.0f);
}

TEST_F(ModelRunnerTest, AHostInCRunsAModelInPlace) {
  setenv("QOPT_CPU", "x86-64-v3", 1);
  std::vector<float> values(1000, 7.0f);
  ASSERT_EQ(runInC(path.c_str(), values.data(), values.size()), QOPT_OK);
  EXPECT_EQ(values, std::vector<float>(1000, 17.0f));
}

TEST_F(ModelRunnerTest, TwoRunnersShareAFile) {
  std::unique_ptr<ModelRunner> first = open();
  std::unique_ptr<ModelRunner> second = open();
  ASSERT_TRUE(first && second);
  first.reset();
  float summand = second->getChosenTier() == "x86-64-v3" ? 3.0f : 4.0f;
  expectOutput(*second, 10, 2.0f, summand);
}

TEST_F(ModelRunnerTest, NoticesAStrippedOrChangedTrailer) {
  std::string bytes = cantFail(MappedFile::open(path)).getText().str();
  ASSERT_EQ(truncate(path.c_str(), bytes.size() - 4096), 0);
  EXPECT_EQ(failureOfOpen(ExitCode::BadData)
                .rfind(path + ": the weights are missing", 0),
            0u);
  std::string changed = bytes;
  // The digest of the file is behind the copy of the trailer.
  changed[bytes.size() - 49] ^= 1;
  ASSERT_FALSE(bool(writeFileAtomically(path, changed)));
  EXPECT_EQ(failureOfOpen(ExitCode::BadData),
            path + ": the weights are not those of this model; was the file "
                   "stripped or changed?\nnote: qopt-compile MODEL.onnx -o "
                   "MODEL.so makes such a file");
}

TEST_F(ModelRunnerTest, RefusesFilesThatAreNoModels) {
  const std::string note =
      "\nnote: qopt-compile MODEL.onnx -o MODEL.so makes such a file";
  path = folder.file("none.so");
  EXPECT_EQ(failureOfOpen(ExitCode::NoResource),
            path + ": cannot open: No such file or directory");
  ASSERT_FALSE(bool(writeFileAtomically(path, "text")));
  EXPECT_EQ(failureOfOpen(ExitCode::BadData),
            path + ": cannot load: " + path + ": file too short" + note);
  path = folder.path();
  EXPECT_EQ(failureOfOpen(ExitCode::NoResource), path + ": is not a file");
}
