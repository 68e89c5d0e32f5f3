"""Random products of codes: operators that sum integers and round them to codes."""

import numpy as np
from onnx import TensorProto

from fuzz_builder import SIZES, Rejected
from fuzz_contractions import check_work, draw_groups, draw_window, find_image
from fuzz_operators import operator
from fuzz_quantization import draw_scales

TYPES = {np.uint8: TensorProto.UINT8, np.int8: TensorProto.INT8}


def draw_zero(builder, dtype):
    limits = np.iinfo(dtype)
    middle = 0 if dtype == np.int8 else 128
    zero = middle if builder.chance(0.5) else builder.draw_integer(limits.min, limits.max)
    return builder.make_constant(np.array(zero, dtype), "zero")


def make_codes(builder, x, dtype):
    """Codes of a float tensor, with their scale and zero point."""
    if x.dtype != np.float32 or x.array.size == 0:
        raise Rejected("no floats")
    builder.has_steps |= not x.is_exact
    scale = builder.make_constant(draw_scales(builder, x.array, [], TYPES[dtype]), "s")
    zero = draw_zero(builder, dtype)
    return builder.make_node("QuantizeLinear", [x, scale, zero], exact=True), scale, zero


def make_weights(builder, shape, dtype, channels=None):
    limits = np.iinfo(dtype)
    codes = builder.make_constant(
        builder.rng.integers(limits.min, limits.max + 1, shape).astype(dtype), "w")
    has_channels = channels is not None and builder.chance(0.4)
    dims = [channels] if has_channels else []
    scale = builder.make_constant(
        builder.rng.uniform(0.002, 0.02, dims).astype(np.float32), "s")
    zero = draw_zero(builder, dtype)
    if has_channels:
        zero = builder.make_constant(np.full(dims, zero.array, dtype), "zero")
    return codes, scale, zero


def draw_types(builder):
    """Of both factors, as ONNX Runtime has kernels for them."""
    x = builder.choose(list(TYPES))
    return x, np.int8 if x == np.int8 else builder.choose(list(TYPES))


def draw_result(builder, x_scale, w_scale, depth, dtype):
    """Scale and zero point that most sums fit."""
    step = float(x_scale.array) * float(np.max(w_scale.array)) * 60 * np.sqrt(depth)
    return (builder.make_constant(np.float32(step), "s"), draw_zero(builder, dtype))


def finish(builder, codes, scale, zero):
    builder.make_node("DequantizeLinear", [codes, scale, zero], exact=True)


def draw_matmul(builder, has_columns):
    """Codes and weights of a matrix product, with their parameters."""
    x = builder.find_float(2, 4, dtypes=(np.float32,))
    x_type, w_type = draw_types(builder)
    depth, columns = x.shape[-1], builder.choose(SIZES)
    check_work(x.array.size, columns)
    codes = make_codes(builder, x, x_type)
    return codes, make_weights(builder, [depth, columns], w_type, columns if has_columns else None)


@operator("MatMulInteger", 10)
def make_matmul_integer(builder):
    (codes, _, zero), (w, _, w_zero) = draw_matmul(builder, False)
    operands = [codes, w, zero, w_zero]
    builder.make_node("MatMulInteger", operands[:builder.draw_integer(2, 4)], exact=True)


@operator("QLinearMatMul", 10)
def make_qlinear_matmul(builder):
    (codes, scale, zero), (w, w_scale, w_zero) = draw_matmul(builder, True)
    y_scale, y_zero = draw_result(builder, scale, w_scale, w.shape[0], codes.dtype)
    y = builder.make_node("QLinearMatMul",
                          [codes, scale, zero, w, w_scale, w_zero, y_scale, y_zero], exact=True)
    finish(builder, y, y_scale, y_zero)


def draw_conv(builder, w_types, has_channels):
    """Codes and weights of a convolution, its attributes and depth."""
    x = find_image(builder)
    spatial, channels = x.rank - 2, x.shape[1]
    group, outputs = draw_groups(builder, channels)
    kernel = [builder.choose([1, 1, 2, 3]) for _ in range(spatial)]
    depth = channels // group * int(np.prod(kernel))
    check_work(x.array.size // max(channels, 1), outputs, depth)
    x_type, w_type = w_types
    codes = make_codes(builder, x, x_type)
    weights = make_weights(builder, [outputs, channels // group, *kernel], w_type,
                           outputs if has_channels else None)
    return codes, weights, {"group": group, **draw_window(builder, x.shape, kernel)}, depth


@operator("ConvInteger", 10)
def make_conv_integer(builder):
    codes, weights, attributes, _ = draw_conv(builder, (np.uint8, np.uint8), False)
    operands = [codes[0], weights[0], codes[2], weights[2]]
    builder.make_node("ConvInteger", operands[:builder.draw_integer(2, 4)], exact=True,
                      **attributes)


@operator("QLinearConv", 10)
def make_qlinear_conv(builder):
    types = draw_types(builder)
    (codes, scale, zero), (w, w_scale, w_zero), attributes, depth = draw_conv(
        builder, types, True)
    y_scale, y_zero = draw_result(builder, scale, w_scale, depth, types[0])
    operands = [codes, scale, zero, w, w_scale, w_zero, y_scale, y_zero]
    if builder.chance(0.5):
        operands.append(builder.make_constant(
            builder.rng.integers(-9000, 9000, w.shape[0]).astype(np.int32), "b"))
    y = builder.make_node("QLinearConv", operands, exact=True, **attributes)
    finish(builder, y, y_scale, y_zero)


@operator("DynamicQuantizeLinear", 11)
def make_dynamic_quantize(builder):
    x = builder.find_float(1, 4, dtypes=(np.float32,))
    if x.array.size == 0 or not np.isfinite(x.array).all():
        raise Rejected("no range")
    builder.has_steps |= not x.is_exact
    codes, scale, zero = builder.make_node("DynamicQuantizeLinear", [x], outputs=3, exact=True)
    finish(builder, codes, scale, zero)
