//===- RowMath.cpp - Sums and maxima of rows ------------------------------===//
//
// A row whose length is known to be a multiple of the lanes has no tail.
//
//===----------------------------------------------------------------------===//

#include "RowMath.h"
#include "VectorBuilder.h"
#include "dialects/QOpt/Numerics/MLIRPolicy.h"
#include "lib/Target/Host/HostProgram.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;
using numerics::MLIRPolicy;

Value cpu::foldLanes(VectorBuilder &v, Value vector,
                     llvm::function_ref<Value(Value, Value, int64_t)> join) {
  for (int64_t width = kLanes / 2; width > 0; width /= 2)
    vector = join(v.extractStrided(vector, 0, width),
                  v.extractStrided(vector, width, width), width);
  return v.extract(vector, 0);
}

Value cpu::sumLanes(VectorBuilder &v, Value partialSums) {
  return foldLanes(v, partialSums, [&](Value x, Value y, int64_t lanes) {
    return MLIRPolicy(v.b, v.loc, lanes).add(x, y);
  });
}

Value cpu::maxLanes(VectorBuilder &v, Value vector) {
  bool isFloat = isa<FloatType>(getElementTypeOrSelf(vector));
  return foldLanes(v, vector, [&](Value x, Value y, int64_t lanes) {
    MLIRPolicy policy(v.b, v.loc, lanes);
    return isFloat ? policy.max(y, x) : policy.maxS(x, y);
  });
}

SmallVector<Value> cpu::loopRow(
    VectorBuilder &v, Value size, ValueRange inits,
    llvm::function_ref<SmallVector<Value>(Value, Value, ValueRange)> body) {
  std::optional<int64_t> known = knownNumber(size);
  bool hasTail = !known || *known % kLanes != 0;
  return v.loop(
      v.i64(0), size, kLanes, inits, [&](Value index, ValueRange carried) {
        return body(index, hasTail ? v.sub(size, index) : Value(), carried);
      });
}

Value cpu::keepLanes(VectorBuilder &v, Value value, Value count, Value other) {
  if (!count)
    return value;
  return v.select(v.mask(count), value, v.splat(other));
}
