//===- KernelTable.h - Kernels that rows of a table make --------*- C++ -*-===//
//
// A target's kernels are data: the table chooses, is tested against Reference,
// and is what the documentation prints.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_KERNELTABLE_H
#define QOPT_TARGET_KERNELTABLE_H

#include "dialects/QKernel/IR/KernelSignature.h"
#include "dialects/QKernel/IR/QKernelOps.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <vector>

namespace qopt {

/// What a kernel runs, in the words of KernelSignature. `*` stands for any type
/// that the kernel's check lets pass, never for an operation.
struct KernelTypes {
  llvm::StringLiteral operation, activation, weight, scale, granularity,
      accumulator, fused;
};

bool matches(const KernelTypes &types,
             const kernel::KernelSignature &signature);

/// A row: one kernel of the machines whose `feature` it needs.
template <class Machine, class Program> struct KernelRow {
  KernelTypes types;
  /// What the machine must have; "" for nothing beyond the target's baseline.
  llvm::StringLiteral feature;
  /// The name without the target's.
  llvm::StringLiteral name;
  /// What the types do not say; null where they say it all.
  kernel::Match (*check)(const Machine &machine, mlir::Operation *op);
  /// Null for views, which are no launches.
  mlir::LogicalResult (*emit)(Program &program, mlir::Operation *op);
  /// As Kernel::mayHaveSlots; null where nothing may.
  bool (*mayHaveSlots)(mlir::Operation *op, mlir::Value value,
                       int64_t axis) = nullptr;
};

/// The kernel of a row. `Program` is the target's KernelBuilder, whose
/// `checkBody` says what all its kernels ask of an op, and whose `stage` what
/// launches they take.
template <class Machine, class Program>
class TableKernel final : public kernel::Kernel {
public:
  TableKernel(llvm::StringRef target, const KernelRow<Machine, Program> &row,
              const Machine &machine)
      : name((target + "." + row.name).str()), row(row), machine(machine) {}

  llvm::StringRef getName() const override { return name; }

  kernel::Match match(mlir::Operation *op) const override {
    if (!matches(row.types, kernel::getKernelSignature(op)))
      return kernel::Match::other();
    kernel::Match match =
        row.check ? row.check(machine, op) : kernel::Match::success();
    return match ? Program::checkBody(op) : match;
  }

  bool mayHaveSlots(mlir::Operation *op, mlir::Value value,
                    int64_t axis) const override {
    return row.mayHaveSlots && row.mayHaveSlots(op, value, axis);
  }

  mlir::LogicalResult stage(mlir::Operation *launch) const override {
    return Program::stage(*this, machine, mlir::cast<kernel::LaunchOp>(launch));
  }

  mlir::LogicalResult emit(mlir::Operation *op,
                           kernel::KernelBuilder &builder) const override {
    return row.emit(static_cast<Program &>(builder), op);
  }

private:
  std::string name;
  const KernelRow<Machine, Program> &row;
  const Machine &machine;
};

/// The kernels of a machine, with the list that passes are given.
class KernelSet {
public:
  void add(std::unique_ptr<kernel::Kernel> kernel) {
    list.push_back(kernel.get());
    owned.push_back(std::move(kernel));
  }
  /// The kernel that `row` makes for `machine`; both outlive the set.
  template <class Machine, class Program>
  void add(llvm::StringRef target, const KernelRow<Machine, Program> &row,
           const Machine &machine) {
    add(std::make_unique<TableKernel<Machine, Program>>(target, row, machine));
  }
  kernel::KernelList kernels() const { return list; }

private:
  std::vector<std::unique_ptr<kernel::Kernel>> owned;
  std::vector<const kernel::Kernel *> list;
};

} // namespace qopt

#endif // QOPT_TARGET_KERNELTABLE_H
