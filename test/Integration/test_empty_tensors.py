"""A tensor without elements is computed with as any other: compiled code has Reference's bits."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import run_ok

WEIGHTS = np.random.default_rng(6)


def node(kind, *inputs, output="y", **attributes):
    return helper.make_node(kind, inputs, [output], **attributes)


# The dims of x, the axis that loses all, nodes from what is left, s, and the shapes of constants.
MODELS = {
    "rows": ((4, 64), 0, [node("MatMul", "s", "w")], {"w": (64, 128)}),
    "rows of an epilogue": ((4, 64), 0, [node("MatMul", "s", "w", output="m"), node("Relu", "m")],
                            {"w": (64, 128)}),
    "depth": ((4, 64), 1, [node("MatMul", "s", "w")], {"w": (0, 128)}),
    "columns": ((4, 64), None, [node("MatMul", "s", "w")], {"w": (64, 0)}),
    "images": ((4, 3, 8, 8), 0, [node("Conv", "s", "w", pads=[1] * 4)], {"w": (8, 3, 3, 3)}),
    "channels": ((4, 3, 8, 8), 1, [node("Conv", "s", "w", pads=[1] * 4)], {"w": (8, 0, 3, 3)}),
    "height": ((4, 3, 8, 8), 2, [node("Conv", "s", "w", pads=[1, 1, 2, 1])], {"w": (8, 3, 3, 3)}),
    "no height": ((4, 3, 8, 8), 2, [node("Conv", "s", "w", pads=[1] * 4)], {"w": (8, 3, 3, 3)}),
    "planes": ((4, 3, 8, 8), 0, [node("Conv", "s", "w", pads=[1] * 4, group=3)],
               {"w": (3, 1, 3, 3)}),
    "softmax": ((4, 64), 0, [node("Softmax", "s", axis=-1)], {}),
    "softmax of nothing": ((4, 64), 1, [node("Softmax", "s", axis=-1)], {}),
    "sum": ((4, 64), 1, [node("ReduceMean", "s", axes=[1])], {}),
    "norm": ((4, 64), 0, [node("LayerNormalization", "s", "w")], {"w": (64,)}),
    "pool": ((4, 3, 8, 8), 0, [node("MaxPool", "s", kernel_shape=[2, 2])], {}),
    "average": ((4, 3, 8, 8), 2, [node("GlobalAveragePool", "s")], {}),
    "concat": ((4, 64), 1, [node("Concat", "s", "x", axis=1)], {}),
    "queries": ((2, 8, 16), 1, [node("Transpose", "x", output="t", perm=[0, 2, 1]),
                                node("MatMul", "s", "t", output="q"),
                                node("Softmax", "q", output="p", axis=-1),
                                node("MatMul", "p", "x")], {}),
    "keys": ((2, 8, 16), 1, [node("Transpose", "s", output="t", perm=[0, 2, 1]),
                             node("MatMul", "x", "t", output="q"),
                             node("Softmax", "q", output="p", axis=-1),
                             node("MatMul", "p", "s")], {}),
}


def save(path, dims, axis, nodes, shapes):
    constants = {"begin": np.array([0]), "end": np.array([0 if axis is not None else dims[0]]),
                 "axis": np.array([axis or 0]),
                 **{name: WEIGHTS.random(shape, np.float32) for name, shape in shapes.items()}}
    cut = helper.make_node("Slice", ["x", "begin", "end", "axis"], ["s"])
    graph = helper.make_graph(
        [cut, *nodes], "empty", [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                ir_version=8), path)


@pytest.mark.parametrize("preset", ["fp32", "w8a8-dynamic", "mxint8", "w4a16-g32"])
@pytest.mark.parametrize("name", MODELS)
def test_empty(name, preset, tmp_path):
    check_empty(name, tmp_path, "--preset", preset)


@pytest.mark.parametrize("name", ["rows", "depth", "columns"])
def test_empty_products_are_rotated(name, tmp_path):
    (tmp_path / "r.yaml").write_text(
        "version: 1\npreset: w8a8-dynamic\ntransforms: {rotate: '32'}\n")
    check_empty(name, tmp_path, "--recipe", tmp_path / "r.yaml")


def check_empty(name, tmp_path, *flags):
    dims, *rest = MODELS[name]
    save(tmp_path / "m.onnx", dims, *rest)
    np.savez(tmp_path / "x.npz", x=WEIGHTS.random(dims, np.float32))
    outputs = []
    for output, more in (("m.so", []), ("q.mlir", ["--stop-after", "quantize"])):
        run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / output, *flags, *more)
        run_ok("qopt-run", tmp_path / output, "--inputs", tmp_path / "x.npz", "--outputs",
               tmp_path / "y.npz", *(["--reference"] if more else []))
        outputs.append(np.load(tmp_path / "y.npz")["y"])
    found, exact = outputs
    assert found.shape == exact.shape
    # The mean of nothing is NaN, of any sign.
    numbers = ~np.isnan(exact)
    assert np.array_equal(numbers, ~np.isnan(found))
    assert found[numbers].tobytes() == exact[numbers].tobytes()


def test_operands_that_know_more_than_the_result(tmp_path):
    (tmp_path / "m.mlir").write_text("""func.func @main(%x: tensor<0x8xf32>) -> tensor<?x4xf32> {
  %w = qopt.constant(dense<1.0> : tensor<8x4xf32>) : tensor<8x4xf32>
  %0 = qopt.matmul %x, %w : (tensor<0x8xf32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}""")
    run_ok("qopt-compile", tmp_path / "m.mlir", "-o", tmp_path / "m.so", "--start-from", "quantize")
    assert "result0: ?x4" in run_ok("qopt-run", tmp_path / "m.so", "--describe")
