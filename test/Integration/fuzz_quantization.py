"""Random QuantizeLinear and DequantizeLinear, alone and around contractions."""

import numpy as np
from onnx import TensorProto, helper

from fuzz_builder import MAX_ELEMENTS, SIZES, Rejected, make_axis, run_evaluator
from fuzz_contractions import check_window, check_work, draw_groups, draw_window, find_image
from fuzz_operators import operator
from fuzz_patterns import pattern

# Code types: first opset, lowest and highest code.
CODES = {
    TensorProto.INT8: (10, -128, 127), TensorProto.UINT8: (10, 0, 255),
    TensorProto.INT16: (21, -32768, 32767), TensorProto.UINT16: (21, 0, 65535),
    TensorProto.INT4: (21, -8, 7), TensorProto.UINT4: (21, 0, 15),
    TensorProto.FLOAT8E4M3FN: (19, -448, 448), TensorProto.FLOAT8E5M2: (19, -57344, 57344),
}
BYTES = (TensorProto.INT8, TensorProto.UINT8)
FLOAT_CODES = (TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E5M2)


def draw_codes(builder, types=None):
    """A code type of the graph's opset, mostly of eight bits."""
    types = [code for code in types or CODES if CODES[code][0] <= builder.opset]
    eight = [code for code in types if code in BYTES]
    return builder.choose(eight if eight and builder.chance(0.7) else types)


