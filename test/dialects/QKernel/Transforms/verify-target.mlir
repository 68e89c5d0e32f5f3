// RUN: qopt-opt %s --verify-target --verify-diagnostics --split-input-file

// A program that runs as it stands.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %y = qkernel.output_memory 0(%d) : memref<?x4xf32>
    qkernel.launch @relu(%x) to(%y : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
    return
  }
  func.func private @relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qkernel.map(%x) {kernel = "x86-64.map"} : (tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>) {
      %1 = qopt.relu %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    return %0 : tensor<?x4xf32>
  }
}

// -----

// Elements fill bytes.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'memref.alloc' op uses 'memref<4xi4>', which is no type of a program that has memory}}
    %0 = memref.alloc() : memref<4xi4>
    return
  }
}

// -----

// They are neighbours.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{uses 'memref<4xf32, strided<[2]>>', which is no type}}
    %0 = memref.alloc() : memref<4xf32, strided<[2]>>
    return
  }
}

// -----

// Memory is that of the host or of a device.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{uses 'memref<4xf32, 3>', which is no type}}
    %0 = memref.alloc() : memref<4xf32, 3>
    return
  }
}

// -----

// Sizes are checked of such memory.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{uses 'memref<4xi1>', which is no type}}
    qkernel.check_size() : memref<4xi1>
    return
  }
}

// -----

// Numbers have widths that machines have.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{uses 'i128', which is no type}}
    %0 = arith.constant 1 : i128
    return
  }
}

// -----

// Tensors are constants.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c = qopt.constant(dense<0.0> : tensor<4xf32>) : tensor<4xf32>
    // expected-error @+1 {{uses 'tensor<4xf32>', which is no type}}
    %0 = qopt.relu %c : (tensor<4xf32>) -> tensor<4xf32>
    return
  }
}

// -----

// Memory is not chosen by a run.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %t = arith.constant true
    // expected-error @+1 {{'arith.select' op expects integers, but found other operands}}
    %0 = arith.select %t, %x, %x : memref<?x4xf32>
    return
  }
}

// -----

// An overflow is no reason to take anything for granted.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'arith.addi' op expects no promise of what it computes}}
    %0 = arith.addi %d, %d overflow<nsw> : index
    return
  }
}

// -----

// Nor is a division.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c2 = arith.constant 2 : index
    // expected-error @+1 {{'arith.divsi' op expects no promise of what it computes}}
    %0 = arith.divsi %d, %c2 exact : index
    return
  }
}

// -----

// A dim may be 0.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'arith.remsi' op expects a divisor that is above 0 in every run}}
    %0 = arith.remsi %c0, %d : index
    return
  }
}

// -----

// A number may be negative.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c = arith.constant -1 : index
    // expected-error @+1 {{'arith.divsi' op expects a divisor that is above 0 in every run}}
    %0 = arith.divsi %d, %c : index
    return
  }
}

// -----

// The larger of a number and 1 is not.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c1 = arith.constant 1 : index
    %0 = arith.maxsi %d, %c1 : index
    %1 = arith.divsi %c0, %0 : index
    return
  }
}

// -----

// An axis is a number.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'memref.dim' op expects the number of an axis of its memory}}
    %0 = memref.dim %x, %d : memref<?x4xf32>
    return
  }
}

// -----

// It is one of the memory.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c2 = arith.constant 2 : index
    // expected-error @+1 {{'memref.dim' op expects the number of an axis of its memory}}
    %0 = memref.dim %x, %c2 : memref<?x4xf32>
    return
  }
}

// -----

// What the caller gives is not written.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %a = memref.alloc(%d) : memref<?x4xf32>
    // expected-error @+1 {{'memref.copy' op expects a target of its own}}
    memref.copy %a, %x : memref<?x4xf32> to memref<?x4xf32>
    return
  }
}

// -----

// A view has elements as wide as those of its memory.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.view' op expects elements of 'memref<?x4xf32>', but found 'memref<?x4xf64>'}}
    %0 = qkernel.view %x(%d) : memref<?x4xf32> to memref<?x4xf64>
    return
  }
}

