//===- RunDriver.h - The program qopt-run -----------------------*- C++ -*-===//
//
// Everything but `main`, so that it can be linked into other tools.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_DRIVER_RUNDRIVER_H
#define QOPT_DRIVER_RUNDRIVER_H

namespace qopt {

/// Runs qopt-run with these arguments and returns its exit code. Called once
/// in a process: LLVM's options are global.
int runMain(int argc, char **argv);

} // namespace qopt

#endif // QOPT_DRIVER_RUNDRIVER_H
