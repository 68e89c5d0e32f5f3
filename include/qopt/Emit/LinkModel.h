//===- LinkModel.h - Objects and weights to a model -------------*- C++ -*-===//
//
// Makes the shared library that qopt_model.h describes. Needs no compiler,
// linker or libc on the user's machine: all of them are in this library.
//
// Linking resets every `llvm::cl` option of the process. Copy what you need
// from them before the first call.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_EMIT_LINKMODEL_H
#define QOPT_EMIT_LINKMODEL_H

#include "qopt/Emit/ProgramDescription.h"
#include "qopt/Target/Machine.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/SHA256.h"

namespace qopt {

class AtomicFile;

/// Whether a model holds digests of its weights and of the whole file. One that
/// is loaded at once and removed needs none.
enum class ModelDigests { Written, Absent };

/// Where a source of weights puts them, in order and without holding them all.
class WeightsWriter {
public:
  WeightsWriter(AtomicFile &file, ModelDigests digests)
      : file(file), digests(digests) {}

  llvm::Error write(llvm::StringRef bytes);
  /// Writes zeros up to `offset`, which must not be behind the position.
  llvm::Error padTo(uint64_t offset);
  /// Bytes written so far.
  uint64_t getPosition() const { return position; }

  /// The SHA-256 of what was written, or zeros. Ends the writing.
  std::array<uint8_t, 32> finish();

private:
  AtomicFile &file;
  ModelDigests digests;
  llvm::SHA256 hash;
  uint64_t position = 0;
};

/// Writes the weights, at the offsets from the first one that the code of the
/// model expects. Called once.
using WeightsSource = llvm::function_ref<llvm::Error(WeightsWriter &)>;

/// Links `objects`, which hold the entries of the tiers, with the runtime of
/// `machine`, whose platform is that of them all, and writes the model with its
/// weights to `path`. The same arguments give the
/// same bytes. After an error there is no new file. Calls from several threads
/// wait for each other.
llvm::Error linkModel(llvm::ArrayRef<llvm::StringRef> objects,
                      const ProgramDescription &description,
                      const Machine &machine, WeightsSource weights,
                      llvm::StringRef path,
                      ModelDigests digests = ModelDigests::Written);

} // namespace qopt

#endif // QOPT_EMIT_LINKMODEL_H
