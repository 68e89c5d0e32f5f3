//===- FloatPrograms.h - Programs to be transformed by a test ---*- C++ -*-===//
//
// Text with random weights, the data for it, and ways to run passes over it and
// to compare what comes out.
//
//===----------------------------------------------------------------------===//

#ifndef TEST_TRANSFORMS_FLOATPROGRAMS_H
#define TEST_TRANSFORMS_FLOATPROGRAMS_H

#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Calibration/Calibrate.h"

namespace qopt::test {

/// `count` numbers of a normal distribution, the same for one seed everywhere.
std::vector<float> normalReals(size_t count, unsigned seed,
                               float deviation = 1);

/// A tensor of such numbers.
HostTensor normalTensor(llvm::ArrayRef<int64_t> dims, unsigned seed,
                        float deviation = 1);

/// `%name = qopt.constant(...)` with normally distributed numbers.
std::string constantText(llvm::StringRef name, llvm::ArrayRef<int64_t> dims,
                         unsigned seed, float deviation);

/// A module, the dims of its only input and how often to run it.
class FloatProgram {
public:
  /// `function` is the text of `@main`. A failure to parse fails the test.
  FloatProgram(const std::string &function, llvm::ArrayRef<int64_t> inputDims);

  mlir::ModuleOp getModule() { return *module; }
  mlir::func::FuncOp main();
  mlir::MLIRContext *getContext() { return &context; }
  /// Input number `seed`.
  HostTensor input(unsigned seed) const;

  /// Fills in statistics from a few inputs.
  void calibrate();
  /// Runs passes on the function and verifies; fails the test if one fails.
  void run(llvm::function_ref<void(mlir::OpPassManager &)> addPasses);
  /// The output of Reference.
  HostTensor evaluate(const HostTensor &input);
  std::string print();

private:
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  llvm::SmallVector<int64_t> inputDims;
};

/// 10 log10 of the power of `expected` over that of the difference.
double signalToNoise(const HostTensor &expected, const HostTensor &actual);

/// matmul, bias, relu, matmul, bias.
std::string perceptron();
/// conv, bias, relu, conv, sum with the ReLU's result.
std::string residualBlock();
/// conv, relu, sum, max pool, GELU, average pools, concat, matmul.
std::string pooledNetwork();
/// Depthwise and grouped convolutions of few channels.
std::string depthwiseNetwork();

} // namespace qopt::test

#endif
