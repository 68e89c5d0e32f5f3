"""Sequences and optionals: Reference runs them, a compile turns them into tensors.

onnx's evaluator is the oracle. What a run alone knows is refused by name, with what to do.
"""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from qopt_tools import list_tiers, run_arrays, run_ok, run_tool
from vulkan_driver import find_environment

RNG = np.random.default_rng(3)
X = RNG.normal(0, 1, (5, 4)).astype(np.float32)
Y = RNG.normal(0, 1, (5, 4)).astype(np.float32)


def node(operator, inputs, output, **attributes):
    return helper.make_node(operator, inputs, [output], f"/{output}", **attributes)


def integer(value):
    return onnx.numpy_helper.from_array(np.asarray(value, np.int64))


#: Nodes on x and y of 5x4 and the position i, and the outputs that they make.
KNOWN = {
    "construct": ([node("SequenceConstruct", ["x", "y"], "s"), node("SequenceAt", ["s", "minus"], "a"),
                   node("SequenceLength", ["s"], "b")], "ab"),
    "split": ([node("SplitToSequence", ["x"], "s"), node("SequenceAt", ["s", "one"], "a"),
               node("SplitToSequence", ["x"], "t", keepdims=0, axis=-1),
               node("SequenceAt", ["t", "minus"], "b"), node("SequenceLength", ["t"], "c")], "abc"),
    "split_sizes": ([node("SplitToSequence", ["x", "two"], "s"), node("SequenceAt", ["s", "minus"], "a"),
                     node("SplitToSequence", ["x", "list"], "t", axis=1),
                     node("ConcatFromSequence", ["t"], "b", axis=1),
                     node("SequenceAt", ["t", "one"], "c")], "abc"),
    "edit": ([node("SequenceEmpty", [], "s"), node("SequenceInsert", ["s", "x"], "t"),
              node("SequenceInsert", ["t", "y", "zero"], "u"), node("Neg", ["x"], "n"),
              node("SequenceInsert", ["u", "n", "minus"], "v"), node("SequenceErase", ["v", "one"], "e"),
              node("SequenceErase", ["v"], "z"), node("ConcatFromSequence", ["e"], "a", axis=0),
              node("ConcatFromSequence", ["z"], "b", axis=-1, new_axis=1)], "ab"),
    "computed": ([node("SequenceConstruct", ["x", "y"], "s"), node("SequenceAt", ["s", "i"], "a")], "a"),
    "optional": ([node("Optional", ["x"], "o"), node("OptionalHasElement", ["o"], "a"),
                  node("OptionalGetElement", ["o"], "b"), node("OptionalGetElement", ["y"], "c")], "abc"),
    "between": ([node("MatMul", ["x", "w"], "h"), node("SplitToSequence", ["h"], "s", axis=1),
                 node("SequenceAt", ["s", "one"], "p"), node("SequenceAt", ["s", "zero"], "q"),
                 node("Mul", ["p", "q"], "a")], "a"),
    # A run alone knows the positions, and here the rows of `m`.
    "positions": ([node("SequenceConstruct", ["x", "m"], "s"), node("SequenceAt", ["s", "i"], "a"),
                   node("SequenceInsert", ["s", "m", "i"], "t"), node("ConcatFromSequence", ["t"], "b", axis=0),
                   node("SequenceInsert", ["t", "y", "back"], "u"), node("SequenceErase", ["u", "i"], "e"),
                   node("ConcatFromSequence", ["e"], "c", axis=0), node("SequenceErase", ["u"], "z"),
                   node("SequenceLength", ["z"], "d"), node("SequenceAt", ["z", "back"], "f")], "abcdf"),
    "stacked": ([node("SequenceConstruct", ["x", "y"], "s"), node("SequenceInsert", ["s", "x", "i"], "t"),
                 node("ConcatFromSequence", ["t"], "a", axis=-1),
                 node("ConcatFromSequence", ["t"], "b", axis=1, new_axis=1)], "ab"),
}

#: Of lengths or positions that a run alone knows, here those of `m`, of ?x4.
UNKNOWN = {
    "length": ([node("SplitToSequence", ["m"], "s"), node("SequenceAt", ["s", "minus"], "a"),
                node("SequenceLength", ["s"], "b")], "ab", "SplitToSequence"),
    "sizes": ([node("Cast", ["m"], "k", to=TensorProto.INT64), node("Slice", ["k", "zeros", "ones"], "l"),
               node("Reshape", ["l", "flat"], "z"), node("Abs", ["z"], "r"), node("Mul", ["r", "list0"], "n"),
               node("Add", ["n", "list"], "sizes"), node("SplitToSequence", ["x", "sizes"], "s", axis=1),
               node("SequenceAt", ["s", "one"], "a")], "a", "SplitToSequence"),
}

CONSTANTS = {"zero": 0, "one": 1, "two": 2, "minus": -1, "list": [1, 3], "list0": [0, 0],
             "zeros": [0, 0], "ones": [1, 2], "flat": [-1]}
FEEDS = {"x": X, "y": Y, "m": Y[:3], "i": np.array(1, np.int64), "back": np.array(-1, np.int64)}


def write_model(nodes, outputs, path, opset=18):
    constants = [integer(value) for value in CONSTANTS.values()]
    for tensor, name in zip(constants, CONSTANTS):
        tensor.name = name
    constants.append(onnx.numpy_helper.from_array(RNG.normal(0, 1, (4, 2)).astype(np.float32), "w"))
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [5, 4]) for name in "xy"]
    infos.append(helper.make_tensor_value_info("m", TensorProto.FLOAT, ["rows", 4]))
    infos += [helper.make_tensor_value_info(name, TensorProto.INT64, []) for name in ("i", "back")]
    graph = helper.make_graph(nodes, "lists", infos, [onnx.ValueInfoProto(name=name) for name in outputs],
                              constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    inferred = onnx.shape_inference.infer_shapes(model)
    del model.graph.output[:]
    model.graph.output.extend(
        helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, None)
        for value in inferred.graph.output)
    onnx.save(model, path)
    return model


