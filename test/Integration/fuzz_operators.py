"""One random node of each operator that the importer knows.

`OPERATORS` maps names to functions that add a node to a builder, or raise `Rejected`.
"""

import numpy as np

from fuzz_builder import (MAX_ELEMENTS, SIZES, Rejected, get_axes, make_axis, run_evaluator,
                          run_session)

OPERATORS = {}
INTEGERS = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.int64, np.uint32)
NUMBERS = (np.float32, np.float16, *INTEGERS)


def operator(name, since=1):
    """Adds a function to the table; `since` is the first opset of the operator."""
    def register(function):
        def make(builder):
            if builder.opset < since:
                raise Rejected("a later opset has it")
            function(builder)
        OPERATORS[name] = make
        return function
    return register


def find_number(builder, dtypes=NUMBERS):
    """A tensor of numbers, mostly floats."""
    if np.float32 in dtypes and builder.chance(0.8):
        return builder.find_float()
    dtype = builder.choose(dtypes)
    return builder.find_value(lambda value: value.dtype == dtype,
                              lambda: builder.make_value(dtype), fresh_share=0.3)


def find_boolean(builder):
    return builder.find_value(lambda value: value.dtype == np.bool_,
                              lambda: builder.make_value(np.bool_), fresh_share=0.3)


def find_exact(builder, **options):
    """A float tensor in front of what jumps: the last bit of its elements is agreed upon."""
    value = builder.find_float(**options)
    if not value.is_exact:
        raise Rejected("would turn rounding into steps")
    return value


#===----------------------------------------------------------------------===#
# Element-wise
#===----------------------------------------------------------------------===#


def make_positive(builder, value):
    return builder.make_node("Abs", [value], exact=True)


def register_unary(name, since, exact, is_stepwise=False, needs_positive=False):
    @operator(name, since)
    def make(builder):
        x = find_exact(builder) if is_stepwise else builder.find_float()
        if needs_positive and not builder.is_special:
            x = make_positive(builder, x)
            if name == "Log":
                # Sums that are zero but for rounding would be infinity or not.
                least = builder.make_constant(np.array(0.0625, x.dtype))
                x = builder.make_node("Add", [x, least])
        builder.make_node(name, [x], exact=exact)


for _name, _since, _exact in [
        ("Cos", 7, False), ("Erf", 9, False), ("Exp", 6, False), ("HardSwish", 14, False),
        ("Reciprocal", 6, True), ("Sigmoid", 6, False), ("Sin", 7, False),
        ("Softplus", 1, False), ("Tanh", 6, False), ("Identity", 1, True)]:
    register_unary(_name, _since, _exact)
for _name, _since in [("Ceil", 6), ("Floor", 6), ("Round", 11)]:
    register_unary(_name, _since, True, is_stepwise=True)
register_unary("Log", 6, False, needs_positive=True)
register_unary("Sqrt", 6, True, needs_positive=True)


def register_number_unary(name, since):
    @operator(name, since)
    def make(builder):
        x = find_number(builder)
        if x.dtype in (np.uint8, np.uint32) and name == "Neg":
            raise Rejected("no negative numbers")
        builder.make_node(name, [x], exact=True)


for _name, _since in [("Abs", 6), ("Neg", 6), ("Relu", 6)]:
    register_number_unary(_name, _since)


def register_alpha(name, since, absent):
    @operator(name, since)
    def make(builder):
        attributes = {}
        if builder.chance(0.6):
            attributes["alpha"] = float(builder.choose([absent, 0.2, 1.0, 1.5, 0.0, -0.5]))
        evaluate = run_evaluator if name == "Swish" else run_session
        builder.make_node(name, [builder.find_float()], evaluate=evaluate, **attributes)


for _name, _since, _absent in [("LeakyRelu", 6, 0.01), ("Elu", 6, 1.0), ("HardSigmoid", 6, 0.2),
                               ("Swish", 24, 1.702)]:
    register_alpha(_name, _since, _absent)


@operator("Gelu", 20)
def make_gelu(builder):
    builder.make_node("Gelu", [builder.find_float()],
                      approximate=builder.choose(["none", "tanh"]))


@operator("Dropout", 12)
def make_dropout(builder):
    builder.make_node("Dropout", [builder.find_float()], exact=True)


def order(builder, x, y):
    return [x, y] if builder.chance(0.6) else [y, x]


