//===- Model.h - An opened model --------------------------------*- C++ -*-===//
//
// What all contexts of a model share; constant after `openModel`.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_MODEL_H
#define QOPT_LIB_RUNTIME_MODEL_H

#include "Program.h"
#include "Text.h"
#include "Weights.h"

struct qopt_model {
  const qopt_rt_program *program = nullptr;
  qopt_rt_trailer trailer = {};
  qopt::runtime::Weights weights;
  qopt_rt_entry entry = nullptr;
  qopt_tier_info *tiers = nullptr;
  /// For each dim of each input, in order: the number of the first dim with the
  /// same symbol, which is its own where there is none.
  int64_t *firstWithSymbol = nullptr;
  int64_t inputDimCount = 0;
};

namespace qopt::runtime {

/// Opens the model that `program` and `trailer` describe, from `path`.
qopt_status openModel(const qopt_rt_program &program,
                      const qopt_rt_trailer &trailer, const char *path,
                      qopt_model **model, TextBuffer error);
void closeModel(qopt_model *model);

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_MODEL_H
