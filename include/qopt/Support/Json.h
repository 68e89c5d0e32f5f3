//===- Json.h - Numbers and distances as JSON -------------------*- C++ -*-===//
//
// Reports of compiles and of runs say the same in the same words.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_JSON_H
#define QOPT_SUPPORT_JSON_H

#include "qopt/Support/Distance.h"
#include "llvm/Support/JSON.h"

namespace qopt {

/// JSON has no infinity: an exact tensor has no SQNR.
llvm::json::Value finiteOrNull(double value);

/// `sqnr_db`, `cosine` and `max_error`.
llvm::json::Object describeDistance(const Distance &distance);

} // namespace qopt

#endif // QOPT_SUPPORT_JSON_H
