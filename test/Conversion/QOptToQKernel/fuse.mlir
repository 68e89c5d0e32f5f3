// RUN: qopt-opt %s --convert-qopt-to-qkernel --verify-each --split-input-file | FileCheck %s
// RUN: qopt-opt %s --convert-qopt-to-qkernel --mlir-print-debuginfo --split-input-file | FileCheck %s --check-prefix=LOC

// A product with its bias; the nodes of both stay with the kernel.
// CHECK-LABEL: func @example
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32>, %[[W:.*]]: tensor<4x8xf32>, %[[B:.*]]: tensor<8xf32>
// CHECK-NEXT: %[[K:.*]] = qkernel.contract(%[[X]], %[[W]], %[[B]])
// CHECK-SAME: (%[[A0:.*]]: tensor<?x4xf32>, %[[A1:.*]]: tensor<4x8xf32>, %[[A2:.*]]: tensor<8xf32>)
// CHECK-NEXT: %[[M:.*]] = qopt.matmul %[[A0]], %[[A1]]
// CHECK-NEXT: %[[S:.*]] = qopt.add %[[M]], %[[A2]]
// CHECK-NEXT: qkernel.yield %[[S]]
// CHECK: return %[[K]]
// LOC-LABEL: func @example
// LOC: qkernel.contract
// LOC: } loc(#[[BOTH:.*]])
// LOC-DAG: #[[MATMUL:.*]] = loc(fused<#qopt.node<1>>
// LOC-DAG: #[[ADD:.*]] = loc(fused<#qopt.node<2>>
// LOC-DAG: #[[BOTH]] = loc(fused[#[[MATMUL]], #[[ADD]]])
func.func @example(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  %0 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32> loc(fused<#qopt.node<1>>["matmul"])
  %1 = qopt.add %0, %b : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32> loc(fused<#qopt.node<2>>["add"])
  return %1 : tensor<?x8xf32>
}

// -----

// Integer convolutions end in codes; a depthwise one is a kernel of its own kind.
// CHECK-LABEL: func @integer
// CHECK: qkernel.contract
// CHECK: qopt.conv
// CHECK: qopt.add
// CHECK: qopt.requantize
// CHECK: qkernel.yield {{.*}} : tensor<1x4x8xi8>
// CHECK: qkernel.depthwise_conv
// CHECK: qopt.conv
// CHECK: qopt.shift
// CHECK: qopt.lookup
// CHECK: qkernel.yield {{.*}} : tensor<1x4x8xi8>
// CHECK-NOT: qkernel.
func.func @integer(%x: tensor<1x3x8xi8>, %w: tensor<4x3x1xi8>, %b: tensor<1x4x1xi32>, %m: tensor<1x4x1xf32>, %z: tensor<1x1x1xi8>, %d: tensor<4x1x1xi8>, %k: tensor<1x1x1xi8>, %t: tensor<256xi8>) -> tensor<1x4x8xi8> {
  %0 = qopt.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x3x8xi8>, tensor<4x3x1xi8>) -> tensor<1x4x8xi32>
  %1 = qopt.add %0, %b : (tensor<1x4x8xi32>, tensor<1x4x1xi32>) -> tensor<1x4x8xi32>
  %2 = qopt.requantize %1, %m, %z {min = -128 : i64, max = 127 : i64} : (tensor<1x4x8xi32>, tensor<1x4x1xf32>, tensor<1x1x1xi8>) -> tensor<1x4x8xi8>
  %3 = qopt.conv %2, %d {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, group = 4 : i64} : (tensor<1x4x8xi8>, tensor<4x1x1xi8>) -> tensor<1x4x8xi32>
  %4 = qopt.shift %3, %k {min = -128 : i64, max = 127 : i64} : (tensor<1x4x8xi32>, tensor<1x1x1xi8>) -> tensor<1x4x8xi8>
  %5 = qopt.lookup %4, %t : (tensor<1x4x8xi8>, tensor<256xi8>) -> tensor<1x4x8xi8>
  return %5 : tensor<1x4x8xi8>
}

// -----

// The product takes in what quantizes its rows. The scale of the product has its
// shape and no other user: it is made inside as well.
// CHECK-LABEL: func @dynamic
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<?x4xf32>
// CHECK-NOT: qkernel.rows
// CHECK: qkernel.contract(%[[X]], %{{.*}}, %{{.*}}, %{{.*}})
// CHECK-NEXT: qopt.quantize_dynamic
// CHECK-NEXT: qopt.matmul
// CHECK-NEXT: qopt.mul
// CHECK-NEXT: qopt.dequantize
// CHECK-NEXT: qopt.add
// CHECK-NEXT: qopt.gelu
// CHECK-NEXT: qkernel.yield
// CHECK-NOT: qkernel.map
func.func @dynamic(%x: tensor<?x4xf32>, %w: tensor<4x8xi8>, %sw: tensor<1x8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  %q, %sx = qopt.quantize_dynamic %x {format = #qopt.format<i8>} : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>)
  %0 = qopt.matmul %q, %w : (tensor<?x4xi8>, tensor<4x8xi8>) -> tensor<?x8xi32>
  %s = qopt.mul %sx, %sw : (tensor<?x1xf32>, tensor<1x8xf32>) -> tensor<?x8xf32>
  %1 = qopt.dequantize %0 scales(%s) : (tensor<?x8xi32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = qopt.add %1, %b : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %3 = qopt.gelu %2 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}

// -----

// The norm before the quantizer goes along where nothing else reads it.
// CHECK-LABEL: func @norm_and_quantizer
// CHECK: qkernel.contract
// CHECK-NEXT: qopt.add
// CHECK-NEXT: qopt.layer_norm
// CHECK-NEXT: qopt.quantize_dynamic
// CHECK-NEXT: qopt.matmul
// CHECK-NEXT: qkernel.yield
// CHECK-NOT: qkernel.
func.func @norm_and_quantizer(%x: tensor<?x64xf32>, %y: tensor<?x64xf32>, %g: tensor<64xf32>, %w: tensor<64x8xf4E2M1FN>, %s: tensor<2x8xf8E8M0FNU>) -> tensor<?x8xf32> {
  %0 = qopt.add %x, %x : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %n = qopt.layer_norm %0, %g {axis = -1 : i64, epsilon = 1.0e-5 : f32} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %q, %sx = qopt.quantize_dynamic %n {format = #qopt.format<mxfp4, axis = 1>} : (tensor<?x64xf32>) -> (tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>)
  %m = qopt.matmul %q scales(%sx), %w scales(%s) {lhs_format = #qopt.format<mxfp4, axis = 1>, rhs_format = #qopt.format<mxfp4, axis = 0>} : (tensor<?x64xf4E2M1FN>, tensor<?x2xf8E8M0FNU>, tensor<64x8xf4E2M1FN>, tensor<2x8xf8E8M0FNU>) -> tensor<?x8xf32>
  return %m : tensor<?x8xf32>
}

// -----

// Codes that two products read are made by the norm's kernel, and so are the rows
// that a third op reads; a quantizer moves up to its rows.
// CHECK-LABEL: func @shared_codes
// CHECK: %[[N:.*]]:3 = qkernel.rows
// CHECK-NEXT: %[[R:.*]] = qopt.layer_norm
// CHECK-NEXT: %[[Q:.*]], %[[S:.*]] = qopt.quantize_dynamic %[[R]]
// CHECK-NEXT: qkernel.yield %[[R]], %[[Q]], %[[S]]
// CHECK: qopt.transpose %[[N]]#0
// CHECK: qkernel.contract(%[[N]]#1, %{{.*}}, %[[N]]#2, %{{.*}})
// CHECK-NEXT: qopt.matmul
// CHECK: qkernel.contract(%[[N]]#1, %{{.*}}, %[[N]]#2, %{{.*}})
// CHECK-NEXT: qopt.matmul
// CHECK-NOT: qkernel.map
func.func @shared_codes(%x: tensor<8x64xf32>, %g: tensor<64xf32>, %v: tensor<64x8xi8>, %w: tensor<64x8xi8>, %sv: tensor<1x8xf32>) -> (tensor<64x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
  %n = qopt.layer_norm %x, %g {axis = -1 : i64, epsilon = 1.0e-5 : f32} : (tensor<8x64xf32>, tensor<64xf32>) -> tensor<8x64xf32>
  %t = qopt.transpose %n {perm = array<i64: 1, 0>} : (tensor<8x64xf32>) -> tensor<64x8xf32>
  %q, %sx = qopt.quantize_dynamic %n {format = #qopt.format<i8>} : (tensor<8x64xf32>) -> (tensor<8x64xi8>, tensor<8x1xf32>)
  %0 = qopt.matmul %q, %v : (tensor<8x64xi8>, tensor<64x8xi8>) -> tensor<8x8xi32>
  %s = qopt.mul %sx, %sv : (tensor<8x1xf32>, tensor<1x8xf32>) -> tensor<8x8xf32>
  %1 = qopt.dequantize %0 scales(%s) : (tensor<8x8xi32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %2 = qopt.matmul %q, %w : (tensor<8x64xi8>, tensor<64x8xi8>) -> tensor<8x8xi32>
  %u = qopt.mul %sx, %sv : (tensor<8x1xf32>, tensor<1x8xf32>) -> tensor<8x8xf32>
  %3 = qopt.dequantize %2 scales(%u) : (tensor<8x8xi32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return %t, %1, %3 : tensor<64x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// Element-wise ops make the rows of a quantizer whose codes leave.
// CHECK-LABEL: func @map_and_quantizer
// CHECK: %{{.*}}:2 = qkernel.rows
// CHECK-NEXT: qopt.gelu
// CHECK-NEXT: qopt.quantize_dynamic
// CHECK-NEXT: qkernel.yield
// CHECK-NOT: qkernel.
func.func @map_and_quantizer(%x: tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>) {
  %0 = qopt.gelu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %q, %s = qopt.quantize_dynamic %0 {format = #qopt.format<i8>} : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>)
  return %q, %s : tensor<?x4xi8>, tensor<?x1xf32>
}

// -----

// Both scales of NVFP4 are of a row.
// CHECK-LABEL: func @two_scales_of_a_row
// CHECK: qkernel.contract
// CHECK-NEXT: qopt.quantize_dynamic
// CHECK-NEXT: qopt.matmul
// CHECK-NOT: qkernel.rows
func.func @two_scales_of_a_row(%x: tensor<?x32xf32>, %w: tensor<32x8xf4E2M1FN>, %ws: tensor<2x8xf8E4M3FN>, %wt: tensor<1x1xf32>) -> tensor<?x8xf32> {
  %q, %s, %t = qopt.quantize_dynamic %x {format = #qopt.format<nvfp4, axis = 1>} : (tensor<?x32xf32>) -> (tensor<?x32xf4E2M1FN>, tensor<?x2xf8E4M3FN>, tensor<?x1xf32>)
  %y = qopt.matmul %q scales(%s, %t), %w scales(%ws, %wt) {lhs_format = #qopt.format<nvfp4, axis = 1>, rhs_format = #qopt.format<nvfp4, axis = 0>} : (tensor<?x32xf4E2M1FN>, tensor<?x2xf8E4M3FN>, tensor<?x1xf32>, tensor<32x8xf4E2M1FN>, tensor<2x8xf8E4M3FN>, tensor<1x1xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// Scales that more than a row decides, and codes of an image, are made once, by a
// kernel of their own.
// CHECK-LABEL: func @whole_tensors
// CHECK: qkernel.map
// CHECK: qkernel.rows
// CHECK-NEXT: qopt.quantize_dynamic
// CHECK-NEXT: qkernel.yield
// CHECK: qkernel.rows
// CHECK-NEXT: qopt.quantize_dynamic
// CHECK-NEXT: qkernel.yield
func.func @whole_tensors(%x: tensor<1x32x8xf32>) -> (tensor<1x32x8xi8>, tensor<1x1x1xf32>, tensor<1x32x8xi8>, tensor<1x1x8xf8E8M0FNU>) {
  %0 = qopt.gelu %x : (tensor<1x32x8xf32>) -> tensor<1x32x8xf32>
  %q, %s = qopt.quantize_dynamic %0 {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<1x32x8xf32>) -> (tensor<1x32x8xi8>, tensor<1x1x1xf32>)
  %p, %e = qopt.quantize_dynamic %0 {format = #qopt.format<mxint8, axis = 1>} : (tensor<1x32x8xf32>) -> (tensor<1x32x8xi8>, tensor<1x1x8xf8E8M0FNU>)
  return %q, %s, %p, %e : tensor<1x32x8xi8>, tensor<1x1x1xf32>, tensor<1x32x8xi8>, tensor<1x1x8xf8E8M0FNU>
}

// -----

// Each root has a kernel; a value with two users ends the first one.
// CHECK-LABEL: func @rows
// CHECK: %[[N:.*]] = qkernel.rows
// CHECK: qopt.layer_norm
// CHECK: %[[S:.*]] = qkernel.rows(%[[N]])
// CHECK: qopt.softmax
// CHECK: %[[R:.*]] = qkernel.rows(%[[N]])
// CHECK: qopt.reduce
// CHECK: qopt.relu
// CHECK: return %[[S]], %[[R]]
func.func @rows(%x: tensor<?x8xf32>, %g: tensor<8xf32>) -> (tensor<?x8xf32>, tensor<?x1xf32>) {
  %0 = qopt.layer_norm %x, %g {axis = 1 : i64, epsilon = 1.0e-5 : f32} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %1 = qopt.softmax %0 {axis = 1 : i64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = qopt.reduce %0 {kind = #qopt.kind<max>, axes = array<i64: 1>, keepdims = true} : (tensor<?x8xf32>) -> tensor<?x1xf32>
  %3 = qopt.relu %2 : (tensor<?x1xf32>) -> tensor<?x1xf32>
  return %1, %3 : tensor<?x8xf32>, tensor<?x1xf32>
}

// -----

// A residual: both addends have dims from one input. The kernel stands where its
// last op stood, behind the other addend.
// CHECK-LABEL: func @residual
// CHECK: %[[O:.*]] = qkernel.contract
// CHECK-NEXT: qopt.matmul
// CHECK-NEXT: qkernel.yield
// CHECK: qkernel.contract(%{{.*}}, %{{.*}}, %[[O]])
// CHECK-NEXT: qopt.matmul
// CHECK-NEXT: qopt.add
// CHECK-NEXT: qopt.relu
func.func @residual(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %0 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %1 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %2 = qopt.add %0, %1 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %3 = qopt.relu %2 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %3, %1 : tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// A fork whose branches join again: one value leaves the group.
// CHECK-LABEL: func @fork
// CHECK: qkernel.attention
// CHECK-NEXT: qopt.attention
// CHECK-NEXT: qopt.sigmoid
// CHECK-NEXT: qopt.exp
// CHECK-NEXT: qopt.mul
// CHECK-NEXT: qopt.add
// CHECK-NEXT: qkernel.yield
// CHECK-NOT: qkernel.map
func.func @fork(%q: tensor<4x8xf32>, %k: tensor<6x8xf32>, %v: tensor<6x8xf32>) -> tensor<4x8xf32> {
  %0 = qopt.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<4x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<4x8xf32>
  %1 = qopt.sigmoid %0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = qopt.exp %0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %3 = qopt.mul %1, %2 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %4 = qopt.add %3, %0 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %4 : tensor<4x8xf32>
}

// -----

// Attention takes in what decodes its keys, where each row has a scale; not its
// values, which have one for all.
// CHECK-LABEL: func @codes
// CHECK: %[[V:.*]] = qkernel.map
// CHECK-NEXT: qopt.dequantize
// CHECK: qkernel.attention(%{{.*}}, %[[V]]
// CHECK-NEXT: %[[K:.*]] = qopt.dequantize
// CHECK-NEXT: qopt.attention %{{.*}}, %[[K]], %{{.*}}
func.func @codes(%q: tensor<4x8xf32>, %k: tensor<6x8xi8>, %ks: tensor<6x1xf32>, %v: tensor<6x8xi8>, %vs: tensor<1x1xf32>) -> tensor<4x8xf32> {
  %0 = qopt.dequantize %k scales(%ks) {format = #qopt.format<i8>} : (tensor<6x8xi8>, tensor<6x1xf32>) -> tensor<6x8xf32>
  %1 = qopt.dequantize %v scales(%vs) {format = #qopt.format<i8>} : (tensor<6x8xi8>, tensor<1x1xf32>) -> tensor<6x8xf32>
  %2 = qopt.attention %q, %0, %1 {scale = 1.0 : f32} : (tensor<4x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}

// -----

// A list of rows of f16 is cast in attention; what is computed for it, where it
// is made.
// CHECK-LABEL: func @halves
// CHECK: %[[V:.*]] = qkernel.map
// CHECK-NEXT: qopt.neg
// CHECK-NEXT: qopt.cast
// CHECK: qkernel.attention(%{{.*}}, %[[V]]
// CHECK-NEXT: %[[K:.*]] = qopt.cast
// CHECK-NEXT: qopt.attention %{{.*}}, %[[K]], %{{.*}}
func.func @halves(%q: tensor<4x8xf32>, %k: tensor<5x8xf16>, %x: tensor<1x8xf16>, %v: tensor<6x8xf16>) -> tensor<4x8xf32> {
  %0 = qopt.concat %k, %x {axis = 0 : i64} : (tensor<5x8xf16>, tensor<1x8xf16>) -> tensor<6x8xf16>
  %1 = qopt.cast %0 : (tensor<6x8xf16>) -> tensor<6x8xf32>
  %2 = qopt.neg %v : (tensor<6x8xf16>) -> tensor<6x8xf16>
  %3 = qopt.cast %2 : (tensor<6x8xf16>) -> tensor<6x8xf32>
  %4 = qopt.attention %q, %1, %3 {scale = 1.0 : f32} : (tensor<4x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<4x8xf32>
  return %4 : tensor<4x8xf32>
}

// -----

// What no root precedes is a map; movement ends it.
// CHECK-LABEL: func @maps
// CHECK: %[[A:.*]] = qkernel.map
// CHECK-NEXT: qopt.relu
// CHECK-NEXT: qopt.exp
// CHECK: %[[T:.*]] = qopt.transpose %[[A]]
// CHECK: qkernel.map(%[[T]])
// CHECK-NEXT: qopt.neg
func.func @maps(%x: tensor<?x8xf32>) -> tensor<8x?xf32> {
  %0 = qopt.relu %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = qopt.exp %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = qopt.transpose %1 {perm = array<i64: 1, 0>} : (tensor<?x8xf32>) -> tensor<8x?xf32>
  %3 = qopt.neg %2 : (tensor<8x?xf32>) -> tensor<8x?xf32>
  return %3 : tensor<8x?xf32>
}

// -----

// The other addend may have more rows than the product.
// CHECK-LABEL: func @may_broadcast
// CHECK: qkernel.contract
// CHECK-NEXT: qopt.matmul
// CHECK-NEXT: qkernel.yield
// CHECK: qopt.add
func.func @may_broadcast(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>, %y: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
  %1 = qopt.add %0, %y : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// The same with a symbol for the rows.
// CHECK-LABEL: func @symbols
// CHECK: qkernel.contract
// CHECK-NEXT: qopt.matmul
// CHECK-NEXT: qopt.add
func.func @symbols(%x: tensor<?x4xf32> {qopt.dims = ["n", ""]}, %w: tensor<4x8xf32>, %y: tensor<?x8xf32> {qopt.dims = ["n", ""]}) -> tensor<?x8xf32> {
  %0 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
  %1 = qopt.add %0, %y : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// Scales of blocks do not broadcast.
// CHECK-LABEL: func @blocks
// CHECK-NOT: qkernel
// CHECK: qopt.dequantize
func.func @blocks(%c: tensor<4x64xi8>, %s: tensor<4x2xf32>) -> tensor<4x64xf32> {
  %0 = qopt.dequantize %c scales(%s) {format = #qopt.format<i8, axis = 1, block = 32>} : (tensor<4x64xi8>, tensor<4x2xf32>) -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// -----

// Shape arithmetic runs outside of kernels.
// CHECK-LABEL: func @shapes
// CHECK-NOT: qkernel
// CHECK: return
func.func @shapes(%x: tensor<2xi64>) -> (tensor<2xi64>, tensor<2xf32>, tensor<1xi64>) {
  %0 = qopt.add %x, %x : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  %1 = qopt.cast %0 : (tensor<2xi64>) -> tensor<2xf32>
  %2 = qopt.reduce %x {kind = #qopt.kind<prod>, axes = array<i64: 0>, keepdims = true} : (tensor<2xi64>) -> tensor<1xi64>
  return %0, %1, %2 : tensor<2xi64>, tensor<2xf32>, tensor<1xi64>
}

// -----

// A user in a branch is in another block: the value leaves the kernel.
// CHECK-LABEL: func @branch
// CHECK: %[[K:.*]] = qkernel.contract
// CHECK: qkernel.yield
// CHECK: scf.if
// CHECK: qkernel.map(%[[K]])
// CHECK-NEXT: qopt.relu
func.func @branch(%c: i1, %x: tensor<2x4xf32>, %w: tensor<4x8xf32>) -> tensor<2x8xf32> {
  %0 = qopt.matmul %x, %w : (tensor<2x4xf32>, tensor<4x8xf32>) -> tensor<2x8xf32>
  %1 = scf.if %c -> (tensor<2x8xf32>) {
    %2 = qopt.relu %0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
    scf.yield %2 : tensor<2x8xf32>
  } else {
    scf.yield %0 : tensor<2x8xf32>
  }
  return %1 : tensor<2x8xf32>
}

// -----

// Two tables cut to one length differ where one of them ends before it.
// CHECK-LABEL: func @limits
// CHECK: qkernel.map
// CHECK-NEXT: qopt.relu
// CHECK-NEXT: qkernel.yield
// CHECK: qopt.add
func.func @limits(%n: tensor<?xf32>, %a: tensor<512xf32>, %b: tensor<100xf32>) -> tensor<?xf32> {
  %zero = qopt.constant(dense<0> : tensor<1xi64>) : tensor<1xi64>
  %end = qopt.shape %n {start = 0 : i64, end = 1 : i64} : (tensor<?xf32>) -> tensor<1xi64>
  %0 = qopt.slice %a, %zero, %end {axes = array<i64: 0>} : (tensor<512xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  %1 = qopt.slice %b, %zero, %end {axes = array<i64: 0>} : (tensor<100xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  %2 = qopt.relu %0 : (tensor<?xf32>) -> tensor<?xf32>
  %3 = qopt.add %2, %1 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %3 : tensor<?xf32>
}
