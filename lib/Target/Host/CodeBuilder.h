//===- CodeBuilder.h - Constants, memory and loops of code ------*- C++ -*-===//
//
// What host functions and kernels write over and over. Memory is reached
// through pointers and element offsets. Values have one of five types: f32 (all
// floats of 32 bits or fewer), f64, i32 (integers and codes of 32 bits or
// fewer), i64 and i1; memory is as narrow as the element type says. A code of
// fewer than 8 bits is a byte with the code in the low bits and zeros above,
// also where it is signed: `widen` extends the sign.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_CODEBUILDER_H
#define QOPT_LIB_TARGET_HOST_CODEBUILDER_H

#include "dialects/QKernel/Transforms/IntegerBuilder.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace qopt::host {

/// The type of an element in memory: f32, f16, i8 for codes of 8 bits or fewer,
/// i16 for bf16 ...
mlir::Type memoryType(mlir::Type element);
/// The type of an element in a lane. Null for element types that kernels cannot
/// compute with.
mlir::Type laneType(mlir::Type element);
int64_t bytesPerElement(mlir::Type element);

class CodeBuilder : public kernel::IntegerBuilder {
public:
  using IntegerBuilder::IntegerBuilder;

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
  mlir::Value ceilDiv(mlir::Value x, mlir::Value y);
  /// The product of `factors`; 1 for none.
  mlir::Value product(mlir::ValueRange factors);
  /// Element strides of a row-major tensor.
  llvm::SmallVector<mlir::Value> strides(mlir::ValueRange dims);

  //===--- Memory; `offset` counts elements of `type`, which is a memory type
  //===//
  mlir::Value address(mlir::Value pointer, mlir::Value offset, mlir::Type type);
  mlir::Value loadScalar(mlir::Value pointer, mlir::Value offset,
                         mlir::Type type);
  void storeScalar(mlir::Value value, mlir::Value pointer, mlir::Value offset);

  //===--- Between memory and values
  //-----------------------------------------===//
  /// A loaded value (scalar or vector) of the tensor element type `element`.
  mlir::Value widen(mlir::Value loaded, mlir::Type element);
  /// Back to the memory type, rounding floats, keeping the low bits of
  /// integers.
  mlir::Value narrow(mlir::Value value, mlir::Type element);

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

/// The alignment of an element of `type`, in bytes.
unsigned alignmentOf(mlir::Type type);

} // namespace qopt::host

#endif
