// RUN: qopt-opt %s --verify-target --verify-diagnostics --split-input-file

// What a block makes ends in it, once.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %a = memref.alloc(%d) : memref<?x4xf32>
    memref.copy %x, %a : memref<?x4xf32> to memref<?x4xf32>
    memref.dealloc %a : memref<?x4xf32>
    return
  }
}

// -----

// Not twice.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %a = memref.alloc(%d) : memref<?x4xf32>
    memref.copy %x, %a : memref<?x4xf32> to memref<?x4xf32>
    memref.dealloc %a : memref<?x4xf32>
    // expected-error @+1 {{'memref.dealloc' op uses memory that has ended}}
    memref.dealloc %a : memref<?x4xf32>
    return
  }
}

// -----

// No view of it is used after that.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %a = memref.alloc(%d) : memref<?x4xf32>
    memref.copy %x, %a : memref<?x4xf32> to memref<?x4xf32>
    %v = qkernel.view %a(%d) : memref<?x4xf32> to memref<?x2x2xf32>
    memref.dealloc %a : memref<?x4xf32>
    // expected-error @+1 {{'memref.load' op uses memory that has ended}}
    %l = memref.load %v[%c0, %c0, %c0] : memref<?x2x2xf32>
    return
  }
}

// -----

// The caller's memory stays.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'memref.dealloc' op ends or hands on memory that its block does not own}}
    memref.dealloc %x : memref<?x4xf32>
    return
  }
}

// -----

// A loop does not end what each of its rounds reads.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c1 = arith.constant 1 : index
    %a = memref.alloc(%d) : memref<?x4xf32>
    memref.copy %x, %a : memref<?x4xf32> to memref<?x4xf32>
    scf.for %i = %c0 to %d step %c1 {
      // expected-error @+1 {{'memref.dealloc' op ends or hands on memory that its block does not own}}
      memref.dealloc %a : memref<?x4xf32>
    }
    return
  }
}

// -----

// It carries memory of its own.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c1 = arith.constant 1 : index
    // expected-error @+1 {{'scf.for' op ends or hands on memory that its block does not own}}
    %r = scf.for %i = %c0 to %d step %c1 iter_args(%m = %x) -> (memref<?x4xf32>) {
      scf.yield %m : memref<?x4xf32>
    }
    return
  }
}

// -----

// What is handed on may be a view of that.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c1 = arith.constant 1 : index
    %a = memref.alloc() : memref<2x2xf32>
    %r = scf.for %i = %c0 to %d step %c1 iter_args(%m = %a) -> (memref<2x2xf32>) {
      %b = memref.alloc() : memref<4xf32>
      %v = qkernel.view %b() : memref<4xf32> to memref<2x2xf32>
      memref.dealloc %m : memref<2x2xf32>
      scf.yield %v : memref<2x2xf32>
    }
    memref.dealloc %r : memref<2x2xf32>
    return
  }
}

// -----

// Once.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c1 = arith.constant 1 : index
    %a = memref.alloc() : memref<2x2xf32>
    %b = memref.alloc() : memref<2x2xf32>
    %r:2 = scf.for %i = %c0 to %d step %c1 iter_args(%m = %a, %n = %b) -> (memref<2x2xf32>, memref<2x2xf32>) {
      // expected-error @+1 {{'scf.yield' op ends or hands on memory that its block does not own}}
      scf.yield %m, %m : memref<2x2xf32>, memref<2x2xf32>
    }
    return
  }
}

// -----

// A kernel reads nothing that it writes.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %a = memref.alloc(%d) : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.launch' op writes memory that it reads or writes elsewhere}}
    qkernel.launch @relu(%a) to(%a : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
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

// There can be memory like that of an input.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %a = memref.alloc(%d) : memref<?x4xf16>
    memref.dealloc %a : memref<?x4xf16>
    return
  }
}

// -----

// Not of every size.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'memref.alloc' op expects a check in front of it: a tensor is too large}}
    %a = memref.alloc(%d) : memref<?x4xf64>
    memref.dealloc %a : memref<?x4xf64>
    return
  }
}

// -----

// Unless that was checked.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    qkernel.check_size(%d) : memref<?x4xf64>
    %a = memref.alloc(%d) : memref<?x4xf64>
    memref.dealloc %a : memref<?x4xf64>
    return
  }
}

// -----

