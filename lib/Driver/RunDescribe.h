//===- RunDescribe.h - What a program says of itself ------------*- C++ -*-===//
//
// Inputs, outputs, tiers and manifest, for people or as JSON.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNDESCRIBE_H
#define LIB_DRIVER_RUNDESCRIBE_H

#include "RunProgram.h"

namespace qopt {

/// `inputs` and `outputs`, and what else the program says.
llvm::json::Object describeProgram(const RunProgram &program);

void printDescription(const RunProgram &program, bool isJson,
                      llvm::raw_ostream &os);

} // namespace qopt

#endif // LIB_DRIVER_RUNDESCRIBE_H
