//===- KnownConditions.h - Conditions that shapes decide --------*- C++ -*-===//
//
// Exporters write branches on the size of a dim, or on the rank that a squeeze
// leaves. Most of them are decided as soon as the dim is known.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_KNOWNCONDITIONS_H
#define DIALECTS_QOPT_IR_KNOWNCONDITIONS_H

#include "mlir/IR/Value.h"
#include <optional>

namespace qopt {

/// What a boolean tensor of one element is, where no run is needed to know.
std::optional<bool> getKnownCondition(mlir::Value value);

} // namespace qopt

#endif
