//===- QOptInterfaces.td - What passes ask of ops -----------*- tablegen -*-===//
//
// A pass that works on products and convolutions alike asks one of these, and
// names no op.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTINTERFACES_TD
#define DIALECTS_QOPT_IR_QOPTINTERFACES_TD

include "mlir/IR/OpBase.td"

class QOpt_OpInterface<string name> : OpInterface<name> {
  let cppNamespace = "::qopt";
}

def QOpt_ScaledOpInterface : QOpt_OpInterface<"ScaledOpInterface"> {
  let description = [{
    An op whose tensors have scales and zeros beside them, as operands. The sizes
    of these are 1, the dim, or the number of blocks on the format's axis.
  }];
  let methods = [
    InterfaceMethod<"The tensors that have room for scales, with theirs.",
      "::llvm::SmallVector<::qopt::ScaledTensor>", "getScaledTensors">
  ];
}

def QOpt_ContractionOpInterface
    : QOpt_OpInterface<"ContractionOpInterface"> {
  let description = [{
    A sum of products of two tensors. Attention is none: a softmax stands between
    its two products.
  }];
  let methods = [
    InterfaceMethod<"The operands, and what each of their axes is to the sum.",
      "::qopt::Contraction", "getContraction">,
    InterfaceMethod<[{
        True for an op that can have codes with their scales and zeros as
        operands. Others are floats, which `prepare` rewrites.
      }], "bool", "takesCodes", (ins), "", "return true;">,
    InterfaceMethod<[{
        Makes the op again, with its plan, on other operands; `bias` may be null.
        For an op that takes codes.
      }], "::mlir::Value", "rebuild",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Type":$resultType,
           "const ::qopt::ScaledTensor &":$lhs,
           "const ::qopt::ScaledTensor &":$rhs, "::mlir::Value":$bias), "",
      [{ llvm_unreachable("an op without room for codes"); }]>
  ];
}

def QOpt_KernelRootOpInterface
    : QOpt_OpInterface<"KernelRootOpInterface"> {
  let description = [{
    An op that a kernel is made around: at most one of a kernel's ops is.
  }];
  let methods = [
    InterfaceMethod<"The kernels that compute it.",
      "::qopt::KernelFamily", "getKernelFamily", (ins), "",
      "return ::qopt::KernelFamily::Rows;">,
    InterfaceMethod<[{
        The operand that the kernel can make itself, row by row, from what comes
        before; null for none.
      }], "::mlir::OpOperand *", "getPrologueOperand", (ins), "",
      "return nullptr;">,
    InterfaceMethod<[{
        True where the kernel has a row of the last axis whole before it makes
        the next, so that the row can be quantized behind it.
      }], "bool", "makesWholeRows", (ins), "", "return false;">
  ];
}

/// May stand beside a kernel's root: an element of the result needs one element
/// of the first operand, and parameters.
def QOpt_EpilogueTrait : NativeOpTrait<"EpilogueTrait"> {
  let cppNamespace = "::qopt";
}

/// Looks at elements in their order: one invocation computes it.
def QOpt_SerialTrait : NativeOpTrait<"SerialTrait"> {
  let cppNamespace = "::qopt";
}

#endif
