//===- qopt-compile.cpp - Compile an ONNX model ---------------------------===//
//
// Delegates.
//
//===----------------------------------------------------------------------===//

#include "qopt/Driver/CompileDriver.h"

int main(int argc, char **argv) { return qopt::compileMain(argc, argv); }
