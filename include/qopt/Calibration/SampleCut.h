//===- SampleCut.h - Runs that go on where the last one ended ---*- C++ -*-===//
//
// Where a program is rounded from its beginning to its end, what was run of it
// stays as it is. Tensors that cross the place up to which samples were run are
// kept, as many as there is room for; samples that do not fit run from the
// beginning.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_CALIBRATION_SAMPLECUT_H
#define QOPT_CALIBRATION_SAMPLECUT_H

#include "qopt/Calibration/Calibrate.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace qopt {

/// The cut of one module, on whose ops it leaves marks until it ends. Between
/// two runs, ops may be added and operands exchanged, but an op that has run
/// stays as it was, if all that it is planned to have codes for was rounded
/// (`qopt.rounded`).
class SampleCut {
public:
  static constexpr uint64_t kMaxBytes = 256 << 20;

  explicit SampleCut(mlir::ModuleOp module, uint64_t maxBytes = kMaxBytes)
      : module(module), maxBytes(maxBytes) {}
  ~SampleCut();
  SampleCut(const SampleCut &) = delete;

  /// As the function of this name, but runs only what observe ops read and was
  /// not run before. `data` are always the same.
  llvm::Error runSamples(mlir::ModuleOp module, const CalibrationData &data,
                         ProgramRunner &runner, SampleCallback observe);

  /// Samples whose tensors are kept: the first ones.
  size_t countKept() const { return kept.size(); }

private:
  /// The tensors of a sample, by numbers of values.
  using Tensors = llvm::DenseMap<int64_t, HostTensor>;
  struct Part;

  void readMarks();
  void mark(const Part &part);
  Part makePart(bool startsFromCut);
  void addResults(Part &part);
  bool keep(size_t sample, const Part &part,
            llvm::SmallVectorImpl<HostTensor> &results);
  void dropFrom(size_t sample);
  llvm::Error runPart(const Part &part, size_t first, size_t end,
                      const CalibrationData &data, ProgramRunner &runner,
                      SampleCallback observe);

  mlir::ModuleOp module;
  uint64_t maxBytes;
  uint64_t numBytes = 0;
  bool hasRun = false;
  int64_t nextNumber = 0;
  std::vector<Tensors> kept;
  /// What has a number at the cut, and the ops of @main that were run.
  llvm::DenseMap<mlir::Value, int64_t> numbers;
  llvm::DenseSet<mlir::Operation *> executed;
};

} // namespace qopt

#endif // QOPT_CALIBRATION_SAMPLECUT_H
