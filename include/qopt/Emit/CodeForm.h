//===- CodeForm.h - What generated code is written as -----------*- C++ -*-===//

#ifndef QOPT_EMIT_CODEFORM_H
#define QOPT_EMIT_CODEFORM_H

namespace qopt {

enum class CodeForm {
  Object,
  Assembly,
  LLVMIR, ///< text, after optimisation
};

} // namespace qopt

#endif // QOPT_EMIT_CODEFORM_H
