//===- CompileDriver.h - The command qopt-compile ---------------*- C++ -*-===//
//
// Reads the command line and runs the compiler.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_DRIVER_COMPILEDRIVER_H
#define QOPT_DRIVER_COMPILEDRIVER_H

namespace qopt {

/// Behaves as `qopt-compile`; returns the exit code.
int compileMain(int argc, char **argv);

} // namespace qopt

#endif
