//===- QKernelOps.td - The qkernel dialect ------------------*- tablegen -*-===//
//
// How a program runs: fused kernels, packed weights, variants for machines. The
// body of a kernel is ordinary qopt ops on the logical tensors, so putting the
// body back in place of the kernel gives the program that `quantize` fixed.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QKERNEL_IR_QKERNELOPS_TD
#define DIALECTS_QKERNEL_IR_QKERNELOPS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def QKernel_Dialect : Dialect {
  let name = "qkernel";
  let cppNamespace = "::qopt::kernel";
  let summary = "fused low-bit kernels with layouts, tiles and variants";
  let description = [{
    What lowering needs to know of the values of operands stands in the attribute
    `qkernel.facts` of the op that reads them, a kernel or a bare op.

    Constraints:
    - (C1) `qkernel.facts` is an array of `#qkernel.integers`, in the order of
      the operands that they tell of and at most one for each.

    Which results of an op are made in the memory of an output of the program
    stands in its attribute `qkernel.outputs`.

    Constraints:
    - (C2) `qkernel.outputs` is an array of i32 with one number for each result,
      that of the output or -1.
  }];
  let hasOperationAttrVerify = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::qopt::QOptDialect"];
  let extraClassDeclaration = [{
  public:
    /// The kernels of a machine of a target, the preferred ones first; fails,
    /// with a text, where the target has no such machine.
    using KernelSource =
        std::function<::llvm::Expected<KernelList>(::llvm::StringRef machine)>;

    /// Makes the kernels of a target known, in place of those that were.
    void setKernels(::llvm::StringRef target, KernelSource source);
    /// Null for a target that nobody made known.
    const KernelSource *findKernels(::llvm::StringRef target) const;

  private:
    void registerAttributes();
    ::llvm::StringMap<KernelSource> kernelSources;

  public:
  }];
}

class QKernel_Op<string mnemonic, list<Trait> traits = []>
    : Op<QKernel_Dialect, mnemonic, traits>;

def QKernel_PackingAttr : AttrDef<QKernel_Dialect, "Packing"> {
  let mnemonic = "packing";
  let summary = "how a constant operand is packed into bytes";
  let description = [{
    The operand is a matrix of `n` outputs by `k` products (convolutions: n = co
    within a group, k = (kh, kw, ci)), cut into panels of `n` outputs. A panel
    holds, for each `k` products in turn, the panel's outputs one after the
    other, each with its `k` values together. Missing outputs and products hold
    the code of zero. `bits` is the width of a stored value, `kind` says what is
    stored: `f32`, `i8`, or `codes` (the packed bit stream of the format, low
    bits first, followed in each panel by the scales of its groups).
  }];
  let parameters = (ins
    StringRefParameter<"f32, i8 or codes">:$kind, "int64_t":$n, "int64_t":$k);
  let assemblyFormat = "`<` struct(params) `>`";
}

def QKernel_LayoutAttr : AttrDef<QKernel_Dialect, "Layout",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "layout";
  let summary = "how a tensor between kernels lies in memory";
  let description = [{
    The encoding of a tensor type: `order` names the axes from the one whose
    elements are farthest apart to the one whose elements are neighbours. A
    tensor without an encoding is row-major, so no encoding says that. The bodies
    of kernels have no layouts.

    ```mlir
    tensor<?x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>  // channels last
    ```

    Constraints:
    - (C1) `order` has each axis of the tensor once.
    - (C2) `order` is not that of a row-major tensor.
  }];
  let parameters = (ins "::mlir::DenseI64ArrayAttr":$order);
  let assemblyFormat = "`<` struct(params) `>`";
}

def QKernel_TargetAttr : AttrDef<QKernel_Dialect, "Target"> {
  let mnemonic = "target";
  let summary = "a machine: target name and tier or device";
  let parameters = (ins StringRefParameter<"--target">:$name,
                        StringRefParameter<"tier or device">:$cpu);
  let assemblyFormat = "`<` $name `,` $cpu `>`";
  let extraClassDeclaration = [{
    /// What the target's dialect extension made known, see
    /// QKernelDialect::setKernels. Fails, with a text, where there are none.
    ::llvm::Expected<KernelList> getKernels() const;
  }];
}

