//===- Contraction.h - What sums of products have in common -----*- C++ -*-===//
//
// The words that the interfaces of ops answer in. Roles of axes are given by
// ranks alone, also for an op whose verifier has not run.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_CONTRACTION_H
#define DIALECTS_QOPT_IR_CONTRACTION_H

#include "dialects/QOpt/IR/QOptDialect.h"
#include "mlir/IR/ValueRange.h"

namespace qopt {

/// The kinds of kernels: what shapes their loops.
enum class KernelFamily { Contract, DepthwiseConv, Attention, Rows };

/// A tensor of reals or codes, and what makes reals of its codes.
struct ScaledTensor {
  mlir::Value tensor;
  mlir::OperandRange scales = noOperands(), zeros = noOperands();
  /// Null where there is none.
  FormatAttr format = {};
  /// The attribute that holds the format.
  llvm::StringRef formatName = {};

  static mlir::OperandRange noOperands() {
    return {static_cast<mlir::OpOperand *>(nullptr), 0};
  }
};

/// What an axis is to a sum; the image of a convolution has axes that are two.
enum AxisRole : unsigned {
  /// Both operands have it, and so has the result.
  kBatchAxis = 1,
  /// The lhs has it, and so has the result: M.
  kRowAxis = 2,
  /// The rhs has it, and so has the result: N.
  kOutputAxis = 4,
  /// The sum runs along it: K. The first such axis of an operand is that of
  /// its blocks.
  kProductAxis = 8,
};

using AxisRoles = llvm::SmallVector<unsigned, 4>;

/// The axes that have `role`, ascending.
llvm::SmallVector<int64_t> findAxes(llvm::ArrayRef<unsigned> roles,
                                    AxisRole role);

/// One side of a contraction.
struct ContractionOperand : ScaledTensor {
  mlir::OpOperand *operand = nullptr;
  AxisRoles axes;

  mlir::RankedTensorType getType() const {
    return mlir::cast<mlir::RankedTensorType>(tensor.getType());
  }
  llvm::SmallVector<int64_t> getSummedAxes() const {
    return findAxes(axes, kProductAxis);
  }
  /// Where blocks of products lie.
  int64_t getProductAxis() const { return getSummedAxes().front(); }
  /// The axis that is the outputs of a weight; -1 for a vector.
  int64_t getOutputAxis() const;
};

/// `result = sum over k of lhs * rhs [+ bias]`.
struct Contraction {
  ContractionOperand lhs, rhs;
  /// Null for none: one value for each output.
  mlir::OpOperand *bias = nullptr;
  AxisRoles resultAxes;
  /// Groups of channels that never meet.
  int64_t group = 1;
  /// True where the sum moves a window over an image.
  bool isConvolution = false;

  bool hasScales() const { return !lhs.scales.empty() || !rhs.scales.empty(); }
  /// True where each output is made from one of several channels.
  bool isDepthwise() const;
  /// The axis of the result that is the outputs; -1 where there is none.
  int64_t getResultOutputAxis() const;
  /// Products of one sum; nothing where an open dim decides.
  std::optional<int64_t> countProducts() const;
};

/// See QOpt_EpilogueTrait.
template <typename ConcreteType>
class EpilogueTrait
    : public mlir::OpTrait::TraitBase<ConcreteType, EpilogueTrait> {};

/// See QOpt_SerialTrait.
template <typename ConcreteType>
class SerialTrait : public mlir::OpTrait::TraitBase<ConcreteType, SerialTrait> {
};

} // namespace qopt

#include "dialects/QOpt/IR/QOptInterfaces.h.inc"

#endif // DIALECTS_QOPT_IR_CONTRACTION_H
