//===- ReductionFormulas.h - Norms, softmax, sums, as loops -----*- C++ -*-===//
//
// What QOptNormalizationOps.td says of them, and the norm of QOptLoopOps.td. A
// row is what one result, or a row of them, is made from.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_REDUCTIONFORMULAS_H
#define DIALECTS_QOPT_NUMERICS_REDUCTIONFORMULAS_H

#include "dialects/QOpt/IR/Axes.h"
#include "dialects/QOpt/Numerics/Exponential.h"
#include "dialects/QOpt/Numerics/Hadamard.h"
#include "dialects/QOpt/Numerics/IntegerLimits.h"
#include "dialects/QOpt/Numerics/LoopPolicy.h"

namespace qopt::numerics {

/// The row sum of get(0) ... get(n - 1).
template <class P, class Get, class Numbers = FloatNumbers<typename P::B>>
typename Numbers::T rowSum(P &p, typename P::Index n, Get get, Numbers = {}) {
  return rowSumBy<Numbers>(p, n,
                           [&](typename Numbers::T sum, typename P::Index i) {
                             return p.values().add(sum, get(i));
                           });
}

/// The same of their squares, each added by fma.
template <class P, class Get, class Numbers = FloatNumbers<typename P::B>>
typename Numbers::T rowSumOfSquares(P &p, typename P::Index n, Get get,
                                    Numbers = {}) {
  return rowSumBy<Numbers>(p, n,
                           [&](typename Numbers::T sum, typename P::Index i) {
                             auto x = get(i);
                             return p.values().fma(x, x, sum);
                           });
}

//===----------------------------------------------------------------------===//
// layer_norm, instance_norm
//===----------------------------------------------------------------------===//

/// Calls put(i, y) for get(0) ... get(n - 1) less their mean, over the root of
/// their variance and `epsilon`.
template <class P, class Get, class Put>
void normalizeRow(P &p, typename P::Index n, llvm::APFloat epsilon, Get get,
                  Put put) {
  auto b = p.values();
  auto count = p.toFloat(n);
  auto mean = b.div(rowSum(p, n, get), count);
  auto variance = b.div(rowSumOfSquares(p, n,
                                        [&](typename P::Index i) {
                                          return p.values().sub(get(i), mean);
                                        }),
                        count);
  auto shifted = b.add(variance, b.f(epsilon.convertToFloat()));
  auto factor = b.div(b.f(1), b.sqrt(shifted));
  p.loop(p.index(0), n, std::tuple<>(), [&](typename P::Index i) {
    auto b = p.values();
    put(i, b.mul(b.sub(get(i), mean), factor));
    return std::tuple<>();
  });
}

template <class P> void formula(P &p, LayerNormOp op) {
  using Index = typename P::Index;
  using F = typename P::B::F;
  auto x = p.dims(op.getX());
  int64_t axis = countFromFront(op.getAxis(), x.size());
  Indices<P> outer(x.begin(), x.begin() + axis), row(x.begin() + axis, x.end());
  Index n = product<P>(p, row);
  auto normalize = [&](Indices<P> at) {
    Index first = p.mul(linearize(p, at, outer), n);
    auto get = [&](Index i) {
      return loadFloat(p, op.getX(), p.add(first, i));
    };
    auto walk = [&](mlir::Value factors) {
      return Strided<P>{factors, p.index(0),
                        getBroadcastStrides(p, p.dims(factors), row.size())};
    };
    Strided<P> scales = walk(op.getScale()), biases;
    if (op.getBias())
      biases = walk(op.getBias());
    normalizeRow(p, n, op.getEpsilon(), get, [&](Index i, F x) {
      auto b = p.values();
      Indices<P> place = delinearize(p, i, row);
      auto load = [&](const Strided<P> &factors) {
        return loadFloat(p, factors.tensor, getPosition(p, factors, place));
      };
      F scale = load(scales);
      F y = op.getBias() ? b.fma(x, scale, load(biases)) : b.mul(x, scale);
      storeFloat(p, y, op.getResult(), p.add(first, i));
    });
  };
  p.forEach(outer, normalize, n);
}

template <class P> void formula(P &p, InstanceNormOp op) {
  using Index = typename P::Index;
  using F = typename P::B::F;
  auto x = p.dims(op.getX());
  for (mlir::Value factor : {op.getScale(), op.getBias()})
    requireEqualDims(p, p.dims(factor)[0], x[1],
                     "there is no scale and bias for each channel");
  Indices<P> rows(x.begin(), x.begin() + 2);
  Index n = product(p, llvm::ArrayRef(x).drop_front(2));
  auto normalize = [&](Indices<P> at) {
    Index first = p.mul(linearize(p, at, rows), n);
    auto get = [&](Index i) {
      return loadAs<F>(p, op.getX(), p.add(first, i));
    };
    F scale = loadAs<F>(p, op.getScale(), at[1]);
    F bias = loadAs<F>(p, op.getBias(), at[1]);
    normalizeRow(p, n, op.getEpsilon(), get, [&](Index i, F x) {
      p.store(p.values().fma(x, scale, bias), op.getResult(), p.add(first, i));
    });
  };
  p.forEach(rows, normalize, n);
}

//===----------------------------------------------------------------------===//
// softmax
//===----------------------------------------------------------------------===//

/// The softmax of a line of `x`, put into `result`.
template <class P, class Numbers>
void softmaxLine(P &p, typename P::Index n, Line<P> line, mlir::Value x,
                 mlir::Value result, Numbers numbers) {
  using Index = typename P::Index;
  using B = typename P::B;
  using T = typename Numbers::T;
  auto get = [&](Index i) {
    return loadReal<Numbers>(p, x, getPosition(p, line, i));
  };
  auto b = p.values();
  T max = chain<T>(p, n, numbers.number(b, -infinityF64), get,
                   [](B &b, T max, T x) { return b.max(x, max); });
  auto power = [&](Index i) {
    auto b = p.values();
    return numbers.exp(b, b.sub(get(i), max));
  };
  T sum = rowSum(p, n, power, numbers);
  p.loop(p.index(0), n, std::tuple<>(), [&](Index i) {
    T y = power(i);
    storeReal<Numbers>(p, p.values().div(y, sum), result,
                       getPosition(p, line, i));
    return std::tuple<>();
  });
}

template <class P> void formula(P &p, SoftmaxOp op) {
  auto x = p.dims(op.getX());
  int64_t axis = countFromFront(op.getAxis(), x.size());
  auto normalize = [&](Indices<P> at) {
    Line<P> line = getLine(p, at, x, axis);
    asReals(p, typeOf(op.getX()).getElementType(), [&](auto numbers) {
      softmaxLine(p, x[axis], line, op.getX(), op.getResult(), numbers);
    });
  };
  p.forEach(without<P>(x, axis), normalize, x[axis]);
}

//===----------------------------------------------------------------------===//
// hadamard, in the memory of the result
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, HadamardOp op) {
  using Index = typename P::Index;
  using F = typename P::B::F;
  mlir::Value x = op.getX(), result = op.getResult();
  int64_t block = op.getBlock();
  Index size = p.index(block), half = p.index(block / 2);
  auto transform = [&](Indices<P> at) {
    Index first = p.mul(at[0], size);
    auto mapBlock = [&](mlir::Value from, auto map) {
      p.loop(p.index(0), size, std::tuple<>(), [&](Index i) {
        Index place = p.add(first, i);
        storeFloat(p, map(loadFloat(p, from, place)), result, place);
        return std::tuple<>();
      });
    };
    mapBlock(x, [](F v) { return v; });
    for (int64_t h = 1; h < block; h *= 2)
      p.loop(p.index(0), half, std::tuple<>(), [&](Index pair) {
        auto b = p.values();
        Index width = p.index(h);
        Index low = p.add(p.mul(p.div(pair, width), p.index(2 * h)),
                          p.rem(pair, width));
        low = p.add(first, low);
        Index high = p.add(low, width);
        F v = loadFloat(p, result, low), w = loadFloat(p, result, high);
        storeFloat(p, b.add(v, w), result, low);
        storeFloat(p, b.sub(v, w), result, high);
        return std::tuple<>();
      });
    mapBlock(result, [&](F v) {
      auto b = p.values();
      return b.mul(v, b.f(getHadamardNorm(block)));
    });
  };
  Indices<P> dims = p.dims(x);
  p.forEach({p.div(product<P>(p, dims), size)}, transform, size);
}

