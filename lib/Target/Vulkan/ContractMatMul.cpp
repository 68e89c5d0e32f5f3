//===- ContractMatMul.cpp - The sums of matrix products -------------------===//
//
// Groups begin where a block of either operand begins; blocks of both are equal
// where both have them.
//
//===----------------------------------------------------------------------===//

#include "Contract.h"
#include "Epilogue.h"
#include "ExactPolicy.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

namespace {
/// One operand at the row or column of an element.
struct Line {
  CodeOperand &operand;
  /// Coordinates in the operand; those along k are set for each k.
  SmallVector<Value> position;
  size_t axis;
  Value first, stride;

  Value at(Shader &shader, Value k) const {
    return shader.add(first, shader.mul(k, stride));
  }
  SmallVector<Value> positionAt(Value k) const {
    SmallVector<Value> result = position;
    result[axis] = k;
    return result;
  }
};
} // namespace

static Line makeLine(DeviceProgram &program, Shader &shader,
                     CodeOperand &operand, size_t axis,
                     SmallVector<Value> position) {
  position[axis] = shader.i32(0);
  // Leading axes broadcast.
  SmallVector<Value> strides = broadcastStrides(program, operand.dims());
  for (auto [i, stride] : llvm::enumerate(strides))
    if (i != axis && !stride)
      position[i] = shader.i32(0);
  Value first = broadcastIndex(program, shader, operand.dims(), position);
  Value stride = program.code().strides(operand.dims())[axis];
  return {operand, position, axis, first, shader.host(stride)};
}

Value vulkan::sumMatMul(DeviceProgram &program, Shader &shader, MatMulOp op,
                        CodeOperand &lhs, CodeOperand &rhs,
                        ValueRange coordinates) {
  size_t lhsRank = lhs.dims().size(), rhsRank = rhs.dims().size();
  bool isRow = lhsRank == 1, isColumn = rhsRank == 1;
  size_t matrixAxes = (isRow ? 0 : 1) + (isColumn ? 0 : 1);
  ValueRange batch = coordinates.drop_back(matrixAxes);
  auto leading = [&](size_t count) {
    return SmallVector<Value>(batch.take_back(count));
  };
  SmallVector<Value> a = leading(isRow ? 0 : lhsRank - 2);
  if (!isRow)
    a.push_back(coordinates[batch.size()]);
  a.push_back(Value());
  SmallVector<Value> c = leading(isColumn ? 0 : rhsRank - 2);
  c.push_back(Value());
  if (!isColumn)
    c.push_back(coordinates.back());
  Line left = makeLine(program, shader, lhs, lhsRank - 1, a);
  Line right = makeLine(program, shader, rhs, isColumn ? 0 : rhsRank - 2, c);
  Value k = shader.host(lhs.dims().back());
  Value zero = shader.i32(0), one = shader.i32(1);
  ExactPolicy policy(shader.b, shader.loc);

  if (getSumKind(lhs, rhs) == SumKind::Integer)
    return shader.loop(zero, k, one, zero, [&](Value i, ValueRange sum) {
      Value x = lhs.integer(shader, left.at(shader, i), left.positionAt(i));
      Value y = rhs.integer(shader, right.at(shader, i), right.positionAt(i));
      return SmallVector<Value>{policy.addI(sum[0], policy.mulI(x, y))};
    })[0];
  auto chain = [&](Value low, Value high) {
    return shader.loop(
        low, high, one, policy.f(0), [&](Value i, ValueRange sum) {
          Value x = lhs.real(shader, left.at(shader, i), left.positionAt(i));
          Value y = rhs.real(shader, right.at(shader, i), right.positionAt(i));
          return SmallVector<Value>{policy.fma(x, y, sum[0])};
        })[0];
  };
  if (getSumKind(lhs, rhs) == SumKind::Chain)
    return chain(zero, k);
  int64_t block = std::max(lhs.getBlock(left.axis), rhs.getBlock(right.axis));
  Value step =
      block ? shader.i32(block) : shader.select(shader.less(zero, k), k, one);
  return shader.loop(zero, k, step, policy.f(0), [&](Value i, ValueRange sum) {
    Value t = chain(i, shader.min(shader.add(i, step), k));
    return SmallVector<Value>{addGroup(shader, lhs, rhs, sum[0], t,
                                       lhs.scale(shader, left.positionAt(i)),
                                       rhs.scale(shader, right.positionAt(i)))};
  })[0];
}
