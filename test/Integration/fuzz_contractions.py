"""Random products, convolutions, pools and images that grow."""

import numpy as np

from fuzz_builder import LARGE_SIZES, MAX_ELEMENTS, SIZES, Rejected
from fuzz_operators import operator

# Multiplications of one node: the reference evaluator is clear and never fast.
MAX_WORK = 1500000


def check_work(*sizes):
    if np.prod([float(size) for size in sizes]) > MAX_WORK:
        raise Rejected("too much work")


def draw_weights(builder, shape, depth, share=0.85):
    """Weights with rows of unequal size that keep the range of activations."""
    def make():
        array = builder.rng.normal(0, 1 / np.sqrt(max(depth, 1)), shape)
        kind = builder.draw_integer(0, 5)
        if kind == 0:
            array = array * np.exp(builder.rng.normal(0, 1, shape[-1] if shape else ()))
        elif kind == 1:
            # Codes of int4 already.
            array = np.round(np.clip(array * 8, -8, 7)) / 8
        elif kind == 2 and len(shape) > 1:
            array[..., :1] = 0
        elif kind == 3:
            array = np.abs(array)
        array = array.astype(np.float32)
        if builder.chance(share):
            return builder.make_constant(array, "w")
        return builder.make_input(array)

    # Weights are shared now and then.
    return builder.find_value(
        lambda value: value.is_constant and value.dtype == np.float32 and
        value.shape == tuple(shape), make, fresh_share=0.7)


def draw_columns(builder):
    return builder.choose(LARGE_SIZES if builder.chance(0.15) else SIZES)


@operator("MatMul")
def make_matmul(builder, x=None):
    x = x or builder.find_float(1, 5, dtypes=(np.float32,))
    depth = x.shape[-1]
    columns = draw_columns(builder)
    kind = builder.draw_integer(0, 9)
    if kind == 0:
        y = draw_weights(builder, [depth], depth)
    elif kind <= 2 and x.rank >= 2:
        batch = [size if builder.chance(0.7) else 1 for size in x.shape[:-2]]
        if x.rank < 4 and builder.chance(0.2):
            batch = [builder.choose([1, 2, 3])] + batch
        y = draw_weights(builder, [*batch, depth, columns], depth, share=0.4)
    elif kind == 3:
        # Two values of the graph.
        y = builder.find_value(lambda value: value.dtype == np.float32 and value.rank >= 2 and
                               value.shape[-2] == depth and value is not x)
    elif kind == 4 and x.rank >= 2:
        # Weights on the left.
        rows = builder.choose(SIZES)
        check_work(rows, x.array.size)
        w = draw_weights(builder, [rows, x.shape[-2]], x.shape[-2])
        return builder.make_node("MatMul", [w, x])
    else:
        y = draw_weights(builder, [depth, columns], depth)
    check_work(x.array.size, *y.shape[-1:])
    return builder.make_node("MatMul", [x, y])


@operator("Gemm", 11)
def make_gemm(builder, x=None):
    x = x or builder.find_float(2, 2, dtypes=(np.float32,))
    if x.rank != 2:
        raise Rejected("no matrix")
    trans_a = int(builder.chance(0.2))
    trans_b = int(builder.chance(0.5))
    rows, depth = x.shape[::-1] if trans_a else x.shape
    columns = draw_columns(builder)
    check_work(rows, depth, columns)
    w = draw_weights(builder, [columns, depth] if trans_b else [depth, columns], depth)
    operands = [x, w]
    if builder.chance(0.8):
        shape = builder.choose([[columns], [1, columns], [rows, 1], [1], [rows, columns], []])
        operands.append(builder.make_value(shape=shape, constant_share=0.8))
    attributes = {"transA": trans_a, "transB": trans_b}
    if builder.chance(0.3):
        attributes.update(alpha=builder.choose([0.5, 2.0, 1.3]),
                          beta=builder.choose([0.5, 1.0, 0.0]))
    return builder.make_node("Gemm", operands, **attributes)


def check_window(image, kernel, attributes):
    """Where no window fits ONNX Runtime makes one all the same."""
    if attributes.get("auto_pad", "VALID") != "VALID":
        return
    spatial = len(kernel)
    pads = attributes.get("pads", [0] * 2 * spatial)
    dilations = attributes.get("dilations", [1] * spatial)
    for i, size in enumerate(image[2:]):
        if size + pads[i] + pads[i + spatial] < (kernel[i] - 1) * dilations[i] + 1:
            raise Rejected("no window fits")