// On every path.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %t = arith.constant true
    scf.if %t {
      qkernel.check_size(%d) : memref<?x4xf64>
    }
    // expected-error @+1 {{'memref.alloc' op expects a check in front of it: a tensor is too large}}
    %a = memref.alloc(%d) : memref<?x4xf64>
    memref.dealloc %a : memref<?x4xf64>
    return
  }
}

// -----

// Numbers are checked as well.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'memref.alloc' op expects a check in front of it: a tensor is too large}}
    %a = memref.alloc() : memref<4294967296x4294967296xf32>
    memref.dealloc %a : memref<4294967296x4294967296xf32>
    return
  }
}

// -----

// None has fewer elements than none.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %m = arith.constant -1 : index
    // expected-error @+1 {{'memref.alloc' op expects a check in front of it: a tensor is too large}}
    %a = memref.alloc(%m) : memref<?xf32>
    memref.dealloc %a : memref<?xf32>
    return
  }
}

// -----

// A view has the elements of its memory, in products too.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c4 = arith.constant 4 : index
    %n = arith.muli %d, %c4 : index
    %v = qkernel.view %x(%n) : memref<?x4xf32> to memref<?xf32>
    %w = qkernel.view %v(%d) : memref<?xf32> to memref<2x?x2xf32>
    %a = memref.alloc(%d) : memref<2x?x2xf32>
    memref.copy %w, %a : memref<2x?x2xf32> to memref<2x?x2xf32>
    return
  }
}

// -----

// It has no others.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.view' op expects a check in front of it: a view changes the number of elements}}
    %v = qkernel.view %x(%d) : memref<?x4xf32> to memref<?x2xf32>
    %a = memref.alloc(%d) : memref<?x2xf32>
    memref.copy %v, %a : memref<?x2xf32> to memref<?x2xf32>
    return
  }
}

// -----

// Products that are too large are no dims.
func.func @main(%x: tensor<?x0xf32>, %z: tensor<?x0xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x0xf32>, %z: memref<?x0xf32>) {
    %c0 = arith.constant 0 : index
    %p = memref.dim %x, %c0 : memref<?x0xf32>
    %q = memref.dim %z, %c0 : memref<?x0xf32>
    %n = arith.muli %p, %q : index
    qkernel.check_size(%n) : memref<?xf32>
    %a = memref.alloc(%n) : memref<?xf32>
    // expected-error @+1 {{'qkernel.view' op expects a check in front of it: a tensor is too large}}
    %v = qkernel.view %a(%p, %q) : memref<?xf32> to memref<?x?xf32>
    %b = memref.alloc(%p, %q) : memref<?x?xf32>
    memref.copy %v, %b : memref<?x?xf32> to memref<?x?xf32>
    return
  }
}

// -----

// Unless that was checked.
func.func @main(%x: tensor<?x0xf32>, %z: tensor<?x0xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x0xf32>, %z: memref<?x0xf32>) {
    %c0 = arith.constant 0 : index
    %p = memref.dim %x, %c0 : memref<?x0xf32>
    %q = memref.dim %z, %c0 : memref<?x0xf32>
    %n = arith.muli %p, %q : index
    qkernel.check_size(%p, %q) : memref<?x?xf32>
    %a = memref.alloc(%n) : memref<?xf32>
    %v = qkernel.view %a(%p, %q) : memref<?xf32> to memref<?x?xf32>
    %b = memref.alloc(%p, %q) : memref<?x?xf32>
    memref.copy %v, %b : memref<?x?xf32> to memref<?x?xf32>
    return
  }
}

// -----

// Nor are numbers below 0, two of which make one above it.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %m = arith.constant -1 : index
    %n = arith.constant -4 : index
    %a = memref.alloc() : memref<4xf32>
    // expected-error @+1 {{'qkernel.view' op expects a check in front of it: a tensor is too large}}
    %v = qkernel.view %a(%m, %n) : memref<4xf32> to memref<?x?xf32>
    %b = memref.alloc(%m, %n) : memref<?x?xf32>
    memref.copy %v, %b : memref<?x?xf32> to memref<?x?xf32>
    return
  }
}

// -----

// What has one element along an axis is squeezed there.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c1 = arith.constant 1 : index
    %e = arith.cmpi eq, %d, %c1 : index
    qkernel.require %e code 1
    %v = qkernel.view %x() : memref<?x4xf32> to memref<4xf32>
    %a = memref.alloc() : memref<4xf32>
    memref.copy %v, %a : memref<4xf32> to memref<4xf32>
    return
  }
}

