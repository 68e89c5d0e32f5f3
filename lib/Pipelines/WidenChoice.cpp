//===- WidenChoice.cpp - Which products get more bits ---------------------===//
//
// Greedy: the output that is worst chooses next.
//
//===----------------------------------------------------------------------===//

#include "WidenChoice.h"
#include "llvm/ADT/STLExtras.h"

using namespace qopt;

/// Measured noise by that of the products one by one.
static OutputNoise findFactors(llvm::ArrayRef<NarrowProduct> products,
                               const OutputNoise &measured) {
  OutputNoise factors;
  for (auto [output, noise] : llvm::enumerate(measured)) {
    double sum = 0;
    for (const NarrowProduct &product : products)
      sum += product.getNoise(output);
    factors.push_back(sum > 0 ? noise / sum : 0);
  }
  return factors;
}

llvm::SmallVector<size_t>
qopt::widenProducts(std::vector<NarrowProduct> &products, OutputNoise measured,
                    double bound) {
  OutputNoise factors = findFactors(products, measured);
  llvm::SmallVector<size_t> widened;
  while (!measured.empty()) {
    size_t output = llvm::max_element(measured) - measured.begin();
    auto best = llvm::max_element(
        products, [&](const NarrowProduct &a, const NarrowProduct &b) {
          return a.getNoise(output) < b.getNoise(output);
        });
    if (measured[output] <= bound || best == products.end() ||
        factors[output] * best->getNoise(output) <= 0)
      break;
    for (auto [other, noise] : llvm::enumerate(measured))
      noise -= factors[other] * best->getNoise(other);
    best->isWide = true;
    widened.push_back(best - products.begin());
  }
  return widened;
}