// -----

// A view of a constant has as many.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c = qopt.constant(dense<0> : tensor<4xi4>) : tensor<4xi4>
    // expected-error @+1 {{'qkernel.view' op expects elements of 'tensor<4xi4>', but found 'memref<5xi8>'}}
    %0 = qkernel.view %c() : tensor<4xi4> to memref<5xi8>
    return
  }
}

// -----

// What ends a run is no success.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %t = arith.constant false
    // expected-error @+1 {{'qkernel.require' op expects a code above 0}}
    qkernel.require %t code 0
    return
  }
}

// -----

// That is known beforehand.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %t = arith.constant false
    %s = arith.constant 1 : i32
    // expected-error @+1 {{'qkernel.require' op expects a code above 0}}
    qkernel.require %t status %s
    return
  }
}

// -----

// The host loads nothing from a device.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %a = memref.alloc() : memref<4xi64, "device">
    // expected-error @+1 {{'memref.load' op expects memory of its own on the host}}
    %0 = memref.load %a[%c0] : memref<4xi64, "device">
    return
  }
}

// -----

// Nor does it store to what the caller gives.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c = arith.constant 0 : i32
    %v = qkernel.view %x(%d) : memref<?x4xf32> to memref<?x4xi32>
    // expected-error @+1 {{'memref.store' op expects memory of its own on the host}}
    memref.store %c, %v[%c0, %c0] : memref<?x4xi32>
    return
  }
}

// -----

// What a calibration observes is in no file.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    // expected-error @+1 {{'qkernel.observe' op stands outside of a calibration}}
    qkernel.observe %x {id = 7 : i64} : memref<?x4xf32>
    return
  }
}

// -----

// Programs have no other ops.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %a = memref.alloc() : memref<4xf32>
    // expected-error @+1 {{'memref.realloc' op is no op of a program that has memory}}
    %0 = memref.realloc %a : memref<4xf32> to memref<8xf32>
    return
  }
}

// -----

// A variant has functions alone.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    return
  }
  // expected-error @+1 {{'qkernel.variant' op stands beside @main}}
  qkernel.variant @inner #qkernel.target<"x86-64", "x86-64-v3"> {
  }
}

// -----

// There is one that runs.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
// expected-error @+1 {{'qkernel.variant' op expects a function @main of one block}}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
}

// -----

// It takes the memory of what the program takes.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  // expected-error @+1 {{'func.func' op expects the type '(memref<?x4xf32>) -> ()', but found '(memref<4x4xf32>) -> ()'}}
  func.func @main(%x: memref<4x4xf32>) {
    return
  }
}

// -----

// It makes every output.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  // expected-error @+1 {{'func.func' op expects memory of 1 outputs, but found 0}}
  func.func @main(%x: memref<?x4xf32>) {
    return
  }
}

// -----

// There is no other.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.output_memory' op expects one of 1 outputs}}
    %0 = qkernel.output_memory 1(%d) : memref<?x4xf32>
    return
  }
}

// -----

// It has its type.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.output_memory' op expects 'memref<?x4xf32>', but found 'memref<?x3xf32>'}}
    %0 = qkernel.output_memory 0(%d) : memref<?x3xf32>
    return
  }
}

// -----

// Two places are not one output.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %y = qkernel.output_memory 0(%d) : memref<?x4xf32>
    qkernel.launch @relu(%x) to(%y : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
    // expected-error @+1 {{'qkernel.output_memory' op is not the only one of this output}}
    %z = qkernel.output_memory 0(%d) : memref<?x4xf32>
    return
  }
  func.func private @relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qkernel.map(%x) {kernel = "x86-64.map"} : (tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>) {
      %1 = qopt.relu %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    return %0 : tensor<?x4xf32>
  }
}

// -----

