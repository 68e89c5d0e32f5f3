//===- DeviceLoops.h - Formulas of loops, written as shaders ----*- C++ -*-===//
//
// The loop policy of shaders: each `forEach` is one dispatch with an invocation
// for each of its elements, even where that is one. Outside of it, indices are
// numbers of the host function; they become parameters where a shader uses
// them.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_VULKAN_DEVICELOOPS_H
#define QOPT_LIB_TARGET_VULKAN_DEVICELOOPS_H

#include "DeviceProgram.h"
#include "ExactPolicy.h"
#include "dialects/QOpt/Numerics/LoopPolicy.h"
#include "lib/Target/Host/GenericKernel.h"
#include "lib/Target/Host/LoopValues.h"

namespace qopt::vulkan {

class DeviceLoops {
public:
  using B = ExactPolicy;
  using Index = mlir::Value;
  using Raw = llvm::SmallVector<mlir::Value>;
  using Coordinates = llvm::SmallVector<mlir::Value>;

  /// Allocates the results of `op`.
  DeviceLoops(DeviceProgram &program, mlir::Operation *op);

  /// False, with a diagnostic, when something cannot be written.
  bool isWritten() const { return !hasFailed; }

  B values() {
    return shader ? B(shader->b, shader->loc)
                  : B(program.builder(), program.loc());
  }
  Index index(int64_t value);
  Index add(Index x, Index y);
  Index sub(Index x, Index y);
  Index mul(Index x, Index y);
  Index min(Index x, Index y);
  Index max(Index x, Index y);
  Index div(Index x, Index y);
  Index rem(Index x, Index y);
  mlir::Value less(Index x, Index y);
  mlir::Value equal(Index x, Index y);
  Index select(mlir::Value condition, Index x, Index y);
  mlir::Value toFloat(Index x) { return values().toFloat(in(x)); }
  mlir::Value toLong(Index x) { return values().extendToL(in(x)); }
  Index toIndex(mlir::Value x) { return x; }

  Coordinates dims(mlir::Value tensor) {
    return program.dims(host::findOutside(op, tensor));
  }
  /// Known on the host, as the dims of the results were made of them.
  Coordinates elementsOf(mlir::Value tensor) {
    return *program.elements(host::findOutside(op, tensor));
  }
  mlir::Value load(mlir::Value tensor, Index at);
  void store(mlir::Value value, mlir::Value tensor, Index at);
  Raw loadRaw(mlir::Value tensor, Index at);
  void storeRaw(const Raw &words, mlir::Value tensor, Index at);
  Raw zeroRaw(mlir::Value tensor) { return constantRaw(0, tensor); }
  Raw constantRaw(uint64_t bits, mlir::Value tensor);
  Raw selectRaw(mlir::Value condition, const Raw &x, const Raw &y);
  Index loadIndex(mlir::Value tensor, Index at);
  void storeIndex(Index value, mlir::Value tensor, Index at);

  template <class... T, class Fn>
  std::tuple<T...> loop(Index low, Index high, std::tuple<T...> carried,
                        Fn fn) {
    llvm::SmallVector<mlir::Value> inits;
    for (mlir::Value value : host::toValues(carried))
      inits.push_back(in(value));
    return host::fromValues<std::tuple<T...>>(shader->loop(
        in(low), in(high), shader->i32(1), inits,
        [&](mlir::Value i, mlir::ValueRange values) {
          auto next = std::apply([&](auto... x) { return fn(i, x...); },
                                 host::fromValues<std::tuple<T...>>(values));
          llvm::SmallVector<mlir::Value> results;
          for (mlir::Value value : host::toValues(next))
            results.push_back(in(value));
          return results;
        }));
  }
  void ifThen(mlir::Value condition, llvm::function_ref<void()> then) {
    shader->ifThen(condition, then);
  }
  void copy(const Coordinates &dims, const numerics::Strided<DeviceLoops> &from,
            const numerics::Strided<DeviceLoops> &to) {
    numerics::copyOneByOne(*this, dims, from, to);
  }
  void forEach(const Coordinates &dims,
               llvm::function_ref<void(Coordinates)> body, Index work = {});
  void require(mlir::Value condition, const llvm::Twine &text);

private:
  host::CodeBuilder host() { return program.code(); }
  /// A number of the host function as one of the shader.
  mlir::Value in(mlir::Value number);
  mlir::Value handle(mlir::Value tensor);

  DeviceProgram &program;
  mlir::Operation *op;
  /// Null in the host function.
  Shader *shader = nullptr;
  bool hasFailed = false;
};

/// Writes `op`, which has a formula of loops, as that says.
mlir::LogicalResult emitFormula(DeviceProgram &program, mlir::Operation *op);

/// The kernel of every op that has a formula of loops.
std::unique_ptr<kernel::Kernel> makeGenericKernel();

} // namespace qopt::vulkan

#endif
