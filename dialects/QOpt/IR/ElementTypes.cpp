//===- ElementTypes.cpp - Element types by name ---------------------------===//
//
// A new float type is a row here.
//
//===----------------------------------------------------------------------===//

#include "dialects/QOpt/IR/ElementTypes.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace qopt;

namespace {
struct NamedFloat {
  llvm::StringLiteral name;
  Type (*get)(MLIRContext *context);
};
} // namespace

template <class FloatT> static Type getFloat(MLIRContext *context) {
  return FloatT::get(context);
}

static constexpr NamedFloat kFloats[] = {
    {"f16", getFloat<Float16Type>},
    {"bf16", getFloat<BFloat16Type>},
    {"f32", getFloat<Float32Type>},
    {"f64", getFloat<Float64Type>},
    {"f8E4M3FN", getFloat<Float8E4M3FNType>},
    {"f8E4M3FNUZ", getFloat<Float8E4M3FNUZType>},
    {"f8E5M2", getFloat<Float8E5M2Type>},
    {"f8E5M2FNUZ", getFloat<Float8E5M2FNUZType>},
    {"f8E8M0FNU", getFloat<Float8E8M0FNUType>},
    {"f6E2M3FN", getFloat<Float6E2M3FNType>},
    {"f6E3M2FN", getFloat<Float6E3M2FNType>},
    {"f4E2M1FN", getFloat<Float4E2M1FNType>},
};

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
  for (const NamedFloat &row : kFloats)
    if (row.name == name)
      return row.get(context);
  return findInteger(name, context);
}
