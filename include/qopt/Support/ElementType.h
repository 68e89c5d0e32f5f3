//===- ElementType.h - Element types of tensors in memory -------*- C++ -*-===//
//
// The C++ face of the table in qopt_model.h: same types, same numbers. Types
// of less than eight bits take one byte an element.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_SUPPORT_ELEMENTTYPE_H
#define QOPT_SUPPORT_ELEMENTTYPE_H

#include "qopt-runtime/qopt_model.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace qopt {

enum class ElementType : int32_t {
#define QOPT_ENUMERATOR(name, number, bytes, text) name = number,
  QOPT_FOR_EACH_ELEMENT_TYPE(QOPT_ENUMERATOR)
#undef QOPT_ENUMERATOR
};

/// Bytes that one element takes in memory.
unsigned getBytesPerElement(ElementType type);

/// The name, as in `f32`, `u8` or `f8E4M3FN`.
llvm::StringRef getName(ElementType type);

/// The type with this name or number, if there is one.
std::optional<ElementType> findElementType(llvm::StringRef name);
std::optional<ElementType> findElementType(int64_t number);

/// The type as which a file of numpy arrays holds elements of `type`: `u8` or
/// `u16` bit patterns for types that numpy does not have, else `type`.
ElementType getNumpyType(ElementType type);

} // namespace qopt

#endif // QOPT_SUPPORT_ELEMENTTYPE_H
