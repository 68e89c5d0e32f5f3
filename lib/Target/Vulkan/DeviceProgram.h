//===- DeviceProgram.h - The host function of a Vulkan program --*- C++ -*-===//
//
// Dims, checks, lifetimes and control flow are those of every program that the
// CPU drives. Here kernels are shaders: each op records dispatches through the
// runtime, which run where the host reads memory of the device, and at the end.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_VULKAN_DEVICEPROGRAM_H
#define QOPT_LIB_TARGET_VULKAN_DEVICEPROGRAM_H

#include "Shader.h"
#include "lib/Target/Host/HostProgram.h"
#include "llvm/ADT/DenseSet.h"

namespace qopt::vulkan {

class DeviceProgram : public host::HostProgram {
public:
  DeviceProgram(mlir::ModuleOp module, llvm::StringRef hostTier,
                kernel::KernelList kernels, WeightsSection &weights)
      : HostProgram(module, hostTier, kernels, weights) {}

  mlir::LogicalResult emitProgram(mlir::func::FuncOp program);

  /// Dispatches allocate on the device what they share.
  template <class Machine>
  static mlir::LogicalResult stage(const kernel::Kernel &, const Machine &,
                                   kernel::LaunchOp) {
    return mlir::success();
  }

  /// The tensor on the device, where constants are brought, and lists that the
  /// host knows. Fails, with a diagnostic, for a constant that no binding can
  /// hold.
  mlir::FailureOr<mlir::Value> handle(mlir::Value tensor);
  /// The device memory of a result of the op in work, which writes it.
  mlir::Value destination(mlir::Value result);
  /// Device memory for this op alone, with elements of `element`.
  mlir::Value deviceTemporary(mlir::ValueRange dims, mlir::Type element);

  /// Runs `body` on the device for each index below `count`. A failure of the
  /// body has a diagnostic.
  mlir::LogicalResult
  dispatch(mlir::Value count,
           llvm::function_ref<mlir::LogicalResult(Shader &, mlir::Value index)>
               body);
  mlir::Operation *op() { return current; }

  /// An i32 on the device that is 0. A shader that finds the data wrong makes
  /// it 1; when the device is done, the run ends with `text` then.
  struct Flag {
    mlir::Value handle;
    int64_t slot;
  };
  Flag checkAfterRun(const llvm::Twine &text);

protected:
  mlir::LogicalResult emitOp(mlir::Operation *op) override;
  mlir::LogicalResult emitKernel(mlir::Operation *op,
                                 const kernel::Kernel &kernel) override;
  bool isOnHost(mlir::Value memory) override;
  mlir::Value allocateMemory(mlir::memref::AllocOp op,
                             mlir::Value bytes) override;
  void freeMemory(mlir::Value memory) override;
  void copyMemory(mlir::Value from, mlir::Value to, mlir::Value bytes) override;
  mlir::FailureOr<mlir::Value> viewMemory(kernel::ViewOp op) override;
  mlir::LogicalResult emitReturn(mlir::Operation *op) override;

private:
  /// `handle` of memory or a constant of the program.
  mlir::FailureOr<mlir::Value> handleOf(mlir::Value given);
  /// A list in memory of the host whose elements are at hand, on the device.
  mlir::Value listHandle(mlir::Value list);
  void beginRun();
  void failUnlessZero(mlir::Value status);
  /// Writes what `make` does at the start of the run, whatever is in work.
  mlir::Value atStart(llvm::function_ref<mlir::Value()> make);
  /// Waits for the device, by `function` of the runtime, and looks at the flags
  /// from the one numbered `first` on. Returns the status.
  mlir::Value waitFor(llvm::StringRef function, size_t first);
  /// Waits behind `op` and looks at the flags that not every path to it did.
  void waitAt(mlir::Operation *op);
  /// The number of flags, the first ones, that every path to `op` looked at.
  size_t numSeenAt(mlir::Operation *op);
  /// Behind the `last` op of a block of a loop. Where the loop waits, looks at
  /// the flags of the loop that no wait behind their kernels did: those before
  /// them, in the next iteration, do not.
  void endIteration(mlir::Operation *last);

  /// Constants on the device.
  llvm::DenseMap<mlir::Value, mlir::Value> constants;
  /// Lists on the device, for the kernel in work.
  llvm::DenseMap<mlir::Value, mlir::Value> lists;
  /// What the kernel in work writes.
  llvm::DenseSet<mlir::Value> written;
  llvm::SmallVector<mlir::Value> deviceTemporaries;
  /// The flags of one op.
  struct LateChecks {
    mlir::Operation *op;
    mlir::Location location;
    mlir::Value handle;
    llvm::SmallVector<std::string> texts;
  };
  std::vector<LateChecks> lateChecks;
  /// For a block that waits: how many of these its last wait has behind it.
  llvm::DenseMap<mlir::Block *, size_t> numSeen;
  /// The ops whose regions wait.
  llvm::DenseSet<mlir::Operation *> waiting;
  /// The last op of what is done at the start.
  mlir::Operation *lastAtStart = nullptr;
  mlir::Operation *featureMask = nullptr;
  int64_t features = 0;
};

} // namespace qopt::vulkan

#endif
