//===- Cpu.h - What the runtime asks of the CPU -----------------*- C++ -*-===//
//
// Each architecture has a folder, which defines:
//
// - DefaultFloatMode: round to nearest even, denormals kept, no traps; the old
//   mode comes back at the end of the scope. Hosts run with denormals flushed
//   or other roundings. Results must not depend on that, so kernels run in this
//   mode on every thread.
// - pauseSpinning(): tells the CPU that this thread waits in a loop.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_CPU_H
#define QOPT_LIB_RUNTIME_CPU_H

#if defined(__x86_64__)
#include "X86/Cpu.h"
#else
#error "lib/Runtime has no folder for this architecture"
#endif

#endif // QOPT_LIB_RUNTIME_CPU_H
