//===- LoopOps.h - The ops of loops, as their classes -----------*- C++ -*-===//
//
// The one dispatch to what each op of QOptLoopOps.td has of its own.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_LOOPOPS_H
#define DIALECTS_QOPT_IR_LOOPOPS_H

#include "dialects/QOpt/IR/QOptOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include <optional>

namespace qopt {

/// Calls `fn` with `op` as the op of loops that it is; false for any other.
template <class Fn> bool dispatchLoopOp(mlir::Operation *op, Fn fn) {
  return llvm::TypeSwitch<mlir::Operation *, bool>(op)
      .Case<
#define GET_OP_LIST
#include "dialects/QOpt/IR/QOptLoopOps.cpp.inc"
          >([&](auto loopOp) {
        fn(loopOp);
        return true;
      })
      .Default([](mlir::Operation *) { return false; });
}

/// Dims of the results of an op of loops; nothing for any other.
template <class P>
std::optional<ResultDims<P>> getLoopDims(mlir::Operation *op, P &policy) {
  std::optional<ResultDims<P>> result;
  dispatchLoopOp(op, [&](auto loopOp) { result = loopOp.inferDims(policy); });
  return result;
}

} // namespace qopt

#endif // DIALECTS_QOPT_IR_LOOPOPS_H
