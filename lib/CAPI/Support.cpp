//===- Support.cpp - Errors and texts of the C API ------------------------===//
//
// Plain access to the handles.
//
//===----------------------------------------------------------------------===//

#include "qopt-c/Support.h"

#include "Handles.h"
#include "qopt/Support/Version.h"

int qoptErrorGetCode(const QoptError *error) {
  return static_cast<int>(error->code);
}

const char *qoptErrorGetText(const QoptError *error) {
  return error->text.c_str();
}

void qoptErrorDestroy(QoptError *error) { delete error; }

const char *qoptTextGet(const QoptText *text) { return text->text.c_str(); }

void qoptTextDestroy(QoptText *text) { delete text; }

const char *qoptGetVersion(void) { return qopt::getVersion(); }
