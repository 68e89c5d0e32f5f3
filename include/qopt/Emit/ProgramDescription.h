//===- ProgramDescription.h - What a model says about itself ----*- C++ -*-===//
//
// The compiler's form of the table that the runtime reads.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_EMIT_PROGRAMDESCRIPTION_H
#define QOPT_EMIT_PROGRAMDESCRIPTION_H

#include "qopt/Support/ElementType.h"
#include "llvm/ADT/SmallVector.h"
#include <string>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace qopt {

struct ValueDescription {
  std::string name;
  ElementType type = ElementType::F32;
  /// -1 where any size is accepted.
  llvm::SmallVector<int64_t> dims;
  /// A name for each dim, "" where it has none; or nothing at all. Dims of
  /// inputs with the same name must be equal in each run.
  std::vector<std::string> symbols;
};

/// See qopt_state_info.
struct StateDescription {
  int64_t input, output;
  int64_t axis = -1;
  int64_t capacity = 0;
  bool isAppended = false;
};

struct TierDescription {
  /// The name of a machine.
  std::string name;
  /// The symbol of its main function.
  std::string entry;
  /// What the runtime must find.
  int64_t requiredFeatures = 0;
};

struct ProgramDescription {
  std::string name;
  /// JSON text.
  std::string manifest;
  std::vector<ValueDescription> inputs;
  std::vector<ValueDescription> outputs;
  /// The runtime takes the last one that the machine can run.
  std::vector<TierDescription> tiers;
  std::vector<StateDescription> states;
};

/// Adds the tables for `description` to `module`, with declarations of the
/// tiers' entries.
void buildProgramDescriptor(llvm::Module &module,
                            const ProgramDescription &description);

} // namespace qopt

#endif // QOPT_EMIT_PROGRAMDESCRIPTION_H
