//===- TargetBackend.h - A machine that code is generated for ---*- C++ -*-===//
//
// The plug-in interface of targets. Passes ask for kernels; nothing outside
// lib/Target/<Name> asks which target it is.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_TARGETBACKEND_H
#define QOPT_TARGET_TARGETBACKEND_H

#include "dialects/QKernel/IR/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Target/CodeForm.h"
#include "qopt/Target/Machine.h"
#include "qopt/Target/WeightsSection.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
}

namespace qopt {

/// What is asked of a target.
struct TargetConfig {
  /// The name of one of its machines.
  std::string cpu;
  /// What `emitDevice` writes.
  CodeForm form = CodeForm::Object;
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

/// The functions of all variants of an artefact, and the constants that they
/// share.
struct LoweredProgram {
  struct Variant {
    TargetConfig config;
    mlir::OwningOpRef<mlir::ModuleOp> module;
  };
  /// The least demanding machine of the variants.
  const Machine *machine = nullptr;
  std::vector<Variant> variants;
  WeightsSection weights;
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

  /// The kernels of one of the machines, the preferred ones first.
  ///   in:   x86-64-v4
  ///   out:  x86-64.contract.i8i8.vnni, x86-64.contract.f32, ...
  virtual kernel::KernelList getKernels(const Machine &machine) const = 0;

  /// Those of the machine of this name; fails, with a text, where there is
  /// none.
  llvm::Expected<kernel::KernelList> findKernels(llvm::StringRef cpu) const;

  /// Adds the phase `kernels`: a variant of @main for each of `configs`, whose
  /// ops name their kernels.
  ///   in:   %1 = qkernel.map(%0) ...
  ///   out:  %1 = qkernel.map(%0) {kernel = "x86-64.map"} ...
  void buildKernelsPipeline(mlir::OpPassManager &module,
                            llvm::ArrayRef<TargetConfig> configs) const;

  /// Adds the phase `target`, which leaves what `lower` takes.
  ///   in:   %1 = qkernel.map(%0) {kernel = "x86-64.map"} ...
  ///   out:  %1 = memref.alloc(%d) ...
  ///         qkernel.launch @k0.relu(%0) to(%1) ...
  ///         memref.dealloc %0
  void buildTargetPipeline(mlir::OpPassManager &module) const;

  /// The part of it that looks at one variant alone.
  void populateTargetPipeline(mlir::OpPassManager &variant) const;

  /// Adds the beginning of the phase `emit`: the functions of each variant.
  /// Constants go to `weights`.
  void buildEmitPipeline(mlir::OpPassManager &module,
                         WeightsSection &weights) const;

  /// Whether kernels write outputs of a program where its caller wants them.
  virtual bool writesOutputsInPlace() const { return true; }

  /// How the names of the kernels begin whose results the host can read. The
  /// tensors of all others have the memory space of a device.
  virtual llvm::StringRef getHostKernels() const { return ""; }

  /// Writes the functions of one program, which stands beside those that it
  /// launches. Constants go to `weights`.
  ///   in:   func.func @main { qkernel.launch @k0.matmul(%x, %w) to(%y) ... }
  ///         func.func private @k0.matmul { qkernel.contract ... }
  ///   out:  module { llvm.func @main.x86-64-v3 { qkernel.require ... }
  ///                  llvm.func internal @k0.matmul { scf.for ... } }
  virtual mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  lower(mlir::func::FuncOp program, const TargetConfig &config,
        WeightsSection &weights) const = 0;

  /// Converts what `lower` made to the target's own dialect, and that to bytes.
  virtual mlir::FailureOr<CompiledVariant>
  emitDevice(mlir::ModuleOp lowered, const TargetConfig &config) const = 0;

  /// The phases `kernels` and `target` on a copy of @main.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  makeVariants(mlir::ModuleOp module,
               llvm::ArrayRef<TargetConfig> configs) const;

  /// Takes the variants for this target out of `module` and lowers them.
  mlir::FailureOr<LoweredProgram>
  lowerProgram(mlir::ModuleOp module,
               llvm::ArrayRef<TargetConfig> configs) const;

  /// Turns all that was lowered into bytes; modules go as they are done.
  mlir::FailureOr<CompiledProgram> emitProgram(LoweredProgram lowered) const;

  /// All of these, one after the other.
  mlir::FailureOr<CompiledProgram>
  compile(mlir::ModuleOp module, llvm::ArrayRef<TargetConfig> configs) const;
};

} // namespace qopt

#endif // QOPT_TARGET_TARGETBACKEND_H
