//===- Packing.h - Constant operands in the order of the loops --*- C++ -*-===//
//
// Evaluated when a program is compiled; the artefact holds the result. Codes
// are stored as signed bytes (an unsigned code less 128), four products of an
// output to a word, missing products 0.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_TARGET_CPU_PACKING_H
#define QOPT_LIB_TARGET_CPU_PACKING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <vector>

namespace qopt::cpu {

using Bytes = std::vector<uint8_t>;

/// Packed codes and, for each output, the sum of its (signed) codes.
struct PackedCodes {
  Bytes words;
  std::vector<int32_t> sums;

  /// What the artefact holds of it: words, and sums where they are wanted.
  llvm::SmallVector<Bytes> pieces(bool withSums) &&;
};

/// Sizes of a convolution's weight, [outputs][channels][kernel positions].
struct KernelShape {
  int64_t outputs, channels, positions;
};

/// A [depth][columns] matrix of f32 as [columns / 16][depth][16].
Bytes packFloatPanels(llvm::ArrayRef<uint8_t> matrix, int64_t depth,
                      int64_t columns);
/// A [depth][columns] matrix of codes as [columns / 16][depth / 4][16][4]; sums
/// are padded to whole vectors.
PackedCodes packCodePanels(llvm::ArrayRef<uint8_t> matrix, int64_t depth,
                           int64_t columns, bool isUnsigned);

/// A weight of f32 as [outputs][positions][channels].
Bytes packFloatRows(llvm::ArrayRef<uint8_t> weight, KernelShape shape);
/// A weight of codes as [outputs][positions][channels / 4][4].
PackedCodes packCodeRows(llvm::ArrayRef<uint8_t> weight, KernelShape shape,
                         bool isUnsigned);

/// Sizes of a depthwise weight, [outputs][rows][columns], whose columns meet
/// codes `dilation` apart.
struct TapShape {
  int64_t outputs, rows, columns, dilation;

  /// Neighbouring codes that a row of taps reaches over.
  int64_t span() const { return (columns - 1) * dilation + 1; }
  int64_t rowWords() const { return (span() + 3) / 4; }
  /// Of an output.
  int64_t words() const { return rows * rowWords(); }
  /// Word `index` of a row that has 1 for each tap.
  int32_t onesOf(int64_t index) const;
};
/// A depthwise weight of codes as [outputs][rows][rowWords()][4]: each tap at
/// the code that it meets.
PackedCodes packCodeTaps(llvm::ArrayRef<uint8_t> weight, TapShape shape,
                         bool isUnsigned);

/// A [depth][columns] matrix of codes of `bits` each as a stream of bits in the
/// order [columns / 16][depth][16].
Bytes packCodeStream(llvm::ArrayRef<uint8_t> matrix, int64_t depth,
                     int64_t columns, unsigned bits);
/// A [depth][columns] matrix of codes of 2 or 4 bits as words [columns / 16]
/// [depth * bits / 32][16]: those of a column, the first in the lowest bits.
Bytes packCodeWords(llvm::ArrayRef<uint8_t> matrix, int64_t depth,
                    int64_t columns, unsigned bits);
/// A weight of codes as a stream of bits [outputs][positions][channels], where
/// the channels of a position are padded to whole vectors of 16.
Bytes packCodeStream(llvm::ArrayRef<uint8_t> weight, KernelShape shape,
                     unsigned bits);

/// A [depth][columns] matrix of codes as [columns / 16][depth / 16] chunks of
/// 4 words by 16 columns, a word four k. Of each code a chunk holds 4 bits, 2
/// bits or both in planes: byte i of a plane has those of byte i of the first
/// words in its low bits, then those of the next. Whole bytes stay as they are.
Bytes packCodePlanes(llvm::ArrayRef<uint8_t> matrix, int64_t depth,
                     int64_t columns, unsigned bits);
/// The sums of signed bytes over groups of `block` rows of a [depth][columns]
/// matrix, as [columns / 16][depth / block][16].
std::vector<int32_t> sumGroups(llvm::ArrayRef<uint8_t> matrix, int64_t depth,
                               int64_t columns, int64_t block);
/// Those of a weight, over groups of `block` channels, as
/// [outputs][positions][channels / block].
std::vector<int32_t> sumGroups(llvm::ArrayRef<uint8_t> weight,
                               KernelShape shape, int64_t block);

/// The memory of numbers.
template <class T> Bytes bytesOf(const std::vector<T> &values) {
  const auto *first = reinterpret_cast<const uint8_t *>(values.data());
  return Bytes(first, first + values.size() * sizeof(T));
}

} // namespace qopt::cpu

#endif
