//===- GroupedContractOperand.h - Codes with what stands beside -*- C++ -*-===//
//
// How kernels decode codes and find the scales and zeros of a group.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTOPERAND_H
#define QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTOPERAND_H

#include "ContractSchedule.h"
#include "dialects/QOpt/IR/Formats.h"
#include "dialects/QOpt/IR/QOptOps.h"

namespace qopt::cpu {

/// The scales, or zeros, beside a tensor of codes.
class BesideTensors {
public:
  BesideTensors() = default;
  BesideTensors(CpuProgram &program, mlir::ValueRange tensors,
                mlir::Value codes, std::optional<FormatAttr> format);

  bool empty() const { return entries.empty(); }
  void capture(CaptureList &captures);
  /// The scales under the code at `coordinates` as one word: their product, or
  /// the sum of their exponents. Scalar, or for 16 codes along the last axis.
  mlir::Value scale(VectorBuilder &v, llvm::ArrayRef<mlir::Value> coordinates,
                    ScaleWord kind, bool forLanes) const;
  /// The zero as f32.
  mlir::Value zero(VectorBuilder &v, llvm::ArrayRef<mlir::Value> coordinates,
                   bool forLanes) const;

private:
  struct Entry {
    mlir::Value pointer;
    mlir::Type element;
    llvm::SmallVector<mlir::Value> strides;
    llvm::SmallVector<int64_t> blocks;
    /// Elements follow each other along the last axis.
    bool hasLanes;
  };
  mlir::Value load(VectorBuilder &v, const Entry &entry,
                   llvm::ArrayRef<mlir::Value> coordinates,
                   bool forLanes) const;

  std::vector<Entry> entries;
};

/// A scale as a word: its f32 value, or the exponent of an E8M0 byte.
mlir::Value scaleWord(VectorBuilder &v, mlir::Value lanes, mlir::Type element,
                      ScaleWord kind);
/// The word of two scales together.
mlir::Value joinScales(VectorBuilder &v, mlir::Value a, mlir::Value b,
                       ScaleWord kind);

/// An operand of a grouped product.
struct GroupedOperand {
  GroupedOperand() = default;
  explicit GroupedOperand(const ScaledTensor &operand)
      : tensor(operand.tensor), scales(operand.scales), zeros(operand.zeros) {
    if (operand.format)
      format = operand.format;
  }

  mlir::Value tensor;
  mlir::ValueRange scales, zeros;
  std::optional<FormatAttr> format;

  mlir::RankedTensorType type() const {
    return mlir::cast<mlir::RankedTensorType>(tensor.getType());
  }
  mlir::Type element() const { return type().getElementType(); }
  bool isF32() const { return element().isF32(); }
  unsigned bits() const { return element().getIntOrFloatBitWidth(); }
  /// f32, or codes of at most 8 bits.
  bool isSupported() const;
  bool hasOnlyExponents() const;
  /// Codes along `axis` that share scales; 0 where all do.
  int64_t blockAlong(int64_t axis) const;
  /// See Formats.h: what makes unit * code an integer.
  int multiplierLog2() const;
  /// (code - zero) * unit * 2^multiplierLog2() of 16 loaded codes; `zero` is
  /// f32 lanes or null.
  mlir::Value decode(VectorBuilder &v, mlir::Value codes,
                     mlir::Value zero = {}) const;
  /// What an element less its zero is multiplied by, as a power of two.
  int factorLog2() const;
};

/// 16 codes of `bits` each, in i32 lanes, from a stream of bits that begins at
/// byte `offset`.
mlir::Value unpackLanes(VectorBuilder &v, mlir::Value pointer,
                        mlir::Value offset, unsigned bits);

/// The groups of a product of two operands whose k runs along these axes.
/// Nothing where the blocks do not fit each other.
std::optional<GroupShape>
groupShapeOf(const Tier &tier, const GroupedOperand &lhs, int64_t lhsAxis,
             const GroupedOperand &rhs, int64_t rhsAxis);

/// The groups of a convolution. Blocks along its outputs have scales for each
/// kernel position, so k is cut there as well.
std::optional<GroupShape> convGroupShapeOf(const Tier &tier,
                                           const GroupedOperand &x,
                                           const GroupedOperand &w);

} // namespace qopt::cpu

#endif
