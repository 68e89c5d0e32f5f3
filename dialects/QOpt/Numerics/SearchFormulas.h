//===- SearchFormulas.h - What an axis holds, as loops ----------*- C++ -*-===//
//
// What QOptLoopOps.td says of running sums, extremes and what is true.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_SEARCHFORMULAS_H
#define DIALECTS_QOPT_NUMERICS_SEARCHFORMULAS_H

#include "dialects/QOpt/Numerics/LoopPolicy.h"

namespace qopt::numerics {

//===----------------------------------------------------------------------===//
// cum_sum
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, CumSumOp op) {
  using Index = typename P::Index;
  auto dims = p.dims(op.getX());
  size_t axis = op.getAxis();
  Index size = dims[axis];
  auto sumLine = [&](Indices<P> at) {
    Line<P> line = getLine(p, at, dims, axis);
    asNumbers(p, typeOf(op.getX()).getElementType(), [&](auto numbers) {
      using T = typename decltype(numbers)::T;
      auto b = p.values();
      p.loop(p.index(0), size, std::tuple<T>(numbers.zero(b)),
             [&](Index i, T sum) {
               auto b = p.values();
               if (op.getReverse())
                 i = p.sub(p.sub(size, p.index(1)), i);
               Index position = getPosition(p, line, i);
               T next = numbers.add(b, sum, loadAs<T>(p, op.getX(), position));
               p.store(op.getExclusive() ? sum : next, op.getResult(),
                       position);
               return std::tuple<T>(next);
             });
    });
  };
  p.forEach(without<P>(dims, axis), sumLine, size);
}

//===----------------------------------------------------------------------===//
// arg_reduce
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, ArgReduceOp op) {
  using Index = typename P::Index;
  auto dims = p.dims(op.getX());
  size_t axis = op.getAxis();
  p.require(p.less(p.index(0), dims[axis]), "an axis has no elements");
  auto rows = without<P>(dims, axis);
  auto findIn = [&](Indices<P> at) {
    Line<P> line = getLine(p, at, dims, axis);
    asNumbers(p, typeOf(op.getX()).getElementType(), [&](auto numbers) {
      using T = typename decltype(numbers)::T;
      std::tuple<T, Index> found = p.loop(
          p.index(1), dims[axis],
          std::tuple<T, Index>(loadAs<T>(p, op.getX(), line.start), p.index(0)),
          [&](Index i, T best, Index where) {
            auto b = p.values();
            T next = loadAs<T>(p, op.getX(), getPosition(p, line, i));
            bool isMax = op.getKind() == ReduceKind::Max;
            auto isBetter = isMax ? numbers.less(b, best, next)
                                  : numbers.less(b, next, best);
            if (op.getSelectLast())
              isBetter =
                  b.orM(isBetter, b.notM(b.orM(numbers.less(b, best, next),
                                               numbers.less(b, next, best))));
            return std::tuple<T, Index>(b.select(isBetter, next, best),
                                        p.select(isBetter, i, where));
          });
      p.storeIndex(std::get<1>(found), op.getResult(), linearize(p, at, rows));
    });
  };
  p.forEach(rows, findIn, dims[axis]);
}

//===----------------------------------------------------------------------===//
// top_k: a heap of the best, in the memory of the results, whose root is the
// worst of them
//===----------------------------------------------------------------------===//

