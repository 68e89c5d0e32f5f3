"""ONNX Runtime's quantization of a digit classifier is 8 bit and still answers."""

import sys
from pathlib import Path

import onnx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from evaluate import evaluate_ort
from ort_int8 import lift_constants, quantize
from tasks import prepare


@pytest.mark.parametrize("activations, element", [("u8", onnx.TensorProto.UINT8),
                                                  ("s8", onnx.TensorProto.INT8)])
def test_static(activations, element, tmp_path):
    prepared = prepare("digits-cnn", tmp_path / "data")
    quantize(prepared, tmp_path / "q.onnx", activations)
    graph = onnx.load(tmp_path / "q.onnx").graph
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    zeros = {types[node.input[2]] for node in graph.node if node.op_type == "QuantizeLinear"}
    assert zeros == {element}
    assert evaluate_ort(prepared, tmp_path / "q.onnx")["accuracy"] >= 0.97


def test_lift_constants_leaves_no_constant_node():
    helper = onnx.helper
    tensor = helper.make_tensor("", onnx.TensorProto.FLOAT, [1], [2.0])
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=tensor),
         helper.make_node("Add", ["x", "c"], ["y"])], "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])])
    model = helper.make_model(graph)
    lift_constants(model)
    assert [node.op_type for node in model.graph.node] == ["Add"]
    assert [tensor.name for tensor in model.graph.initializer] == ["c"]