//===----------------------------------------------------------------------===//
// reduce, global_average_pool
//===----------------------------------------------------------------------===//

/// The rows of x along some of its axes. Axes of a row that follow each other
/// are walked as one.
template <class P> class Rows {
public:
  using Index = typename P::Index;

  Rows(P &p, const Indices<P> &x, llvm::ArrayRef<int64_t> axes) : p(p) {
    Indices<P> strides = getStrides(p, x);
    for (size_t axis = 0; axis < x.size(); ++axis) {
      bool isReduced = llvm::is_contained(axes, axis);
      if (!isReduced) {
        kept.push_back(x[axis]);
        keptStrides.push_back(strides[axis]);
      } else if (axis > 0 && llvm::is_contained(axes, axis - 1)) {
        row.back() = p.mul(row.back(), x[axis]);
        rowStrides.back() = strides[axis];
      } else {
        row.push_back(x[axis]);
        rowStrides.push_back(strides[axis]);
      }
    }
    size = product<P>(p, row);
  }

  /// Where the row at `at` begins.
  Index getStart(const Indices<P> &at) {
    Index position = p.index(0);
    for (auto [index, stride] : llvm::zip_equal(at, keptStrides))
      position = p.add(position, p.mul(index, stride));
    return position;
  }
  /// Where the element `i` of the row that begins at `position` lies.
  Index getPosition(Index position, Index i) {
    if (row.size() == 1)
      return p.add(position, p.mul(i, rowStrides[0]));
    for (auto [index, stride] :
         llvm::zip_equal(delinearize(p, i, row), rowStrides))
      position = p.add(position, p.mul(index, stride));
    return position;
  }

  Indices<P> kept;
  Index size;

private:
  P &p;
  Indices<P> keptStrides, row, rowStrides;
};

