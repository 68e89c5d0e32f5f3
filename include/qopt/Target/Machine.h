//===- Machine.h - What is known of a machine -------------------*- C++ -*-===//
//
// Data of a target: all that generating, checking, linking and running code
// must know of the machine that it is for. What reads it asks for no name.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TARGET_MACHINE_H
#define QOPT_TARGET_MACHINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace qopt {

/// What the CPUs of one architecture have in common.
struct Platform {
  /// LLVM's name for architecture, system and ABI.
  llvm::StringLiteral triple;
  /// Makes LLVM's code generator known. May be called again.
  void (*initializeCodeGenerator)();
  /// What is linked into every model: the runtime as an object, and a libc of
  /// names and versions only.
  llvm::StringRef (*getRuntimeObject)(), (*getLibcStub)();
  /// What code may use of the runtime beside its services: functions that the
  /// code generator calls for what the CPUs lack.
  llvm::ArrayRef<llvm::StringLiteral> runtimeSymbols;
  /// Those of the bits `wanted` that the CPU under this process has, and a name
  /// for the lowest one of some bits. A model asks the same functions of its
  /// runtime. Only called on the architecture itself.
  int64_t (*detectFeatures)(int64_t wanted);
  const char *(*getFeatureName)(int64_t features);
};

/// A tier of a CPU, or a device that a CPU drives.
struct Machine {
  /// In `--cpu=`, messages, manifests, QOPT_CPU and the entries of tiers
  /// (`main.<name>`).
  llvm::StringRef name;
  /// Another name that `--cpu=` takes; "" for none.
  llvm::StringRef alias;
  /// Null for a device.
  const Platform *platform = nullptr;
  /// The code generator's CPU and features beyond it. The CPU has no feature
  /// that the runtime does not look for.
  llvm::StringRef cpu, features;
  /// What the runtime must find: bits that the platform gives a meaning.
  int64_t requiredFeatures = 0;
  /// The tier whose code drives a device; null for a CPU.
  const Machine *host = nullptr;
  /// What code for a device may use of the runtime beside what its host may.
  llvm::ArrayRef<llvm::StringLiteral> runtimeSymbols = {};

  bool isDevice() const { return host != nullptr; }
  /// The tier that code runs on first: itself for a CPU.
  const Machine &getHost() const { return host ? *host : *this; }
};

/// Whether a machine is here.
struct Presence {
  bool isHere = false;
  /// Why not; or, for a device, which one it is.
  std::string detail;

  explicit operator bool() const { return isHere; }
};

/// Asks the CPU under this process for what code for `host`, a CPU, needs.
Presence findCpu(const Machine &host);

} // namespace qopt

#endif // QOPT_TARGET_MACHINE_H
