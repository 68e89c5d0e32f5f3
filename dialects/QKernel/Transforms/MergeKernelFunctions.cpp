//===- MergeKernelFunctions.cpp - Equal kernels, compiled once ------------===//
//
// The first of equal ones stands in for the others.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/Transforms/EqualRegions.h"
#include "dialects/QKernel/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"

#define DEBUG_TYPE "qkernel-merge-kernel-functions"

namespace qopt::kernel {
#define GEN_PASS_DEF_MERGEKERNELFUNCTIONSPASS
#include "dialects/QKernel/Transforms/Passes.h.inc"
} // namespace qopt::kernel

using namespace mlir;
using namespace qopt;

static bool isKernelFunction(LLVM::LLVMFuncOp function) {
  return !function.isExternal() &&
         function.getLinkage() == LLVM::Linkage::Internal;
}

/// All but the name.
static NamedAttrList attributesOf(LLVM::LLVMFuncOp function) {
  NamedAttrList attributes(function->getAttrDictionary());
  attributes.erase(function.getSymNameAttrName());
  return attributes;
}

static llvm::hash_code hashOf(LLVM::LLVMFuncOp function) {
  return llvm::hash_combine(
      attributesOf(function).getDictionary(function.getContext()),
      kernel::hashRegion(function.getBody()));
}

static bool areEqual(LLVM::LLVMFuncOp a, LLVM::LLVMFuncOp b) {
  return attributesOf(a) == attributesOf(b) &&
         kernel::areRegionsEqual(a.getBody(), b.getBody());
}

namespace {
class MergeKernelFunctionsPass
    : public kernel::impl::MergeKernelFunctionsPassBase<
          MergeKernelFunctionsPass> {
public:
  void runOnOperation() override {
    llvm::DenseMap<size_t, SmallVector<LLVM::LLVMFuncOp>> kept;
    llvm::DenseMap<StringAttr, FlatSymbolRefAttr> standIns;
    for (auto function : llvm::make_early_inc_range(
             getOperation().getOps<LLVM::LLVMFuncOp>())) {
      if (!isKernelFunction(function))
        continue;
      SmallVector<LLVM::LLVMFuncOp> &bucket = kept[hashOf(function)];
      auto equal = llvm::find_if(bucket, [&](LLVM::LLVMFuncOp other) {
        return areEqual(function, other);
      });
      if (equal == bucket.end()) {
        bucket.push_back(function);
        continue;
      }
      standIns[function.getSymNameAttr()] = FlatSymbolRefAttr::get(*equal);
      function.erase();
      ++numMerged;
    }
    if (standIns.empty())
      return markAllAnalysesPreserved();
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](FlatSymbolRefAttr use) -> Attribute {
      FlatSymbolRefAttr standIn = standIns.lookup(use.getAttr());
      return standIn ? standIn : use;
    });
    replacer.recursivelyReplaceElementsIn(getOperation());
  }
};
} // namespace
