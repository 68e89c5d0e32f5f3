//===- Text.h - Error texts in buffers of fixed size ------------*- C++ -*-===//
//
// Reporting an error must not need memory.
//
//===----------------------------------------------------------------------===//

#ifndef QOPT_LIB_RUNTIME_TEXT_H
#define QOPT_LIB_RUNTIME_TEXT_H

#include <stddef.h>

namespace qopt::runtime {

/// Where a text goes. Nothing is written when there is no room.
struct TextBuffer {
  char *data;
  size_t capacity;
};

/// printf into `buffer`, cut to its capacity.
__attribute__((format(printf, 2, 3))) void setText(TextBuffer buffer,
                                                   const char *format, ...);

} // namespace qopt::runtime

#endif // QOPT_LIB_RUNTIME_TEXT_H
