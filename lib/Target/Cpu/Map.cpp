//===- Map.cpp - Fused element-wise ops -----------------------------------===//
//
// Results of other dims than the rest have a pass of their own.
//
//===----------------------------------------------------------------------===//

#include "ElementwiseLoop.h"
#include "Kernels.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

LogicalResult cpu::emitMap(HostProgram &program, Operation *op) {
  Block &body = op->getRegion(0).front();
  StringRef name = body.front().getName().stripDialect();
  llvm::SmallSet<unsigned, 8> done;
  for (OpOperand &operand : body.getTerminator()->getOpOperands()) {
    if (done.contains(operand.getOperandNumber()))
      continue;
    Epilogue epilogue(program, op, operand.get(), Value());
    done.insert(epilogue.storedResults().begin(),
                epilogue.storedResults().end());
    if (failed(emitElementwiseLoop(program, name, epilogue)))
      return failure();
  }
  return success();
}
