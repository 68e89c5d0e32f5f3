"""One random node of each operator that its formula alone runs."""

import numpy as np

from fuzz_builder import MAX_ELEMENTS, Rejected, get_axes, make_axis, run_evaluator
from fuzz_operators import find_any, find_exact, find_number, operator

SIGNED = (np.float32, np.int32, np.int64)


def draw_indices(builder, size, shape, lowest=None):
    """Indices into an axis of `size`, some of them negative."""
    if size == 0:
        raise Rejected("no index is in range")
    low = -size if builder.chance(0.3) else 0
    indices = builder.rng.integers(low if lowest is None else lowest, size, shape)
    dtype = np.int32 if builder.chance(0.2) else np.int64
    indices = indices.astype(dtype)
    return builder.make_constant(indices) if builder.chance(0.5) else builder.make_input(indices)


def draw_tuples(builder, dims, shape):
    """Tuples of int64 indices into `dims`, one for each position of `shape`."""
    if 0 in dims:
        raise Rejected("no index is in range")
    tuples = np.stack([builder.rng.integers(-size, size, shape) for size in dims], axis=-1)
    return builder.make_constant(tuples)


def draw_reduction(builder, x):
    names = ["none"] + ["add", "mul"] * (builder.opset >= 16) + ["max", "min"] * (builder.opset >= 18)
    name = builder.choose(names) if x.dtype in SIGNED else "none"
    if name == "none":
        return {}
    if x.dtype == np.float32 and builder.is_special:
        raise Rejected("of NaN and zeros of both signs either is taken")
    return {"reduction": name}


def draw_like(builder, x, shape):
    return builder.make_value(x.dtype, shape)


@operator("GatherND", 11)
def make_gather_nd(builder):
    x = find_any(builder, least=1, most=4)
    batch = builder.draw_integer(0, x.rank - 1) if builder.opset >= 12 and builder.chance(0.3) else 0
    count = builder.draw_integer(1, x.rank - batch)
    shape = [*x.shape[:batch], *builder.draw_shape(builder.draw_integer(0 if batch else 1, 2))]
    indices = draw_tuples(builder, x.shape[batch:batch + count], shape)
    builder.make_node("GatherND", [x, indices], exact=True, **({"batch_dims": batch} if batch else {}))


@operator("ScatterND", 11)
def make_scatter_nd(builder):
    x = find_any(builder, least=1, most=4)
    count = builder.draw_integer(1, x.rank)
    # Without a reduction no element is set twice.
    attributes = draw_reduction(builder, x)
    size = builder.draw_integer(1, 4) if attributes else 1
    indices = draw_tuples(builder, x.shape[:count], [size])
    updates = draw_like(builder, x, [size, *x.shape[count:]])
    builder.make_node("ScatterND", [x, indices, updates], exact=True, **attributes)


@operator("GatherElements", 11)
def make_gather_elements(builder):
    x = find_any(builder, least=1, most=4)
    axis = make_axis(builder, x.rank)
    shape = [builder.draw_integer(1, size) if size else 0 for size in x.shape]
    shape[axis] = builder.draw_integer(1, 6)
    builder.make_node("GatherElements", [x, draw_indices(builder, x.shape[axis], shape)],
                      exact=True, axis=axis)


@operator("ScatterElements", 11)
def make_scatter_elements(builder):
    x = find_any(builder, least=1, most=4)
    axis = make_axis(builder, x.rank)
    attributes = draw_reduction(builder, x)
    shape = list(x.shape)
    shape[axis] = builder.draw_integer(1, 4) if attributes else 1
    indices = draw_indices(builder, x.shape[axis], shape)
    builder.make_node("ScatterElements", [x, indices, draw_like(builder, x, shape)], exact=True,
                      axis=axis, **attributes)


