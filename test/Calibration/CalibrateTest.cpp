//===- CalibrateTest.cpp - Statistics of a program ------------------------===//
//
// Samples come from files; each way in which one can be wrong has a message.
//
//===----------------------------------------------------------------------===//

#include "qopt/Calibration/Calibrate.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Support/CodedError.h"
#include "qopt/Support/Npz.h"
#include "test/Support/TemporaryFolder.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

static constexpr llvm::StringLiteral kProgram = R"(
func.func @main(%x: tensor<?x2xf32> {qopt.name = "x"}) -> tensor<?x2xf32> {
  %w = qopt.constant(dense<[[1.0, 0.0], [0.0, -2.0]]> : tensor<2x2xf32>) : tensor<2x2xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %1 = qopt.log %0 : (tensor<?x2xf32>) -> tensor<?x2xf32> loc("/norm/Log")
  %2 = qopt.matmul %1, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %2 : tensor<?x2xf32>
})";

namespace {
class CalibrateTest : public testing::Test {
protected:
  CalibrateTest() {
    context.loadDialect<QOptDialect, func::FuncDialect>();
    module = parseSourceString<ModuleOp>(kProgram, &context);
  }

  std::string write(const std::string &name, const std::string &array,
                    std::vector<int64_t> dims, std::vector<float> values) {
    HostTensor tensor = llvm::cantFail(HostTensor::copy(
        ElementType::F32, dims,
        {reinterpret_cast<const char *>(values.data()), values.size() * 4}));
    std::string path = folder.file(name);
    EXPECT_FALSE(
        static_cast<bool>(writeNpz(path, {NamedTensor{array, tensor}})));
    return path;
  }

  llvm::Error run(const std::string &path) {
    auto data = CalibrationData::find(path);
    if (!data)
      return data.takeError();
    std::unique_ptr<ProgramRunner> runner = createReferenceRunner();
    return calibrate(*module, *data, options, *runner);
  }

  void expectError(const std::string &path, ExitCode expected,
                   const std::string &text) {
    ExitCode code;
    llvm::Error error = run(path);
    ASSERT_TRUE(static_cast<bool>(error));
    std::string message = takeMessage(std::move(error), code);
    EXPECT_EQ(code, expected);
    EXPECT_NE(message.find(text), std::string::npos) << message;
    // A failure leaves no observers behind.
    module->walk(
        [&](ObserveOp op) { ADD_FAILURE() << "an observe op is left"; });
  }

  func::FuncOp main() { return module->lookupSymbol<func::FuncOp>("main"); }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  RangeOptions options;
  TemporaryFolder folder;
};
} // namespace

TEST_F(CalibrateTest, putsStatisticsOnValues) {
  write("b.npz", "x", {1, 2}, {3, -1});
  write("a.npz", "x", {2, 2}, {1, -4, 2, -0.5f});
  ASSERT_FALSE(static_cast<bool>(run(folder.path())));
  std::optional<Statistics> input = qopt::getStatistics(main().getArgument(0));
  ASSERT_TRUE(input);
  EXPECT_EQ(input->samples, 2);
  EXPECT_EQ(input->min, -4);
  EXPECT_EQ(input->max, 3);
  // What a product makes stays float, so nobody asks for its range.
  main().walk([](Operation *op) {
    if (isa<MatMulOp, LogOp>(op))
      EXPECT_EQ(qopt::getStatistics(op->getResult(0)).has_value(),
                isa<LogOp>(op));
  });
  module->walk([](ObserveOp) { ADD_FAILURE() << "an observe op is left"; });
}

static constexpr llvm::StringLiteral kParts = R"(
func.func @main(%x: tensor<?x5xf32> {qopt.name = "x"}) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %v = qopt.constant(dense<1.0> : tensor<3x2xf32>) : tensor<3x2xf32>
  %w = qopt.constant(dense<1.0> : tensor<2x2xf32>) : tensor<2x2xf32>
  %0:2 = qopt.split %x {axis = 1 : i64, sizes = array<i64: 3, 2>} : (tensor<?x5xf32>) -> (tensor<?x3xf32>, tensor<?x2xf32>)
  %1 = qopt.matmul %0#0, %v {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x3xf32>, tensor<3x2xf32>) -> tensor<?x2xf32>
  %2 = qopt.matmul %0#1, %w {qopt.request = #qopt.request<params = static, act = <i8>, weight = <i8, axis = 1>>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %1, %2 : tensor<?x2xf32>, tensor<?x2xf32>
})";