def check_reference(model, path, folder):
    names = [output.name for output in model.graph.output]
    expected = dict(zip(names, ReferenceEvaluator(model).run(None, FEEDS)))
    if any(made.op_type == "Optional" for made in model.graph.node):
        # onnx's evaluator gives the list in which it keeps the value.
        expected["b"], = expected["b"]
    reference = run_arrays(path, FEEDS, folder, "--reference")
    for name in names:
        assert reference[name].shape == np.shape(expected[name]), name
        np.testing.assert_allclose(reference[name], expected[name], rtol=1e-6, atol=1e-6, err_msg=name)
    return reference


@pytest.mark.parametrize("name", KNOWN)
def test_of_known_length(name, tmp_path):
    """Tiers and Vulkan run the tensors, with the bits of Reference."""
    nodes, outputs = KNOWN[name]
    path = tmp_path / "model.onnx"
    reference = check_reference(write_model(nodes, outputs, path), path, tmp_path)
    prepared = run_ok("qopt-compile", path, "--stop-after=prepare", "-o", tmp_path / "p.mlir")
    assert "sequence" not in (tmp_path / "p.mlir").read_text(), prepared
    tiers = list_tiers()[1]
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--cpu", ",".join(tiers))
    runs = [("m.so", {"QOPT_CPU": tier}) for tier in tiers]
    if find_environment() is not None:
        run_ok("qopt-compile", path, "-o", tmp_path / "v.so", "--target=vulkan")
        runs.append(("v.so", find_environment()))
    for program, environment in runs:
        found = run_arrays(tmp_path / program, FEEDS, tmp_path, environment=environment)
        for output in outputs:
            if program == "v.so":
                np.testing.assert_allclose(found[output], reference[output], rtol=1e-5)
            else:
                assert found[output].tobytes() == reference[output].tobytes(), (program, output)


@pytest.mark.parametrize("name", UNKNOWN)
def test_of_a_length_that_a_run_knows(name, tmp_path):
    nodes, outputs, operator = UNKNOWN[name]
    path = tmp_path / "model.onnx"
    check_reference(write_model(nodes, outputs, path), path, tmp_path)
    result = run_tool("qopt-compile", path, "-o", tmp_path / "m.so")
    assert result.returncode == 3, result.stderr
    assert f"({operator})" in result.stderr, result.stderr
    assert "works on a sequence or optional that a run alone knows" in result.stderr
    assert "qopt-run --reference runs it" in result.stderr
    assert not (tmp_path / "m.so").exists()


#: What the importer refuses: nodes, an output, the exit code and the text.
REFUSED = {
    "operator": ([node("SequenceConstruct", ["x", "y"], "s"), node("Relu", ["s"], "a")], "a", 3,
                 "input 0 is a sequence or optional, which the operator is not supported with"),
    "tensor": ([node("SequenceAt", ["x", "one"], "a")], "a", 1, "expects a sequence, but found"),
    "empty": ([node("SequenceEmpty", [], "s"), node("SequenceAt", ["s", "zero"], "a")], "a", 1,
              "takes a tensor of a sequence that is empty"),
    "types": ([node("SequenceConstruct", ["x", "i"], "s"), node("SequenceAt", ["s", "one"], "a")], "a", 1,
              "expects tensors of one element type"),
    "ranks": ([node("Flatten", ["x"], "f"), node("Reshape", ["x", "flat"], "g"),
               node("SequenceConstruct", ["f", "g"], "s"), node("SequenceAt", ["s", "one"], "a")], "a", 3,
              "a sequence of tensors of different ranks is not supported"),
    "axis": ([node("SplitToSequence", ["x"], "s", axis=2), node("SequenceAt", ["s", "one"], "a")], "a", 1,
             "expects an axis from -2 to 1, but found 2"),
    "output": ([node("SequenceConstruct", ["x", "y"], "a")], "a", 3, "only tensors are supported"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_of_the_importer(name, tmp_path):
    nodes, outputs, code, text = REFUSED[name]
    path = tmp_path / "model.onnx"
    infos = [helper.make_tensor_value_info(value, TensorProto.FLOAT, [5, 4]) for value in "xy"]
    infos.append(helper.make_tensor_value_info("i", TensorProto.INT64, []))
    constants = [integer(value) for value in CONSTANTS.values()]
    for tensor, constant in zip(constants, CONSTANTS):
        tensor.name = constant
    graph = helper.make_graph(nodes, "lists", infos, [onnx.ValueInfoProto(name=outputs)], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    result = run_tool("qopt-run", path, "--reference", "--inputs", tmp_path / "none.npz")
    assert result.returncode == code and text in result.stderr, (result.returncode, result.stderr)


def test_a_position_out_of_range(tmp_path):
    """Reference and a compile say so, each with the node's name."""
    nodes = [node("SequenceConstruct", ["x", "y"], "s"), node("SequenceAt", ["s", "two"], "a")]
    path = tmp_path / "model.onnx"
    write_model(nodes, "a", path)
    np.savez(tmp_path / "in.npz", **FEEDS)
    result = run_tool("qopt-run", path, "--reference", "--inputs", tmp_path / "in.npz")
    assert result.returncode == 1 and "position 2 is outside a sequence of 2" in result.stderr
    result = run_tool("qopt-compile", path, "-o", tmp_path / "m.so")
    assert result.returncode == 3, result.stderr
    assert "expects a position from -2 and below 2, but found 2" in result.stderr
    assert "no run of the model can do it" in result.stderr
