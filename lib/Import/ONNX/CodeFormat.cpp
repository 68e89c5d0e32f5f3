//===- CodeFormat.cpp - The format of codes beside their scales -----------===//
//
// Scales of E8M0 in blocks of floats are shared exponents.
//
//===----------------------------------------------------------------------===//

#include "CodeFormat.h"
#include "dialects/QOpt/IR/Formats.h"

using namespace mlir;
using namespace qopt;

bool qopt::importer::isByte(Type type) {
  return isa<IntegerType>(type) && type.getIntOrFloatBitWidth() == 8;
}

/// The row of the format table for codes of a type, or empty.
static StringRef getFormatName(Type codes, Type scale, bool isBlocked) {
  std::optional<ElementFormat> element = elementFormatOf(codes);
  if (!element)
    return {};
  bool isShared = isBlocked && isa<Float8E8M0FNUType>(scale);
  for (const BlockFormat &format : blockFormats()) {
    bool fits = format.element == *element && format.unitLog2 == 0 &&
                format.scales.size() == 1;
    bool wantsShared = isShared && !infoOf(*element).isInteger();
    if (fits && format.hasSharedExponent() == wantsShared)
      return format.name;
  }
  return {};
}

FormatAttr qopt::importer::getCodeFormat(Type codes, Type scale, Type zero,
                                         int64_t axis, int64_t block) {
  StringRef name = getFormatName(codes, scale, block > 0);
  if (name.empty())
    return {};
  const BlockFormat &row = *lookupFormat(name);
  bool isDefaultScale = elementFormatOf(scale) == row.scales.front();
  return FormatAttr::get(
      codes.getContext(), name, axis, block == row.block ? 0 : block,
      isDefaultScale ? Type() : scale, block > 0 ? zero : Type());
}
