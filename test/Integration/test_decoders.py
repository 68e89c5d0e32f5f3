"""Attention of decoders: a prompt, and then token by token with what it left.

What is known of shapes is what exporters write: names for the batch, the new tokens,
the past and the sum of both.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import list_tiers, run_arrays, run_ok

HEADS, KEY_HEADS, SIZE = 4, 2, 16
RNG = np.random.default_rng(11)


def value(name, dims, element_type=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, element_type, dims)


def make_model(nodes, inputs, constants, opset):
    past = ["batch", KEY_HEADS, "past_sequence_length", SIZE]
    present = ["batch", KEY_HEADS, "total_sequence_length", SIZE]
    rows = [value(name, ["batch", "sequence_length", heads * SIZE])
            for name, heads in (("q", HEADS), ("k", KEY_HEADS), ("v", KEY_HEADS))]
    graph = helper.make_graph(
        nodes, "g",
        rows + inputs + [value(f"past_key_values.0.{half}", past) for half in ("key", "value")],
        [value("y", ["batch", "sequence_length", HEADS * SIZE])]
        + [value(f"present.0.{half}", present) for half in ("key", "value")],
        [numpy_helper.from_array(array, name) for name, array in constants.items()])
    return helper.make_model(graph, ir_version=11 if opset > 22 else 8, opset_imports=[
        helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)])


PASTS = ["past_key_values.0.key", "past_key_values.0.value"]
PRESENTS = ["present.0.key", "present.0.value"]


def make_group_query():
    """As ONNX Runtime GenAI writes it: lengths come from a mask."""
    angles = np.arange(96)[:, None] / 10.0 ** (np.arange(SIZE // 2) / 4)
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.INT32),
        helper.make_node("ReduceSum", ["mask", "axis"], ["count"], keepdims=0),
        helper.make_node("Sub", ["count", "one"], ["last"]),
        helper.make_node("Shape", ["attention_mask"], ["dims"]),
        helper.make_node("Gather", ["dims", "second"], ["length"]),
        helper.make_node("Cast", ["length"], ["total"], to=TensorProto.INT32),
        helper.make_node(
            "GroupQueryAttention", ["q", "k", "v", *PASTS, "last", "total", "cos", "sin"],
            ["y", *PRESENTS], "/attention", domain="com.microsoft", num_heads=HEADS,
            kv_num_heads=KEY_HEADS, do_rotary=1)]
    constants = {
        "axis": np.array([1]), "one": np.array(1, np.int32), "second": np.array(1),
        "cos": np.cos(angles).astype(np.float32), "sin": np.sin(angles).astype(np.float32)}
    mask = value("attention_mask", ["batch", "total_sequence_length"], TensorProto.INT64)
    return make_model(nodes, [mask], constants, 17)


def make_attention():
    return make_model([helper.make_node(
        "Attention", ["q", "k", "v", "", *PASTS], ["y", *PRESENTS], "/attention",
        q_num_heads=HEADS, kv_num_heads=KEY_HEADS, is_causal=1)], [], {}, 23)


def make_pieces():
    """As torch exports it: keys repeated for each head, a mask that is added."""
    def heads(name, count):
        return [helper.make_node("Reshape", [name, f"{count}heads"], [f"{name}4"]),
                helper.make_node("Transpose", [f"{name}4"], [f"{name}h"], perm=[0, 2, 1, 3])]

    def repeat(name):
        return [
            helper.make_node("Unsqueeze", [name, "two"], [f"{name}5"]),
            helper.make_node("Shape", [name], [f"{name}dims"]),
            helper.make_node("Slice", [f"{name}dims", "zero", "one"], [f"{name}b"]),
            helper.make_node("Slice", [f"{name}dims", "two", "three"], [f"{name}t"]),
            helper.make_node("Concat", [f"{name}b", "keys", "groups", f"{name}t", "size"],
                             [f"{name}to"], axis=0),
            helper.make_node("Expand", [f"{name}5", f"{name}to"], [f"{name}e"]),
            helper.make_node("Concat", [f"{name}b", "all", f"{name}t", "size"],
                             [f"{name}back"], axis=0),
            helper.make_node("Reshape", [f"{name}e", f"{name}back"], [f"{name}r"])]

    nodes = [
        *heads("q", HEADS), *heads("k", KEY_HEADS), *heads("v", KEY_HEADS),
        helper.make_node("Concat", [PASTS[0], "kh"], [PRESENTS[0]], axis=2),
        helper.make_node("Concat", [PASTS[1], "vh"], [PRESENTS[1]], axis=2),
        *repeat(PRESENTS[0]), *repeat(PRESENTS[1]),
        helper.make_node("Shape", [PASTS[0]], ["p"], start=2, end=3),
        helper.make_node("Shape", ["q"], ["s"], start=1, end=2),
        helper.make_node("Add", ["p", "s"], ["t"]),
        helper.make_node("Squeeze", ["p"], ["p0"]), helper.make_node("Squeeze", ["t"], ["t0"]),
        helper.make_node("Range", ["none", "t0", "unit"], ["row"]),
        helper.make_node("Range", ["p0", "t0", "unit"], ["queries"]),
        helper.make_node("Unsqueeze", ["queries", "one"], ["column"]),
        helper.make_node("LessOrEqual", ["row", "column"], ["look"]),
        helper.make_node("Where", ["look", "nothing", "far"], ["mask"]),
        helper.make_node("Transpose", [f"{PRESENTS[0]}r"], ["turned"], perm=[0, 1, 3, 2]),
        helper.make_node("MatMul", ["qh", "turned"], ["products"]),
        helper.make_node("Mul", ["products", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mask"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["shares"]),
        helper.make_node("MatMul", ["shares", f"{PRESENTS[1]}r"], ["mixed"]),
        helper.make_node("Transpose", ["mixed"], ["rows"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["rows", "flat"], ["y"])]
    constants = {
        f"{HEADS}heads": np.array([0, 0, HEADS, SIZE]),
        f"{KEY_HEADS}heads": np.array([0, 0, KEY_HEADS, SIZE]),
        "zero": np.array([0]), "one": np.array([1]), "two": np.array([2]), "three": np.array([3]),
        "keys": np.array([KEY_HEADS]), "groups": np.array([HEADS // KEY_HEADS]),
        "all": np.array([HEADS]), "size": np.array([SIZE]), "none": np.array(0),
        "unit": np.array(1), "nothing": np.array(0, np.float32),
        "far": np.array(np.finfo(np.float32).min), "scale": np.array(0.25, np.float32),
        "flat": np.array([0, 0, HEADS * SIZE])}
    return make_model(nodes, [], constants, 18)


MODELS = {"group-query": make_group_query, "attention": make_attention, "pieces": make_pieces}


def make_steps(names, batch, counts=None):
    """Feeds of a prompt of five tokens, of one token and of two, without their past."""
    length = 0
    for count in counts or ((5, 1, 2) if batch == 1 else (5, 1, 1)):
        length += count
        feeds = {"q": (batch, count, HEADS * SIZE), "k": (batch, count, KEY_HEADS * SIZE),
                 "v": (batch, count, KEY_HEADS * SIZE)}
        feeds = {name: RNG.normal(0, 1, dims).astype(np.float32) for name, dims in feeds.items()}
        if "attention_mask" in names:
            feeds["attention_mask"] = np.ones((batch, length), np.int64)
        yield feeds


@pytest.mark.parametrize("name, batch", [
    ("group-query", 1), ("group-query", 2), ("attention", 2), ("pieces", 1)])
def test_steps(name, batch, tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(MODELS[name](), path)
    session = onnxruntime.InferenceSession(path)
    run_ok("qopt-compile", path, "-o", tmp_path / "q.mlir", "--stop-after=quantize")
    assert "qopt.attention" in (tmp_path / "q.mlir").read_text()
    tiers = list_tiers()[1]
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--cpu", ",".join(tiers))
    past = {name: np.zeros((batch, KEY_HEADS, 0, SIZE), np.float32) for name in PASTS}
    for step in make_steps([one.name for one in session.get_inputs()], batch):
        feeds = {**step, **past}
        expected = dict(zip([one.name for one in session.get_outputs()],
                            session.run(None, feeds)))
        reference = run_arrays(tmp_path / "q.mlir", feeds, tmp_path, "--reference")
        for output, want in expected.items():
            assert reference[output].shape == want.shape, output
            assert np.abs(reference[output] - want).max() < 1e-5, output
        for tier in tiers:
            found = run_arrays(tmp_path / "m.so", feeds, tmp_path, environment={"QOPT_CPU": tier})
            for output, want in reference.items():
                assert found[output].tobytes() == want.tobytes(), (tier, output)
        past = {name: expected[other] for name, other in zip(PASTS, PRESENTS)}
