//===- IntegerBuilder.cpp - Arithmetic on SSA integers --------------------===//
//
// Comparisons are signed; quotients are of numbers that are not negative.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/IntegerBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qopt::kernel;

Value IntegerBuilder::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(loc, x, y);
}
Value IntegerBuilder::sub(Value x, Value y) {
  return b.createOrFold<arith::SubIOp>(loc, x, y);
}
Value IntegerBuilder::mul(Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(loc, x, y);
}
Value IntegerBuilder::min(Value x, Value y) {
  return b.createOrFold<arith::MinSIOp>(loc, x, y);
}
Value IntegerBuilder::max(Value x, Value y) {
  return b.createOrFold<arith::MaxSIOp>(loc, x, y);
}
Value IntegerBuilder::div(Value x, Value y) {
  return b.createOrFold<arith::DivUIOp>(loc, x, y);
}
Value IntegerBuilder::rem(Value x, Value y) {
  return b.createOrFold<arith::RemUIOp>(loc, x, y);
}
Value IntegerBuilder::equal(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, x, y);
}
Value IntegerBuilder::less(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, x, y);
}
Value IntegerBuilder::select(Value condition, Value x, Value y) {
  return b.createOrFold<arith::SelectOp>(loc, condition, x, y);
}

SmallVector<Value> IntegerBuilder::delinearize(Value index, ValueRange dims) {
  SmallVector<Value> coordinates(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    coordinates[i] = i == 0 ? index : rem(index, dims[i]);
    if (i != 0)
      index = div(index, dims[i]);
  }
  return coordinates;
}
