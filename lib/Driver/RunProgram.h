//===- RunProgram.h - Something that can be run -----------------*- C++ -*-===//
//
// qopt-run does not care whether machine code or the reference evaluator makes
// the numbers.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNPROGRAM_H
#define LIB_DRIVER_RUNPROGRAM_H

#include "qopt/Execution/ModelRunner.h"
#include "llvm/Support/JSON.h"

namespace qopt {

class RunProgram {
public:
  virtual ~RunProgram() = default;

  virtual llvm::ArrayRef<ModelValue> getInputs() const = 0;
  virtual llvm::ArrayRef<ModelValue> getOutputs() const = 0;
  /// The tier whose code runs, or `reference`.
  virtual std::string getIsa() const = 0;
  virtual llvm::Expected<int64_t> countThreads() = 0;
  /// All loops of a run together take at most as many, if there is a number.
  virtual void setMaxIterations(std::optional<int64_t> count) = 0;
  /// `arguments` are in the order of the inputs. The results live as long as
  /// the program.
  virtual llvm::Error run(llvm::ArrayRef<HostTensor> arguments,
                          llvm::SmallVectorImpl<HostTensor> &results) = 0;
  /// What is timed.
  virtual llvm::Error
  runWithoutResults(llvm::ArrayRef<HostTensor> arguments) = 0;
  /// Runs that follow go on from each other: see ModelRunner::bindStates. What
  /// is kept is no input and no output then.
  virtual llvm::Error keepStates(int64_t capacity);
  /// What else there is to say: tiers, manifest.
  virtual llvm::json::Object describe() const { return {}; }
};

/// Loads a compiled model, which messages name `shownAs`, unless that is empty.
llvm::Expected<std::unique_ptr<RunProgram>>
openCompiledProgram(llvm::StringRef path, int32_t threads,
                    llvm::StringRef shownAs = "");

/// Compiles an ONNX model as it is, for this machine, and loads the result.
llvm::Expected<std::unique_ptr<RunProgram>> compileProgram(llvm::StringRef path,
                                                           int32_t threads);

/// Reads an ONNX file, or a phase file from before `target`, to be interpreted.
llvm::Expected<std::unique_ptr<RunProgram>>
openReferenceProgram(llvm::StringRef path);

/// The one of these that suits the file.
llvm::Expected<std::unique_ptr<RunProgram>>
openProgram(llvm::StringRef path, bool usesReference, int32_t threads);

} // namespace qopt

#endif // LIB_DRIVER_RUNPROGRAM_H
