// RUN: not qopt-opt %s --qopt-plan-precision="activations=sometimes" 2>&1 | FileCheck %s --check-prefix=MODE
// RUN: not qopt-opt %s --qopt-plan-precision="weight-format=i5" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not qopt-opt %s --qopt-plan-precision="weight-scale=i64" 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: not qopt-opt %s --qopt-plan-precision="overrides=(=float" 2>&1 | FileCheck %s --check-prefix=REGEX
// RUN: not qopt-opt %s --qopt-plan-precision="overrides=a=int8" 2>&1 | FileCheck %s --check-prefix=PARAMS

// MODE: error: activations 'sometimes' expects static, dynamic or none
// FORMAT: error: weight-format 'i5' expects a row of the format table
// SCALE: error: weight-scale 'i64' expects an element type of the format table
// REGEX: error: override '(=float':
// PARAMS: error: override 'a=int8' expects float, static or dynamic
func.func @main() {
  return
}
