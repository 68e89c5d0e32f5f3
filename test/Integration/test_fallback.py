"""Nodes that no fast kernel runs: the report names them, and a user may refuse them."""
import json

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import onnx
from qopt_tools import run_arrays, run_ok, run_tool


@pytest.fixture
def computed_weight(tmp_path):
    """A convolution whose weight is an input, which no fast kernel of x86-64 packs."""
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["c"], name="/free"),
         helper.make_node("Relu", ["c"], ["r"], name="/relu"),
         helper.make_node("MatMul", ["r", "m"], ["y"], name="/product")], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 8, 8]),
         helper.make_tensor_value_info("w", TensorProto.FLOAT, [3, 2, 3, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 6, 5])],
        [numpy_helper.from_array(np.ones((6, 5), np.float32), "m")])
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                ir_version=10), path)
    return path


def test_a_generic_kernel_breaks_the_contract(computed_weight, tmp_path):
    result = run_tool("qopt-compile", computed_weight, "-o", tmp_path / "m.mlir", "--cpu",
                      "x86-64-v3", "--stop-after", "kernels", "--fail-on-fallback=slow",
                      "--report", tmp_path / "report")
    assert result.returncode == 3, result.stderr
    assert ('node "/free" (Conv): asked float, planned float, realised float by generic: '
            "the weight is not constant") in result.stderr
    assert "1 nodes break the precision contract (slow)" in result.stderr
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    kernels = {row["node"]: row["kernel"] for row in report["contract"]}
    assert all(row["kernels"] == {"x86-64-v3": row["kernel"]} for row in report["contract"])
    assert kernels == {"/free": "generic", "/relu": "x86-64.map",
                       "/product": "x86-64.contract.f32"}


def test_a_generic_kernel_gives_the_numbers(computed_weight, tmp_path):
    random = np.random.default_rng(2)
    inputs = {"x": random.normal(size=(1, 2, 8, 8)).astype(np.float32),
              "w": random.normal(size=(3, 2, 3, 3)).astype(np.float32)}
    run_ok("qopt-compile", computed_weight, "-o", tmp_path / "m.so")
    expected = run_arrays(computed_weight, inputs, tmp_path, "--reference")["y"]
    assert run_arrays(tmp_path / "m.so", inputs, tmp_path)["y"].tobytes() == expected.tobytes()


def test_precision_alone_is_kept(computed_weight, tmp_path):
    run_ok("qopt-compile", computed_weight, "-o", tmp_path / "m.mlir", "--cpu", "x86-64-v3",
           "--stop-after", "kernels", "--fail-on-fallback=any", "--quiet")
