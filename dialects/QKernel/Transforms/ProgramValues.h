//===- ProgramValues.h - What tensors of a program become -------*- C++ -*-===//
//
// While a program of tensors is turned into one of memory: the memory of each
// tensor, on the host or a device, its dims and, of short lists, the elements.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_PROGRAMVALUES_H
#define DIALECTS_QKERNEL_TRANSFORMS_PROGRAMVALUES_H

#include "dialects/QKernel/IR/QKernelOps.h"
#include "mlir/IR/IRMapping.h"
#include <set>
#include <vector>

namespace qopt::kernel {

class ProgramValues {
public:
  using Values = llvm::SmallVector<mlir::Value>;

  /// Writes where `b` stands.
  explicit ProgramValues(mlir::OpBuilder &b) : b(b), loc(b.getUnknownLoc()) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  /// What scalars and constants are in the new program.
  mlir::IRMapping mapping;

  mlir::Value constant(int64_t value);

  //===--- Tensors
  //-----------------------------------------------------------===//
  /// Makes `memory` that of `tensor`. It may be a constant, which has none yet.
  void set(mlir::Value tensor, mlir::Value memory, Values dims) {
    tensors[tensor] = {memory, std::move(dims)};
  }
  /// The same with dims that are asked of the memory.
  void bind(mlir::Value tensor, mlir::Value memory);
  mlir::ArrayRef<mlir::Value> dimsOf(mlir::Value tensor) const {
    return tensors.at(tensor).dims;
  }
  /// The memory of `tensor`, or the constant that it is.
  mlir::Value operandOf(mlir::Value tensor) const {
    return tensors.at(tensor).memory;
  }
  /// The memory of `tensor`, also where it is a constant.
  mlir::Value memoryOf(mlir::Value tensor);
  /// What `value`, a tensor or a scalar, is in the new program.
  mlir::Value lookUp(mlir::Value value);

  //===--- Places
  //------------------------------------------------------------===//
  bool isKnown(mlir::Value tensor) const { return tensors.contains(tensor); }
  /// True for memory of a device.
  static bool isOnDevice(mlir::Type memory);
  bool isOnDevice(mlir::Value tensor) const {
    return isOnDevice(operandOf(tensor).getType());
  }
  /// The memory of `tensor` on the device or on the host: its own, that of a
  /// copy, which lasts as long as the region that asks for it, or of the
  /// constant that it is.
  mlir::Value memoryIn(mlir::Value tensor, bool isDevice);
  /// Ends the copy of a tensor whose own memory ends.
  void freeCopy(mlir::Value tensor);
  /// Ends what the region at hand copied.
  void freeCopies();

  //===--- Elements
  //----------------------------------------------------------===//
  /// Elements of an integer tensor of rank 0 or 1, as `index`. Nothing when the
  /// length is not static, or memory would have to be read that may not.
  std::optional<Values> elementsOf(mlir::Value tensor, bool mayLoad = true);
  /// Those that were asked for before; null where none were.
  const Values *findElements(mlir::Value tensor) const;

  //===--- Sizes
  //-------------------------------------------------------------===//
  /// Ends the run, once in a region, where there can be no such tensor.
  /// Returns whether that is written.
  bool checkSize(mlir::MemRefType type, mlir::ValueRange dims);
  /// Whether two tensors are known to have equally many elements.
  static bool haveSameCount(mlir::ValueRange a, mlir::ValueRange b);

  /// Forgets at the end of a region what was found out in it.
  class RegionScope {
  public:
    explicit RegionScope(ProgramValues &values)
        : values(values), elements(values.elements), sizes(values.sizes),
          copies(values.copies), copied(std::move(values.copied)) {
      values.copied.clear();
    }
    ~RegionScope() {
      values.elements = std::move(elements);
      values.sizes = std::move(sizes);
      values.copies = std::move(copies);
      values.copied = std::move(copied);
    }

  private:
    ProgramValues &values;
    llvm::DenseMap<mlir::Value, Values> elements;
    std::set<std::vector<const void *>> sizes;
    llvm::DenseMap<mlir::Value, mlir::Value> copies;
    Values copied;
  };

private:
  struct Tensor {
    mlir::Value memory;
    Values dims;
  };

  std::optional<Values> followElements(mlir::Value tensor);
  Values loadElements(mlir::Value tensor);

  llvm::DenseMap<mlir::Value, Tensor> tensors;
  llvm::DenseMap<mlir::Value, Values> elements;
  std::set<std::vector<const void *>> sizes;
  /// Where tensors are that lie in the other place.
  llvm::DenseMap<mlir::Value, mlir::Value> copies;
  /// The tensors that the region at hand copied.
  Values copied;
};

/// Those of `dims` that `type` leaves open.
llvm::SmallVector<mlir::Value> findOpenDims(mlir::MemRefType type,
                                            mlir::ArrayRef<mlir::Value> dims);

/// The same memory on the device or on the host.
mlir::MemRefType placeMemory(mlir::MemRefType type, bool isDevice);

/// The memory space of what kernels of a device make.
inline constexpr llvm::StringLiteral kDeviceSpace = "device";

} // namespace qopt::kernel

#endif
