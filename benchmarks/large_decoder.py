"""Time and memory that compiling a decoder of any size takes.

    python benchmarks/large_decoder.py [--size 1B] [--layers N,N...] [--preset NAME]
                                       [--folder DIR] [--run]

Writes a Llama decoder (see decoder_writer.py) with random weights of float16 in external
data, compiles it, prints a row and removes the files: weights, bytes of the model and of
the artefact, seconds, seconds for a billion weights, and peak memory of the compiler.
--layers makes a row for each number of layers in place of the size's own. With --run
the row tells tokens a second of decoding too. A model takes 2 bytes a weight on disk, its
artefact less, and the compiler as much again for temporary files in TMPDIR.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import qopt
from onnx import TensorProto

import measuring
from decoder_writer import DecoderConfig, DecoderWriter

SIZES = {
    "tiny": DecoderConfig(2, 256, 4, 2, 704, 1000),
    "1B": DecoderConfig(22, 2048, 32, 4, 5632, 32000),
    "2B": DecoderConfig(26, 2560, 32, 8, 6912, 32000),
    "7B": DecoderConfig(32, 4096, 32, 32, 11008, 32000),
}
ROW = "{:>8} {:>9} {:>9} {:>9} {:>9} {:>8} {:>9}"
CHUNK = 1 << 22


class RandomDecoder(DecoderWriter):
    """Weights go to a file at once: the model may not fit into memory."""

    def __init__(self, config, path):
        super().__init__(config)
        self.random = np.random.default_rng(5)
        self.path = path
        self.offset = 0
        path.write_bytes(b"")

    def weight(self, name, transposed=True):
        shape = self.config.shape_of(name)
        if len(shape) == 1:
            return self.constant(name, np.ones(shape, np.float32))
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT16,
                             dims=reversed(shape) if transposed else shape,
                             data_location=TensorProto.EXTERNAL)
        count = int(np.prod(shape))
        for key, text in (("location", self.path.name), ("offset", self.offset),
                          ("length", 2 * count)):
            tensor.external_data.add(key=key, value=str(text))
        with self.path.open("ab") as file:
            for start in range(0, count, CHUNK):
                part = self.random.standard_normal(min(CHUNK, count - start), np.float32)
                file.write((part / np.sqrt(shape[-1])).astype(np.float16).tobytes())
        self.offset += 2 * count
        self.initializers.append(tensor)
        return self.add("Cast", name, to=TensorProto.FLOAT)

    def write(self, path):
        onnx.save(self.make(), path)


def measure_decoding(artefact, steps=16):
    module = qopt.load(artefact)
    module.bind_states()
    times = []
    for token in range(steps):
        start = time.perf_counter()
        module.run({"input_ids": np.array([[token]])})
        times.append(time.perf_counter() - start)
    return 1 / np.median(times)


def measure(config, options, folder):
    model, artefact = folder / "model.onnx", folder / "model.so"
    RandomDecoder(config, folder / "weights.bin").write(model)
    seconds, peak = measuring.measure_compile(model, artefact, "--preset", options.preset,
                                              "--cpu", "native", "--capacity", "128")
    billions = config.count_weights() / 1e9
    rate = f"{measure_decoding(artefact):.2f}" if options.run else ""
    size = sum(path.stat().st_size for path in (model, folder / "weights.bin"))
    print(ROW.format(f"{billions:.2f}e9", f"{size / 1e9:.2f}",
                     f"{artefact.stat().st_size / 1e9:.2f}", f"{seconds:.1f}",
                     f"{seconds / billions:.1f}", f"{peak:.2f}", rate), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="1B")
    parser.add_argument("--layers", default="")
    parser.add_argument("--preset", default="w4a16-g32")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--run", action="store_true")
    options = parser.parse_args()
    config = SIZES[options.size]
    print(ROW.format("weights", "model GB", "made GB", "seconds", "s per 1e9", "peak GB",
                     "decode/s"))
    for layers in options.layers.split(",") if options.layers else [config.layers]:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            measure(replace(config, layers=int(layers)), options, Path(folder))


if __name__ == "__main__":
    main()