TEST_F(CalibrateTest, putsStatisticsOnEachPartOfATensor) {
  module = parseSourceString<ModuleOp>(kParts, &context);
  std::string path = write("a.npz", "x", {1, 5}, {1, 2, 3, -40, -50});
  ASSERT_FALSE(static_cast<bool>(run(path)));
  SplitOp split;
  main().walk([&](SplitOp op) { split = op; });
  Value left = split.getResult(0), right = split.getResult(1);
  EXPECT_EQ(qopt::getStatistics(left)->max, 3);
  EXPECT_EQ(qopt::getStatistics(left)->channelMax.size(), 3u);
  EXPECT_EQ(qopt::getStatistics(right)->min, -50);
  EXPECT_EQ(qopt::getStatistics(right)->channelMax.size(), 2u);
  setStatistics(left, std::nullopt);
  EXPECT_FALSE(qopt::getStatistics(left));
  EXPECT_TRUE(qopt::getStatistics(right));
}

TEST_F(CalibrateTest, keepsStatisticsThatAreThere) {
  Statistics known;
  known.max = 1234;
  setStatistics(main().getArgument(0), known);
  ASSERT_FALSE(static_cast<bool>(run(write("a.npz", "x", {1, 2}, {3, -1}))));
  EXPECT_EQ(qopt::getStatistics(main().getArgument(0))->max, 1234);
}

TEST_F(CalibrateTest, namesWhatIsMissing) {
  expectError(folder.file("nothing"), ExitCode::NoResource, "does not exist");
  expectError(folder.path(), ExitCode::NoResource, "holds no .npz file");
  expectError(write("a.npz", "y", {1, 2}, {1, 1}), ExitCode::BadData,
              "a.npz: expects an array 'x', but found y");
}

TEST_F(CalibrateTest, namesWhatDoesNotFit) {
  expectError(write("rank.npz", "x", {2}, {1, 1}), ExitCode::BadData,
              "array 'x' expects rank 2, but found 2");
  expectError(write("dims.npz", "x", {1, 3}, {1, 1, 1}), ExitCode::BadData,
              "array 'x' expects size 2 on axis 1, but found 1x3");
  expectError(write("nan.npz", "x", {1, 2}, {1, NAN}), ExitCode::BadData,
              "array 'x' holds NaN or infinity at element 1");
  HostTensor integers =
      llvm::cantFail(HostTensor::allocate(ElementType::I64, {1, 2}));
  std::string path = folder.file("type.npz");
  ASSERT_FALSE(static_cast<bool>(writeNpz(path, {NamedTensor{"x", integers}})));
  expectError(path, ExitCode::BadData,
              "array 'x' expects elements of type f32, but found i64");
}

// Infinity that the model makes is no fault of the samples.
TEST_F(CalibrateTest, warnsOfWhatIsNotFinite) {
  write("log.npz", "x", {2, 2}, {1, 0, 1, 1});
  ASSERT_FALSE(static_cast<bool>(run(folder.path())));
  Warnings warnings;
  warnOfStatistics(*module, warnings);
  // The logarithms of 1 are 0, that of 0 and of -2 are neither.
  EXPECT_EQ(warnings,
            (Warnings{"2 values at node '/norm/Log' are NaN or infinity in the "
                      "samples; ranges leave them out",
                      "one and the same value in all samples at node "
                      "'/norm/Log'; its range will not fit other data"}));
}

// What no product reads may be as constant as a mask is.
TEST_F(CalibrateTest, warnsOfNoConstantElsewhere) {
  Statistics ones;
  ones.min = ones.max = ones.samples = 1;
  main().walk([&](LogOp op) { setStatistics(op.getResult(), ones); });
  Warnings warnings;
  warnOfStatistics(*module, warnings);
  EXPECT_EQ(warnings,
            (Warnings{"no finite value in any sample at an input; what was to "
                      "have static ranges is dynamic or float",
                      "one and the same value in all samples at node "
                      "'/norm/Log'; its range will not fit other data"}));
  warnings.clear();
  main().walk([](MatMulOp op) { op->removeAttr(kRequestAttrName); });
  warnOfStatistics(*module, warnings);
  EXPECT_EQ(warnings, Warnings());
}

