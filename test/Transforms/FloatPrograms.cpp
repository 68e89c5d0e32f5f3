//===- FloatPrograms.cpp - Programs to be transformed by a test -----------===//
//
// See FloatPrograms.h.
//
//===----------------------------------------------------------------------===//

#include "FloatPrograms.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Support/Npz.h"
#include "test/Support/TemporaryFolder.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

std::vector<float> test::normalReals(size_t count, unsigned seed,
                                     float deviation) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float &value : values) {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += generator() * 0x1p-32;
    value = static_cast<float>(sum) * deviation;
  }
  return values;
}

HostTensor test::normalTensor(ArrayRef<int64_t> dims, unsigned seed,
                              float deviation) {
  HostTensor tensor =
      llvm::cantFail(HostTensor::allocate(ElementType::F32, dims));
  std::vector<float> values =
      normalReals(tensor.getNumElements(), seed, deviation);
  llvm::copy(values, tensor.asMutable<float>().begin());
  return tensor;
}

std::string test::constantText(StringRef name, ArrayRef<int64_t> dims,
                               unsigned seed, float deviation) {
  HostTensor tensor = normalTensor(dims, seed, deviation);
  std::string type = "tensor<";
  for (int64_t dim : dims)
    type += std::to_string(dim) + "x";
  type += "f32>";
  std::string hex =
      llvm::toHex(StringRef(tensor.getData(), tensor.getSizeInBytes()));
  return (name + " = qopt.constant(dense<\"0x" + hex + "\"> : " + type +
          ") : " + type + "\n")
      .str();
}

FloatProgram::FloatProgram(const std::string &function,
                           ArrayRef<int64_t> inputDims)
    : inputDims(inputDims) {
  context.loadDialect<QOptDialect, func::FuncDialect>();
  module = parseSourceString<ModuleOp>(function, &context);
  if (!module)
    llvm::report_fatal_error("the program does not parse");
}

func::FuncOp FloatProgram::main() {
  return module->lookupSymbol<func::FuncOp>("main");
}

HostTensor FloatProgram::input(unsigned seed) const {
  return normalTensor(inputDims, 1000 + seed);
}

void FloatProgram::calibrate() {
  TemporaryFolder folder;
  CalibrationData data;
  for (unsigned i = 0; i < 8; ++i) {
    data.files.push_back(folder.file("sample" + std::to_string(i) + ".npz"));
    ASSERT_FALSE(static_cast<bool>(
        writeNpz(data.files.back(), {NamedTensor{"arg0", input(i)}})));
  }
  std::unique_ptr<ProgramRunner> runner = createReferenceRunner();
  llvm::Error error = qopt::calibrate(*module, data, RangeOptions(), *runner);
  ASSERT_FALSE(static_cast<bool>(error));
}

void FloatProgram::run(llvm::function_ref<void(OpPassManager &)> addPasses) {
  PassManager manager(&context);
  addPasses(manager.nest<func::FuncOp>());
  ASSERT_TRUE(succeeded(manager.run(*module)));
  ASSERT_TRUE(succeeded(verify(*module)));
}

HostTensor FloatProgram::evaluate(const HostTensor &input) {
  SmallVector<HostTensor> outputs;
  if (llvm::Error error = qopt::evaluate(main(), {input}, outputs)) {
    ADD_FAILURE() << llvm::toString(std::move(error)) << "\n" << print();
    return HostTensor();
  }
  return outputs.front();
}

std::string FloatProgram::print() {
  std::string text;
  llvm::raw_string_ostream os(text);
  module->print(os, OpPrintingFlags().elideLargeElementsAttrs(16));
  return text;
}

double test::signalToNoise(const HostTensor &expected,
                           const HostTensor &actual) {
  EXPECT_EQ(expected.getDims(), actual.getDims());
  if (expected.getDims() != actual.getDims())
    return 0;
  double signal = 0, noise = 0;
  for (auto [e, a] :
       llvm::zip_equal(expected.as<float>(), actual.as<float>())) {
    signal += double(e) * e;
    noise += (double(e) - a) * (double(e) - a);
  }
  return noise == 0 ? INFINITY : 10 * std::log10(signal / noise);
}

