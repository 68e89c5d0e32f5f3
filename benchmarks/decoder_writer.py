"""Writes a Llama decoder as ONNX, the way exporters do since opset 23.

RMSNormalization, RotaryEmbedding and Attention with a past; positions go on where the
past ends. Inputs are input_ids and past_key_values.*, outputs logits and present.*.
Where weights come from is for a subclass to say.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass
class DecoderConfig:
    layers: int
    width: int
    heads: int
    key_heads: int
    inner: int  # width of the gates
    vocabulary: int
    context: int = 8192
    epsilon: float = 1e-5
    frequency_base: float = 10000.0

    @property
    def head_size(self):
        return self.width // self.heads

    def shape_of(self, name):
        """Rows and columns of a weight, by the last part of its name, as GGUF has them."""
        keys = self.key_heads * self.head_size
        return {"token_embd": (self.vocabulary, self.width), "attn_q": (self.width, self.width),
                "attn_k": (keys, self.width), "attn_v": (keys, self.width),
                "attn_output": (self.width, self.width), "ffn_gate": (self.inner, self.width),
                "ffn_up": (self.inner, self.width), "ffn_down": (self.width, self.inner)}.get(
                    name.split(".")[-1], (self.width,))

    def count_weights(self):
        names = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
        return (np.prod(self.shape_of("token_embd"))
                + self.layers * sum(np.prod(self.shape_of(name)) for name in names))


class DecoderWriter:
    """Appends the nodes of a decoder; a method returns the name of its value."""

    def __init__(self, config):
        self.config = config
        self.nodes, self.initializers = [], []
        self.scope = ""

    def weight(self, name, transposed=True):
        """Weight `name` of the model; transposed from rows of outputs to columns."""
        raise NotImplementedError

    def add(self, operator, *inputs, outputs=None, **attributes):
        name = f"{self.scope}/{operator}_{len(self.nodes)}"
        outputs = outputs or [f"{name}_output_0"]
        self.nodes.append(helper.make_node(operator, inputs, outputs, name=name, **attributes))
        return outputs[0]

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def linear(self, name, value):
        return self.add("MatMul", value, self.weight(name))

    def norm(self, name, value):
        return self.add("RMSNormalization", value, self.weight(name, transposed=False), axis=-1,
                        epsilon=self.config.epsilon)

    def positions(self):
        """Positions [batch, sequence] and the tables of their angles."""
        one = self.constant("one", np.array(1))
        batch = self.add("Shape", "input_ids", start=0, end=1)
        count = self.add("Shape", "input_ids", start=1, end=2)
        first = self.add("Shape", "past_key_values.0.key", start=2, end=3)
        last = self.add("Add", first, count)
        row = self.add("Range", self.add("Squeeze", first), self.add("Squeeze", last), one)
        ids = self.add("Expand", row, self.add("Concat", batch, count, axis=0))
        powers = np.arange(0, self.config.head_size, 2) / self.config.head_size
        angles = np.arange(self.config.context)[:, None] / self.config.frequency_base ** powers
        return (self.constant("cos", np.cos(angles).astype(np.float32)),
                self.constant("sin", np.sin(angles).astype(np.float32)), ids)

    def turn(self, value, heads, angles):
        # The rows of a GGUF's weights are in the order of pairs.
        return self.add("RotaryEmbedding", value, *angles, num_heads=heads, interleaved=1)

    def layer(self, index, value, angles):
        self.scope, block = f"/layers.{index}", f"blk.{index}"
        rows = self.norm(f"{block}.attn_norm", value)
        query = self.turn(self.linear(f"{block}.attn_q", rows), self.config.heads, angles)
        key = self.turn(self.linear(f"{block}.attn_k", rows), self.config.key_heads, angles)
        mixed = self.add(
            "Attention", query, key, self.linear(f"{block}.attn_v", rows), "",
            *(f"past_key_values.{index}.{half}" for half in ("key", "value")),
            outputs=[f"{self.scope}/mixed",
                     *(f"present.{index}.{half}" for half in ("key", "value"))],
            q_num_heads=self.config.heads, kv_num_heads=self.config.key_heads, is_causal=1)
        value = self.add("Add", value, self.linear(f"{block}.attn_output", mixed))
        rows = self.norm(f"{block}.ffn_norm", value)
        gate = self.linear(f"{block}.ffn_gate", rows)
        gate = self.add("Mul", gate, self.add("Sigmoid", gate))
        rows = self.add("Mul", gate, self.linear(f"{block}.ffn_up", rows))
        return self.add("Add", value, self.linear(f"{block}.ffn_down", rows))

    def make(self):
        """The model. To be called once."""
        table = self.weight("token_embd", transposed=False)
        value = self.add("Gather", table, "input_ids")
        angles = self.positions()
        for index in range(self.config.layers):
            value = self.layer(index, value, angles)
        self.scope = ""
        rows = self.norm("output_norm", value)
        turned = self.add("Transpose", table, perm=[1, 0])
        self.add("MatMul", rows, turned, outputs=["logits"])

        def values(name, length):
            dims = ["batch", self.config.key_heads, length, self.config.head_size]
            return [helper.make_tensor_value_info(f"{name}.{index}.{half}", TensorProto.FLOAT,
                                                  dims)
                    for index in range(self.config.layers) for half in ("key", "value")]

        graph = helper.make_graph(
            self.nodes, "decoder",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"]),
             *values("past_key_values", "past")],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT,
                                           ["batch", "sequence", self.config.vocabulary]),
             *values("present", "total")], self.initializers)
        return helper.make_model(graph, ir_version=11,
                                 opset_imports=[helper.make_opsetid("", 23)])

    def write(self, path):
        onnx.save(self.make(), path, save_as_external_data=True, location="weights.bin",
                  size_threshold=4096)