template <class P, class Numbers> class Heap {
public:
  using Index = typename P::Index;
  using T = typename Numbers::T;
  using M = typename P::B::M;

  Heap(P &p, TopKOp op, Line<P> line, Index size)
      : p(p), op(op), line(line), depth(p.index(0)) {
    for (int bit = 0; bit < 31; ++bit)
      depth = p.add(depth, p.select(p.less(size, p.index(int64_t(1) << bit)),
                                    p.index(0), p.index(1)));
  }

  T value(Index i) {
    return loadAs<T>(p, op.getValues(), getPosition(p, line, i));
  }
  Index index(Index i) {
    return p.loadIndex(op.getIndices(), getPosition(p, line, i));
  }
  void set(Index i, T value, Index index) {
    Index at = getPosition(p, line, i);
    p.store(value, op.getValues(), at);
    p.storeIndex(index, op.getIndices(), at);
  }
  /// Whether (x, i) stands behind (y, j) in the result.
  M isWorse(T x, Index i, T y, Index j) {
    auto b = p.values();
    M below = Numbers::sortsBelow(b, x, y),
      above = Numbers::sortsBelow(b, y, x);
    if (!op.getLargest())
      std::swap(below, above);
    return b.orM(below, b.andM(b.notM(above), p.less(j, i)));
  }
  /// Puts an element into the hole at `top` of the first `size` ones.
  void sink(Index top, Index size, T value, Index index) {
    std::tuple<Index> hole = p.loop(
        p.index(0), depth, std::tuple<Index>(top), [&](Index, Index hole) {
          auto b = p.values();
          Index last = p.sub(size, p.index(1));
          Index left = p.add(p.mul(hole, p.index(2)), p.index(1));
          Index right = p.add(left, p.index(1));
          M hasChild = p.less(left, size), hasRight = p.less(right, size);
          left = p.min(left, last);
          right = p.min(right, last);
          M isRight =
              b.andM(hasRight, isWorse(this->value(right), this->index(right),
                                       this->value(left), this->index(left)));
          Index child = p.select(isRight, right, left);
          T childValue = this->value(child);
          Index childIndex = this->index(child);
          M sinks =
              b.andM(hasChild, isWorse(childValue, childIndex, value, index));
          p.ifThen(sinks, [&] { set(hole, childValue, childIndex); });
          return std::tuple<Index>(p.select(sinks, child, hole));
        });
    set(std::get<0>(hole), value, index);
  }

private:
  P &p;
  TopKOp op;
  Line<P> line;
  Index depth;
};

template <class P> void formula(P &p, TopKOp op) {
  using Index = typename P::Index;
  auto x = p.dims(op.getX()), dims = p.dims(op.getValues());
  size_t axis = op.getAxis();
  Index size = x[axis], k = dims[axis];
  auto sortLine = [&](Indices<P> at) {
    p.require(p.equal(p.loadIndex(op.getK(), p.index(0)), k),
              "expects a k from 0 to the number of elements");
    Line<P> from = getLine(p, at, x, axis), to = getLine(p, at, dims, axis);
    asNumbers(p, typeOf(op.getX()).getElementType(), [&](auto numbers) {
      using T = typename decltype(numbers)::T;
      Heap<P, decltype(numbers)> heap(p, op, to, k);
      auto get = [&](Index i) {
        return loadAs<T>(p, op.getX(), getPosition(p, from, i));
      };
      p.loop(p.index(0), k, std::tuple<>(), [&](Index i) {
        heap.set(i, get(i), i);
        return std::tuple<>();
      });
      p.loop(p.index(0), k, std::tuple<>(), [&](Index i) {
        Index hole = p.sub(p.sub(k, p.index(1)), i);
        heap.sink(hole, k, heap.value(hole), heap.index(hole));
        return std::tuple<>();
      });
      Index end = p.select(p.less(p.index(0), k), size, p.index(0));
      p.loop(k, end, std::tuple<>(), [&](Index i) {
        T next = get(i);
        auto isBetter = heap.isWorse(heap.value(p.index(0)),
                                     heap.index(p.index(0)), next, i);
        p.ifThen(isBetter, [&] { heap.sink(p.index(0), k, next, i); });
        return std::tuple<>();
      });
      // The worst of what is left goes to the end of it.
      p.loop(p.index(1), k, std::tuple<>(), [&](Index i) {
        Index last = p.sub(k, i);
        T value = heap.value(last), worst = heap.value(p.index(0));
        Index index = heap.index(last), where = heap.index(p.index(0));
        heap.set(last, worst, where);
        heap.sink(p.index(0), last, value, index);
        return std::tuple<>();
      });
    });
  };
  p.forEach(without<P>(dims, axis), sortLine, size);
}

//===----------------------------------------------------------------------===//
// non_zero
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, NonZeroOp op) {
  using Index = typename P::Index;
  auto x = p.dims(op.getX());
  Index count = p.dims(op.getResult())[1];
  // In row-major order, so by one.
  p.forEach({}, [&](Indices<P>) {
    auto found =
        p.loop(p.index(0), product<P>(p, x), std::tuple<Index>(p.index(0)),
               [&](Index i, Index found) {
                 auto isTrue = loadAs<typename P::B::M>(p, op.getX(), i);
                 p.ifThen(p.values().andM(isTrue, p.less(found, count)), [&] {
                   auto at = delinearize(p, i, x);
                   for (size_t axis = 0; axis < x.size(); ++axis)
                     p.storeIndex(at[axis], op.getResult(),
                                  p.add(p.mul(p.index(axis), count), found));
                 });
                 return std::tuple<Index>(
                     p.add(found, p.select(isTrue, p.index(1), p.index(0))));
               });
    p.require(p.equal(std::get<0>(found), count),
              "the count is not that of the elements that are true");
  });
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_SEARCHFORMULAS_H
