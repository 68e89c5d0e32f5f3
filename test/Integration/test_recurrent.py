"""LSTM, GRU and RNN: Reference against ONNX Runtime, artefacts with the bits of Reference."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import list_tiers, run_arrays, run_ok, run_tool
from vulkan_driver import find_environment

RNG = np.random.default_rng(7)
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
STEPS, BATCH, INPUTS, HIDDEN = 6, 3, 5, 4


def floats(*dims):
    return RNG.normal(0, 0.4, dims).astype(np.float32)


def make_feeds(operator, directions, layout, extras):
    """Operands by name; what `extras` does not name is left out."""
    rows = GATES[operator] * HIDDEN
    state = (BATCH, directions, HIDDEN) if layout else (directions, BATCH, HIDDEN)
    feeds = {
        "X": floats(*((BATCH, STEPS) if layout else (STEPS, BATCH)), INPUTS),
        "W": floats(directions, rows, INPUTS), "R": floats(directions, rows, HIDDEN),
        "B": floats(directions, 2 * rows),
        "sequence_lens": np.array([STEPS, 2, 4], np.int32),
        "initial_h": floats(*state), "initial_c": floats(*state),
        "P": floats(directions, 3 * HIDDEN)}
    return {name: array for name, array in feeds.items()
            if name in ("X", "W", "R") or name in extras}


def write_model(path, operator, attributes, feeds, *, opset=14, constants=("W", "R", "B", "P"),
                dims=None, outputs=None):
    """One node; X has open dims unless `dims` says others."""
    order = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
    inputs = [name if name in feeds else "" for name in order]
    while not inputs[-1]:
        inputs.pop()
    outputs = outputs or ["Y", "Y_h", "Y_c"][:3 if operator == "LSTM" else 2]
    values = [helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(array.dtype),
        dims if dims and name == "X" else [f"{name}{i}" for i in range(array.ndim - 1)] + [array.shape[-1]]
        if name == "X" else array.shape)
        for name, array in feeds.items() if name not in constants]
    node = helper.make_node(operator, inputs, outputs, "/cell", hidden_size=HIDDEN, **attributes)
    graph = helper.make_graph(
        [node], "recurrent", values,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs if name],
        [numpy_helper.from_array(array, name) for name, array in feeds.items() if name in constants])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, path)
    return {name: array for name, array in feeds.items() if name not in constants}


def run_peer(path, feeds):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds)))


def check(path, feeds, folder, atol=2e-6):
    """Reference is near ONNX Runtime, and every tier has its bits."""
    expected = run_peer(path, feeds)
    reference = run_arrays(path, feeds, folder, "--reference")
    assert set(reference) == set(expected)
    for name, array in expected.items():
        assert reference[name].shape == array.shape, name
        np.testing.assert_allclose(reference[name], array, atol=atol, rtol=1e-5, err_msg=name)
    tiers = list_tiers()[1]
    run_ok("qopt-compile", path, "-o", folder / "m.so", "--cpu", ",".join(tiers), "--quiet")
    for tier in tiers:
        found = run_arrays(folder / "m.so", feeds, folder, environment={"QOPT_CPU": tier})
        for name, array in reference.items():
            assert found[name].tobytes() == array.tobytes(), (tier, name)


ALL = ("B", "sequence_lens", "initial_h", "initial_c", "P")
CASES = {
    "rnn": ("RNN", {}, ("B",)),
    "rnn_relu_clip": ("RNN", {"activations": ["Relu"], "clip": 0.3}, ("B", "initial_h")),
    "rnn_lengths": ("RNN", {"direction": "reverse"}, ("B", "sequence_lens", "initial_h")),
    "gru": ("GRU", {}, ()),
    "gru_before_reset": ("GRU", {"linear_before_reset": 1, "direction": "bidirectional"},
                         ("B", "sequence_lens", "initial_h")),
    "gru_before_reset_without_bias": ("GRU", {"linear_before_reset": 1}, ()),
    "gru_reverse": ("GRU", {"direction": "reverse", "clip": 0.5}, ("B", "initial_h")),
    "gru_activations": ("GRU", {"activations": ["HardSigmoid", "LeakyRelu"], "activation_alpha": [0.3, 0.2],
                                "activation_beta": [0.4]}, ("B",)),
    "lstm": ("LSTM", {}, ("B",)),
    "lstm_all": ("LSTM", {"direction": "bidirectional"}, ALL),
    "lstm_reverse": ("LSTM", {"direction": "reverse", "clip": 0.4}, ("B", "initial_h", "initial_c")),
    "lstm_forget": ("LSTM", {"input_forget": 1}, ("B", "P")),
    "lstm_activations": ("LSTM", {
        "direction": "bidirectional",
        "activations": ["Sigmoid", "Elu", "Softsign", "HardSigmoid", "ScaledTanh", "Affine"],
        "activation_alpha": [0.7, 0.25, 1.5, 0.8], "activation_beta": [0.45, 0.6, 0.1]}, ("B",)),
    "lstm_more_activations": ("LSTM", {"activations": ["Sigmoid", "ThresholdedRelu", "Softplus"],
                                       "activation_alpha": [0.1]}, ("B",)),
}


@pytest.mark.parametrize("name", CASES)
def test_cells(name, tmp_path):
    operator, attributes, extras = CASES[name]
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    extras = extras if operator == "LSTM" else [e for e in extras if e not in ("initial_c", "P")]
    feeds = write_model(tmp_path / "m.onnx", operator, attributes,
                        make_feeds(operator, directions, 0, extras))
    check(tmp_path / "m.onnx", feeds, tmp_path)


@pytest.mark.parametrize("operator", GATES)
def test_static_dims(operator, tmp_path):
    feeds = write_model(tmp_path / "m.onnx", operator, {"direction": "bidirectional"},
                        make_feeds(operator, 2, 0, ("B", "initial_h")), dims=[STEPS, BATCH, INPUTS])
    check(tmp_path / "m.onnx", feeds, tmp_path)


@pytest.mark.parametrize("dims", [[130, 2, INPUTS], ["steps", "batch", INPUTS]])
def test_more_steps_than_are_joined_at_once(dims, tmp_path):
    feeds = make_feeds("LSTM", 2, 0, ("B",))
    feeds["X"] = floats(130, 2, INPUTS)
    feeds = write_model(tmp_path / "m.onnx", "LSTM", {"direction": "bidirectional"}, feeds, dims=dims)
    check(tmp_path / "m.onnx", feeds, tmp_path, atol=5e-6)


@pytest.mark.parametrize("operator", GATES)
def test_one_step_has_no_loop(operator, tmp_path):
    feeds = make_feeds(operator, 1, 0, ("B", "initial_h", "initial_c") if operator == "LSTM" else ("B", "initial_h"))
    feeds["X"] = feeds["X"][:1]
    feeds = write_model(tmp_path / "m.onnx", operator, {}, feeds, dims=[1, BATCH, INPUTS])
    check(tmp_path / "m.onnx", feeds, tmp_path)
    text = run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.mlir", "--stop-after=import", "--quiet")
    assert "scf." not in (text + (tmp_path / "m.mlir").read_text())


def test_weights_that_are_computed(tmp_path):
    feeds = write_model(tmp_path / "m.onnx", "LSTM", {}, make_feeds("LSTM", 1, 0, ("B",)), constants=())
    check(tmp_path / "m.onnx", feeds, tmp_path)


@pytest.mark.parametrize("operator", GATES)
def test_batch_first_is_the_other_layout_turned(operator, tmp_path):
    """ONNX Runtime has no layout of 1: the node's own form without it is the oracle."""
    extras = ("B", "sequence_lens", "initial_h") + (("initial_c",) if operator == "LSTM" else ())
    attributes = {"direction": "bidirectional"}
    feeds = make_feeds(operator, 2, 0, extras)
    inputs = write_model(tmp_path / "t.onnx", operator, attributes, feeds)
    expected = run_peer(tmp_path / "t.onnx", inputs)
    turned = {name: np.ascontiguousarray(array.swapaxes(0, 1)) if name in ("X", "initial_h", "initial_c") else array
              for name, array in feeds.items()}
    inputs = write_model(tmp_path / "b.onnx", operator, {"layout": 1, **attributes}, turned)
    run_ok("qopt-compile", tmp_path / "b.onnx", "-o", tmp_path / "b.so", "--quiet")
    for program, flags in [(tmp_path / "b.onnx", ["--reference"]), (tmp_path / "b.so", [])]:
        found = run_arrays(program, inputs, tmp_path, *flags)
        np.testing.assert_allclose(found["Y"], expected["Y"].transpose(2, 0, 1, 3), atol=2e-6)
        np.testing.assert_allclose(found["Y_h"], expected["Y_h"].swapaxes(0, 1), atol=2e-6)


