//===- Dot.cpp - One step of a tile ---------------------------------------===//
//
// Floats are multiplied alike on every machine.
//
//===----------------------------------------------------------------------===//

#include "Dot.h"
#include "Tier.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qopt::cpu;

namespace {
class FloatDot final : public Dot {
public:
  explicit FloatDot(VectorBuilder &v) : Dot(v, DotKind::Float) {}

  Operand lanes(Value words) override { return {words}; }
  Operand row(Value word) override { return {v.splat(word)}; }
  Value add(const Operand &row, const Operand &lanes, Value sum) override {
    return math::FmaOp::create(v.b, v.loc, row[0], lanes[0], sum);
  }
};
} // namespace

std::unique_ptr<Dot> Dot::make(VectorBuilder &v, const Tier &tier, DotKind kind,
                               int64_t largestSigned) {
  if (kind == DotKind::Float)
    return std::make_unique<FloatDot>(v);
  return tier.makeCodeDot(v, kind, largestSigned);
}