template <class P, class Get, class Numbers = FloatNumbers<typename P::B>>
typename Numbers::T reduceReals(P &p, ReduceKind kind, typename P::Index n,
                                Get get, Numbers numbers = {}) {
  using B = typename P::B;
  using T = typename Numbers::T;
  auto b = p.values();
  auto constant = [&](double value) { return numbers.number(b, value); };
  switch (kind) {
  case ReduceKind::Sum:
    return rowSum(p, n, get, numbers);
  case ReduceKind::Mean:
    return b.div(rowSum(p, n, get, numbers), countAs<Numbers>(p, n));
  case ReduceKind::L2:
    return b.sqrt(rowSumOfSquares(p, n, get, numbers));
  case ReduceKind::Prod:
    return chain<T>(p, n, constant(1), get,
                    [](B &b, T product, T x) { return b.mul(product, x); });
  case ReduceKind::Max:
    return chain<T>(p, n, constant(-infinityF64), get,
                    [](B &b, T max, T x) { return b.max(x, max); });
  case ReduceKind::Min:
    return chain<T>(p, n, constant(infinityF64), get,
                    [](B &b, T min, T x) { return b.min(x, min); });
  }
  llvm_unreachable("all kinds are reduced");
}

/// T is I or L; get(i) and `constant` give such. A mean is taken by others.
template <class T, class P, class Get, class Constant>
T reduceIntegers(P &p, ReduceKind kind, mlir::Type element, typename P::Index n,
                 Get get, Constant constant) {
  using B = typename P::B;
  auto step = [&](B &b, T total, T x) -> T {
    if constexpr (std::is_same_v<T, typename B::L>) {
      using Unsigned = UnsignedNumbers<B>;
      if (element.isUnsignedInteger(64) && kind == ReduceKind::Max)
        return Unsigned::max(b, x, total);
      if (element.isUnsignedInteger(64) && kind == ReduceKind::Min)
        return Unsigned::min(b, x, total);
    }
    return kind == ReduceKind::Sum    ? b.addI(total, x)
           : kind == ReduceKind::Prod ? b.mulI(total, x)
           : kind == ReduceKind::Max  ? b.maxS(x, total)
                                      : b.minS(x, total);
  };
  int64_t start = kind == ReduceKind::Sum    ? 0
                  : kind == ReduceKind::Prod ? 1
                  : kind == ReduceKind::Max  ? leastInteger(element)
                                             : greatestInteger(element);
  return chain<T>(p, n, constant(start), get, step);
}

