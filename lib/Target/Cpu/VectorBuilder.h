//===- VectorBuilder.h - Loads and stores of vectors ------------*- C++ -*-===//
//
// Beside what all code writes: values of many lanes, which have the types that
// scalars have.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_VECTORBUILDER_H
#define QOPT_LIB_TARGET_CPU_VECTORBUILDER_H

#include "lib/Target/Host/CodeBuilder.h"

namespace qopt::cpu {

// The programs that the kernels of this folder are written into.
using namespace qopt::host;

/// Lanes of every vector that passes between kernels and epilogues.
inline constexpr int64_t kLanes = 16;

class VectorBuilder : public CodeBuilder {
public:
  using CodeBuilder::CodeBuilder;
  explicit VectorBuilder(const CodeBuilder &code) : CodeBuilder(code) {}

  //===--- Vectors
  //----------------------------------------------------------===//
  mlir::Value splat(mlir::Value scalar, int64_t lanes = kLanes);
  /// [0, 1, 2 ...] of type `element`.
  mlir::Value iota(mlir::Type element, int64_t lanes = kLanes);
  /// Lanes below `count` (i64).
  mlir::Value mask(mlir::Value count, int64_t lanes = kLanes);
  /// `lane` of a vector.
  mlir::Value extract(mlir::Value vector, int64_t lane);
  /// The lanes [first, first + count) of a vector, as a vector.
  mlir::Value extractStrided(mlir::Value vector, int64_t first, int64_t count);

  //===--- Memory; `offset` counts elements of `type`, which is a memory type
  //===//
  /// Reads all lanes: the caller knows that they lie in the buffer or its
  /// slack.
  mlir::Value load(mlir::Value pointer, mlir::Value offset, mlir::Type type,
                   int64_t lanes = kLanes);
  /// Reads the lanes below `count`; the others are zero.
  mlir::Value loadMasked(mlir::Value pointer, mlir::Value offset,
                         mlir::Type type, mlir::Value count,
                         int64_t lanes = kLanes);
  /// Reads pointer[indices[lane]]; every index (i64 lanes) must be in range.
  mlir::Value gather(mlir::Value pointer, mlir::Value indices, mlir::Type type);
  void store(mlir::Value vector, mlir::Value pointer, mlir::Value offset);
  /// Writes the lanes below `count` (null: all).
  void storePartial(mlir::Value vector, mlir::Value pointer, mlir::Value offset,
                    mlir::Value count);
  /// Writes lane i below `count` (null: all) to offset + i * stride.
  void storeStrided(mlir::Value vector, mlir::Value pointer, mlir::Value offset,
                    mlir::Value stride, mlir::Value count);

  //===--- Between memory and lanes
  //-----------------------------------------===//
  /// Loads `kLanes` elements and widens them.
  mlir::Value loadLanes(mlir::Value pointer, mlir::Value offset,
                        mlir::Type element, mlir::Value count = {});
  /// Narrows and stores the lanes below `count` (null: all).
  void storeLanes(mlir::Value value, mlir::Value pointer, mlir::Value offset,
                  mlir::Type element, mlir::Value count = {});
};

} // namespace qopt::cpu

#endif
