//===- Passes.td - Passes on kernels ---------*- tablegen -*-===//
//
// The examples are cases of the passes' tests.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_TRANSFORMS_PASSES_TD
#define DIALECTS_QKERNEL_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def MakeVariantsPass : Pass<"qkernel-make-variants", "::mlir::ModuleOp"> {
  let summary = "copy a program into a variant for each machine";
  let description = [{
    ```mlir
    func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
      return %x : tensor<?x4xf32>
    }
    // becomes, with target=x86-64 machines=x86-64-v3
    func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
      return %x : tensor<?x4xf32>
    }
    qkernel.variant @"x86-64-v3" <"x86-64", "x86-64-v3"> {
      func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
        return %x : tensor<?x4xf32>
      }
    }
    ```

    The program itself stays: it says what inputs and outputs are.

    Fails where the module has no @main.

    Runs after `convert-qopt-to-qkernel`; first in `kernels`.

    Numerics: exact; the same ops on the same values.
  }];
  let options = [
    Option<"target", "target", "std::string", "",
           "The target that the machines are of.">,
    ListOption<"machines", "machines", "std::string", "The machines' names.">];
  let dependentDialects = ["::mlir::func::FuncDialect",
                           "::qopt::kernel::QKernelDialect"];
}

def AssignKernelsPass
    : Pass<"qkernel-assign", "::qopt::kernel::VariantOp"> {
  let summary = "choose the kernel that runs each op of a variant";
  let description = [{
    ```mlir
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>) -> tensor<?x8xf32> {
        %0 = qopt.matmul %x, %w : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
        return %0 : tensor<?x8xf32>
      }
    }
    // becomes
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>) -> tensor<?x8xf32> {
        %0 = qkernel.contract(%x, %w) {kernel = "x86-64.contract.f32"} : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
          (%a0: tensor<?x4xf32>, %a1: tensor<4x8xf32>) {
          %0 = qopt.matmul %a0, %a1 : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
          qkernel.yield %0 : tensor<?x8xf32>
        }
        return %0 : tensor<?x8xf32>
      }
    }
    ```

    The kernels are those of the variant's target, which its dialect extension
    makes known. Of those that match an op the first is taken; `reason` keeps
    why those before it do not.

    A kernel op that none matches is taken apart: a quantizer and what stands in
    front of it become kernels of their own, and where that does not help every
    op does. Bare ops are put into the kernel op of their family. A single op
    that no kernel matches is named `generic`, with the reasons.

    Runs after `qkernel-make-variants`.

    Numerics: exact; the same ops on the same values.
  }];
  let dependentDialects = ["::qopt::kernel::QKernelDialect"];
  let statistics = [
    Statistic<"numGeneric", "num-generic", "ops that no kernel runs">];
}

def ChooseLayoutsPass
    : Pass<"qkernel-choose-layouts", "::qopt::kernel::VariantOp"> {
  let summary = "decide how the tensors between kernels lie in memory";
  let description = [{
    ```mlir
    %0 = qkernel.repack %x : tensor<?x3x8x8xf32> to tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>
    %1 = qkernel.map(%0) : (tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>) -> tensor<?x3x8x8xf32> (%a: tensor<?x3x8x8xf32>) {
      %r = qopt.relu %a : (tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32>
      qkernel.yield %r : tensor<?x3x8x8xf32>
    }
    // becomes
    %1 = qkernel.map(%x) : (tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32> (%a: tensor<?x3x8x8xf32>) {
      %r = qopt.relu %a : (tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32>
      qkernel.yield %r : tensor<?x3x8x8xf32>
    }
    ```

    Every kernel takes and gives row-major tensors, and branches and loops carry
    them. A repack stays only where a function takes, gives or holds as a
    constant what has a layout, as a caller may not be asked.

    Does nothing where nothing has a layout.

    Runs after `qkernel-assign`, as kernels say what they take; first of what
    looks at types of memory.

    Numerics: exact; the same elements in other places.
  }];
  let dependentDialects = ["::qopt::kernel::QKernelDialect"];
  let statistics = [
    Statistic<"numRepacks", "num-repacks", "tensors that are repacked">];
}

