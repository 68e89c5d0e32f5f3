//===- Contract.h - What became of each ONNX node ---------------*- C++ -*-===//
//
// A row for each node: the precision that was asked for, the one that policy
// planned and why, and the one that was realised and by which kernel.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_PIPELINES_CONTRACT_H
#define QOPT_PIPELINES_CONTRACT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Pipelines/Recipe.h"
#include "llvm/Support/JSON.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace qopt {

namespace kernel {
class VariantOp;
}

struct ContractRow {
  int64_t id = 0;
  std::string node, op, asked, planned, realised;
  /// What runs it on the best machine, or in which phase it was folded, and
  /// why.
  std::string kernel, reason;
  /// What runs it on each machine, the least demanding first.
  std::vector<std::pair<std::string, std::string>> kernels;
  /// A product of tensors, or an op that was folded into one.
  bool isContraction = false;
  /// Policy decided about it; every other node follows its inputs.
  bool isPlanned = false;
  /// Multiply-accumulates of one run, unknown dims counted as 1.
  uint64_t macs = 0;
};

/// Bytes of the constants that a program holds.
struct WeightBytes {
  /// By element type, as in `i8` or `f4E2M1FN`.
  std::map<std::string, uint64_t> codes;
  uint64_t scales = 0, floats = 0;
  uint64_t total() const;
};

/// What runs a node on one machine.
struct NodeKernel {
  int64_t node = 0;
  std::string kernel;
  /// Why it is the generic one; "" for others.
  std::string reason;
  /// The node whose products the kernel computes, where it computes some.
  std::optional<int64_t> products;
};

/// Where `Contract::writeKernels` writes.
inline constexpr llvm::StringLiteral kNodeKernelsAttrName = "qopt.node_kernels";

/// Checks that `variant` says of each node at most once what runs it.
llvm::LogicalResult verifyNodeKernels(kernel::VariantOp variant);

class Contract {
public:
  /// Reads the node table.
  void start(mlir::ModuleOp module);
  /// Reads the plan of the float program that the phase `phase` left, and what
  /// `recipe` asks of each node. Called again after policy changed the plan. A
  /// node without an op is a row "folded in <phase>".
  void readPlan(mlir::func::FuncOp main, const Recipe &recipe,
                llvm::StringRef phase);
  /// Reads what the program holds when the numbers are fixed.
  void readResult(mlir::func::FuncOp main, llvm::StringRef phase);
  /// Reads which kernels run it: in `kernels` from ops, whose nodes their
  /// locations name; what `writeKernels` left stands for them.
  void readKernels(mlir::ModuleOp module);
  /// Writes on each variant which kernel runs each node. Kernels that are alike
  /// become one function in `target`, with the location of the first.
  void writeKernels(mlir::ModuleOp module);

  llvm::ArrayRef<ContractRow> getRows() const { return rows; }
  const WeightBytes &getBytes() const { return bytes; }

  /// Rows that break the contract at a level: `planned` (realised is not
  /// planned), `any` (nor what was asked), `slow` (or runs on a generic
  /// kernel on one of the machines).
  std::vector<const ContractRow *> findBreaches(llvm::StringRef level) const;

  /// Share of multiply-accumulates at each realised precision.
  std::map<std::string, double> shareOfMacs() const;

  llvm::json::Value toJson() const;
  /// `node "/x" (Conv)` for the node that a location is of, of several the one
  /// with products; empty where it is of none.
  std::string describeNode(mlir::Location loc) const;
  /// A few lines for people.
  std::string summarize() const;

  /// Of the nodes that a location is of, the one with products; null for none.
  const ContractRow *findRowOfProducts(mlir::Location loc) const;

private:
  const ContractRow *find(int64_t id) const;
  ContractRow *find(int64_t id);
  ContractRow *findRowOfProducts(mlir::Operation *contraction);
  ContractRow *findRowOfKernel(mlir::Operation *op);
  std::vector<NodeKernel> findKernels(kernel::VariantOp variant);
  void readKernelsOf(kernel::VariantOp variant);
  void finish(ContractRow &row, llvm::StringRef phase);

  std::vector<ContractRow> rows;
  WeightBytes bytes;
};

} // namespace qopt

#endif
