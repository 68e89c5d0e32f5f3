//===- CodeOperand.h - An operand of a contraction --------------*- C++ -*-===//
//
// A tensor with the scales and zeros beside it, decoded for the sum that the
// element types ask for.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_REFERENCE_CODEOPERAND_H
#define LIB_REFERENCE_CODEOPERAND_H

#include "Evaluation.h"
#include "ScaleLayout.h"

namespace qopt::reference {

/// The scale of a group of codes: the product of its scales.
struct GroupScale {
  /// Of E8M0 scales, the sum of their exponents.
  int32_t exponent = 0;
  bool isNaN = false;
  float factor = 1;
};

class CodeOperand {
public:
  /// Fails where scales or zeros do not fit the codes. `insertAxis` adds an
  /// axis of size 1 in front of that axis to all tensors.
  static llvm::Expected<CodeOperand>
  get(const Evaluation &evaluation, mlir::Value codes, mlir::ValueRange scales,
      mlir::ValueRange zeros, std::optional<FormatAttr> format,
      std::optional<int64_t> insertAxis = std::nullopt);

  llvm::ArrayRef<int64_t> getDims() const { return codes.getDims(); }
  bool isInteger() const { return reference::isInteger(codes.getType()); }
  /// f32, f16 or bf16.
  bool isReal() const;
  bool hasScales() const { return !scales.empty(); }
  bool hasOnlyExponents() const;
  /// Codes along `axis` that share scales; 0 where all do.
  int64_t getBlock(int64_t axis) const;
  /// t such that each unit * (code - zero) * 2^t is an integer, where the
  /// format has one; else 0.
  int getMultiplierLog2() const;

  /// code - zero, of integer codes.
  std::vector<int32_t> getIntegers() const;
  /// unit * (code - zero) * 2^getMultiplierLog2().
  std::vector<float> getReals() const;
  GroupScale getScale(llvm::ArrayRef<int64_t> position) const;
  /// Of a position outside an image, whose last two coordinates do not matter:
  /// the product of the scales that are one for all of its plane.
  GroupScale getScaleOutside(llvm::ArrayRef<int64_t> position) const;

private:
  struct Beside {
    HostTensor tensor;
    ScaleLayout layout;
  };
  CodeOperand() = default;
  template <class Visit> void forEachZero(Visit visit) const;
  template <class Counts>
  GroupScale multiplyScales(llvm::ArrayRef<int64_t> position,
                            Counts counts) const;

  HostTensor codes;
  llvm::SmallVector<Beside> scales, zeros;
  std::optional<FormatAttr> format;
};

/// Which sum the element types of two operands ask for.
enum class SumKind { Chain, Integer, Grouped };
SumKind getSumKind(const CodeOperand &a, const CodeOperand &b);

/// How the sum of a group enters the result.
class GroupSum {
public:
  GroupSum(const CodeOperand &a, const CodeOperand &b);
  /// y + t times the scales.
  float add(float y, float t, const GroupScale &a, const GroupScale &b) const;

private:
  bool hasOnlyExponents;
  int multiplierLog2;
};

} // namespace qopt::reference

#endif // LIB_REFERENCE_CODEOPERAND_H
