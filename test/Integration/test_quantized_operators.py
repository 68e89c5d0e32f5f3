"""Operators on codes have the integers that their specification says: Reference, every tier.

The oracle is numpy, in 64 bits where the specification sums integers and in float32 where it
rounds; ONNX Runtime has the same codes where it has a kernel for the types.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from qopt_tools import list_tiers, run_arrays, run_ok

RNG = np.random.default_rng(5)
U8, S8 = np.uint8, np.int8


def codes(dtype, *dims):
    limits = np.iinfo(dtype)
    return RNG.integers(limits.min, limits.max + 1, dims).astype(dtype)


def scales(*dims):
    return RNG.uniform(0.004, 0.02, dims).astype(np.float32)


def saturate(values, dtype):
    return np.clip(values, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)


def round_codes(sums, factor, zero):
    """sat(rint(f32(sum) * factor) + zero)"""
    rounded = np.rint(sums.astype(np.float32) * factor.astype(np.float32))
    return saturate(rounded.astype(np.int64) + zero.astype(np.int64), zero.dtype)


def convolve(x, w, pads, strides, group):
    """The sums of a 2-D convolution in int64; padding is 0."""
    x = np.pad(x.astype(np.int64), [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])])
    outputs, depth, height, width = w.shape
    rows = (x.shape[2] - height) // strides[0] + 1
    columns = (x.shape[3] - width) // strides[1] + 1
    result = np.zeros((x.shape[0], outputs, rows, columns), np.int64)
    for co in range(outputs):
        first = co // (outputs // group) * depth
        for row in range(rows):
            for column in range(columns):
                at, left = row * strides[0], column * strides[1]
                window = x[:, first:first + depth, at:at + height, left:left + width]
                result[:, co, row, column] = (window * w[co].astype(np.int64)).sum((1, 2, 3))
    return result


def shift(array, zero):
    return array.astype(np.int64) - np.int64(0 if zero is None else zero)


def make_conv(x_type, w_type, y_type, channels=6, outputs=8, kernel=3, pads=(1, 1, 0, 1),
              strides=(1, 2), group=1, per_channel=False, bias=False, symmetric=True):
    x, w = codes(x_type, 2, channels, 7, 9), codes(w_type, outputs, channels // group, kernel, kernel)
    x_zero = x_type(np.iinfo(x_type).min + 121)
    w_zero = w_type(0 if symmetric else np.iinfo(w_type).min + 117)
    x_scale, w_scale = scales(), scales(outputs) if per_channel else scales()
    depth = channels // group * kernel * kernel
    y_scale = np.float32(x_scale * w_scale.max() * 60 * np.sqrt(depth))
    y_zero = y_type(np.iinfo(y_type).min + 130)
    inputs = [x, x_scale, x_zero, w, w_scale, np.full(w_scale.shape, w_zero), y_scale, y_zero]
    sums = convolve(shift(x, x_zero), shift(w, w_zero), pads, strides, group)
    if bias:
        inputs.append(RNG.integers(-9000, 9000, outputs).astype(np.int32))
        sums = sums + inputs[-1].reshape(1, -1, 1, 1)
    factor = (x_scale * w_scale / y_scale).reshape(1, -1, 1, 1)
    attributes = {"pads": pads, "strides": strides, "group": group}
    return "QLinearConv", inputs, attributes, round_codes(sums, factor, y_zero)


def make_conv_integer(x_type, w_type, x_zero=None, w_zero=None, **attributes):
    x, w = codes(x_type, 2, 3, 6, 5), codes(w_type, 4, 3, 2, 3)
    inputs = [x, w] + [kind(zero) for kind, zero in ((x_type, x_zero), (w_type, w_zero))
                       if zero is not None]
    sums = convolve(shift(x, x_zero), shift(w, w_zero), attributes.get("pads", (0, 0, 0, 0)),
                    (1, 1), 1)
    return "ConvInteger", inputs, attributes, sums.astype(np.int32)


def make_matmul(a_type, b_type, y_type, a_dims=(5, 24), b_dims=(24, 9), per_column=False,
                symmetric=True):
    a, b = codes(a_type, *a_dims), codes(b_type, *b_dims)
    a_zero = a_type(np.iinfo(a_type).min + 127)
    b_zero = b_type(0 if symmetric else np.iinfo(b_type).min + 119)
    a_scale, b_scale = scales(), scales(b_dims[-1]) if per_column else scales()
    y_scale = np.float32(a_scale * b_scale.max() * 60 * np.sqrt(a_dims[-1]))
    y_zero = y_type(np.iinfo(y_type).min + 133)
    inputs = [a, a_scale, a_zero, b, b_scale, np.full(b_scale.shape, b_zero), y_scale, y_zero]
    sums = np.matmul(shift(a, a_zero), shift(b, b_zero))
    return "QLinearMatMul", inputs, {}, round_codes(sums, a_scale * b_scale / y_scale, y_zero)


def make_zeros(a_zero, b_zero, operator, a_dims=(5, 24), b_dims=(24, 9)):
    """A zero point for each row of a, or column of b, or one."""
    a, b = codes(U8, *a_dims), codes(S8, *b_dims)
    a_scale, b_scale = scales(*a_zero.shape), scales(*b_zero.shape)
    rows, columns = (zero if zero.ndim != 1 else zero.reshape(shape)
                     for zero, shape in ((a_zero, (-1, 1)), (b_zero, (1, -1))))
    sums = np.matmul(a.astype(np.int64) - rows, b.astype(np.int64) - columns)
    if operator == "MatMulInteger":
        return operator, [a, b, a_zero, b_zero], {}, sums.astype(np.int32)
    y_scale, y_zero = np.float32(0.01), U8(99)
    factor = (a_scale.reshape(rows.shape) * b_scale.reshape(columns.shape)) / y_scale
    return (operator, [a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero], {},
            round_codes(sums, factor, y_zero))


def make_conv_zeros():
    """A zero point for each output channel."""
    x, w, zeros = codes(U8, 1, 3, 5, 5), codes(U8, 4, 3, 3, 3), codes(U8, 4)
    differences = w.astype(np.int64) - zeros.reshape(-1, 1, 1, 1)
    sums = convolve(shift(x, 9), differences, (1, 1, 1, 1), (1, 1), 1)
    return "ConvInteger", [x, w, U8(9), zeros], {"pads": [1, 1, 1, 1]}, sums.astype(np.int32)


def make_matmul_integer(a_type, b_type, a_zero=None, b_zero=None, a_dims=(5, 24), b_dims=(24, 9)):
    a, b = codes(a_type, *a_dims), codes(b_type, *b_dims)
    inputs = [a, b] + [kind(zero) for kind, zero in ((a_type, a_zero), (b_type, b_zero))
                       if zero is not None]
    return "MatMulInteger", inputs, {}, np.matmul(shift(a, a_zero), shift(b, b_zero)).astype(np.int32)


CASES = {
    "conv_u8_s8": make_conv(U8, S8, U8, per_channel=True, bias=True),
    "conv_u8_u8": make_conv(U8, U8, U8, symmetric=False, bias=True),
    "conv_s8_s8": make_conv(S8, S8, S8, per_channel=True),
    "conv_s8_s8_shifted": make_conv(S8, S8, S8, symmetric=False),
    "conv_groups": make_conv(U8, S8, U8, group=2, per_channel=True, bias=True),
    "conv_depthwise": make_conv(U8, U8, U8, channels=8, group=8, symmetric=False, bias=True),
    "conv_point": make_conv(U8, S8, S8, kernel=1, pads=(0, 0, 0, 0)),
    "conv_integer_u8_u8": make_conv_integer(U8, U8, 3, 131),
    "conv_integer_no_zero": make_conv_integer(U8, S8, pads=(1, 0, 1, 2)),
    "conv_integer_padded": make_conv_integer(U8, U8, 77, pads=(0, 1, 1, 1)),
    "conv_integer_s8": make_conv_integer(S8, S8, -5, 7),
    "matmul_u8_s8": make_matmul(U8, S8, U8, per_column=True),
    "matmul_u8_u8": make_matmul(U8, U8, U8, symmetric=False),
    "matmul_s8_s8": make_matmul(S8, S8, S8, symmetric=False),
    "matmul_batches": make_matmul(U8, U8, U8, (2, 3, 4, 11), (3, 11, 5), symmetric=False),
    "matmul_integer_u8_u8": make_matmul_integer(U8, U8, 130, 12),
    "matmul_integer_u8_s8": make_matmul_integer(U8, S8, 8),
    "matmul_integer_s8_s8": make_matmul_integer(S8, S8, -100, 50),
    "matmul_integer_batches": make_matmul_integer(U8, U8, 9, 200, (2, 4, 33), (2, 33, 6)),
}
CASES.update({
    "conv_integer_zeros": make_conv_zeros(),
    "matmul_integer_zeros": make_zeros(codes(U8, 5), codes(S8, 9), "MatMulInteger"),
    "matmul_integer_row_zeros": make_zeros(codes(U8, 5), S8(3), "MatMulInteger"),
    "matmul_integer_batch_zeros": make_zeros(
        codes(U8, 2, 4, 1), codes(S8, 2, 1, 3), "MatMulInteger", (2, 4, 7), (2, 7, 3)),
    "matmul_zeros": make_zeros(codes(U8, 5), codes(S8, 9), "QLinearMatMul"),
})
#: ONNX Runtime has no kernel for these types or zero points.
NOT_IN_RUNTIME = {"conv_point", "conv_integer_no_zero", "conv_integer_s8",
                  "conv_integer_zeros", "matmul_integer_zeros", "matmul_integer_row_zeros",
                  "matmul_integer_batch_zeros", "matmul_zeros"}


def write_model(name, folder, open_inputs=()):
    """A model whose codes are inputs and whose parameters and weights are constants."""
    operator, arrays, attributes, expected = CASES[name]
    names = [f"i{i}" for i in range(len(arrays))]
    open_inputs = {"i0", *open_inputs}
    inputs = [helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in zip(names, arrays) if name in open_inputs]
    output = helper.make_tensor_value_info(
        "y", helper.np_dtype_to_tensor_dtype(expected.dtype), None)
    constants = [numpy_helper.from_array(np.asarray(array), name)
                 for name, array in zip(names, arrays) if name not in open_inputs]
    graph = helper.make_graph([helper.make_node(operator, names, ["y"], name="node", **attributes)],
                              name, inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = folder / "model.onnx"
    onnx.save(model, path)
    feeds = {name: array for name, array in zip(names, arrays) if name in open_inputs}
    return path, feeds, expected


def expect_codes(path, feeds, expected, folder, *options):
    assert (run_arrays(path, feeds, folder, "--reference")["y"] == expected).all()
    tiers = list_tiers()[1]
    run_ok("qopt-compile", path, "-o", folder / "m.so", "--cpu", ",".join(tiers), *options)
    for tier in tiers:
        found = run_arrays(folder / "m.so", feeds, folder, environment={"QOPT_CPU": tier})["y"]
        assert found.dtype == expected.dtype
        assert (found == expected).all(), tier


@pytest.mark.parametrize("name", CASES)
def test_operator(name, tmp_path):
    path, feeds, expected = write_model(name, tmp_path)
    if name not in NOT_IN_RUNTIME:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        assert (session.run(None, feeds)[0] == expected).all()
    expect_codes(path, feeds, expected, tmp_path)


@pytest.mark.parametrize("name", ["conv_u8_s8", "matmul_u8_u8"])
def test_operands_that_are_no_constants(name, tmp_path):
    """Scales, zero points and both factors are known when a model runs."""
    operands = {f"i{i}" for i in range(len(CASES[name][1]))}
    path, feeds, expected = write_model(name, tmp_path, operands)
    expect_codes(path, feeds, expected, tmp_path)


@pytest.mark.parametrize("preset", ["fp32", "w8a8-dynamic", "mxint8"])
def test_presets_keep_codes(preset, tmp_path):
    path, feeds, expected = write_model("conv_u8_s8", tmp_path)
    expect_codes(path, feeds, expected, tmp_path, "--preset", preset)


def quantize_dynamically(x):
    """Codes of uint8, scale and zero point of the whole tensor."""
    low, high = min(x.min(), np.float32(0)), max(x.max(), np.float32(0))
    scale = np.float32((high - low) / np.float32(255)) or np.float32(1)
    zero = np.rint(np.clip(np.float32(0) - low / scale, 0, 255)).astype(U8)
    return saturate(np.rint(x / scale).astype(np.int64) + int(zero), U8), scale, zero


@pytest.mark.parametrize("low, high", [(-3, 5), (2, 4), (-4, -2), (0, 0), (-1e-40, 1e-40)])
def test_dynamic_quantization(low, high, tmp_path):
    x = RNG.uniform(low, high, (3, 5, 17)).astype(np.float32)
    expected = quantize_dynamically(x)
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["a", "b", "c"])
    outputs = [helper.make_tensor_value_info(name, kind, None) for name, kind in (
        ("codes", onnx.TensorProto.UINT8), ("scale", onnx.TensorProto.FLOAT),
        ("zero", onnx.TensorProto.UINT8))]
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["codes", "scale", "zero"])
    graph = helper.make_graph([node], "dynamic", [value], outputs)
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)],
                                ir_version=8), path)
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so")
    for program, options in ((path, ["--reference"]), (tmp_path / "m.so", [])):
        found = run_arrays(program, {"x": x}, tmp_path, *options)
        for output, array in zip(outputs, expected):
            assert found[output.name].shape == array.shape
            assert (found[output.name] == array).all(), (program, output.name)
