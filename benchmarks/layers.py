"""ONNX models of several layers of one kind, to time a kernel by.

A layer that keeps its shape follows itself, so that each reads what the one before left in
a cache; others read one input. No two layers share weights: runtimes would keep them once.
"""

import dataclasses
import math

import numpy as np
import onnx
from onnx import helper, numpy_helper

STEP = np.float32(0.02)
"""The scale of codes between layers: values are about 1."""


@dataclasses.dataclass(frozen=True)
class Layer:
    """The `operator` of a layer is that of the node whose kernel is timed."""

    def dims(self, index):
        """Of what layer `index` reads."""
        raise NotImplementedError

    def result_dims(self, index):
        return self.dims(index + 1)

    def macs(self):
        return 0

    @property
    def is_chain(self):
        return True


@dataclasses.dataclass(frozen=True)
class Product(Layer):
    """Rows by K x N, then by N x K, and so on."""
    rows: int
    depth: int
    columns: int
    operator = "MatMul"
    weight_axis = 1

    def dims(self, index):
        return [self.rows, self.columns if index % 2 else self.depth]

    def weight_dims(self, index):
        return [self.dims(index)[1], self.dims(index + 1)[1]]

    def macs(self):
        return self.rows * self.depth * self.columns

    def add(self, writer, index, source, weight, result):
        writer.node("MatMul", [source, weight], result)

    def __str__(self):
        return f"{self.rows} x {self.depth} x {self.columns}"


@dataclasses.dataclass(frozen=True)
class Convolution(Layer):
    """Padded to keep its size; 1x1 alternate as products do, `groups` is 1 or channels."""
    channels: int
    results: int
    height: int
    width: int
    kernel: int
    strides: tuple[int, int] = (1, 1)
    groups: int = 1
    operator = "Conv"
    weight_axis = 0

    @property
    def is_chain(self):
        return self.strides == (1, 1)

    def _channels(self, index):
        return self.results if index % 2 and self.is_chain else self.channels

    def dims(self, index):
        return [1, self._channels(index), self.height, self.width]

    def result_dims(self, index):
        if self.is_chain:
            return self.dims(index + 1)
        return [1, self.results, -(-self.height // self.strides[0]),
                -(-self.width // self.strides[1])]

    def weight_dims(self, index):
        return [self.result_dims(index)[1], self._channels(index) // self.groups,
                self.kernel, self.kernel]

    def macs(self):
        return math.prod(self.result_dims(0)) * math.prod(self.weight_dims(0)[1:])

    def add(self, writer, index, source, weight, result):
        writer.node("Conv", [source, weight], result, group=self.groups,
                    kernel_shape=[self.kernel] * 2, strides=self.strides,
                    pads=[self.kernel // 2] * 4)

    def __str__(self):
        stride = "" if self.is_chain else f" /{self.strides[0]}x{self.strides[1]}"
        to = "" if self.channels == self.results else f" to {self.results}"
        return (f"{self.channels}{to} @ {self.height}x{self.width}, "
                f"{self.kernel}x{self.kernel}{stride}")


def depthwise(channels, height, width, kernel, strides=(1, 1)):
    return Convolution(channels, channels, height, width, kernel, strides, channels)


@dataclasses.dataclass(frozen=True)
class Attention(Layer):
    """Keys and values are the queries."""
    heads: int
    length: int
    width: int
    operator = "Softmax"

    def dims(self, index):
        return [1, self.heads, self.length, self.width]

    def macs(self):
        return 2 * self.heads * self.length * self.length * self.width

    def add(self, writer, index, source, weight, result):
        keys = writer.node("Transpose", [source], f"k{index}", perm=[0, 1, 3, 2])
        scale = writer.constant(f"s{index}", np.float32(self.width ** -0.5))
        scores = writer.node("MatMul", [source, keys], f"q{index}")
        scaled = writer.node("Mul", [scores, scale], f"m{index}")
        weights = writer.node("Softmax", [scaled], f"p{index}", axis=-1)
        writer.node("MatMul", [weights, source], result)

    def __str__(self):
        return f"{self.heads} heads, {self.length} x {self.width}"


@dataclasses.dataclass(frozen=True)
class Rows(Layer):
    """Softmax, or LayerNormalization with factors and offsets."""
    operator: str
    rows: int
    length: int

    def dims(self, index):
        return [self.rows, self.length]

    def add(self, writer, index, source, weight, result):
        names = [writer.constant(f"{name}{index}",
                                 writer.random.normal(1, 0.1, self.length).astype(np.float32))
                 for name in ("factor", "offset")] if self.operator != "Softmax" else []
        writer.node(self.operator, [source, *names], result, axis=-1)

    def __str__(self):
        return f"{self.rows} x {self.length}"


class Writer:
    """A model of `count` layers in float32, or between codes of type `codes`."""

    def __init__(self, layer, count, codes=None):
        self.layer, self.count, self.codes = layer, count, codes
        self.random = np.random.default_rng(0)
        self.nodes, self.initializers = [], []

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _weight(self, index):
        """Such that results are about as large as what the layer reads."""
        dims, axis = self.layer.weight_dims(index), self.layer.weight_axis
        deviation = (math.prod(dims) / dims[axis]) ** -0.5
        if self.codes is None:
            values = self.random.standard_normal(dims, np.float32)
            return self.constant(f"w{index}", values * np.float32(deviation))
        codes = self.constant(f"w{index}", self.random.integers(-127, 128, dims, np.int8))
        scales = self.random.uniform(0.8, 1.2, dims[axis]).astype(np.float32)
        scale = self.constant(f"ws{index}", scales * np.float32(deviation / 73))
        zero = self.constant(f"wz{index}", np.zeros(dims[axis], np.int8))
        return self.node("DequantizeLinear", [codes, scale, zero], f"wf{index}", axis=axis)

    def _add(self, index, source, target):
        weight = self._weight(index) if hasattr(self.layer, "weight_dims") else None
        if self.codes is None:
            self.layer.add(self, index, source, weight, target)
            return
        floats = self.node("DequantizeLinear", [source, "s", "z"], f"xf{index}")
        self.layer.add(self, index, floats, weight, f"yf{index}")
        self.node("QuantizeLinear", [f"yf{index}", "s", "z"], target)

    def _sample(self):
        x = self.random.standard_normal(self.layer.dims(0), np.float32)
        if self.codes is None:
            return x
        limits = np.iinfo(self.codes)
        return np.clip(np.rint(x / STEP) + self._zero(), limits.min,
                       limits.max).astype(self.codes)

    def _zero(self):
        return 128 if self.codes is np.uint8 else 3

    def write(self, path):
        """Writes the model, and a sample beside it, whose path is the result."""
        if self.codes is not None:
            self.constant("s", STEP)
            self.constant("z", self.codes(self._zero()))
        names = [f"y{i}" for i in range(self.count)]
        for i, name in enumerate(names):
            self._add(i, names[i - 1] if i and self.layer.is_chain else "x", name)
        element = helper.np_dtype_to_tensor_dtype(np.dtype(self.codes or np.float32))
        results = [(name, self.layer.result_dims(i)) for i, name in enumerate(names)]
        values = [helper.make_tensor_value_info(name, element, dims) for name, dims in
                  [("x", self.layer.dims(0)),
                   *(results[-1:] if self.layer.is_chain else results)]]
        graph = helper.make_graph(self.nodes, "layers", values[:1], values[1:],
                                  self.initializers)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                    ir_version=9), path)
        sample = path.with_suffix(".npz")
        np.savez(sample, x=self._sample())
        return sample
