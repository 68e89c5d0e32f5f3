//===- IndexingFormulas.h - Elements by index, as loops ---------*- C++ -*-===//
//
// What QOptLoopOps.td says of them. An index that is out of range ends the run;
// until it does, nothing is read or written for it.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_INDEXINGFORMULAS_H
#define DIALECTS_QOPT_NUMERICS_INDEXINGFORMULAS_H

#include "dialects/QOpt/Numerics/LoopPolicy.h"

namespace qopt::numerics {

/// What an index of `axis` may be, where the size is known.
inline std::string describeAxis(int64_t axis,
                                int64_t size = mlir::ShapedType::kDynamic) {
  std::string text = "an index is out of range of axis " + std::to_string(axis);
  if (mlir::ShapedType::isDynamic(size))
    return text;
  return text + ", which is from " + std::to_string(-size) + " to " +
         std::to_string(size - 1);
}

/// Where tuples of indices point in `x`.
template <class P> struct Pointed {
  typename P::B::M isInside;
  Indices<P> at;
};

/// Reads the tuple that begins at `position`; it counts from `firstAxis` on.
template <class P>
Pointed<P> readTuple(P &p, mlir::Value indices, typename P::Index position,
                     const Indices<P> &xDims, size_t firstAxis) {
  int64_t size = typeOf(indices).getShape().back();
  Pointed<P> result{p.equal(p.index(0), p.index(0)), {}};
  for (int64_t i = 0; i < size; ++i) {
    auto dim = xDims[firstAxis + i];
    auto index =
        wrapIndex(p, p.loadIndex(indices, p.add(position, p.index(i))), dim);
    auto inside = isInside(p, index, dim);
    p.require(inside, describeAxis(firstAxis + i));
    result.at.push_back(index);
    result.isInside = p.values().andM(result.isInside, inside);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// gather_nd
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, GatherNDOp op) {
  auto x = p.dims(op.getX()), indices = p.dims(op.getIndices());
  auto dims = p.dims(op.getResult());
  size_t batch = op.getBatchDims(), tuples = indices.size() - 1;
  for (size_t i = 0; i < batch; ++i)
    requireEqualDims(p, x[i], indices[i], "the batches of the operands differ");
  p.forEach(dims, [&](Indices<P> at) {
    Indices<P> from(at.begin(), at.begin() + tuples);
    from.push_back(p.index(0));
    auto pointed =
        readTuple(p, op.getIndices(), linearize(p, from, indices), x, batch);
    Indices<P> source(at.begin(), at.begin() + batch);
    source.append(pointed.at);
    source.append(at.begin() + tuples, at.end());
    p.ifThen(pointed.isInside, [&] {
      copyElement(p, op.getX(), linearize(p, source, x), op.getResult(),
                  linearize(p, at, dims));
    });
  });
}

//===----------------------------------------------------------------------===//
// scatter_nd
//===----------------------------------------------------------------------===//

template <class P> void copyAll(P &p, mlir::Value from, mlir::Value to) {
  auto dims = p.dims(to);
  p.forEach(dims, [&](Indices<P> at) {
    auto position = linearize(p, at, dims);
    copyElement(p, from, position, to, position);
  });
}

/// Makes of the element of `result` at `to` what an update makes of it.
template <class P>
void update(P &p, ScatterKind kind, mlir::Value updates, typename P::Index from,
            mlir::Value result, typename P::Index to) {
  if (kind == ScatterKind::Set)
    return copyElement(p, updates, from, result, to);
  asNumbers(p, typeOf(updates).getElementType(), [&](auto numbers) {
    using T = typename decltype(numbers)::T;
    auto b = p.values();
    T old = loadAs<T>(p, result, to), by = loadAs<T>(p, updates, from);
    if (kind == ScatterKind::Add)
      p.store(numbers.add(b, old, by), result, to);
    else if (kind == ScatterKind::Mul)
      p.store(numbers.mul(b, old, by), result, to);
    else if (kind == ScatterKind::Max)
      p.store(numbers.max(b, old, by), result, to);
    else
      p.store(numbers.min(b, old, by), result, to);
  });
}

template <class P> void formula(P &p, ScatterNDOp op) {
  auto x = p.dims(op.getX()), indices = p.dims(op.getIndices());
  auto updates = p.dims(op.getUpdates());
  size_t picked = typeOf(op.getIndices()).getShape().back();
  Indices<P> expected(indices.begin(), indices.end() - 1);
  expected.append(x.begin() + picked, x.end());
  for (auto [a, b] : llvm::zip_equal(expected, updates))
    requireEqualDims(p, a, b, "the dims of the updates do not fit");
  auto count = product(p, llvm::ArrayRef(indices).drop_back());
  copyAll(p, op.getX(), op.getResult());
  // Slices do not overlap, so their elements need no order among them.
  Indices<P> slice(x.begin() + picked, x.end());
  auto sliceSize = product<P>(p, slice);
  auto update = [&](Indices<P> inner) {
    auto offset = linearize(p, inner, slice);
    p.loop(p.index(0), count, std::tuple<>(), [&](typename P::Index j) {
      auto pointed =
          readTuple(p, op.getIndices(), p.mul(j, p.index(picked)), x, 0);
      Indices<P> at = pointed.at;
      at.append(inner);
      p.ifThen(pointed.isInside, [&] {
        numerics::update(p, op.getKind(), op.getUpdates(),
                         p.add(p.mul(j, sliceSize), offset), op.getResult(),
                         linearize(p, at, x));
      });
      return std::tuple<>();
    });
  };
  p.forEach(slice, update, count);
}

//===----------------------------------------------------------------------===//
// gather_elements, scatter_elements
//===----------------------------------------------------------------------===//

/// Indices stand for no more elements than `x` has, but along `axis`.
template <class P>
void requireWithin(P &p, const Indices<P> &indices, const Indices<P> &x,
                   size_t axis) {
  for (size_t i = 0; i < x.size(); ++i)
    if (i != axis)
      p.require(p.less(indices[i], p.add(x[i], p.index(1))),
                "there are more indices than elements along axis " +
                    std::to_string(i));
}

template <class P> void formula(P &p, GatherElementsOp op) {
  auto x = p.dims(op.getX()), dims = p.dims(op.getResult());
  size_t axis = op.getAxis();
  requireWithin(p, dims, x, axis);
  p.forEach(dims, [&](Indices<P> at) {
    auto position = linearize(p, at, dims);
    auto index = wrapIndex(p, p.loadIndex(op.getIndices(), position), x[axis]);
    auto inside = isInside(p, index, x[axis]);
    p.require(inside, describeAxis(axis));
    at[axis] = index;
    p.ifThen(inside, [&] {
      copyElement(p, op.getX(), linearize(p, at, x), op.getResult(), position);
    });
  });
}

template <class P> void formula(P &p, ScatterElementsOp op) {
  auto x = p.dims(op.getX()), indices = p.dims(op.getIndices());
  size_t axis = op.getAxis();
  requireWithin(p, indices, x, axis);
  for (auto [a, b] : llvm::zip_equal(indices, p.dims(op.getUpdates())))
    requireEqualDims(p, a, b, "the dims of the updates do not fit");
  copyAll(p, op.getX(), op.getResult());
  auto scatterLine = [&](Indices<P> at) {
    Line<P> line = getLine(p, at, indices, axis);
    Line<P> target = getLine(p, at, x, axis);
    p.loop(p.index(0), indices[axis], std::tuple<>(), [&](typename P::Index j) {
      auto from = getPosition(p, line, j);
      auto index = wrapIndex(p, p.loadIndex(op.getIndices(), from), x[axis]);
      auto inside = isInside(p, index, x[axis]);
      p.require(inside, describeAxis(axis));
      p.ifThen(inside, [&] {
        update(p, op.getKind(), op.getUpdates(), from, op.getResult(),
               getPosition(p, target, index));
      });
      return std::tuple<>();
    });
  };
  p.forEach(without<P>(indices, axis), scatterLine, indices[axis]);
}

//===----------------------------------------------------------------------===//
// one_hot
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, OneHotOp op) {
  auto dims = p.dims(op.getResult());
  size_t axis = op.getAxis();
  auto depth = dims[axis];
  auto indices = without<P>(dims, axis);
  p.forEach({}, [&](Indices<P>) {
    auto asked = p.loadIndex(op.getDepth(), p.index(0));
    p.require(isNotNegative(p, asked), "the depth is negative");
  });
  p.forEach(dims, [&](Indices<P> at) {
    auto index = p.loadIndex(op.getIndices(),
                             linearize(p, without<P>(at, axis), indices));
    auto isOn = p.equal(wrapIndex(p, index, depth), at[axis]);
    p.storeRaw(p.selectRaw(isOn, p.loadRaw(op.getValues(), p.index(1)),
                           p.loadRaw(op.getValues(), p.index(0))),
               op.getResult(), linearize(p, at, dims));
  });
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_INDEXINGFORMULAS_H
