"""Groups of nodes that the compiler recognises, as exporters write them."""

import numpy as np

from fuzz_contractions import check_work, draw_weights, find_image, make_conv, make_matmul
from fuzz_operators import make_batch_norm

PATTERNS = {}


def pattern(function):
    PATTERNS[function.__name__.removeprefix("make_")] = function
    return function


def make_scalar(builder, number):
    return builder.make_constant(np.array(number, np.float32))


def make_activation(builder, x):
    """A node or the nodes of an activation function."""
    kind = builder.draw_integer(0, 6)
    if kind == 0:
        return builder.make_node("Relu", [x])
    if kind == 1:
        return builder.make_node("Mul", [x, builder.make_node("Sigmoid", [x])])
    if kind == 2:
        inner = builder.make_node("Erf", [builder.make_node(
            "Div", [x, make_scalar(builder, 1.41421356)])])
        one = builder.make_node("Add", [inner, make_scalar(builder, 1)])
        half = builder.make_node("Mul", [x, one])
        return builder.make_node("Mul", [half, make_scalar(builder, 0.5)])
    if kind == 3:
        return builder.make_node("Clip", [x, make_scalar(builder, 0), make_scalar(builder, 6)])
    if kind == 4:
        return builder.make_node("LeakyRelu", [x], alpha=0.1)
    if kind == 5:
        gate = builder.make_node("HardSigmoid", [x], alpha=1 / 6, beta=0.5)
        return builder.make_node("Mul", [x, gate])
    return builder.make_node("Tanh", [x])


def make_norm(builder, x):
    """A layer norm in pieces, or an RMS norm."""
    if builder.opset >= 18:
        axes = {"inputs": [builder.make_integers(-1)], "attributes": {}}
    else:
        axes = {"inputs": [], "attributes": {"axes": [-1]}}

    def mean(value):
        return builder.make_node("ReduceMean", [value, *axes["inputs"]], keepdims=1,
                                 **axes["attributes"])

    centred = builder.make_node("Sub", [x, mean(x)]) if builder.chance(0.6) else x
    square = builder.make_node("Pow", [centred, make_scalar(builder, 2)])
    root = builder.make_node("Sqrt", [builder.make_node(
        "Add", [mean(square), make_scalar(builder, 1e-3)])])
    normal = builder.make_node("Div", [centred, root])
    scale = builder.make_value(shape=[x.shape[-1]], constant_share=1)
    result = builder.make_node("Mul", [normal, scale])
    if builder.chance(0.6):
        shift = builder.make_value(shape=[x.shape[-1]], constant_share=1)
        result = builder.make_node("Add", [result, shift])
    return result


def find_rows(builder, least=2, most=4):
    return builder.find_value(
        lambda value: value.dtype == np.float32 and least <= value.rank <= most and
        value.shape[-1] > 1,
        lambda: builder.make_value(shape=builder.draw_shape(builder.draw_integer(least, most))))


@pattern
def make_mlp_block(builder):
    """Norm, two products with an activation, and the residual."""
    x = find_rows(builder)
    inner = make_norm(builder, x) if builder.chance(0.5) else x
    width = builder.choose([8, 16, 17, 32, 33, 64])
    check_work(x.array.size, width)
    up = builder.make_node("MatMul", [inner, draw_weights(builder, [x.shape[-1], width],
                                                          x.shape[-1], 1)])
    if builder.chance(0.7):
        up = builder.make_node("Add", [up, builder.make_value(shape=[width], constant_share=1)])
    up = make_activation(builder, up)
    down = builder.make_node("MatMul", [up, draw_weights(builder, [width, x.shape[-1]],
                                                         width, 1)])
    if builder.chance(0.7):
        builder.make_node("Add", [x, down])


@pattern
def make_conv_block(builder):
    """Convolution, batch norm, activation, residual, pool."""
    x = find_image(builder)
    y = make_conv(builder, x)
    if builder.chance(0.5):
        y = make_batch_norm(builder, y)
    if builder.chance(0.8):
        y = make_activation(builder, y)
    if y.shape == x.shape and builder.chance(0.7):
        y = builder.make_node("Add", [y, x])
        if builder.chance(0.5):
            y = builder.make_node("Relu", [y])
    if builder.chance(0.3):
        builder.make_node("GlobalAveragePool", [y])


@pattern
def make_squeeze_excite(builder):
    x = find_image(builder, 2)
    pooled = builder.make_node("GlobalAveragePool", [x])
    inner = builder.choose([1, 2, 4])
    channels = x.shape[1]
    less = builder.make_node("Conv", [pooled, draw_weights(
        builder, [inner, channels, 1, 1], channels, 1)])
    less = builder.make_node("Relu", [less])
    gate = builder.make_node("Conv", [less, draw_weights(
        builder, [channels, inner, 1, 1], inner, 1)])
    gate = builder.make_node(builder.choose(["Sigmoid", "HardSigmoid"]), [gate])
    builder.make_node("Mul", [x, gate])


