//===- Weights.h - The weights of a model, mapped ---------------*- C++ -*-===//
//
// Weights follow the code in the model's own file and are mapped from there:
// no copy, no relocation, no limit of size.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_WEIGHTS_H
#define QOPT_LIB_RUNTIME_WEIGHTS_H

#include "Program.h"
#include "Text.h"

namespace qopt::runtime {

class Weights {
public:
  /// Maps what `trailer` describes from the file at `path`. Returns a status
  /// and, on failure, a text.
  qopt_status map(const char *path, const qopt_rt_trailer &trailer,
                  TextBuffer error);
  void unmap();

  const char *getData() const { return data; }

  /// Compares the weights with the hash in `trailer`.
  bool verify(const qopt_rt_trailer &trailer) const;

private:
  void *mapping = nullptr;
  uint64_t mappingSize = 0;
  const char *data = nullptr;
};

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_WEIGHTS_H
