//===- VectorBuilder.h - Loads, stores and loops of kernels -----*- C++ -*-===//
//
// What every kernel writes over and over. Memory is reached through pointers
// and element offsets. Values in lanes have one of four types: f32 (all
// floats), i32 (integers and codes of 32 bits or fewer), i64 and i1; memory is
// as narrow as the element type says. A code of fewer than 8 bits is a byte
// with the code in the low bits and zeros above, also where it is signed:
// `widen` extends the sign.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_VECTORBUILDER_H
#define QOPT_LIB_TARGET_CPU_VECTORBUILDER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace qopt::cpu {

/// Lanes of every vector that passes between kernels and epilogues.
inline constexpr int64_t kLanes = 16;

/// The type of an element in memory: f32, f16, i8 for codes of 8 bits or fewer,
/// i16 for bf16 ...
mlir::Type memoryType(mlir::Type element);
/// The type of an element in a lane. Null for element types that kernels cannot
/// compute with.
mlir::Type laneType(mlir::Type element);
int64_t bytesPerElement(mlir::Type element);

class VectorBuilder {
public:
  VectorBuilder(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  /// Loads are of memory that the kernel does not write, so they may leave
  /// loops.
  bool isInvariant = false;

  //===--- Constants and integers; folded where operands are constant
  //------===//
  mlir::Value i64(int64_t value);
  mlir::Value i32(int32_t value);
  mlir::Value f32(float value);
  mlir::Value i1(bool value);
  /// A constant of type `element` in every lane (a scalar for `lanes` 0).
  mlir::Value constant(mlir::TypedAttr value, int64_t lanes);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value min(mlir::Value x, mlir::Value y);
  mlir::Value max(mlir::Value x, mlir::Value y);
  /// Of numbers that are not negative, by numbers that are positive.
  mlir::Value div(mlir::Value x, mlir::Value y);
  mlir::Value rem(mlir::Value x, mlir::Value y);
  mlir::Value ceilDiv(mlir::Value x, mlir::Value y);
  mlir::Value equal(mlir::Value x, mlir::Value y);
  mlir::Value less(mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  /// The product of `factors`; 1 for none.
  mlir::Value product(mlir::ValueRange factors);
  /// Coordinates of the element `index` of a row-major tensor.
  llvm::SmallVector<mlir::Value> delinearize(mlir::Value index,
                                             mlir::ValueRange dims);
  /// Element strides of a row-major tensor.
  llvm::SmallVector<mlir::Value> strides(mlir::ValueRange dims);

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
  mlir::Value address(mlir::Value pointer, mlir::Value offset, mlir::Type type);
  mlir::Value loadScalar(mlir::Value pointer, mlir::Value offset,
                         mlir::Type type);
  void storeScalar(mlir::Value value, mlir::Value pointer, mlir::Value offset);
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
  /// A loaded value (scalar or vector) of the tensor element type `element`.
  mlir::Value widen(mlir::Value loaded, mlir::Type element);
  /// Back to the memory type, rounding floats, keeping the low bits of
  /// integers.
  mlir::Value narrow(mlir::Value value, mlir::Type element);
  /// Loads `kLanes` elements and widens them.
  mlir::Value loadLanes(mlir::Value pointer, mlir::Value offset,
                        mlir::Type element, mlir::Value count = {});
  /// Narrows and stores the lanes below `count` (null: all).
  void storeLanes(mlir::Value value, mlir::Value pointer, mlir::Value offset,
                  mlir::Type element, mlir::Value count = {});

  //===--- Control
  //----------------------------------------------------------===//
  /// for (i = low; i < high; i += step); bounds are i64.
  void loop(mlir::Value low, mlir::Value high, int64_t step,
            llvm::function_ref<void(mlir::Value)> body);
  /// The same with values carried from one round to the next.
  llvm::SmallVector<mlir::Value>
  loop(mlir::Value low, mlir::Value high, int64_t step, mlir::ValueRange inits,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value,
                                                         mlir::ValueRange)>
           body);
  void ifThen(mlir::Value condition, llvm::function_ref<void()> then);
  void ifElse(mlir::Value condition, llvm::function_ref<void()> then,
              llvm::function_ref<void()> otherwise);
  /// Stack memory of the function, aligned to 64 bytes.
  mlir::Value stack(int64_t bytes);
};

} // namespace qopt::cpu

#endif
