//===- Operators.cpp - The ONNX operators that are imported ---------------===//
//
// The families, and the look-up of a row.
//
//===----------------------------------------------------------------------===//

#include "Operators.h"
#include "qopt/Import/ONNX/ImportONNX.h"
#include "llvm/Support/raw_ostream.h"

using namespace qopt;
using namespace qopt::importer;

static llvm::SmallVector<llvm::ArrayRef<Operator>> getFamilies() {
  return {getActivationOperators(),    getArithmeticOperators(),
          getAttentionOperators(),     getAttentionOperatorsOfMicrosoft(),
          getBlockedWeightOperators(), getConstantOperators(),
          getContractionOperators(),   getControlFlowOperators(),
          getDeterminantOperators(),   getElementwiseOperators(),
          getFlexAttentionOperators(), getFusedOperators(),
          getIntegerOperators(),       getLinearAttentionOperators(),
          getLoopOperators(),          getLossOperators(),
          getMovementOperators(),      getNormalizationOperators(),
          getPatchOperators(),         getQLinearOperators(),
          getQuantizationOperators(),  getQuantizedRecurrentOperators(),
          getRecurrentOperators(),     getReductionOperators(),
          getSamplingOperators(),      getSelectionOperators(),
          getSequenceOperators(),      getShapeOperators(),
          getSignalOperators(),        getTfIdfOperators(),
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
      result.push_back(
          {row.name, std::max(row.sinceOpset, kMinOpset), row.limits});
  llvm::sort(result, [](const ImportedOperator &a, const ImportedOperator &b) {
    return std::make_pair(a.name, a.sinceOpset) <
           std::make_pair(b.name, b.sinceOpset);
  });
  // An operator is named once, with the first opset that has it and the limits
  // of the last.
  std::vector<ImportedOperator> merged;
  for (const ImportedOperator &row : result)
    if (!merged.empty() && merged.back().name == row.name)
      merged.back().limits = row.limits;
    else
      merged.push_back(row);
  return merged;
}

std::string qopt::documentOperators() {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "# ONNX operators\n\n"
        "<!-- `ninja -C build onnx-operators` writes this page from the "
        "importer. -->\n\n"
        "What is imported of the default domain, opsets "
     << kMinOpset << " to " << kMaxOpset
     << ". A row holds from its\nopset on; where something is refused, the "
        "last "
        "column says what is taken.\n`qopt-compile --list-operators` prints "
        "the same list.\n\n"
        "| operator | from opset | only |\n|---|---|---|\n";
  for (const ImportedOperator &row : importedOperators())
    os << "| " << row.name << " | " << row.sinceOpset << " | " << row.limits
       << (row.limits.empty() ? "|\n" : " |\n");
  return text;
}
