//===- HostLoops.h - Formulas of loops, run on tensors ----------*- C++ -*-===//
//
// The loop policy of plain numbers. The first thing that does not hold is
// remembered: policies have no way to fail.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_REFERENCE_HOSTLOOPS_H
#define LIB_REFERENCE_HOSTLOOPS_H

#include "Elements.h"
#include "Evaluation.h"
#include "dialects/QOpt/Numerics/LoopPolicy.h"
#include "dialects/QOpt/Numerics/ScalarPolicy.h"
#include <string>

namespace qopt::reference {

class HostLoops {
public:
  using B = numerics::ScalarPolicy;
  using Index = int64_t;
  /// The bytes of an element, the first one lowest.
  using Raw = uint64_t;
  using Element = numerics::ElementValue<B>;

  explicit HostLoops(const Evaluation &evaluation) : evaluation(evaluation) {}

  /// What the run ends with; empty where all holds.
  std::string problem;

  B values() const { return {}; }
  Index index(int64_t value) const { return value; }
  // Indices from data may have any value.
  Index add(Index x, Index y) const { return B().addI(x, y); }
  Index sub(Index x, Index y) const { return B().subI(x, y); }
  Index mul(Index x, Index y) const { return B().mulI(x, y); }
  Index min(Index x, Index y) const { return std::min(x, y); }
  Index max(Index x, Index y) const { return std::max(x, y); }
  Index div(Index x, Index y) const { return y == 0 ? 0 : x / y; }
  Index rem(Index x, Index y) const { return y == 0 ? 0 : x % y; }
  bool less(Index x, Index y) const { return x < y; }
  bool equal(Index x, Index y) const { return x == y; }
  Index select(bool condition, Index x, Index y) const {
    return condition ? x : y;
  }
  float toFloat(Index x) const { return static_cast<float>(x); }
  int64_t toLong(Index x) const { return x; }
  Index toIndex(int32_t x) const { return x; }

  numerics::Indices<HostLoops> dims(mlir::Value tensor) const {
    return numerics::Indices<HostLoops>(get(tensor).getDims());
  }
  Element load(mlir::Value tensor, Index at) const;
  void store(const Element &value, mlir::Value tensor, Index at) const;
  Raw loadRaw(mlir::Value tensor, Index at) const;
  void storeRaw(Raw bytes, mlir::Value tensor, Index at) const;
  Raw zeroRaw(mlir::Value) const { return 0; }
  Raw selectRaw(bool condition, Raw x, Raw y) const {
    return condition ? x : y;
  }
  Raw constantRaw(uint64_t bits, mlir::Value) const { return bits; }
  numerics::Indices<HostLoops> elementsOf(mlir::Value tensor) const;
  /// Rows whose elements lie together are copied at once.
  void copy(const numerics::Indices<HostLoops> &dims,
            const numerics::Strided<HostLoops> &from,
            const numerics::Strided<HostLoops> &to) const;
  Index loadIndex(mlir::Value tensor, Index at) const {
    return readInteger(get(tensor), at);
  }
  void storeIndex(Index value, mlir::Value tensor, Index at) const {
    writeInteger(get(tensor), at, value);
  }

  template <class... T, class Fn>
  std::tuple<T...> loop(Index low, Index high, std::tuple<T...> carried,
                        Fn fn) {
    for (Index i = low; i < high; ++i)
      carried = std::apply([&](const T &...values) { return fn(i, values...); },
                           carried);
    return carried;
  }
  template <class Fn> void ifThen(bool condition, Fn fn) {
    if (condition)
      fn();
  }
  template <class Fn>
  void forEach(const numerics::Indices<HostLoops> &dims, Fn fn, Index = 1) {
    if (!problem.empty())
      return;
    numerics::Indices<HostLoops> at(dims.size(), 0);
    for (int64_t i = 0, count = getProduct(dims); i < count; ++i) {
      fn(at);
      advance(at, dims);
    }
  }
  void require(bool condition, const llvm::Twine &text) {
    if (!condition && problem.empty())
      problem = text.str();
  }

private:
  HostTensor &get(mlir::Value tensor) const;

  const Evaluation &evaluation;
};

} // namespace qopt::reference

#endif // LIB_REFERENCE_HOSTLOOPS_H
