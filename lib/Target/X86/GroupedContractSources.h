//===- GroupedContractSources.h - Operands of products of groups *- C++ -*-===//
//
// The sources of the schedule for operands with scales.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_GROUPEDCONTRACTSOURCES_H
#define QOPT_LIB_TARGET_X86_GROUPEDCONTRACTSOURCES_H

#include "GroupedContractOperand.h"

namespace qopt::x86 {

/// The sides of a product or convolution.
GroupedOperand lhsOf(ContractionOpInterface op);
GroupedOperand rhsOf(ContractionOpInterface op);

/// Whether the sums of groups are integers: then a step has several elements.
inline bool sumsIntegers(const GroupShape &groups) {
  return groups.elementsInStep > 1;
}

/// Null, with a diagnostic, where what stands in front cannot be written.
std::unique_ptr<ContractSource> makeGroupedMatMulSource(ProgramEmitter &program,
                                                        MatMulOp op,
                                                        const GroupShape &shape,
                                                        Epilogue &epilogue);
std::unique_ptr<ContractSource> makeGroupedConvSource(ProgramEmitter &program,
                                                      ConvOp op,
                                                      const GroupShape &shape,
                                                      Epilogue &epilogue);

} // namespace qopt::x86

#endif
