"""SmolLM2-135M as ONNX with a cache, from the GGUF file of its package.

    python benchmarks/smollm.py FOLDER

Writes model.onnx with weights.bin beside it, and tokenizer.json. The graph is what
exporters of decoders write since opset 23: RMSNormalization, RotaryEmbedding and
Attention with a past; positions go on where the past ends. Inputs are input_ids and
past_key_values.*, outputs logits and present.*. Needs requirements.txt.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from gguf import GGUFReader
from gguf.quants import dequantize
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "models"))
from fetch import fetch


class DecoderWriter:
    """Appends the nodes of a Llama decoder; a method returns the name of its value."""

    def __init__(self, reader):
        self.reader = reader
        self.tensors = {tensor.name: tensor for tensor in reader.tensors}
        self.heads = self.field("attention.head_count")
        self.key_heads = self.field("attention.head_count_kv")
        self.head_size = self.field("embedding_length") // self.heads
        self.epsilon = self.field("attention.layer_norm_rms_epsilon")
        self.nodes, self.initializers = [], []
        self.scope = ""

    def field(self, name):
        return self.reader.fields[f"llama.{name}"].contents()

    def add(self, operator, *inputs, outputs=None, **attributes):
        name = f"{self.scope}/{operator}_{len(self.nodes)}"
        outputs = outputs or [f"{name}_output_0"]
        self.nodes.append(helper.make_node(operator, inputs, outputs, name=name, **attributes))
        return outputs[0]

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, name, transposed=True):
        tensor = self.tensors[f"{name}.weight"]
        array = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        return self.constant(f"{name}.weight", array.T if transposed else array)

    def linear(self, name, value):
        return self.add("MatMul", value, self.weight(name))

    def norm(self, name, value):
        return self.add("RMSNormalization", value, self.weight(name, transposed=False), axis=-1,
                        epsilon=self.epsilon)

    def positions(self):
        """Positions [batch, sequence] and the tables of their angles."""
        one = self.constant("one", np.array(1))
        batch = self.add("Shape", "input_ids", start=0, end=1)
        count = self.add("Shape", "input_ids", start=1, end=2)
        first = self.add("Shape", "past_key_values.0.key", start=2, end=3)
        last = self.add("Add", first, count)
        row = self.add("Range", self.add("Squeeze", first), self.add("Squeeze", last), one)
        ids = self.add("Expand", row, self.add("Concat", batch, count, axis=0))
        powers = np.arange(0, self.head_size, 2) / self.head_size
        angles = np.arange(self.field("context_length"))[:, None] / (
            float(self.field("rope.freq_base")) ** powers)
        return (self.constant("cos", np.cos(angles).astype(np.float32)),
                self.constant("sin", np.sin(angles).astype(np.float32)), ids)

    def turn(self, value, heads, angles):
        # The rows of a GGUF's weights are in the order of pairs.
        return self.add("RotaryEmbedding", value, *angles, num_heads=heads, interleaved=1)

    def layer(self, index, value, angles):
        self.scope, block = f"/layers.{index}", f"blk.{index}"
        rows = self.norm(f"{block}.attn_norm", value)
        query = self.turn(self.linear(f"{block}.attn_q", rows), self.heads, angles)
        key = self.turn(self.linear(f"{block}.attn_k", rows), self.key_heads, angles)
        mixed = self.add(
            "Attention", query, key, self.linear(f"{block}.attn_v", rows), "",
            *(f"past_key_values.{index}.{half}" for half in ("key", "value")),
            outputs=[f"{self.scope}/mixed",
                     *(f"present.{index}.{half}" for half in ("key", "value"))],
            q_num_heads=self.heads, kv_num_heads=self.key_heads, is_causal=1)
        value = self.add("Add", value, self.linear(f"{block}.attn_output", mixed))
        rows = self.norm(f"{block}.ffn_norm", value)
        gate = self.linear(f"{block}.ffn_gate", rows)
        gate = self.add("Mul", gate, self.add("Sigmoid", gate))
        rows = self.add("Mul", gate, self.linear(f"{block}.ffn_up", rows))
        return self.add("Add", value, self.linear(f"{block}.ffn_down", rows))

    def write(self, path):
        layers = self.field("block_count")
        table = self.weight("token_embd", transposed=False)
        value = self.add("Gather", table, "input_ids")
        angles = self.positions()
        for index in range(layers):
            value = self.layer(index, value, angles)
        self.scope = ""
        rows = self.norm("output_norm", value)
        turned = self.add("Transpose", table, perm=[1, 0])
        self.add("MatMul", rows, turned, outputs=["logits"])

        def values(name, length):
            dims = ["batch", self.key_heads, length, self.head_size]
            return [helper.make_tensor_value_info(f"{name}.{index}.{half}", TensorProto.FLOAT,
                                                  dims)
                    for index in range(layers) for half in ("key", "value")]

        graph = helper.make_graph(
            self.nodes, "smollm2",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"]),
             *values("past_key_values", "past")],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT,
                                           ["batch", "sequence", self.field("vocab_size")]),
             *values("present", "total")], self.initializers)
        model = helper.make_model(graph, ir_version=11,
                                  opset_imports=[helper.make_opsetid("", 23)])
        onnx.save(model, path, save_as_external_data=True, location="weights.bin",
                  size_threshold=4096)


def write_tokenizer(reader, path):
    """The file's own vocabulary and merges; its pre-tokenizer splits digits."""
    def get(name):
        return reader.fields[f"tokenizer.ggml.{name}"].contents()

    tokenizer = Tokenizer(models.BPE(
        vocab={token: index for index, token in enumerate(get("tokens"))},
        merges=[tuple(merge.split(" ", 1)) for merge in get("merges")]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    control = 3  # the number that GGUF gives tokens that no text has
    tokenizer.add_special_tokens([token for token, kind in zip(get("tokens"), get("token_type"))
                                  if kind == control])
    tokenizer.save(str(path))


def make(folder):
    """The paths of the model and of its tokenizer in `folder`, made once."""
    folder = Path(folder)
    model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
    if not model.exists() or not tokenizer.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "weights.bin").unlink(missing_ok=True)
        reader = GGUFReader(fetch("smollm2-135m")["smollm2-135m.gguf"])
        write_tokenizer(reader, tokenizer)
        DecoderWriter(reader).write(model)
    return model, tokenizer


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for made in make(sys.argv[1]):
        print(made)