@operator("Scatter", 9)
def make_scatter(builder):
    if builder.opset > 10:
        raise Rejected("is ScatterElements since opset 11")
    x = find_any(builder, least=1, most=4)
    axis = make_axis(builder, x.rank) % x.rank
    shape = list(x.shape)
    shape[axis] = 1
    indices = draw_indices(builder, x.shape[axis], shape, lowest=0)
    builder.make_node("Scatter", [x, indices, draw_like(builder, x, shape)], exact=True, axis=axis)


@operator("OneHot", 9)
def make_one_hot(builder):
    shape = builder.draw_shape(builder.draw_integer(1, 2))
    depth = builder.draw_integer(1, 7)
    indices = draw_indices(builder, depth, shape)
    values = builder.make_constant(builder.draw_array(builder.choose([np.float32, np.int64]), [2]))
    builder.make_node("OneHot", [indices, builder.make_constant(np.array(depth, np.int64)), values],
                      exact=True, evaluate=run_evaluator, axis=builder.draw_integer(-1, len(shape)))


@operator("Tile", 6)
def make_tile(builder):
    x = find_any(builder, least=1, most=4)
    repeats = [builder.choose([1, 1, 2, 3]) for _ in x.shape]
    if np.prod(x.shape) * np.prod(repeats) > MAX_ELEMENTS:
        raise Rejected("too large")
    builder.make_node("Tile", [x, builder.make_integers(*repeats)], exact=True)


def draw_image(builder, channels=1, block=1):
    shape = [builder.draw_integer(1, 2), builder.draw_integer(1, 3) * channels,
             builder.draw_integer(1, 4) * block, builder.draw_integer(1, 4) * block]
    return builder.find_value(
        lambda value: value.dtype == np.float32 and value.rank == 4 and 0 not in value.shape
        and value.shape[1] % channels == 0 and value.shape[2] % block == 0
        and value.shape[3] % block == 0, lambda: builder.make_value(np.float32, shape))


@operator("DepthToSpace")
def make_depth_to_space(builder):
    block = builder.choose([1, 2, 2, 3])
    attributes = {"mode": builder.choose(["DCR", "CRD"])} if builder.opset >= 11 else {}
    builder.make_node("DepthToSpace", [draw_image(builder, channels=block * block)], exact=True,
                      blocksize=block, **attributes)


@operator("SpaceToDepth")
def make_space_to_depth(builder):
    block = builder.choose([1, 2, 2, 3])
    builder.make_node("SpaceToDepth", [draw_image(builder, block=block)], exact=True, blocksize=block)


@operator("ReverseSequence", 10)
def make_reverse_sequence(builder):
    x = find_any(builder, least=2, most=4)
    time = builder.draw_integer(0, 1)
    if 0 in x.shape[:2]:
        raise Rejected("no sequences")
    lengths = builder.rng.integers(1, x.shape[time] + 1, x.shape[1 - time])
    builder.make_node("ReverseSequence", [x, builder.make_constant(lengths)], exact=True,
                      evaluate=run_evaluator, time_axis=time, batch_axis=1 - time)


@operator("Trilu", 14)
def make_trilu(builder):
    x = builder.find_float(least=2)
    operands = [x]
    if builder.chance(0.6):
        operands.append(builder.make_constant(np.array(builder.draw_integer(-3, 3), np.int64)))
    builder.make_node("Trilu", operands, exact=True, evaluate=run_evaluator,
                      upper=builder.draw_integer(0, 1))


@operator("CumSum", 11)
def make_cum_sum(builder):
    x = find_number(builder, SIGNED)
    if x.rank == 0:
        raise Rejected("has no axis")
    axis = builder.make_constant(np.array(make_axis(builder, x.rank), np.int64))
    builder.make_node("CumSum", [x, axis], exact=x.dtype != np.float32,
                      exclusive=builder.draw_integer(0, 1), reverse=builder.draw_integer(0, 1))


def find_ordered(builder):
    """Numbers whose order is agreed upon."""
    if builder.is_special:
        raise Rejected("NaN has no place in the order")
    x = find_exact(builder, least=1) if builder.chance(0.7) else find_number(builder, SIGNED)
    if x.rank == 0 or 0 in x.shape or x.dtype == np.float16:
        raise Rejected("has no element")
    return x


