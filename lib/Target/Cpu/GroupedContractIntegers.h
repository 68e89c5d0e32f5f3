//===- GroupedContractIntegers.h - Codes as signed bytes --------*- C++ -*-===//
//
// Elements that are small integers times a power of two are multiplied as those
// integers, four to a word.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTINTEGERS_H
#define QOPT_LIB_TARGET_CPU_GROUPEDCONTRACTINTEGERS_H

#include "GroupedContractOperand.h"
#include "Packing.h"

namespace qopt::cpu {

/// Elements of k in a word.
inline constexpr int64_t kElementsInWord = 4;

/// What `offsetBytes` adds to each byte of a word.
inline constexpr int32_t kByteOffsets = int32_t(0x80808080);

/// Makes `groups` one of integers where each element of both operands is a
/// signed byte and the sums of groups, over at most `depth` elements, have at
/// most 24 bits: then they are the sums that chains of f32 give.
kernel::Match useIntegers(const GroupedOperand &lhs, const GroupedOperand &rhs,
                          std::optional<int64_t> depth, GroupShape &groups);

/// (code - zero) * unit * 2^multiplierLog2() of a vector of bytes with a code
/// each; `zero` is a vector of bytes or null.
mlir::Value integerBytes(VectorBuilder &v, const Tier &tier,
                         const GroupedOperand &operand, mlir::Value codes,
                         mlir::Value zero = {});

/// The same of constant codes.
Bytes integersOf(const GroupedOperand &operand, llvm::ArrayRef<uint8_t> codes);

/// Signed bytes as unsigned ones: 128 is added.
mlir::Value offsetBytes(VectorBuilder &v, mlir::Value bytes);

/// 16 zeros that a BesideTensors gives, a byte for each element of 16 words.
mlir::Value zeroBytes(VectorBuilder &v, mlir::Value zeros);

/// Adds 128 times the sum of the four signed bytes of each word to `sum`: what
/// the offset of the other operand brings in.
mlir::Value addOffsets(VectorBuilder &v, const Tier &tier,
                       int64_t largestSigned, mlir::Value words,
                       mlir::Value sum);

/// The type that sums of groups of at most `length` signed bytes are stored in,
/// and their bytes.
mlir::Type sumType(mlir::OpBuilder &b, int64_t length);
Bytes packSums(const std::vector<int32_t> &sums, int64_t length);
/// What a group with this sum starts from (i32), so that the offset of the
/// other operand does not count.
mlir::Value startOf(VectorBuilder &v, mlir::Value sum);

} // namespace qopt::cpu

#endif