std::string test::perceptron() {
  return "func.func @main(%x: tensor<?x64xf32>) -> tensor<?x32xf32> {\n" +
         constantText("%w1", {64, 96}, 1, 0.2f) +
         constantText("%b1", {96}, 2, 0.3f) +
         constantText("%w2", {96, 32}, 3, 0.2f) +
         constantText("%b2", {32}, 4, 0.3f) +
         R"(
  %0 = qopt.matmul %x, %w1 : (tensor<?x64xf32>, tensor<64x96xf32>) -> tensor<?x96xf32>
  %1 = qopt.add %0, %b1 : (tensor<?x96xf32>, tensor<96xf32>) -> tensor<?x96xf32>
  %2 = qopt.relu %1 : (tensor<?x96xf32>) -> tensor<?x96xf32>
  %3 = qopt.matmul %2, %w2 : (tensor<?x96xf32>, tensor<96x32xf32>) -> tensor<?x32xf32>
  %4 = qopt.add %3, %b2 : (tensor<?x32xf32>, tensor<32xf32>) -> tensor<?x32xf32>
  return %4 : tensor<?x32xf32>
})";
}

std::string test::residualBlock() {
  return "func.func @main(%x: tensor<?x16x9x9xf32>) -> tensor<?x40x9x9xf32> "
         "{\n" +
         constantText("%w1", {40, 16, 3, 3}, 11, 0.1f) +
         constantText("%b1", {40}, 12, 0.3f) +
         constantText("%w2", {40, 40, 3, 3}, 13, 0.08f) +
         constantText("%b2", {40}, 14, 0.3f) + R"(
  %0 = qopt.conv %x, %w1 bias %b1 {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<?x16x9x9xf32>, tensor<40x16x3x3xf32>, tensor<40xf32>) -> tensor<?x40x9x9xf32>
  %1 = qopt.relu %0 : (tensor<?x40x9x9xf32>) -> tensor<?x40x9x9xf32>
  %2 = qopt.conv %1, %w2 bias %b2 {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<?x40x9x9xf32>, tensor<40x40x3x3xf32>, tensor<40xf32>) -> tensor<?x40x9x9xf32>
  %3 = qopt.add %2, %1 : (tensor<?x40x9x9xf32>, tensor<?x40x9x9xf32>) -> tensor<?x40x9x9xf32>
  return %3 : tensor<?x40x9x9xf32>
})";
}

