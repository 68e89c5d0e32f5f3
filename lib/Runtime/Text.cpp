//===- Text.cpp - Error texts in buffers of fixed size ----------*- C++ -*-===//
//
// A thin layer over vsnprintf, which cuts and ends the text.
//
//===----------------------------------------------------------------------===//

#include "Text.h"

#include <stdarg.h>
#include <stdio.h>

void qopt::runtime::setText(TextBuffer buffer, const char *format, ...) {
  if (!buffer.data || buffer.capacity == 0)
    return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(buffer.data, buffer.capacity, format, arguments);
  va_end(arguments);
}