// -----

// An index is one of the dim.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'memref.load' op expects a check in front of it: an index is out of range}}
    %l = memref.load %x[%c0, %c0] : memref<?x4xf32>
    %b = memref.alloc() : memref<f32>
    memref.store %l, %b[] : memref<f32>
    return
  }
}

// -----

// A load is one, whoever uses the number.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    // expected-error @+1 {{'memref.load' op expects a check in front of it: an index is out of range}}
    %l = memref.load %x[%c0, %c0] : memref<?x4xf32>
    return
  }
}

// -----

// Where the program has looked.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %in = arith.cmpi ult, %c0, %d : index
    qkernel.require %in code 1
    %l = memref.load %x[%c0, %c0] : memref<?x4xf32>
    %b = memref.alloc() : memref<f32>
    memref.store %l, %b[] : memref<f32>
    return
  }
}

// -----

// Stores are no other.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c = arith.constant 0 : i32
    %c2 = arith.constant 2 : index
    %a = memref.alloc() : memref<2xi32>
    // expected-error @+1 {{'memref.store' op expects a check in front of it: an index is out of range}}
    memref.store %c, %a[%c2] : memref<2xi32>
    return
  }
}

// -----

// A copy is as large as what is copied.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c1 = arith.constant 1 : index
    %a = memref.alloc(%c1) : memref<?x4xf32>
    // expected-error @+1 {{'memref.copy' op expects a check in front of it: a copy has other dims than what is copied}}
    memref.copy %x, %a : memref<?x4xf32> to memref<?x4xf32>
    return
  }
}

// -----

// A result is as large as its kernel makes it.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c1 = arith.constant 1 : index
    %a = memref.alloc(%c1) : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.launch' op expects a check in front of it: a result has other dims than its memory}}
    qkernel.launch @relu(%x) to(%a : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
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

// Or as the program checks.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %c1 = arith.constant 1 : index
    %e = arith.cmpi eq, %d, %c1 : index
    qkernel.require %e code 1
    %a = memref.alloc(%c1) : memref<?x4xf32>
    qkernel.launch @relu(%x) to(%a : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
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

// What a kernel asks of its operands the program has asked.
func.func @main(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>, %z: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %n = memref.dim %z, %c0 : memref<?x4xf32>
    %a = memref.alloc(%d) : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.launch' op expects a check in front of it: the dims of the operands do not broadcast}}
    qkernel.launch @add(%x, %z) to(%a : memref<?x4xf32>) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
    return
  }
  func.func private @add(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qkernel.map(%x, %z) {kernel = "x86-64.map"} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) {
      %1 = qopt.add %a, %b : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    return %0 : tensor<?x4xf32>
  }
}

// -----

// As where dims of inputs have one name.
func.func @main(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>, %z: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %n = memref.dim %z, %c0 : memref<?x4xf32>
    %e = arith.cmpi eq, %n, %d : index
    qkernel.require %e code 1
    %a = memref.alloc(%d) : memref<?x4xf32>
    qkernel.launch @add(%x, %z) to(%a : memref<?x4xf32>) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
    return
  }
  func.func private @add(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qkernel.map(%x, %z) {kernel = "x86-64.map"} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) {
      %1 = qopt.add %a, %b : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    return %0 : tensor<?x4xf32>
  }
}

// -----

// Behind that there can be memory of the one as of the other.
func.func @main(%x: tensor<?xf32>, %z: tensor<?x?xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?xf32>, %z: memref<?x?xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %d = memref.dim %x, %c0 : memref<?xf32>
    %n = memref.dim %z, %c0 : memref<?x?xf32>
    %m = memref.dim %z, %c1 : memref<?x?xf32>
    %e = arith.cmpi eq, %n, %d : index
    qkernel.require %e code 1
    %a = memref.alloc(%n, %m) : memref<?x?xf32>
    memref.copy %z, %a : memref<?x?xf32> to memref<?x?xf32>
    return
  }
}

// -----

// In front of the launch.
func.func @main(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>, %z: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %n = memref.dim %z, %c0 : memref<?x4xf32>
    %a = memref.alloc(%d) : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.launch' op expects a check in front of it: the dims of the operands do not broadcast}}
    qkernel.launch @add(%x, %z) to(%a : memref<?x4xf32>) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
    %e = arith.cmpi eq, %n, %d : index
    qkernel.require %e code 1
    return
  }
  func.func private @add(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %0 = qkernel.map(%x, %z) {kernel = "x86-64.map"} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) {
      %1 = qopt.add %a, %b : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %1 : tensor<?x4xf32>
    }
    return %0 : tensor<?x4xf32>
  }
}