def test_no_steps(tmp_path):
    """The states stay what they were."""
    feeds = make_feeds("GRU", 1, 0, ("B", "initial_h"))
    feeds["X"] = feeds["X"][:0]
    feeds = write_model(tmp_path / "m.onnx", "GRU", {}, feeds)
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so", "--quiet")
    for program, flags in [(tmp_path / "m.onnx", ["--reference"]), (tmp_path / "m.so", [])]:
        found = run_arrays(program, feeds, tmp_path, *flags)
        assert found["Y"].shape == (0, 1, BATCH, HIDDEN)
        np.testing.assert_array_equal(found["Y_h"], feeds["initial_h"])


def test_outputs_that_are_left_out(tmp_path):
    feeds = write_model(tmp_path / "m.onnx", "LSTM", {}, make_feeds("LSTM", 1, 0, ("B",)),
                        outputs=["", "", "Y_c"])
    check(tmp_path / "m.onnx", feeds, tmp_path)


def write_wide(path):
    """Large enough that presets take its products."""
    rng = np.random.default_rng(5)
    tensors = {"W": rng.normal(0, 0.2, (1, 256, 32)), "R": rng.normal(0, 0.2, (1, 256, 64)),
               "B": rng.normal(0, 0.2, (1, 512))}
    graph = helper.make_graph(
        [helper.make_node("LSTM", ["x", "W", "R", "B"], ["", "h"], "/cell", hidden_size=64)], "wide",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["steps", "batch", 32])],
        [helper.make_tensor_value_info("h", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in tensors.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return [{"x": rng.normal(0, 1, (9, 2, 32)).astype(np.float32)} for _ in range(8)]


@pytest.mark.parametrize("preset", ["w8a8-dynamic", "mxint8", "w4a16-g32", "w8a8"])
def test_presets_quantize_both_products(preset, tmp_path):
    samples = write_wide(tmp_path / "m.onnx")
    flags = []
    if preset == "w8a8":
        (tmp_path / "calib").mkdir()
        for i, sample in enumerate(samples):
            np.savez(tmp_path / "calib" / f"{i}.npz", **sample)
        flags = ["--calib", tmp_path / "calib"]
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "q.mlir", "--stop-after=quantize",
           "--preset", preset, "--quiet", *flags)
    tiers = list_tiers()[1]
    run_ok("qopt-compile", "--start-from=quantize", tmp_path / "q.mlir", "-o", tmp_path / "m.so", "--quiet",
           "--cpu", ",".join(tiers), "--report", tmp_path / "report")
    rows = json.loads((tmp_path / "report" / "report.json").read_text())["contract"]
    row, = [row for row in rows if row["node"] == "/cell"]
    assert row["realised"] == row["planned"] != "float", row
    expected = run_peer(tmp_path / "m.onnx", samples[0])
    for tier in tiers:
        np.savez(tmp_path / "in.npz", **samples[0])
        run_ok("qopt-run", tmp_path / "m.so", "--inputs", tmp_path / "in.npz", f"--compare={tmp_path / 'q.mlir'}",
               "--atol", 0, "--rtol", 0, environment={"QOPT_CPU": tier})
    found = run_arrays(tmp_path / "m.so", samples[0], tmp_path)
    noise = np.sum((found["h"] - expected["h"]) ** 2) / np.sum(expected["h"] ** 2)
    assert noise < (10 ** -1.2 if preset == "w4a16-g32" else 10 ** -2.5), noise


@pytest.mark.skipif(find_environment() is None, reason="needs a Vulkan driver")
@pytest.mark.parametrize("steps", [1, STEPS])
def test_on_a_device(steps, tmp_path):
    """One step needs no loop."""
    feeds = make_feeds("LSTM", 1, 0, ("B", "initial_h", "initial_c"))
    feeds["X"] = feeds["X"][:steps]
    feeds = write_model(tmp_path / "m.onnx", "LSTM", {}, feeds, dims=[steps, BATCH, INPUTS])
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "v.so", "--target=vulkan", "--quiet")
    expected = run_peer(tmp_path / "m.onnx", feeds)
    found = run_arrays(tmp_path / "v.so", feeds, tmp_path, environment=find_environment())
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, atol=1e-4)


