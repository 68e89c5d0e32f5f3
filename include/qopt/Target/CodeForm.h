//===- CodeForm.h - What generated code is written as -----------*- C++ -*-===//

#ifndef QOPT_TARGET_CODEFORM_H
#define QOPT_TARGET_CODEFORM_H

namespace qopt {

enum class CodeForm {
  Object,
  Assembly,
  LLVMIR, ///< text, after optimisation
};

} // namespace qopt

#endif // QOPT_TARGET_CODEFORM_H
