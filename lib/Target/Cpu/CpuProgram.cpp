//===- CpuProgram.cpp - The program of a tier -----------------------------===//
//
// Products and attention are cut into tiles, which have a size.
//
//===----------------------------------------------------------------------===//

#include "CpuProgram.h"
#include "dialects/QKernel/IR/QKernelOps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::cpu;

LogicalResult CpuProgram::stage(const kernel::Kernel &kernel, const Tier &tier,
                                kernel::LaunchOp launch) {
  OwningOpRef<ModuleOp> module(ModuleOp::create(launch.getLoc()));
  WeightsSection weights;
  return CpuProgram(*module, tier, {}, weights).stageLaunch(launch, kernel);
}

LogicalResult CpuProgram::emitKernel(Operation *op,
                                     const kernel::Kernel &kernel) {
  // The dims, which operands give, can tell more than the types.
  auto isEmpty = [&](Value result) {
    return llvm::any_of(dims(result),
                        [](Value dim) { return knownNumber(dim) == 0; });
  };
  bool hasTiles =
      isa<kernel::ContractOp, kernel::DepthwiseConvOp, kernel::AttentionOp>(op);
  if (!hasTiles || !llvm::all_of(op->getResults(), isEmpty))
    return HostProgram::emitKernel(op, kernel);
  return success();
}
