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
// cum_sum, cum_prod
//===----------------------------------------------------------------------===//

/// Results of a line are chains of step(total, element) from `start` on.
template <class P, class Op, class Step>
void accumulate(P &p, Op op, double start, Step step) {
  using Index = typename P::Index;
  auto dims = p.dims(op.getX());
  size_t axis = op.getAxis();
  Index size = dims[axis];
  auto walkLine = [&](Indices<P> at) {
    Line<P> line = getLine(p, at, dims, axis);
    asNumbers(p, typeOf(op.getX()).getElementType(), [&](auto numbers) {
      using T = typename decltype(numbers)::T;
      auto b = p.values();
      p.loop(
          p.index(0), size, std::tuple<T>(numbers.number(b, start)),
          [&](Index i, T total) {
            auto b = p.values();
            if (op.getReverse())
              i = p.sub(p.sub(size, p.index(1)), i);
            Index position = getPosition(p, line, i);
            T next = step(numbers, b, total, loadAs<T>(p, op.getX(), position));
            p.store(op.getExclusive() ? total : next, op.getResult(), position);
            return std::tuple<T>(next);
          });
    });
  };
  p.forEach(without<P>(dims, axis), walkLine, size);
}

template <class P> void formula(P &p, CumSumOp op) {
  accumulate(p, op, 0, [](auto numbers, auto &b, auto sum, auto x) {
    return numbers.add(b, sum, x);
  });
}

template <class P> void formula(P &p, CumProdOp op) {
  accumulate(p, op, 1, [](auto numbers, auto &b, auto product, auto x) {
    return numbers.mul(b, product, x);
  });
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
// non_max_suppression
//===----------------------------------------------------------------------===//

/// What lies on an axis between two ends.
template <class B> struct Span {
  typename B::F low, high;
  typename B::F length(B &b) const { return b.sub(high, low); }
};

/// The spans of box `number` of a sample on x and on y.
template <class P>
std::array<Span<typename P::B>, 2> loadBox(P &p, NonMaxSuppressionOp op,
                                           typename P::Index first,
                                           typename P::Index number) {
  using B = typename P::B;
  using F = typename B::F;
  auto b = p.values();
  auto load = [&](int64_t i) {
    auto at = p.add(p.mul(p.add(first, number), p.index(4)), p.index(i));
    return loadAs<F>(p, op.getBoxes(), at);
  };
  auto make = [&](int64_t axis) -> Span<B> {
    if (op.getByCenter()) {
      F middle = load(axis), half = b.div(load(axis + 2), b.f(2));
      return {b.sub(middle, half), b.add(middle, half)};
    }
    F one = load(1 - axis), other = load(3 - axis);
    return {b.min(one, other), b.max(one, other)};
  };
  return {make(0), make(1)};
}

/// Whether the overlap of two boxes is above `limit`.
template <class B>
typename B::M overlaps(B &b, const std::array<Span<B>, 2> &x,
                       const std::array<Span<B>, 2> &y, typename B::F limit) {
  using F = typename B::F;
  auto share = [&](int axis) -> Span<B> {
    return {b.max(x[axis].low, y[axis].low), b.min(x[axis].high, y[axis].high)};
  };
  auto area = [&](const std::array<Span<B>, 2> &box) {
    return b.mul(box[0].length(b), box[1].length(b));
  };
  std::array<Span<B>, 2> both{share(0), share(1)};
  F zero = b.f(0), shared = area(both), first = area(x), second = area(y);
  F all = b.sub(b.add(first, second), shared);
  auto isAbove = [&](F area) { return b.ogt(area, zero); };
  auto hasArea = b.andM(b.andM(b.ogt(both[0].high, both[0].low),
                               b.ogt(both[1].high, both[1].low)),
                        b.andM(b.andM(isAbove(first), isAbove(second)),
                               b.andM(isAbove(all), isAbove(shared))));
  return b.andM(hasArea, b.ogt(b.div(shared, all), limit));
}

template <class P> void formula(P &p, NonMaxSuppressionOp op) {
  using Index = typename P::Index;
  using F = typename P::B::F;
  auto boxes = p.dims(op.getBoxes()), scores = p.dims(op.getScores());
  Index count = scores[2], most = p.dims(op.getSelected())[2];
  requireEqualDims(p, boxes[0], scores[0],
                   "boxes and scores have not as many samples");
  requireEqualDims(p, boxes[1], count, "there is not one score for each box");
  requireEqualDims(p, boxes[2], p.index(4), "a box has not four numbers");
  auto selectIn = [&](Indices<P> at) {
    Index line = p.add(p.mul(at[0], scores[1]), at[1]);
    Index first = p.mul(line, count), box = p.mul(at[0], count);
    F limit = loadAs<F>(p, op.getScoreLimit(), p.index(0));
    p.loop(p.index(0), count, std::tuple<>(), [&](Index i) {
      auto b = p.values();
      F score = loadAs<F>(p, op.getScores(), p.add(first, i));
      p.store(b.select(b.ogt(score, limit), score, b.f(-infinity)),
              op.getLeft(), p.add(first, i));
      return std::tuple<>();
    });
    // Where nothing is left, there is nothing to look at in later rounds.
    p.loop(
        p.index(0), most, std::tuple<Index>(count),
        [&](Index round, Index size) {
          auto b = p.values();
          auto [score, best] = p.loop(
              p.index(0), size,
              std::tuple<F, Index>(b.f(-infinity), p.index(-1)),
              [&](Index i, F score, Index best) {
                auto b = p.values();
                F next = loadAs<F>(p, op.getLeft(), p.add(first, i));
                auto isBetter = b.ogt(next, score);
                return std::tuple<F, Index>(b.select(isBetter, next, score),
                                            p.select(isBetter, i, best));
              });
          Index found = best;
          p.storeIndex(found, op.getSelected(),
                       p.add(p.mul(line, most), round));
          size = p.select(isNotNegative(p, found), count, p.index(0));
          p.loop(p.index(0), size, std::tuple<>(), [&](Index i) {
            auto b = p.values();
            F overlap = loadAs<F>(p, op.getOverlapLimit(), p.index(0));
            auto isDropped = b.orM(p.equal(i, found),
                                   overlaps(b, loadBox(p, op, box, found),
                                            loadBox(p, op, box, i), overlap));
            p.ifThen(isDropped, [&] {
              p.store(p.values().f(-infinity), op.getLeft(), p.add(first, i));
            });
            return std::tuple<>();
          });
          return std::tuple<Index>(size);
        });
  };
  p.forEach({scores[0], scores[1]}, selectIn, p.mul(count, most));
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