def register_binary(name, since, dtypes=NUMBERS):
    @operator(name, since)
    def make(builder):
        x = find_number(builder, dtypes)
        operands = order(builder, x, builder.find_partner(x))
        if name in ("Div", "Mod") and x.dtype in INTEGERS and (operands[1].array == 0).any():
            raise Rejected("a quotient of zero")
        if name in ("Div", "Mod") and x.dtype in INTEGERS and not operands[1].is_constant:
            raise Rejected("another sample may divide by zero")
        attributes = {"fmod": builder.draw_integer(0, 1)} if name == "Mod" else {}
        builder.make_node(name, operands, exact=True, **attributes)


for _name in ["Add", "Sub", "Mul", "Div"]:
    register_binary(_name, 7)
register_binary("Mod", 10, INTEGERS)
for _name in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]:
    register_binary(_name, 18, INTEGERS)


@operator("Pow", 7)
def make_pow(builder):
    x = builder.find_float()
    if builder.chance(0.7):
        exponent = builder.make_constant(
            np.array(builder.choose([2, 3, 0.5, -1, 1, 0, 2.5]), x.dtype))
        if exponent.array != int(exponent.array) and not builder.is_special:
            x = make_positive(builder, x)
    else:
        x = make_positive(builder, x)
        exponent = builder.find_partner(x)
    builder.make_node("Pow", [x, exponent])


def register_variadic(name, since):
    @operator(name, since)
    def make(builder):
        x = find_number(builder, NUMBERS if name != "Sum" else (np.float32,))
        others = [builder.find_partner(x) for _ in range(builder.draw_integer(0, 2))]
        builder.make_node(name, [x, *others], exact=True)


for _name, _since in [("Max", 8), ("Min", 8), ("Sum", 8)]:
    register_variadic(_name, _since)


def register_comparison(name, since):
    @operator(name, since)
    def make(builder):
        x = find_number(builder)
        y = builder.find_partner(x)
        if not (x.is_exact and y.is_exact):
            raise Rejected("would turn rounding into steps")
        builder.make_node(name, order(builder, x, y), exact=True)


for _name, _since in [("Equal", 7), ("Greater", 7), ("GreaterOrEqual", 12), ("Less", 7),
                      ("LessOrEqual", 12)]:
    register_comparison(_name, _since)


def register_logical(name):
    @operator(name, 7)
    def make(builder):
        x = find_boolean(builder)
        builder.make_node(name, order(builder, x, builder.find_partner(x)), exact=True)


for _name in ["And", "Or", "Xor"]:
    register_logical(_name)


@operator("Not")
def make_not(builder):
    builder.make_node("Not", [find_boolean(builder)], exact=True)


@operator("Where", 9)
def make_where(builder):
    x = find_number(builder)
    y = builder.find_partner(x)
    shape = np.broadcast_shapes(x.shape, y.shape)
    condition = builder.find_value(
        lambda value: value.dtype == np.bool_ and value.rank <= len(shape) and all(
            a in (1, b) for a, b in zip(value.shape[::-1], shape[::-1])),
        lambda: builder.make_value(
            np.bool_, [size if builder.chance(0.7) else 1 for size in shape]))
    builder.make_node("Where", [condition, *order(builder, x, y)], exact=True)


CAST_TYPES = {np.float32: 1, np.uint8: 2, np.int8: 3, np.uint16: 4, np.int16: 5, np.int32: 6, np.int64: 7,
              np.bool_: 9, np.float16: 10, np.uint32: 12}


def find_castable(builder, target):
    """What a cast to `target` defines for every element."""
    x = find_number(builder) if builder.chance(0.8) else find_boolean(builder)
    if not np.issubdtype(x.dtype, np.floating) or np.issubdtype(target, np.floating):
        return x
    if not x.is_exact or builder.is_special:
        raise Rejected("would turn rounding into steps")
    if target != np.bool_:
        info = np.iinfo(target)
        if (x.array < info.min).any() or (x.array > info.max).any():
            raise Rejected("not defined outside of the target's range")
        if np.issubdtype(target, np.unsignedinteger):
            return make_positive(builder, x)
    return x


@operator("Cast", 6)
def make_cast(builder):
    target = builder.choose(CAST_TYPES)
    builder.make_node("Cast", [find_castable(builder, target)], exact=True,
                      to=CAST_TYPES[target])


@operator("CastLike", 15)
def make_cast_like(builder):
    like = builder.find_value(lambda value: value.dtype in CAST_TYPES,
                              lambda: builder.make_value(builder.choose(CAST_TYPES)),
                              fresh_share=0.4)
    builder.make_node("CastLike", [find_castable(builder, like.dtype), like], exact=True)


