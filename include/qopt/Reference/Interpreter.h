//===- Interpreter.h - Plain-loop evaluation of qopt programs ---*- C++ -*-===//
//
// The numeric truth: what the other ways to run a program must equal, bit for
// bit where an op's formula says so.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_REFERENCE_INTERPRETER_H
#define QOPT_REFERENCE_INTERPRETER_H

#include "dialects/QOpt/IR/HostConstants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <limits>

namespace qopt {

/// Sees the operand of each `qopt.observe`, with its id, during a run.
using ObserveCallback =
    llvm::function_ref<void(int64_t id, const HostTensor &tensor)>;

inline constexpr int64_t kAnyIterations = std::numeric_limits<int64_t>::max();

/// Runs a function of one block. `inputs` are its arguments, `outputs` become
/// what it returns. A tensor is freed after its last use. All loops together
/// take at most `maxIterations`. Errors are of the data (ranks, dims, symbols,
/// indices, iterations: `BadData`) or of what Reference cannot evaluate
/// (`Unsupported`), and name the input or the op.
llvm::Error evaluate(mlir::func::FuncOp function,
                     llvm::ArrayRef<HostTensor> inputs,
                     llvm::SmallVectorImpl<HostTensor> &outputs,
                     ObserveCallback observe = {},
                     int64_t maxIterations = kAnyIterations);

/// Evaluates one op on the tensors of its operands, in their order. Results of
/// more than `maxBytes` are an error, `Unsupported`, before they are made.
llvm::Expected<llvm::SmallVector<HostTensor>>
evaluateOp(mlir::Operation *op, llvm::ArrayRef<HostTensor> operands,
           uint64_t maxBytes = std::numeric_limits<uint64_t>::max());

/// Checks the inputs of a run against the arguments of `function`: number,
/// element types, ranks, static dims, and that dims with one symbol are equal.
llvm::Error checkInputs(mlir::func::FuncOp function,
                        llvm::ArrayRef<HostTensor> inputs);

} // namespace qopt

#endif // QOPT_REFERENCE_INTERPRETER_H
