//===- Packing.cpp - Constant operands in the order of the loops ----------===//
//
// Each result starts as zeros, so what is missing needs no code of its own.
//
//===----------------------------------------------------------------------===//

#include "Packing.h"
#include "dialects/QOpt/IR/Formats.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace qopt::cpu;

llvm::SmallVector<Bytes> PackedCodes::pieces(bool withSums) && {
  llvm::SmallVector<Bytes> pieces;
  pieces.push_back(std::move(words));
  if (withSums)
    pieces.push_back(bytesOf(sums));
  return pieces;
}
using llvm::ArrayRef;
using llvm::divideCeil;

static constexpr int64_t kPanel = 16;

static uint8_t signedCode(uint8_t code, bool isUnsigned) {
  return isUnsigned ? code ^ 0x80 : code;
}

Bytes qopt::cpu::packFloatPanels(ArrayRef<uint8_t> matrix, int64_t depth,
                                 int64_t columns) {
  Bytes packed(divideCeil(columns, kPanel) * depth * kPanel * 4);
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t first = 0; first < columns; first += kPanel) {
      int64_t count = std::min(kPanel, columns - first);
      std::memcpy(packed.data() + (first * depth + k * kPanel) * 4,
                  matrix.data() + (k * columns + first) * 4, count * 4);
    }
  return packed;
}

PackedCodes qopt::cpu::packCodePanels(ArrayRef<uint8_t> matrix, int64_t depth,
                                      int64_t columns, bool isUnsigned) {
  int64_t panels = divideCeil(columns, kPanel), words = divideCeil(depth, 4);
  PackedCodes packed{Bytes(panels * words * kPanel * 4),
                     std::vector<int32_t>(panels * kPanel)};
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t j = 0; j < columns; ++j) {
      uint8_t code = signedCode(matrix[k * columns + j], isUnsigned);
      int64_t word = (j / kPanel * words + k / 4) * kPanel + j % kPanel;
      packed.words[word * 4 + k % 4] = code;
      packed.sums[j] += int8_t(code);
    }
  return packed;
}

Bytes qopt::cpu::packFloatRows(ArrayRef<uint8_t> weight, KernelShape shape) {
  auto [outputs, channels, positions] = shape;
  Bytes packed(outputs * channels * positions * 4);
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < positions; ++p)
        std::memcpy(packed.data() + ((o * positions + p) * channels + c) * 4,
                    weight.data() + ((o * channels + c) * positions + p) * 4,
                    4);
  return packed;
}

PackedCodes qopt::cpu::packCodeRows(ArrayRef<uint8_t> weight, KernelShape shape,
                                    bool isUnsigned) {
  auto [outputs, channels, positions] = shape;
  int64_t words = divideCeil(channels, 4);
  PackedCodes packed{Bytes(outputs * positions * words * 4),
                     std::vector<int32_t>(outputs)};
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < positions; ++p) {
        uint8_t code =
            signedCode(weight[(o * channels + c) * positions + p], isUnsigned);
        packed.words[(o * positions + p) * words * 4 + c] = code;
        packed.sums[o] += int8_t(code);
      }
  return packed;
}

int32_t TapShape::onesOf(int64_t index) const {
  int32_t ones = 0;
  for (int64_t i = 0; i < 4; ++i) {
    int64_t position = index * 4 + i;
    if (position < span() && position % dilation == 0)
      ones |= 1 << (8 * i);
  }
  return ones;
}

PackedCodes qopt::cpu::packCodeTaps(ArrayRef<uint8_t> weight, TapShape shape,
                                    bool isUnsigned) {
  PackedCodes packed{Bytes(shape.outputs * shape.words() * 4),
                     std::vector<int32_t>(shape.outputs)};
  for (int64_t o = 0; o < shape.outputs; ++o)
    for (int64_t i = 0; i < shape.rows; ++i)
      for (int64_t j = 0; j < shape.columns; ++j) {
        int64_t row = o * shape.rows + i;
        uint8_t code = signedCode(weight[row * shape.columns + j], isUnsigned);
        packed.words[row * shape.rowWords() * 4 + j * shape.dilation] = code;
        packed.sums[o] += int8_t(code);
      }
  return packed;
}

