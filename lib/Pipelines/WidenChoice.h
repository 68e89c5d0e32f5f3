//===- WidenChoice.h - Which products get more bits -------------*- C++ -*-===//
//
// From what each product's codes cost the outputs by themselves.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_PIPELINES_WIDENCHOICE_H
#define LIB_PIPELINES_WIDENCHOICE_H

#include "Sensitivity.h"

namespace qopt {

/// A product that policy may give more bits.
struct NarrowProduct {
  /// What its codes cost each output.
  OutputNoise noise;
  bool isWide = false;

  /// What it is taken to cost: more bits cost nothing.
  double getNoise(size_t output) const { return isWide ? 0 : noise[output]; }
};

/// Makes products wide until no output is expected to have more noise than
/// `bound`, where the program has `measured` as it is: first those that cost
/// most. Outputs whose noise is infinite are left out. Noise of single products
/// is taken to add up in proportion. Returns their indices; none where no
/// product helps.
llvm::SmallVector<size_t> widenProducts(std::vector<NarrowProduct> &products,
                                        OutputNoise measured, double bound);

} // namespace qopt

#endif
