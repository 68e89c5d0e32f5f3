//===- InputShapes.h - Dims that a user gives to inputs ---------*- C++ -*-===//
//
// What `--shapes x:1x3x224x224,mask:1x?` says. The importer takes these dims as
// if the model stated them.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_IMPORT_ONNX_INPUTSHAPES_H
#define QOPT_IMPORT_ONNX_INPUTSHAPES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <vector>

namespace qopt {

/// An entry of `--shapes`.
struct InputShape {
  /// As it was written.
  std::string text;
  std::string input;
  /// Nothing where a dim keeps what the model says of it.
  std::vector<std::optional<int64_t>> dims;
};

/// Reads entries `NAME:DIMS` that commas join. DIMS are sizes or `?` that `x`
/// joins, and empty for a scalar. A name may hold colons.
llvm::Expected<std::vector<InputShape>> parseShapes(llvm::StringRef text);

} // namespace qopt

#endif // QOPT_IMPORT_ONNX_INPUTSHAPES_H