@operator("Clip", 11)
def make_clip(builder):
    x = find_number(builder, (np.float32, np.int8, np.uint8, np.int32, np.int64))
    low, high = sorted([builder.draw_integer(-4, 6) / 2, builder.draw_integer(-4, 6) / 2])
    if np.issubdtype(x.dtype, np.unsignedinteger):
        low, high = abs(low), abs(high) + abs(low)
    bounds = []
    for bound in (low, high):
        array = np.array(bound).astype(x.dtype)
        # Without a bound infinity stays, but ONNX Runtime makes the largest number of it.
        if not builder.is_special and builder.chance(0.2):
            bounds.append(None)
        elif builder.chance(0.2) and x.dtype == np.float32:
            bounds.append(builder.make_input(array))
        else:
            bounds.append(builder.make_constant(array))
    builder.make_node("Clip", [x, *bounds], exact=True)


#===----------------------------------------------------------------------===#
# Movement and shapes
#===----------------------------------------------------------------------===#


def find_any(builder, least=1, most=5):
    if builder.chance(0.8):
        return builder.find_float(least, most)
    dtype = builder.choose([*NUMBERS, np.bool_])
    return builder.find_value(
        lambda value: value.dtype == dtype and least <= value.rank <= most,
        lambda: builder.make_value(dtype, builder.draw_shape(max(least, min(most, 3)))),
        fresh_share=0.3)


@operator("Transpose")
def make_transpose(builder):
    x = find_any(builder)
    attributes = {}
    if builder.chance(0.85):
        attributes["perm"] = [int(axis) for axis in builder.rng.permutation(x.rank)]
    builder.make_node("Transpose", [x], exact=True, **attributes)


@operator("Slice", 10)
def make_slice(builder):
    x = find_any(builder)
    axes = get_axes(builder, x.rank)
    starts, ends, steps = [], [], []
    for axis in axes:
        size = x.shape[axis]
        step = builder.choose([1, 1, 1, 2, 3, -1, -2])
        low, high = sorted([builder.draw_integer(0, size), builder.draw_integer(0, size)])
        if low == high and builder.chance(0.95):
            low, high = 0, size
        if step < 0:
            low, high = high - 1, low - 1 if low else -size - 1
        elif builder.chance(0.2):
            high = 2**31 - 1 if builder.chance(0.5) else 2**63 - 1
        elif builder.chance(0.3) and low < size:
            low -= size
        starts.append(low)
        ends.append(high)
        steps.append(step)
    operands = [x, builder.make_integers(*starts), builder.make_integers(*ends)]
    if axes != list(range(len(axes))) or any(step != 1 for step in steps) or builder.chance(0.5):
        operands.append(builder.make_integers(*axes))
    if any(step != 1 for step in steps) or (len(operands) == 4 and builder.chance(0.3)):
        operands.append(builder.make_integers(*steps))
    builder.make_node("Slice", operands, exact=True)


@operator("Concat", 4)
def make_concat(builder):
    x = find_any(builder)
    axis = make_axis(builder, x.rank)
    count = axis % x.rank
    parts = [x]

    def fits(value):
        return (value.dtype == x.dtype and value.rank == x.rank and
                value.shape[:count] == x.shape[:count] and
                value.shape[count + 1:] == x.shape[count + 1:])

    def make():
        shape = list(x.shape)
        shape[count] = builder.choose(SIZES[:6])
        return builder.make_value(x.dtype, shape, constant_share=0.5)

    for _ in range(builder.draw_integer(0 if builder.chance(0.1) else 1, 3)):
        parts.append(builder.find_value(fits, make, fresh_share=0.4))
    builder.rng.shuffle(parts)
    builder.make_node("Concat", parts, exact=True, axis=axis)


@operator("Split", 2)
def make_split(builder):
    x = find_any(builder)
    axis = make_axis(builder, x.rank)
    size = x.shape[axis]
    count = builder.draw_integer(1, min(4, max(size, 1)))
    attributes = {"axis": axis}
    operands = [x]
    if builder.chance(0.5) and size % count == 0:
        if builder.opset >= 18:
            attributes["num_outputs"] = count
    else:
        cuts = sorted(builder.draw_integer(0, size) for _ in range(count - 1))
        sizes = np.diff([0, *cuts, size])
        if builder.opset >= 13:
            operands.append(builder.make_integers(*sizes))
        else:
            attributes["split"] = [int(part) for part in sizes]
    builder.make_node("Split", operands, outputs=count, exact=True, **attributes) \
        if count > 1 else None


