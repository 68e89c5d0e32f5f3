"""Random recurrent nodes, branches and loops."""

import numpy as np
from onnx import TensorProto, helper

from fuzz_builder import Rejected
from fuzz_operators import operator

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FUNCTIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}


def draw_cell(builder, name):
    if builder.is_special:
        raise Rejected("what gates make of no numbers is told by the order")
    rows = GATES[name]
    direction = builder.choose(["forward", "forward", "reverse", "bidirectional"])
    directions = 2 if direction == "bidirectional" else 1
    x = builder.find_value(
        lambda value: value.dtype == np.float32 and value.rank == 3 and 0 not in value.shape
        and value.shape[0] <= 8 and value.shape[1] <= 8,
        lambda: builder.make_value(np.float32, [builder.draw_integer(1, 6), builder.draw_integer(1, 4),
                                                builder.draw_integer(1, 33)], constant_share=0))
    steps, batch, inputs = x.shape
    hidden = builder.choose([1, 3, 8, 17])

    def weight(*dims):
        return builder.make_constant((builder.rng.normal(0, 1, dims) / np.sqrt(dims[-1])).astype(np.float32))

    def state():
        return weight(directions, batch, hidden) if builder.chance(0.5) else None

    operands = [x, weight(directions, rows * hidden, inputs), weight(directions, rows * hidden, hidden),
                weight(directions, 2 * rows * hidden) if builder.chance(0.7) else None,
                builder.make_constant(builder.rng.integers(1, steps + 1, batch).astype(np.int32))
                if builder.chance(0.3) else None, state()]
    attributes = {"hidden_size": hidden, "direction": direction}
    if name == "LSTM":
        operands += [state(), weight(directions, 3 * hidden) if builder.chance(0.3) else None]
    if name == "GRU":
        attributes["linear_before_reset"] = builder.draw_integer(0, 1)
    if builder.chance(0.2):
        attributes["clip"] = 0.75
    if builder.chance(0.3):
        attributes["activations"] = [
            builder.choose(["Relu", "Tanh", "Sigmoid", "HardSigmoid", "Softsign"])
            for _ in range(directions * FUNCTIONS[name])]
    while operands[-1] is None:
        operands.pop()
    builder.make_node(name, operands, outputs=3 if name == "LSTM" else 2, **attributes)


@operator("RNN")
def make_rnn(builder):
    draw_cell(builder, "RNN")


@operator("GRU")
def make_gru(builder):
    draw_cell(builder, "GRU")


@operator("LSTM")
def make_lstm(builder):
    draw_cell(builder, "LSTM")


def make_body(nodes, inputs, outputs):
    def describe(name, kind):
        # ONNX Runtime wants to be told that counters and conditions are scalars.
        return helper.make_tensor_value_info(name, kind, None if kind == TensorProto.FLOAT else [])
    return helper.make_graph(nodes, "body", [describe(*value) for value in inputs],
                             [describe(*value) for value in outputs])


def draw_step(builder, x, result, weight):
    """A node that keeps the dims of `x`; a product where there is a weight."""
    if weight and builder.chance(0.5):
        return helper.make_node("MatMul", [x, weight.name], [result], name=builder.make_name("/step"))
    kind = builder.choose(["Tanh", "Sigmoid", "Relu", "Neg"])
    return helper.make_node(kind, [x], [result], name=builder.make_name("/step"))


def find_carried(builder):
    return builder.find_float(least=1, most=3, dtypes=(np.float32,))


def draw_weight(builder, x):
    size = x.shape[-1]
    if not 1 <= size <= 64:
        return None
    return builder.make_constant((builder.rng.normal(0, 1, (size, size)) / size).astype(np.float32))


def add_node(builder, node, operands):
    """Adds a node that holds graphs, which take values by name."""
    return builder.make_nodes([node], operands, list(node.output))


@operator("If", 11)
def make_if(builder):
    x = find_carried(builder)
    weight = draw_weight(builder, x)
    condition = builder.make_value(np.bool_, [])
    branches = {}
    for key in ("then_branch", "else_branch"):
        name = builder.make_name("branch")
        branches[key] = make_body([draw_step(builder, x.name, name, weight)], [], [(name, TensorProto.FLOAT)])
    node = helper.make_node("If", [condition.name], [builder.make_name("if")],
                            name=builder.make_name("/If"), **branches)
    add_node(builder, node, [value for value in (condition, x, weight) if value])


@operator("Loop", 11)
def make_loop(builder):
    x = find_carried(builder)
    weight = draw_weight(builder, x)
    # Of rows that no trip makes, ONNX Runtime tells no dims but the first.
    count = np.array(builder.draw_integer(1, 4), np.int64)
    trips = builder.make_constant(count) if builder.chance(0.5) else builder.make_input(count)
    names = {key: builder.make_name("loop") for key in ("i", "c", "a", "c2", "a2", "r")}
    body = make_body(
        [helper.make_node("Identity", [names["c"]], [names["c2"]], name=builder.make_name("/step")),
         draw_step(builder, names["a"], names["a2"], weight),
         draw_step(builder, names["a2"], names["r"], weight)],
        [(names["i"], TensorProto.INT64), (names["c"], TensorProto.BOOL), (names["a"], TensorProto.FLOAT)],
        [(names["c2"], TensorProto.BOOL), (names["a2"], TensorProto.FLOAT), (names["r"], TensorProto.FLOAT)])
    node = helper.make_node("Loop", [trips.name, "", x.name], [builder.make_name("loop"), builder.make_name("rows")],
                            name=builder.make_name("/Loop"), body=body)
    add_node(builder, node, [value for value in (trips, x, weight) if value])


@operator("Scan", 11)
def make_scan(builder):
    x = builder.find_float(least=2, most=3, dtypes=(np.float32,))
    if not 1 <= x.shape[0] <= 8 or 0 in x.shape:
        raise Rejected("too many steps")
    state = builder.make_value(np.float32, list(x.shape[1:]), constant_share=0.5)
    names = {key: builder.make_name("scan") for key in ("a", "v", "a2", "r")}
    body = make_body(
        [helper.make_node("Sub", [names["v"], names["a"]], [names["a2"]], name=builder.make_name("/step")),
         draw_step(builder, names["a2"], names["r"], None)],
        [(names["a"], TensorProto.FLOAT), (names["v"], TensorProto.FLOAT)],
        [(names["a2"], TensorProto.FLOAT), (names["r"], TensorProto.FLOAT)])
    node = helper.make_node(
        "Scan", [state.name, x.name], [builder.make_name("scan"), builder.make_name("rows")],
        name=builder.make_name("/Scan"), body=body, num_scan_inputs=1,
        scan_input_directions=[builder.draw_integer(0, 1)], scan_output_directions=[builder.draw_integer(0, 1)])
    add_node(builder, node, [state, x])

