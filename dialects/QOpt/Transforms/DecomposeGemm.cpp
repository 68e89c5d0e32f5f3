//===- DecomposeGemm.cpp - Gemm as matmul, mul and add --------------------===//
//
// A transposed operand becomes a transpose: of an activation it runs, of a
// weight it is an expression that is evaluated once.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Transforms/Constants.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#define DEBUG_TYPE "qopt-decompose-gemm"

namespace qopt {
#define GEN_PASS_DEF_DECOMPOSEGEMMPASS
#include "dialects/QOpt/Transforms/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static Value transposeMatrix(OpBuilder &builder, Location loc, Value matrix) {
  auto type = cast<RankedTensorType>(matrix.getType());
  auto transposed = RankedTensorType::get(
      {type.getDimSize(1), type.getDimSize(0)}, type.getElementType());
  return TransposeOp::create(builder, loc, transposed, matrix,
                             ArrayRef<int64_t>{1, 0});
}

/// `value * factor`, or `value` where the factor is 1.
static Value scaleBy(OpBuilder &builder, Location loc, Value value,
                     float factor) {
  if (factor == 1.0f)
    return value;
  return MulOp::create(builder, loc, value.getType(), value,
                       makeScalar(builder, loc, factor));
}

static void decompose(GemmOp gemm) {
  OpBuilder builder(gemm);
  Location loc = gemm.getLoc();
  Value a = gemm.getTransA() ? transposeMatrix(builder, loc, gemm.getA())
                             : gemm.getA();
  Value b = gemm.getTransB() ? transposeMatrix(builder, loc, gemm.getB())
                             : gemm.getB();
  Type type = gemm.getResult().getType();
  auto matmul =
      MatMulOp::create(builder, loc, type, a, ValueRange(), ValueRange(), b,
                       ValueRange(), ValueRange(), FormatAttr(), FormatAttr());
  matmul->setDiscardableAttrs(gemm->getDiscardableAttrDictionary());
  Value result =
      scaleBy(builder, loc, matmul, gemm.getAlpha().convertToFloat());
  if (gemm.getC()) {
    Value c =
        scaleBy(builder, loc, gemm.getC(), gemm.getBeta().convertToFloat());
    result = AddOp::create(builder, loc, type, result, c);
  }
  gemm.replaceAllUsesWith(result);
  gemm.erase();
}

namespace {
struct DecomposeGemmPass
    : qopt::impl::DecomposeGemmPassBase<DecomposeGemmPass> {
  void runOnOperation() override {
    getOperation().walk([&](GemmOp gemm) {
      decompose(gemm);
      ++numDecomposed;
    });
  }
};
} // namespace
