//===- RunElements.cpp - Elements of any type as numbers ------------------===//
//
// Floats of all formats go through APFloat.
//
//===----------------------------------------------------------------------===//

#include "RunElements.h"

#include "llvm/ADT/APFloat.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace qopt;
using llvm::APFloat;

static_assert(std::numeric_limits<long double>::digits >= 64,
              "64-bit integers are compared as long double");

/// Null for types that are no floats.
static const llvm::fltSemantics *findSemantics(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return &APFloat::IEEEdouble();
  case ElementType::F32:
    return &APFloat::IEEEsingle();
  case ElementType::F16:
    return &APFloat::IEEEhalf();
  case ElementType::BF16:
    return &APFloat::BFloat();
  case ElementType::F8E4M3FN:
    return &APFloat::Float8E4M3FN();
  case ElementType::F8E4M3FNUZ:
    return &APFloat::Float8E4M3FNUZ();
  case ElementType::F8E5M2:
    return &APFloat::Float8E5M2();
  case ElementType::F8E5M2FNUZ:
    return &APFloat::Float8E5M2FNUZ();
  case ElementType::F8E8M0FNU:
    return &APFloat::Float8E8M0FNU();
  case ElementType::F6E3M2FN:
    return &APFloat::Float6E3M2FN();
  case ElementType::F6E2M3FN:
    return &APFloat::Float6E2M3FN();
  case ElementType::F4E2M1FN:
    return &APFloat::Float4E2M1FN();
  default:
    return nullptr;
  }
}

bool qopt::isFloatType(ElementType type) { return findSemantics(type); }

static long double powerOfTwo(int exponent) {
  return std::ldexp(1.0L, exponent);
}

IntegerRange qopt::getIntegerRange(ElementType type) {
  switch (type) {
  case ElementType::BOOL:
    return {0, 1};
  case ElementType::U2:
    return {0, 3};
  case ElementType::I2:
    return {-2, 1};
  case ElementType::U4:
    return {0, 15};
  case ElementType::I4:
    return {-8, 7};
  case ElementType::U8:
  case ElementType::U16:
  case ElementType::U32:
  case ElementType::U64:
    return {0, powerOfTwo(8 * getBytesPerElement(type)) - 1};
  default:
    assert(!isFloatType(type) && "floats have no integer range");
    int bits = 8 * getBytesPerElement(type) - 1;
    return {-powerOfTwo(bits), powerOfTwo(bits) - 1};
  }
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
  } else if (value < 0) {
    bits = static_cast<uint64_t>(static_cast<int64_t>(value));
  } else {
    bits = static_cast<uint64_t>(value);
  }
  // Codes of less than eight bits have zeros above.
  switch (tensor.getType()) {
  case ElementType::I4:
    bits &= 15;
    break;
  case ElementType::I2:
    bits &= 3;
    break;
  default:
    break;
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
  unsigned numBits = type == ElementType::I4   ? 4
                     : type == ElementType::I2 ? 2
                                               : 8 * width;
  return static_cast<long double>(
      static_cast<int64_t>(bits << (64 - numBits)) >> (64 - numBits));
}
