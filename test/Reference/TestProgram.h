//===- TestProgram.h - Programs in text, run by Reference -------*- C++ -*-===//
//
// A test states a function body and tensors, and gets tensors or an error.
//
//===----------------------------------------------------------------------===//

#ifndef TEST_REFERENCE_TESTPROGRAM_H
#define TEST_REFERENCE_TESTPROGRAM_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Reference/Interpreter.h"
#include <random>
#include <string>
#include <vector>

namespace qopt::test {

template <class T>
HostTensor makeTensor(ElementType type, std::vector<int64_t> dims,
                      const std::vector<T> &values) {
  llvm::ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()),
                             values.size() * sizeof(T));
  return llvm::cantFail(HostTensor::copy(type, dims, bytes));
}

inline HostTensor f32(std::vector<int64_t> dims,
                      const std::vector<float> &values) {
  return makeTensor(ElementType::F32, std::move(dims), values);
}
inline HostTensor i32(std::vector<int64_t> dims,
                      const std::vector<int32_t> &values) {
  return makeTensor(ElementType::I32, std::move(dims), values);
}
inline HostTensor i64(std::vector<int64_t> dims,
                      const std::vector<int64_t> &values) {
  return makeTensor(ElementType::I64, std::move(dims), values);
}
/// Types of one byte.
inline HostTensor bytes(ElementType type, std::vector<int64_t> dims,
                        const std::vector<uint8_t> &values) {
  return makeTensor(type, std::move(dims), values);
}

template <class T> std::vector<T> valuesOf(const HostTensor &tensor) {
  return tensor.as<T>().vec();
}

/// `count` numbers of a normal distribution, always the same for one seed.
std::vector<float> randomReals(size_t count, unsigned seed);
/// `count` whole numbers in [low, high].
std::vector<int32_t> randomIntegers(size_t count, int low, int high,
                                    unsigned seed);

/// A module of one function, `@main`.
class Program {
public:
  /// `text` is the function; without `func.func` it is `(arguments) -> results
  /// { body }`.
  explicit Program(const std::string &text);

  mlir::func::FuncOp main();
  mlir::MLIRContext *getContext() { return &context; }
  /// The outputs; a failure fails the test.
  std::vector<HostTensor> run(const std::vector<HostTensor> &inputs);
  /// The only output.
  HostTensor get(const std::vector<HostTensor> &inputs);
  /// The message of the error that a run ends with.
  std::string fail(const std::vector<HostTensor> &inputs);

private:
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace qopt::test

#endif // TEST_REFERENCE_TESTPROGRAM_H
