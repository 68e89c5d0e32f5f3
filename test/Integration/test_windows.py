"""Windows of pools and convolutions at their limits."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from qopt_tools import list_tiers, run_arrays, run_ok
from vulkan_driver import find_environment


def write_pool(path, dtype, shape, **attributes):
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        [helper.make_node("MaxPool", ["x"], ["y"], "/pool", **attributes)], "pool",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_a_maximum_of_nothing_is_the_least_integer(dtype, tmp_path):
    """As in ONNX Runtime, by Reference and every target. Taps 3 apart step over a row of two."""
    path = tmp_path / "model.onnx"
    write_pool(path, dtype, [1, 1, 2, 2], kernel_shape=[2, 2], dilations=[3, 3], pads=[1, 1, 1, 1])
    inputs = {"x": np.arange(5, 9, dtype=dtype).reshape(1, 1, 2, 2)}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    expected, = session.run(None, inputs)
    assert expected.ravel() == np.iinfo(dtype).min
    runs = [(path, ["--reference"], None)]
    tiers = list_tiers()[1]
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--cpu", ",".join(tiers), "--quiet")
    runs += [(tmp_path / "m.so", [], {"QOPT_CPU": tier}) for tier in tiers]
    if find_environment() is not None:
        run_ok("qopt-compile", path, "-o", tmp_path / "v.so", "--target=vulkan", "--quiet")
        runs.append((tmp_path / "v.so", [], find_environment()))
    for program, flags, environment in runs:
        found = run_arrays(program, inputs, tmp_path, *flags, environment=environment)
        np.testing.assert_array_equal(found["y"], expected, str(program))


def test_code_does_not_grow_with_the_stride(tmp_path):
    """Filter banks step over hundreds of samples."""
    weights = np.ones((8, 1, 509), np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], strides=[441])], "bank",
        [helper.make_tensor_value_info("x", 1, ["n", 1, "samples"])],
        [helper.make_tensor_value_info("y", 1, None)], [numpy_helper.from_array(weights, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                ir_version=8), tmp_path / "model.onnx")
    run_ok("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "m.ll", "--emit", "llvm",
           "--cpu", list_tiers()[0][0], "--quiet")
    assert len((tmp_path / "m.ll").read_text().splitlines()) < 5000
