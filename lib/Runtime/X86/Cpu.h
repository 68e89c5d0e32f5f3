//===- Cpu.h - What the runtime asks of an x86-64 ---------------*- C++ -*-===//
//
// Reached through lib/Runtime/Cpu.h.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_X86_CPU_H
#define QOPT_LIB_RUNTIME_X86_CPU_H

#include <xmmintrin.h>

namespace qopt::runtime {

class DefaultFloatMode {
public:
  DefaultFloatMode() : saved(_mm_getcsr()) { _mm_setcsr(0x1f80); }
  ~DefaultFloatMode() { _mm_setcsr(saved); }

private:
  unsigned saved;
};

inline void pauseSpinning() { _mm_pause(); }

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_X86_CPU_H
