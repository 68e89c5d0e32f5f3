//===- Sequences.h - Sequences and their positions --------------*- C++ -*-===//
//
// Values of other ops are tensors.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_SEQUENCES_H
#define DIALECTS_QOPT_IR_SEQUENCES_H

#include "mlir/IR/Operation.h"
#include <optional>

namespace qopt {

bool isSequenceOrOptional(mlir::Type type);

/// True for an op with a sequence or optional among its operands and results.
bool hasSequences(mlir::Operation *op);

/// The index that `position` names in a sequence of `size` tensors, where a
/// negative one counts from the end; nothing for one outside of [-size, end).
std::optional<int64_t> findPosition(int64_t position, int64_t size,
                                    int64_t end);

} // namespace qopt

#endif
