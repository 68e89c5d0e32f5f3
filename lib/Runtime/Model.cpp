//===- Model.cpp - An opened model ------------------------------*- C++ -*-===//
//
// Everything is allocated before anything is used, and closeModel takes what
// openModel left at any point.
//
//===----------------------------------------------------------------------===//

#include "Model.h"
#include "CpuFeatures.h"
#include "Tiers.h"

#include <new>
#include <stdlib.h>
#include <string.h>

using namespace qopt::runtime;

static const char *symbolOfDim(const qopt_rt_program &program, int64_t index) {
  for (int64_t i = 0; i < program.inputCount; ++i) {
    if (index < program.inputs[i].rank)
      return program.inputs[i].symbols[index];
    index -= program.inputs[i].rank;
  }
  return "";
}

static void findEqualSymbols(qopt_model &model) {
  for (int64_t i = 0; i < model.inputDimCount; ++i) {
    model.firstWithSymbol[i] = i;
    const char *symbol = symbolOfDim(*model.program, i);
    if (symbol[0] == '\0')
      continue;
    for (int64_t j = 0; j < i; ++j) {
      if (strcmp(symbolOfDim(*model.program, j), symbol) != 0)
        continue;
      model.firstWithSymbol[i] = j;
      break;
    }
  }
}

static qopt_status fillModel(qopt_model &model, const char *path,
                             TextBuffer error) {
  const qopt_rt_program &program = *model.program;
  for (int64_t i = 0; i < program.inputCount; ++i)
    model.inputDimCount += program.inputs[i].rank;
  // One more than needed: calloc of nothing may be null.
  model.tiers = static_cast<qopt_tier_info *>(
      calloc(program.tierCount + 1, sizeof(qopt_tier_info)));
  model.firstWithSymbol =
      static_cast<int64_t *>(calloc(model.inputDimCount + 1, sizeof(int64_t)));
  if (!model.tiers || !model.firstWithSymbol) {
    setText(error, "no memory to open the model");
    return QOPT_NO_RESOURCE;
  }
  findEqualSymbols(model);

  int64_t wantedFeatures = 0;
  for (int64_t i = 0; i < program.tierCount; ++i)
    wantedFeatures |= program.tiers[i].requiredFeatures;
  int64_t chosen;
  qopt_status status =
      chooseTier(program, detectCpuFeatures(wantedFeatures), getenv("QOPT_CPU"),
                 model.tiers, chosen, error);
  if (status != QOPT_OK)
    return status;
  model.entry = program.tiers[chosen].entry;
  return model.weights.map(path, model.trailer, error);
}

qopt_status qopt::runtime::openModel(const qopt_rt_program &program,
                                     const qopt_rt_trailer &trailer,
                                     const char *path, qopt_model **model,
                                     TextBuffer error) {
  *model = nullptr;
  if (program.version != QOPT_RT_PROGRAM_VERSION) {
    setText(error, "the model's table has version %lld, but its runtime %d",
            static_cast<long long>(program.version), QOPT_RT_PROGRAM_VERSION);
    return QOPT_INTERNAL;
  }
  void *memory = calloc(1, sizeof(qopt_model));
  if (!memory) {
    setText(error, "no memory to open the model");
    return QOPT_NO_RESOURCE;
  }
  qopt_model *opened = new (memory) qopt_model();
  opened->program = &program;
  opened->trailer = trailer;
  qopt_status status = fillModel(*opened, path, error);
  if (status != QOPT_OK) {
    closeModel(opened);
    return status;
  }
  *model = opened;
  return QOPT_OK;
}

void qopt::runtime::closeModel(qopt_model *model) {
  if (!model)
    return;
  model->weights.unmap();
  free(model->tiers);
  free(model->firstWithSymbol);
  free(model);
}
