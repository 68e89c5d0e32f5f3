//===- ConformancePrograms.h - What every target must run -------*- C++ -*-===//
//
// Programs that together choose every row of a target's table. A target's test
// runs each of them against Reference and then asks which rows were not chosen.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_TEST_TARGET_CONFORMANCE_CONFORMANCEPROGRAMS_H
#define QOPT_TEST_TARGET_CONFORMANCE_CONFORMANCEPROGRAMS_H

#include "qopt/Target/TargetBackend.h"
#include <set>
#include <string>
#include <vector>

namespace qopt::test {

struct ConformanceProgram {
  std::string name;
  /// A module with @main, and the same in the form of the phase `fuse`.
  std::string text, fused;
  /// How far a device that is not IEEE may be off, of the largest number; 0:
  /// equal bits.
  double bound = 0;
  /// A value for each `?` of the arguments.
  std::vector<int64_t> dims;
};

/// The programs of `programs.mlir`.
const std::vector<ConformanceProgram> &conformancePrograms();

/// The kernels that `backend` chooses for `program`. An op without one is a
/// failure of the test, unless `backend` says why.
std::set<std::string> chosenKernels(const TargetBackend &backend,
                                    const TargetConfig &config,
                                    const ConformanceProgram &program);

/// Compiles each program that `backend` has kernels for, runs it on each
/// machine of `backend` that is here, and compares with Reference as far as the
/// program allows. Skips the test, with the reason, where none of the machines
/// is here.
void expectConformance(const TargetBackend &backend);

/// Fails for each kernel in the tables of `backend` that no program chooses on
/// any of its machines.
void expectEveryRowIsChosen(const TargetBackend &backend);

} // namespace qopt::test

#endif