def AnnotateFactsPass
    : Pass<"qkernel-annotate-facts", "::qopt::kernel::VariantOp"> {
  let summary = "write on each op what is known of the values of its operands";
  let description = [{
    ```mlir
    %s = qopt.constant(dense<-1> : tensor<1xi64>) : tensor<1xi64>
    %1 = qopt.slice %x, %a, %b, %s {axes = array<i64: 0>, qopt.kernel = "x86-64.slice"} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<8xf32>
    // becomes
    %1 = qopt.slice %x, %a, %b, %s {axes = array<i64: 0>, qkernel.facts = [#qkernel.integers<operand = 3, min = -1, max = -1, elements = [-1]>], qopt.kernel = "x86-64.slice"} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<8xf32>
    ```

    Asked for are the zero points of products, the amounts of shifts, the indices
    of a gather and the steps of a slice. Those in the body of a kernel are told
    as the kernel's operand that they are.

    Says nothing where the operand is no constant or, of lists of i32 and i64, no
    shape arithmetic on constants and static dims. What stood there before is
    replaced.

    Runs after `qkernel-assign`: kernels are chosen by the same analysis, and what
    emits their code reads no constant but only this.

    Numerics: exact; changes nothing.
  }];
  let statistics = [
    Statistic<"numFacts", "num-facts", "operands of which something is known">];
}

def DecomposeKernelsPass : Pass<"qkernel-decompose"> {
  let summary = "put the body of every kernel back in its place";
  let description = [{
    ```mlir
    %1 = qkernel.map(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32> (%a0: tensor<?x8xf32>) {
      %0 = qopt.relu %a0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
      qkernel.yield %0 : tensor<?x8xf32>
    }
    // becomes
    %1 = qopt.relu %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
    ```

    Undoes `convert-qopt-to-qkernel` up to the order of independent ops; packed
    operands give way to what was packed, repacked ones to what they were, and
    layouts are gone. Leaves everything else alone.

    Numerics: exact; the same ops on the same values.
  }];
}

def VerifyKernelsPass : Pass<"verify-kernels"> {
  let summary = "check the form that the phase kernels leaves";
  let description = [{
    Fails on a `qkernel.variant` of a machine that is not known or has another one;
    on an op of a variant without the name of what runs it, or with that of a
    kernel that does not; on a generic one without a reason; on facts of operands
    that are not what `qkernel-annotate-facts` finds; on a layout, which no kernel
    takes yet; and on a memref whose elements are narrower than a byte.

    Last in `kernels`.

    Numerics: exact; changes nothing.
  }];
}

def BindStatesPass : Pass<"qkernel-bind-states", "::mlir::ModuleOp"> {
  let summary = "find the states that a program can add to in place";
  let description = [{
    ```mlir
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> {
        %0 = qopt.concat %p, %x {axis = 1 : i64, qopt.kernel = "x86-64.concat"} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
        return %0 : tensor<2x?x4xf32>
      }
    }
    // becomes
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%p: tensor<2x?x4xf32> {qopt.state = array<i64: 0, 1>}, %x: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> {
        %0 = qopt.concat %p, %x {axis = 1 : i64, qkernel.append, qopt.kernel = "x86-64.concat"} : (tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
        return %0 : tensor<2x?x4xf32>
      }
    }
    ```

    `qopt.state` of an argument is the result that it is in the next run, and the
    axis along which that grows. Where the result is the argument with more behind
    it there, both can be one memory: only what is new is written.

    Leaves a state alone when it grows along another axis; when the past is read
    beside the concatenation; when the result is given out twice, or a region or a
    kernel reads it that knows no slots; and when that is so in another variant.
    Such states are copied from run to run. What was marked before is forgotten.

    Runs after `qkernel-assign`, as kernels say what they can read; before
    `qkernel-materialize-lifetimes`.

    Numerics: exact; changes nothing.
  }];
  let statistics = [
    Statistic<"numBound", "num-bound", "states that are added to in place">];
}

def MaterializeLifetimesPass
    : Pass<"qkernel-materialize-lifetimes", "::mlir::func::FuncOp"> {
  let summary = "say where the memory of each tensor begins and ends";
  let description = [{
    ```mlir
    func.func @main(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
      %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
      %1 = qopt.neg %0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
      return %1, %x : tensor<?x4xf32>, tensor<?x4xf32>
    }
    // becomes
    func.func @main(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
      %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
      %1 = qopt.neg %0 {qkernel.outputs = array<i32: 0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.free %0 : tensor<?x4xf32>
      qkernel.output %x at 1 : tensor<?x4xf32>
      return %1, %x : tensor<?x4xf32>, tensor<?x4xf32>
    }
    ```

    Memory ends after the last use of the tensor that owns it, of its views, and
    of regions that use either. A reshape, flatten, squeeze or unsqueeze is a view
    of its operand.

    What a region of `scf` is given and yields owns its memory: a tensor that was
    made in the region is handed on once, any other is copied.

    An output is written in place by what makes it. It is copied instead where it
    is an argument, a constant, a view or the result of control flow, where it is
    returned twice, and where `in-place` is off.

    Leaves constants alone, which have no lifetime, and arguments of the function,
    which the caller owns.

    Runs last of what looks at the values of a program: first in `target`.

    Numerics: exact; the same ops on the same values.
  }];
  let options = [
    Option<"inPlace", "in-place", "bool", "true",
           "Whether ops write outputs of the program in their place.">];
  let dependentDialects = ["::qopt::kernel::QKernelDialect"];
  let statistics = [
    Statistic<"numFrees", "num-frees", "tensors whose memory ends">,
    Statistic<"numCopies", "num-copies", "tensors that are copied">];
}