@operator("Gather")
def make_gather(builder):
    x = find_any(builder)
    axis = make_axis(builder, x.rank)
    size = x.shape[axis]
    if size == 0:
        raise Rejected("nothing to gather")
    shape = builder.draw_shape(builder.draw_integer(0, 2)) if builder.chance(0.9) else [0]
    dtype = builder.choose([np.int64, np.int32])
    # Another sample may have a smaller dim: only constants may count on this one's.
    indices = builder.rng.integers(-size, size, shape).astype(dtype)
    if builder.chance(0.5) and x.is_constant:
        indices = builder.make_input(indices)
    else:
        indices = builder.make_constant(indices)
    builder.make_node("Gather", [x, indices], exact=True, axis=axis)


@operator("Pad", 11)
def make_pad(builder):
    x = builder.find_float() if builder.chance(0.9) else find_any(builder)
    pads = [builder.choose([0, 0, 1, 2, 3]) for _ in range(2 * x.rank)]
    operands = [x, builder.make_integers(*pads)]
    if builder.chance(0.5):
        operands.append(builder.make_constant(builder.draw_array(x.dtype, [])))
    builder.make_node("Pad", operands, exact=True)


def factor(builder, elements, rank):
    """A random shape of `rank` with that many elements."""
    shape = []
    for _ in range(rank - 1):
        divisors = [n for n in range(1, elements + 1) if elements % n == 0] or [1]
        shape.append(builder.choose(divisors))
        elements //= shape[-1]
    return shape + [elements]


@operator("Reshape", 5)
def make_reshape(builder):
    x = find_any(builder, least=0)
    shape = factor(builder, x.array.size, builder.draw_integer(1, 5))
    if builder.chance(0.3):
        builder.rng.shuffle(shape)
    if builder.chance(0.3) and x.rank >= 1:
        # Keep leading dims, as exporters do for a batch.
        kept = builder.draw_integer(1, x.rank)
        rest = int(np.prod(x.shape[kept:]))
        shape = [*([0] * kept), *factor(builder, rest, builder.draw_integer(1, 2))]
    if builder.chance(0.5) and x.array.size:
        shape[builder.draw_integer(0, len(shape) - 1)] = -1
    builder.make_node("Reshape", [x, builder.make_integers(*shape)], exact=True)


@operator("Expand", 8)
def make_expand(builder):
    x = find_any(builder, least=0, most=4)
    shape = [size if size != 1 else builder.choose([1, 2, 5]) for size in x.shape]
    shape = [1 if builder.chance(0.3) else size for size in shape]
    if builder.chance(0.4):
        shape = [builder.choose(SIZES[:4]), *shape]
    if np.prod(shape) * max(x.array.size, 1) > MAX_ELEMENTS**2 // 100:
        raise Rejected("too large")
    builder.make_node("Expand", [x, builder.make_integers(*shape)], exact=True)


@operator("Flatten")
def make_flatten(builder):
    x = find_any(builder)
    builder.make_node("Flatten", [x], exact=True, axis=builder.draw_integer(-x.rank, x.rank))


def make_with_axes(builder, op, x, axes):
    if builder.opset >= 13:
        return builder.make_node(op, [x, builder.make_integers(*axes)], exact=True)
    return builder.make_node(op, [x], exact=True, axes=axes)


@operator("Squeeze")
def make_squeeze(builder):
    x = builder.find_value(lambda value: 1 in value.shape,
                           lambda: builder.make_value(shape=[1, *builder.draw_shape(2)]))
    ones = [i for i, size in enumerate(x.shape) if size == 1]
    axes = sorted({builder.choose(ones) for _ in range(2)})
    if builder.chance(0.2):
        builder.make_node("Squeeze", [x], exact=True)
    else:
        make_with_axes(builder, "Squeeze", x, axes)


@operator("Unsqueeze")
def make_unsqueeze(builder):
    x = find_any(builder, least=0, most=4)
    count = builder.draw_integer(1, min(2, 5 - x.rank))
    axes = get_axes(builder, x.rank + count, count)
    make_with_axes(builder, "Unsqueeze", x, axes if builder.opset >= 13 else
                   sorted(axis % (x.rank + count) for axis in axes))


@operator("Shape")
def make_shape(builder):
    x = find_any(builder)
    attributes = {}
    if builder.opset >= 15 and builder.chance(0.4):
        attributes["start"] = builder.draw_integer(-x.rank, x.rank - 1)
    dims = builder.make_node("Shape", [x], exact=True, **attributes)
    use_dims(builder, x, dims)


