//===- Movement.cpp - Ops that only copy elements -------------------------===//
//
// Their formulas are their kernels (DeviceLoops.h).
//
//===----------------------------------------------------------------------===//

#include "lib/Target/Cpu/Movement.h"
#include "Kernels.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::vulkan;

kernel::Match vulkan::checkSlice(const AnyDevice &, Operation *op) {
  if (kernel::Match match = cpu::checkSlice({}, op); !match)
    return match;
  if (!isHostTensor(cast<SliceOp>(op).getStarts()))
    return kernel::Match::failure("the dims do not determine the starts");
  return kernel::Match::success();
}
