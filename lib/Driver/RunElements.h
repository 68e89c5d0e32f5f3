//===- RunElements.h - Elements of any type as numbers ----------*- C++ -*-===//
//
// For what is written on a command line and shown to people. Nothing here is
// on the way of a model's numbers.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RUNELEMENTS_H
#define LIB_DRIVER_RUNELEMENTS_H

#include "qopt/Support/HostTensor.h"

namespace qopt {

bool isFloatType(ElementType type);

/// The values of an integer type, or of bool.
struct IntegerRange {
  long double min, max;
};
IntegerRange getIntegerRange(ElementType type);

/// True if an element of `type` can be near `value`: the range of an integer
/// type holds it and it is whole; a float type has it or rounds to it.
bool canHold(ElementType type, double value);

/// Writes `value`, rounded to the nearest that the type has.
void writeElement(HostTensor &tensor, int64_t index, double value);

/// Exact for every type: long double has 64 bits of precision here.
long double readElement(const HostTensor &tensor, int64_t index);

} // namespace qopt

#endif // LIB_DRIVER_RUNELEMENTS_H