@pattern
def make_attention(builder):
    """Scaled products of heads, with and without a mask."""
    batch, heads = builder.choose([1, 2]), builder.choose([1, 2, 3])
    rows, columns = builder.choose([1, 2, 5, 17, 33]), builder.choose([1, 3, 17, 64, 65, 130])
    width, out = builder.choose([4, 8, 16, 17]), builder.choose([4, 8, 17])
    check_work(batch * heads * rows, columns, width + out)
    q = builder.make_value(shape=[batch, heads, rows, width], constant_share=0)
    v = builder.make_value(shape=[batch, heads, columns, out], constant_share=0)
    if builder.chance(0.5):
        keys = builder.make_value(shape=[batch, heads, columns, width], constant_share=0)
        k = builder.make_node("Transpose", [keys], perm=[0, 1, 3, 2])
    else:
        k = builder.make_value(shape=[batch, heads, width, columns], constant_share=0)
    scores = builder.make_node("MatMul", [q, k])
    scale = make_scalar(builder, np.sqrt(width))
    if builder.chance(0.5):
        scores = builder.make_node("Div", [scores, scale])
    elif builder.chance(0.5):
        scores = builder.make_node("Mul", [scores, make_scalar(builder, width**-0.5)])
    kind = builder.draw_integer(0, 3)
    if kind == 0:
        shape = [1 if builder.chance(0.5) else size for size in scores.shape[:3]] + [columns]
        mask = np.where(builder.rng.random(shape) < 0.3,
                        builder.choose([-10000.0, np.finfo(np.float32).min]), 0)
        mask = mask.astype(np.float32)
        mask[..., 0] = 0
        add = builder.make_constant(mask) if builder.chance(0.5) else builder.make_input(mask)
        scores = builder.make_node("Add", [scores, add])
    elif kind == 1:
        shape = [1 if builder.chance(0.5) else size for size in scores.shape[:3]] + [columns]
        shown = builder.rng.random(shape) < 0.7
        shown[..., 0] = True
        scores = builder.make_node("Where", [builder.make_input(shown), scores,
                                             make_scalar(builder, -1e9)])
    weights = builder.make_node("Softmax", [scores], axis=-1 if builder.opset >= 13 else 3)
    result = builder.make_node("MatMul", [weights, v])
    if builder.chance(0.5):
        together = builder.make_node("Transpose", [result], perm=[0, 2, 1, 3])
        builder.make_node("Reshape", [together, builder.make_integers(0, 0, -1)])


@pattern
def make_embedding(builder):
    """A table, and now and then a product with the same table."""
    words, width = builder.choose([5, 17, 33]), builder.choose([4, 16, 17, 32, 64])
    table = draw_weights(builder, [words, width], 1, 1)
    dtype = builder.choose([np.int64, np.int32])
    shape = builder.draw_shape(builder.draw_integer(1, 2))
    indices = builder.make_input(builder.rng.integers(0, words, shape).astype(dtype))
    x = builder.make_node("Gather", [table, indices])
    if builder.chance(0.5):
        x = make_norm(builder, x)
    if builder.chance(0.5):
        flipped = builder.make_node("Transpose", [table], perm=[1, 0])
        check_work(x.array.size, words)
        builder.make_node("MatMul", [x, flipped])
    else:
        make_matmul(builder, x)


@pattern
def make_gated_block(builder):
    """Two products of one tensor, one through an activation, times each other."""
    x = find_rows(builder)
    width = builder.choose([8, 16, 33])
    check_work(x.array.size, width)
    gate, up = (builder.make_node("MatMul", [x, draw_weights(
        builder, [x.shape[-1], width], x.shape[-1], 1)]) for _ in range(2))
    builder.make_node("Mul", [make_activation(builder, gate), up])


@pattern
def make_two_convolutions(builder):
    """Branches that meet in an Add or a Concat."""
    x = find_image(builder)
    channels = x.shape[1]
    outputs = builder.choose([2, 3, 16, 17])
    kernel = [1] * (x.rank - 2)
    check_work(x.array.size, outputs)
    branches = [builder.make_node("Conv", [x, draw_weights(
        builder, [outputs, channels, *kernel], channels, 1)]) for _ in range(2)]
    if builder.chance(0.5):
        builder.make_node("Concat", branches, axis=1)
    else:
        make_activation(builder, builder.make_node("Add", branches))


