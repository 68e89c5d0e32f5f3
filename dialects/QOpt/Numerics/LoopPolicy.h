//===- LoopPolicy.h - What a formula may ask of tensors ---------*- C++ -*-===//
//
// A formula of this kind is a template over a policy `P`, as those of
// ValuePolicy.h are, and walks tensors beside. Reference runs it; Target/Cpu
// and Target/Vulkan write it as loops: the generic kernel of the op.
//
// A policy has the types B (its value policy), Index (an index, dim or count)
// and Raw (an element as it lies in memory), and the members
//
//   values()             the value policy, for where code stands now
//   index(n)             a constant
//   add sub mul min max  of Index
//   div rem              not negative, by positive numbers
//   less equal           of Index, a truth value
//   select(m, x, y)      of Index
//   dims(tensor)         of an operand or result of the op
//   load(tensor, at)     the element at a row-major position, an
//                        ElementValue of the kind of its type
//   store(v, tensor, at) rounds or cuts it to the element type
//   loadRaw, storeRaw    the same without a look at it
//   zeroRaw(tensor), selectRaw(m, x, y)
//   constantRaw(bits, tensor)   the low bits of a number of 64
//   elementsOf(tensor)   the numbers of a list of known length, outside of
//                        forEach; what dims were made of is known there
//   copy(dims, from, to) `dims` elements from one Strided to another; where it
//                        ends, all is stored. copyOneByOne is one
//   toFloat(x)           an F, rounded
//   toLong(x)            an L
//   toIndex(i)           of an I
//   loadIndex, storeIndex   of i32 or i64; what no Index holds becomes a number
//                        that is out of every range
//   loop(low, high, carried, fn)   ascending; `carried` is a std::tuple, and
//                        fn(i, carried...) gives the next one
//   ifThen(m, fn)        for what fn stores
//   forEach(dims, fn, work)   fn(coordinates) in any order or at once, each
//                        of about `work` elements; where it ends, all is stored
//   require(m, text)     else the run ends with this error of its data. Inside
//                        of forEach the code goes on: guard what follows
//
// forEach stands in no other loop; `forEach({}, fn)` is what runs once. Values
// but for Index, and truth values of it, do not cross its border.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_LOOPPOLICY_H
#define DIALECTS_QOPT_NUMERICS_LOOPPOLICY_H

#include "dialects/QOpt/IR/TensorTypes.h"
#include "dialects/QOpt/Numerics/ElementwiseOps.h"
#include <tuple>

