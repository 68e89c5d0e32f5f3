//===- Map.cpp - Fused element-wise ops -----------------------------------===//
//
// Results of other dims than the rest have a launch of their own. The innermost
// group of axes is walked in vectors; it and the rows above it are cut into
// parts of about as many elements.
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"
#include "Kernels.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::x86;

/// Elements of a part; a multiple of the lanes.
static constexpr int64_t partElements = 16384;

static LogicalResult emitSpace(ProgramEmitter &program, Operation *op,
                               Epilogue &epilogue) {
  epilogue.collapseAll();
  SmallVector<Value> captures, dims = epilogue.groupDims();
  if (failed(epilogue.capture(captures)))
    return failure();
  VectorBuilder host = program.vectors();
  Value inner = dims.back();
  Value rows = host.product(ArrayRef(dims).drop_back());
  Value innerParts = host.ceilDiv(inner, host.i64(partElements));
  Value rowsPerPart = host.max(
      host.div(host.i64(partElements), host.max(inner, host.i64(1))),
      host.i64(1));
  Value parts = host.mul(host.ceilDiv(rows, rowsPerPart), innerParts);
  size_t own = captures.size();
  captures.append({rows, innerParts, rowsPerPart});
  bool hasTail =
      knownNumber(inner).value_or(1) % kLanes != 0 || !knownNumber(inner);

  StringRef name = op->getRegion(0).front().front().getName().getStringRef();
  program.launch(name, captures, parts, [&](KernelScope &scope) {
    epilogue.enter(scope);
    VectorBuilder v = scope.vectors();
    ArrayRef<Value> limits = epilogue.dimsInside();
    Value rows = scope.captures[own], innerParts = scope.captures[own + 1],
          rowsPerPart = scope.captures[own + 2];
    bool isWhole = knownNumber(innerParts) == 1;
    Value rowPart = isWhole ? scope.part : v.div(scope.part, innerParts);
    Value innerPart = isWhole ? v.i64(0) : v.rem(scope.part, innerParts);
    Value low = v.mul(innerPart, v.i64(partElements));
    Value high = v.min(limits.back(), v.add(low, v.i64(partElements)));
    auto walk = [&](SmallVector<Value> coordinates) {
      coordinates.push_back(Value());
      v.loop(low, high, kLanes, [&](Value index) {
        coordinates.back() = index;
        epilogue.finish(scope.b,
                        {coordinates,
                         static_cast<int64_t>(coordinates.size()) - 1,
                         hasTail ? v.sub(high, index) : Value()});
      });
    };
    if (limits.size() == 1)
      return walk({});
    Value firstRow = v.mul(rowPart, rowsPerPart);
    Value lastRow = v.min(rows, v.add(firstRow, rowsPerPart));
    v.loop(firstRow, lastRow, 1, [&](Value row) {
      walk(v.delinearize(row, limits.drop_back()));
    });
  });
  return epilogue.verify();
}

LogicalResult x86::emitMap(ProgramEmitter &program, Operation *op) {
  llvm::SmallSet<unsigned, 8> done;
  Operation *yield = op->getRegion(0).front().getTerminator();
  for (OpOperand &operand : yield->getOpOperands()) {
    if (done.contains(operand.getOperandNumber()))
      continue;
    Epilogue epilogue(program, op, operand.get(), Value());
    done.insert(epilogue.storedResults().begin(),
                epilogue.storedResults().end());
    if (failed(emitSpace(program, op, epilogue)))
      return failure();
  }
  return success();
}
