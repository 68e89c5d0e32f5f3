//===- TrailingRows.cpp - Rows that are made one at a time ----------------===//
//
// A prologue writes codes and scales to memory as well: the tiles of the
// product read them in another order, and its epilogue reads the scales.
//
//===----------------------------------------------------------------------===//

#include "TrailingRows.h"
#include "Kernels.h"
#include "QuantizeRow.h"
#include "RowMath.h"
#include "RowSource.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QOpt/IR/Axes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

/// Elements of a part.
static constexpr int64_t kPartElements = 8192;

/// Bytes of scratch for `elements` f32 and the lanes behind them.
static Value scratchBytes(VectorBuilder v, Value elements) {
  Value rounded = v.mul(v.div(v.add(elements, v.i64(15)), v.i64(16)),
                        v.i64(16 * sizeof(float)));
  return v.add(rounded, v.i64(64));
}

namespace {
/// One launch over rows.
class RowPass {
public:
  RowPass(HostProgram &program, Operation *kernel, const RowFormula &formula,
          Epilogue::Stores stores)
      : program(program), formula(formula),
        epilogue(program, kernel, formula.result ? formula.result : formula.x,
                 formula.result, stores) {
    if (formula.normalize)
      epilogue.need(formula.x);
    for (Value other : formula.others)
      epilogue.need(other);
    dims = program.dims(formula.x);
    axis = countFromFront(formula.axis, dims.size());
    size = program.code().product(ArrayRef(dims).drop_front(axis));
  }

  LogicalResult quantize(QuantizeDynamicOp op, Value codes,
                         ArrayRef<Value> scales) {
    Quantization quantization = readQuantization(op);
    rows = op.getX();
    if (isa<BlockArgument>(rows) && quantization.xType.isF32())
      source = program.buffer(rows).pointer;
    else
      epilogue.need(rows);
    quantizer.emplace(program, quantization, codes, scales, size);
    return success();
  }
  void setConsumer(RowConsumer &behind) { consumer = &behind; }

  LogicalResult launch();

private:
  void runRow(KernelScope &scope, Value row, Value line);
  void finish(VectorBuilder &v, const Epilogue::Lanes &at, Value index,
              Value result, Value line);

  HostProgram &program;
  const RowFormula &formula;
  Epilogue epilogue;
  SmallVector<Value> dims;
  int64_t axis;
  Value size;
  /// What is quantized, and where it lies if nothing has to make it.
  Value rows, source;
  std::optional<RowQuantizer> quantizer;
  RowConsumer *consumer = nullptr;
};
} // namespace

LogicalResult RowPass::launch() {
  VectorBuilder host(program.code());
  Value count = host.product(ArrayRef(dims).take_front(axis));
  Value perPart = rowsPerPart(host, size, kPartElements);
  Value parts = host.ceilDiv(count, perPart);
  Value bytes = scratchBytes(host, size);
  Value scratch = program.scratch(bytes);
  CaptureList list;
  list.add({&size, &count, &perPart, &scratch, &bytes, &source});
  if (quantizer)
    quantizer->capture(list);
  if (consumer)
    consumer->capture(list);
  cpu::launch(
      program, formula.name, list, epilogue, parts,
      [&](VectorBuilder &v, KernelScope &scope) {
        dims.assign(epilogue.dimsInside().begin(), epilogue.dimsInside().end());
        Value first = v.mul(scope.part, perPart);
        Value end = v.min(count, v.add(first, perPart));
        Value line =
            v.address(scratch, v.mul(scope.thread, bytes), scope.b.getI8Type());
        v.loop(first, end, 1, [&](Value row) { runRow(scope, row, line); });
      });
  return success();
}