defvar kernelText = [{
    Operands are the values that the body uses, in the order of the block's
    arguments. A constant operand may be the result of `qkernel.pack`; its block
    argument keeps the logical type. `kernel` names what runs it, set in the
    phase `kernels`; `reason` says why it is the generic one.

    Constraints:
    - (C1) the body yields a value for each result, of the result's type without
      its layout.
    - (C2) block arguments have the operands' types without their layouts, or
      those of the tensors that were packed.
    - (C3) the body holds one root op as the kernel's name says; all others are
      element-wise ops, (de)quantization and requantization, and what C4 and C5
      allow.
    - (C4) in front of a `qopt.matmul` whose rhs is no vector may stand what makes
      its lhs row by row: one `qopt.quantize_dynamic`, and before that one
      `qopt.layer_norm` along the last axis.
    - (C5) behind a norm or softmax along the last axis may stand one
      `qopt.quantize_dynamic` of what was made from its result.
    - (C6) a quantizer of C4 and C5 makes the scales of a row from that row.
    - (C7) the body holds at most 1024 ops.
}];

def QKernel_IntegersAttr : AttrDef<QKernel_Dialect, "Integers"> {
  let mnemonic = "integers";
  let summary = "what is known of the integers of an operand";
  let description = [{
    `min` and `max` are the least and the greatest element of the operand with
    this number. A list of at most 64 has its `elements` as well.

    ```mlir
    #qkernel.integers<operand = 2, min = -1, max = 1, elements = [1, -1]>
    ```

    Constraints:
    - (C1) `min` is at most `max`.
    - (C2) `elements` are 1 to 64 numbers, the least of which is `min` and the
      greatest `max`.
  }];
  let parameters = (ins "unsigned":$operand, "int64_t":$min, "int64_t":$max,
    OptionalParameter<"::mlir::DenseI64ArrayAttr">:$elements);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The number that all elements are; nothing where they differ.
    std::optional<int64_t> getNumber() const {
      return getMin() == getMax() ? std::optional(getMin()) : std::nullopt;
    }
  }];
}

class QKernel_KernelOp<string mnemonic, string text, string rootText,
                       string example>
    : QKernel_Op<mnemonic, [Pure, IsolatedFromAbove,
                            SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = text;
  // `#` would take the name of a global for its text.
  let description = !strconcat("    ", rootText, kernelText,
    "\n    Example:\n\n    ```mlir", example, "    ```\n");
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs,
                       OptionalAttr<StrAttr>:$kernel,
                       OptionalAttr<StrAttr>:$reason);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The op that gives the kernel its name; null in a map.
    ::mlir::Operation *getRoot();
    /// What quantizes the rows that the root reads or made; null for none.
    ::qopt::QuantizeDynamicOp getQuantizer();
    /// The norm in front of the quantizer of a contraction; null for none.
    ::qopt::LayerNormOp getPrologueNorm();
    ::mlir::Block &getBodyBlock() { return getBody().front(); }
  }];
}

