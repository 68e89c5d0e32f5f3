//===- StatisticsCacheTest.cpp - Statistics that are known already --------===//
//
// The runner counts its runs: where the cache answers, nothing runs.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Calibration/Calibrate.h"
#include "qopt/Support/AtomicFile.h"
#include "qopt/Support/MappedFile.h"
#include "qopt/Support/Npz.h"
#include "test/Support/TemporaryFolder.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace qopt;

static std::string makeProgram(llvm::StringRef weight) {
  return ("func.func @main(%x: tensor<?x2xf32> {qopt.name = \"x\"}) -> "
          "tensor<?x2xf32> {\n  %w = qopt.constant(dense<" +
          weight +
          "> : tensor<2x2xf32>) : tensor<2x2xf32>\n"
          "  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "
          "\"static\", act = <i8>, weight = <i8, axis = 1>>} : "
          "(tensor<?x2xf32>, tensor<2x2xf32>) -> "
          "tensor<?x2xf32>\n  return %0 : tensor<?x2xf32>\n}")
      .str();
}

namespace {
class CountingRunner : public ProgramRunner {
public:
  explicit CountingRunner(int &runs) : runs(runs) {}
  llvm::Error prepare(ModuleOp module) override {
    return inner->prepare(module);
  }
  llvm::Error run(llvm::ArrayRef<HostTensor> inputs, ObserveCallback observe,
                  llvm::SmallVectorImpl<HostTensor> *results) override {
    ++runs;
    return inner->run(inputs, observe, results);
  }

private:
  std::unique_ptr<ProgramRunner> inner = createReferenceRunner();
  int &runs;
};

class StatisticsCacheTest : public testing::Test {
protected:
  StatisticsCacheTest() {
    context.loadDialect<QOptDialect, func::FuncDialect>();
    llvm::cantFail(llvm::errorCodeToError(
        llvm::sys::fs::create_directory(folder.file("samples"))));
    writeSample({1.0f / 3, -4});
  }

  void writeSample(std::vector<float> values) {
    HostTensor tensor = llvm::cantFail(HostTensor::copy(
        ElementType::F32, {1, 2},
        {reinterpret_cast<const char *>(values.data()), values.size() * 4}));
    llvm::cantFail(
        writeNpz(folder.file("samples/a.npz"), {NamedTensor{"x", tensor}}));
  }

  /// The text of the program with its statistics; `runs` counts the samples.
  std::string calibrateProgram(int &runs, RangeOptions options = {},
                               llvm::StringRef weight = "1.0") {
    auto module = parseSourceString<ModuleOp>(makeProgram(weight), &context);
    auto data = llvm::cantFail(CalibrationData::find(folder.file("samples")));
    CountingRunner runner(runs);
    llvm::cantFail(
        calibrate(*module, data, options, runner, folder.file("cache")));
    std::string text;
    llvm::raw_string_ostream os(text);
    module->print(os);
    return text;
  }

  std::string findEntry() {
    std::error_code code;
    llvm::sys::fs::directory_iterator it(folder.file("cache"), code);
    return it->path();
  }

  MLIRContext context;
  TemporaryFolder folder;
};
} // namespace

TEST_F(StatisticsCacheTest, AnswersForTheSameProgramAndSamples) {
  int runs = 0;
  std::string first = calibrateProgram(runs);
  EXPECT_EQ(runs, 1);
  EXPECT_NE(first.find("qopt.stats"), std::string::npos);
  EXPECT_EQ(calibrateProgram(runs), first);
  EXPECT_EQ(runs, 1);
}

TEST_F(StatisticsCacheTest, RunsForOtherSamplesOptionsAndWeights) {
  int runs = 0;
  std::string first = calibrateProgram(runs);
  calibrateProgram(runs, {}, "2.0");
  EXPECT_EQ(runs, 2);
  calibrateProgram(runs, {RangeRule::Percentile, 0.99});
  EXPECT_EQ(runs, 3);
  calibrateProgram(runs, {RangeRule::Percentile, 0.999});
  EXPECT_EQ(runs, 4);
  writeSample({2, 3});
  EXPECT_NE(calibrateProgram(runs), first);
  EXPECT_EQ(runs, 5);
}

TEST_F(StatisticsCacheTest, IgnoresDamagedEntries) {
  int runs = 0;
  std::string first = calibrateProgram(runs);
  std::string entry = findEntry();
  std::string whole = llvm::cantFail(MappedFile::open(entry)).getText().str();
  std::string changed = whole;
  changed[whole.find("min = ") + 6] ^= 1;
  for (const std::string &text :
       {std::string(), whole.substr(0, whole.size() / 2), changed,
        "qopt-statistics 1 " + whole.substr(18)}) {
    int before = runs;
    llvm::cantFail(writeFileAtomically(entry, text));
    EXPECT_EQ(calibrateProgram(runs), first);
    EXPECT_EQ(runs, before + 1) << text;
    EXPECT_EQ(llvm::cantFail(MappedFile::open(entry)).getText(), whole);
  }
}