void RowPass::runRow(KernelScope &scope, Value row, Value line) {
  VectorBuilder v(scope.code());
  Run made = source ? Run{source, v.mul(row, size)} : Run{line, v.i64(0)};
  auto forEach = [&](function_ref<void(const Epilogue::Lanes &, Value)> body) {
    loopRowElements(v, dims, axis, row, body);
  };
  if (formula.normalize) {
    forEach([&](const Epilogue::Lanes &at, Value index) {
      v.store(epilogue.evaluate(v.b, formula.x, at), line, index);
    });
    SmallVector<Value> facts = formula.normalize(v, line, size);
    forEach([&](const Epilogue::Lanes &at, Value index) {
      Value lanes = v.load(line, index, v.b.getF32Type());
      finish(v, at, index, formula.last(v, epilogue, facts, lanes, at), line);
    });
  } else if (!source) {
    forEach([&](const Epilogue::Lanes &at, Value index) {
      finish(v, at, index, Value(), line);
    });
  }
  if (quantizer)
    quantizer->run(v, made, row);
  if (consumer)
    consumer->run(v, row);
}

void RowPass::finish(VectorBuilder &v, const Epilogue::Lanes &at, Value index,
                     Value result, Value line) {
  if (!epilogue.storedResults().empty())
    epilogue.finish(v.b, at, result);
  if (quantizer)
    v.store(epilogue.evaluate(v.b, rows, at, result), line, index);
}

Value cpu::placeOf(HostProgram &program, Operation *kernel, Value inside) {
  Operation *yield = kernel->getRegion(0).front().getTerminator();
  for (OpOperand &operand : yield->getOpOperands())
    if (operand.get() == inside)
      return program.buffer(kernel->getResult(operand.getOperandNumber()))
          .pointer;
  return program.allocateInside(inside).pointer;
}

LogicalResult cpu::emitTrailingRows(HostProgram &program, Operation *kernel,
                                    const RowFormula &formula,
                                    QuantizeDynamicOp quantizer) {
  RowPass pass(program, kernel, formula, Epilogue::Stores::Results);
  if (quantizer) {
    Value codes = placeOf(program, kernel, quantizer.getCodes());
    SmallVector<Value> scales;
    for (Value scale : quantizer.getScales())
      scales.push_back(placeOf(program, kernel, scale));
    if (failed(pass.quantize(quantizer, codes, scales)))
      return failure();
  }
  return pass.launch();
}

/// What makes the rows of `product` inside its kernel; null for none.
static QuantizeDynamicOp prologueOf(MatMulOp product) {
  return cast<kernel::ContractOp>(product->getParentOp()).getQuantizer();
}

kernel::Match cpu::checkPrologue(Operation *op) {
  auto contract = cast<kernel::ContractOp>(op);
  if (LayerNormOp norm = contract.getPrologueNorm())
    if (kernel::Match match = checkFloats(norm); !match)
      return match;
  QuantizeDynamicOp quantizer = contract.getQuantizer();
  return quantizer ? checkQuantization(quantizer) : kernel::Match::success();
}

void cpu::placePrologue(HostProgram &program, MatMulOp product) {
  if (QuantizeDynamicOp quantizer = prologueOf(product))
    for (Value made : quantizer->getResults())
      program.allocateInside(made);
}

static LogicalResult emitPrologue(HostProgram &program, MatMulOp product,
                                  QuantizeDynamicOp quantizer,
                                  RowConsumer &consumer) {
  auto contract = cast<kernel::ContractOp>(product->getParentOp());
  LayerNormOp norm = contract.getPrologueNorm();
  RowFormula formula =
      norm ? formulaOf(norm) : RowFormula{"quantize_dynamic", quantizer.getX()};
  RowPass pass(program, contract, formula, Epilogue::Stores::Nothing);
  SmallVector<Value> scales;
  for (Value scale : quantizer.getScales())
    scales.push_back(program.buffer(scale).pointer);
  if (failed(pass.quantize(
          quantizer, program.buffer(quantizer.getCodes()).pointer, scales)))
    return failure();
  pass.setConsumer(consumer);
  return pass.launch();
}

LogicalResult cpu::emitConsumer(HostProgram &program, MatMulOp product,
                                StringRef name, Value rows,
                                RowConsumer &consumer) {
  if (QuantizeDynamicOp quantizer = prologueOf(product))
    return emitPrologue(program, product, quantizer, consumer);
  CaptureList list;
  consumer.capture(list);
  program.launch(name, list.values(), rows, [&](KernelScope &scope) {
    list.enter(scope);
    VectorBuilder v(scope.code());
    consumer.run(v, scope.part);
  });
  return success();
}