// A loop may run twice.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c1 = arith.constant 1 : index
    scf.for %i = %c0 to %d step %c1 {
      // expected-error @+1 {{'qkernel.output_memory' op is not the only one of this output}}
      %0 = qkernel.output_memory 0(%d) : memref<?x4xf32>
    }
    return
  }
}

// -----

// What a kernel of the host reads is there.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %a = memref.alloc(%d) : memref<?x4xf32, "device">
    %y = qkernel.output_memory 0(%d) : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.launch' op expects memory of the host, its own where it is written}}
    qkernel.launch @relu(%a) to(%y : memref<?x4xf32>) : (memref<?x4xf32, "device">) -> ()
    return
  }
  func.func private @relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qkernel.map(%x) {kernel = "x86-64.map"} : (tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>) {
      %1 = qopt.relu %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    return %0 : tensor<?x4xf32>
  }
}

// -----

// It does not write a view, under whose memory others may be.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %a = memref.alloc(%d) : memref<?x4xf32>
    %v = qkernel.view %a(%d) : memref<?x4xf32> to memref<?x4xf32>
    // expected-error @+1 {{'qkernel.launch' op expects memory of the host, its own where it is written}}
    qkernel.launch @relu(%x) to(%v : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
    return
  }
  func.func private @relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qkernel.map(%x) {kernel = "x86-64.map"} : (tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>) {
      %1 = qopt.relu %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    return %0 : tensor<?x4xf32>
  }
}

// -----

// Only ops of programs have kernels.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %y = qkernel.output_memory 0(%d) : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.launch' op expects an op that has a kernel, and memory for its results}}
    qkernel.launch @relu(%x) to(%y : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
    return
  }
  func.func private @relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qkernel.copy %x : tensor<?x4xf32>
    return %0 : tensor<?x4xf32>
  }
}

// -----

// A kernel is one of the machine.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %y = qkernel.output_memory 0(%d) : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.launch' op runs an op whose kernel is not known here}}
    qkernel.launch @relu(%x) to(%y : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
    return
  }
  func.func private @relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qkernel.map(%x) {kernel = "x86-64.none"} : (tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>) {
      %1 = qopt.relu %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    return %0 : tensor<?x4xf32>
  }
}

// -----

// It runs its op.
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %y = qkernel.output_memory 0(%d) : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.map' op has the kernel "x86-64.rows", which does not run it}}
    qkernel.launch @relu(%x) to(%y : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
    return
  }
  func.func private @relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qkernel.map(%x) {kernel = "x86-64.rows"} : (tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>) {
      %1 = qopt.relu %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    return %0 : tensor<?x4xf32>
  }
}

// -----

