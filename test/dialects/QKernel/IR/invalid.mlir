// RUN: qopt-opt %s --split-input-file --verify-diagnostics

// Each case breaks one constraint that all kernels share.

// -----

func.func @kernel_c1(%x: tensor<4xf32>) -> tensor<4xi8> {
  // expected-error @+1 {{'qkernel.map' op expects a body that yields the result types}}
  %0 = qkernel.map(%x) : (tensor<4xf32>) -> tensor<4xi8> (%a: tensor<4xf32>) {
    qkernel.yield %a : tensor<4xf32>
  }
  return %0 : tensor<4xi8>
}

// -----

func.func @kernel_c2_number(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'qkernel.map' op expects 2 block arguments, but found 1}}
  %0 = qkernel.map(%x, %y) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> (%a: tensor<4xf32>) {
    qkernel.yield %a : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @kernel_c2_type(%x: tensor<4xf32>) -> tensor<5xf32> {
  // expected-error @+1 {{'qkernel.map' op expects a block argument of type 'tensor<4xf32>', but found 'tensor<5xf32>'}}
  %0 = qkernel.map(%x) : (tensor<4xf32>) -> tensor<5xf32> (%a: tensor<5xf32>) {
    qkernel.yield %a : tensor<5xf32>
  }
  return %0 : tensor<5xf32>
}

// -----

func.func @kernel_c3_other(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // expected-error @+1 {{'qkernel.map' op cannot hold 'qopt.transpose'}}
  %0 = qkernel.map(%x) : (tensor<4x4xf32>) -> tensor<4x4xf32> (%a: tensor<4x4xf32>) {
    %1 = qopt.transpose %a {perm = array<i64: 1, 0>} : (tensor<4x4xf32>) -> tensor<4x4xf32>
    qkernel.yield %1 : tensor<4x4xf32>
  }
  return %0 : tensor<4x4xf32>
}

// -----

func.func @kernel_c3_root(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'qkernel.rows' op expects 1 root ops, but found 0}}
  %0 = qkernel.rows(%x) : (tensor<4xf32>) -> tensor<4xf32> (%a: tensor<4xf32>) {
    %1 = qopt.relu %a : (tensor<4xf32>) -> tensor<4xf32>
    qkernel.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @kernel_c3_quantizer(%x: tensor<4xf32>) -> tensor<4xi8> {
  // expected-error @+1 {{'qkernel.map' op cannot hold 'qopt.quantize_dynamic'}}
  %0 = qkernel.map(%x) : (tensor<4xf32>) -> tensor<4xi8> (%a: tensor<4xf32>) {
    %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>} : (tensor<4xf32>) -> (tensor<4xi8>, tensor<1xf32>)
    qkernel.yield %1 : tensor<4xi8>
  }
  return %0 : tensor<4xi8>
}

// -----

func.func @kernel_c4_operand(%x: tensor<2x4xi8>, %y: tensor<4x4xf32>) -> tensor<2x4xi32> {
  // expected-error @+1 {{'qkernel.contract' op expects a quantizer that makes the lhs of 'qopt.matmul'}}
  %0 = qkernel.contract(%x, %y) : (tensor<2x4xi8>, tensor<4x4xf32>) -> tensor<2x4xi32> (%a: tensor<2x4xi8>, %b: tensor<4x4xf32>) {
    %1, %2 = qopt.quantize_dynamic %b {format = #qopt.format<i8>} : (tensor<4x4xf32>) -> (tensor<4x4xi8>, tensor<4x1xf32>)
    %3 = qopt.matmul %a, %1 : (tensor<2x4xi8>, tensor<4x4xi8>) -> tensor<2x4xi32>
    qkernel.yield %3 : tensor<2x4xi32>
  }
  return %0 : tensor<2x4xi32>
}

// -----

func.func @kernel_c4_vector(%x: tensor<2x4xf32>, %y: tensor<4xi8>) -> tensor<2xi32> {
  // expected-error @+1 {{'qkernel.contract' op expects a quantizer that makes the lhs of 'qopt.matmul'}}
  %0 = qkernel.contract(%x, %y) : (tensor<2x4xf32>, tensor<4xi8>) -> tensor<2xi32> (%a: tensor<2x4xf32>, %b: tensor<4xi8>) {
    %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>} : (tensor<2x4xf32>) -> (tensor<2x4xi8>, tensor<2x1xf32>)
    %3 = qopt.matmul %1, %b : (tensor<2x4xi8>, tensor<4xi8>) -> tensor<2xi32>
    qkernel.yield %3 : tensor<2xi32>
  }
  return %0 : tensor<2xi32>
}

