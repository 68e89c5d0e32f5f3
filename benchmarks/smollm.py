"""SmolLM2-135M as ONNX with a cache, from the GGUF file of its package.

    python benchmarks/smollm.py FOLDER

Writes model.onnx (see decoder_writer.py) with weights.bin beside it, and
tokenizer.json. Needs requirements.txt.
"""

import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from decoder_writer import DecoderConfig, DecoderWriter

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "models"))
from fetch import fetch


class GgufDecoder(DecoderWriter):
    """A decoder whose weights a GGUF file holds."""

    def __init__(self, reader):
        self.tensors = {tensor.name: tensor for tensor in reader.tensors}

        def field(name):
            return reader.fields[f"llama.{name}"].contents()

        super().__init__(DecoderConfig(
            layers=field("block_count"), width=field("embedding_length"),
            heads=field("attention.head_count"), key_heads=field("attention.head_count_kv"),
            inner=field("feed_forward_length"), vocabulary=field("vocab_size"),
            context=field("context_length"), epsilon=field("attention.layer_norm_rms_epsilon"),
            frequency_base=float(field("rope.freq_base"))))

    def weight(self, name, transposed=True):
        tensor = self.tensors[f"{name}.weight"]
        array = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        return self.constant(f"{name}.weight", array.T if transposed else array)


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
        GgufDecoder(reader).write(model)
    return model, tokenizer


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for made in make(sys.argv[1]):
        print(made)
