"""If, Loop and Scan of ONNX: Reference against ONNX Runtime, artefacts with its bits."""

import onnx
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import list_tiers, run_arrays, run_ok, run_tool
from vulkan_driver import find_environment

RNG = np.random.default_rng(8)
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs, outputs.split(), f"/{outputs.split()[0]}", **attributes)


def value(name, kind=FLOAT, dims=None):
    return helper.make_tensor_value_info(name, kind, dims)


def body(nodes, inputs, outputs, constants=None):
    """A graph inside of a node; inputs and outputs by name, with their kind."""
    return helper.make_graph(nodes, "body", [value(*info) for info in inputs], [value(*info) for info in outputs],
                             [numpy_helper.from_array(np.asarray(array), name)
                              for name, array in (constants or {}).items()])


def write_model(path, nodes, inputs, outputs, constants=None, opset=16):
    graph = body(nodes, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, path)


def check(path, feeds, folder):
    """Reference agrees with ONNX Runtime, and every tier has its bits."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    tiers = list_tiers()[1]
    run_ok("qopt-compile", path, "-o", folder / "m.so", "--cpu", ",".join(tiers), "--quiet")
    for feed in feeds:
        expected = dict(zip(names, session.run(None, feed)))
        reference = run_arrays(path, feed, folder, "--reference")
        for name, array in expected.items():
            assert reference[name].shape == array.shape, name
            np.testing.assert_allclose(reference[name], array, atol=1e-6, rtol=1e-5, err_msg=name)
        for tier in tiers:
            found = run_arrays(folder / "m.so", feed, folder, environment={"QOPT_CPU": tier})
            for name, array in reference.items():
                assert found[name].tobytes() == array.tobytes(), (tier, name)


def floats(*dims):
    return RNG.normal(0, 1, dims).astype(np.float32)


def import_text(path, folder, *flags):
    run_ok("qopt-compile", path, "-o", folder / "import.mlir", "--stop-after=import", "--quiet", *flags)
    return (folder / "import.mlir").read_text()


#: nodes, inputs, outputs, constants, feeds
#: Of a map that brings points together: many steps stay near each other.
W = 0.3 * floats(4, 4)
THEN = body([node("MatMul", ["h", "w"], "t")], [], [("t", FLOAT)])
ELSE = body([node("Neg", ["h"], "e")], [], [("e", FLOAT)])
SHORT = body([node("Slice", ["h", "zero1", "one1"], "s")], [], [("s", FLOAT)])
NESTED = body([node("If", ["q"], "n", then_branch=ELSE, else_branch=THEN), node("Add", ["n", "h"], "e2")],
              [], [("e2", FLOAT)])
SQUEEZE = [node("Shape", ["x"], "dims", start=1, end=2), node("Equal", ["dims", "one1"], "is_one"),
           node("If", ["is_one"], "s", then_branch=body([node("Squeeze", ["x", "one1"], "t")], [], [("t", FLOAT)]),
                else_branch=body([node("Identity", ["x"], "e")], [], [("e", FLOAT)])),
           node("Relu", ["s"], "y")]
CASES = {
    "if": ([node("Relu", ["x"], "h"), node("If", ["p"], "y", then_branch=THEN, else_branch=ELSE)],
           [("x", FLOAT, ["n", 4]), ("p", BOOL, [])], [("y", FLOAT)], {"w": W},
           [{"x": floats(3, 4), "p": np.array(p)} for p in (True, False)]),
    "if_dims_differ": ([node("Relu", ["x"], "h"), node("If", ["p"], "y", then_branch=THEN, else_branch=SHORT)],
                       [("x", FLOAT, [3, 4]), ("p", BOOL, [1])], [("y", FLOAT)],
                       {"w": W, "zero1": np.array([0]), "one1": np.array([1])},
                       [{"x": floats(3, 4), "p": np.array([p])} for p in (True, False)]),
    # As exporters write a squeeze of an axis whose size only a run knows.
    "if_squeezes": (SQUEEZE, [("x", FLOAT, ["n", "m", 4])], [("y", FLOAT)], {"one1": np.array([1])},
                    [{"x": floats(3, 1, 4)}]),
    "if_of_one_element": (
        [node("ReduceSum", ["x"], "s", keepdims=0),
         node("If", ["p"], "c", then_branch=body([node("Identity", ["s"], "t")], [], [("t", FLOAT, [])]),
              else_branch=body([node("Reshape", ["s", "one1"], "e")], [], [("e", FLOAT, [1])])),
         node("Add", ["x", "c"], "y")],
        [("x", FLOAT, ["n"]), ("p", BOOL, [])], [("y", FLOAT)], {"one1": np.array([1])},
        [{"x": floats(3), "p": np.array(p)} for p in (True, False)]),
    "if_nested": ([node("Relu", ["x"], "h"), node("If", ["p"], "y", then_branch=THEN, else_branch=NESTED)],
                  [("x", FLOAT, ["n", 4]), ("p", BOOL, []), ("q", BOOL, [])], [("y", FLOAT)], {"w": W},
                  [{"x": floats(3, 4), "p": np.array(p), "q": np.array(q)}
                   for p, q in [(True, True), (False, True), (False, False)]]),
    "if_of_the_same": ([node("Relu", ["x"], "h"),
                        node("If", ["p"], "y", then_branch=body([node("Identity", ["x"], "t")], [], [("t", FLOAT)]),
                             else_branch=body([node("Identity", ["h"], "e")], [], [("e", FLOAT)]))],
                       [("x", FLOAT, ["n", 4]), ("p", BOOL, [])], [("y", FLOAT)], {},
                       [{"x": floats(3, 4), "p": np.array(p)} for p in (True, False)]),
    # A counted loop: the condition passes through, a captured weight, rows scanned out.
    "loop_counted": (
        [node("Loop", ["m", "go", "x"], "y rows at", body=body(
            [node("Identity", ["c"], "c2"), node("MatMul", ["a", "w"], "p"), node("Tanh", ["p"], "a2"),
             node("ReduceSum", ["a2"], "r", keepdims=0), node("Identity", ["i"], "i2")],
            [("i", INT64, []), ("c", BOOL, []), ("a", FLOAT, None)],
            [("c2", BOOL), ("a2", FLOAT), ("r", FLOAT), ("i2", INT64)]))],
        [("x", FLOAT, ["n", 4]), ("m", INT64, [])], [("y", FLOAT), ("rows", FLOAT), ("at", INT64)],
        {"w": W, "go": np.array(True)}, [{"x": floats(3, 4), "m": np.array(m)} for m in (0, 1, 5, 64, 200)]),
    "loop_of_known_trips": (
        [node("Loop", ["five", "", "x"], "y rows", body=body(
            [node("Identity", ["c"], "c2"), node("Add", ["a", "a"], "a2"), node("Identity", ["a"], "r")],
            [("i", INT64, []), ("c", BOOL, []), ("a", FLOAT, None)],
            [("c2", BOOL), ("a2", FLOAT), ("r", FLOAT)])), node("Relu", ["rows"], "z")],
        [("x", FLOAT, [2, 3])], [("y", FLOAT), ("z", FLOAT)], {"five": np.array(5)}, [{"x": floats(2, 3)}]),
    "loop_while": (
        [node("Loop", ["", "go", "x"], "y rows", body=body(
            [node("Add", ["a", "a"], "a2"), node("ReduceSum", ["a2"], "s", keepdims=0),
             node("Less", ["s", "limit"], "c2"), node("Identity", ["a2"], "r")],
            [("i", INT64, []), ("c", BOOL, []), ("a", FLOAT, None)],
            [("c2", BOOL), ("a2", FLOAT), ("r", FLOAT)]))],
        [("x", FLOAT, ["n"]), ("go", BOOL, [])], [("y", FLOAT), ("rows", FLOAT)],
        {"limit": np.float32(100)},
        [{"x": np.ones(n, np.float32), "go": np.array(go)} for n, go in [(3, True), (200, True)]]),
    # As PaddlePaddle writes it: weights pass through, what no iteration reads begins as any number.
    "loop_of_placeholders": (
        [node("Loop", ["m", "", "x", "w", "zero"], "y w3 last", body=body(
            [node("Identity", ["c"], "c2"), node("MatMul", ["a", "w2"], "p"), node("Tanh", ["p"], "a2"),
             node("Neg", ["a2"], "l2")],
            [("i", INT64, []), ("c", BOOL, []), ("a", FLOAT, None), ("w2", FLOAT, None), ("l", FLOAT, None)],
            [("c2", BOOL), ("a2", FLOAT), ("w2", FLOAT), ("l2", FLOAT)]))],
        [("x", FLOAT, ["n", 4]), ("m", INT64, [])], [("y", FLOAT), ("w3", FLOAT), ("last", FLOAT)],
        {"w": W, "zero": np.float32(0)}, [{"x": floats(3, 4), "m": np.array(m)} for m in (1, 5)]),
    "loop_of_one_element": (
        [node("Loop", ["", "go", "x", "zero"], "y at", body=body(
            [node("Add", ["a", "a"], "a2"), node("Add", ["k", "one1"], "k2"), node("ReduceSum", ["a2"], "s"),
             node("Less", ["s", "limit"], "c2")],
            [("i", INT64, []), ("c", BOOL, []), ("a", FLOAT, None), ("k", FLOAT, None)],
            [("c2", BOOL), ("a2", FLOAT), ("k2", FLOAT)])), node("Reshape", ["at", "minus1"], "z")],
        [("x", FLOAT, ["n"]), ("go", BOOL, [])], [("y", FLOAT), ("z", FLOAT)],
        {"limit": np.float32([100]), "zero": np.float32(0), "one1": np.float32([1]), "minus1": np.array([-1])},
        [{"x": np.ones(3, np.float32), "go": np.array(True)}]),
    "loop_both": (
        [node("Loop", ["m", "go", "x"], "y", body=body(
            [node("Add", ["a", "a"], "a2"), node("ReduceSum", ["a2"], "s", keepdims=0),
             node("Less", ["s", "limit"], "c2")],
            [("i", INT64, [1]), ("c", BOOL, [1]), ("a", FLOAT, None)], [("c2", BOOL), ("a2", FLOAT)]))],
        [("x", FLOAT, ["n"]), ("go", BOOL, [1]), ("m", INT64, [1])], [("y", FLOAT)],
        {"limit": np.float32(100)},
        [{"x": np.ones(3, np.float32), "go": np.array([go]), "m": np.array([m])}
         for m, go in [(2, True), (100, True), (4, False)]]),
    # What is carried grows.
    "loop_grows": (
        [node("Loop", ["m", "", "x"], "y", body=body(
            [node("Identity", ["c"], "c2"), node("Concat", ["a", "x"], "a2", axis=0)],
            [("i", INT64, []), ("c", BOOL, []), ("a", FLOAT, None)], [("c2", BOOL), ("a2", FLOAT)]))],
        [("x", FLOAT, [2, 3]), ("m", INT64, [])], [("y", FLOAT)], {},
        [{"x": floats(2, 3), "m": np.array(m)} for m in (0, 1, 4)]),
    "loop_in_if": (
        [node("If", ["p"], "y", else_branch=body([node("Neg", ["x"], "e")], [], [("e", FLOAT)]),
              then_branch=body([node("Loop", ["three", "", "x"], "t", body=body(
                  [node("Identity", ["c"], "c2"), node("Mul", ["a", "x"], "a2")],
                  [("i", INT64, []), ("c", BOOL, []), ("a", FLOAT, None)], [("c2", BOOL), ("a2", FLOAT)]))],
                  [], [("t", FLOAT)], {"three": np.array(3)}))],
        [("x", FLOAT, ["n"]), ("p", BOOL, [])], [("y", FLOAT)], {},
        [{"x": floats(4), "p": np.array(p)} for p in (True, False)]),
    "scan": (
        [node("Scan", ["s", "x"], "last all", num_scan_inputs=1, body=body(
            [node("Add", ["a", "v"], "sum"), node("Tanh", ["sum"], "a2"), node("MatMul", ["a2", "w"], "r")],
            [("a", FLOAT, None), ("v", FLOAT, None)], [("a2", FLOAT), ("r", FLOAT)]))],
        [("s", FLOAT, [2, 4]), ("x", FLOAT, ["t", 2, 4])], [("last", FLOAT), ("all", FLOAT)], {"w": W},
        [{"s": floats(2, 4), "x": floats(t, 2, 4)} for t in (1, 5, 64, 65)]),
    # Rows whose dims a run knows.
    "scan_of_open_rows": (
        [node("Scan", ["x"], "all back", num_scan_inputs=1, scan_output_directions=[0, 1],
              scan_output_axes=[0, 1], body=body(
                  [node("Relu", ["v"], "r"), node("Neg", ["v"], "q")], [("v", FLOAT, None)],
                  [("r", FLOAT), ("q", FLOAT)]))],
        [("x", FLOAT, ["t", "n"])], [("all", FLOAT), ("back", FLOAT)], {},
        [{"x": floats(t, n)} for t, n in ((1, 3), (70, 2), (129, 5))]),
    "scan_axes": (
        [node("Scan", ["s", "x", "z"], "last one two", num_scan_inputs=2, scan_input_axes=[1, -1],
              scan_input_directions=[0, 1], scan_output_axes=[1, -1], scan_output_directions=[1, 0], body=body(
                  [node("Add", ["a", "v"], "a1"), node("Mul", ["a1", "u"], "a2"), node("Relu", ["a2"], "r1"),
                   node("Neg", ["a2"], "r2")],
                  [("a", FLOAT, None), ("v", FLOAT, None), ("u", FLOAT, None)],
                  [("a2", FLOAT), ("r1", FLOAT), ("r2", FLOAT)]))],
        [("s", FLOAT, [2, 3]), ("x", FLOAT, [2, 5, 3]), ("z", FLOAT, [2, 3, 5])],
        [("last", FLOAT), ("one", FLOAT), ("two", FLOAT)], {},
        [{"s": floats(2, 3), "x": floats(2, 5, 3), "z": floats(2, 3, 5)}]),
}


@pytest.mark.parametrize("name", CASES)
def test_operators(name, tmp_path):
    nodes, inputs, outputs, constants, feeds = CASES[name]
    write_model(tmp_path / "m.onnx", nodes, inputs, outputs, constants)
    check(tmp_path / "m.onnx", feeds, tmp_path)


@pytest.mark.skipif(find_environment() is None, reason="no Vulkan driver")
@pytest.mark.parametrize("name", ["if_dims_differ", "if_nested", "loop_counted", "loop_while", "loop_in_if", "scan_axes"])
def test_operators_on_vulkan(name, tmp_path):
    nodes, inputs, outputs, constants, feeds = CASES[name]
    write_model(tmp_path / "m.onnx", nodes, inputs, outputs, constants)
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "v.so", "--target=vulkan", "--quiet")
    for sample in feeds:
        reference = run_arrays(tmp_path / "m.onnx", sample, tmp_path, "--reference")
        found = run_arrays(tmp_path / "v.so", sample, tmp_path, environment=find_environment())
        for output, array in reference.items():
            np.testing.assert_allclose(found[output], array, atol=1e-5 * np.abs(array).max(initial=0))


SQUEEZED = body([node("Squeeze", ["x", "first"], "t")], [], [("t", FLOAT)])
WHOLE = body([node("Identity", ["x"], "e")], [], [("e", FLOAT)])


@pytest.mark.parametrize("holds", [True, False])
def test_a_constant_condition_leaves_one_branch(holds, tmp_path):
    nodes, inputs, outputs, constants, _ = CASES["if"]
    write_model(tmp_path / "m.onnx", nodes, inputs[:1], outputs, {**constants, "p": np.array(holds)})
    check(tmp_path / "m.onnx", [{"x": floats(3, 4)}], tmp_path)
    text = import_text(tmp_path / "m.onnx", tmp_path)
    assert "scf.if" not in text and ("qopt.matmul" in text) == holds


def test_a_branch_on_a_dim_is_known_with_the_dim(tmp_path):
    """As PyTorch exports a squeeze: the branches have different ranks. While the dim is open
    the program takes only what the squeeze takes.
    """
    write_model(tmp_path / "m.onnx", [
        node("Shape", ["x"], "shape"), node("Gather", ["shape", "zero"], "n"), node("Equal", ["n", "one"], "b"),
        node("Cast", ["b"], "p", to=BOOL),
        node("If", ["p"], "y", then_branch=SQUEEZED, else_branch=WHOLE)],
        [("x", FLOAT, ["n", 4])], [("y", FLOAT)], {"zero": np.array(0), "one": np.array(1), "first": np.array([0])})
    check(tmp_path / "m.onnx", [{"x": floats(1, 4)}], tmp_path)
    np.savez(tmp_path / "in.npz", x=floats(3, 4))
    for program, message in (("m.so", "a squeezed axis has more than one element"),
                             ("m.onnx", "cannot give 3x4 the dims 4")):
        flags = ["--reference"] * program.endswith("onnx")
        result = run_tool("qopt-run", tmp_path / program, "--inputs", tmp_path / "in.npz", *flags)
        assert result.returncode == 1, result.stderr
        assert message in result.stderr
    for rows, rank in [(1, 1), (3, 2)]:
        x = floats(rows, 4)
        run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so", "--quiet", "--shapes", f"x:{rows}x4")
        found = run_arrays(tmp_path / "m.so", {"x": x}, tmp_path)
        np.testing.assert_array_equal(found["y"], x.reshape(found["y"].shape))
        assert found["y"].ndim == rank


def test_pads_that_pytorch_turns_around_are_known(tmp_path):
    """It reverses pairs as rows of a matrix; a branch behind the Pad depends on the dim."""
    write_model(tmp_path / "m.onnx", [
        node("Concat", ["given", "rest"], "pairs", axis=0), node("Reshape", ["pairs", "two"], "matrix"),
        node("Slice", ["matrix", "last", "least", "first", "last"], "turned"),
        node("Transpose", ["turned"], "columns", perm=[1, 0]), node("Reshape", ["columns", "flat"], "pads"),
        node("Pad", ["x", "pads"], "padded"), node("Shape", ["padded"], "shape"),
        node("Gather", ["shape", "one"], "n"), node("Equal", ["n", "nine"], "p"),
        node("If", ["p"], "y", then_branch=body([node("Neg", ["padded"], "t")], [], [("t", FLOAT)]),
             else_branch=body([node("Squeeze", ["padded", "first"], "e")], [], [("e", FLOAT)]))],
        [("x", FLOAT, [1, 5])], [("y", FLOAT)],
        {"given": np.array([3, 1]), "rest": np.array([0, 0]), "two": np.array([-1, 2]), "last": np.array([-1]),
         "least": np.array([-2**63]), "first": np.array([0]), "flat": np.array([-1]), "one": np.array(1),
         "nine": np.array(9)})
    check(tmp_path / "m.onnx", [{"x": floats(1, 5)}], tmp_path)
    assert "scf.if" not in import_text(tmp_path / "m.onnx", tmp_path)


def test_batches_that_are_scanned(tmp_path):
    """The form of opset 8, which ONNX Runtime has, too."""
    write_model(tmp_path / "m.onnx", [node("Scan", ["", "s", "x"], "last all", num_scan_inputs=1, directions=[1], body=body(
        [node("Add", ["a", "v"], "a2"), node("Neg", ["a2"], "r")],
        [("a", FLOAT, [2]), ("v", FLOAT, [2])], [("a2", FLOAT, [2]), ("r", FLOAT, [2])]))],
        [("s", FLOAT, ["b", 2]), ("x", FLOAT, ["b", "t", 2])], [("last", FLOAT), ("all", FLOAT)], opset=8)
    check(tmp_path / "m.onnx", [{"s": floats(b, 2), "x": floats(b, t, 2)} for b, t in ((1, 3), (3, 5), (2, 70))],
          tmp_path)


def test_a_sequence_that_a_loop_fills(tmp_path):
    """From an empty one that says nothing of its tensors. A compile writes it out where the number is known;
    elsewhere the loop carries the elements of all tensors, and their dims."""
    def sequence(name):
        return helper.make_tensor_sequence_value_info(name, FLOAT, None)
    step = helper.make_graph(
        [node("Identity", ["c"], "c2"), node("Gather", ["x", "i"], "r", axis=0), node("SequenceInsert", ["s", "r"], "s2")],
        "body", [value("i", INT64, []), value("c", BOOL, []), sequence("s")], [value("c2", BOOL), sequence("s2")])
    nodes = [node("SequenceEmpty", [], "e"), node("Loop", ["m", "", "e"], "filled", body=step),
             node("ConcatFromSequence", ["filled"], "y", axis=0, new_axis=1)]
    x = floats(5, 4)
    write_model(tmp_path / "m.onnx", nodes, [("x", FLOAT, ["n", 4])], [("y", FLOAT)], {"m": np.array(3)})
    check(tmp_path / "m.onnx", [{"x": x}], tmp_path)
    write_model(tmp_path / "m.onnx", nodes, [("x", FLOAT, ["n", 4]), ("m", INT64, [])], [("y", FLOAT)])
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so", "--quiet")
    for count in (1, 3, 5):
        for program in (["m.onnx", "--reference"], ["m.so"]):
            found = run_arrays(tmp_path / program[0], {"x": x, "m": np.array(count)}, tmp_path, *program[1:])
            np.testing.assert_array_equal(found["y"], x[:count])
    np.savez(tmp_path / "in.npz", x=x, m=np.array(0))
    result = run_tool("qopt-run", tmp_path / "m.so", "--inputs", tmp_path / "in.npz")
    assert result.returncode == 1 and 'node "/y": an index is out of range' in result.stderr, result.stderr


def loop(nodes, outputs, inputs=("m", "", "x"), arguments=(("i", INT64, []), ("c", BOOL, []), ("a", FLOAT, None))):
    return node("Loop", list(inputs), "y", body=body(nodes, arguments, outputs))


KEEP = node("Identity", ["c"], "c2")
#: nodes, the exit code and what is said.
REFUSED = {
    "rank": ([loop([KEEP, node("Unsqueeze", ["a", "first"], "a2")], [("c2", BOOL), ("a2", FLOAT)])], 3,
             "values before and after an iteration are not of one element type and rank"),
    "endless": ([loop([KEEP, node("Neg", ["a"], "a2")], [("c2", BOOL), ("a2", FLOAT)], ("", "", "x"))], 1,
                "the loop never ends"),
    "endless_condition": ([loop([KEEP, node("Neg", ["a"], "a2")], [("c2", BOOL), ("a2", FLOAT)],
                                ("", "true", "x"))], 1, "the loop never ends"),
    "outputs": ([loop([KEEP], [("c2", BOOL)])], 1, "expects a body of 2 outputs or more, but found 1"),
    "inputs": ([loop([KEEP, node("Neg", ["x"], "a2")], [("c2", BOOL), ("a2", FLOAT)],
                     arguments=(("i", INT64, []), ("c", BOOL, [])))], 1, "expects 1 inputs more than the graph has"),
    "type": ([loop([KEEP, node("Neg", ["a"], "a2")], [("c2", BOOL), ("a2", INT64)],
                   arguments=(("i", INT64, []), ("c", BOOL, []), ("a", INT64, None)))], 1,
             'input "a": is declared as i64, but the operator gives f32'),
    "inner": ([loop([KEEP, node("Unknown", ["a"], "a2")], [("c2", BOOL), ("a2", FLOAT)])], 3,
              'body: node "/a2" (Unknown, opset 16): the operator is not supported'),
    "scan_axis": ([node("Scan", ["x"], "y", num_scan_inputs=1, scan_input_axes=[2], body=body(
        [node("Neg", ["v"], "r")], [("v", FLOAT, None)], [("r", FLOAT)]))], 1, "expects an axis from -2 to 1"),
    "scan_inputs": ([node("Scan", ["x"], "y", num_scan_inputs=3, body=body(
        [node("Neg", ["v"], "r")], [("v", FLOAT, None)], [("r", FLOAT)]))], 1,
        "expects num_scan_inputs from 1 to 1, but found 3"),
}


def test_loops_inside_of_many_others(tmp_path):
    """Each level is imported more than once: a file must not make that a number without end."""
    inner = [KEEP, node("Neg", ["a"], "a2")]
    for _ in range(10):
        inner = [KEEP, node("Loop", ["m", "", "a"], "a2", body=body(
            inner, [("i", INT64, []), ("c", BOOL, []), ("a", FLOAT, None)], [("c2", BOOL), ("a2", FLOAT)]))]
    graph = body([loop(inner, [("c2", BOOL), ("a2", FLOAT)])], [("x", FLOAT, [2, 3]), ("m", INT64, [])],
                 [("y", FLOAT)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8),
              tmp_path / "m.onnx")
    result = run_tool("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so")
    assert result.returncode == 3
    assert "more than 4 loops inside of each other are not supported" in result.stderr


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, tmp_path):
    nodes, code, message = REFUSED[name]
    graph = body(nodes, [("x", FLOAT, [2, 3]), ("m", INT64, [])], [("y", FLOAT)],
                 {"first": np.array([0]), "true": np.array(True)})
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8),
              tmp_path / "m.onnx")
    result = run_tool("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so")
    assert result.returncode == code and message in result.stderr, result.stderr
    assert 'node "/y"' in result.stderr
