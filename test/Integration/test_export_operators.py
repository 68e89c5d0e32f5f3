"""Each operator that is imported is exported again as the same function.

A case is a model of one node. ONNX Runtime runs it and what qopt-compile makes
of it with --emit qdq-onnx.
"""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import MODELS, run_ok

FLOAT, INT32, INT64, BOOL = (TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64,
                             TensorProto.BOOL)
TYPES = {FLOAT: np.float32, INT32: np.int32, INT64: np.int64, BOOL: np.bool_}


def ints(*values):
    return np.array(values, np.int64)


def floats(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


class Case:
    """One node; `x` and `more` are inputs of the graph, `constants` initializers."""

    def __init__(self, operator, *constants, x=(2, 3, 4), more=(), of=FLOAT, outputs=1,
                 **attributes):
        self.operator, self.constants, self.attributes = operator, constants, attributes
        self.shapes, self.type, self.outputs = [x, *more], of, outputs


CASES = {
    **{name: Case(name) for name in [
        "Abs", "Ceil", "Cos", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish",
        "LeakyRelu", "Neg", "Relu", "Round", "Sigmoid", "Sin", "Softplus", "Tanh"]},
    **{name: Case(name, more=[(3, 1)]) for name in [
        "Add", "Sub", "Mul", "Div", "Max", "Min", "Equal", "Greater", "GreaterOrEqual", "Less",
        "LessOrEqual"]},
    **{f"{name} of integers": Case(name, more=[(3, 1)], of=INT32) for name in [
        "Add", "Mul", "Div", "Max", "Mod", "BitwiseAnd", "BitwiseOr", "BitwiseXor"]},
    **{name: Case(name, more=[(3, 1)], of=BOOL) for name in ["And", "Or", "Xor"]},
    "Not": Case("Not", of=BOOL),
    "Pow": Case("Pow", np.array(2.0, np.float32)),
    "Cast to integers": Case("Cast", to=INT32),
    "Cast from booleans": Case("Cast", of=BOOL, to=FLOAT),
    "Gelu of tanh": Case("Gelu", approximate="tanh"),
    "Clip": Case("Clip", np.array(-0.5, np.float32), np.array(0.75, np.float32)),
    "Clip below": Case("Clip", np.array(-0.5, np.float32)),
    "Clip above": Case("Clip", None, np.array(0.5, np.float32)),
    "Where": Case("Where", floats(3, 4), floats(4), x=(2, 3, 4), of=BOOL),
    "Conv": Case("Conv", floats(4, 1, 3, 3), floats(4), x=(2, 2, 6, 7), group=2,
                 strides=[2, 1], pads=[1, 0, 2, 1], dilations=[1, 2]),
    "Conv of lines": Case("Conv", floats(4, 3, 3), x=(2, 3, 8), pads=[1, 1]),
    "MatMul": Case("MatMul", floats(4, 5)),
    "MatMul of inputs": Case("MatMul", more=[(2, 4, 5)]),
    "Gemm": Case("Gemm", floats(5, 4), floats(5), x=(3, 4), alpha=0.5, beta=2.0, transB=1),
    "BatchNormalization": Case("BatchNormalization", floats(3), floats(3), floats(3),
                               np.abs(floats(3)) + 1, epsilon=1e-3),
    "LayerNormalization": Case("LayerNormalization", floats(3, 4), floats(3, 4), axis=1,
                               epsilon=1e-3),
    "LayerNormalization without bias": Case("LayerNormalization", floats(4)),
    "Softmax": Case("Softmax", axis=1),
    "GlobalAveragePool": Case("GlobalAveragePool", x=(2, 3, 4, 5)),
    "GlobalMaxPool": Case("GlobalMaxPool", x=(2, 3, 4, 5)),
    "Resize": Case("Resize", None, np.array([1, 1, 2, 3], np.float32), x=(2, 2, 3, 4)),
    "Resize from corners": Case("Resize", None, np.array([1, 2, 5, 1], np.float32),
                                x=(2, 2, 3, 4), nearest_mode="floor",
                                coordinate_transformation_mode="asymmetric"),
    "ConvTranspose": Case("ConvTranspose", floats(3, 4, 2, 3), floats(4), x=(2, 3, 5, 6),
                          strides=[2, 3]),
    "AveragePool": Case("AveragePool", x=(2, 3, 7, 6), kernel_shape=[3, 2], strides=[2, 2],
                        pads=[1, 0, 1, 1], count_include_pad=1),
    "AveragePool of what is inside": Case("AveragePool", x=(2, 3, 7, 6), kernel_shape=[3, 2],
                                          pads=[1, 0, 1, 1]),
    "MaxPool": Case("MaxPool", x=(2, 3, 7, 6), kernel_shape=[3, 2], strides=[2, 2],
                    ceil_mode=1, dilations=[1, 2]),
    **{f"Reduce{kind}": Case(f"Reduce{kind}", ints(0, -1), keepdims=0)
       for kind in ["Sum", "Mean", "Max", "Min", "Prod", "L2"]},
    "ReduceSum that keeps dims": Case("ReduceSum", ints(1)),
    "Reshape": Case("Reshape", ints(0, -1)),
    "Transpose": Case("Transpose", perm=[2, 0, 1]),
    "Slice": Case("Slice", ints(-3, 4), ints(9, -9), ints(1, 2), ints(1, -2)),
    "Slice by int32": Case("Slice", *(np.array([i], np.int32) for i in (1, 3, 2))),
    "Concat": Case("Concat", more=[(2, 5, 4)], axis=1),
    "Gather": Case("Gather", np.array([[0, -1], [2, 1]]), axis=1),
    "Squeeze": Case("Squeeze", ints(1), x=(2, 1, 4)),
    "Unsqueeze": Case("Unsqueeze", ints(0, 2)),
    "Expand": Case("Expand", ints(2, 1, 4), x=(3, 1)),
    "Shape": Case("Shape", x=(2, 3, 4), end=1),
    "Pad": Case("Pad", ints(0, 1, 0, 2, 0, 3), np.array(0.5, np.float32)),
    "Pad by zero": Case("Pad", ints(0, 1, 0, 2, 0, 3)),
    "Flatten": Case("Flatten", axis=2),
    "Split": Case("Split", ints(1, 3), axis=2, outputs=2),
    "QuantizeLinear": Case("QuantizeLinear", np.float32(0.02), np.uint8(100)),
    "QuantizeLinear of an axis": Case("QuantizeLinear", np.array([0.1, 0.02, 0.3], np.float32),
                                      np.array([1, -2, 3], np.int8), axis=1),
    "QuantizeLinear of blocks": Case("QuantizeLinear", np.abs(floats(2, 3, 2)), axis=2,
                                     block_size=3, output_dtype=TensorProto.INT8),
    "QuantizeLinear to float8": Case("QuantizeLinear", np.float32(1e-4), saturate=0,
                                     output_dtype=TensorProto.FLOAT8E5M2),
    "DequantizeLinear": Case("DequantizeLinear", np.float32(0.3), np.int32(0), of=INT32),
}


def make_model(case):
    inputs = [helper.make_tensor_value_info(f"x{i}", case.type, [f"n{i}", *shape[1:]])
              for i, shape in enumerate(case.shapes)]
    constants = [(f"c{i}" if value is not None else "", value)
                 for i, value in enumerate(case.constants)]
    outputs = [f"y{i}" for i in range(case.outputs)]
    node = helper.make_node(case.operator, [value.name for value in inputs] +
                            [name for name, _ in constants], outputs, **case.attributes)
    graph = helper.make_graph(
        [node], "case", inputs, [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants if name])
    return onnx.shape_inference.infer_shapes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10))


