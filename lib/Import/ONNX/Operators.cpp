//===- Operators.cpp - The ONNX operators that are imported ---------------===//
//
// The families, and the look-up of a row.
//
//===----------------------------------------------------------------------===//

#include "Operators.h"
#include "qopt/Import/ONNX/ImportONNX.h"

using namespace qopt;
using namespace qopt::importer;

static llvm::SmallVector<llvm::ArrayRef<Operator>> getFamilies() {
  return {getConstantOperators(),      getContractionOperators(),
          getElementwiseOperators(),   getMovementOperators(),
          getNormalizationOperators(), getQuantizationOperators(),
          getReductionOperators(),     getShapeOperators(),
          getUpsampleOperators(),      getWindowOperators()};
}

const Operator *qopt::importer::lookupOperator(llvm::StringRef name,
                                               int64_t opset, int64_t &since) {
  const Operator *best = nullptr;
  since = 0;
  for (llvm::ArrayRef<Operator> family : getFamilies())
    for (const Operator &row : family) {
      if (row.name != name)
        continue;
      if (since == 0 || row.sinceOpset < since)
        since = row.sinceOpset;
      if (row.sinceOpset <= opset &&
          (!best || row.sinceOpset > best->sinceOpset))
        best = &row;
    }
  return best;
}

std::vector<ImportedOperator> qopt::importedOperators() {
  std::vector<ImportedOperator> result;
  for (llvm::ArrayRef<Operator> family : getFamilies())
    for (const Operator &row : family)
      result.push_back({row.name, std::max(row.sinceOpset, kMinOpset)});
  llvm::sort(result, [](const ImportedOperator &a, const ImportedOperator &b) {
    return std::make_pair(a.name, a.sinceOpset) <
           std::make_pair(b.name, b.sinceOpset);
  });
  // An operator is named once, with the first opset that has it.
  result.erase(
      std::unique(result.begin(), result.end(),
                  [](const ImportedOperator &a, const ImportedOperator &b) {
                    return a.name == b.name;
                  }),
      result.end());
  return result;
}