TEST_F(CalibrateTest, warnsOfSamplesThatShowNothing) {
  auto check = [&] {
    Warnings warnings;
    auto data = CalibrationData::find(folder.path());
    EXPECT_FALSE(static_cast<bool>(checkSamples(main(), *data, warnings)));
    return warnings;
  };
  write("a.npz", "x", {2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(check(), Warnings());
  write("b.npz", "x", {2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(check(),
            Warnings{"the 2 samples are all equal; ranges are those of one"});
  std::string empty = write("b.npz", "x", {0, 2}, {});
  EXPECT_EQ(check(), Warnings{empty + ": array 'x' is empty, so the sample may "
                                      "show nothing"});
  write("a.npz", "x", {2, 2}, {7, 7, 7, 7});
  write("b.npz", "x", {1, 2}, {7, 7});
  EXPECT_EQ(check(), Warnings{"input 'x' is one and the same value in all "
                              "samples; ranges will not fit other data"});
}

// Two of eight samples are not in the extremes of channels.
TEST_F(CalibrateTest, holdsBackEveryFourthSample) {
  for (int i = 0; i < 8; ++i)
    write("s" + std::to_string(i) + ".npz", "x", {1, 2}, {1.0f + i, 1.0f - i});
  auto data = llvm::cantFail(CalibrationData::find(folder.path()));
  EXPECT_EQ(
      data.heldBack().files,
      (std::vector<std::string>{folder.file("s3.npz"), folder.file("s7.npz")}));
  EXPECT_EQ(data.fitted().files.size(), 6u);
  ASSERT_FALSE(static_cast<bool>(run(folder.path())));
  std::optional<Statistics> stats = qopt::getStatistics(main().getArgument(0));
  EXPECT_EQ(stats->samples, 6);
  EXPECT_EQ(stats->channelMax, (std::vector<float>{7, 1}));
  EXPECT_EQ(stats->channelMin, (std::vector<float>{1, -5}));
  // Sample 7 holds 8 and -6.
  EXPECT_GT(stats->max, 7);
  EXPECT_LT(stats->min, -5);
}

/// A convolution in two groups, in which the second channel meets `weight`.
static std::string makeGroups(float weight,
                              llvm::StringRef activation = "<i8>") {
  std::string text;
  llvm::raw_string_ostream(text)
      << R"(
func.func @main(%x: tensor<?x4x2x500xf32> {qopt.name = "x"}) -> tensor<?x2x2x500xf32> {
  %w = qopt.constant(dense<[[[[1.0]], [[)"
      << llvm::format("%e", weight)
      << R"(]]], [[[1.0]], [[1.0]]]]> : tensor<2x2x1x1xf32>) : tensor<2x2x1x1xf32>
  %0 = qopt.conv %x, %w {group = 2 : i64, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, qopt.request = #qopt.request<params = static, act = )"
      << activation
      << R"(, weight = <i8, axis = 0>>} : (tensor<?x4x2x500xf32>, tensor<2x2x1x1xf32>) -> tensor<?x2x2x500xf32>
  return %0 : tensor<?x2x2x500xf32>
})";
  return text;
}

// A loud channel is cut where the weights that it meets make nothing of it.
TEST_F(CalibrateTest, searchesRangesByTheWeightsThatChannelsMeet) {
  options.rule = RangeRule::Search;
  for (int i = 0; i < 12; ++i) {
    std::vector<float> values;
    for (int j = 0; j < 4 * 1000; ++j)
      values.push_back(j == 1500 ? 60 : std::sin(j + 0.1f * i));
    write("s" + std::to_string(10 + i) + ".npz", "x", {1, 4, 2, 500}, values);
  }
  auto searchWidth = [&](float weight, llvm::StringRef activation = "<i8>") {
    module =
        parseSourceString<ModuleOp>(makeGroups(weight, activation), &context);
    EXPECT_FALSE(static_cast<bool>(run(folder.path())));
    auto stats = qopt::getStatistics(main().getArgument(0));
    return stats->max - stats->min;
  };
  EXPECT_GT(searchWidth(1), 40);
  EXPECT_LT(searchWidth(1e-6f), 5);
  // A step that is a power of two would have to be halved.
  EXPECT_GT(searchWidth(1e-6f, "<i8, scale = f8E8M0FNU>"), 40);
}

TEST_F(CalibrateTest, refusesAFileThatIsNoNpz) {
  std::string path = folder.file("text.npz");
  std::error_code error;
  llvm::raw_fd_ostream(path, error) << "no zip";
  ExitCode code;
  std::string message = takeMessage(run(path), code);
  EXPECT_EQ(code, ExitCode::BadData) << message;
}