def draw_granularity(builder, x, block_share=0.3):
    """Attributes, and the shape of the scales: of a tensor, an axis or blocks."""
    kind = builder.rng.random()
    if builder.opset >= 13 and x.ndim and kind < 0.25:
        axis = make_axis(builder, x.ndim)
        return {"axis": axis}, [x.shape[axis]]
    if builder.opset >= 21 and x.ndim and kind < 0.25 + block_share:
        axis = make_axis(builder, x.ndim)
        block = builder.choose([2, 3, 8, 16, 32])
        shape = list(x.shape)
        shape[axis] = -(-shape[axis] // block)
        return {"axis": axis, "block_size": block}, shape
    return {}, []


def draw_scales(builder, array, shape, code_type):
    """Scales that use most of the codes; powers of two make sums exact."""
    _, low, high = CODES[code_type]
    largest = float(np.abs(array).max()) if array.size else 1.0
    if not np.isfinite(largest) or largest == 0:
        largest = 1.0
    base = largest / (high - low) * builder.choose([2.0, 1.0, 0.6])
    scales = base * np.exp2(builder.rng.integers(-1, 2, shape))
    if builder.has_exact_scales:
        scales = np.exp2(np.round(np.log2(scales)))
    else:
        scales = scales * builder.rng.uniform(0.8, 1.2, shape)
    return np.maximum(scales, 1e-6).astype(np.float32)


def make_zero(builder, shape, code_type, is_often_zero=False):
    """A zero point, or None where the type is the default."""
    _, low, high = CODES[code_type]
    if code_type in FLOAT_CODES:
        values = np.zeros(shape)
    elif builder.chance(0.7 if is_often_zero else 0.3):
        values = np.zeros(shape) if low else np.zeros(shape) + (high + 1) // 2
    else:
        values = builder.rng.integers(low, high + 1, shape)
    flat = [float(v) for v in np.ravel(values)]
    if code_type not in FLOAT_CODES:
        flat = [int(v) for v in flat]
    return builder.make_raw_constant(helper.make_tensor("zero", code_type, list(shape), flat))


def quantize(builder, x, code_type=None, granularity=None):
    """QuantizeLinear and DequantizeLinear of `x`, now and then with movement between them."""
    if x.dtype != np.float32 or x.array.size == 0:
        raise Rejected("no floats")
    code_type = code_type or draw_codes(builder)
    builder.has_steps |= not x.is_exact
    attributes, shape = granularity or draw_granularity(builder, x.array)
    scales = builder.make_constant(draw_scales(builder, x.array, shape, code_type), "s")
    zero = make_zero(builder, shape, code_type)
    operands = [scales.name, zero]
    if code_type == TensorProto.UINT8 and builder.chance(0.2):
        operands = [scales.name]
    codes, real = builder.make_name("codes"), builder.make_name("real")
    nodes = [helper.make_node("QuantizeLinear", [x.name, *operands], [codes],
                              name=builder.make_name("/QuantizeLinear"), **attributes)]
    if not shape and code_type in BYTES and builder.chance(0.2):
        moved = builder.make_name("moved")
        perm = [int(axis) for axis in builder.rng.permutation(x.rank)]
        nodes.append(helper.make_node("Transpose", [codes], [moved], perm=perm,
                                      name=builder.make_name("/Transpose")))
        codes = moved
    nodes.append(helper.make_node("DequantizeLinear", [codes, *operands], [real],
                                  name=builder.make_name("/DequantizeLinear"), **attributes))
    return with_step(builder.make_nodes(nodes, [x, scales], [real], exact=True)[0], scales)


def with_step(value, scales):
    """`value`, which knows the step of its codes where all have one."""
    value.step = float(scales.array) if scales.rank == 0 else None
    return value


def make_quantized_weights(builder, shape, depth, channel_axis, code_type=None, granularity=None):
    """DequantizeLinear of constant codes."""
    code_type = code_type or draw_codes(builder)
    _, low, high = CODES[code_type]
    if granularity is None:
        kind = builder.rng.random()
        if kind < 0.5:
            granularity = {"axis": channel_axis}, [shape[channel_axis]]
        else:
            granularity = draw_granularity(builder, np.zeros(shape))
    attributes, scale_shape = granularity
    if builder.opset < 13:
        attributes, scale_shape = {}, []
    target = 2 / np.sqrt(max(depth, 1))
    bound = min(-low, high) if low else high
    scales = draw_scales(builder, np.full(1, target), scale_shape, code_type)
    if code_type in FLOAT_CODES:
        codes = [float(v) for v in np.ravel(builder.rng.normal(0, bound / 8, shape))]
        scales *= 8
    elif low:
        codes = [int(v) for v in np.ravel(np.clip(np.round(
            builder.rng.normal(0, bound / 3, shape)), low, high))]
    else:
        codes = [int(v) for v in np.ravel(builder.rng.integers(low, high + 1, shape))]
    raw = builder.make_raw_constant(helper.make_tensor("codes", code_type, list(shape), codes))
    scale = builder.make_constant(scales, "s")
    zero = make_zero(builder, scale_shape, code_type, is_often_zero=True)
    operands = [raw, scale.name] + ([zero] if builder.chance(0.8) or not low else [])
    real = builder.make_name("real")
    node = helper.make_node("DequantizeLinear", operands, [real],
                            name=builder.make_name("/DequantizeLinear"), **attributes)
    return with_step(builder.make_nodes([node], [scale], [real], exact=True)[0], scale)


def make_quantized_bias(builder, channels, x, w):
    """DequantizeLinear of int32, or floats. Its step is that of the sum, as exporters write it,
    or another, which an integer sum rounds."""
    if builder.chance(0.3):
        bias = builder.make_value(shape=[channels], constant_share=1)
        bias.is_exact = False  # rounds in the sum
        return bias
    codes = builder.rng.integers(-3000, 3000, channels)
    raw = builder.make_raw_constant(helper.make_tensor(
        "bias", TensorProto.INT32, [channels], [int(code) for code in codes]))
    shape = [channels] if builder.chance(0.5) and builder.opset >= 13 else []
    has_step = x.step and w.step and builder.chance(0.7)
    step = np.float32(x.step) * np.float32(w.step) if has_step else 2.0**-12
    scale = builder.make_constant(np.full(shape, step, np.float32), "s")
    attributes = {"axis": 0} if shape else {}
    real = builder.make_name("real")
    node = helper.make_node("DequantizeLinear", [raw, scale.name], [real],
                            name=builder.make_name("/DequantizeLinear"), **attributes)
    return builder.make_nodes([node], [scale], [real], exact=bool(has_step))[0]


def draw_code_types(builder, depth):
    """Those of an activation and of weights, and whether their product is exact in floats."""
    types = draw_codes(builder), draw_codes(builder)
    return *types, builder.has_exact_scales and depth <= 64 and set(types) <= {*BYTES}


def finish(builder, y):
    """An activation and the codes of the result."""
    if builder.chance(0.4):
        y = builder.make_node("Relu", [y], exact=True)
    if builder.chance(0.8):
        quantize(builder, y)


@operator("QuantizeLinear", 10)
def make_quantize(builder):
    quantize(builder, builder.find_float(1, dtypes=(np.float32,)))


@operator("DequantizeLinear", 10)
def make_dequantize(builder):
    shape = builder.draw_shape(builder.draw_integer(1, 4))
    make_quantized_weights(builder, shape, 1, builder.draw_integer(0, len(shape) - 1))


@pattern
def make_codes_input(builder):
    """Codes that are an input of the model."""
    dtype = builder.choose([np.int8, np.uint8])
    shape = builder.draw_shape(builder.draw_integer(2, 4))
    codes = builder.make_input(builder.rng.integers(
        np.iinfo(dtype).min, np.iinfo(dtype).max + 1, shape).astype(dtype))
    scale = builder.make_constant(draw_scales(builder, np.ones(1), [], TensorProto.INT8), "s")
    zero = builder.make_constant(np.array(builder.draw_integer(0, 9), dtype))
    builder.make_node("DequantizeLinear", [codes, scale, zero], exact=True)


@pattern
def make_quantized_matmul(builder):
    x = builder.find_float(2, 4, dtypes=(np.float32,))
    if x.shape[-1] < 1:
        raise Rejected("no depth")
    depth, columns = x.shape[-1], builder.choose(SIZES)
    check_work(x.array.size, columns)
    code_type, weight_type, is_exact = draw_code_types(builder, depth)
    if builder.chance(0.85):
        x = quantize(builder, x, code_type)
    else:
        is_exact = False
    if x.shape[-1] != depth:
        raise Rejected("moved")
    if x.rank == 2 and builder.chance(0.4):
        w = make_quantized_weights(builder, [columns, depth], depth, 0, weight_type)
        operands = [x, w, make_quantized_bias(builder, columns, x, w)]
        y = builder.make_node("Gemm", operands[:builder.draw_integer(2, 3)], transB=1,
                              exact=is_exact)
    else:
        w = make_quantized_weights(builder, [depth, columns], depth, 1, weight_type)
        y = builder.make_node("MatMul", [x, w], exact=is_exact)
        if builder.chance(0.6):
            y = builder.make_node("Add", [y, make_quantized_bias(builder, columns, x, w)],
                                  exact=True)
    finish(builder, y)


@pattern
def make_quantized_product(builder):
    """Both operands of a product are quantized activations."""
    x = builder.find_float(2, 4, dtypes=(np.float32,))
    depth, columns = x.shape[-1], builder.choose(SIZES[:8])
    check_work(x.array.size, columns)
    y = builder.make_value(shape=[*x.shape[:-2], depth, columns], constant_share=0)
    x, y = quantize(builder, x), quantize(builder, y)
    finish(builder, builder.make_node("MatMul", [x, y]))


@pattern
def make_quantized_conv(builder):
    x = find_image(builder)
    spatial, channels = x.rank - 2, x.shape[1]
    group, outputs = draw_groups(builder, channels)
    kernel = [builder.choose([1, 1, 2, 3]) for _ in range(spatial)]
    depth = channels // group * int(np.prod(kernel))
    check_work(x.array.size // max(channels, 1), outputs, depth)
    shape = x.shape
    code_type, weight_type, is_exact = draw_code_types(builder, depth)
    if builder.chance(0.9):
        x = quantize(builder, x, code_type)
    else:
        is_exact = False
    if x.shape != shape:
        raise Rejected("moved")
    w = make_quantized_weights(builder, [outputs, channels // group, *kernel], depth, 0,
                               weight_type)
    operands = [x, w, make_quantized_bias(builder, outputs, x, w)][:builder.draw_integer(2, 3)]
    y = builder.make_node("Conv", operands, group=group, exact=is_exact,
                          **draw_window(builder, x.shape, kernel))
    finish(builder, y)


@pattern
def make_quantized_table(builder):
    """Rows of a table of codes."""
    words, width = builder.choose([1, 5, 17]), builder.choose(SIZES)
    table = make_quantized_weights(builder, [words, width], 1, builder.draw_integer(0, 1))
    indices = builder.make_input(builder.rng.integers(
        0, words, builder.draw_shape(builder.draw_integer(1, 2))).astype(np.int64))
    builder.make_node("Gather", [table, indices], exact=True)


@pattern
def make_quantized_elementwise(builder):
    """Codes to codes through what needs no product."""
    x = builder.find_float(2, 4, dtypes=(np.float32,))
    x = quantize(builder, x)
    kind = builder.draw_integer(0, 5)
    if kind == 0:
        other = quantize(builder, builder.make_value(shape=x.shape, constant_share=0))
        y = builder.make_node(builder.choose(["Add", "Mul"]), [x, other], exact=True)
    elif kind == 1:
        y = builder.make_node(builder.choose(["Sigmoid", "Tanh", "HardSwish"])
                              if builder.opset >= 14 else "Tanh", [x])
    elif kind == 2:
        other = quantize(builder, builder.make_value(shape=x.shape, constant_share=0))
        y = builder.make_node("Concat", [x, other], exact=True, axis=make_axis(builder, x.rank))
    elif kind == 3 and x.rank == 4:
        kernel = [builder.choose([1, 2]), builder.choose([1, 2])]
        check_window(x.shape, kernel, {})
        y = builder.make_node(builder.choose(["MaxPool", "AveragePool"]), [x],
                              kernel_shape=kernel)
    elif kind == 4 and x.rank == 4:
        y = builder.make_node("GlobalAveragePool", [x])
    else:
        y = builder.make_node("Softmax", [x])
    if y.array.size > MAX_ELEMENTS // 2:
        raise Rejected("too large")
    finish(builder, y)


# Blocks with a shared exponent: lowest bits of float codes that are exact in them.
BLOCK_CODES = {
    TensorProto.FLOAT4E2M1: [0, 0.5, 1, 1.5, 2, 3, 4, 6],
    TensorProto.FLOAT8E4M3FN: [0, 0.25, 1, 3, 20, 448],
    TensorProto.FLOAT8E5M2: [0, 0.25, 1, 3, 20, 1024],
}


@pattern
def make_shared_exponents(builder):
    """A product with weights in blocks that share an exponent."""
    if builder.opset < 24:
        raise Rejected("a later opset has the type of the scales")
    x = builder.find_float(2, 4, dtypes=(np.float32,))
    depth, columns = x.shape[-1], builder.choose(SIZES)
    check_work(x.array.size, columns)
    code_type = builder.choose(BLOCK_CODES)
    block = builder.choose([16, 32, 32])
    numbers = builder.rng.choice(BLOCK_CODES[code_type], [depth, columns])
    numbers = numbers * builder.rng.choice([-1, 1], numbers.shape)
    raw = builder.make_raw_constant(helper.make_tensor(
        "codes", code_type, [depth, columns], [float(number) for number in numbers.ravel()]))
    shape = [-(-depth // block), columns]
    exponents = builder.rng.integers(-6, -1, shape) - (4 if code_type != TensorProto.FLOAT4E2M1
                                                       else 0)
    scale = builder.make_raw_constant(helper.make_tensor(
        "scales", TensorProto.FLOAT8E8M0, shape,
        [float(number) for number in np.exp2(exponents).ravel()]))
    real = builder.make_name("real")
    node = helper.make_node("DequantizeLinear", [raw, scale], [real], axis=0, block_size=block,
                            output_dtype=TensorProto.FLOAT,
                            name=builder.make_name("/DequantizeLinear"))
    w = builder.make_nodes([node], [], [real], exact=True, evaluate=run_evaluator)[0]
    builder.make_node("MatMul", [x, w])


@pattern
def make_few_bits(builder):
    """Codes of two bits, which ONNX Runtime lacks."""
    if builder.opset < 25:
        raise Rejected("a later opset has the type")
    code_type = builder.choose([TensorProto.INT2, TensorProto.UINT2])
    low, high = (-2, 1) if code_type == TensorProto.INT2 else (0, 3)
    x = builder.find_float(2, 4, dtypes=(np.float32,))
    depth, columns = x.shape[-1], builder.choose(SIZES)
    check_work(x.array.size, columns)
    codes = builder.rng.integers(low, high + 1, [depth, columns])
    raw = builder.make_raw_constant(helper.make_tensor(
        "codes", code_type, [depth, columns], [int(code) for code in codes.ravel()]))
    attributes, shape = draw_granularity(builder, codes, block_share=0.6)
    scale = builder.make_constant(np.full(shape, 0.125, np.float32), "s")
    zeros = builder.rng.integers(low, high + 1, shape)
    zero = builder.make_raw_constant(helper.make_tensor(
        "zero", code_type, shape, [int(code) for code in np.ravel(zeros)]))
    real = builder.make_name("real")
    node = helper.make_node("DequantizeLinear", [raw, scale.name, zero][:builder.draw_integer(
        2, 3)], [real], name=builder.make_name("/DequantizeLinear"), **attributes)
    w = builder.make_nodes([node], [scale], [real], exact=True, evaluate=run_evaluator)[0]
    builder.make_node("MatMul", [x, w])