def draw_window(builder, image, kernel, allows_dilations=True):
    """Attributes of a window with what exporters and people write."""
    spatial = len(kernel)
    attributes = {}
    if builder.chance(0.5):
        attributes["strides"] = [builder.choose([1, 2, 3]) for _ in range(spatial)]
    if allows_dilations and builder.chance(0.25):
        attributes["dilations"] = [builder.choose([1, 2]) for _ in range(spatial)]
    kind = builder.draw_integer(0, 5)
    if kind == 0 and "dilations" not in attributes:
        attributes["auto_pad"] = builder.choose(["SAME_UPPER", "SAME_LOWER", "VALID"])
    elif kind <= 2:
        attributes["pads"] = [builder.draw_integer(0, kernel[i % spatial] - 1)
                              for i in range(2 * spatial)]
    elif kind == 3:
        attributes["pads"] = [kernel[i % spatial] // 2 for i in range(2 * spatial)]
    check_window(image, kernel, attributes)
    return attributes


def find_image(builder, spatial=None):
    """[N, C, W] or [N, C, H, W]."""
    ranks = (3, 4) if spatial is None else (spatial + 2,)

    def make():
        rank = builder.choose(ranks)
        shape = [builder.choose([1, 2, 3]), builder.choose([1, 2, 3, 4, 8, 16, 17, 32, 33, 64])]
        shape += [builder.choose([1, 3, 5, 7, 8, 9, 12, 17]) for _ in range(rank - 2)]
        while np.prod(shape) > MAX_ELEMENTS // 4:
            shape[builder.draw_integer(1, rank - 1)] = 3
        return builder.make_value(shape=shape, constant_share=0.05)

    return builder.find_value(
        lambda value: value.dtype == np.float32 and value.rank in ranks and
        0 not in value.shape, make)


def draw_groups(builder, channels):
    """Groups and output channels: plain, depthwise with a multiplier, grouped."""
    kind = builder.draw_integer(0, 5)
    if kind == 0:
        return channels, channels * builder.choose([1, 1, 2])
    divisors = [n for n in range(2, channels) if channels % n == 0]
    if kind == 1 and divisors:
        group = builder.choose(divisors)
        return group, group * builder.choose([1, 2, 3])
    return 1, builder.choose([1, 2, 3, 5, 8, 16, 17, 32, 33, 64, 65])


@operator("Conv")
def make_conv(builder, x=None):
    x = x or find_image(builder)
    spatial = x.rank - 2
    if spatial not in (1, 2):
        raise Rejected("no image")
    channels = x.shape[1]
    group, outputs = draw_groups(builder, channels)
    kernel = [builder.choose([1, 1, 2, 3, 3, 5]) for _ in range(spatial)]
    depth = channels // group * int(np.prod(kernel))
    check_work(x.array.size // max(channels, 1), outputs, depth)
    operands = [x, draw_weights(builder, [outputs, channels // group, *kernel], depth, 0.95)]
    if builder.chance(0.6):
        operands.append(builder.make_value(shape=[outputs], constant_share=0.9))
    attributes = draw_window(builder, x.shape, kernel)
    if builder.chance(0.5):
        attributes["kernel_shape"] = kernel
    if group != 1 or builder.chance(0.3):
        attributes["group"] = group
    return builder.make_node("Conv", operands, **attributes)


@operator("ConvTranspose")
def make_conv_transpose(builder):
    x = find_image(builder, 2)
    kernel = [builder.choose([1, 2, 3]) for _ in range(2)]
    outputs = builder.choose([1, 2, 3, 5, 16])
    check_work(x.array.size, outputs, *kernel)
    operands = [x, draw_weights(builder, [x.shape[1], outputs, *kernel], x.shape[1], 0.95)]
    if builder.chance(0.6):
        operands.append(builder.make_value(shape=[outputs], constant_share=0.9))
    builder.make_node("ConvTranspose", operands, strides=kernel)


def make_pool(builder, name):
    x = find_image(builder)
    kernel = [builder.choose([1, 2, 3]) for _ in range(x.rank - 2)]
    attributes = draw_window(builder, x.shape, kernel, allows_dilations=name == "MaxPool")
    if builder.chance(0.3) and "auto_pad" not in attributes:
        attributes["ceil_mode"] = 1
    if name == "AveragePool" and builder.chance(0.4):
        attributes["count_include_pad"] = 1
    builder.make_node(name, [x], kernel_shape=kernel, exact=name == "MaxPool", **attributes)


@operator("MaxPool", 10)
def make_max_pool(builder):
    make_pool(builder, "MaxPool")


@operator("AveragePool", 10)
def make_average_pool(builder):
    make_pool(builder, "AveragePool")


@operator("GlobalAveragePool")
def make_global_average_pool(builder):
    builder.make_node("GlobalAveragePool", [find_image(builder)])


@operator("GlobalMaxPool")
def make_global_max_pool(builder):
    builder.make_node("GlobalMaxPool", [find_image(builder)], exact=True)


def draw_growth(builder, x):
    """Whole scales of the axes of an image."""
    scales = [1.0, 1.0] + [float(builder.choose([1, 2, 3])) for _ in range(x.rank - 2)]
    return builder.make_constant(np.array(scales, np.float32))


@operator("Upsample", 9)
def make_upsample(builder):
    if builder.opset > 9:
        raise Rejected("Resize took its place")
    x = find_image(builder)
    builder.make_node("Upsample", [x, draw_growth(builder, x)], exact=True, mode="nearest")


@operator("Resize", 10)
def make_resize(builder):
    x = find_image(builder)
    scales = draw_growth(builder, x)
    if builder.opset == 10:
        builder.make_node("Resize", [x, scales], exact=True, mode="nearest")
        return
    none = builder.make_constant(np.zeros(0, np.float32)) if builder.opset < 13 else None
    coordinates, rounding = builder.choose([("asymmetric", "floor"),
                                            ("half_pixel", "round_prefer_floor"),
                                            ("half_pixel", "round_prefer_ceil"),
                                            ("pytorch_half_pixel", "round_prefer_floor")])
    builder.make_node("Resize", [x, none, scales], exact=True, mode="nearest",
                      nearest_mode=rounding, coordinate_transformation_mode=coordinates)
