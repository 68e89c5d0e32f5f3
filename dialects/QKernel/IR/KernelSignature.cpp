//===- KernelSignature.cpp - The types that kernels are told by -----------===//
//
// The signature of a kernel is that of its root; a map, and an op outside of
// any kernel, has no weight.
//
//===----------------------------------------------------------------------===//

#include "dialects/QKernel/IR/KernelSignature.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace qopt;

static std::string typeName(Value value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << getElementTypeOrSelf(value);
  return text;
}

static std::string scaleName(ValueRange scales) {
  if (scales.empty())
    return "none";
  Type type = getElementTypeOrSelf(scales.front());
  if (isa<Float8E8M0FNUType>(type))
    return "e8m0";
  if (isa<Float8E4M3FNType>(type))
    return "e4m3";
  return typeName(scales.front());
}

static std::string granularityName(FormatAttr format) {
  if (!format || !format.hasAxis())
    return "tensor";
  return format.isBlocked() ? "block" : "channel";
}

static Operation *rootOf(Operation *op) {
  if (!kernel::isKernel(op))
    return op;
  return llvm::TypeSwitch<Operation *, Operation *>(op)
      .Case<kernel::ContractOp, kernel::DepthwiseConvOp, kernel::AttentionOp,
            kernel::RowsOp>([](auto kernel) { return kernel.getRoot(); })
      .Default([](Operation *map) { return map; });
}

static StringRef fusedName(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case([](kernel::ContractOp contract) {
        return contract.getPrologueNorm() ? "norm+quantize"
               : contract.getQuantizer()  ? "quantize"
                                          : "none";
      })
      .Case([](kernel::RowsOp rows) {
        auto quantizer = dyn_cast<QuantizeDynamicOp>(rows.getRoot());
        if (quantizer && !isa<BlockArgument>(quantizer.getX()))
          return "map";
        return rows.getQuantizer() ? "quantize" : "none";
      })
      .Default([](Operation *) { return "none"; });
}

kernel::KernelSignature kernel::getKernelSignature(Operation *op) {
  KernelSignature signature{op->getName().stripDialect().str(),
                            "none",
                            "none",
                            "none",
                            "tensor",
                            "f32",
                            fusedName(op).str()};
  Operation *root = rootOf(op);
  auto product = dyn_cast<ContractionOpInterface>(root);
  if (product && product.takesCodes()) {
    Contraction sum = product.getContraction();
    signature.activation = typeName(sum.lhs.tensor);
    signature.weight = typeName(sum.rhs.tensor);
    signature.scale = scaleName(sum.rhs.scales);
    signature.granularity = granularityName(sum.rhs.format);
    signature.accumulator =
        isa<IntegerType>(getElementTypeOrSelf(root->getResult(0))) ? "i32"
                                                                   : "f32";
  } else if (auto dynamic = dyn_cast<QuantizeDynamicOp>(root)) {
    signature.operation = "quantize_dynamic";
    signature.activation = typeName(dynamic.getCodes());
    signature.scale = scaleName(dynamic.getScales());
    signature.granularity = dynamic.getFormat().isBlocked() ? "block" : "row";
  } else if (root->getNumOperands() > 0) {
    signature.activation = typeName(root->getOperand(0));
  }
  return signature;
}

std::string kernel::describe(const KernelSignature &signature) {
  std::string text = signature.operation + " of " + signature.activation +
                     " by " + signature.weight + " with " + signature.scale +
                     " scales";
  return signature.fused == "none" ? text : text + " and " + signature.fused;
}
