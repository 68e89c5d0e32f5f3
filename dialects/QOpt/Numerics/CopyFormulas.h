//===- CopyFormulas.h - Data movement and shapes, as loops ------*- C++ -*-===//
//
// What QOptMovementOps.td says of them, but for those that are another view of
// the same elements. Most are one or a few strided copies.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_COPYFORMULAS_H
#define DIALECTS_QOPT_NUMERICS_COPYFORMULAS_H

#include "dialects/QOpt/IR/HostConstants.h"
#include "dialects/QOpt/Numerics/IndexingFormulas.h"
#include <cstring>

namespace qopt::numerics {

/// Gives every element of `result` the one of `value`.
template <class P> void fill(P &p, mlir::Value value, mlir::Value result) {
  auto dims = p.dims(result);
  p.copy(dims, {value, p.index(0), Indices<P>(dims.size(), p.index(0))},
         getStrided(p, result));
}

//===----------------------------------------------------------------------===//
// One copy
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, TransposeOp op) {
  Strided<P> all = getStrided(p, op.getX()), from = all;
  for (auto [stride, axis] : llvm::zip_equal(from.strides, op.getPerm()))
    stride = all.strides[axis];
  p.copy(p.dims(op.getResult()), from, getStrided(p, op.getResult()));
}

template <class P> void formula(P &p, SliceOp op) {
  auto x = p.dims(op.getX());
  auto starts = p.elementsOf(op.getStarts());
  Indices<P> steps(starts.size(), p.index(1));
  if (op.getSteps())
    steps = p.elementsOf(op.getSteps());
  Strided<P> from = getStrided(p, op.getX());
  for (auto [axis, start, step] :
       llvm::zip_equal(op.getAxes(), starts, steps)) {
    auto isForward = p.less(p.index(0), step);
    auto most = p.select(isForward, x[axis], p.sub(x[axis], p.index(1)));
    start = wrapIndex(p, start, x[axis]);
    start = p.min(p.max(start, p.index(0)), most);
    from.start = p.add(from.start, p.mul(start, from.strides[axis]));
    from.strides[axis] = p.mul(from.strides[axis], step);
  }
  p.copy(p.dims(op.getResult()), from, getStrided(p, op.getResult()));
}

template <class P> void formula(P &p, ExpandOp op) {
  auto dims = p.dims(op.getResult());
  Strided<P> from{op.getX(), p.index(0),
                  getBroadcastStrides(p, p.dims(op.getX()), dims.size())};
  p.copy(dims, from, getStrided(p, op.getResult()));
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, ConcatOp op) {
  auto first = p.dims(op.getInputs().front());
  size_t axis = op.getAxis();
  Strided<P> to = getStrided(p, op.getResult());
  for (mlir::Value input : op.getInputs()) {
    auto dims = p.dims(input);
    for (size_t i = 0; i < dims.size(); ++i)
      if (i != axis)
        requireEqualDims(p, first[i], dims[i], "the dims of the parts differ");
    p.copy(dims, getStrided(p, input), to);
    to.start = p.add(to.start, p.mul(dims[axis], to.strides[axis]));
  }
}

template <class P> void formula(P &p, SplitOp op) {
  size_t axis = op.getAxis();
  int64_t total = 0;
  for (int64_t size : op.getSizes())
    total += size;
  requireEqualDims(p, p.dims(op.getX())[axis], p.index(total),
                   "the sizes of the parts do not sum to the dim");
  Strided<P> from = getStrided(p, op.getX());
  for (mlir::Value part : op.getParts()) {
    auto dims = p.dims(part);
    p.copy(dims, from, getStrided(p, part));
    from.start = p.add(from.start, p.mul(dims[axis], from.strides[axis]));
  }
}

template <class P> void formula(P &p, PadOp op) {
  auto dims = p.dims(op.getResult());
  if (op.getValue())
    fill(p, op.getValue(), op.getResult());
  else
    p.forEach(dims, [&](Indices<P> at) {
      p.storeRaw(p.zeroRaw(op.getResult()), op.getResult(),
                 linearize(p, at, dims));
    });
  Strided<P> to = getStrided(p, op.getResult());
  for (auto [i, stride] : llvm::enumerate(to.strides))
    to.start = p.add(to.start, p.mul(p.index(op.getPads()[i]), stride));
  p.copy(p.dims(op.getX()), getStrided(p, op.getX()), to);
}

//===----------------------------------------------------------------------===//
// gather
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, GatherOp op) {
  auto x = p.dims(op.getX()), indices = p.dims(op.getIndices());
  auto dims = p.dims(op.getResult());
  size_t axis = op.getAxis(), count = indices.size();
  auto getIndex = [&](const Indices<P> &at) {
    auto index = p.loadIndex(op.getIndices(), linearize(p, at, indices));
    return wrapIndex(p, index, x[axis]);
  };
  // Also where there is nothing to copy.
  p.forEach(indices, [&](Indices<P> at) {
    p.require(isInside(p, getIndex(at), x[axis]),
              describeAxis(axis, typeOf(op.getX()).getDimSize(axis)));
  });
  p.forEach(dims, [&](Indices<P> at) {
    auto picked = at.begin() + axis;
    auto index = getIndex(Indices<P>(picked, picked + count));
    Indices<P> source(at.begin(), picked);
    source.push_back(index);
    source.append(picked + count, at.end());
    p.ifThen(isInside(p, index, x[axis]), [&] {
      copyElement(p, op.getX(), linearize(p, source, x), op.getResult(),
                  linearize(p, at, dims));
    });
  });
}

//===----------------------------------------------------------------------===//
// What is made of nothing
//===----------------------------------------------------------------------===//

template <class P> void formula(P &p, ShapeOp op) {
  auto dims = p.dims(op.getX());
  p.forEach({}, [&](Indices<P>) {
    for (uint64_t i = op.getStart(); i < op.getEnd(); ++i)
      p.storeIndex(dims[i], op.getResult(), p.index(i - op.getStart()));
  });
}

template <class P> void formula(P &p, ConstantOfShapeOp op) {
  uint64_t bits = 0;
  HostTensor value = llvm::cantFail(readElements(op.getValue()));
  std::memcpy(&bits, value.getData(), value.getSizeInBytes());
  auto dims = p.dims(op.getResult());
  p.forEach(dims, [&](Indices<P> at) {
    p.storeRaw(p.constantRaw(bits, op.getResult()), op.getResult(),
               linearize(p, at, dims));
  });
}

template <class P> void formula(P &p, RangeOp op) {
  auto start = p.elementsOf(op.getStart())[0];
  auto delta = p.elementsOf(op.getDelta())[0];
  auto isStep = p.values().notM(p.equal(delta, p.index(0)));
  p.require(isStep, "a range has a step of 0");
  p.forEach(p.dims(op.getResult()), [&](Indices<P> at) {
    p.storeIndex(p.add(start, p.mul(at[0], delta)), op.getResult(), at[0]);
  });
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_COPYFORMULAS_H