def QKernel_ContractOp : QKernel_KernelOp<"contract",
  "matrix product or convolution with its prologue and epilogue",
  "The root is `qopt.matmul` or `qopt.conv` that is not depthwise.\n", [{
    %0 = qkernel.contract(%x, %w, %bias) : (tensor<?x4xf32>, tensor<4x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
        (%a: tensor<?x4xf32>, %b: tensor<4x8xf32>, %c: tensor<8xf32>) {
      %1 = qopt.matmul %a, %b : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
      %2 = qopt.add %1, %c : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
      qkernel.yield %2 : tensor<?x8xf32>
    }
}]>;
def QKernel_DepthwiseConvOp : QKernel_KernelOp<"depthwise_conv",
  "depthwise convolution with its epilogue",
  "The root is `qopt.conv` whose groups have one channel each.\n", [{
    %0 = qkernel.depthwise_conv(%x, %w) : (tensor<?x8x16xf32>, tensor<8x1x3xf32>) -> tensor<?x8x14xf32>
        (%a: tensor<?x8x16xf32>, %b: tensor<8x1x3xf32>) {
      %1 = qopt.conv %a, %b {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, group = 8 : i64}
        : (tensor<?x8x16xf32>, tensor<8x1x3xf32>) -> tensor<?x8x14xf32>
      qkernel.yield %1 : tensor<?x8x14xf32>
    }
}]>;
def QKernel_AttentionOp : QKernel_KernelOp<"attention",
  "attention with its epilogue", "The root is `qopt.attention`.\n", [{
    %0 = qkernel.attention(%q, %k, %v) : (tensor<?x9x8xf32>, tensor<?x9x8xf32>, tensor<?x9x8xf32>) -> tensor<?x9x8xf32>
        (%a: tensor<?x9x8xf32>, %b: tensor<?x9x8xf32>, %c: tensor<?x9x8xf32>) {
      %1 = qopt.attention %a, %b, %c {scale = 0.25 : f32}
        : (tensor<?x9x8xf32>, tensor<?x9x8xf32>, tensor<?x9x8xf32>) -> tensor<?x9x8xf32>
      qkernel.yield %1 : tensor<?x9x8xf32>
    }
}]>;
def QKernel_RowsOp : QKernel_KernelOp<"rows",
  "norm, softmax or reduction with its epilogue",
  "The root is `qopt.softmax`, `qopt.layer_norm`, `qopt.hadamard`, "
  "`qopt.reduce`, `qopt.global_average_pool` or `qopt.quantize_dynamic`.\n", [{
    %codes, %scales = qkernel.rows(%x) : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>) (%a: tensor<?x4xf32>) {
      %1, %2 = qopt.quantize_dynamic %a {format = #qopt.format<i8>} : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?x1xf32>)
      qkernel.yield %1, %2 : tensor<?x4xi8>, tensor<?x1xf32>
    }
}]>;
def QKernel_MapOp : QKernel_KernelOp<"map", "fused element-wise ops",
  "There is no root: every op is element-wise.\n", [{
    %0 = qkernel.map(%x, %y) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>, %b: tensor<4xf32>) {
      %1 = qopt.mul %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
      %2 = qopt.relu %1 : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.yield %2 : tensor<?x4xf32>
    }
}]>;

