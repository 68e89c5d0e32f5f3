//===- TargetBackend.h - A machine that code is generated for ---*- C++ -*-===//
//
// The plug-in interface of targets. Passes ask for capabilities; nothing
// outside lib/Target/<Name> asks which target it is.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_TARGETBACKEND_H
#define QOPT_TARGET_TARGETBACKEND_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Target/CodeForm.h"
#include "qopt/Target/Machine.h"
#include "qopt/Target/WeightsSection.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace qopt {

/// What is asked of a target.
struct TargetConfig {
  /// The name of one of its machines.
  std::string cpu;
  /// What `emitDevice` writes.
  CodeForm form = CodeForm::Object;
};

/// A row of a target's table: what one kernel can run. `*` stands for any.
struct Capability {
  /// The kernel's op: `contract`, `depthwise_conv`, `attention`, `rows`, `map`,
  /// or a qopt op that has no kernel op.
  llvm::StringLiteral operation;
  /// Element types of the activation and of the weight operand.
  llvm::StringLiteral activation, weight;
  /// `none`, `f32`, `f16`, `e8m0`, `e4m3`: the type of the innermost scales.
  llvm::StringLiteral scale;
  /// `tensor`, `channel`, `row`, `block`.
  llvm::StringLiteral granularity;
  /// `f32` or `i32`.
  llvm::StringLiteral accumulator;
  /// What is fused with the root beside the element-wise ops of its epilogue:
  /// `none`; `quantize` or `norm+quantize` in front of a product; `quantize`
  /// behind a norm or softmax; `map` in front of `quantize_dynamic`.
  llvm::StringLiteral fused;
  /// How the weight lies in memory.
  llvm::StringLiteral layout;
  /// What the tier must have; "" for nothing beyond the target's baseline.
  llvm::StringLiteral feature;
  /// The name that the report prints.
  llvm::StringLiteral kernel;
};

/// Rows that a machine runs, the preferred ones first.
using TargetCapabilities = llvm::SmallVector<Capability>;

/// The kernel for an op. Without a name, `reason` says why there is none; with
/// one, it may say why it is not a better one.
struct KernelChoice {
  std::string name, reason;
  explicit operator bool() const { return !name.empty(); }
};

/// The code of one variant.
struct CompiledVariant {
  /// The tier or device.
  std::string cpu;
  /// The symbol of the main function.
  std::string entry;
  /// What the runtime must find on the CPU.
  int64_t requiredFeatures = 0;
  /// What the config asked for: an object file or its text.
  std::vector<char> bytes;
};

/// All variants of an artefact and the constants that they share.
struct CompiledProgram {
  /// The least demanding machine of the variants, which all have its platform.
  const Machine *machine = nullptr;
  std::vector<CompiledVariant> variants;
  std::vector<uint8_t> weights;
};

class TargetBackend {
public:
  virtual ~TargetBackend() = default;

  /// The name in `--target=` and in `#qkernel.target<"x86-64", ...>`.
  virtual llvm::StringRef getName() const = 0;

  /// Tiers or devices, at least one, the least demanding first.
  virtual llvm::ArrayRef<Machine> getMachines() const = 0;

  /// Whether the machine under this process is `machine`. The default asks the
  /// CPU, and takes QOPT_CPU for the best tier that may be used, as the runtime
  /// does.
  virtual Presence findHere(const Machine &machine) const;

  /// The dialects and translations that `lower` and `emitDevice` need.
  virtual void registerDialects(mlir::DialectRegistry &registry) const {}

  /// The machine of this name, or null.
  const Machine *findMachine(llvm::StringRef name) const;

  /// The best machine that is here, or null.
  const Machine *findBestHere() const;

  /// Loads what `registerDialects` names.
  void loadDialects(mlir::MLIRContext *context) const;

  /// The rows that `config` can run. Fails, with a text, when there is no such
  /// machine.
  virtual llvm::Expected<TargetCapabilities>
  getCapabilities(const TargetConfig &config) const = 0;

  /// The kernel for `op`: a kernel op, or a qopt op outside of one.
  ///   in:   qkernel.contract(%x, %w) ...
  ///   out:  "x86-64.contract.i8"
  virtual KernelChoice selectKernel(mlir::Operation *op,
                                    const TargetConfig &config) const;

  /// Takes apart the kernels of `program` that fuse more than `config` can run.
  ///   in:   qkernel.contract { qopt.quantize_dynamic; qopt.matmul }
  ///   out:  qkernel.rows { qopt.quantize_dynamic }
  ///         qkernel.contract { qopt.matmul }
  void splitKernels(mlir::func::FuncOp program,
                    const TargetConfig &config) const;

  /// Lowers one program to the target's own dialect. Constants go to `weights`.
  ///   in:   func.func @main { qkernel.contract ... }
  ///   out:  module { llvm.func @main.x86-64-v3 { ... } }
  virtual mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  lower(mlir::func::FuncOp program, const TargetConfig &config,
        WeightsSection &weights) const = 0;

  /// Turns what `lower` made into bytes.
  virtual mlir::FailureOr<CompiledVariant>
  emitDevice(mlir::ModuleOp lowered, const TargetConfig &config) const = 0;

  /// Compiles `module`: its variants for this target, or, where it has none,
  /// its @main for each of `configs`.
  mlir::FailureOr<CompiledProgram>
  compile(mlir::ModuleOp module, llvm::ArrayRef<TargetConfig> configs) const;
};

/// `name` matched with a row's entry, where `*` stands for any.
bool matchesCapability(llvm::StringRef entry, llvm::StringRef name);

/// What a row is compared with: the operation, types and scales of an op, with
/// the kernel's name and feature left empty.
struct KernelSignature {
  std::string operation, activation, weight, scale, granularity, accumulator,
      fused;
};
KernelSignature getKernelSignature(mlir::Operation *op);

} // namespace qopt

#endif // QOPT_TARGET_TARGETBACKEND_H
