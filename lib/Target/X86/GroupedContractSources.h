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

/// The groups of a product with scales (`qopt.matmul` or `qopt.conv`), and
/// whether their sums are integers: then a step has several elements. Nothing
/// where the blocks of the operands do not fit each other.
std::optional<GroupShape> groupsOf(const Tier &tier, mlir::Operation *product);
inline bool sumsIntegers(const GroupShape &groups) {
  return groups.elementsInStep > 1;
}

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
