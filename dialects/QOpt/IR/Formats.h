//===- Formats.h - Element and block formats of quantized data --*- C++ -*-===//
//
// The one table of element formats and the one table of the formats that
// recipes name. Everything here is integer and float32 arithmetic on bits: no
// logarithm, no libm. Every rounding is to nearest, ties to even.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_FORMATS_H
#define DIALECTS_QOPT_IR_FORMATS_H

#include "dialects/QOpt/IR/QOptEnums.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstddef>
#include <cstdint>
#include <optional>

namespace mlir {
class MLIRContext;
class Type;
} // namespace mlir

namespace qopt {

//===----------------------------------------------------------------------===//
// Element formats
//===----------------------------------------------------------------------===//

/// See ElementFormats.def.
enum class ElementFormat : uint8_t {
#define QOPT_INTEGER_FORMAT(enumerator, ...) enumerator,
#define QOPT_FLOAT_FORMAT(enumerator, ...) enumerator,
#define QOPT_EXPONENT_FORMAT(enumerator, ...) enumerator,
#include "dialects/QOpt/IR/ElementFormats.def"
};

enum class ElementKind : uint8_t {
  SignedInteger,
  UnsignedInteger,
  Float,
  /// A power of two: no sign, no zero, no mantissa.
  Exponent
};

enum class SpecialValues : uint8_t {
  None,
  /// All bits below the sign set is NaN; there is no infinity.
  OnlyNaN,
  /// The largest exponent field holds infinity and NaN, as in IEEE 754.
  InfinityAndNaN,
  /// The bits that would be -0 are NaN; there is no infinity and no -0.
  NegativeZeroNaN
};

struct ElementFormatInfo {
  llvm::StringLiteral name;
  ElementKind kind;
  SpecialValues specials;
  uint8_t bits;
  uint8_t exponentBits;
  /// Explicit mantissa bits; 0 for integers.
  uint8_t mantissaBits;
  int16_t bias;
  /// Exponent of the largest finite value.
  int16_t emax;
  /// The largest finite value.
  float max;
  /// The least t for which code * 2^t is an integer for every code and that
  /// integer has at most 16 bits; absent for wide floats.
  std::optional<int8_t> integerLog2;
  /// All codes of an integer format.
  int32_t integerMin, integerMax;
  /// The grid that has a negative for each value; equals all codes when
  /// unsigned.
  int32_t symmetricMin, symmetricMax;

