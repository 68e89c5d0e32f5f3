"""Writes the MiniLM-L6 sentence encoder as ONNX, node by node, from its safetensors.

    python test/models/export_minilm.py OUT.onnx

The graph has the form that exporters write: layer normalisations and GELU in
pieces, linear layers as MatMul and Add with transposed weights, reshapes whose
sizes are computed from Shape. It needs neither torch nor transformers.
Inputs are input_ids and attention_mask; all tokens have type 0.
"""

import argparse
import json
import os
import struct
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fetch import FetchError, fetch

LOWEST = float(np.finfo(np.float32).min)


def read_safetensors(path):
    """The float32 tensors of a .safetensors file, by name."""
    data = Path(path).read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = (start + offset for offset in entry["data_offsets"])
            tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return tensors


class EncoderWriter:
    """Appends the nodes of a BERT encoder; a method returns the name of its value."""

    def __init__(self, config, tensors):
        self.config = config
        self.tensors = tensors
        self.heads = config["num_attention_heads"]
        self.head_size = config["hidden_size"] // self.heads
        self.nodes = []
        self.initializers = []
        self.scope = ""

    def add(self, operator, *inputs, **attributes):
        count = sum(node.name.startswith(f"{self.scope}/{operator}") for node in self.nodes)
        name = f"{self.scope}/{operator}" + (f"_{count}" if count else "")
        self.nodes.append(helper.make_node(operator, inputs, [f"{name}_output_0"], name=name,
                                           **attributes))
        return f"{name}_output_0"

    def constant(self, value, dtype=np.float32):
        return self.add("Constant", value=numpy_helper.from_array(np.array(value, dtype)))

    def weight(self, name, transposed=False):
        array = self.tensors[name]
        self.initializers.append(numpy_helper.from_array(
            np.ascontiguousarray(array.T) if transposed else array, name))
        return name

    def size(self, value, axis):
        return self.add("Gather", self.add("Shape", value), self.constant(axis, np.int64), axis=0)

    def reshape(self, value, *sizes):
        """`sizes` are names of scalar values, or numbers."""
        axis = self.constant([0], np.int64)
        parts = [self.add("Unsqueeze", size, axis) if isinstance(size, str)
                 else self.constant([size], np.int64) for size in sizes]
        return self.add("Reshape", value, self.add("Concat", *parts, axis=0))

    def linear(self, name, value):
        product = self.add("MatMul", value, self.weight(f"{name}.weight", transposed=True))
        return self.add("Add", self.weight(f"{name}.bias"), product)

    def layer_norm(self, name, value):
        centred = self.add("Sub", value, self.add("ReduceMean", value, axes=[-1]))
        squared = self.add("Pow", centred, self.constant(2))
        variance = self.add("ReduceMean", squared, axes=[-1])
        deviation = self.add("Sqrt", self.add(
            "Add", variance, self.constant(self.config["layer_norm_eps"])))
        normal = self.add("Div", centred, deviation)
        scaled = self.add("Mul", normal, self.weight(f"{name}.weight"))
        return self.add("Add", scaled, self.weight(f"{name}.bias"))

    def gelu(self, value):
        inner = self.add("Erf", self.add("Div", value, self.constant(np.sqrt(2))))
        product = self.add("Mul", value, self.add("Add", inner, self.constant(1)))
        return self.add("Mul", product, self.constant(0.5))

    def embeddings(self):
        self.scope = "/embeddings"
        words = self.add("Gather", self.weight("embeddings.word_embeddings.weight"), "input_ids")
        positions = self.constant([range(self.config["max_position_embeddings"])], np.int64)
        length = self.add("Unsqueeze", self.size("input_ids", 1), self.constant([0], np.int64))
        used = self.add("Slice", positions, self.constant([0], np.int64), length,
                        self.constant([1], np.int64))
        self.tensors["token_type_0"] = self.tensors["embeddings.token_type_embeddings.weight"][0]
        typed = self.add("Add", words, self.weight("token_type_0"))
        placed = self.add("Gather", self.weight("embeddings.position_embeddings.weight"), used)
        return self.layer_norm("embeddings.LayerNorm", self.add("Add", typed, placed))

    def mask(self):
        """0 where a token counts and the lowest float where it is padding."""
        self.scope = ""
        spread = self.add("Unsqueeze", "attention_mask", self.constant([1], np.int64))
        spread = self.add("Unsqueeze", spread, self.constant([2], np.int64))
        counted = self.add("Cast", spread, to=TensorProto.FLOAT)
        return self.add("Mul", self.add("Sub", self.constant(1), counted), self.constant(LOWEST))

    def split_heads(self, value, order):
        split = self.reshape(value, self.size(value, 0), self.size(value, 1), self.heads,
                             self.head_size)
        return self.add("Transpose", split, perm=order)

    def attention(self, name, hidden, mask):
        self.scope = f"/{name.replace('.', '/')}"
        query, key, value = (self.linear(f"{name}.self.{part}", hidden)
                             for part in ("query", "key", "value"))
        query = self.split_heads(query, [0, 2, 1, 3])
        key = self.split_heads(key, [0, 2, 3, 1])
        value = self.split_heads(value, [0, 2, 1, 3])
        scores = self.add("Div", self.add("MatMul", query, key),
                          self.constant(np.sqrt(self.head_size)))
        weights = self.add("Softmax", self.add("Add", scores, mask), axis=-1)
        context = self.add("Transpose", self.add("MatMul", weights, value), perm=[0, 2, 1, 3])
        joined = self.reshape(context, self.size(context, 0), self.size(context, 1),
                              self.heads * self.head_size)
        projected = self.linear(f"{name}.output.dense", joined)
        return self.layer_norm(f"{name}.output.LayerNorm", self.add("Add", projected, hidden))

    def feed_forward(self, name, hidden):
        self.scope = f"/{name.replace('.', '/')}"
        inner = self.gelu(self.linear(f"{name}.intermediate.dense", hidden))
        outer = self.linear(f"{name}.output.dense", inner)
        return self.layer_norm(f"{name}.output.LayerNorm", self.add("Add", outer, hidden))

    def write(self):
        hidden, mask = self.embeddings(), self.mask()
        for index in range(self.config["num_hidden_layers"]):
            name = f"encoder.layer.{index}"
            hidden = self.feed_forward(name, self.attention(f"{name}.attention", hidden, mask))
        self.nodes[-1].output[0] = "last_hidden_state"


def make_model(config, tensors):
    writer = EncoderWriter(config, tensors)
    writer.write()
    shape = ["batch", "sequence"]
    graph = helper.make_graph(
        writer.nodes, "minilm",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape)
         for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT,
                                       [*shape, config["hidden_size"]])],
        writer.initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                             producer_name="export_minilm.py")


def export(path):
    """Writes the model to `path`; the file is whole or not there."""
    files = fetch("minilm")
    model = make_model(json.loads(files["config.json"].read_text()),
                       read_safetensors(files["model.safetensors"]))
    onnx.checker.check_model(model, full_check=True)
    unfinished = Path(f"{path}.unfinished")
    onnx.save(model, unfinished)
    os.replace(unfinished, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", metavar="OUT.onnx")
    try:
        export(parser.parse_args().out)
    except (FetchError, OSError) as error:
        sys.exit(f"export_minilm.py: {error}")