for _name in ("ArgMax", "ArgMin"):
    def _make(builder, name=_name):
        x = find_ordered(builder)
        attributes = {"axis": make_axis(builder, x.rank), "keepdims": builder.draw_integer(0, 1)}
        if builder.opset >= 12 and builder.chance(0.3):
            attributes["select_last_index"] = 1
        builder.make_node(name, [x], exact=True, evaluate=run_evaluator, **attributes)
    operator(_name)(_make)


@operator("TopK", 10)
def make_top_k(builder):
    x = find_ordered(builder)
    axis = make_axis(builder, x.rank)
    k = builder.draw_integer(1, x.shape[axis])
    attributes = {"largest": builder.draw_integer(0, 1)} if builder.opset >= 11 else {}
    if builder.opset < 11 and x.dtype != np.float32:
        raise Rejected("floats alone")
    builder.make_node("TopK", [x, builder.make_integers(k)], outputs=2, exact=True, axis=axis,
                      **attributes)


@operator("NonZero", 9)
def make_non_zero(builder):
    x = find_number(builder, SIGNED)
    if x.rank == 0 or not x.is_exact:
        raise Rejected("would turn rounding into steps")
    builder.make_node("NonZero", [x], exact=True)


@operator("NonMaxSuppression", 11)
def make_non_max_suppression(builder):
    if builder.is_special:
        raise Rejected("boxes are numbers")
    samples, classes, count = (builder.draw_integer(1, most) for most in (2, 3, 9))
    # Sixteenths, and scores of which no two are equal: nothing hangs on a rounding.
    corners = builder.rng.integers(0, 16, (samples, count, 4)) / 16
    places = builder.rng.permutation(samples * classes * count) / 64
    limits = [builder.make_constant(np.array([value], np.float32)) for value in (0.317, 0.4)]
    builder.make_node(
        "NonMaxSuppression",
        [builder.make_input(corners.astype(np.float32)),
         builder.make_input(places.reshape(samples, classes, count).astype(np.float32)),
         builder.make_integers(builder.draw_integer(0, 5)), *limits],
        exact=True, center_point_box=builder.draw_integer(0, 1))


@operator("PRelu", 7)
def make_prelu(builder):
    x = builder.find_float(least=1, dtypes=(np.float32,))
    axes = get_axes(builder, x.rank)
    shape = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    builder.make_node("PRelu", [x, builder.make_value(x.dtype, shape)], exact=True)


@operator("GridSample", 20)
def make_grid_sample(builder):
    if builder.is_special:
        raise Rejected("what has no place is not defined")
    x = draw_image(builder)
    if not x.is_exact:
        raise Rejected("would turn rounding into steps")
    # Eighths: no coordinate is near to where the next element begins.
    grid = builder.draw_integer(1, 3), builder.draw_integer(1, 4)
    places = builder.rng.integers(-12, 13, (x.shape[0], *grid, 2)) / 8 + 1 / 64
    builder.make_node("GridSample", [x, builder.make_input(places.astype(np.float32))],
                      evaluate=run_evaluator, mode=builder.choose(["linear", "nearest", "cubic"]),
                      padding_mode=builder.choose(["zeros", "border", "reflection"]),
                      align_corners=builder.draw_integer(0, 1))


@operator("InstanceNormalization", 6)
def make_instance_normalization(builder):
    x = builder.find_float(least=3, dtypes=(np.float32,))
    if builder.is_special or np.prod(x.shape[2:]) < 4 or x.shape[1] == 0:
        raise Rejected("the variance would be rounding")
    if float(np.min(np.var(x.array, axis=tuple(range(2, x.rank))), initial=1)) < 1e-3:
        raise Rejected("the variance would be rounding")
    factors = [builder.make_value(np.float32, [x.shape[1]], 0.8) for _ in range(2)]
    builder.make_node("InstanceNormalization", [x, *factors])