  bool isInteger() const {
    return kind == ElementKind::SignedInteger ||
           kind == ElementKind::UnsignedInteger;
  }
  bool isSigned() const {
    return kind == ElementKind::SignedInteger || kind == ElementKind::Float;
  }
  /// Exponent of the smallest normal value of a float.
  int emin() const { return 1 - bias; }
  /// The bits of a code.
  uint32_t codeMask() const {
    return bits == 32 ? ~0u : (uint32_t(1) << bits) - 1;
  }
};

const ElementFormatInfo &infoOf(ElementFormat format);
llvm::ArrayRef<ElementFormatInfo> elementFormats();
std::optional<ElementFormat> lookupElementFormat(llvm::StringRef name);

/// The format whose codes `type` holds. `i8` and `si8` are signed.
std::optional<ElementFormat> elementFormatOf(mlir::Type type);
mlir::Type typeOf(ElementFormat format, mlir::MLIRContext *context);

/// The code of the value nearest to `value`.
/// - Integers clamp to all codes; NaN becomes the lowest code.
/// - f4, f6: clamp, infinity included; NaN becomes -0, as in ONNX.
/// - f8: clamp, infinity included, when `saturate`; otherwise what rounds out
///   of range becomes infinity (E5M2) or NaN (others). NaN stays NaN.
/// - f8E8M0FNU: the next power of two upwards, see encodeE8M0.
/// - f16, bf16, f32: IEEE 754; `saturate` has no effect.
uint32_t encode(float value, ElementFormat format, bool saturate = true);

/// The value of a code; bits above the format's width are ignored. Exact.
float decode(uint32_t code, ElementFormat format);

/// The code of an integer format as a number.
int32_t integerOf(uint32_t code, ElementFormat format);

enum class ScaleRounding : uint8_t { Up, Down, Nearest };

/// The byte of the power of two next to `value`. Zero and negative values give
/// 0, infinity and what exceeds 2^127 give 254; without `saturate` all of
/// these, and what is below 2^-127, give 255. NaN gives 255.
uint8_t encodeE8M0(float value, ScaleRounding rounding = ScaleRounding::Up,
                   bool saturate = true);

/// 2^(byte - 127), a subnormal number for 0; NaN for 255.
float decodeE8M0(uint8_t byte);

/// The byte of `value` if it is exactly a power of two that a byte can hold.
std::optional<uint8_t> exactE8M0(float value);

//===----------------------------------------------------------------------===//
// Packed codes
//===----------------------------------------------------------------------===//

/// Codes of fewer than 8 bits are one stream of bits, low bits first, over the
/// flattened tensor: rows do not start on a byte.
size_t packedSizeInBytes(size_t numCodes, unsigned bits);
void packCodes(llvm::ArrayRef<uint8_t> codes, unsigned bits,
               llvm::MutableArrayRef<uint8_t> packed);
void unpackCodes(llvm::ArrayRef<uint8_t> packed, unsigned bits,
                 llvm::MutableArrayRef<uint8_t> codes);
uint8_t packedCodeAt(llvm::ArrayRef<uint8_t> packed, size_t index,
                     unsigned bits);

//===----------------------------------------------------------------------===//
// Formats that recipes name
//===----------------------------------------------------------------------===//

/// value = 2^unitLog2 * (element - zero) * scales[0] * scales[1] ...
struct BlockFormat {
  llvm::StringLiteral name;
  ElementFormat element;
  int8_t unitLog2;
  /// Elements that share scales[0]; 0 where attributes choose between tensor,
  /// axis and group.
  int32_t block;
  /// Types of the scales, innermost first.
  llvm::ArrayRef<ElementFormat> scales;
  /// Type of the zero point, for formats that may have one.
  std::optional<ElementFormat> zero;
  /// Default for blocks with an E8M0 scale.
  ScaleRule rule;

  const ElementFormatInfo &elementInfo() const { return infoOf(element); }
  bool hasSharedExponent() const {
    return block > 0 && scales[0] == ElementFormat::F8E8M0FNU;
  }
  /// t such that unit * element * 2^t is an integer for every code: fp4 1,
  /// e2m3 3, e3m2 4, mxint8 6, integers 0. Absent where an integer decode does
  /// not pay (fp8).
  std::optional<int> integerLog2() const;
  /// Bits below the leading one of the largest unit * element.
  unsigned significandBits() const;
  /// ilogb of the largest unit * element.
  int emax() const;
};

llvm::ArrayRef<BlockFormat> blockFormats();
const BlockFormat *lookupFormat(llvm::StringRef name);

/// The integer unit * element * 2^integerLog2 of a code.
int32_t integerDecode(uint32_t code, const BlockFormat &format);

/// unit * element of a code.
float unitDecode(uint32_t code, const BlockFormat &format);

/// The code of the symmetric element nearest to value / unit.
uint32_t unitEncode(float value, const BlockFormat &format);

/// The shared exponent, in [-127, 127], of a block whose largest magnitude is
/// `amax` (positive and finite).
int mxSharedExponent(float amax, const BlockFormat &format, ScaleRule rule);

/// Quantizes one block (the last one of a row may be short) and returns its
/// scale byte. A NaN or infinity anywhere makes the scale NaN and all codes 0;
/// a block of zeros, of either sign, has scale byte 0 and codes 0.
uint8_t quantizeMxBlock(llvm::ArrayRef<float> values, const BlockFormat &format,
                        ScaleRule rule, llvm::MutableArrayRef<uint8_t> codes);

/// The factor that brings block scales of a tensor into E4M3; the tensor's
/// scale is 1 over it. 1 when `amax` is zero or not finite; at most 2^126.
float nvfp4EncodeScale(float amax);

/// Quantizes one block of a tensor with `encodeScale` and returns the E4M3 code
/// of its scale. A block with a NaN or infinity gets a NaN scale and codes 0.
uint8_t quantizeNvfp4Block(llvm::ArrayRef<float> values, float encodeScale,
                           llvm::MutableArrayRef<uint8_t> codes);

} // namespace qopt

#endif // DIALECTS_QOPT_IR_FORMATS_H