def QKernel_YieldOp : QKernel_Op<"yield", [Pure, Terminator]> {
  let summary = "values that a kernel's body makes";
  let description = [{
    The end of a body. A kernel that moves its operand on:

    Example:

    ```mlir
    %0 = qkernel.map(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32> (%a: tensor<?x4xf32>) {
      qkernel.yield %a : tensor<?x4xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

def QKernel_PackOp : QKernel_Op<"pack", [Pure]> {
  let summary = "a constant operand in the layout of its kernel";
  let description = [{
    Evaluated at compile time. The operands are the codes (or f32 values) and,
    for `codes`, their scales and zeros; the result is the bytes that the
    artefact holds.

    Example:

    ```mlir
    %1 = qkernel.pack %w, %s {layout = #qkernel.packing<kind = "codes", n = 16, k = 32>}
      : (tensor<64x16xi4>, tensor<1x16xf32>) -> tensor<576xi8>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$operands,
                       QKernel_PackingAttr:$layout);
  let results = (outs AnyRankedTensor:$packed);
  let assemblyFormat =
    "operands attr-dict `:` functional-type(operands, results)";
}

def QKernel_RepackOp : QKernel_Op<"repack", [Pure]> {
  let summary = "the same tensor in another layout";
  let description = [{
    The elements stay what they are, so it is the identity for whoever looks at
    values.

    Constraints:
    - (C1) operand and result have one shape and element type.

    Example:

    ```mlir
    func.func @main(%0: tensor<1x3x8x8xf32>) {
      %1 = qkernel.repack %0 : tensor<1x3x8x8xf32> to tensor<1x3x8x8xf32, #qkernel.layout<order = [0, 2, 3, 1]>>
      return
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat =
    "$source attr-dict `:` type($source) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def QKernel_RequireOp : QKernel_Op<"require"> {
  let summary = "end the run unless a condition holds";
  let description = [{
    What a run can fail of: dims that differ, an index out of range, no memory.
    It has an effect, so nothing may pass it, and it stays in its region: where
    the regions of control flow are gone, `qkernel-lower-checks` makes it return
    from the function.

    With a message the run ends by `qopt_rt_fail(context, code, message)`, the
    context being the first argument of the function; without one `code` is
    returned as it is, and so is `status` where no code is known beforehand.

    Constraints:
    - (C1) it has a code or a status, and a message only with a code.

    Example:

    ```mlir
    func.func @main(%0: i1, %1: i1, %2: i1, %s: i32) {
      qkernel.require %0 code 1 "node \"/add\": the dims of the operands differ"
      qkernel.require %1 code 4
      qkernel.require %2 status %s
      return
    }
    ```
  }];
  let arguments = (ins I1:$condition, OptionalAttr<I32Attr>:$code,
                       OptionalAttr<StrAttr>:$message, Optional<I32>:$status);
  let assemblyFormat = "$condition (`code` $code^)? ($message^)? "
                       "(`status` $status^)? attr-dict";
  let hasVerifier = 1;
}

def QKernel_FreeOp : QKernel_Op<"free"> {
  let summary = "the memory of a tensor ends";
  let description = [{
    The operand owns its memory: it is no view of another tensor. Neither it nor
    its views have a use after that.

    Example:

    ```mlir
    func.func @main(%x: tensor<?x4xf32>) {
      %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.free %0 : tensor<?x4xf32>
      return
    }
    ```
  }];
  let arguments = (ins Arg<AnyRankedTensor, "", [MemFree]>:$tensor);
  let assemblyFormat = "$tensor attr-dict `:` type($tensor)";
}

def QKernel_CopyOp : QKernel_Op<"copy", [SameOperandsAndResultType]> {
  let summary = "the same tensor in memory of its own";
  let description = [{
    What a region carries owns its memory, so what is not made for it is copied.
    Two copies of one tensor are two places.

    Example:

    ```mlir
    func.func @main(%x: tensor<?x4xf32>) {
      %0 = qkernel.copy %x : tensor<?x4xf32>
      return
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source);
  let results = (outs Res<AnyRankedTensor, "", [MemAlloc]>:$result);
  let assemblyFormat = "$source attr-dict `:` type($source)";
}

def QKernel_OutputOp : QKernel_Op<"output", [MemoryEffects<[MemWrite]>]> {
  let summary = "give a tensor out of the program";
  let description = [{
    Asks the caller for the memory of output `index`, of which the dims are those
    of the tensor, and copies the elements there. Outputs that their producer
    writes in place have no such op: see `qkernel.outputs`.

    Example:

    ```mlir
    func.func @main(%x: tensor<?x4xf32>) {
      qkernel.output %x at 0 : tensor<?x4xf32>
      return
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$tensor,
                       ConfinedAttr<I32Attr, [IntNonNegative]>:$index);
  let assemblyFormat = "$tensor `at` $index attr-dict `:` type($tensor)";
}

def QKernel_LaunchOp : QKernel_Op<"launch",
    [AttrSizedOperandSegments,
     DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run the kernel that a function holds";
  let description = [{
    What several places of a program run alike is one function. Constants are
    operands, and the names of nodes stay with the launch.

    Where tensors have memory, the operands are that memory, but for constants,
    which stay tensors: how they lie among the weights is for their kernel to
    say. The results are written to `destinations` then.

    A kernel that takes several launches, or memory of its own, is staged: each of
    its launches has a `step`, the function of the kernel that it runs, and is
    given the memory that this function uses beside operands and results.

    Constraints:
    - (C1) `callee` names a function that takes the operands and gives the
      results, or what the destinations are the memory of.
    - (C2) the function holds one op, whose operands are its arguments, and
      returns the results of that op.
    - (C3) only a step has temporaries, and no step has results: tensors have
      memory by then.

    Example:

    ```mlir
    func.func @main(%x: tensor<?x4xf32>, %m: memref<?x4xf32>, %r: memref<?x4xf32>, %t: memref<256xi8>) {
      %0 = qkernel.launch @relu(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
      qkernel.launch @relu(%m) to(%r : memref<?x4xf32>) : (memref<?x4xf32>) -> ()
      qkernel.launch @relu(%m) to(%r : memref<?x4xf32>) step "map" with(%t : memref<256xi8>) : (memref<?x4xf32>) -> ()
      return
    }
    func.func private @relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
      %0 = qopt.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
      return %0 : tensor<?x4xf32>
    }
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee,
      Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$inputs,
      Variadic<AnyMemRef>:$destinations, Variadic<AnyMemRef>:$temporaries,
      OptionalAttr<StrAttr>:$step);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let assemblyFormat = "$callee `(` $inputs `)` "
                       "(`to` `(` $destinations^ `:` type($destinations) `)`)? "
                       "(`step` $step^)? "
                       "(`with` `(` $temporaries^ `:` type($temporaries) `)`)? "
                       "attr-dict `:` functional-type($inputs, $outputs)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$outputs,
      "::mlir::FlatSymbolRefAttr":$callee, "::mlir::ValueRange":$inputs,
      "::mlir::ValueRange":$destinations), [{
    build($_builder, $_state, outputs, callee, inputs, destinations,
          /*temporaries=*/::mlir::ValueRange(), /*step=*/nullptr);
  }]>];
  let extraClassDeclaration = [{
    /// The op that it runs, in the function that it names.
    ::mlir::Operation *getKernel(::mlir::SymbolTableCollection &symbols);
  }];
}

def QKernel_ThreadCountOp : QKernel_Op<"thread_count", [Pure]> {
  let summary = "how many threads run the parts of a launch";
  let description = [{
    Memory for each thread is memory for so many.

    Example:

    ```mlir
    func.func @main() {
      %0 = qkernel.thread_count
      return
    }
    ```
  }];
  let results = (outs Index:$count);
  let assemblyFormat = "attr-dict";
}

def QKernel_CheckSizeOp : QKernel_Op<"check_size"> {
  let summary = "end the run unless there can be a tensor of these dims";
  let description = [{
    Its bytes must be fewer than 2^63, and no dim negative. It has an effect, as
    `qkernel.require` has.

    Constraints:
    - (C1) there is one value for each dim that the type leaves open.

    Example:

    ```mlir
    func.func @main(%d: index) {
      qkernel.check_size(%d) : memref<?x4xf32>
      return
    }
    ```
  }];
  let arguments = (ins Variadic<Index>:$dims, TypeAttrOf<AnyMemRef>:$memory);
  let assemblyFormat = "`(` $dims `)` attr-dict `:` $memory";
  let hasVerifier = 1;
}

def QKernel_OutputMemoryOp : QKernel_Op<"output_memory"> {
  let summary = "the memory of an output of the program";
  let description = [{
    Asks the caller for it; the run ends where there is none. What stands in it
    when the program returns is the output.

    Constraints:
    - (C1) there is one value for each dim that the type leaves open.

    Example:

    ```mlir
    func.func @main(%d: index) {
      %0 = qkernel.output_memory 0(%d) : memref<?x4xf32>
      return
    }
    ```
  }];
  let arguments = (ins ConfinedAttr<I32Attr, [IntNonNegative]>:$index,
                       Variadic<Index>:$dims);
  let results = (outs AnyMemRef:$memory);
  let assemblyFormat = "$index `(` $dims `)` attr-dict `:` type($memory)";
  let hasVerifier = 1;
}

def QKernel_AppendMemoryOp : QKernel_Op<"append_memory"> {
  let summary = "the memory of an output that goes on from its state";
  let description = [{
    As `qkernel.output_memory`, but where the context keeps the states the memory
    is that of the state: what the state had until now stands in front, and is
    the memory of the input that reads it. Along `axis` there are slots behind
    the output's own, as many as the state may grow to; no slot behind its dim is
    read. The run ends where the state cannot grow so far.

    Constraints:
    - (C1) there is one value for each dim that the type leaves open.
    - (C2) the memory has `axis`, and strides that a run knows in front of it.

    Example:

    ```mlir
    func.func @main(%d: index) {
      %0 = qkernel.append_memory 1(%d) axis 1 : memref<2x?x4xf32, strided<[?, 4, 1]>>
      return
    }
    ```
  }];
  let arguments = (ins ConfinedAttr<I32Attr, [IntNonNegative]>:$index,
                       Variadic<Index>:$dims,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$axis);
  let results = (outs AnyMemRef:$memory);
  let assemblyFormat = "$index `(` $dims `)` `axis` $axis attr-dict `:` "
                       "type($memory)";
  let hasVerifier = 1;
}

def QKernel_ViewOp : QKernel_Op<"view", [Pure]> {
  let summary = "the same elements with other dims, or of a constant";
  let description = [{
    The memory is that of the source. That of a constant, which is in every space,
    holds its codes as kernels read them, and nothing may write it.

    Constraints:
    - (C1) there is one value for each dim that the type of the result leaves
      open.
    - (C2) a view of memory is in its space.

    Example:

    ```mlir
    func.func @main(%x: memref<?x4xf32>, %d: index) {
      %0 = qkernel.view %x(%d) : memref<?x4xf32> to memref<?xf32>
      return
    }
    ```
  }];
  let arguments = (ins AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$source,
                       Variadic<Index>:$dims);
  let results = (outs AnyMemRef:$memory);
  let assemblyFormat = "$source `(` $dims `)` attr-dict `:` type($source) "
                       "`to` type($memory)";
  let hasVerifier = 1;
}

def QKernel_ListOp : QKernel_Op<"list", [Pure,
    AllTypesMatch<["source", "memory"]>]> {
  let summary = "a list in memory whose elements are at hand";
  let description = [{
    Dims that are computed pass through lists of integers. Who takes such a list
    needs not load them, and sees which of them are equal.

    Constraints:
    - (C1) there is one value for each element.

    Example:

    ```mlir
    func.func @main(%x: memref<2xi64>, %a: index, %b: index) {
      %0 = qkernel.list %x(%a, %b) : memref<2xi64>
      return
    }
    ```
  }];
  let arguments = (ins AnyStaticShapeMemRef:$source, Variadic<Index>:$elements);
  let results = (outs AnyStaticShapeMemRef:$memory);
  let assemblyFormat = "$source `(` $elements `)` attr-dict `:` type($source)";
  let hasVerifier = 1;
}

def QKernel_ObserveMemoryOp : QKernel_Op<"observe"> {
  let summary = "hand what stands in memory to the calibration observers";
  let description = [{
    As `qopt.observe`, where tensors have memory.

    Example:

    ```mlir
    func.func @main(%x: memref<?x4xf32>) {
      qkernel.observe %x {id = 7 : i64} : memref<?x4xf32>
      return
    }
    ```
  }];
  let arguments = (ins AnyMemRef:$memory, I64Attr:$id);
  let assemblyFormat = "$memory attr-dict `:` type($memory)";
}

def QKernel_VariantOp : QKernel_Op<"variant", [Symbol, SymbolTable,
    IsolatedFromAbove, NoTerminator, SingleBlock]> {
  let summary = "the program for one tier or device";
  let description = [{
    Example:

    ```mlir
    qkernel.variant @v4 <"x86-64", "x86-64-v4"> {
      func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
        return %x : tensor<?x4xf32>
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, QKernel_TargetAttr:$target);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name $target attr-dict-with-keyword $body";
}

#endif
