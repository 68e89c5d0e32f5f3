"""Static int8 products load in ONNX Runtime as it optimises by default, and stay integers.

ONNX Runtime turns signed codes into unsigned ones and moves reshapes across
them; it takes a product for integers only in some forms.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import run_ok

SAMPLES = 24
# What a product of floats would be; QGemm and the like are of integers.
FLOAT_PRODUCTS = {"MatMul", "Gemm", "FusedGemm", "FusedMatMul"}


def save(path, nodes, x, y, constants):
    graph = helper.make_graph(
        nodes, "products", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, y)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                ir_version=10), path)
    return path


def make_weight(rng, *dims):
    values = rng.standard_normal(dims) / np.sqrt(np.prod(dims[1:]) if len(dims) > 2 else dims[0])
    return values.astype(np.float32)


def write_products(path, dims):
    """Two products with biases, ReLU, and what only moves between them."""
    rng = np.random.default_rng(len(dims))
    swapped = [*dims[:-2], 32, dims[-2]]
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["h"], "/a"),
        helper.make_node("Add", ["h", "ab"], ["hb"], "/ab"),
        helper.make_node("Relu", ["hb"], ["hr"], "/r"),
        helper.make_node("Transpose", ["hr"], ["ht"], "/t",
                         perm=[*range(len(dims) - 2), len(dims) - 1, len(dims) - 2]),
        helper.make_node("MatMul", ["ht", "b"], ["z"], "/b"),
        helper.make_node("Add", ["bb", "z"], ["y"], "/bb"),
    ]
    return save(path, nodes, dims, [*swapped[:-1], 20], {
        "a": make_weight(rng, dims[-1], 32), "ab": rng.standard_normal(32).astype(np.float32),
        "b": make_weight(rng, dims[-2], 20), "bb": rng.standard_normal(20).astype(np.float32)})


@pytest.mark.parametrize("dims", [(8, 24), (3, 8, 24)])
def test_a_bias_behind_the_last_codes_is_that_of_the_program(dims, tmp_path):
    """Sums with power-of-two steps take their bias as an integer, also where floats follow."""
    model = write_products(tmp_path / "m.onnx", dims)
    rng = np.random.default_rng(2)
    (tmp_path / "calib").mkdir()
    for i in range(SAMPLES):
        np.savez(tmp_path / "calib" / f"{i:02}.npz", x=rng.standard_normal(dims).astype(np.float32))
    flags = ["--preset", "w8a8-pow2", "--calib", tmp_path / "calib", "--quiet"]
    run_ok("qopt-compile", model, "-o", tmp_path / "q.onnx", "--emit", "qdq-onnx", *flags)
    run_ok("qopt-compile", model, "-o", tmp_path / "q.mlir", "--stop-after", "quantize", *flags)
    inputs = tmp_path / "calib" / "00.npz"
    run_ok("qopt-run", tmp_path / "q.mlir", "--reference", "--inputs", inputs, "--outputs",
           tmp_path / "out.npz")
    run_ok("qopt-run", tmp_path / "q.onnx", "--reference", "--inputs", inputs, "--expect",
           tmp_path / "out.npz", "--atol", 0, "--rtol", 0)


def write_dead_channel(path, is_conv):
    """One channel's weights are 2^-40 of its bias, another's are zeros."""
    rng = np.random.default_rng(7)
    first, second = ((6, 5, 3, 3), (4, 6, 3, 3)) if is_conv else ((16, 6), (6, 4))
    a, bias = make_weight(rng, *first), rng.standard_normal(6).astype(np.float32)
    channels = a if is_conv else a.T
    channels[2] *= np.float32(2.0 ** -40)
    channels[4] = 0
    bias[2], bias[4] = 1.5, -0.75
    constants = {"a": a, "ab": bias, "b": make_weight(rng, *second)}
    if is_conv:
        nodes = [helper.make_node("Conv", ["x", "a", "ab"], ["h"], "/a", pads=[1, 1, 1, 1]),
                 helper.make_node("Relu", ["h"], ["hr"], "/r"),
                 helper.make_node("Conv", ["hr", "b"], ["y"], "/b", pads=[1, 1, 1, 1])]
        return save(path, nodes, [1, 5, 8, 8], [1, 4, 8, 8], constants)
    nodes = [helper.make_node("MatMul", ["x", "a"], ["m"], "/a"),
             helper.make_node("Add", ["m", "ab"], ["h"], "/ab"),
             helper.make_node("Relu", ["h"], ["hr"], "/r"),
             helper.make_node("MatMul", ["hr", "b"], ["y"], "/b")]
    return save(path, nodes, [2, 9, 16], [2, 9, 4], constants)


def export(model, preset, folder, *keys):
    """What ONNX Runtime makes of the exported file, and what the artefact answers.

    Ranges are static whatever they cost: it is their form in the file that is looked at.
    """
    recipe = folder / "r.yaml"
    recipe.write_text("\n".join(["version: 1", f"preset: {preset}",
                                 "activations: {max-static-cost: 99}", *keys]))
    rng = np.random.default_rng(11)
    dims = [dim.dim_value for dim in
            onnx.load(model).graph.input[0].type.tensor_type.shape.dim]
    (folder / "calib").mkdir()
    for i in range(SAMPLES):
        np.savez(folder / "calib" / f"{i}.npz", x=rng.standard_normal(dims).astype(np.float32))
    x = rng.standard_normal(dims).astype(np.float32)
    np.savez(folder / "in.npz", x=x)
    for name, more in (("m.so", []), ("m.onnx", ["--emit", "qdq-onnx"])):
        run_ok("qopt-compile", model, "-o", folder / name, "--recipe", recipe,
               "--calib", folder / "calib", "--quiet", *more)
    run_ok("qopt-run", folder / "m.so", "--inputs", folder / "in.npz",
           "--outputs", folder / "out.npz")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    session = onnxruntime.InferenceSession(str(folder / "m.onnx"), options,
                                           providers=["CPUExecutionProvider"])
    with np.load(folder / "out.npz") as outputs:
        expected = outputs["y"]
    operators = [node.op_type for node in onnx.load(folder / "optimized.onnx").graph.node]
    return session.run(None, {"x": x})[0], expected, operators


def expect_agreement(found, expected):
    """A code in the middle of a step may fall to either side."""
    largest = np.abs(expected).max()
    assert np.abs(found - expected).max() <= 2e-2 * largest
    assert np.abs(found - expected).mean() <= 1e-3 * largest


@pytest.mark.parametrize("preset", ["w8a8", "w8a8-pow2"])
@pytest.mark.parametrize("dims", [(6, 16), (2, 6, 16), (1, 3, 6, 16)])
def test_products_with_biases(dims, preset, tmp_path):
    model = write_products(tmp_path / "float.onnx", dims)
    found, expected, operators = export(model, preset, tmp_path)
    expect_agreement(found, expected)
    # A Gemm whose bias is float has no integer kernel there.
    if len(dims) > 2:
        assert not FLOAT_PRODUCTS & set(operators), operators


@pytest.mark.parametrize("dims", [(6, 16), (1, 3, 6, 16)])
def test_rotated_products(dims, tmp_path):
    """A transform of blocks is a product with its matrix."""
    model = write_products(tmp_path / "float.onnx", dims)
    found, expected, _ = export(model, "w8a8", tmp_path, "transforms: {rotate: '16'}")
    expect_agreement(found, expected)
    graph = onnx.load(tmp_path / "m.onnx").graph
    matrix, = (array for array in map(onnx.numpy_helper.to_array, graph.initializer)
               if array.shape == (16, 16) and array.dtype == np.float32)
    np.testing.assert_allclose(matrix @ matrix, np.eye(16), atol=1e-6)


# What follows a product is in codes where the preset says that all is.
@pytest.mark.parametrize("preset, is_conv", [("w8a8", True), ("w8a8-pow2", True),
                                             ("w8a8-pow2", False)])
def test_a_bias_beyond_32_bits(preset, is_conv, tmp_path):
    model = write_dead_channel(tmp_path / "float.onnx", is_conv)
    found, expected, operators = export(model, preset, tmp_path)
    expect_agreement(found, expected)
    assert ("QLinearConv" if is_conv else "QGemm") in operators
    graph = onnx.load(tmp_path / "m.onnx").graph
    biases = [numpy_helper.to_array(tensor) for tensor in graph.initializer
              if tensor.data_type == TensorProto.INT32]
    assert 2 ** 28 < max(np.abs(bias).max() for bias in biases) < 2 ** 30