template <class P> void formula(P &p, ReduceOp op) {
  using Index = typename P::Index;
  using B = typename P::B;
  using L = typename B::L;
  using I = typename B::I;
  using M = typename B::M;
  mlir::Value x = op.getX(), result = op.getResult();
  mlir::Type element = typeOf(x).getElementType();
  ReduceKind kind = op.getKind();
  Rows<P> rows(p, p.dims(x), op.getAxes());
  auto reduce = [&](Indices<P> at) {
    auto b = p.values();
    Index to = linearize(p, at, rows.kept);
    Index start = rows.getStart(at);
    auto place = [&](Index i) { return rows.getPosition(start, i); };
    if (isRealElement(element))
      return asReals(p, element, [&](auto numbers) {
        using Numbers = decltype(numbers);
        auto get = [&](Index i) { return loadReal<Numbers>(p, x, place(i)); };
        storeReal<Numbers>(p, reduceReals(p, kind, rows.size, get, numbers),
                           result, to);
      });
    auto getLong = [&](Index i) { return loadLong(p, x, place(i)); };
    auto makeLong = [&](int64_t value) { return b.l(value); };
    if (kind == ReduceKind::Mean) {
      L sum = reduceIntegers<L>(p, ReduceKind::Sum, element, rows.size, getLong,
                                makeLong);
      L count = p.toLong(p.max(rows.size, p.index(1)));
      L mean = element.isUnsignedInteger(64) ? b.divU(sum, count)
                                             : b.divS(sum, count);
      if (getValueKind(element) == ValueKind::Long)
        return p.store(mean, result, to);
      return p.store(b.lowHalf(mean), result, to);
    }
    switch (*getValueKind(element)) {
    case ValueKind::Bool: {
      bool isMax = kind == ReduceKind::Max;
      M first = isMax ? b.olt(b.f(0), b.f(0)) : b.oeq(b.f(0), b.f(0));
      return p.store(chain<M>(
                         p, rows.size, first,
                         [&](Index i) { return loadAs<M>(p, x, place(i)); },
                         [&](B &b, M total, M y) {
                           return isMax ? b.orM(total, y) : b.andM(total, y);
                         }),
                     result, to);
    }
    case ValueKind::Long:
      return p.store(
          reduceIntegers<L>(p, kind, element, rows.size, getLong, makeLong),
          result, to);
    default:
      return p.store(reduceIntegers<I>(
                         p, kind, element, rows.size,
                         [&](Index i) { return loadAs<I>(p, x, place(i)); },
                         [&](int64_t value) { return b.i(value); }),
                     result, to);
    }
  };
  p.forEach(rows.kept, reduce, rows.size);
}

/// Integers have no norm, and booleans an order only.
inline bool hasFormula(ReduceOp op) {
  mlir::Type element = typeOf(op.getX()).getElementType();
  auto kind = getValueKind(element);
  bool isOrder =
      op.getKind() == ReduceKind::Max || op.getKind() == ReduceKind::Min;
  return kind &&
         (isRealElement(element) || (op.getKind() != ReduceKind::L2 &&
                                     (*kind != ValueKind::Bool || isOrder)));
}

template <class P> void formula(P &p, GlobalAveragePoolOp op) {
  using Index = typename P::Index;
  auto x = p.dims(op.getX());
  Indices<P> rows(x.begin(), x.begin() + 2);
  Index n = product(p, llvm::ArrayRef(x).drop_front(2));
  auto average = [&](Indices<P> at) {
    Index to = linearize(p, at, rows), first = p.mul(to, n);
    auto mean = reduceReals(p, ReduceKind::Mean, n, [&](Index i) {
      return loadFloat(p, op.getX(), p.add(first, i));
    });
    storeFloat(p, mean, op.getResult(), to);
  };
  p.forEach(rows, average, n);
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_REDUCTIONFORMULAS_H
