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
  %0 = qopt.matmul %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %1 = qopt.log %0 : (tensor<?x2xf32>) -> tensor<?x2xf32> loc("/norm/Log")
  return %1 : tensor<?x2xf32>
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
    return calibrate(*module, *data, {}, *runner);
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
  main().walk([](Operation *op) {
    if (!isa<MatMulOp, LogOp>(op))
      return;
    auto stats = qopt::getStatistics(op->getResult(0));
    ASSERT_TRUE(stats);
    EXPECT_EQ(stats->max, isa<MatMulOp>(op) ? 8.0f : stats->max);
  });
  module->walk([](ObserveOp) { ADD_FAILURE() << "an observe op is left"; });
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
  expectError(folder.path(), ExitCode::BadUse, "holds no .npz file");
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

TEST_F(CalibrateTest, namesTheNodeThatMakesNaN) {
  expectError(write("log.npz", "x", {1, 2}, {1, 1}), ExitCode::BadData,
              "log.npz: at node '/norm/Log': the tensor holds NaN or infinity");
}

TEST_F(CalibrateTest, refusesAFileThatIsNoNpz) {
  std::string path = folder.file("text.npz");
  std::error_code error;
  llvm::raw_fd_ostream(path, error) << "no zip";
  ExitCode code;
  std::string message = takeMessage(run(path), code);
  EXPECT_EQ(code, ExitCode::BadData) << message;
}
