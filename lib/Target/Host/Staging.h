//===- Staging.h - Which launches a kernel takes ----------------*- C++ -*-===//
//
// What stands in place of a launch while its kernel is asked.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_HOST_STAGING_H
#define QOPT_LIB_TARGET_HOST_STAGING_H

#include "HostProgram.h"
#include "llvm/ADT/MapVector.h"

namespace qopt::host {

/// The ops of a block behind `first`, null for its start, up to `last`; the
/// last one first.
llvm::SmallVector<mlir::Operation *> findBetween(mlir::Operation *first,
                                                 mlir::Operation *last);
/// Erases those of them that nothing needs.
void eraseDead(mlir::Operation *first, mlir::Operation *last);

class HostProgram::Staging {
public:
  /// Writes in front of `launch`.
  Staging(HostProgram &program, kernel::LaunchOp launch);

  /// Makes memory of operands and results known, of which only the dims are
  /// asked.
  void bindOperands();
  /// Memory for the next temporary.
  void allocate(mlir::Value bytes);
  void addStep(llvm::StringRef name, mlir::ValueRange captures);
  void checkSize(mlir::ValueRange dims, mlir::Type element);

  /// Puts what was written in place of the launch. That stays as it is where
  /// its kernel needs no memory of its own. One that does, and works on more
  /// than dims between its launches, is refused when its code is written.
  void finish();
  /// Erases what was written.
  void undo();

private:
  /// `index` as the i64 that kernels compute with, and back.
  mlir::Value toWord(mlir::Value index);
  mlir::Value toIndex(mlir::Value word);

  HostProgram &program;
  kernel::LaunchOp launch;
  mlir::OpBuilder &b;
  /// The op in front of what is written.
  mlir::Operation *before;
  /// That of the temporaries, in their order.
  llvm::SmallVector<mlir::Value> memories;
  llvm::MapVector<mlir::Value, mlir::Operation *> lastUses;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::Value> words;
};

} // namespace qopt::host

#endif