// Facts are of the constants of the launch.
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  return %x : tensor<8xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<8xf32>) {
    %c7 = qopt.constant(dense<7> : tensor<1xi64>) : tensor<1xi64>
    %c9 = qopt.constant(dense<-9> : tensor<1xi64>) : tensor<1xi64>
    %s = qopt.constant(dense<-1> : tensor<1xi64>) : tensor<1xi64>
    %y = qkernel.output_memory 0() : memref<8xf32>
    qkernel.launch @slice(%x, %c7, %c9, %s) to(%y : memref<8xf32>) : (memref<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> ()
    return
  }
  func.func private @slice(%x: tensor<8xf32>, %a: tensor<1xi64>, %b: tensor<1xi64>, %s: tensor<1xi64>) -> tensor<8xf32> {
    %0 = qopt.slice %x, %a, %b, %s {axes = array<i64: 0>, qkernel.facts = [#qkernel.integers<operand = 3, min = -1, max = -1, elements = [-1]>], qopt.kernel = "x86-64.slice"} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<8xf32>
    return %0 : tensor<8xf32>
  }
}

// -----

// They are true.
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  return %x : tensor<8xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<8xf32>) {
    %c7 = qopt.constant(dense<7> : tensor<1xi64>) : tensor<1xi64>
    %c9 = qopt.constant(dense<-9> : tensor<1xi64>) : tensor<1xi64>
    %s = qopt.constant(dense<-2> : tensor<1xi64>) : tensor<1xi64>
    %y = qkernel.output_memory 0() : memref<8xf32>
    // expected-error @+2 {{'qopt.slice' op expects the facts [#qkernel.integers<operand = 3, min = -2, max = -2, elements = [-2]>] of its operands, but found}}
    // expected-note @+1 {{run qkernel-annotate-facts}}
    qkernel.launch @slice(%x, %c7, %c9, %s) to(%y : memref<8xf32>) : (memref<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> ()
    return
  }
  func.func private @slice(%x: tensor<8xf32>, %a: tensor<1xi64>, %b: tensor<1xi64>, %s: tensor<1xi64>) -> tensor<8xf32> {
    %0 = qopt.slice %x, %a, %b, %s {axes = array<i64: 0>, qkernel.facts = [#qkernel.integers<operand = 3, min = -1, max = -1, elements = [-1]>], qopt.kernel = "x86-64.slice"} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<8xf32>
    return %0 : tensor<8xf32>
  }
}

// -----

// Nothing is known of memory.
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  return %x : tensor<8xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<8xf32>) {
    %c7 = qopt.constant(dense<7> : tensor<1xi64>) : tensor<1xi64>
    %c9 = qopt.constant(dense<-9> : tensor<1xi64>) : tensor<1xi64>
    %s = memref.alloc() : memref<1xi64>
    %y = qkernel.output_memory 0() : memref<8xf32>
    // expected-error @+2 {{'qopt.slice' op expects no facts of its operands, but found}}
    // expected-note @+1 {{run qkernel-annotate-facts}}
    qkernel.launch @slice(%x, %c7, %c9, %s) to(%y : memref<8xf32>) : (memref<8xf32>, tensor<1xi64>, tensor<1xi64>, memref<1xi64>) -> ()
    return
  }
  func.func private @slice(%x: tensor<8xf32>, %a: tensor<1xi64>, %b: tensor<1xi64>, %s: tensor<1xi64>) -> tensor<8xf32> {
    %0 = qopt.slice %x, %a, %b, %s {axes = array<i64: 0>, qkernel.facts = [#qkernel.integers<operand = 3, min = -1, max = -1, elements = [-1]>], qopt.kernel = "x86-64.slice"} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<8xf32>
    return %0 : tensor<8xf32>
  }
}

// -----

// A concatenation adds to a state in place.
func.func @main(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
  %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
  return %0 : tensor<2x?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: memref<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: memref<2x1x4xf32>) {
    %c1 = arith.constant 1 : index
    %n = memref.dim %p, %c1 : memref<2x?x4xf32>
    %d = arith.addi %n, %c1 : index
    qkernel.check_size(%d) : memref<2x?x4xf32>
    %y = qkernel.append_memory 0(%d) axis 1 : memref<2x?x4xf32, strided<[?, 4, 1]>>
    qkernel.launch @concat(%p, %x) to(%y : memref<2x?x4xf32, strided<[?, 4, 1]>>) : (memref<2x?x4xf32>, memref<2x1x4xf32>) -> ()
    return
  }
  func.func private @concat(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
    %0 = qopt.concat %p, %x {axis = 1 : i64, qopt.kernel = "x86-64.concat"} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
    return %0 : tensor<2x?x4xf32>
  }
}

// -----

// To no other output.
func.func @main(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
  %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
  return %0 : tensor<2x?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: memref<2x?x4xf32>, %x: memref<2x1x4xf32>) {
    %c1 = arith.constant 1 : index
    %n = memref.dim %p, %c1 : memref<2x?x4xf32>
    %d = arith.addi %n, %c1 : index
    qkernel.check_size(%d) : memref<2x?x4xf32>
    // expected-error @+1 {{'qkernel.append_memory' op expects an input that goes on from output 0 and grows along axis 1}}
    %y = qkernel.append_memory 0(%d) axis 1 : memref<2x?x4xf32, strided<[?, 4, 1]>>
    qkernel.launch @concat(%p, %x) to(%y : memref<2x?x4xf32, strided<[?, 4, 1]>>) : (memref<2x?x4xf32>, memref<2x1x4xf32>) -> ()
    return
  }
  func.func private @concat(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
    %0 = qopt.concat %p, %x {axis = 1 : i64, qopt.kernel = "x86-64.concat"} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
    return %0 : tensor<2x?x4xf32>
  }
}

// -----

// Along the axis along which it grows.
func.func @main(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
  %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
  return %0 : tensor<2x?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: memref<2x?x4xf32> {qopt.state = array<i64: 0, 2>}, %x: memref<2x1x4xf32>) {
    %c1 = arith.constant 1 : index
    %n = memref.dim %p, %c1 : memref<2x?x4xf32>
    %d = arith.addi %n, %c1 : index
    qkernel.check_size(%d) : memref<2x?x4xf32>
    // expected-error @+1 {{'qkernel.append_memory' op expects an input that goes on from output 0 and grows along axis 1}}
    %y = qkernel.append_memory 0(%d) axis 1 : memref<2x?x4xf32, strided<[?, 4, 1]>>
    qkernel.launch @concat(%p, %x) to(%y : memref<2x?x4xf32, strided<[?, 4, 1]>>) : (memref<2x?x4xf32>, memref<2x1x4xf32>) -> ()
    return
  }
  func.func private @concat(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
    %0 = qopt.concat %p, %x {axis = 1 : i64, qopt.kernel = "x86-64.concat"} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
    return %0 : tensor<2x?x4xf32>
  }
}

