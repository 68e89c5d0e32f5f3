//===- AssignKernels.cpp - Which kernel runs each op ----------------------===//
//
// What no kernel runs whole loses its quantizer and prologue first, and then
// everything that stands beside its root.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/AssignKernels.h"
#include "KernelGroups.h"
#include "WrapOps.h"
#include "dialects/QKernel/IR/KernelSignature.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

#define DEBUG_TYPE "qkernel-assign"

namespace qopt::kernel {
#define GEN_PASS_DEF_ASSIGNKERNELSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;
using kernel::Kernel;
using kernel::KernelList;

//===----------------------------------------------------------------------===//
// One op
//===----------------------------------------------------------------------===//

namespace {
/// The first kernel that runs an op, or null, and why those before it do not.
struct Choice {
  const Kernel *kernel = nullptr;
  std::string reason;
};
} // namespace

static Choice choose(Operation *op, KernelList kernels) {
  Choice choice;
  llvm::SetVector<StringRef> reasons;
  std::vector<kernel::Match> matches;
  matches.reserve(kernels.size());
  for (const Kernel *kernel : kernels) {
    matches.push_back(kernel->match(op));
    if (matches.back()) {
      choice.kernel = kernel;
      break;
    }
    if (!matches.back().getReason().empty())
      reasons.insert(matches.back().getReason());
  }
  choice.reason = llvm::join(reasons, "; ");
  if (!choice.kernel && reasons.empty())
    choice.reason =
        "no kernel for " + kernel::describe(kernel::getKernelSignature(op));
  return choice;
}

static void write(Operation *op, const Choice &choice) {
  Builder builder(op->getContext());
  StringRef name =
      choice.kernel ? choice.kernel->getName() : StringRef(kernel::kGeneric);
  op->setAttr(kernel::getKernelNameAttrName(op), builder.getStringAttr(name));
  if (choice.reason.empty())
    op->removeAttr(kernel::getReasonAttrName(op));
  else
    op->setAttr(kernel::getReasonAttrName(op),
                builder.getStringAttr(choice.reason));
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

/// Takes apart the kernels that fuse more with their roots than is run, and
/// fuses what they were made of again, without joining quantizers. Only their
/// ops stand bare in a fused block, so nothing else is touched.
static void peelQuantizers(Block &block, KernelList kernels) {
  SmallVector<Operation *> tooMuch;
  for (Operation &op : block)
    if (kernel::isKernel(&op) &&
        kernel::getKernelSignature(&op).fused != "none" &&
        !choose(&op, kernels).kernel)
      tooMuch.push_back(&op);
  if (tooMuch.empty())
    return;
  IRRewriter rewriter(block.getParentOp()->getContext());
  for (Operation *op : tooMuch)
    kernel::decompose(op, rewriter);
  kernel::fuseBlock(block, kernel::Quantizers::StandAlone);
}

static bool isOfSeveralOps(Operation *op) {
  return kernel::isKernel(op) &&
         op->getRegion(0).front().getOperations().size() > 2;
}

/// Writes a kernel on each op, and returns those of several ops that have none.
static SmallVector<Operation *> chooseAll(Block &block, KernelList kernels) {
  SmallVector<Operation *> tooMuch;
  for (Operation &op : block) {
    if (!kernel::needsKernel(&op))
      continue;
    Choice choice = choose(&op, kernels);
    write(&op, choice);
    if (!choice.kernel && isOfSeveralOps(&op))
      tooMuch.push_back(&op);
  }
  return tooMuch;
}

static void assign(Block &block, KernelList kernels) {
  peelQuantizers(block, kernels);
  kernel::wrapBareOps(block);
  SmallVector<Operation *> tooMuch = chooseAll(block, kernels);
  if (tooMuch.empty())
    return;
  IRRewriter rewriter(block.getParentOp()->getContext());
  for (Operation *op : tooMuch)
    kernel::decompose(op, rewriter);
  kernel::wrapBareOps(block);
  chooseAll(block, kernels);
}

void kernel::assignKernels(func::FuncOp program, KernelList kernels) {
  // What encloses a region comes before it.
  SmallVector<Block *> blocks;
  program->walk<WalkOrder::PreOrder>([&](Block *block) {
    if (kernel::isKernel(block->getParentOp()))
      return WalkResult::skip();
    blocks.push_back(block);
    return WalkResult::advance();
  });
  for (Block *block : blocks)
    assign(*block, kernels);
}

namespace {
struct AssignKernelsPass
    : kernel::impl::AssignKernelsPassBase<AssignKernelsPass> {
  void runOnOperation() override {
    kernel::VariantOp variant = getOperation();
    llvm::Expected<KernelList> kernels = variant.getTarget().getKernels();
    if (!kernels) {
      variant.emitOpError(llvm::toString(kernels.takeError()));
      return signalPassFailure();
    }
    for (auto program : variant.getBody().getOps<func::FuncOp>()) {
      kernel::assignKernels(program, *kernels);
      program.walk([&](Operation *op) {
        auto name =
            op->getAttrOfType<StringAttr>(kernel::getKernelNameAttrName(op));
        numGeneric += name && name.getValue() == kernel::kGeneric;
      });
    }
  }
};
} // namespace
