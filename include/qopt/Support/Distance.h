//===- Distance.h - How far numbers are from others -------------*- C++ -*-===//
//
// One measure for accuracy gates, reports and comparisons of files.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_DISTANCE_H
#define QOPT_SUPPORT_DISTANCE_H

#include <cstdint>
#include <limits>

namespace qopt {

struct Distance {
  /// Energy of the expected numbers by that of the errors; infinite where there
  /// is no error, NaN where an error is none that can be measured.
  double sqnrInDecibels = std::numeric_limits<double>::infinity();
  /// 1 where there is no error, also between zeros.
  double cosine = 1;
  /// Infinite where one number is NaN and the other is not.
  double largestError = 0;
  /// Pairs that were compared.
  int64_t count = 0;

  bool isEqual() const { return largestError == 0; }
};

/// Sums over pairs of numbers, in double.
class DistanceSums {
public:
  /// Two infinities or NaNs that are the same are no error, and nothing else
  /// either.
  void add(double found, double expected);
  Distance get() const;

private:
  double foundEnergy = 0, expectedEnergy = 0, product = 0, noise = 0,
         largest = 0;
  int64_t count = 0;
};

} // namespace qopt

#endif // QOPT_SUPPORT_DISTANCE_H
