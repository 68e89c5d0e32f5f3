//===- RunSample.h - Runs of a program on files -----------------*- C++ -*-===//
//
// Reads inputs, runs, writes or compares results; for one file or for every
// file of a folder.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNSAMPLE_H
#define LIB_DRIVER_RUNSAMPLE_H

#include "RunOptions.h"
#include "RunProgram.h"

namespace qopt {

/// The inputs of one run: those of the file, which may be empty, and those of
/// `--input`, which win.
llvm::Expected<std::vector<HostTensor>> readInputs(const RunProgram &program,
                                                   llvm::StringRef file,
                                                   const RunOptions &options);

/// Runs everything that the options name and prints the results to `report`,
/// unless it is null or they are written to files. A run whose results are not
/// those that are expected does not end the others.
llvm::Error runSamples(RunProgram &program, const RunOptions &options,
                       llvm::raw_ostream *report);

} // namespace qopt

#endif // LIB_DRIVER_RUNSAMPLE_H