// -----

// A kernel takes its steps.
func.func @main(%x: tensor<2x9000xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<2x9000xf32>) {
    %q = memref.alloc() : memref<2x9000xi8>
    %s = memref.alloc() : memref<2x1xf32>
    %m = memref.alloc() : memref<80xi8>
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "largest_magnitude" with(%m : memref<80xi8>) : (memref<2x9000xf32>) -> ()
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "quantize_dynamic" with(%m : memref<80xi8>) : (memref<2x9000xf32>) -> ()
    return
  }
  func.func private @quantize(%x: tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) {
    %0:2 = qkernel.rows(%x) {kernel = "x86-64.quantize-dynamic"} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) (%a: tensor<2x9000xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>)
      qkernel.yield %1, %2 : tensor<2x9000xi8>, tensor<2x1xf32>
    }
    return %0#0, %0#1 : tensor<2x9000xi8>, tensor<2x1xf32>
  }
}

// -----

// All of them.
func.func @main(%x: tensor<2x9000xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<2x9000xf32>) {
    %q = memref.alloc() : memref<2x9000xi8>
    %s = memref.alloc() : memref<2x1xf32>
    %m = memref.alloc() : memref<80xi8>
    // expected-error @+1 {{'qkernel.launch' op expects the steps that its kernel takes}}
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "largest_magnitude" with(%m : memref<80xi8>) : (memref<2x9000xf32>) -> ()
    return
  }
  func.func private @quantize(%x: tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) {
    %0:2 = qkernel.rows(%x) {kernel = "x86-64.quantize-dynamic"} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) (%a: tensor<2x9000xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>)
      qkernel.yield %1, %2 : tensor<2x9000xi8>, tensor<2x1xf32>
    }
    return %0#0, %0#1 : tensor<2x9000xi8>, tensor<2x1xf32>
  }
}

// -----

// In their order.
func.func @main(%x: tensor<2x9000xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<2x9000xf32>) {
    %q = memref.alloc() : memref<2x9000xi8>
    %s = memref.alloc() : memref<2x1xf32>
    %m = memref.alloc() : memref<80xi8>
    // expected-error @+1 {{'qkernel.launch' op expects the steps that its kernel takes}}
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "quantize_dynamic" with(%m : memref<80xi8>) : (memref<2x9000xf32>) -> ()
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "largest_magnitude" with(%m : memref<80xi8>) : (memref<2x9000xf32>) -> ()
    return
  }
  func.func private @quantize(%x: tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) {
    %0:2 = qkernel.rows(%x) {kernel = "x86-64.quantize-dynamic"} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) (%a: tensor<2x9000xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>)
      qkernel.yield %1, %2 : tensor<2x9000xi8>, tensor<2x1xf32>
    }
    return %0#0, %0#1 : tensor<2x9000xi8>, tensor<2x1xf32>
  }
}

// -----

// Nothing is written between them.
func.func @main(%x: tensor<2x9000xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<2x9000xf32>) {
    %q = memref.alloc() : memref<2x9000xi8>
    %s = memref.alloc() : memref<2x1xf32>
    %m = memref.alloc() : memref<80xi8>
    %c0 = arith.constant 0 : index
    %c = arith.constant 0.0 : f32
    // expected-error @+1 {{'qkernel.launch' op expects the steps that its kernel takes}}
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "largest_magnitude" with(%m : memref<80xi8>) : (memref<2x9000xf32>) -> ()
    memref.store %c, %s[%c0, %c0] : memref<2x1xf32>
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "quantize_dynamic" with(%m : memref<80xi8>) : (memref<2x9000xf32>) -> ()
    return
  }
  func.func private @quantize(%x: tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) {
    %0:2 = qkernel.rows(%x) {kernel = "x86-64.quantize-dynamic"} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) (%a: tensor<2x9000xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>)
      qkernel.yield %1, %2 : tensor<2x9000xi8>, tensor<2x1xf32>
    }
    return %0#0, %0#1 : tensor<2x9000xi8>, tensor<2x1xf32>
  }
}

// -----

