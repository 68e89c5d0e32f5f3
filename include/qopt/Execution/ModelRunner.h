//===- ModelRunner.h - Runs a compiled model --------------------*- C++ -*-===//
//
// The C++ face of qopt_model.h: loads a model.so into this process and runs it
// with tensors.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_EXECUTION_MODELRUNNER_H
#define QOPT_EXECUTION_MODELRUNNER_H

#include "qopt/Support/HostTensor.h"
#include "llvm/ADT/StringRef.h"
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace qopt {

/// An input or output as the model declares it.
struct ModelValue {
  std::string name;
  ElementType type = ElementType::F32;
  /// -1 where any size is accepted.
  llvm::SmallVector<int64_t> dims;
  /// A name for each dim, "" where it has none.
  std::vector<std::string> symbols;
};

/// Puts `tensors` in the order of `inputs`, by name. Every input must be there,
/// and nothing else. Bit patterns, as files of numpy arrays hold them, become
/// the declared type where numpy does not have it.
llvm::Expected<std::vector<HostTensor>>
orderInputs(llvm::ArrayRef<ModelValue> inputs,
            llvm::ArrayRef<NamedTensor> tensors);

/// An output that feeds an input of the next run.
struct ModelState {
  /// Their numbers.
  int64_t input, output;
  /// The axis that grows; -1: none.
  int64_t axis;
  /// What it grows to where nothing else is said; 0: something has to be.
  int64_t capacity;
};

/// Code for one kind of CPU in a model.
struct ModelTier {
  std::string name;
  bool isAvailable = false;
  bool isChosen = false;
  /// Why it is chosen, or not.
  std::string reason;
};

/// Sees value `id` of a run. `data` is dense and lives until the call returns.
using Observer = std::function<void(int32_t id, const void *data,
                                    llvm::ArrayRef<int64_t> dims)>;

/// A loaded model with one context. One thread at a time may use it.
class ModelRunner {
public:
  /// Loads the model at `path`. The error carries the exit code of a tool.
  /// Messages name the file `shownAs`, where that is not empty: users do not
  /// know temporary files.
  static llvm::Expected<std::unique_ptr<ModelRunner>>
  open(llvm::StringRef path, llvm::StringRef shownAs = "");
  ~ModelRunner();

  llvm::StringRef getName() const;
  /// JSON text.
  llvm::StringRef getManifest() const;
  llvm::ArrayRef<ModelValue> getInputs() const { return inputs; }
  llvm::ArrayRef<ModelValue> getOutputs() const { return outputs; }
  llvm::ArrayRef<ModelTier> getTiers() const { return tiers; }
  llvm::ArrayRef<ModelState> getStates() const { return states; }
  /// The tier that runs.
  llvm::StringRef getChosenTier() const;

  /// For the runs that follow; 0: one for each CPU.
  void setThreads(int32_t threads);
  void setObserver(Observer observer);
  /// All loops of a run together take at most as many; 0: any number.
  void setMaxIterations(int64_t count);
  /// Asked now and then by loops, on the thread that runs: true ends the run.
  void setInterrupt(std::function<bool()> asked);
  /// Threads that a run uses.
  llvm::Expected<int64_t> countThreads();

  /// From the next run on the states are kept here, up to `capacity`, or what
  /// the model says where it is 0. Arguments of their inputs are not read.
  llvm::Error bindStates(int64_t capacity);
  void unbindStates();
  void resetStates();
  bool areStatesBound() const { return stateCapacity.has_value(); }
  /// True for an input that takes no argument, and for an output that is not
  /// given, since a state is kept for them.
  bool isInputKept(size_t index) const;
  bool isOutputKept(size_t index) const;
  /// The length of a state.
  int64_t getStateLength(size_t index) const;
  /// Goes on from the states of a runner of the same file.
  llvm::Error forkStates(const ModelRunner &from);

  /// Runs once. `arguments` are in the order of the inputs. Bit patterns, as
  /// files of numpy arrays hold them, are accepted for types that numpy does
  /// not have. `results` are new tensors in the order of the outputs; those
  /// that are kept are null.
  llvm::Error run(llvm::ArrayRef<HostTensor> arguments,
                  llvm::SmallVectorImpl<HostTensor> &results);

  /// As `run`, but leaves the results where the model made them: for timing.
  llvm::Error runWithoutResults(llvm::ArrayRef<HostTensor> arguments);

  /// As the function of this name, for the inputs of this model.
  llvm::Expected<std::vector<HostTensor>>
  orderInputs(llvm::ArrayRef<NamedTensor> tensors) const {
    return qopt::orderInputs(inputs, tensors);
  }

private:
  ModelRunner() = default;
  llvm::Error load(llvm::StringRef file);
  llvm::Error ensureContext();
  llvm::Error limitLoops();
  void dropContext();

  int file = -1;
  void *library = nullptr;
  const qopt_model_api *api = nullptr;
  qopt_model *model = nullptr;
  qopt_context *context = nullptr;
  int32_t threads = 0;
  Observer observer;
  int64_t maxIterations = 0;
  std::function<bool()> isInterrupted;
  /// As messages name the file.
  std::string path;
  std::vector<ModelValue> inputs;
  std::vector<ModelValue> outputs;
  std::vector<ModelTier> tiers;
  std::vector<ModelState> states;
  /// Nothing: they are the caller's.
  std::optional<int64_t> stateCapacity;
};

} // namespace qopt

#endif // QOPT_EXECUTION_MODELRUNNER_H
