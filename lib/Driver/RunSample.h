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
#include "RunReport.h"

namespace qopt {

/// The inputs of one run: those of the file, whose name may be empty, and those
/// of `--input`; each is given once.
llvm::Expected<std::vector<HostTensor>> readInputs(const RunProgram &program,
                                                   llvm::StringRef file,
                                                   const RunOptions &options);

/// Runs everything that the options name and tells `report`, unless it is null.
/// A run whose results are not those that are expected does not end the others.
llvm::Error runSamples(RunProgram &program, const RunOptions &options,
                       RunReport *report);

} // namespace qopt

#endif // LIB_DRIVER_RUNSAMPLE_H
