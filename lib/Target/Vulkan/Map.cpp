//===- Map.cpp - Fused element-wise ops -----------------------------------===//
//
// Results of other dims than the rest have a dispatch of their own.
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"
#include "Kernels.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

LogicalResult vulkan::emitMap(DeviceProgram &program, Operation *op) {
  llvm::SmallSet<unsigned, 8> done;
  Operation *yield = op->getRegion(0).front().getTerminator();
  for (OpOperand &operand : yield->getOpOperands()) {
    if (done.contains(operand.getOperandNumber()))
      continue;
    Epilogue epilogue(program, op, operand.get(), Value());
    done.insert(epilogue.storedResults().begin(),
                epilogue.storedResults().end());
    epilogue.allocate();
    Value count = program.code().product(epilogue.dims());
    if (failed(program.dispatch(count, [&](Shader &shader, Value index) {
          return epilogue.finish(
              shader, shader.delinearize(index, shader.host(epilogue.dims())));
        })))
      return failure();
  }
  return success();
}
