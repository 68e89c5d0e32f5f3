//===- Json.cpp - Numbers and distances as JSON ---------------------------===//

#include "qopt/Support/Json.h"
#include <cmath>

using namespace qopt;
namespace json = llvm::json;

json::Value qopt::finiteOrNull(double value) {
  return std::isfinite(value) ? json::Value(value) : json::Value(nullptr);
}

json::Object qopt::describeDistance(const Distance &distance) {
  return json::Object{{"sqnr_db", finiteOrNull(distance.sqnrInDecibels)},
                      {"cosine", finiteOrNull(distance.cosine)},
                      {"max_error", finiteOrNull(distance.largestError)}};
}
