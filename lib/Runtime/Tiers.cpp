//===- Tiers.cpp - The choice among a model's tiers -------------*- C++ -*-===//
//
// A name that cannot be honoured is an error, never a silent other choice:
// tests force tiers and must know which one ran.
//
//===----------------------------------------------------------------------===//

#include "Tiers.h"
#include "CpuFeatures.h"

#include <stdio.h>
#include <string.h>

using namespace qopt::runtime;

/// Writes the names of all tiers, separated by commas.
static void listTiers(const qopt_rt_program &program, TextBuffer text) {
  size_t used = 0;
  text.data[0] = '\0';
  for (int64_t i = 0; i < program.tierCount && used < text.capacity; ++i)
    used += snprintf(text.data + used, text.capacity - used, "%s%s",
                     i == 0 ? "" : ", ", program.tiers[i].name);
}

static int64_t findTier(const qopt_rt_program &program, const char *name) {
  for (int64_t i = 0; i < program.tierCount; ++i)
    if (strcmp(program.tiers[i].name, name) == 0)
      return i;
  return -1;
}

qopt_status qopt::runtime::chooseTier(const qopt_rt_program &program,
                                      int64_t features, const char *wanted,
                                      qopt_tier_info *infos, int64_t &chosen,
                                      TextBuffer error) {
  char names[256];
  listTiers(program, {names, sizeof(names)});
  chosen = -1;
  for (int64_t i = 0; i < program.tierCount; ++i) {
    const qopt_rt_tier &tier = program.tiers[i];
    int64_t missing = tier.requiredFeatures & ~features;
    infos[i].name = tier.name;
    infos[i].is_available = missing == 0;
    infos[i].is_chosen = 0;
    infos[i].reason =
        missing == 0 ? "a better tier is chosen" : nameOfFeature(missing);
    if (missing == 0)
      chosen = i;
  }

  if (wanted) {
    int64_t named = findTier(program, wanted);
    if (named < 0) {
      setText(error, "QOPT_CPU=%s names no tier of this model; it has %s",
              wanted, names);
      return QOPT_BAD_USE;
    }
    if (!infos[named].is_available) {
      setText(error, "QOPT_CPU=%s: this machine lacks %s", wanted,
              infos[named].reason);
      return QOPT_BAD_USE;
    }
    if (chosen != named)
      infos[chosen].reason = "QOPT_CPU names another tier";
    chosen = named;
  }
  if (chosen < 0) {
    setText(error,
            "this machine runs none of the model's tiers (%s): it lacks "
            "%s",
            names,
            program.tierCount > 0 ? infos[0].reason : "code for any machine");
    return QOPT_UNSUPPORTED;
  }
  infos[chosen].is_chosen = 1;
  infos[chosen].reason =
      wanted ? "named by QOPT_CPU" : "the best tier that this machine runs";
  return QOPT_OK;
}
