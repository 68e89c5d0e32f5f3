//===- HostLoops.h - Formulas of loops, written for the host ----*- C++ -*-===//
//
// The loop policy of SSA values. Code stands in the host function, and inside
// of `forEach` in a kernel of its own, whose captures are found afterwards:
// formulas do not say what they use.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_HOSTLOOPS_H
#define QOPT_LIB_TARGET_HOST_HOSTLOOPS_H

#include "GenericKernel.h"
#include "HostProgram.h"
#include "LoopValues.h"
#include "dialects/QOpt/Numerics/LoopPolicy.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"

namespace qopt::host {

class HostLoops {
public:
  using B = numerics::MLIRPolicy;
  using Index = mlir::Value;
  using Raw = mlir::Value;
  using Coordinates = llvm::SmallVector<mlir::Value>;

  HostLoops(HostProgram &program, mlir::Operation *op)
      : program(program), op(op) {}

  /// Nothing that formulas ask for is refused here.
  bool isWritten() const { return true; }

  B values() { return B(builder(), program.loc()); }
  Index index(int64_t value) { return v().i64(value); }
  Index add(Index x, Index y) { return v().add(x, y); }
  Index sub(Index x, Index y) { return v().sub(x, y); }
  Index mul(Index x, Index y) { return v().mul(x, y); }
  Index min(Index x, Index y) { return v().min(x, y); }
  Index max(Index x, Index y) { return v().max(x, y); }
  Index div(Index x, Index y) { return v().div(x, y); }
  Index rem(Index x, Index y) { return v().rem(x, y); }
  mlir::Value less(Index x, Index y) { return v().less(x, y); }
  mlir::Value equal(Index x, Index y) { return v().equal(x, y); }
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y) {
    return v().select(condition, x, y);
  }
  mlir::Value toFloat(Index x) { return values().toFloat(x); }
  mlir::Value toLong(Index x) { return x; }
  Index toIndex(mlir::Value x);

  Coordinates dims(mlir::Value tensor) {
    return program.dims(findOutside(op, tensor));
  }
  /// Of static length, as the dims of the results were made of them.
  Coordinates elementsOf(mlir::Value tensor) {
    return *program.elements(findOutside(op, tensor));
  }
  mlir::Value load(mlir::Value tensor, Index at);
  void store(mlir::Value value, mlir::Value tensor, Index at);
  Raw loadRaw(mlir::Value tensor, Index at);
  void storeRaw(Raw element, mlir::Value tensor, Index at);
  Raw zeroRaw(mlir::Value tensor) { return constantRaw(0, tensor); }
  Raw constantRaw(uint64_t bits, mlir::Value tensor);
  Raw selectRaw(mlir::Value condition, Raw x, Raw y) {
    return v().select(condition, x, y);
  }
  Index loadIndex(mlir::Value tensor, Index at);
  void storeIndex(Index value, mlir::Value tensor, Index at);

  template <class... T, class Fn>
  std::tuple<T...> loop(Index low, Index high, std::tuple<T...> carried,
                        Fn fn) {
    return fromValues<std::tuple<T...>>(v().loop(
        low, high, 1, toValues(carried),
        [&](mlir::Value i, mlir::ValueRange values) {
          return toValues(std::apply([&](auto... x) { return fn(i, x...); },
                                     fromValues<std::tuple<T...>>(values)));
        }));
  }
  void ifThen(mlir::Value condition, llvm::function_ref<void()> then) {
    v().ifThen(condition, then);
  }
  void copy(const Coordinates &dims, const numerics::Strided<HostLoops> &from,
            const numerics::Strided<HostLoops> &to) {
    numerics::copyOneByOne(*this, dims, from, to);
  }
  void forEach(const Coordinates &dims,
               llvm::function_ref<void(Coordinates)> body, Index work = {});
  void require(mlir::Value condition, const llvm::Twine &text);

private:
  /// What may fail inside of a kernel: its parts set a flag.
  struct Check {
    mlir::Value flag;
    std::string text;
  };

  mlir::OpBuilder &builder() { return inside ? *inside : program.builder(); }
  CodeBuilder v() { return CodeBuilder(builder(), program.loc()); }
  Buffer &bufferOf(mlir::Value tensor) {
    return program.buffer(findOutside(op, tensor));
  }
  void launch(mlir::Block &body, mlir::Value parts);

  HostProgram &program;
  mlir::Operation *op;
  /// Stands in the body of forEach; null in the host function.
  mlir::OpBuilder *inside = nullptr;
  llvm::SmallVector<Check> checks;
};

/// The kernel of every op that has a formula of loops: runs what no other one
/// does.
std::unique_ptr<kernel::Kernel> makeGenericKernel();

} // namespace qopt::host

#endif
