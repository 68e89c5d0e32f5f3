//===- WidenChoice.cpp - Which products get more bits ---------------------===//
//
// Greedy: of the outputs that can be helped, the worst chooses next.
//
//===----------------------------------------------------------------------===//

#include "WidenChoice.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace qopt;

/// Measured noise by that of the products one by one.
static OutputNoise findFactors(llvm::ArrayRef<NarrowProduct> products,
                               const OutputNoise &measured) {
  OutputNoise factors;
  for (auto [output, noise] : llvm::enumerate(measured)) {
    double sum = 0;
    for (const NarrowProduct &product : products)
      sum += product.getNoise(output);
    factors.push_back(sum > 0 && std::isfinite(noise) ? noise / sum : 0);
  }
  return factors;
}

/// The product that costs `output` most; null where none costs anything.
static NarrowProduct *findCostliest(std::vector<NarrowProduct> &products,
                                    size_t output) {
  NarrowProduct *costliest = nullptr;
  for (NarrowProduct &product : products)
    if (product.getNoise(output) >
        (costliest ? costliest->getNoise(output) : 0))
      costliest = &product;
  return costliest;
}

llvm::SmallVector<size_t>
qopt::widenProducts(std::vector<NarrowProduct> &products, OutputNoise measured,
                    double bound) {
  OutputNoise factors = findFactors(products, measured);
  llvm::SmallVector<size_t> widened;
  while (true) {
    // Of the outputs that a product can help.
    NarrowProduct *chosen = nullptr;
    double worst = bound;
    for (auto [output, noise] : llvm::enumerate(measured))
      if (NarrowProduct *product = findCostliest(products, output);
          product && std::isfinite(noise) && noise > worst) {
        chosen = product;
        worst = noise;
      }
    if (!chosen)
      return widened;
    for (auto [output, noise] : llvm::enumerate(measured))
      noise -= factors[output] * chosen->getNoise(output);
    chosen->isWide = true;
    widened.push_back(chosen - products.data());
  }
}