static Bytes toStream(ArrayRef<uint8_t> codes, unsigned bits) {
  Bytes stream(qopt::packedSizeInBytes(codes.size(), bits));
  qopt::packCodes(codes, bits, stream);
  return stream;
}

Bytes qopt::cpu::packCodeStream(ArrayRef<uint8_t> matrix, int64_t depth,
                                int64_t columns, unsigned bits) {
  Bytes codes(divideCeil(columns, kPanel) * depth * kPanel);
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t j = 0; j < columns; ++j)
      codes[(j / kPanel * depth + k) * kPanel + j % kPanel] =
          matrix[k * columns + j];
  return toStream(codes, bits);
}

Bytes qopt::cpu::packCodeWords(ArrayRef<uint8_t> matrix, int64_t depth,
                               int64_t columns, unsigned bits) {
  int64_t perWord = 32 / bits, rows = divideCeil(depth, perWord);
  std::vector<uint32_t> words(divideCeil(columns, kPanel) * rows * kPanel);
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t j = 0; j < columns; ++j)
      words[(j / kPanel * rows + k / perWord) * kPanel + j % kPanel] |=
          uint32_t(matrix[k * columns + j]) << (k % perWord * bits);
  return bytesOf(words);
}

Bytes qopt::cpu::packCodeStream(ArrayRef<uint8_t> weight, KernelShape shape,
                                unsigned bits) {
  auto [outputs, channels, positions] = shape;
  int64_t padded = divideCeil(channels, kPanel) * kPanel;
  Bytes codes(outputs * positions * padded);
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < positions; ++p)
        codes[(o * positions + p) * padded + c] =
            weight[(o * channels + c) * positions + p];
  return toStream(codes, bits);
}

/// Adds the bits [low, low + width) of a code to a plane of `width` bits: that
/// of word `step` of four lies behind those of the words before it.
static void addToPlane(uint8_t *plane, int64_t step, int64_t byte, uint8_t code,
                       unsigned low, unsigned width) {
  unsigned perByte = 8 / width;
  uint8_t bits = (code >> low) & ((1 << width) - 1);
  plane[step / perByte * 64 + byte] |= bits << (step % perByte * width);
}

Bytes qopt::cpu::packCodePlanes(ArrayRef<uint8_t> matrix, int64_t depth,
                                int64_t columns, unsigned bits) {
  int64_t chunks = divideCeil(depth, 16), chunkBytes = 32 * bits;
  Bytes packed(divideCeil(columns, kPanel) * chunks * chunkBytes);
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t j = 0; j < columns; ++j) {
      uint8_t code = matrix[k * columns + j];
      uint8_t *chunk =
          packed.data() + (j / kPanel * chunks + k / 16) * chunkBytes;
      int64_t step = k / 4 % 4, byte = j % kPanel * 4 + k % 4;
      if (bits == 8)
        chunk[step * 64 + byte] = code;
      if (bits & 4)
        addToPlane(chunk, step, byte, code, 0, 4);
      if (bits & 2)
        addToPlane(chunk + (bits & 4) * 32, step, byte, code, bits & 4, 2);
    }
  return packed;
}

std::vector<int32_t> qopt::cpu::sumGroups(ArrayRef<uint8_t> matrix,
                                          int64_t depth, int64_t columns,
                                          int64_t block) {
  int64_t groups = divideCeil(depth, block);
  std::vector<int32_t> sums(divideCeil(columns, kPanel) * groups * kPanel);
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t j = 0; j < columns; ++j)
      sums[(j / kPanel * groups + k / block) * kPanel + j % kPanel] +=
          int8_t(matrix[k * columns + j]);
  return sums;
}

std::vector<int32_t> qopt::cpu::sumGroups(ArrayRef<uint8_t> weight,
                                          KernelShape shape, int64_t block) {
  auto [outputs, channels, positions] = shape;
  int64_t blocks = divideCeil(channels, block);
  std::vector<int32_t> sums(outputs * positions * blocks);
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < positions; ++p)
        sums[(o * positions + p) * blocks + c / block] +=
            int8_t(weight[(o * channels + c) * positions + p]);
  return sums;
}
