//===- InitAllPasses.h - Every pass a tool knows ----------------*- C++ -*-===//
//
// The one list that opt, reduce and the compiler share.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_INITALLPASSES_H
#define QOPT_INITALLPASSES_H

#include "dialects/QKernel/Transforms/Passes.h"
#include "dialects/QOpt/Quantization/QuantizationPasses.h"
#include "dialects/QOpt/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "qopt/Conversion/QOptToQKernel/Passes.h"
#include "qopt/Target/Host/Passes.h"
#include "qopt/Target/Passes.h"
#include "qopt/Transforms/Passes.h"

namespace qopt {

/// Passes that ask targets find those of `targets`, which outlive them.
inline void registerAllPasses(const TargetRegistry &targets) {
  mlir::registerTransformsPasses();
  registerQOptPasses();
  registerQOptQuantizationPasses();
  registerQOptTransformsPasses();
  registerQOptToQKernelPasses();
  kernel::registerQKernelPasses();
  host::registerQOptTargetHostPasses();
  registerTargetPasses(targets);
}

} // namespace qopt

#endif