std::string test::pooledNetwork() {
  return "func.func @main(%x: tensor<?x8x12x12xf32>) -> tensor<?x10xf32> {\n" +
         constantText("%w1", {16, 8, 3, 3}, 21, 0.15f) +
         constantText("%b1", {16}, 22, 0.3f) +
         constantText("%w2", {16, 16, 1, 1}, 23, 0.3f) +
         constantText("%b2", {16}, 24, 0.3f) +
         constantText("%w3", {80, 10}, 25, 0.2f) +
         constantText("%b3", {10}, 26, 0.3f) +
         constantText("%c", {1, 16, 1, 1}, 27, 1) +
         R"(
  %zero = qopt.constant(dense<0> : tensor<1xi64>) : tensor<1xi64>
  %one = qopt.constant(dense<1> : tensor<1xi64>) : tensor<1xi64>
  %shape = qopt.constant(dense<[0, 80]> : tensor<2xi64>) : tensor<2xi64>
  %0 = qopt.conv %x, %w1 bias %b1 {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<?x8x12x12xf32>, tensor<16x8x3x3xf32>, tensor<16xf32>) -> tensor<?x16x12x12xf32>
  %1 = qopt.relu %0 : (tensor<?x16x12x12xf32>) -> tensor<?x16x12x12xf32>
  %2 = qopt.conv %1, %w2 bias %b2 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<?x16x12x12xf32>, tensor<16x16x1x1xf32>, tensor<16xf32>) -> tensor<?x16x12x12xf32>
  %3 = qopt.add %1, %2 : (tensor<?x16x12x12xf32>, tensor<?x16x12x12xf32>) -> tensor<?x16x12x12xf32>
  %4 = qopt.max_pool %3 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, ceil_mode = false}
    : (tensor<?x16x12x12xf32>) -> tensor<?x16x6x6xf32>
  %5 = qopt.gelu %4 : (tensor<?x16x6x6xf32>) -> tensor<?x16x6x6xf32>
  %6 = qopt.add %5, %c : (tensor<?x16x6x6xf32>, tensor<1x16x1x1xf32>) -> tensor<?x16x6x6xf32>
  %7 = qopt.average_pool %6 {kernel = array<i64: 3, 3>, strides = array<i64: 3, 3>, pads = array<i64: 0, 0, 0, 0>, ceil_mode = false, count_include_pad = false}
    : (tensor<?x16x6x6xf32>) -> tensor<?x16x2x2xf32>
  %8 = qopt.global_average_pool %6 : (tensor<?x16x6x6xf32>) -> tensor<?x16x1x1xf32>
  %9 = qopt.pad %8 {pads = array<i64: 0, 0, 0, 0, 0, 0, 0, 1>} : (tensor<?x16x1x1xf32>) -> tensor<?x16x1x2xf32>
  %10 = qopt.slice %9, %zero, %one {axes = array<i64: 3>} : (tensor<?x16x1x2xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x16x1x1xf32>
  %11 = qopt.transpose %7 {perm = array<i64: 0, 2, 3, 1>} : (tensor<?x16x2x2xf32>) -> tensor<?x2x2x16xf32>
  %12 = qopt.flatten %11 {axis = 1 : i64} : (tensor<?x2x2x16xf32>) -> tensor<?x64xf32>
  %13 = qopt.flatten %10 {axis = 1 : i64} : (tensor<?x16x1x1xf32>) -> tensor<?x16xf32>
  %14 = qopt.concat %12, %13 {axis = 1 : i64} : (tensor<?x64xf32>, tensor<?x16xf32>) -> tensor<?x80xf32>
  %15 = qopt.reshape %14, %shape : (tensor<?x80xf32>, tensor<2xi64>) -> tensor<?x80xf32>
  %16 = qopt.matmul %15, %w3 : (tensor<?x80xf32>, tensor<80x10xf32>) -> tensor<?x10xf32>
  %17 = qopt.add %16, %b3 : (tensor<?x10xf32>, tensor<10xf32>) -> tensor<?x10xf32>
  return %17 : tensor<?x10xf32>
})";
}

std::string test::depthwiseNetwork() {
  return "func.func @main(%x: tensor<?x48x7x7xf32>) -> tensor<?x24x7x7xf32> "
         "{\n" +
         constantText("%w1", {48, 1, 3, 3}, 31, 0.3f) +
         constantText("%b1", {48}, 32, 0.3f) +
         constantText("%w2", {24, 24, 1, 1}, 33, 0.2f) + R"(
  %0 = qopt.conv %x, %w1 bias %b1 {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, group = 48 : i64}
    : (tensor<?x48x7x7xf32>, tensor<48x1x3x3xf32>, tensor<48xf32>) -> tensor<?x48x7x7xf32>
  %1 = qopt.relu %0 : (tensor<?x48x7x7xf32>) -> tensor<?x48x7x7xf32>
  %2 = qopt.conv %1, %w2 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, group = 2 : i64}
    : (tensor<?x48x7x7xf32>, tensor<24x24x1x1xf32>) -> tensor<?x24x7x7xf32>
  return %2 : tensor<?x24x7x7xf32>
})";
}
