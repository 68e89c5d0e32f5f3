//===- ContractTile.h - Sums of products held in registers ------*- C++ -*-===//
//
// A tile is a few rows by a few vectors of 16 outputs, summed over all steps.
// One operand is broadcast to lanes (*rows*), the other fills them (*lanes*).
// A step is one k of f32, or four k of 8-bit codes in a 4-byte word, so both
// are reached in the same way: all strides count words.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_CONTRACTTILE_H
#define QOPT_LIB_TARGET_CPU_CONTRACTTILE_H

#include "CpuProgram.h"
#include "Tier.h"

namespace qopt::cpu {

/// What multiplies codes: vectors, or the machine's unit for tiles.
enum class CodeUnit { Vectors, Tiles };

/// The largest tile of a unit.
TileSize largestTile(const Tier &tier, DotKind kind,
                     CodeUnit unit = CodeUnit::Vectors);

/// Writes the sums of a tile to `sums`, `sumsStride` words from row to row.
/// `initial` gives what the sum of a row and vector starts from; null for 0.
void emitTile(VectorBuilder &v, const Tier &tier, DotKind kind, TileSize size,
              const TileOperands &operands, mlir::Value sums,
              mlir::Value sumsStride,
              llvm::function_ref<mlir::Value(int64_t, int64_t)> initial = {});

/// Walks [0, count) in pieces of the given sizes (falling, the last one 1):
/// as many of the first as fit, and so on.
void forEachPiece(VectorBuilder &v, mlir::Value count,
                  llvm::ArrayRef<int64_t> sizes,
                  llvm::function_ref<void(int64_t, mlir::Value)> body);

/// Adds the four codes of each word to a sum (i32) of its lane.
mlir::Value addLaneCodes(VectorBuilder &v, const Tier &tier, DotKind kind,
                         mlir::Value words, mlir::Value sum);

} // namespace qopt::cpu

#endif
