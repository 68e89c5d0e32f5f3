//===- DescribeModel.h - What a model says of itself ------------*- C++ -*-===//
//
// The JSON that qopt-run --describe prints and that the C API gives to other
// languages.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_EXECUTION_DESCRIBEMODEL_H
#define QOPT_EXECUTION_DESCRIBEMODEL_H

#include "qopt/Execution/ModelRunner.h"
#include "llvm/Support/JSON.h"

namespace qopt {

/// Name, type, dims and symbols of each; dims of any size are null.
llvm::json::Array describeValues(llvm::ArrayRef<ModelValue> values);

/// `name`, `tiers` and `manifest` of a compiled model.
llvm::json::Object describeModel(const ModelRunner &runner);

} // namespace qopt

#endif // QOPT_EXECUTION_DESCRIBEMODEL_H