// -----

func.func @kernel_c4_norm(%x: tensor<2x4xf32>, %g: tensor<4xf32>, %w: tensor<4x4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'qkernel.contract' op expects 'qopt.layer_norm' along the last axis in front of a quantizer}}
  %0 = qkernel.contract(%x, %g, %w) : (tensor<2x4xf32>, tensor<4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32> (%a: tensor<2x4xf32>, %b: tensor<4xf32>, %c: tensor<4x4xf32>) {
    %1 = qopt.layer_norm %a, %b {axis = -1 : i64, epsilon = 1.0e-5 : f32} : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
    %2 = qopt.matmul %1, %c : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
    qkernel.yield %2 : tensor<2x4xf32>
  }
  return %0 : tensor<2x4xf32>
}

// -----

func.func @kernel_c5_other(%x: tensor<2x4xf32>, %y: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xi8>) {
  // expected-error @+1 {{'qkernel.rows' op expects a quantizer only of rows that the root normalizes along the last axis}}
  %0:2 = qkernel.rows(%x, %y) : (tensor<2x4xf32>, tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xi8>) (%a: tensor<2x4xf32>, %b: tensor<2x4xf32>) {
    %1 = qopt.softmax %a {axis = -1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    %2, %3 = qopt.quantize_dynamic %b {format = #qopt.format<i8>} : (tensor<2x4xf32>) -> (tensor<2x4xi8>, tensor<2x1xf32>)
    qkernel.yield %1, %2 : tensor<2x4xf32>, tensor<2x4xi8>
  }
  return %0#0, %0#1 : tensor<2x4xf32>, tensor<2x4xi8>
}

// -----

func.func @kernel_c5_axis(%x: tensor<2x4xf32>) -> tensor<2x4xi8> {
  // expected-error @+1 {{'qkernel.rows' op expects a quantizer only of rows that the root normalizes along the last axis}}
  %0 = qkernel.rows(%x) : (tensor<2x4xf32>) -> tensor<2x4xi8> (%a: tensor<2x4xf32>) {
    %1 = qopt.softmax %a {axis = 0 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    %2, %3 = qopt.quantize_dynamic %1 {format = #qopt.format<i8>} : (tensor<2x4xf32>) -> (tensor<2x4xi8>, tensor<2x1xf32>)
    qkernel.yield %2 : tensor<2x4xi8>
  }
  return %0 : tensor<2x4xi8>
}

// -----

func.func @kernel_c6(%x: tensor<2x4xf32>) -> tensor<2x4xi8> {
  // expected-error @+1 {{'qkernel.rows' op expects a quantizer that makes the scales of a row from that row}}
  %0 = qkernel.rows(%x) : (tensor<2x4xf32>) -> tensor<2x4xi8> (%a: tensor<2x4xf32>) {
    %1 = qopt.softmax %a {axis = -1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    %2, %3 = qopt.quantize_dynamic %1 {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<2x4xf32>) -> (tensor<2x4xi8>, tensor<2x1xf32>)
    qkernel.yield %2 : tensor<2x4xi8>
  }
  return %0 : tensor<2x4xi8>
}

// -----

func.func @isolated(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-note @+1 {{required by region isolation constraints}}
  %0 = qkernel.map(%x) : (tensor<4xf32>) -> tensor<4xf32> (%a: tensor<4xf32>) {
    // expected-error @+1 {{'qopt.relu' op using value defined outside the region}}
    %1 = qopt.relu %x : (tensor<4xf32>) -> tensor<4xf32>
    qkernel.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @qkernel_c1(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'qopt.relu' op expects an array of #qkernel.integers in qkernel.facts, but found [1]}}
  %0 = qopt.relu %x {qkernel.facts = [1]} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @qkernel_c1_operand(%x: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error @+1 {{'qopt.relu' op expects facts in the order of its 1 operands, but found one of operand 1}}
  %0 = qopt.relu %x {qkernel.facts = [#qkernel.integers<operand = 1, min = 0, max = 0>]} : (tensor<4xi32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

func.func @qkernel_c1_twice(%x: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error @+1 {{'qopt.relu' op expects facts in the order of its 1 operands, but found one of operand 0}}
  %0 = qopt.relu %x {qkernel.facts = [#qkernel.integers<operand = 0, min = 0, max = 0>, #qkernel.integers<operand = 0, min = 0, max = 0>]} : (tensor<4xi32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

// expected-error @+1 {{expects min of at most max, but found 2 and 1}}
func.func private @integers_c1() attributes {test.fact = #qkernel.integers<operand = 0, min = 2, max = 1>}

// -----

// expected-error @+1 {{expects elements from min to max, but found array<i64: 0, 3> for 0 and 2}}
func.func private @integers_c2() attributes {test.fact = #qkernel.integers<operand = 0, min = 0, max = 2, elements = [0, 3]>}

// -----

// expected-error @+1 {{expects a layout of 2 axes, each once, but found #qkernel.layout<order = [0, 2, 1]>}}
func.func private @layout_c1(%x: tensor<2x3xf32, #qkernel.layout<order = [0, 2, 1]>>)

// -----

// expected-error @+1 {{expects no layout for row-major order, but found #qkernel.layout<order = [0, 1]>}}
func.func private @layout_c2(%x: tensor<2x3xf32, #qkernel.layout<order = [0, 1]>>)

// -----

func.func @repack_c1(%x: tensor<2x3xf32>) -> tensor<3x2xf32, #qkernel.layout<order = [1, 0]>> {
  // expected-error @+1 {{'qkernel.repack' op expects one shape and element type, but found 'tensor<2x3xf32>' and 'tensor<3x2xf32, #qkernel.layout<order = [1, 0]>>'}}
  %0 = qkernel.repack %x : tensor<2x3xf32> to tensor<3x2xf32, #qkernel.layout<order = [1, 0]>>
  return %0 : tensor<3x2xf32, #qkernel.layout<order = [1, 0]>>
}

// -----

func.func @kernel_c2_layout(%x: tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{'qkernel.map' op expects a block argument of type 'tensor<2x3xf32>', but found 'tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>'}}
  %0 = qkernel.map(%x, %y) : (tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>, tensor<2x3xf32>) -> tensor<2x3xf32> (%a: tensor<2x3xf32, #qkernel.layout<order = [1, 0]>>, %b: tensor<2x3xf32>) {
    qkernel.yield %b : tensor<2x3xf32>
  }
  return %0 : tensor<2x3xf32>
}

// -----

func.func @require_c1(%x: i1, %s: i32) {
  // expected-error @+1 {{'qkernel.require' op expects a code or a status}}
  qkernel.require %x code 1 status %s
  return
}

// -----

func.func @require_c1_none(%x: i1) {
  // expected-error @+1 {{'qkernel.require' op expects a code or a status}}
  qkernel.require %x
  return
}

// -----

func.func @require_c1_message(%x: i1, %s: i32) {
  // expected-error @+1 {{'qkernel.require' op expects a code for its message}}
  qkernel.require %x "why" status %s
  return
}

// -----

func.func @qkernel_c2(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qopt.relu' op expects the output or -1 of each of its 1 results in qkernel.outputs, but found array<i32: 0, 1>}}
  %0 = qopt.relu %x {qkernel.outputs = array<i32: 0, 1>} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @qkernel_c2_number(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qopt.relu' op expects the output or -1 of each of its 1 results in qkernel.outputs, but found array<i32: -2>}}
  %0 = qopt.relu %x {qkernel.outputs = array<i32: -2>} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @launch_c1(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qkernel.launch' op expects a function @relu}}
  %0 = qkernel.launch @relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @launch_c1_type(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qkernel.launch' op expects a function of its own type, but found '(tensor<3xf32>) -> tensor<3xf32>'}}
  %0 = qkernel.launch @relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}
func.func private @relu(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = qopt.relu %x : (tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @launch_c2(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qkernel.launch' op expects one op of the arguments in @relu}}
  %0 = qkernel.launch @relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}
func.func private @relu(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qopt.relu %x : (tensor<2xf32>) -> tensor<2xf32>
  %1 = qopt.relu %0 : (tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----

func.func @launch_c2_declaration(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qkernel.launch' op expects one op of the arguments in @relu}}
  %0 = qkernel.launch @relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}
func.func private @relu(tensor<2xf32>) -> tensor<2xf32>

// -----

func.func @launch_c1_memory(%x: memref<2xf32>, %y: memref<3xf32>) {
  // expected-error @+1 {{'qkernel.launch' op expects a function of its own type, but found '(tensor<2xf32>) -> tensor<2xf32>'}}
  qkernel.launch @relu(%x) to(%y : memref<3xf32>) : (memref<2xf32>) -> ()
  return
}
func.func private @relu(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qopt.relu %x : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @launch_c1_no_memory(%x: memref<2xf32>) {
  // expected-error @+1 {{'qkernel.launch' op expects a function of its own type, but found '(tensor<2xf32>) -> tensor<2xf32>'}}
  qkernel.launch @relu(%x) : (memref<2xf32>) -> ()
  return
}
func.func private @relu(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qopt.relu %x : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @launch_c3(%x: memref<2xf32>, %t: memref<64xi8>) {
  // expected-error @+1 {{'qkernel.launch' op expects a step for its temporaries}}
  qkernel.launch @relu(%x) to(%x : memref<2xf32>) with(%t : memref<64xi8>) : (memref<2xf32>) -> ()
  return
}

// -----

func.func @launch_c3_results(%x: tensor<2xf32>) {
  // expected-error @+1 {{'qkernel.launch' op expects destinations of its step, but found results}}
  %0 = qkernel.launch @relu(%x) step "map" : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @check_size_c1(%d: index) {
  // expected-error @+1 {{'qkernel.check_size' op expects 1 dims for 'memref<?x4xf32>', but found 2}}
  qkernel.check_size(%d, %d) : memref<?x4xf32>
  return
}

// -----

func.func @output_memory_c1(%d: index) {
  // expected-error @+1 {{'qkernel.output_memory' op expects 2 dims for 'memref<?x?xf32>', but found 1}}
  %0 = qkernel.output_memory 0(%d) : memref<?x?xf32>
  return
}

// -----

func.func @append_memory_c1(%d: index) {
  // expected-error @+1 {{'qkernel.append_memory' op expects 1 dims for 'memref<2x?x4xf32, strided<[?, 4, 1]>>', but found 2}}
  %0 = qkernel.append_memory 0(%d, %d) axis 1 : memref<2x?x4xf32, strided<[?, 4, 1]>>
  return
}

// -----

func.func @append_memory_c2_axis(%d: index) {
  // expected-error @+1 {{'qkernel.append_memory' op expects open strides in front of axis 3, but found 'memref<2x?x4xf32, strided<[?, 4, 1]>>'}}
  %0 = qkernel.append_memory 0(%d) axis 3 : memref<2x?x4xf32, strided<[?, 4, 1]>>
  return
}

// -----

func.func @append_memory_c2_dense(%d: index) {
  // expected-error @+1 {{'qkernel.append_memory' op expects open strides in front of axis 1, but found 'memref<2x?x4xf32>'}}
  %0 = qkernel.append_memory 0(%d) axis 1 : memref<2x?x4xf32>
  return
}

// -----

func.func @view_c1(%x: memref<4xf32>) {
  // expected-error @+1 {{'qkernel.view' op expects 1 dims for 'memref<?xf32>', but found 0}}
  %0 = qkernel.view %x() : memref<4xf32> to memref<?xf32>
  return
}

// -----

func.func @view_c2(%x: memref<4xf32>) {
  // expected-error @+1 {{'qkernel.view' op expects memory in the space of 'memref<4xf32>', but found 'memref<4xf32, "device">'}}
  %0 = qkernel.view %x() : memref<4xf32> to memref<4xf32, "device">
  return
}

// -----

func.func @list_c1(%x: memref<2xi64>, %d: index) {
  // expected-error @+1 {{'qkernel.list' op expects 2 elements, but found 1}}
  %0 = qkernel.list %x(%d) : memref<2xi64>
  return
}
