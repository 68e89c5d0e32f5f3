//===- AmxEmulation.h - AMX code on machines without AMX --------*- C++ -*-===//
//
// Tiles become memory and each tile instruction a loop, written from the
// instruction's definition and not from our kernels. What is run is all the
// rest of the program: which tiles are read, in which order, and what becomes
// of them.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TEST_TARGET_X86_AMXEMULATION_H
#define QOPT_TEST_TARGET_X86_AMXEMULATION_H

#include "qopt/Target/X86/X86Backend.h"

namespace qopt::test {

/// Compiles @main of `module`, in which there are no variants. Code of the tier
/// `amx` then runs where x86-64-v4 does.
mlir::FailureOr<CompiledProgram>
compileWithEmulatedTiles(mlir::ModuleOp module,
                         llvm::ArrayRef<TargetConfig> configs);

/// Replaces the tile instructions of a lowered module; their number.
unsigned emulateTiles(mlir::ModuleOp module);

} // namespace qopt::test

#endif
