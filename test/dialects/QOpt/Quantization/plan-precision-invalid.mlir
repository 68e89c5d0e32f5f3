// RUN: not qopt-opt %s --qopt-plan-precision="activations=sometimes" 2>&1 | FileCheck %s --check-prefix=MODE
// RUN: not qopt-opt %s --qopt-plan-precision="weight-format=i5" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not qopt-opt %s --qopt-plan-precision="weight-scale=i64" 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: not qopt-opt %s --qopt-plan-precision="overrides={{nodes=\"(\",plan=#qopt.request<params=\"float\">}}" 2>&1 | FileCheck %s --check-prefix=REGEX
// RUN: not qopt-opt %s --qopt-plan-precision="overrides={{nodes=\"a\"}}" 2>&1 | FileCheck %s --check-prefix=PARAMS
// RUN: not qopt-opt %s --qopt-plan-precision="overrides={{node=\"a\"}}" 2>&1 | FileCheck %s --check-prefix=FIELD
// RUN: not qopt-opt %s --qopt-plan-precision="overrides=float" 2>&1 | FileCheck %s --check-prefix=TEXT

// MODE: error: activations 'sometimes' expects static, dynamic or none
// FORMAT: error: weight-format 'i5' expects a row of the format table
// SCALE: error: weight-scale 'i64' expects an element type of the format table
// REGEX: error: override '{{.*}}' has '(': {{.+}}
// PARAMS: error: override 'nodes="a"' expects a plan that is a #qopt.request
// FIELD: error: override 'node="a"' expects nodes, ops and plan, but found 'node'
// TEXT: error: override 'float' expects nodes, ops and plan, but found 'float'
func.func @main() {
  return
}