def use_dims(builder, x, dims):
    """What exporters make of a computed shape."""
    kind = builder.draw_integer(0, 5)
    if kind == 0 and dims.array.size and len(dims.array) <= 5:
        builder.make_node("ConstantOfShape", [dims], exact=True)
    elif kind == 1 and len(dims.array) == x.rank:
        builder.make_node("Expand", [builder.make_value(shape=[1], constant_share=0.7), dims],
                          exact=True)
    elif kind == 2:
        index = builder.make_constant(np.array(0, np.int64))
        size = builder.make_node("Gather", [dims, index], exact=True, axis=0)
        zero, one = (builder.make_constant(np.array(i, np.int64)) for i in (0, 1))
        builder.make_node("Range", [zero, size, one], exact=True)
    elif kind == 3 and len(dims.array) == x.rank >= 2:
        index = builder.make_integers(0)
        first = builder.make_node("Gather", [dims, index], exact=True, axis=0)
        target = builder.make_node("Concat", [first, builder.make_integers(-1)], exact=True,
                                   axis=0)
        builder.make_node("Reshape", [x, target], exact=True)


@operator("ConstantOfShape", 9)
def make_constant_of_shape(builder):
    import onnx
    shape = builder.make_integers(*builder.draw_shape(builder.draw_integer(1, 3)))
    attributes = {}
    if builder.chance(0.7):
        value = builder.draw_array(builder.choose([np.float32, np.int64, np.int32]), [1])
        attributes["value"] = onnx.numpy_helper.from_array(value)
    builder.make_node("ConstantOfShape", [shape], exact=True, **attributes)


@operator("Range", 11)
def make_range(builder):
    dtype = builder.choose([np.int64, np.int32])
    start, delta = builder.draw_integer(-9, 9), builder.choose([1, 1, 2, -1, 3])
    limit = start + delta * builder.choose(SIZES) - builder.draw_integer(0, abs(delta) - 1)
    bounds = [np.array(bound, dtype) for bound in (start, limit, delta)]
    builder.make_node("Range", [builder.make_constant(bound) for bound in bounds], exact=True)


#===----------------------------------------------------------------------===#
# Reductions and norms
#===----------------------------------------------------------------------===#


def register_reduction(name, axes_since):
    @operator(name)
    def make(builder):
        is_exact = name in ("ReduceMax", "ReduceMin")
        dtypes = (np.float32, np.int32, np.int64) + ((np.int8, np.uint8) if is_exact else ())
        x = find_number(builder, dtypes) if name != "ReduceL2" else builder.find_float(1)
        if x.dtype not in (*dtypes, np.float16) or x.rank == 0:
            raise Rejected("no such reduction")
        if name == "ReduceMean" and x.array.size == 0:
            raise Rejected("not defined")
        if name == "ReduceProd" and np.issubdtype(x.dtype, np.integer):
            raise Rejected("leaves the range of integers")
        attributes = {"keepdims": builder.draw_integer(0, 1)}
        operands = [x]
        if builder.chance(0.85):
            axes = get_axes(builder, x.rank)
            if builder.opset >= axes_since:
                operands.append(builder.make_integers(*axes))
            else:
                attributes["axes"] = axes
        elif builder.opset >= axes_since and builder.chance(0.3):
            attributes["noop_with_empty_axes"] = 1
        builder.make_node(name, operands, exact=is_exact, **attributes)


for _name in ["ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd"]:
    register_reduction(_name, 18)
register_reduction("ReduceSum", 13)


@operator("Softmax")
def make_softmax(builder):
    x = builder.find_float(1)
    attributes = {"axis": make_axis(builder, x.rank)} if builder.chance(0.8) else {}
    builder.make_node("Softmax", [x], **attributes)


@operator("LayerNormalization", 17)
def make_layer_norm(builder):
    x = builder.find_float(1, dtypes=(np.float32,))
    axis = make_axis(builder, x.rank) if builder.chance(0.5) else -1
    row = x.shape[axis:] if axis < 0 else x.shape[axis:]
    operands = [x, builder.make_value(shape=row, constant_share=0.8)]
    if builder.chance(0.7):
        operands.append(builder.make_value(shape=row, constant_share=0.8))
    attributes = {"epsilon": 0.1} if builder.chance(0.3) else {}
    builder.make_node("LayerNormalization", operands, axis=axis, **attributes)


@operator("BatchNormalization", 9)
def make_batch_norm(builder, x=None):
    x = x or builder.find_float(2, 4, dtypes=(np.float32,))
    if x.rank < 2:
        raise Rejected("no channels")
    channels = x.shape[1]
    share = 0.9
    operands = [builder.make_value(shape=[channels], constant_share=share) for _ in range(3)]
    variance = builder.make_constant(builder.rng.uniform(0.2, 2, channels).astype(np.float32))
    attributes = {"epsilon": 1e-3} if builder.chance(0.3) else {}
    return builder.make_node("BatchNormalization", [x, *operands, variance], **attributes)
