"""Builds a random ONNX graph node by node, with the values of one sample at hand.

Each node is run by ONNX Runtime when it is made, so that later nodes know shapes
and ranges. A node that it refuses, or whose values grow too large, is not made.
"""

from dataclasses import dataclass, field
from typing import Optional

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

# Odd sizes leave rests behind every vector and tile.
SIZES = [1, 2, 3, 4, 5, 7, 8, 16, 17, 32, 33]
# Beyond one tile, one block of keys, one group of every preset.
LARGE_SIZES = [64, 65, 96, 128, 131, 160, 257]
# The reference evaluator is clear and never fast.
MAX_ELEMENTS = 20000
LARGEST_VALUE = 1e5
IR_VERSIONS = {9: 4, 10: 5, 11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10,
               22: 10, 23: 11, 24: 12, 25: 13}
FLOATS = (np.float32, np.float16)


class Rejected(Exception):
    """What was drawn makes no node; the next draw may."""


@dataclass
class Value:
    """A tensor of the graph and what it holds for the sample."""
    name: str
    array: np.ndarray
    is_constant: bool = False
    # Every evaluator computes these very bits, whatever order it sums in.
    is_exact: bool = True
    # What a step of its codes is, where all of them have one scale.
    step: Optional[float] = None

    @property
    def shape(self):
        return self.array.shape

    @property
    def rank(self):
        return self.array.ndim

    @property
    def dtype(self):
        return self.array.dtype.type


