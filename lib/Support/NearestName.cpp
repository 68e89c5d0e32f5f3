//===- NearestName.cpp - What a mistyped name may stand for ---------------===//

#include "qopt/Support/NearestName.h"
#include <algorithm>

using namespace qopt;
using llvm::StringRef;

NearestName::NearestName(StringRef wanted, bool isAnyNear)
    : wanted(wanted),
      least(isAnyNear ? ~0u : std::max<size_t>(2, wanted.size() / 3) + 1) {}

void NearestName::add(StringRef known) {
  unsigned distance = wanted.edit_distance(known);
  bool isFirst = distance == least && !nearest.empty() && known < nearest;
  if (distance >= least && !isFirst)
    return;
  least = distance;
  nearest = known;
}

std::string qopt::suggest(StringRef name) {
  return name.empty() ? "" : "; did you mean '" + name.str() + "'?";
}
