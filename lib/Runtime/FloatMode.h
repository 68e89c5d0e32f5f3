//===- FloatMode.h - The floating-point mode of kernels ---------*- C++ -*-===//
//
// Hosts run with denormals flushed or other roundings. Results must not depend
// on that, so kernels run in the default mode on every thread.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_FLOATMODE_H
#define QOPT_LIB_RUNTIME_FLOATMODE_H

#include <xmmintrin.h>

namespace qopt::runtime {

/// Round to nearest even, denormals kept, no traps; the old mode comes back at
/// the end of the scope.
class DefaultFloatMode {
public:
  DefaultFloatMode() : saved(_mm_getcsr()) { _mm_setcsr(0x1f80); }
  ~DefaultFloatMode() { _mm_setcsr(saved); }

private:
  unsigned saved;
};

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_FLOATMODE_H
