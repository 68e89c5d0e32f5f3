//===- ElementType.cpp - Element types of tensors in memory -----*- C++ -*-===//
//
// Everything here is derived from the table in qopt_model.h.
//
//===----------------------------------------------------------------------===//

#include "qopt/Support/ElementType.h"

#include "llvm/Support/ErrorHandling.h"

using namespace qopt;

unsigned qopt::getBytesPerElement(ElementType type) {
  switch (type) {
#define QOPT_CASE(name, number, bytes, text)                                   \
  case ElementType::name:                                                      \
    return bytes;
    QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_CASE)
#undef QOPT_CASE
  }
  llvm_unreachable("unknown element type");
}

llvm::StringRef qopt::getName(ElementType type) {
  switch (type) {
#define QOPT_CASE(name, number, bytes, text)                                   \
  case ElementType::name:                                                      \
    return text;
    QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_CASE)
#undef QOPT_CASE
  }
  llvm_unreachable("unknown element type");
}

std::optional<ElementType> qopt::findElementType(llvm::StringRef name) {
#define QOPT_COMPARE(enumerator, number, bytes, text)                          \
  if (name == text)                                                            \
    return ElementType::enumerator;
  QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_COMPARE)
#undef QOPT_COMPARE
  return std::nullopt;
}

std::optional<ElementType> qopt::findElementType(int64_t number) {
#define QOPT_COMPARE(enumerator, value, bytes, text)                           \
  if (number == value)                                                         \
    return ElementType::enumerator;
  QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_COMPARE)
#undef QOPT_COMPARE
  return std::nullopt;
}

ElementType qopt::getNumpyType(ElementType type) {
  switch (type) {
  case ElementType::BF16:
    return ElementType::U16;
  case ElementType::F8E4M3FN:
  case ElementType::F8E4M3FNUZ:
  case ElementType::F8E5M2:
  case ElementType::F8E5M2FNUZ:
  case ElementType::F8E8M0FNU:
  case ElementType::F6E3M2FN:
  case ElementType::F6E2M3FN:
  case ElementType::F4E2M1FN:
  case ElementType::U4:
  case ElementType::I4:
  case ElementType::U2:
  case ElementType::I2:
    return ElementType::U8;
  default:
    return type;
  }
}
