//===- ContractionOps.cpp - Sums over products ----------------------------===//
//
// Operands are reals here: codes stand in front, behind a DequantizeLinear.
//
//===----------------------------------------------------------------------===//

#include "Biases.h"
#include "OpForms.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::exporter;

static SmallVector<int64_t> toVector(ArrayRef<int64_t> values) {
  return SmallVector<int64_t>(values);
}

/// True for operands without scales and zeros.
static bool isOfReals(GraphWriter &writer, Operation *op, size_t numOperands) {
  if (op->getNumOperands() <= numOperands &&
      isa<FloatType>(elementTypeOf(op->getOperand(0))))
    return true;
  writer.fail("computes on codes, which has no ONNX form");
  return false;
}

static void writeConv(GraphWriter &writer, Operation *op, StringRef operation) {
  auto conv = cast<ConvOp>(op);
  if (!isOfReals(writer, op, conv.getBias() ? 3 : 2))
    return;
  SmallVector<std::string> inputs{writer.use(conv.getX()),
                                  writer.use(conv.getW())};
  if (conv.getBias())
    inputs.push_back(writeBias(writer, op, conv.getBias(), conv.getResult()));
  ArrayRef<int64_t> kernel = typeOf(conv.getW()).getShape().drop_front(2);
  writer.finish(operation, inputs,
                {{"kernel_shape", toVector(kernel)},
                 {"strides", toVector(conv.getStrides())},
                 {"pads", toVector(conv.getPads())},
                 {"dilations", toVector(conv.getDilations())},
                 {"group", static_cast<int64_t>(conv.getGroup())}});
}

static void writeMatMul(GraphWriter &writer, Operation *op,
                        StringRef operation) {
  if (isOfReals(writer, op, 2))
    writeSame(writer, op, operation);
}

static void writeGemm(GraphWriter &writer, Operation *op, StringRef operation) {
  auto gemm = cast<GemmOp>(op);
  writer.finish(operation, useOperands(writer, op),
                {{"alpha", gemm.getAlpha().convertToFloat()},
                 {"beta", gemm.getBeta().convertToFloat()},
                 {"transA", static_cast<int64_t>(gemm.getTransA())},
                 {"transB", static_cast<int64_t>(gemm.getTransB())}});
}

/// softmax(query * key^T * scale + mask) * value.
static void writeAttention(GraphWriter &writer, Operation *op, StringRef) {
  auto attention = cast<AttentionOp>(op);
  int64_t rank = typeOf(attention.getKey()).getRank();
  auto perm = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(perm[rank - 1], perm[rank - 2]);
  std::string key =
      writer.add("Transpose", writer.use(attention.getKey()), {{"perm", perm}});
  std::string scores =
      writer.add("MatMul", {writer.use(attention.getQuery()), key});
  Type type = elementTypeOf(attention.getQuery());
  scores = writer.add(
      "Mul",
      {scores, writer.addScalar(attention.getScale().convertToFloat(), type)});
  if (attention.getMask())
    scores = writer.add("Add", {scores, writer.use(attention.getMask())});
  std::string weights = writer.add("Softmax", scores, {{"axis", int64_t(-1)}});
  if (attention.getMaskedRowsAreZero()) {
    float lowest = -std::numeric_limits<float>::infinity();
    std::string largest =
        writer.add("ReduceMax", {scores, writer.addIntegers({-1})},
                   {{"keepdims", int64_t(1)}});
    std::string isMasked =
        writer.add("Equal", {largest, writer.addScalar(lowest, type)});
    weights =
        writer.add("Where", {isMasked, writer.addScalar(0, type), weights});
  }
  writer.finish("MatMul", {weights, writer.use(attention.getValue())});
}

ArrayRef<OpForm> qopt::exporter::getContractionForms() {
  static constexpr OpForm rows[] = {
      {AttentionOp::getOperationName(), "", writeAttention},
      {ConvOp::getOperationName(), "Conv", writeConv},
      {GemmOp::getOperationName(), "Gemm", writeGemm},
      {MatMulOp::getOperationName(), "MatMul", writeMatMul},
  };
  return rows;
}