// Nobody else knows what they share.
func.func @main(%x: tensor<2x9000xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<2x9000xf32>) {
    %q = memref.alloc() : memref<2x9000xi8>
    %s = memref.alloc() : memref<2x1xf32>
    %m = memref.alloc() : memref<80xi8>
    %n = memref.alloc() : memref<80xi8>
    // expected-error @+1 {{'qkernel.launch' op expects the steps that its kernel takes}}
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "largest_magnitude" with(%m : memref<80xi8>) : (memref<2x9000xf32>) -> ()
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "quantize_dynamic" with(%m : memref<80xi8>) : (memref<2x9000xf32>) -> ()
    memref.copy %m, %n : memref<80xi8> to memref<80xi8>
    return
  }
  func.func private @quantize(%x: tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) {
    %0:2 = qkernel.rows(%x) {kernel = "x86-64.quantize-dynamic"} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) (%a: tensor<2x9000xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>)
      qkernel.yield %1, %2 : tensor<2x9000xi8>, tensor<2x1xf32>
    }
    return %0#0, %0#1 : tensor<2x9000xi8>, tensor<2x1xf32>
  }
}

// -----

// What they share is as large as they say.
func.func @main(%x: tensor<2x9000xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<2x9000xf32>) {
    %q = memref.alloc() : memref<2x9000xi8>
    %s = memref.alloc() : memref<2x1xf32>
    %m = memref.alloc() : memref<79xi8>
    // expected-error @+1 {{'qkernel.launch' op expects a check in front of it: memory of a step has another size}}
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "largest_magnitude" with(%m : memref<79xi8>) : (memref<2x9000xf32>) -> ()
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "quantize_dynamic" with(%m : memref<79xi8>) : (memref<2x9000xf32>) -> ()
    return
  }
  func.func private @quantize(%x: tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) {
    %0:2 = qkernel.rows(%x) {kernel = "x86-64.quantize-dynamic"} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) (%a: tensor<2x9000xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>)
      qkernel.yield %1, %2 : tensor<2x9000xi8>, tensor<2x1xf32>
    }
    return %0#0, %0#1 : tensor<2x9000xi8>, tensor<2x1xf32>
  }
}

// -----

// And of its form.
func.func @main(%x: tensor<2x9000xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<2x9000xf32>) {
    %q = memref.alloc() : memref<2x9000xi8>
    %s = memref.alloc() : memref<2x1xf32>
    %m = memref.alloc() : memref<8x10xi8>
    // expected-error @+1 {{'qkernel.launch' op expects the steps that its kernel takes}}
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "largest_magnitude" with(%m : memref<8x10xi8>) : (memref<2x9000xf32>) -> ()
    qkernel.launch @quantize(%x) to(%q, %s : memref<2x9000xi8>, memref<2x1xf32>) step "quantize_dynamic" with(%m : memref<8x10xi8>) : (memref<2x9000xf32>) -> ()
    return
  }
  func.func private @quantize(%x: tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) {
    %0:2 = qkernel.rows(%x) {kernel = "x86-64.quantize-dynamic"} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) (%a: tensor<2x9000xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>)
      qkernel.yield %1, %2 : tensor<2x9000xi8>, tensor<2x1xf32>
    }
    return %0#0, %0#1 : tensor<2x9000xi8>, tensor<2x1xf32>
  }
}

// -----

// Memory has elements that are numbers.
func.func @main(%x: tensor<?x4xf32>) {
  return
}
qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
  func.func @main(%x: memref<?x4xf32>) {
    %c0 = arith.constant 0 : index
    %d = memref.dim %x, %c0 : memref<?x4xf32>
    %y = memref.alloc(%d) : memref<?x4xf32>
    // expected-error @+1 {{'qkernel.launch' op expects a function of its own type}}
    qkernel.launch @relu(%x) to(%y : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
    return
  }
  func.func private @relu(%x: tensor<?x4xvector<4xf32>>) -> tensor<?x4xvector<4xf32>> {
    %0 = qkernel.map(%x) {kernel = "x86-64.map"} : (tensor<?x4xvector<4xf32>>) -> tensor<?x4xvector<4xf32>> (%a: tensor<?x4xvector<4xf32>>) {
      %1 = qopt.relu %a : (tensor<?x4xvector<4xf32>>) -> tensor<?x4xvector<4xf32>>
      qkernel.yield %1 : tensor<?x4xvector<4xf32>>
    }
    return %0 : tensor<?x4xvector<4xf32>>
  }
}
