"""Operators of the domain com.microsoft, compared with ONNX Runtime, whose they are.

Each goes through Reference and compiled; dims are known only where the importer asks for them.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from qopt_tools import list_tiers, run_arrays, run_ok, run_tool

RNG = np.random.default_rng(5)


def floats(*dims):
    return RNG.normal(0, 1, dims).astype(np.float32)


def codes(*dims, dtype=np.uint8):
    info = np.iinfo(dtype)
    return RNG.integers(info.min, info.max + 1, dims).astype(dtype)


def case(*inputs, outputs=1, bound=1e-5, domain="com.microsoft", **attributes):
    """Inputs that are None are left out."""
    return inputs, outputs, bound, domain, attributes


ANGLES = RNG.uniform(0, 3, (9, 4))
COS, SIN = np.cos(ANGLES).astype(np.float32), np.sin(ANGLES).astype(np.float32)

# Six tokens of four heads, of which two share keys and values.
HEADS = {"num_heads": 4, "kv_num_heads": 2}
Q, K, V = floats(2, 6, 64), floats(2, 6, 32), floats(2, 6, 32)
TURNS = RNG.uniform(0, 3, (9, 8))
TABLES = np.cos(TURNS).astype(np.float32), np.sin(TURNS).astype(np.float32)
FULL, SIX = np.array([5, 5], np.int32), np.array(6, np.int32)
PAST = floats(2, 2, 5, 16), floats(2, 2, 5, 16)
# What lies behind the keys of a shorter sequence: ONNX Runtime writes zeros there.
for half in PAST:
    half[0, :, 3:] = 0
BUFFER = tuple(np.concatenate([half, np.zeros((2, 2, 4, 16), np.float32)], 2) for half in PAST)

CASES = {
    "Gelu": [case(floats(3, 5))],
    "BiasGelu": [case(floats(2, 3, 5), floats(5))],
    "FastGelu": [case(floats(3, 5)), case(floats(2, 3, 5), floats(5))],
    "QuickGelu": [case(floats(3, 5)), case(floats(3, 5), alpha=0.7)],
    "SkipLayerNormalization": [
        case(floats(2, 3, 8), floats(2, 3, 8), floats(8), floats(8), floats(8),
             outputs=4, epsilon=1e-3),
        case(floats(2, 3, 8), floats(2, 3, 8), floats(8))],
    "SkipSimplifiedLayerNormalization": [
        case(floats(2, 3, 8), floats(2, 3, 8), floats(8), floats(8), epsilon=1e-3),
        case(floats(2, 3, 8), floats(2, 3, 8), floats(8))],
    "SimplifiedLayerNormalization": [case(floats(2, 3, 8), floats(8), domain="", epsilon=1e-3)],
    # Of the default domain, but in no case of onnx's own.
    "GlobalLpPool": [case(floats(2, 3, 4, 5), domain=""), case(floats(2, 3, 7), domain="", p=3)],
    "ConvTranspose": [
        case(floats(1, 4, 5, 6), floats(4, 3, 3, 3), floats(6), domain="", group=2, strides=[2, 3],
             pads=[1, 0, 2, 1], output_padding=[1, 2], dilations=[2, 1]),
        case(floats(2, 2, 7), floats(2, 3, 4), domain="", strides=[2], auto_pad="SAME_UPPER"),
        case(floats(1, 2, 3, 3, 4), floats(2, 2, 2, 3, 3), domain="", strides=[1, 2, 2])],
    "RotaryEmbedding": [
        case(floats(2, 3, 16), np.array([[0, 1, 2], [4, 5, 8]]), COS, SIN),
        case(floats(2, 2, 3, 8), np.array([2]), COS, SIN, interleaved=1)],
    "FusedMatMul": [
        case(floats(2, 4, 3), floats(2, 4, 5), transA=1, alpha=0.5),
        case(floats(7, 3, 5), floats(4, 3, 5), transBatchA=1, transBatchB=1, transB=1)],
    "TransposeMatMul": [
        case(floats(2, 4, 3), floats(2, 4, 5), transA=1, alpha=0.5)],
    "FusedGemm": [
        case(floats(3, 4), floats(5, 4), floats(5), transB=1, alpha=0.5, beta=2.0,
             activation="LeakyRelu", activation_alpha=0.2)],
    "FusedConv": [
        case(floats(1, 4, 5, 6), floats(6, 2, 3, 3), floats(6), floats(1, 6, 5, 6), group=2,
             pads=[1, 1, 1, 1], activation="Relu"),
        case(floats(1, 2, 5, 5), floats(3, 2, 2, 2), floats(3), activation="Clip",
             activation_params=[-0.5, 0.5])],
    "GatherBlockQuantized": [
        case(RNG.integers(0, 256, (9, 32)).astype(np.uint8), RNG.integers(-9, 9, (2, 3)),
             floats(9, 4), bits=4, block_size=16, quantize_axis=1, gather_axis=0),
        case(RNG.integers(0, 256, (9, 64)).astype(np.uint8), RNG.integers(0, 9, (4,)),
             floats(9, 4), RNG.integers(0, 256, (9, 4)).astype(np.uint8), bits=8, block_size=16,
             quantize_axis=1, gather_axis=0)],
    # Of the default domain, with what onnx's cases do not have.
    "MaxRoiPool": [
        case(floats(2, 3, 9, 8),
             np.array([[0, 0, 0, 7, 8], [1, 2, 3, 4, 4], [1, -3, 1, 2, 20]], np.float32),
             domain="", pooled_shape=[3, 2], spatial_scale=0.9)],
    "QAttention": [
        case(codes(2, 3, 8), codes(8, 24), floats(24), np.array(0.02, np.float32),
             np.array(0.003, np.float32), None, np.array(120, np.uint8), np.array(131, np.uint8),
             num_heads=2),
        case(codes(2, 3, 8), codes(8, 24, dtype=np.int8), floats(24), np.array(0.02, np.float32),
             np.abs(floats(24)) / 500, np.array([2, 3], np.int32), np.array(120, np.uint8), None,
             floats(2, 2, 2, 4, 4), outputs=2, num_heads=2, unidirectional=1)],
    "MultiHeadAttention": [
        case(floats(2, 3, 8), floats(2, 5, 8), floats(2, 5, 8), num_heads=2),
        case(floats(2, 3, 8), floats(2, 3, 8), floats(2, 3, 8), floats(24),
             np.array([[1, 1, 0], [1, 0, 0]], np.int32), num_heads=2, bound=1e-4),
        case(floats(2, 3, 8), floats(2, 3, 8), floats(2, 3, 8), None, None, floats(1, 2, 3, 5),
             floats(2, 2, 2, 4), floats(2, 2, 2, 4), outputs=3, num_heads=2, unidirectional=1)],
    "GroupQueryAttention": [
        case(Q, K, V, None, None, FULL, SIX, outputs=3, **HEADS),
        case(np.concatenate([Q, K, V], 2), None, None, None, None, FULL, SIX, *TABLES, outputs=3,
             do_rotary=1, **HEADS),
        case(Q, K, V, None, None, FULL, SIX, *TABLES, outputs=3, do_rotary=1,
             rotary_interleaved=1, local_window_size=3, **HEADS),
        # A step of decoding: with a past as long as it is, in two lengths, in a buffer.
        case(Q[:, :1], K[:, :1], V[:, :1], *PAST, np.array([5, 5], np.int32), SIX, *TABLES,
             outputs=3, do_rotary=1, **HEADS),
        case(Q[:, :1], K[:, :1], V[:, :1], *PAST, np.array([3, 5], np.int32), SIX, outputs=3,
             **HEADS),
        case(Q[:, :1], K[:, :1], V[:, :1], *BUFFER, np.array([5, 5], np.int32), SIX, *TABLES,
             do_rotary=1, outputs=3, scale=0.7, **HEADS),
        # Three tokens behind five.
        case(Q[:1, :3], K[:1, :3], V[:1, :3], *(half[:1] for half in PAST),
             np.array([7], np.int32), np.array(8, np.int32), *TABLES, do_rotary=1, outputs=3,
             **HEADS),
        case(Q, K, V, None, None, FULL, SIX, softcap=2.0, **HEADS),
        case(Q, K, V, None, None, FULL, SIX, smooth_softmax=1, **HEADS),
        case(Q, K, V, None, None, FULL, SIX, None, None, None, None, floats(4), **HEADS),
        case(Q, K, V, None, None, FULL, SIX, None, None, None, floats(1, 1, 6, 6), **HEADS),
        case(Q, K, V, None, None, FULL, SIX, causal=0, **HEADS)],
    "EmbedLayerNormalization": [
        case(np.array([[1, 2, 3], [4, 5, 6]], np.int32), np.array([[0, 0, 1], [0, 1, 1]], np.int32),
             floats(9, 8), floats(5, 8), floats(2, 8), floats(8), floats(8),
             np.array([[1, 1, 0], [1, 1, 1]], np.int32), outputs=2, epsilon=1e-5),
        case(np.array([[1, 2, 3]], np.int32), None, floats(9, 8), floats(5, 8), None, floats(8),
             floats(8), None, np.array([[2, 0, 4]], np.int32), outputs=3, mask_index_type=0)],
    "Attention": [
        case(floats(2, 3, 8), floats(8, 24), floats(24), num_heads=2),
        case(floats(2, 3, 8), floats(8, 24), floats(24), np.array([2, 3], np.int32), num_heads=4,
             bound=1e-4),
        case(floats(2, 3, 8), floats(8, 24), floats(24), None, floats(2, 2, 2, 5, 4), outputs=2,
             num_heads=2, unidirectional=1)],
}


def lstm_case(*, steps, batch, directions, dtype, each=False, states=False, **attributes):
    """Scales and zero points of a direction, or of `each` column."""
    hidden, inputs = 4, 5
    dims = (directions, 4 * hidden) if each else (directions,)

    def parameters():
        zero = np.zeros(dims, dtype) if dtype == np.int8 else codes(*dims)
        return np.abs(floats(*dims)) / 200 + np.float32(2e-3), zero

    state = [floats(directions, batch, hidden) if states else None for _ in range(2)]
    return case(floats(steps, batch, inputs), codes(directions, inputs, 4 * hidden, dtype=dtype),
                codes(directions, hidden, 4 * hidden, dtype=dtype), floats(directions, 8 * hidden),
                None, *state, None, *parameters(), *parameters(), outputs=3, bound=1e-4,
                hidden_size=hidden, **attributes)


CASES["DynamicQuantizeLSTM"] = [
    lstm_case(steps=6, batch=1, directions=1, dtype=np.uint8),
    lstm_case(steps=6, batch=1, directions=2, dtype=np.uint8, states=True,
              direction="bidirectional"),
    lstm_case(steps=5, batch=1, directions=1, dtype=np.int8, each=True, direction="reverse"),
    lstm_case(steps=1, batch=1, directions=1, dtype=np.int8, states=True, clip=0.7)]
ROWS = [(name, index) for name, cases in CASES.items() for index in range(len(cases))]


def build(name, row):
    inputs, outputs, _, domain, attributes = row
    names = ["" if array is None else f"x{i}" for i, array in enumerate(inputs)]
    feeds = {name: array for name, array in zip(names, inputs) if name}
    made = [f"y{i}" for i in range(outputs)]
    infos = [helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in feeds.items()]
    graph = helper.make_graph(
        [helper.make_node(name, names, made, "/node", domain=domain, **attributes)], "g", infos,
        [onnx.ValueInfoProto(name=name) for name in made])
    return helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]), feeds


@pytest.mark.parametrize("name, index", ROWS, ids=[f"{name}-{index}" for name, index in ROWS])
def test_operator(name, index, tmp_path):
    row = CASES[name][index]
    model, feeds = build(name, row)
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path)
    expected = dict(zip([output.name for output in session.get_outputs()],
                        session.run(None, feeds)))
    reference = run_arrays(path, feeds, tmp_path, "--reference")
    for output, want in expected.items():
        have = reference[output]
        assert have.dtype == want.dtype and have.shape == want.shape, output
        assert np.abs(have.astype(np.float64) - want).max() <= row[2] * max(
            1, np.abs(want).max()), output
    # What is recognised has another order of sums, which `quantize` fixes.
    run_ok("qopt-compile", path, "-o", tmp_path / "m.mlir", "--stop-after=quantize")
    reference = run_arrays(tmp_path / "m.mlir", feeds, tmp_path, "--reference")
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--cpu", ",".join(list_tiers()[1]))
    for tier in list_tiers()[1]:
        found = run_arrays(tmp_path / "m.so", feeds, tmp_path, environment={"QOPT_CPU": tier})
        for output in expected:
            assert found[output].tobytes() == reference[output].tobytes(), (tier, output)


def test_a_width_that_three_cannot_share(tmp_path):
    scale = np.array(0.02, np.float32)
    model, _ = build("QAttention", case(codes(2, 3, 8), codes(8, 25), floats(25), scale, scale,
                                        num_heads=2))
    onnx.save(model, tmp_path / "model.onnx")
    result = run_tool("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "m.so")
    assert result.returncode == 1 and "of one width, side by side" in result.stderr, result.stderr


def test_a_convolution_with_channels_last(tmp_path):
    """ONNX Runtime has it for other machines; it is Conv between two transposes."""
    x, weights, bias = floats(2, 7, 6, 4), floats(6, 2, 3, 3), floats(6)
    attributes = {"group": 2, "pads": [1, 0, 1, 1], "strides": [2, 1]}
    model, feeds = build("NhwcConv", case(x, weights, bias, **attributes))
    onnx.save(model, tmp_path / "model.onnx")
    plain, plain_feeds = build("Conv", case(x.transpose(0, 3, 1, 2), weights, bias, domain="",
                                            **attributes))
    session = onnxruntime.InferenceSession(plain.SerializeToString())
    expected = session.run(None, plain_feeds)[0].transpose(0, 2, 3, 1)
    reference = run_arrays(tmp_path / "model.onnx", feeds, tmp_path, "--reference")["y0"]
    np.testing.assert_allclose(reference, expected, rtol=1e-5, atol=1e-5)
    run_ok("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "m.so", "--quiet")
    found = run_arrays(tmp_path / "m.so", feeds, tmp_path)["y0"]
    assert found.tobytes() == reference.tobytes()


def test_an_lstm_without_a_scale(tmp_path):
    inputs, *rest = CASES["DynamicQuantizeLSTM"][0]
    model, _ = build("DynamicQuantizeLSTM", (inputs[:8], *rest))
    onnx.save(model, tmp_path / "model.onnx")
    result = run_tool("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "m.so")
    assert result.returncode == 1 and "expects W_scale" in result.stderr
