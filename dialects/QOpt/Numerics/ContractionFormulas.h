//===- ContractionFormulas.h - Sums of products, as loops -------*- C++ -*-===//
//
// What QOptContractionOps.td says of them, for whatever operands no fast kernel
// takes. Reference has loops of its own, which compute a tile at a time and
// give the same bits.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_NUMERICS_CONTRACTIONFORMULAS_H
#define DIALECTS_QOPT_NUMERICS_CONTRACTIONFORMULAS_H

#include "dialects/QOpt/Numerics/CodeOperand.h"
#include <functional>
#include <numeric>

namespace qopt::numerics {

/// Where products lie: k counts them.
template <class P> struct Products {
  using Index = typename P::Index;
  Index depth;
  /// Divides all places where a group of scales can begin.
  Index unit;
  /// Whether a group begins at k, a multiple of `unit` that is not 0.
  std::function<typename P::B::M(Index k)> startsGroup;
  /// Where the factors of product k are.
  std::function<Place<P>(Index k)> lhs, rhs;
};

/// The sum of products of integers, modulo 2^32.
template <class P>
typename P::B::I sumIntegers(P &p, const CodeOperand<P> &lhs,
                             const CodeOperand<P> &rhs,
                             const Products<P> &products) {
  using I = typename P::B::I;
  auto b = p.values();
  return std::get<0>(p.loop(p.index(0), products.depth, std::tuple<I>(b.i(0)),
                            [&](typename P::Index k, I sum) {
                              I x = lhs.loadInteger(p, products.lhs(k));
                              I y = rhs.loadInteger(p, products.rhs(k));
                              auto b = p.values();
                              return std::tuple<I>(b.addI(sum, b.mulI(x, y)));
                            }));
}

/// One chain over the products from `low` on, below `high`.
template <class P>
typename P::B::F sumReals(P &p, const CodeOperand<P> &lhs,
                          const CodeOperand<P> &rhs,
                          const Products<P> &products, typename P::Index low,
                          typename P::Index high, typename P::B::F start) {
  using F = typename P::B::F;
  return std::get<0>(
      p.loop(low, high, std::tuple<F>(start), [&](typename P::Index k, F sum) {
        F x = lhs.loadReal(p, products.lhs(k));
        F y = rhs.loadReal(p, products.rhs(k));
        return std::tuple<F>(p.values().fma(x, y, sum));
      }));
}

/// One chain over all products of f64.
template <class P>
typename P::B::D sumDoubles(P &p, const CodeOperand<P> &lhs,
                            const CodeOperand<P> &rhs,
                            const Products<P> &products) {
  using D = typename P::B::D;
  auto b = p.values();
  return std::get<0>(p.loop(p.index(0), products.depth, std::tuple<D>(b.d(0)),
                            [&](typename P::Index k, D sum) {
                              D x = lhs.loadDouble(p, products.lhs(k));
                              D y = rhs.loadDouble(p, products.rhs(k));
                              return std::tuple<D>(p.values().fma(x, y, sum));
                            }));
}

/// y with the sum `t` of the group that begins at `begin`, times its scales.
template <class P>
typename P::B::F addGroup(P &p, const CodeOperand<P> &lhs,
                          const CodeOperand<P> &rhs,
                          const Products<P> &products, typename P::B::F y,
                          typename P::B::F t, typename P::Index begin) {
  GroupScale<P> a = lhs.loadScale(p, products.lhs(begin)),
                c = rhs.loadScale(p, products.rhs(begin));
  auto b = p.values();
  int log2 = lhs.getMultiplierLog2() + rhs.getMultiplierLog2();
  bool hasOnlyExponents = (lhs.hasScales() || rhs.hasScales()) &&
                          lhs.hasOnlyExponents() && rhs.hasOnlyExponents();
  if (!hasOnlyExponents)
    return b.fma(scaleByUnit(b, t, -log2), b.mul(a.factor, c.factor), y);
  auto exponent = b.subI(b.addI(a.exponent, c.exponent), b.i(log2));
  return b.select(b.orM(a.isNaN, c.isNaN), b.f(quietNaN),
                  b.add(y, scale2(b, t, exponent)));
}

/// The sum of groups in ascending order.
template <class P>
typename P::B::F sumGroups(P &p, const CodeOperand<P> &lhs,
                           const CodeOperand<P> &rhs,
                           const Products<P> &products) {
  using F = typename P::B::F;
  using Index = typename P::Index;
  auto b = p.values();
  Index units = p.div(p.add(products.depth, p.sub(products.unit, p.index(1))),
                      products.unit);
  auto [y, t, begin] = p.loop(
      p.index(0), units, std::tuple<F, F, Index>(b.f(0), b.f(0), p.index(0)),
      [&](Index number, F y, F t, Index begin) {
        auto b = p.values();
        Index first = p.mul(number, products.unit);
        auto starts =
            b.andM(p.less(p.index(0), first), products.startsGroup(first));
        F sum = addGroup(p, lhs, rhs, products, y, t, begin);
        y = b.select(starts, sum, y);
        t = b.select(starts, b.f(0), t);
        begin = p.select(starts, first, begin);
        Index end = p.min(p.add(first, products.unit), products.depth);
        t = sumReals(p, lhs, rhs, products, first, end, t);
        return std::tuple<F, F, Index>(y, t, begin);
      });
  F sum = addGroup(p, lhs, rhs, products, y, t, begin);
  auto after = p.values();
  return after.select(p.less(p.index(0), products.depth), sum, y);
}

/// Computes the element at `to` of `result` and adds `bias`, where there is
/// one, at `biasAt`.
template <class P>
void storeSum(P &p, const CodeOperand<P> &lhs, const CodeOperand<P> &rhs,
              const Products<P> &products, mlir::Value bias,
              typename P::Index biasAt, mlir::Value result,
              typename P::Index to) {
  using I = typename P::B::I;
  using D = typename P::B::D;
  if (lhs.isDouble()) {
    D sum = sumDoubles(p, lhs, rhs, products);
    if (bias)
      sum = p.values().add(sum, loadAs<D>(p, bias, biasAt));
    return p.store(sum, result, to);
  }
  if (getSumKind(lhs, rhs) == SumKind::Integer) {
    I sum = sumIntegers(p, lhs, rhs, products);
    if (bias)
      sum = p.values().addI(sum, loadAs<I>(p, bias, biasAt));
    return p.store(sum, result, to);
  }
  auto b = p.values();
  auto sum =
      getSumKind(lhs, rhs) == SumKind::Chain
          ? sumReals(p, lhs, rhs, products, p.index(0), products.depth, b.f(0))
          : sumGroups(p, lhs, rhs, products);
  if (bias)
    sum = p.values().add(sum, loadFloat(p, bias, biasAt));
  storeFloat(p, sum, result, to);
}

/// Whether `index` is where a block of `block` begins.
template <class P>
typename P::B::M beginsBlock(P &p, typename P::Index index, int64_t block) {
  if (block == 0)
    return p.less(p.index(0), p.index(0));
  return p.equal(p.rem(index, p.index(block)), p.index(0));
}

/// Whether the elements of all tensors of a sum of products have a meaning
/// here.
inline bool hasFormula(ContractionOpInterface op) {
  auto isNumber = [](mlir::Value value) {
    mlir::Type type = typeOf(value).getElementType();
    auto kind = getValueKind(type);
    return kind ? *kind == ValueKind::Float || *kind == ValueKind::Int
                : isFloatElement(type);
  };
  auto isDouble = [](mlir::Value value) {
    return typeOf(value).getElementType().isF64();
  };
  if (isDouble(op->getResult(0)))
    return llvm::all_of(op->getOperands(), isDouble) &&
           !op.getContraction().hasScales();
  auto kind = getValueKind(typeOf(op->getResult(0)).getElementType());
  return kind && (*kind == ValueKind::Float || *kind == ValueKind::Int) &&
         llvm::all_of(op->getOperands(), isNumber);
}

template <class P> void formula(P &p, MatMulOp op) {
  using Index = typename P::Index;
  Contraction sum =
      llvm::cast<ContractionOpInterface>(op.getOperation()).getContraction();
  CodeOperand<P> lhs(p, sum.lhs), rhs(p, sum.rhs);
  auto dims = p.dims(op.getResult()), lhsDims = p.dims(op.getLhs()),
       rhsDims = p.dims(op.getRhs());
  size_t lhsAxis = lhsDims.size() - 1,
         rhsAxis = rhsDims.size() == 1 ? 0 : rhsDims.size() - 2;
  size_t matrixAxes = (lhsDims.size() > 1) + (rhsDims.size() > 1);
  int64_t lhsBlock = lhs.getBlock(lhsAxis), rhsBlock = rhs.getBlock(rhsAxis);
  p.forEach(
      dims,
      [&](Indices<P> at) {
        llvm::ArrayRef<Index> all(at);
        llvm::ArrayRef<Index> batch = all.drop_back(matrixAxes);
        // Leading axes broadcast; an axis of the matrix is the last but one of
        // lhs and the last of rhs.
        auto place = [&](const Indices<P> &own, size_t axis, bool isLhs) {
          Indices<P> position;
          size_t leading = own.size() < 2 ? 0 : own.size() - 2;
          for (size_t i = 0; i < leading; ++i) {
            Index index = batch[batch.size() - leading + i];
            position.push_back(
                p.select(p.equal(own[i], p.index(1)), p.index(0), index));
          }
          if (own.size() > 1)
            position.push_back(isLhs ? all[batch.size()] : all.back());
          position.insert(position.begin() + axis, p.index(0));
          return position;
        };
        Indices<P> left = place(lhsDims, lhsAxis, true);
        Indices<P> right = place(rhsDims, rhsAxis, false);
        auto along = [](Indices<P> position, size_t axis) {
          return [position, axis](Index k) {
            Place<P> place{position};
            place.at[axis] = k;
            return place;
          };
        };
        Index depth = lhsDims[lhsAxis];
        // A block of 0 is none.
        int64_t unit = std::gcd(lhsBlock, rhsBlock);
        Products<P> products{
            depth, unit ? p.index(unit) : p.max(depth, p.index(1)),
            [&](Index k) {
              return p.values().orM(beginsBlock(p, k, lhsBlock),
                                    beginsBlock(p, k, rhsBlock));
            },
            along(left, lhsAxis), along(right, rhsAxis)};
        storeSum(p, lhs, rhs, products, {}, p.index(0), op.getResult(),
                 linearize(p, at, dims));
      },
      lhsDims[lhsAxis]);
}

template <class P> void formula(P &p, ConvOp op) {
  using Index = typename P::Index;
  Contraction sum =
      llvm::cast<ContractionOpInterface>(op.getOperation()).getContraction();
  CodeOperand<P> x(p, sum.lhs), w(p, sum.rhs);
  auto dims = p.dims(op.getResult()), xDims = p.dims(op.getX()),
       wDims = p.dims(op.getW());
  size_t spatial = dims.size() - 2;
  Index channels = wDims[1];
  Indices<P> kernel(wDims.begin() + 2, wDims.end());
  Index depth = p.mul(product<P>(p, kernel), channels);
  Index groupOutputs =
      p.max(p.div(wDims[0], p.index(op.getGroup())), p.index(1));
  int64_t xBlock = x.getBlock(1), wBlock = w.getBlock(1);
  bool hasRuns = xBlock || wBlock || w.getBlock(0);
  // A run begins with each kernel position and with each block of channels,
  // where a group of channels may begin within a block of x.
  int64_t known = typeOf(op.getW()).getDimSize(1);
  int64_t unit = mlir::ShapedType::isDynamic(known)
                     ? 1
                     : std::gcd(known, std::gcd(xBlock, wBlock));
  p.forEach(
      dims,
      [&](Indices<P> at) {
        Index first = p.mul(p.div(at[1], groupOutputs), channels);
        auto wAt = [&](Index k) {
          Place<P> place;
          Indices<P> taps = delinearize(p, p.div(k, channels), kernel);
          place.at = {at[1], p.rem(k, channels)};
          place.at.append(taps.begin(), taps.end());
          return place;
        };
        auto xAt = [&](Index k) {
          Place<P> place;
          place.at = {at[0], p.add(first, p.rem(k, channels))};
          Indices<P> taps = delinearize(p, p.div(k, channels), kernel);
          auto b = p.values();
          auto inside = p.less(p.index(0), p.index(1));
          for (size_t i = 0; i < spatial; ++i) {
            Index start = p.sub(p.mul(at[i + 2], p.index(op.getStrides()[i])),
                                p.index(op.getPads()[i]));
            Index position =
                p.add(start, p.mul(taps[i], p.index(op.getDilations()[i])));
            auto isIn = isInside(p, position, xDims[i + 2]);
            inside = b.andM(inside, isIn);
            place.at.push_back(p.select(isIn, position, p.index(0)));
          }
          place.inside = inside;
          return place;
        };
        Products<P> products{
            depth, hasRuns ? p.index(unit) : p.max(depth, p.index(1)),
            [&](Index k) {
              auto b = p.values();
              Index ci = p.rem(k, channels);
              return b.orM(p.equal(ci, p.index(0)),
                           b.orM(beginsBlock(p, p.add(first, ci), xBlock),
                                 beginsBlock(p, ci, wBlock)));
            },
            xAt, wAt};
        storeSum(p, x, w, products, op.getBias(), at[1], op.getResult(),
                 linearize(p, at, dims));
      },
      depth);
}

} // namespace qopt::numerics

#endif // DIALECTS_QOPT_NUMERICS_CONTRACTIONFORMULAS_H