def open_session(model, optimize=False):
    """A session of ONNX Runtime with one thread; `model` is a proto, bytes or a path."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = (level.ORT_ENABLE_ALL if optimize else
                                        level.ORT_DISABLE_ALL)
    if isinstance(model, onnx.ModelProto):
        model = model.SerializeToString()
    elif not isinstance(model, bytes):
        model = str(model)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run_session(model, feeds):
    return open_session(model).run(None, feeds)


def run_evaluator(model, feeds):
    """The evaluator of the onnx package, for types that ONNX Runtime lacks."""
    return ReferenceEvaluator(model).run(None, feeds)


def describe_input(name, array, dims=None):
    element_type = helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_value_info(name, element_type,
                                         array.shape if dims is None else dims)


@dataclass
class Builder:
    """The graph so far. `is_special`: NaN, infinities and denormals may occur."""
    rng: np.random.Generator
    opset: int
    is_special: bool = False
    # Scales are powers of two: sums of codes are exact in floats too.
    has_exact_scales: bool = False
    # Rounding may become a step of a code.
    has_steps: bool = False
    nodes: list = field(default_factory=list)
    initializers: dict = field(default_factory=dict)
    inputs: list = field(default_factory=list)
    values: list = field(default_factory=list)
    count: int = 0

    # Draws

    def chance(self, share):
        return self.rng.random() < share

    def choose(self, items):
        items = list(items)
        if not items:
            raise Rejected("nothing to choose from")
        return items[self.rng.integers(len(items))]

    def draw_integer(self, low, high):
        """From `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def draw_shape(self, rank):
        shape = [self.choose(SIZES) for _ in range(rank)]
        if shape and self.chance(0.1):
            shape[self.draw_integer(0, rank - 1) if self.chance(0.4) else -1] = self.choose(
                LARGE_SIZES)
        while np.prod(shape) > MAX_ELEMENTS // 8:
            shape[int(np.argmax(shape))] = self.choose(SIZES[:5])
        return shape

    def draw_array(self, dtype, shape):
        if dtype == np.bool_:
            return self.rng.random(shape) < 0.5
        if np.issubdtype(dtype, np.integer):
            info = np.iinfo(dtype)
            bound = 8 if self.chance(0.5) else 100
            return self.rng.integers(max(-bound, info.min), min(bound, info.max),
                                     shape).astype(dtype)
        array = self.rng.normal(0, 1, shape)
        kind = self.draw_integer(0, 5)
        if kind == 0:
            array = self.rng.uniform(-2, 3, shape)
        elif kind == 1:
            array = np.round(array * 3) / 2
        elif kind == 2 and shape:
            # Channels of unequal size, as activations have them.
            array = array * np.exp(self.rng.normal(0, 1.5, shape[-1]))
        elif kind == 3:
            array = np.abs(array) * 0.1
        if self.is_special and array.size:
            salt = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, -3e-42, 65504.0, 1e-7]
            where = self.rng.random(shape) < 0.2
            return np.where(where, self.rng.choice(salt, shape), array).astype(dtype)
        return np.clip(array, -100, 100).astype(dtype)

    # Values

    def make_name(self, stem):
        self.count += 1
        return f"{stem}_{self.count}"

    def make_constant(self, array, name="c"):
        """An initializer or a Constant node."""
        value = Value(self.make_name(name), np.ascontiguousarray(array).reshape(np.shape(array)),
                      is_constant=True)
        tensor = numpy_helper.from_array(value.array, value.name)
        if self.chance(0.2):
            self.nodes.append(helper.make_node("Constant", [], [value.name], value=tensor,
                                               name=self.make_name("Constant")))
        else:
            self.initializers[value.name] = tensor
        return value

    def make_integers(self, *integers):
        return self.make_constant(np.array(integers, np.int64), "i")

    def make_raw_constant(self, tensor):
        """An initializer of a type that numpy lacks; only nodes of `make_nodes` may use it."""
        tensor.name = self.make_name("raw")
        self.initializers[tensor.name] = tensor
        return tensor.name

    def make_input(self, array):
        value = Value(self.make_name("x"), array)
        self.inputs.append(value)
        self.values.append(value)
        return value

    def make_value(self, dtype=np.float32, shape=None, constant_share=0.3):
        if shape is None:
            shape = self.draw_shape(self.choose([1, 2, 2, 3, 3, 4, 4, 5]))
        array = self.draw_array(dtype, shape)
        if self.chance(constant_share):
            return self.make_constant(array)
        return self.make_input(array)

    def find_value(self, accepts, make=None, fresh_share=0.1):
        """A value of the graph, recent ones first, or a new one."""
        found = [value for value in self.values if accepts(value)]
        if found and not (make and self.chance(fresh_share)):
            return found[max(self.draw_integer(0, len(found) - 1),
                             self.draw_integer(0, len(found) - 1))]
        if make is None:
            raise Rejected("no value fits")
        return make()

    def find_float(self, least=0, most=5, dtypes=FLOATS):
        """A float tensor of `least` to `most` axes."""
        def make():
            dtype = np.float16 if np.float16 in dtypes and self.chance(0.05) else np.float32
            ranks = range(max(least, 1), most + 1)
            return self.make_value(dtype, self.draw_shape(self.choose(ranks)),
                                   constant_share=0.1)
        return self.find_value(
            lambda value: value.dtype in dtypes and least <= value.rank <= most, make)

    def find_partner(self, x):
        """A value that broadcasts with `x` and has its type."""
        def fits(value):
            if value.dtype != x.dtype or value is x and self.chance(0.5):
                return False
            try:
                return np.prod(np.broadcast_shapes(value.shape, x.shape)) <= MAX_ELEMENTS
            except ValueError:
                return False

        def make():
            shape = [size if self.chance(0.75) else 1 for size in x.shape]
            if x.rank < 5 and self.chance(0.1):
                shape = [self.choose(SIZES[:4])] + shape
            shape = shape[self.draw_integer(0, len(shape)) if self.chance(0.3) else 0:]
            for i, size in enumerate(reversed(shape)):
                if i < x.rank and x.shape[-1 - i] == 1 and self.chance(0.2):
                    shape[-1 - i] = self.choose(SIZES)
            if np.prod(np.broadcast_shapes(tuple(shape), x.shape)) > MAX_ELEMENTS:
                raise Rejected("too large")
            return self.make_value(x.dtype, shape, constant_share=0.6)

        return self.find_value(fits, make, fresh_share=0.5)

    # Nodes

    def make_node(self, op, inputs, outputs=1, exact=False, evaluate=run_session,
                  **attributes):
        """Adds a node; `inputs` are values or None. Its results are exact if `exact` and all
        operands are."""
        names = [self.make_name(op.lower()) for _ in range(outputs)]
        node = helper.make_node(op, [value.name if value else "" for value in inputs], names,
                                name=self.make_name(f"/{op}"), **attributes)
        operands = [value for value in inputs if value]
        results = self.make_nodes([node], operands, names, exact, evaluate)
        return results[0] if outputs == 1 else results

    def make_nodes(self, nodes, operands, outputs, exact=False, evaluate=run_session):
        """Adds nodes that may exchange values which numpy cannot hold."""
        arrays = self.run(nodes, operands, outputs, evaluate)
        for array in arrays:
            self.check_array(array)
        self.nodes.extend(nodes)
        is_exact = exact and all(value.is_exact for value in operands)
        results = [Value(name, array, is_exact=is_exact)
                   for name, array in zip(outputs, arrays)]
        self.values.extend(results)
        return results

    def run(self, nodes, operands, outputs, evaluate):
        feeds = {value.name: value.array for value in operands}
        used = {name for node in nodes for name in node.input}
        tensors = [tensor for name, tensor in self.initializers.items()
                   if name in used and name not in feeds]
        graph = helper.make_graph(
            nodes, "part", [describe_input(name, array) for name, array in feeds.items()],
            [onnx.ValueInfoProto(name=name) for name in outputs], tensors)
        try:
            return evaluate(self.wrap(graph), feeds)
        except Exception as error:  # neither evaluator has a class of its own errors
            raise Rejected(str(error)) from error

    def wrap(self, graph):
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)],
                                 ir_version=IR_VERSIONS[self.opset])

    def check_array(self, array):
        if array.size > MAX_ELEMENTS:
            raise Rejected("too large")
        is_float = np.issubdtype(array.dtype, np.floating)
        if not is_float or self.is_special or array.size == 0:
            return
        if not np.isfinite(array).all() or float(np.abs(array).max()) > LARGEST_VALUE:
            raise Rejected("values leave the range")

    def make_model(self, outputs, dims, has_static_outputs):
        """The model; `dims` has the declared dims of each input."""
        graph = helper.make_graph(
            self.nodes, "fuzz",
            [describe_input(value.name, value.array, dims[value.name]) for value in self.inputs],
            [describe_input(value.name, value.array,
                            None if has_static_outputs else [None] * value.rank)
             for value in outputs], list(self.initializers.values()))
        return self.wrap(graph)


def get_axes(builder, rank, count=None):
    """Some axes of `rank`, some counted from the end."""
    if count is None:
        count = builder.draw_integer(1, rank)
    axes = builder.rng.permutation(rank)[:count]
    return [int(axis) - (rank if builder.chance(0.3) else 0) for axis in axes]


def make_axis(builder, rank) -> Optional[int]:
    return get_axes(builder, rank, 1)[0]
