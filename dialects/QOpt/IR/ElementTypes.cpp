//===- ElementTypes.cpp - Element types by name ---------------------------===//
//
// Those of the table of formats, f64, and integers of any width.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/ElementTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace qopt;
using llvm::APFloat;

namespace {
struct NamedFloat {
  llvm::StringLiteral name;
  Type (*get)(MLIRContext *context);
  const llvm::fltSemantics &(*getSemantics)();
};
} // namespace

template <class FloatT> static Type getFloat(MLIRContext *context) {
  return FloatT::get(context);
}

static constexpr NamedFloat kFloats[] = {
#define QOPT_FLOAT_FORMAT(enumerator, name, exponentBits, mantissaBits,        \
                          specials, emax, max, integerLog2, type, semantics)   \
  {name, getFloat<type>, APFloat::semantics},
#define QOPT_EXPONENT_FORMAT(enumerator, name, bits, type, semantics)          \
  {name, getFloat<type>, APFloat::semantics},
#include "dialects/QOpt/IR/ElementFormats.def"
    {"f64", getFloat<Float64Type>, APFloat::IEEEdouble},
};

static const NamedFloat *findFloat(StringRef name) {
  const NamedFloat *row = llvm::find_if(
      kFloats, [&](const NamedFloat &row) { return row.name == name; });
  return row == std::end(kFloats) ? nullptr : row;
}

/// The integer called `name`: signless, or unsigned.
static Type findInteger(StringRef name, MLIRContext *context) {
  bool isUnsigned = name.consume_front("u");
  bool isSignless = name.consume_front("i");
  unsigned width;
  if ((!isUnsigned && !isSignless) || name.getAsInteger(10, width) ||
      width == 0 || width > 64)
    return {};
  return IntegerType::get(context, width,
                          isUnsigned ? IntegerType::Unsigned
                                     : IntegerType::Signless);
}

Type qopt::findMLIRType(StringRef name, MLIRContext *context) {
  if (name == "bool")
    return IntegerType::get(context, 1);
  if (const NamedFloat *row = findFloat(name))
    return row->get(context);
  return findInteger(name, context);
}

const llvm::fltSemantics *qopt::findFloatSemantics(StringRef name) {
  const NamedFloat *row = findFloat(name);
  return row ? &row->getSemantics() : nullptr;
}
