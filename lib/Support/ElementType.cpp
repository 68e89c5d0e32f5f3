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
  case ElementType::F16:
  case ElementType::F32:
  case ElementType::F64:
  case ElementType::BOOL:
  case ElementType::I8:
  case ElementType::I16:
  case ElementType::I32:
  case ElementType::I64:
  case ElementType::U8:
  case ElementType::U16:
  case ElementType::U32:
  case ElementType::U64:
    return type;
  default:
    return getBytesPerElement(type) == 1 ? ElementType::U8 : ElementType::U16;
  }
}
