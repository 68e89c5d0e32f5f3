//===- WiderFormats.cpp - A plan in 8 bits instead of fewer ---------------===//
//
// The grain of the scales stays where it can. Integers in blocks are closer to
// the values than 8-bit floats unless a block spans many octaves, and faster.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/Quantization/WiderFormats.h"
#include "dialects/QOpt/IR/Formats.h"

using namespace mlir;
using namespace qopt;

static constexpr int kWideBits = 8;

/// The 8-bit format in place of `format`; `format` itself where it has these.
static FormatAttr widenFormat(FormatAttr format) {
  const ElementFormatInfo &element =
      lookupFormat(format.getName())->elementInfo();
  if (element.bits >= kWideBits)
    return format;
  MLIRContext *context = format.getContext();
  if (!element.isInteger())
    return FormatAttr::get(context, "mxint8", format.getAxis(), 0, Type(),
                           Type());
  // Eight bits need no zero of their own.
  return FormatAttr::get(context, "i8", format.getAxis(), format.getBlock(),
                         format.getScale(), Type());
}

/// True where blocks of another size may cross groups of channels. Depthwise
/// ones run across them anyway.
static bool mayCrossGroups(Operation *op, FormatAttr before, FormatAttr after) {
  auto contraction = dyn_cast<ContractionOpInterface>(op);
  if (!contraction || before.getBlockSize() == after.getBlockSize())
    return false;
  Contraction sum = contraction.getContraction();
  return sum.group > 1 && !sum.isDepthwise();
}

RequestAttr qopt::widenRequest(Operation *op) {
  auto request = op->getAttrOfType<RequestAttr>(kRequestAttrName);
  if (!request)
    return {};
  auto widen = [&](FormatAttr format) {
    FormatAttr wide = format ? widenFormat(format) : format;
    return format && mayCrossGroups(op, format, wide) ? format : wide;
  };
  auto wide = RequestAttr::get(request.getContext(), request.getParams(),
                               widen(request.getAct()),
                               widen(request.getWeight()), request.getWhy());
  return wide == request ? RequestAttr() : wide;
}
