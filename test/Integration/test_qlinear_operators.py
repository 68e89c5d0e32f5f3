"""ONNX Runtime's operators on codes (com.microsoft) give its codes: Reference, every tier.

Floats agree within what the order of a sum may change.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from qopt_tools import list_tiers, run_arrays, run_ok, run_tool

RNG = np.random.default_rng(7)
U8, S8, F32 = np.uint8, np.int8, np.float32


def codes(dtype, *dims):
    limits = np.iinfo(dtype)
    return RNG.integers(limits.min, limits.max + 1, dims).astype(dtype)


def floats(*dims):
    return RNG.normal(0, 1, dims).astype(F32)


def step(value):
    return F32(value)


def case(operator, *inputs, open_inputs=(0,), **attributes):
    return operator, inputs, open_inputs, attributes


def binary(operator, dtype, a_dims, b_dims, zeros=(100, 130, 90), steps=(.02, .031, .05)):
    shift = 128 if dtype == S8 else 0
    points = [dtype(zero - shift) for zero in zeros]
    return case(operator, codes(dtype, *a_dims), step(steps[0]), points[0], codes(dtype, *b_dims),
                step(steps[1]), points[1], step(steps[2]), points[2], open_inputs=(0, 3))


def blocked(bits, block, depth, columns, zeros=None, bias=False, batch=(3,), byte=None):
    """MatMulNBits; `zeros` are none, packed or floats. With `byte` all bytes are this one."""
    blocks = -(-depth // block)
    weights = RNG.integers(0, 256, (columns, blocks, block * bits // 8)).astype(U8)
    if byte is not None:
        weights[:] = byte
    inputs = [floats(*batch, depth), weights, np.abs(floats(columns, blocks)) + F32(.05)]
    if zeros == "packed":
        packed = RNG.integers(0, 256, (columns, -(-blocks * bits // 8))).astype(U8)
        inputs.append(packed if byte is None else np.full_like(packed, byte))
    elif zeros == "floats":
        inputs.append(RNG.uniform(0, 2**bits - 1, (columns, blocks)).astype(F32))
    elif bias:
        inputs.append(None)
    if bias:
        inputs += [None, floats(columns)]
    return case("MatMulNBits", *inputs, N=columns, K=depth, block_size=block, bits=bits)


IMAGE = codes(U8, 2, 5, 7, 6)
CASES = {
    "add_u8": binary("QLinearAdd", U8, (4, 7, 50), (4, 7, 50)),
    "add_s8": binary("QLinearAdd", S8, (3, 40), (40,), steps=(.5, .25, .75)),
    "add_steps": binary("QLinearAdd", U8, (600,), (600,), (0, 0, 0), (.5, .5, 1)),
    "mul_u8": binary("QLinearMul", U8, (4, 7, 50), (7, 1), steps=(.02, .031, .04)),
    "mul_s8": binary("QLinearMul", S8, (3, 40), (3, 40), (128, 117, 131), (.5, .5, 8)),
    "sigmoid": case("QLinearSigmoid", codes(U8, 3, 99), step(.05), U8(120), step(1 / 256), U8(0)),
    "sigmoid_s8": case("QLinearSigmoid", codes(S8, 3, 99), step(.07), S8(-4), step(1 / 256),
                       S8(-128)),
    "leaky_relu": case("QLinearLeakyRelu", codes(S8, 3, 99), step(.05), S8(3), step(.04), S8(-60),
                       alpha=.2),
    "concat": case("QLinearConcat", step(.05), U8(100), codes(U8, 2, 3), step(.05), U8(100),
                   codes(U8, 2, 4), step(.03), U8(80), axis=1, open_inputs=(2, 5)),
    "softmax": case("QLinearSoftmax", codes(U8, 5, 33), step(.04), U8(7), step(1 / 256), U8(0),
                    axis=-1, opset=13),
    "softmax_flat": case("QLinearSoftmax", codes(S8, 2, 3, 5), step(.04), S8(7), step(1 / 256),
                         S8(-128), axis=1, opset=12),
    "where": case("QLinearWhere", RNG.integers(0, 2, (4, 6)).astype(bool), codes(U8, 4, 6),
                  step(.05), U8(100), codes(U8, 6), step(.03), U8(80), step(.04), U8(90),
                  open_inputs=(0, 1, 4)),
    "average_pool": case("QLinearAveragePool", IMAGE, step(.05), U8(100), step(.03), U8(99),
                         kernel_shape=[3, 2], pads=[1, 0, 1, 1], strides=[2, 1]),
    "average_pool_padded": case("QLinearAveragePool", IMAGE, step(.05), U8(100), step(.03), U8(99),
                                kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    "average_pool_last": case("QLinearAveragePool", codes(U8, 2, 7, 6, 5), step(.05), U8(100),
                              step(.03), U8(99), kernel_shape=[3, 2], channels_last=1),
    "global_average_pool": case("QLinearGlobalAveragePool", IMAGE, step(.05), U8(100), step(.02),
                                U8(90)),
    "global_average_pool_last": case("QLinearGlobalAveragePool", codes(S8, 2, 7, 6, 5), step(.05),
                                     S8(3), step(.02), S8(9), channels_last=1),
    "gemm": case("QGemm", codes(U8, 4, 32), step(.02), U8(100), codes(S8, 32, 9),
                 np.full(9, .01, F32), np.zeros(9, S8), RNG.integers(-900, 900, 9).astype(np.int32),
                 step(.2), U8(120)),
    "gemm_transposed": case("QGemm", codes(U8, 32, 4), step(.02), U8(100), codes(U8, 9, 32),
                            step(.01), U8(77), None, step(.2), U8(120), transA=1, transB=1),
    "gemm_float": case("QGemm", codes(U8, 4, 32), step(.02), U8(100), codes(U8, 32, 9), step(.01),
                       U8(77), alpha=.5),
    "matmul_to_float": case("MatMulIntegerToFloat", codes(U8, 2, 4, 32), codes(S8, 32, 9),
                            step(.02), np.full(9, .01, F32), U8(90), None, floats(9)),
    "dynamic_matmul": case("DynamicQuantizeMatMul", floats(2, 4, 32), codes(S8, 32, 9),
                           np.full(9, .01, F32), None, floats(9)),
    "dynamic_matmul_zero": case("DynamicQuantizeMatMul", floats(4, 32), codes(U8, 32, 9),
                                step(.01), U8(120)),
    "bits4": blocked(4, 32, 96, 10),
    "bits4_packed": blocked(4, 32, 96, 10, "packed", batch=(2, 3)),
    "bits4_floats": blocked(4, 16, 64, 10, "floats"),
    "bits4_equal": blocked(4, 32, 96, 10, "packed", byte=0x5A),
    "bits4_short": blocked(4, 16, 40, 7, "packed", bias=True),
    "bits8": blocked(8, 32, 64, 6, "packed"),
    "bits2": blocked(2, 64, 128, 5),
}
#: Those with outputs of floats, and how far these may be apart.
REAL = {"gemm_float", "matmul_to_float", "dynamic_matmul", "dynamic_matmul_zero",
        *(name for name in CASES if name.startswith("bits"))}
BOUND = 1e-6


def write_model(name, folder):
    operator, arrays, open_inputs, attributes = CASES[name]
    names = ["" if array is None else f"i{i}" for i, array in enumerate(arrays)]
    feeds = {names[i]: np.asarray(arrays[i]) for i in open_inputs}
    inputs = [helper.make_tensor_value_info(
        key, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for key, array in feeds.items()]
    constants = [numpy_helper.from_array(np.asarray(array), key)
                 for key, array in zip(names, arrays) if key and key not in feeds]
    node = helper.make_node(operator, names, ["y"], name="node", domain="com.microsoft",
                            **attributes)
    kind = F32 if name in REAL else next(array.dtype for array in arrays if array is not None
                                         and array.dtype in (U8, S8))
    output = helper.make_tensor_value_info("y", helper.np_dtype_to_tensor_dtype(np.dtype(kind)), None)
    graph = helper.make_graph([node], name, inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[
        helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=9)
    path = folder / "model.onnx"
    onnx.save(model, path)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return path, feeds, session.run(None, feeds)[0]


def expect(found, expected):
    assert found.dtype == expected.dtype and found.shape == expected.shape
    if expected.dtype != F32:
        assert (found == expected).all()
        return
    error = np.abs(found - expected).max()
    assert error <= BOUND * np.abs(expected).max()


@pytest.mark.parametrize("name", CASES)
def test_operator(name, tmp_path):
    path, feeds, expected = write_model(name, tmp_path)
    reference = run_arrays(path, feeds, tmp_path, "--reference")["y"]
    expect(reference, expected)
    tiers = list_tiers()[1]
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--cpu", ",".join(tiers))
    for tier in tiers:
        found = run_arrays(tmp_path / "m.so", feeds, tmp_path, environment={"QOPT_CPU": tier})["y"]
        expect(found, expected)


def test_groups_of_rows(tmp_path):
    """g_idx with zero points that are packed, which ONNX Runtime leaves out of account."""
    bits, block, depth, columns = 4, 16, 64, 5
    rng = np.random.default_rng(3)
    groups = rng.permutation(np.arange(depth, dtype=np.int32) // block)
    weights = rng.integers(0, 256, (columns, depth // block, block // 2)).astype(U8)
    zeros = rng.integers(0, 256, (columns, 2)).astype(U8)
    scales = rng.uniform(.1, 1, (columns, depth // block)).astype(F32)
    x = rng.normal(size=(3, depth)).astype(F32)

    def unpack(packed):
        return np.stack([packed & 15, packed >> 4], -1).reshape(columns, -1).astype(F32)

    real = (unpack(weights.reshape(columns, -1)) - unpack(zeros)[:, groups]) * scales[:, groups]
    node = helper.make_node("MatMulNBits", ["x", "w", "s", "z", "g"], ["y"], K=depth, N=columns,
                            bits=bits, block_size=block, domain="com.microsoft")
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node], "groups", [value("x", onnx.TensorProto.FLOAT, [3, depth])],
        [value("y", onnx.TensorProto.FLOAT, [3, columns])],
        [numpy_helper.from_array(array, name) for name, array in (
            ("w", weights), ("s", scales), ("z", zeros), ("g", groups))])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[
        helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=9), path)
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so")
    for program, more in ((path, ["--reference"]), (tmp_path / "m.so", [])):
        found = run_arrays(program, {"x": x}, tmp_path, *more)["y"]
        np.testing.assert_allclose(found, x @ real.T, rtol=1e-5, atol=1e-5)


def test_weights_keep_their_bits(tmp_path):
    """The program multiplies the codes of the file."""
    path, feeds, expected = write_model("bits4_packed", tmp_path)
    phase = tmp_path / "q.mlir"
    run_ok("qopt-compile", path, "-o", phase, "--stop-after=quantize")
    product = next(line for line in phase.read_text().splitlines() if "qopt.matmul" in line)
    assert "xui4>" in product and "block = 32" in product, product


@pytest.mark.parametrize("change, message", [
    ({"bits": 3}, 'attribute "bits" expects 2, 4 or 8, but found 3'),
    ({"block_size": 24}, 'attribute "block_size" expects a power of two from 16 on, but found 24'),
    ({"N": 11}, "expects 528 bytes of weights, but found 480"),
    ({"K": 64}, 'expects rows of 64, as "K" says, but found 96'),
])
def test_wrong_weights(change, message, tmp_path):
    path, _, _ = write_model("bits4", tmp_path)
    model = onnx.load(path)
    for attribute in model.graph.node[0].attribute:
        attribute.i = change.get(attribute.name, attribute.i)
    onnx.save(model, path)
    result = run_tool("qopt-compile", path, "-o", tmp_path / "m.so")
    assert result.returncode in (1, 3)
    assert message in result.stderr