// -----

// Elements of such memory are not neighbours.
func.func @main(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
  %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
  return %0 : tensor<2x?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: memref<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: memref<2x1x4xf32>) {
    %c1 = arith.constant 1 : index
    %n = memref.dim %p, %c1 : memref<2x?x4xf32>
    %d = arith.addi %n, %c1 : index
    qkernel.check_size(%d) : memref<2x?x4xf32>
    %y = qkernel.append_memory 0(%d) axis 1 : memref<2x?x4xf32, strided<[?, 4, 1]>>
    qkernel.launch @concat(%p, %x) to(%y : memref<2x?x4xf32, strided<[?, 4, 1]>>) : (memref<2x?x4xf32>, memref<2x1x4xf32>) -> ()
    %a = memref.alloc(%d) : memref<2x?x4xf32>
    // expected-error @+1 {{'memref.copy' op is no launch, but uses memory that has slots}}
    memref.copy %y, %a : memref<2x?x4xf32, strided<[?, 4, 1]>> to memref<2x?x4xf32>
    return
  }
  func.func private @concat(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
    %0 = qopt.concat %p, %x {axis = 1 : i64, qopt.kernel = "x86-64.concat"} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
    return %0 : tensor<2x?x4xf32>
  }
}

// -----

// Most kernels take no such memory.
func.func @main(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
  %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
  return %0 : tensor<2x?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: memref<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: memref<2x1x4xf32>) {
    %c1 = arith.constant 1 : index
    %n = memref.dim %p, %c1 : memref<2x?x4xf32>
    %d = arith.addi %n, %c1 : index
    qkernel.check_size(%d) : memref<2x?x4xf32>
    %y = qkernel.append_memory 0(%d) axis 1 : memref<2x?x4xf32, strided<[?, 4, 1]>>
    // expected-error @+1 {{'qkernel.launch' op runs a kernel that knows no slots}}
    qkernel.launch @relu(%p) to(%y : memref<2x?x4xf32, strided<[?, 4, 1]>>) : (memref<2x?x4xf32>) -> ()
    return
  }
  func.func private @relu(%x: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> {
    %0 = qkernel.map(%x) {kernel = "x86-64.map"} : (tensor<2x?x4xf32>) -> tensor<2x?x4xf32> (%a: tensor<2x?x4xf32>) {
      %1 = qopt.relu %a : (tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
      qkernel.yield %1 : tensor<2x?x4xf32>
    }
    return %0 : tensor<2x?x4xf32>
  }
}

// -----

// All variants keep a state alike.
func.func @main(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
  %0 = qopt.concat %p, %x {axis = 1 : i64} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
  return %0 : tensor<2x?x4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: memref<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: memref<2x1x4xf32>) {
    %c1 = arith.constant 1 : index
    %n = memref.dim %p, %c1 : memref<2x?x4xf32>
    %d = arith.addi %n, %c1 : index
    qkernel.check_size(%d) : memref<2x?x4xf32>
    %y = qkernel.append_memory 0(%d) axis 1 : memref<2x?x4xf32, strided<[?, 4, 1]>>
    qkernel.launch @concat(%p, %x) to(%y : memref<2x?x4xf32, strided<[?, 4, 1]>>) : (memref<2x?x4xf32>, memref<2x1x4xf32>) -> ()
    return
  }
  func.func private @concat(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
    %0 = qopt.concat %p, %x {axis = 1 : i64, qopt.kernel = "x86-64.concat"} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
    return %0 : tensor<2x?x4xf32>
  }
}
// expected-error @+1 {{'qkernel.variant' op adds to other outputs in place than variants before it}}
qkernel.variant @v3 #qkernel.target<"x86-64", "x86-64-v3"> {
  func.func @main(%p: memref<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: memref<2x1x4xf32>) {
    %c1 = arith.constant 1 : index
    %n = memref.dim %p, %c1 : memref<2x?x4xf32>
    %d = arith.addi %n, %c1 : index
    qkernel.check_size(%d) : memref<2x?x4xf32>
    %y = qkernel.output_memory 0(%d) : memref<2x?x4xf32>
    qkernel.launch @concat(%p, %x) to(%y : memref<2x?x4xf32>) : (memref<2x?x4xf32>, memref<2x1x4xf32>) -> ()
    return
  }
  func.func private @concat(%p: tensor<2x?x4xf32>, %x: tensor<2x1x4xf32>) -> tensor<2x?x4xf32> {
    %0 = qopt.concat %p, %x {axis = 1 : i64, qopt.kernel = "x86-64.concat"} : (tensor<2x?x4xf32>, tensor<2x1x4xf32>) -> tensor<2x?x4xf32>
    return %0 : tensor<2x?x4xf32>
  }
}

