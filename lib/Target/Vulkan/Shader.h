//===- Shader.h - One compute shader being written --------------*- C++ -*-===//
//
// A body of arith, math and scf on scalars, between loads and stores of storage
// buffers. Indices are 32-bit; the caller sees to it that tensors are small
// enough. Numbers that only a run knows are parameters of the dispatch: using
// an i64 of the host function makes it one.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_VULKAN_SHADER_H
#define QOPT_LIB_TARGET_VULKAN_SHADER_H

#include "dialects/QKernel/Transforms/IntegerBuilder.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace qopt::vulkan {

class Shader : public kernel::IntegerBuilder {
public:
  Shader(mlir::MLIRContext *context, mlir::Location loc);

  //===--- Numbers
  //------------------------------------------------------------===//
  mlir::Value i32(int64_t value);
  mlir::Value f32(float value);
  /// An i64 of the host function as i32: a constant stays one.
  mlir::Value host(mlir::Value number);
  llvm::SmallVector<mlir::Value> host(mlir::ValueRange numbers);
  mlir::Value both(mlir::Value x, mlir::Value y);
  /// The element of a row-major tensor at `coordinates`.
  mlir::Value linearize(mlir::ValueRange coordinates, mlir::ValueRange dims);

  //===--- Memory
  //-------------------------------------------------------------===//
  /// The element `index` of the tensor behind `handle` as its value kind holds
  /// it (ElementwiseOps.h): f32, i32, i64 or i1.
  mlir::Value load(mlir::Value handle, mlir::Type element, mlir::Value index);
  void store(mlir::Value value, mlir::Value handle, mlir::Type element,
             mlir::Value index);
  /// The words of an element as they lie in memory.
  llvm::SmallVector<mlir::Value> loadRaw(mlir::Value handle, mlir::Type element,
                                         mlir::Value index);
  void storeRaw(mlir::ValueRange words, mlir::Value handle, mlir::Type element,
                mlir::Value index);
  /// The words of an element with the low bits of a number.
  llvm::SmallVector<mlir::Value> constantRaw(mlir::Type element, uint64_t bits);
  /// What storing a value and loading it again leaves of it.
  mlir::Value roundTo(mlir::Value value, mlir::Type element);

  //===--- Control
  //------------------------------------------------------------===//
  /// for (i = low; i < high; i += step) with values carried along.
  llvm::SmallVector<mlir::Value>
  loop(mlir::Value low, mlir::Value high, mlir::Value step,
       mlir::ValueRange inits,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value,
                                                         mlir::ValueRange)>
           body);
  void loop(mlir::Value low, mlir::Value high, mlir::Value step,
            llvm::function_ref<void(mlir::Value)> body);
  /// `then`'s values where the condition holds, else `otherwise`.
  llvm::SmallVector<mlir::Value>
  ifElse(mlir::Value condition, mlir::ValueRange otherwise,
         llvm::function_ref<llvm::SmallVector<mlir::Value>()> then);
  void ifThen(mlir::Value condition, llvm::function_ref<void()> then);

  //===--- The whole
  //----------------------------------------------------------===//
  /// Opens the body: what follows runs for each index below `count`.
  mlir::Value begin(mlir::Value count);
  /// The code. Fails, with a diagnostic, for what SPIR-V cannot say.
  mlir::FailureOr<llvm::SmallVector<uint32_t>> finish();
  /// What a dispatch binds and passes, in order.
  llvm::ArrayRef<mlir::Value> bindings() const { return handles; }
  llvm::ArrayRef<mlir::Value> parameters() const { return numbers; }
  /// Bits of the runtime's table of device features.
  int64_t requiredFeatures() const { return features; }

private:
  mlir::Value pointer(mlir::Value handle, mlir::Type memory, mlir::Value index);
  mlir::Value bindingPointer(unsigned binding, mlir::Type memory);
  mlir::LogicalResult convert();

  mlir::OwningOpRef<mlir::spirv::ModuleOp> module;
  mlir::spirv::FuncOp function;
  /// What `b` is, which stands in the body, and one that stands in the entry
  /// block in front of it.
  mlir::OpBuilder own, entry;
  llvm::SmallVector<mlir::Value> handles, numbers;
  llvm::DenseMap<mlir::Value, mlir::Value> loadedNumbers;
  llvm::DenseMap<std::pair<mlir::Value, mlir::Type>, mlir::Value> pointers;
  mlir::Value parameterPointer;
  int64_t features = 0;
};

} // namespace qopt::vulkan

#endif
