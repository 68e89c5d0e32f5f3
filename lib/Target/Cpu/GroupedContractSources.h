//===- GroupedContractSources.h - Operands of products of groups *- C++ -*-===//
//
// The sources of the schedule for operands with scales.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTSOURCES_H
#define QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTSOURCES_H

#include "GroupedContractOperand.h"

namespace qopt::cpu {

/// The sides of a product or convolution.
GroupedOperand lhsOf(ContractionOpInterface op);
GroupedOperand rhsOf(ContractionOpInterface op);

/// Whether the sums of groups are integers: then a step has several elements.
inline bool sumsIntegers(const GroupShape &groups) {
  return groups.elementsInStep > 1;
}

/// Null, with a diagnostic, where what stands in front cannot be written.
std::unique_ptr<ContractSource> makeGroupedMatMulSource(CpuProgram &program,
                                                        MatMulOp op,
                                                        const GroupShape &shape,
                                                        Epilogue &epilogue);
std::unique_ptr<ContractSource> makeGroupedConvSource(CpuProgram &program,
                                                      ConvOp op,
                                                      const GroupShape &shape,
                                                      Epilogue &epilogue);

} // namespace qopt::cpu

#endif
