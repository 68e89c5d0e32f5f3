//===- RunElements.cpp - Elements of any type as numbers ------------------===//
//
// Floats of all formats go through APFloat.
//
//===----------------------------------------------------------------------===//

#include "RunElements.h"

#include "dialects/QOpt/IR/ElementTypes.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace qopt;
using llvm::APFloat;

static_assert(std::numeric_limits<long double>::digits >= 64,
              "64-bit integers are compared as long double");

/// Null for types that are no floats.
static const llvm::fltSemantics *findSemantics(ElementType type) {
  return findFloatSemantics(getName(type));
}

bool qopt::isFloatType(ElementType type) { return findSemantics(type); }

static long double powerOfTwo(int exponent) {
  return std::ldexp(1.0L, exponent);
}

/// The bits of a code of an integer type.
static unsigned getNumBits(ElementType type) {
  llvm::StringRef name = getName(type);
  unsigned bits = 1;
  bool isNumbered = !name.drop_front().getAsInteger(10, bits);
  assert((isNumbered || type == ElementType::BOOL) && "a type of integers");
  (void)isNumbered;
  return bits;
}

IntegerRange qopt::getIntegerRange(ElementType type) {
  assert(!isFloatType(type) && "floats have no integer range");
  unsigned bits = getNumBits(type);
  if (!getName(type).starts_with("i"))
    return {0, powerOfTwo(bits) - 1};
  return {-powerOfTwo(bits - 1), powerOfTwo(bits - 1) - 1};
}

/// `value` in a float type, with the status of its rounding.
static APFloat convertTo(const llvm::fltSemantics &semantics, double value,
                         APFloat::opStatus &status) {
  APFloat converted(value);
  bool losesInfo = false;
  status =
      converted.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  return converted;
}

bool qopt::canHold(ElementType type, double value) {
  if (const llvm::fltSemantics *semantics = findSemantics(type)) {
    if (std::isnan(value) && !APFloat::semanticsHasNaN(*semantics))
      return false;
    if (std::isinf(value) && !APFloat::semanticsHasInf(*semantics))
      return false;
    // The E8M0 of APFloat rounds values that it does not have.
    if (type == ElementType::F8E8M0FNU && !std::isnan(value)) {
      int exponent = 0;
      return value > 0 && std::frexp(value, &exponent) == 0.5 &&
             exponent >= -126 && exponent <= 128;
    }
    APFloat::opStatus status;
    convertTo(*semantics, value, status);
    return !(status & APFloat::opOverflow);
  }
  IntegerRange range = getIntegerRange(type);
  return value >= range.min && value <= range.max && std::trunc(value) == value;
}

void qopt::writeElement(HostTensor &tensor, int64_t index, double value) {
  uint64_t bits;
  if (const llvm::fltSemantics *semantics = findSemantics(tensor.getType())) {
    APFloat::opStatus status;
    bits = convertTo(*semantics, value, status).bitcastToAPInt().getZExtValue();
  } else {
    bits = value < 0 ? static_cast<uint64_t>(static_cast<int64_t>(value))
                     : static_cast<uint64_t>(value);
    // Codes of less than eight bits have zeros above.
    bits &= llvm::maskTrailingOnes<uint64_t>(getNumBits(tensor.getType()));
  }
  unsigned width = getBytesPerElement(tensor.getType());
  std::memcpy(tensor.getMutableData() + index * width, &bits, width);
}

long double qopt::readElement(const HostTensor &tensor, int64_t index) {
  ElementType type = tensor.getType();
  unsigned width = getBytesPerElement(type);
  uint64_t bits = 0;
  std::memcpy(&bits, tensor.getData() + index * width, width);
  if (const llvm::fltSemantics *semantics = findSemantics(type)) {
    unsigned numBits = APFloat::semanticsSizeInBits(*semantics);
    APFloat value(*semantics, llvm::APInt(numBits, bits, /*isSigned=*/false,
                                          /*implicitTrunc=*/true));
    bool losesInfo = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
    return value.convertToDouble();
  }
  IntegerRange range = getIntegerRange(type);
  if (range.min == 0)
    return static_cast<long double>(bits);
  unsigned numBits = getNumBits(type);
  return static_cast<long double>(
      static_cast<int64_t>(bits << (64 - numBits)) >> (64 - numBits));
}