// -----

// A machine has one variant.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    return
  }
}
// expected-error @+1 {{'qkernel.variant' op is a second one of #qkernel.target<"x86-64", "x86-64-v4">}}
qkernel.variant @again #qkernel.target<"x86-64", "x86-64-v4"> {
}

// -----

// It is one of the target.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    return
  }
}
// expected-error @+1 {{'qkernel.variant' op x86-64 has no machine "x86-64-v9"}}
qkernel.variant @v9 #qkernel.target<"x86-64", "x86-64-v9"> {
}

// -----

// A program takes tensors.
// expected-error @+1 {{expects a function @main on ranked tensors}}
module {
  func.func @main(%x: tensor<*xf32>) {
    return
  }
}

// -----

// Loops carry no tensors, not even to launches.
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>) {
  return %x : tensor<4xf32>
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%p: memref<4xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %k = arith.constant dense<1.0> : tensor<4xf32>
    %z = qkernel.output_memory 0() : memref<4xf32>
    // expected-error @+1 {{uses 'tensor<4xf32>', which is no type of a program that has memory}}
    %r = scf.for %i = %c0 to %c1 step %c1 iter_args(%t = %k) -> tensor<4xf32> {
      qkernel.launch @relu(%t) to(%z : memref<4xf32>) : (tensor<4xf32>) -> ()
      scf.yield %t : tensor<4xf32>
    }
    return
  }
  func.func private @relu(%x: tensor<4xf32>) -> tensor<4xf32> {
    %0 = qkernel.map(%x) {kernel = "x86-64.map"} : (tensor<4xf32>) -> tensor<4xf32> (%a: tensor<4xf32>) {
      %1 = qopt.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      qkernel.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}