namespace qopt::numerics {

template <class P> using Indices = llvm::SmallVector<typename P::Index>;

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

/// The row-major position of `at`.
template <class P>
typename P::Index linearize(P &p, const Indices<P> &at,
                            const Indices<P> &dims) {
  typename P::Index position = p.index(0);
  for (size_t axis = 0; axis < dims.size(); ++axis)
    position = p.add(p.mul(position, dims[axis]), at[axis]);
  return position;
}

/// The coordinates of a row-major position.
template <class P>
Indices<P> delinearize(P &p, typename P::Index position,
                       const Indices<P> &dims) {
  Indices<P> at(dims.size(), position);
  for (size_t axis = dims.size(); axis-- > 1;) {
    at[axis] = p.rem(position, dims[axis]);
    position = p.div(position, dims[axis]);
  }
  if (!dims.empty())
    at[0] = position;
  return at;
}

template <class P>
typename P::Index product(P &p, llvm::ArrayRef<typename P::Index> dims) {
  typename P::Index result = p.index(1);
  for (auto dim : dims)
    result = p.mul(result, dim);
  return result;
}

template <class P> Indices<P> without(const Indices<P> &dims, size_t axis) {
  Indices<P> rest(dims);
  rest.erase(rest.begin() + axis);
  return rest;
}

/// Where the elements of an axis lie: start + i * stride.
template <class P> struct Line {
  typename P::Index start, stride;
};

/// The line along `axis` at the coordinates `at` of the other axes.
template <class P>
Line<P> getLine(P &p, Indices<P> at, const Indices<P> &dims, size_t axis) {
  at.insert(at.begin() + axis, p.index(0));
  return {linearize(p, at, dims),
          product(p, llvm::ArrayRef(dims).drop_front(axis + 1))};
}

template <class P>
typename P::Index getPosition(P &p, const Line<P> &line,
                              typename P::Index index) {
  return p.add(line.start, p.mul(index, line.stride));
}

/// Where elements of a tensor lie: at start + coordinates * strides.
template <class P> struct Strided {
  mlir::Value tensor;
  typename P::Index start;
  Indices<P> strides;
};

/// The row-major strides of `dims`.
template <class P> Indices<P> getStrides(P &p, const Indices<P> &dims) {
  Indices<P> strides(dims.size(), p.index(1));
  for (size_t axis = dims.size(); axis-- > 1;)
    strides[axis - 1] = p.mul(strides[axis], dims[axis]);
  return strides;
}

/// The strides with which a tensor of `dims` is read as one of `rank` axes: 0
/// where its dim is 1 or absent.
template <class P>
Indices<P> getBroadcastStrides(P &p, const Indices<P> &dims, size_t rank) {
  Indices<P> strides = getStrides(p, dims);
  for (auto [stride, dim] : llvm::zip_equal(strides, dims))
    stride = p.select(p.equal(dim, p.index(1)), p.index(0), stride);
  strides.insert(strides.begin(), rank - dims.size(), p.index(0));
  return strides;
}

/// All of a tensor.
template <class P> Strided<P> getStrided(P &p, mlir::Value tensor) {
  return {tensor, p.index(0), getStrides(p, p.dims(tensor))};
}

template <class P>
typename P::Index getPosition(P &p, const Strided<P> &from,
                              const Indices<P> &at) {
  typename P::Index position = from.start;
  for (auto [index, stride] : llvm::zip_equal(at, from.strides))
    position = p.add(position, p.mul(index, stride));
  return position;
}

template <class P>
void copyOneByOne(P &p, const Indices<P> &dims, const Strided<P> &from,
                  const Strided<P> &to) {
  p.forEach(dims, [&](Indices<P> at) {
    p.storeRaw(p.loadRaw(from.tensor, getPosition(p, from, at)), to.tensor,
               getPosition(p, to, at));
  });
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

template <class P> typename P::B::M isNotNegative(P &p, typename P::Index x) {
  return p.less(p.index(-1), x);
}

/// 0 <= index < size.
template <class P>
typename P::B::M isInside(P &p, typename P::Index index,
                          typename P::Index size) {
  auto b = p.values();
  return b.andM(isNotNegative(p, index), p.less(index, size));
}

/// `index` counted from the front.
template <class P>
typename P::Index wrapIndex(P &p, typename P::Index index,
                            typename P::Index size) {
  return p.select(p.less(index, p.index(0)), p.add(index, size), index);
}

/// Ends the run where the dims of two tensors differ on an axis.
template <class P>
void requireEqualDims(P &p, typename P::Index a, typename P::Index b,
                      const llvm::Twine &text) {
  p.require(p.equal(a, b), text);
}

//===----------------------------------------------------------------------===//
// Elements that are numbers
//===----------------------------------------------------------------------===//

/// Arithmetic on elements of floats; NaN is greater than every number.
template <class Policy, class Type> struct RealNumbers {
  using B = Policy;
  using T = Type;
  static T add(B &b, T x, T y) { return b.add(x, y); }
  static T mul(B &b, T x, T y) { return b.mul(x, y); }
  static T min(B &b, T x, T y) { return b.min(x, y); }
  static T max(B &b, T x, T y) { return b.max(x, y); }
  static typename B::M less(B &b, T x, T y) { return b.olt(x, y); }
  static typename B::M sortsBelow(B &b, T x, T y) {
    return b.orM(b.olt(x, y), b.andM(b.uno(y, y), b.notM(b.uno(x, x))));
  }
};
template <class B> struct FloatNumbers : RealNumbers<B, typename B::F> {
  using F = typename B::F;
  static F number(B &b, double value) { return b.f(float(value)); }
  static F exp(B &b, F x) { return expF32(b, x); }
};
template <class B> struct DoubleNumbers : RealNumbers<B, typename B::D> {
  using D = typename B::D;
  static D number(B &b, double value) { return b.d(value); }
  static D exp(B &b, D x) { return expF64(b, x); }
};

template <class Policy, class Type> struct IntegerNumbers {
  using B = Policy;
  using T = Type;
  static T add(B &b, T x, T y) { return b.addI(x, y); }
  static T mul(B &b, T x, T y) { return b.mulI(x, y); }
  static T min(B &b, T x, T y) { return b.minS(x, y); }
  static T max(B &b, T x, T y) { return b.maxS(x, y); }
  static typename B::M less(B &b, T x, T y) { return b.ltS(x, y); }
  static typename B::M sortsBelow(B &b, T x, T y) { return b.ltS(x, y); }
};
template <class B> struct IntNumbers : IntegerNumbers<B, typename B::I> {
  static typename B::I number(B &b, double value) {
    return b.i(int32_t(value));
  }
};
template <class B> struct LongNumbers : IntegerNumbers<B, typename B::L> {
  static typename B::L number(B &b, double value) {
    return b.l(int64_t(value));
  }
};
template <class B> struct UnsignedNumbers : LongNumbers<B> {
  using L = typename B::L;
  static L min(B &b, L x, L y) { return b.select(less(b, x, y), x, y); }
  static L max(B &b, L x, L y) { return b.select(less(b, y, x), x, y); }
  static typename B::M less(B &b, L x, L y) { return b.ltU(x, y); }
  static typename B::M sortsBelow(B &b, L x, L y) { return b.ltU(x, y); }
};

/// Calls `fn` with the arithmetic of elements of `type`, which are numbers.
template <class P, class Fn> void asNumbers(P &, mlir::Type type, Fn fn) {
  using B = typename P::B;
  switch (*getValueKind(type)) {
  case ValueKind::Float:
    return fn(FloatNumbers<B>());
  case ValueKind::Double:
    return fn(DoubleNumbers<B>());
  case ValueKind::Long:
    if (type.isUnsignedInteger(64))
      return fn(UnsignedNumbers<B>());
    return fn(LongNumbers<B>());
  case ValueKind::Int:
  case ValueKind::Bool:
    return fn(IntNumbers<B>());
  }
}

template <class T, class P>
T loadAs(P &p, mlir::Value tensor, typename P::Index at) {
  return getAs<typename P::B, T>(p.load(tensor, at));
}

/// True for floats, codes among them, that F holds.
inline bool isFloatElement(mlir::Type type) {
  return getValueKind(type) && !type.isIntOrIndex() && !type.isF64();
}

/// These, and f64.
inline bool isRealElement(mlir::Type type) {
  return isFloatElement(type) || type.isF64();
}

/// An element of floats, decoded where it is a code.
template <class P>
typename P::B::F loadFloat(P &p, mlir::Value tensor, typename P::Index at) {
  using F = typename P::B::F;
  mlir::Type type = typeOf(tensor).getElementType();
  if (type.isF32() || getValueKind(type) == ValueKind::Float)
    return loadAs<F>(p, tensor, at);
  auto b = p.values();
  mlir::Type f32 = mlir::Float32Type::get(tensor.getContext());
  return getAs<typename P::B, F>(
      *castElement(b, p.load(tensor, at), type, f32));
}

/// Rounds `value` to an element of floats.
template <class P>
void storeFloat(P &p, typename P::B::F value, mlir::Value tensor,
                typename P::Index at) {
  mlir::Type type = typeOf(tensor).getElementType();
  if (getValueKind(type) == ValueKind::Float)
    return p.store(value, tensor, at);
  auto b = p.values();
  mlir::Type f32 = mlir::Float32Type::get(tensor.getContext());
  p.store(*castElement<typename P::B>(b, value, f32, type), tensor, at);
}

/// Calls `fn` with the arithmetic that elements of `type`, which are reals, are
/// computed in.
template <class P, class Fn> void asReals(P &, mlir::Type type, Fn fn) {
  using B = typename P::B;
  if (type.isF64())
    return fn(DoubleNumbers<B>());
  fn(FloatNumbers<B>());
}

/// An element of reals in that arithmetic.
template <class Numbers, class P>
typename Numbers::T loadReal(P &p, mlir::Value tensor, typename P::Index at) {
  if constexpr (std::is_same_v<Numbers, DoubleNumbers<typename P::B>>)
    return loadAs<typename P::B::D>(p, tensor, at);
  else
    return loadFloat(p, tensor, at);
}
template <class Numbers, class P>
void storeReal(P &p, typename Numbers::T value, mlir::Value tensor,
               typename P::Index at) {
  if constexpr (std::is_same_v<Numbers, DoubleNumbers<typename P::B>>)
    p.store(value, tensor, at);
  else
    storeFloat(p, value, tensor, at);
}

/// A count in that arithmetic.
template <class Numbers, class P>
typename Numbers::T countAs(P &p, typename P::Index count) {
  if constexpr (std::is_same_v<Numbers, DoubleNumbers<typename P::B>>)
    return p.values().toDouble(p.toLong(count));
  else
    return p.toFloat(count);
}

/// An element of integers as an L.
template <class P>
typename P::B::L loadLong(P &p, mlir::Value tensor, typename P::Index at) {
  using B = typename P::B;
  auto b = p.values();
  if (getValueKind(typeOf(tensor).getElementType()) == ValueKind::Long)
    return loadAs<typename B::L>(p, tensor, at);
  return b.extendToL(loadAs<typename B::I>(p, tensor, at));
}

template <class P>
void copyElement(P &p, mlir::Value from, typename P::Index fromAt,
                 mlir::Value to, typename P::Index toAt) {
  p.storeRaw(p.loadRaw(from, fromAt), to, toAt);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// One chain of step(total, element) over a row.
template <class T, class P, class Get, class Step>
T chain(P &p, typename P::Index n, T start, Get get, Step step) {
  std::tuple<T> result = p.loop(p.index(0), n, std::tuple<T>(start),
                                [&](typename P::Index i, T total) {
                                  auto b = p.values();
                                  return std::tuple<T>(step(b, total, get(i)));
                                });
  return std::get<0>(result);
}

/// 16 partial sums of add(sum, i), element i in sum i mod 16, each from +0,
/// then a fixed tree. No partial sum is -0, so adding +0 for what lies behind
/// the row changes nothing.
template <class Numbers, class P, class Add>
typename Numbers::T rowSumBy(P &p, typename P::Index n, Add add) {
  using T = typename Numbers::T;
  auto b = p.values();
  using Sums = std::array<T, 16>;
  auto blocks = p.div(p.add(n, p.index(15)), p.index(16));
  auto last = p.sub(n, p.index(1));
  Sums sums;
  sums.fill(Numbers::number(b, 0));
  auto step = [&](typename P::Index block, auto... carried) {
    Sums next{carried...};
    auto b = p.values();
    for (int j = 0; j < 16; ++j) {
      auto i = p.add(p.mul(block, p.index(16)), p.index(j));
      T sum = add(next[j], p.min(i, last));
      next[j] = b.select(p.less(i, n), sum, next[j]);
    }
    return std::tuple_cat(next);
  };
  std::tuple<T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T> result =
      p.loop(p.index(0), blocks, std::tuple_cat(sums), step);
  sums = std::apply([](auto... x) { return Sums{x...}; }, result);
  auto after = p.values();
  for (int width = 8; width > 0; width /= 2)
    for (int j = 0; j < width; ++j)
      sums[j] = after.add(sums[j], sums[j + width]);
  return sums[0];
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_LOOPPOLICY_H
