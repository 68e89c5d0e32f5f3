//===- QOptBase.td - The qopt dialect and its op classes ---*- tablegen -*-===//
//
// What every op family of the dialect shares.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_QOPT_IR_QOPTBASE_TD
#define DIALECTS_QOPT_IR_QOPTBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def QOpt_Dialect : Dialect {
  let name = "qopt";
  let cppNamespace = "::qopt";
  let summary = "quantized tensor programs with ONNX-grade semantics";
  let description = [{
    `qopt` says what is computed, independent of any machine. Quantized data is
    explicit operands: codes are ordinary tensors of builtin element types,
    scales and zero points are further tensors, innermost scale first:

    ```
    real = unit * (code - zero) * scale0 * scale1 ...
    ```

    Scales and zeros have the rank of the codes; each size is 1, the dim, or
    `ceil(dim / block)` on the axis of the format.

    Every op states its formula completely: rounding, saturation, accumulator
    and the order of every float sum. A *chain* is
    `acc = fma(a[k], b[k], acc)` in ascending k from `+0`. A *row sum* is 16
    partial sums, element i in sum `i mod 16`, each from `+0`, added by the tree
    `s[j] += s[j + 8]`, `s[j] += s[j + 4]`, `s[j] += s[j + 2]`, `s[0] + s[1]`.

    Constraints of all ops, beside those that each one states. They are checked
    where a program is read from a file and behind `prepare`:
    - (C1) a tensor, also one of a sequence, has no encoding, and elements of a
      float type or of integers of 1, 2, 4, 8, 16, 32 or 64 bits that are not `si`.
    - (C2) a tensor with elements of 8 bytes would take less than 2^48 bytes.
    - (C3) the axis of a format is one of its tensor; one with blocks has one.
    - (C4) element-wise operands and results have one element type, but for
      `cast`, the condition of `where`, and comparisons, which give i1.
    - (C5) what moves, joins, pools or reduces elements keeps their type.
    - (C6) norms, softmax, `gemm` and `attention` have elements of f16, bf16, f32
      or f64; of f64 only softmax and `gemm` can be computed.
    - (C7) codes with scales have the elements of their format, scales have
      floats, zeros have numbers.
    - (C8) a sum of products has elements of i32 where both sides are integers
      without scales, else of f16, bf16, f32 or f64.
    - (C9) scales and zeros fit the codes as said above, or are one number.
    - (C10) the dims of results are those that operands and attributes give.
    - (C11) operands broadcast to the dims of the result.
    - (C12) statistics of channels, of which a file may have some for each
      tensor, are along an axis of it, one of each kind for each channel.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 0;
  let extraClassDeclaration = [{
    /// The bytes of every weight that the context's modules refer to.
    WeightStore &getWeightStore() { return *weightStore; }

  private:
    void registerAttributes();
    void registerContractionOps();
    void registerElementwiseOps();
    void registerLoopOps();
    void registerMovementOps();
    void registerNormalizationOps();
    void registerQuantizationOps();
    void registerSequenceOps();
    void registerTypes();
    std::unique_ptr<WeightStore> weightStore;

  public:
  }];
}

class QOpt_Op<string mnemonic, list<Trait> traits = []>
    : Op<QOpt_Dialect, mnemonic, traits>;

/// A condition on the op's tensors, in C++, and in words for the message.
class QOpt_Holds<string text, string condition>
    : PredOpTrait<text, CPred<condition>>;

/// A float, integer or code tensor of known rank.
def QOpt_Tensor : AnyTypeOf<[AnyRankedTensor]>;
def QOpt_FloatTensor : RankedTensorOf<[AnyFloat]>;
def QOpt_BoolTensor : RankedTensorOf<[I1]>;
def QOpt_IndexTensor : RankedTensorOf<[I64, I32]>;

#endif