def make_array(case, seed, shape):
    """Numbers around 0, integers without it."""
    values = np.random.default_rng(seed).uniform(-9, 9, shape)
    if case.type in (INT32, INT64):
        values += np.sign(values)
    if case.type == BOOL:
        values = values > 0
    return values.astype(TYPES[case.type])


def run(model, arrays):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # Float8 outputs come as bytes or not at all.
    return session.run_with_ort_values(None, {
        name: onnxruntime.OrtValue.ortvalue_from_numpy(array) for name, array in arrays.items()})


def to_numbers(value):
    if "float8" in value.data_type():
        return np.ctypeslib.as_array((np.ctypeslib.ctypes.c_uint8 * int(np.prod(value.shape())))
                                     .from_address(value.data_ptr())).astype(int)
    return value.numpy()


@pytest.mark.parametrize("name", CASES)
def test_operator(name, tmp_path):
    case = CASES[name]
    model = make_model(case)
    onnx.save(model, tmp_path / "m.onnx")
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "out.onnx", "--emit",
           "qdq-onnx", "--quiet")
    exported = onnx.load(tmp_path / "out.onnx")
    onnx.checker.check_model(exported, full_check=True)
    assert [value.name for value in exported.graph.input] == [
        value.name for value in model.graph.input]
    assert [value.name for value in exported.graph.output] == [
        value.name for value in model.graph.output]
    arrays = {f"x{i}": make_array(case, i, shape) for i, shape in enumerate(case.shapes)}
    found, expected = run(exported.SerializeToString(), arrays), run(model.SerializeToString(),
                                                                      arrays)
    for have, want in zip(found, expected, strict=True):
        assert have.data_type() == want.data_type()
        have, want = to_numbers(have), to_numbers(want)
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-5)


# What `prepare` recognises in pieces, and the operators that it becomes.
PIECES = {
    "SiLU": ("s = Sigmoid(x)  y = Mul(x, s)", ["Sigmoid", "Mul"]),
    "attention": (
        "t = Transpose <perm = [0, 2, 1]> (x)  c = Constant <value_float = 0.5> ()"
        "a = MatMul(x, t)  b = Mul(a, c)  d = Add(b, m)  p = Softmax <axis = -1> (d)"
        "y = MatMul(p, x)", ["Transpose", "MatMul", "Mul", "Add", "Softmax", "MatMul"]),
    "LayerNormalization": (
        "i = Constant <value_ints = [-1]> ()  e = Constant <value_float = 0.001> ()"
        "mean = ReduceMean(x, i)  d = Sub(x, mean)  q = Mul(d, d)  v = ReduceMean(q, i)"
        "w = Add(v, e)  r = Sqrt(w)  n = Div(d, r)"
        "g = Constant <value_floats = [1.0, 2.0, 3.0, 4.0]> ()  z = Mul(n, g)"
        "h = Constant <value_floats = [0.5, 0.0, 1.0, 2.0]> ()  y = Add(z, h)",
        ["LayerNormalization"]),
}


@pytest.mark.parametrize("name", PIECES)
def test_what_is_recognised_in_pieces(name, tmp_path):
    nodes, operators = PIECES[name]
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 21]> '
        f"g (float[n, 3, 4] x, float[3, 3] m) => (float[n, 3, 4] y) {{ {nodes} }}")
    onnx.save(model, tmp_path / "m.onnx")
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "out.onnx", "--emit",
           "qdq-onnx", "--quiet")
    exported = onnx.load(tmp_path / "out.onnx")
    assert [node.op_type for node in exported.graph.node] == operators
    arrays = {"x": floats(2, 3, 4), "m": floats(3, 3)}
    found, expected = (run(each.SerializeToString(), arrays)[0].numpy()
                       for each in (exported, model))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
