//===- Kernels.cpp - What every CPU runs ----------------------------------===//
//
// The table of the kernels of this folder.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Movement.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

using Row = KernelRow<AnyCpu, HostProgram>;

/// Of an op that has no weight, whatever it is fused with.
static constexpr KernelTypes any(llvm::StringLiteral operation) {
  return {operation, "*", "*", "*", "*", "*", "*"};
}

static constexpr Row kTable[] = {
    // types, feature, name, check, emit
    {any("quantize_dynamic"), "", "quantize-dynamic", checkQuantizeDynamic,
     emitQuantizeDynamic},
    {any("rows"), "", "rows", checkRows, emitRows},
    {any("map"), "", "map", nullptr, emitMap},
    {any("max_pool"), "", "max-pool", checkPool, emitPool},
    {any("average_pool"), "", "average-pool", checkPool, emitPool},
    // Views share memory; nobody launches them.
    {any("bit_cast"), "", "bit-cast", nullptr, nullptr},
    {any("reshape"), "", "reshape", nullptr, nullptr},
    {any("flatten"), "", "flatten", nullptr, nullptr},
    {any("squeeze"), "", "squeeze", nullptr, nullptr},
    {any("unsqueeze"), "", "unsqueeze", nullptr, nullptr},
    {any("transpose"), "", "transpose", nullptr, emitTranspose},
    {any("slice"), "", "slice", checkSlice, emitSlice},
    {any("concat"), "", "concat", nullptr, emitConcat, joinsWithSlots},
    {any("split"), "", "split", nullptr, emitSplit},
    {any("gather"), "", "gather", nullptr, emitGather},
    {any("expand"), "", "expand", nullptr, emitExpand},
    {any("pad"), "", "pad", nullptr, emitPad},
    {any("shape"), "", "shape", nullptr, emitShape},
    {any("constant_of_shape"), "", "constant-of-shape", nullptr,
     emitConstantOfShape},
    {any("range"), "", "range", nullptr, emitRange},
};

void cpu::addKernels(KernelSet &set, llvm::StringRef target) {
  static constexpr AnyCpu machine;
  for (const Row &row : kTable)
    set.add(target, row, machine);
}

kernel::Match cpu::checkFloats(Operation *op) {
  for (Value operand : op->getOperands()) {
    Type element = getElementTypeOrSelf(operand);
    if (!laneType(element) || !laneType(element).isF32())
      return unsupported(element);
  }
  return kernel::Match::success();
}
