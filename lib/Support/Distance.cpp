//===- Distance.cpp - How far numbers are from others ---------------------===//
//
// Sums go on through NaN: what cannot be measured must not look measured.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/Distance.h"
#include <algorithm>
#include <cmath>

using namespace qopt;

void DistanceSums::add(double found, double expected) {
  ++count;
  bool isSame =
      found == expected || (std::isnan(found) && std::isnan(expected));
  if (isSame && !std::isfinite(expected))
    return;
  double error = isSame ? 0 : expected - found;
  foundEnergy += found * found;
  expectedEnergy += expected * expected;
  product += found * expected;
  noise += error * error;
  largest = std::isnan(error) ? std::numeric_limits<double>::infinity()
                              : std::max(largest, std::fabs(error));
}

Distance DistanceSums::get() const {
  Distance distance;
  distance.count = count;
  if (noise == 0)
    return distance;
  distance.sqnrInDecibels = 10 * std::log10(expectedEnergy / noise);
  distance.cosine = product / std::sqrt(foundEnergy * expectedEnergy);
  distance.largestError = largest;
  return distance;
}