def OutlineKernelsPass
    : Pass<"qkernel-outline", "::qopt::kernel::VariantOp"> {
  let summary = "make a function of each kernel, equal ones once";
  let description = [{
    ```mlir
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
        %0 = qopt.softmax %x {axis = -1 : i64, qopt.kernel = "x86-64.rows"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
        %1 = qopt.softmax %0 {axis = -1 : i64, qopt.kernel = "x86-64.rows"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
        return %1 : tensor<?x4xf32>
      }
    }
    // becomes
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
        %0 = qkernel.launch @k0.softmax(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
        %1 = qkernel.launch @k0.softmax(%0) : (tensor<?x4xf32>) -> tensor<?x4xf32>
        return %1 : tensor<?x4xf32>
      }
      func.func private @k0.softmax(%arg0: tensor<?x4xf32>) -> tensor<?x4xf32> {
        %0 = qopt.softmax %arg0 {axis = -1 : i64, qopt.kernel = "x86-64.rows"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
        return %0 : tensor<?x4xf32>
      }
    }
    ```

    Two kernels are equal when their ops, attributes, bodies and the types of
    their operands are; what the operands are and where they come from does not
    count. `qkernel.outputs` stays with the launch.

    Leaves alone what makes short lists of integers: these may be dims of other
    tensors, which the host function follows through the ops that make them.
    Leaves alone kernels with a packed operand.

    Runs after `qkernel-materialize-lifetimes`, which looks for views.

    Numerics: exact; the same ops on the same values.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let statistics = [
    Statistic<"numLaunches", "num-launches", "kernels that are launched">,
    Statistic<"numFunctions", "num-functions", "functions that were made">];
}

def BufferizePass
    : Pass<"qkernel-bufferize", "::qopt::kernel::VariantOp"> {
  let summary = "give tensors memory, and dims values";
  let description = [{
    ```mlir
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
        %0 = qkernel.launch @k0.relu(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
        %1 = qkernel.launch @k0.relu(%0) {qkernel.outputs = array<i32: 0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
        qkernel.free %0 : tensor<?x4xf32>
        return %1 : tensor<?x4xf32>
      }
      func.func private @k0.relu(%arg0: tensor<?x4xf32>) -> tensor<?x4xf32> {
        %0 = qopt.relu %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
        return %0 : tensor<?x4xf32>
      }
    }
    // becomes
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: memref<?x4xf32>) {
        %c0 = arith.constant 0 : index
        %d = memref.dim %x, %c0 : memref<?x4xf32>
        qkernel.check_size(%d) : memref<?x4xf32>
        %0 = memref.alloc(%d) : memref<?x4xf32>
        qkernel.launch @k0.relu(%x) to(%0 : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
        %1 = qkernel.output_memory 0(%d) : memref<?x4xf32>
        qkernel.launch @k0.relu(%0) to(%1 : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
        memref.dealloc %0 : memref<?x4xf32>
        return
      }
      func.func private @k0.relu(%arg0: tensor<?x4xf32>) -> tensor<?x4xf32> {
        %0 = qopt.relu %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
        return %0 : tensor<?x4xf32>
      }
    }
    ```

    Dims are arithmetic on `index`, by the formulas that give types their dims;
    what must hold of them ends the run by `qkernel.require`. The elements of short
    lists are followed through the ops that make them, so that equal dims are one
    value. Codes of fewer than 8 bits are one a byte.

    What `qkernel-bind-states` marked writes behind what its state has, by
    `qkernel.append_memory`.

    A view is memory of its source. What is not launched yet is put into a
    function of its own. Constants stay tensors.

    Kernels whose names do not begin with `host-kernels` read and write memory of
    the space "device". What the other kind of kernel, a condition or a dim reads
    is copied to where it does: once in each region, before a loop that reads it,
    until the tensor or the region ends. Branches and loops carry memory of the
    device but for short lists of integers, which conditions and dims are made of.

    ```mlir
    %0 = qopt.abs %x {qopt.kernel = "vulkan.map"} : (tensor<i64>) -> tensor<i64>
    %1 = tensor.extract %0[] : tensor<i64>
    // becomes, with host-kernels=vulkan.host
    %a = memref.alloc() : memref<i64, "device">
    memref.copy %x, %a : memref<i64> to memref<i64, "device">
    %0 = memref.alloc() : memref<i64, "device">
    qkernel.launch @k0.abs(%a) to(%0 : memref<i64, "device">) : (memref<i64, "device">) -> ()
    %b = memref.alloc() : memref<i64>
    memref.copy %0, %b : memref<i64, "device"> to memref<i64>
    %1 = memref.load %b[] : memref<i64>
    ```

    Fails on an op whose dims follow from nothing that is known.

    Runs after `qkernel-materialize-lifetimes` and `qkernel-outline`.

    Numerics: exact; the same kernels on the same values.
  }];
  let options = [
    Option<"hostKernels", "host-kernels", "std::string", "",
           "How the names of kernels begin whose results the host can read.">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
  let statistics = [
    Statistic<"numAllocations", "num-allocations", "tensors that own memory">,
    Statistic<"numChecks", "num-checks", "things that the run checks">];
}

def StageKernelsPass
    : Pass<"qkernel-stage", "::qopt::kernel::VariantOp"> {
  let summary = "split launches into steps, and allocate what they share";
  let description = [{
    ```mlir
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: memref<2x9000xf32>) {
        %0 = qkernel.output_memory 0() : memref<2x9000xi8>
        %1 = qkernel.output_memory 1() : memref<2x1xf32>
        qkernel.launch @k0.quantize_dynamic(%x) to(%0, %1 : memref<2x9000xi8>, memref<2x1xf32>) : (memref<2x9000xf32>) -> ()
        return
      }
      func.func private @k0.quantize_dynamic(%arg0: tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) {
        %0:2 = qkernel.rows(%arg0) {kernel = "x86-64.quantize-dynamic"} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>) (%a: tensor<2x9000xf32>) {
          %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>, per = #qopt.per<sample>} : (tensor<2x9000xf32>) -> (tensor<2x9000xi8>, tensor<2x1xf32>)
          qkernel.yield %1, %2 : tensor<2x9000xi8>, tensor<2x1xf32>
        }
        return %0#0, %0#1 : tensor<2x9000xi8>, tensor<2x1xf32>
      }
    }
    // becomes
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      func.func @main(%x: memref<2x9000xf32>) {
        %0 = qkernel.output_memory 0() : memref<2x9000xi8>
        %1 = qkernel.output_memory 1() : memref<2x1xf32>
        %2 = memref.alloc() : memref<80xi8>
        qkernel.launch @k0.quantize_dynamic(%x) to(%0, %1 : memref<2x9000xi8>, memref<2x1xf32>) step "largest_magnitude" with(%2 : memref<80xi8>) : (memref<2x9000xf32>) -> ()
        qkernel.launch @k0.quantize_dynamic(%x) to(%0, %1 : memref<2x9000xi8>, memref<2x1xf32>) step "quantize_dynamic" with(%2 : memref<80xi8>) : (memref<2x9000xf32>) -> ()
        memref.dealloc %2 : memref<80xi8>
        return
      }
      ...
    }
    ```

    Which steps a kernel takes, which memory they share and how long that is says
    the kernel (`Kernel::stage`). What is made for one kernel alone begins in front
    of its first step and ends behind the last one that uses it. Memory for each
    thread is that of one times `qkernel.thread_count`.

    Leaves alone kernels that need no memory of their own.

    Fails where the kernel of a launch is not known.

    Runs after `qkernel-bufferize`: sizes are arithmetic on dims, which are values
    from there on.

    Numerics: exact; the same kernels on the same values.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
  let statistics = [
    Statistic<"numSteps", "num-steps", "launches that kernels were split into">,
    Statistic<"numTemporaries", "num-temporaries",
              "pieces of memory that launches share">];
}

def VerifyTargetPass : Pass<"verify-target", "::mlir::ModuleOp"> {
  let summary = "check the form that the phase target leaves";
  let description = [{
    Code is made of what stands in variants, so nothing is taken for granted:

    - A variant is the only one of its machine, and holds functions, of which
      @main takes the memory of what @main of the module takes. All add to the same
      outputs in place, along the axis along which the input grows that goes on
      from each.
    - What @main does is arithmetic on integers without flags, in which no divisor
      can be 0, control flow, launches, and ops on memory of whole elements. It
      gives each output of @main of the module once, outside of control flow.
    - A launch runs one op of which a kernel of the machine says that it runs it,
      with the constants that it is given, by facts that are true. What kernels of
      a device read and write is there, and what others do is not. Only kernels
      that say so are given memory with slots. What a check ends is a run that
      fails.

    And where `memory` is on:

    - Memory ends at most once, in the block that owns it, and has no use after
      that; what regions are given and yield is memory of their own. A launch
      writes none that it reads.
    - Dims of memory are those of what is written there, and the steps of kernels
      share as much as these say, which nobody else writes. A view has the elements
      of its memory. Whatever kernels ask of dims, and every index, is sure or was
      checked by the program before; so is that there can be memory of such a size.
    - Nothing is observed: who calibrates makes the program.

    Last in `target`.

    Numerics: exact; changes nothing.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
  let options = [
    Option<"hostKernels", "host-kernels", "std::string", "",
           "How the names of kernels begin whose results the host can read.">,
    Option<"memory", "memory", "bool", "true",
           "Whether lifetimes and dims are looked at: what passes leave is right.">];
}

def LowerChecksPass : Pass<"qkernel-lower-checks", "::mlir::ModuleOp"> {
  let summary = "make checks return from their function";
  let description = [{
    ```mlir
    llvm.func @main(%context: !llvm.ptr, %holds: i1) -> i32 {
      qkernel.require %holds code 1 "the dims differ"
      %0 = llvm.mlir.constant(0 : i32) : i32
      llvm.return %0 : i32
    }
    // becomes
    llvm.func @qopt_rt_fail(!llvm.ptr, i32, !llvm.ptr) -> i32
    llvm.func @main(%context: !llvm.ptr, %holds: i1) -> i32 {
      cf.cond_br %holds, ^bb1, ^bb2
    ^bb1:
      %0 = llvm.mlir.constant(0 : i32) : i32
      llvm.return %0 : i32
    ^bb2:
      %1 = llvm.mlir.constant(1 : i32) : i32
      %2 = llvm.mlir.addressof @text.0 : !llvm.ptr
      %3 = llvm.call @qopt_rt_fail(%context, %1, %2) : (!llvm.ptr, i32, !llvm.ptr) -> i32
      llvm.return %3 : i32
    }
    llvm.mlir.global internal constant @text.0("the dims differ\00")
    ```

    Checks without a message that return one code share the place that does; equal
    messages are stored once.

    Fails on a check inside of another op's region: those of control flow must be
    gone, which `convert-scf-to-cf` sees to.

    Numerics: exact; a run ends where it ended.
  }];
  let dependentDialects = ["::mlir::cf::ControlFlowDialect",
                           "::mlir::LLVM::LLVMDialect"];
  let statistics = [Statistic<"numChecks", "num-checks", "checks lowered">];
}

def MergeKernelFunctionsPass
    : Pass<"qkernel-merge-kernel-functions", "::qopt::kernel::VariantOp"> {
  let summary = "keep one of several equal kernel functions";
  let description = [{
    ```mlir
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      llvm.func @main(%x: !llvm.ptr, %y: !llvm.ptr) {
        llvm.call @k0.map(%x) : (!llvm.ptr) -> ()
        llvm.call @k1.map(%y) : (!llvm.ptr) -> ()
        llvm.return
      }
      llvm.func internal @k0.map(%p: !llvm.ptr) { ... }
      llvm.func internal @k1.map(%p: !llvm.ptr) { ... }
    }
    // becomes
    qkernel.variant @v4 #qkernel.target<"x86-64", "x86-64-v4"> {
      llvm.func @main(%x: !llvm.ptr, %y: !llvm.ptr) {
        llvm.call @k0.map(%x) : (!llvm.ptr) -> ()
        llvm.call @k0.map(%y) : (!llvm.ptr) -> ()
        llvm.return
      }
      llvm.func internal @k0.map(%p: !llvm.ptr) { ... }
    }
    ```

    The layers of a model that repeat are converted and compiled once. Two
    functions are equal when types, attributes and bodies are; names and locations
    do not count.

    Leaves functions alone that are seen from outside of the variant.

    Runs after `qkernel-emit-kernels`, before functions are converted to LLVM:
    a launch can be several functions, and dims that are known tell them apart.

    Numerics: exact.
  }];
  let statistics = [Statistic<"numMerged", "num-merged", "functions that another one stands for">];
}

#endif
