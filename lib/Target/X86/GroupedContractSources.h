//===- GroupedContractSources.h - Operands of products of groups *- C++ -*-===//
//
// The sources of the schedule for operands with scales.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_X86_GROUPEDCONTRACTSOURCES_H
#define QOPT_LIB_TARGET_X86_GROUPEDCONTRACTSOURCES_H

#include "GroupedContractOperand.h"

namespace qopt::x86 {

GroupedOperand lhsOf(MatMulOp op);
GroupedOperand rhsOf(MatMulOp op);
GroupedOperand lhsOf(ConvOp op);
GroupedOperand rhsOf(ConvOp op);

/// Null, with a diagnostic, for what has no kernel.
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
