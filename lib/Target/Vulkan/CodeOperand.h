//===- CodeOperand.h - An operand of a contraction --------------*- C++ -*-===//
//
// Codes with the scales and zeros beside them, decoded for the sum that the
// element types ask for.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_VULKAN_CODEOPERAND_H
#define QOPT_LIB_TARGET_VULKAN_CODEOPERAND_H

#include "DeviceProgram.h"
#include "dialects/QOpt/IR/Formats.h"

namespace qopt::vulkan {

enum class SumKind { Chain, Integer, Grouped };

/// The scale of a group: the product of its scales, and, of E8M0 scales, the
/// sum of their exponents and whether one is NaN.
struct GroupScale {
  mlir::Value factor, exponent, isNaN;
};

class CodeOperand {
public:
  CodeOperand(DeviceProgram &program, mlir::Value codes,
              mlir::ValueRange scales, mlir::ValueRange zeros,
              std::optional<FormatAttr> format);
  /// Brings all tensors to the device.
  mlir::LogicalResult prepare();

  bool isReal() const { return isReal(codes); }
  static bool isReal(mlir::Value tensor);
  bool hasScales() const { return !scales.empty(); }
  bool hasOnlyExponents() const;
  /// Codes along `axis` that share scales; 0 where all do.
  int64_t getBlock(int64_t axis) const;
  /// t such that each unit * (code - zero) * 2^t is an integer, where the
  /// format has one; else 0.
  int getMultiplierLog2() const;
  mlir::ValueRange dims() const { return hostDims; }

  /// code - zero of the code at `index`, whose coordinates are `position`.
  mlir::Value integer(Shader &shader, mlir::Value index,
                      mlir::ValueRange position);
  /// unit * (code - zero) * 2^getMultiplierLog2(); of reals, the real.
  mlir::Value real(Shader &shader, mlir::Value index,
                   mlir::ValueRange position);
  GroupScale scale(Shader &shader, mlir::ValueRange position);

private:
  mlir::Value loadBeside(Shader &shader, mlir::Value tensor,
                         mlir::ValueRange position);

  DeviceProgram &program;
  mlir::Value codes;
  llvm::SmallVector<mlir::Value> scales, zeros, hostDims;
  std::optional<FormatAttr> format;
};

/// Which sum the element types of two operands ask for.
SumKind getSumKind(const CodeOperand &a, const CodeOperand &b);

/// y with the sum `t` of a group added, times the scales.
mlir::Value addGroup(Shader &shader, const CodeOperand &a, const CodeOperand &b,
                     mlir::Value y, mlir::Value t, const GroupScale &aScale,
                     const GroupScale &bScale);

} // namespace qopt::vulkan

#endif
