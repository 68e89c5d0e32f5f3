//===- Kernel.h - What runs an op on a machine ------------------*- C++ -*-===//
//
// The phase `kernels` asks the kernels of a machine, in their order, and writes
// the name of the one that runs an op on it. Lowering looks the kernel up by
// that name and decides nothing.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_IR_KERNEL_H
#define DIALECTS_QKERNEL_IR_KERNEL_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include <string>

namespace qopt::kernel {

/// What a kernel says of an op.
class Match {
public:
  static Match success() { return Match(true, ""); }
  /// The kernel is for other ops, which need no reason.
  static Match other() { return Match(false, ""); }
  /// The kernel is for such ops, but not for this one.
  static Match failure(const llvm::Twine &reason) {
    return Match(false, reason.str());
  }

  explicit operator bool() const { return isMatch; }
  llvm::StringRef getReason() const { return reason; }

private:
  Match(bool isMatch, std::string reason)
      : isMatch(isMatch), reason(std::move(reason)) {}

  bool isMatch;
  std::string reason;
};

/// What kernels write with. A target has its own, which its kernels know.
class KernelBuilder {
public:
  virtual ~KernelBuilder() = default;
};

/// One kernel of a machine: what it can run, and its code.
class Kernel {
public:
  virtual ~Kernel() = default;
  /// What the report prints: "x86-64.contract.i8i8.vnni".
  virtual llvm::StringRef getName() const = 0;
  /// Whether it runs `op`: a kernel op, or a qopt op that has none. What makes
  /// the operands of `op` has its kernel already.
  virtual Match match(mlir::Operation *op) const = 0;
  /// Whether the memory of `value`, an operand or result of `op`, may have
  /// slots behind it along `axis`, as states have that grow.
  virtual bool mayHaveSlots(mlir::Operation *op, mlir::Value value,
                            int64_t axis) const {
    return false;
  }
  /// Puts in place of `launch`, a `qkernel.launch` of an op that it matches and
  /// whose tensors have memory, the launches that it takes, with the memory
  /// that they share. The default is one launch without.
  ///   in:   qkernel.launch @k0.attention(%q, %k, %v) to(%o)
  ///   out:  %t = memref.alloc(%n) : memref<?xi8>
  ///         qkernel.launch @k0.attention(%q, %k, %v) to(%o)
  ///           step "transpose_keys" with(%t)
  ///         qkernel.launch @k0.attention(%q, %k, %v) to(%o)
  ///           step "attention" with(%t)
  ///         memref.dealloc %t
  virtual mlir::LogicalResult stage(mlir::Operation *launch) const {
    return mlir::success();
  }
  /// Writes what computes `op`, which it matches. A failure has a diagnostic.
  virtual mlir::LogicalResult emit(mlir::Operation *op,
                                   KernelBuilder &builder) const = 0;
};

/// Kernels of one machine, the preferred ones first.
using KernelList = llvm::ArrayRef<const Kernel *>;

/// The name of an op that no kernel matches: loops of its formula run it.
inline constexpr llvm::StringLiteral kGeneric = "generic";

/// The kernel with this name, or null.
inline const Kernel *findKernel(KernelList kernels, llvm::StringRef name) {
  const auto *it = llvm::find_if(
      kernels, [&](const Kernel *kernel) { return kernel->getName() == name; });
  return it == kernels.end() ? nullptr : *it;
}

} // namespace qopt::kernel

#endif
