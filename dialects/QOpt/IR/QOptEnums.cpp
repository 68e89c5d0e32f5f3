//===- QOptEnums.cpp - Choices of ops, by name ----------------------------===//
//
// Generated definitions.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/QOptEnums.h"
#include "llvm/ADT/StringSwitch.h"

#include "dialects/QOpt/IR/QOptEnums.cpp.inc"
