//===- TestProgram.cpp - Programs in text, run by Reference ---------------===//
//
// See TestProgram.h.
//
//===----------------------------------------------------------------------===//

#include "TestProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Support/CodedError.h"
#include "llvm/Support/ErrorHandling.h"
#include "gtest/gtest.h"

using namespace qopt;
using namespace qopt::test;

std::vector<float> test::randomReals(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float &value : values)
    for (int i = 0; i < 6; ++i)
      value += (float(generator() >> 8) * 0x1p-24f - 0.5f);
  return values;
}

std::vector<int32_t> test::randomIntegers(size_t count, int low, int high,
                                          unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<int32_t> values(count);
  for (int32_t &value : values)
    value = low + int32_t(generator() % unsigned(high - low + 1));
  return values;
}

Program::Program(const std::string &text) {
  context.loadDialect<QOptDialect, mlir::arith::ArithDialect,
                      mlir::func::FuncDialect, mlir::scf::SCFDialect,
                      mlir::tensor::TensorDialect>();
  std::string source = text.find("func.func") == std::string::npos
                           ? "func.func @main" + text
                           : text;
  module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  if (!module)
    llvm::report_fatal_error(llvm::Twine("does not parse: ") + source);
}

mlir::func::FuncOp Program::main() {
  return module->lookupSymbol<mlir::func::FuncOp>("main");
}

std::vector<HostTensor> Program::run(const std::vector<HostTensor> &inputs) {
  llvm::SmallVector<HostTensor> outputs;
  ExitCode code;
  if (llvm::Error error = evaluate(main(), inputs, outputs))
    ADD_FAILURE() << takeMessage(std::move(error), code);
  return std::vector<HostTensor>(outputs.begin(), outputs.end());
}

HostTensor Program::get(const std::vector<HostTensor> &inputs) {
  std::vector<HostTensor> outputs = run(inputs);
  EXPECT_EQ(outputs.size(), 1u);
  return outputs.empty() ? HostTensor() : outputs.front();
}

std::string Program::fail(const std::vector<HostTensor> &inputs) {
  llvm::SmallVector<HostTensor> outputs;
  llvm::Error error = evaluate(main(), inputs, outputs);
  EXPECT_TRUE(static_cast<bool>(error));
  ExitCode code;
  return error ? takeMessage(std::move(error), code) : "";
}