def test_loops_are_not_written_to_files(tmp_path):
    write_model(tmp_path / "m.onnx", "LSTM", {}, make_feeds("LSTM", 1, 0, ("B",)))
    result = run_tool("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "q.onnx", "--emit=qdq-onnx",
                      "--preset=w8a8-dynamic")
    assert result.returncode == 3 and "which is not written to ONNX files" in result.stderr, result.stderr
    assert "compile to an artefact" in result.stderr and not (tmp_path / "q.onnx").exists()


#: A change of the node of the first row, the exit code and what is said.
REFUSED = {
    "direction": ({"direction": "sideways"}, {}, 1, 'expects a direction of "forward", "reverse" or'),
    "activation": ({"activations": ["Sigmoid", "Tanh", "Cosine"]}, {}, 1, 'there is no activation "Cosine"'),
    "activations": ({"activations": ["Sigmoid"]}, {}, 1, "expects 3 activations, but found 1"),
    "dims": ({}, {"R": floats(1, 16, 5)}, 1, "expects R of dims [1, 16, 4]"),
    "bias": ({}, {"B": floats(1, 16)}, 1, "expects B of dims [1, 32]"),
    "layout": ({"layout": 2}, {}, 1, "expects a layout of 0 or 1, but found 2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, tmp_path):
    attributes, operands, code, message = REFUSED[name]
    feeds = {**make_feeds("LSTM", 1, 0, ("B",)), **operands}
    write_model(tmp_path / "m.onnx", "LSTM", attributes, feeds)
    result = run_tool("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so")
    assert result.returncode == code and message in result.stderr, result.stderr
    assert "/cell" in result.stderr
