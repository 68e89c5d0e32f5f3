"""Depthwise convolutions of 8-bit codes and of floats, layer by layer.

    python benchmarks/depthwise.py [--layers A,B] [--tier x86-64-v3] [--signed]
                                   [--threads N] [--rounds N]

A row is a layer of PP-OCR's recogniser, EfficientNet-Lite0 or MobileNetV3: as int8
between QuantizeLinear and DequantizeLinear, and in float32. qopt and ONNX Runtime run
eight such layers, in turns; a layer that keeps its shape follows itself, others read
one input. Prints microseconds a layer, and how many times as fast qopt's int8 is as
ONNX Runtime's and as its own float32. --tier is of qopt alone: ONNX Runtime takes the
best instructions that there are.
"""

import argparse
import dataclasses
import statistics
import tempfile
from pathlib import Path

import measuring
import numpy as np
import onnx
from onnx import helper, numpy_helper

from ort_run import make_session

LAYERS_OF_A_MODEL = 8


@dataclasses.dataclass(frozen=True)
class Layer:
    channels: int
    height: int
    width: int
    kernel: int
    strides: tuple[int, int] = (1, 1)

    @property
    def is_chain(self):
        return self.strides == (1, 1)

    def dims(self, name):
        if name == "x" or self.is_chain:
            return [1, self.channels, self.height, self.width]
        return [1, self.channels, -(-self.height // self.strides[0]),
                -(-self.width // self.strides[1])]

    def __str__(self):
        stride = "" if self.is_chain else f" /{self.strides[0]}x{self.strides[1]}"
        return f"{self.channels}@{self.height}x{self.width} {self.kernel}x{self.kernel}{stride}"


LAYERS = {
    "ppocr": [Layer(32, 24, 160, 3), Layer(64, 24, 160, 3, (2, 1)), Layer(128, 12, 160, 3),
              Layer(128, 12, 160, 3, (1, 2)), Layer(240, 12, 80, 5),
              Layer(240, 12, 80, 5, (2, 1)), Layer(480, 6, 80, 5), Layer(480, 3, 80, 5)],
    "efficientnet": [Layer(32, 112, 112, 3), Layer(96, 112, 112, 3, (2, 2)),
                     Layer(144, 56, 56, 3), Layer(144, 56, 56, 5, (2, 2)),
                     Layer(240, 28, 28, 5), Layer(240, 28, 28, 3, (2, 2)),
                     Layer(480, 14, 14, 5), Layer(672, 14, 14, 5, (2, 2)),
                     Layer(1152, 7, 7, 5), Layer(1152, 7, 7, 3)],
    "mobilenet": [Layer(16, 112, 112, 3), Layer(64, 112, 112, 3, (2, 2)),
                  Layer(72, 56, 56, 3), Layer(120, 28, 28, 5), Layer(200, 14, 14, 3),
                  Layer(960, 7, 7, 5)],
}


class Writer:
    """A model of layers in float32, or of codes of type `codes`."""

    def __init__(self, layer, codes=None):
        self.layer, self.codes = layer, codes
        self.random = np.random.default_rng(0)
        self.nodes, self.initializers = [], []

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def weight(self, i):
        dims = [self.layer.channels, 1, self.layer.kernel, self.layer.kernel]
        if self.codes is None:
            return self.constant(f"w{i}", self.random.normal(0, 0.2, dims).astype(np.float32))
        codes = self.constant(f"w{i}", self.random.integers(-127, 128, dims).astype(np.int8))
        scale = self.random.uniform(1e-3, 2e-3, dims[0]).astype(np.float32)
        zero = self.constant(f"wz{i}", np.zeros(dims[0], np.int8))
        return self.node("DequantizeLinear", [codes, self.constant(f"ws{i}", scale), zero],
                         f"wf{i}", axis=0)

    def convolve(self, i, source, target):
        quantizer = ["s", "z"]
        if self.codes is not None:
            source = self.node("DequantizeLinear", [source, *quantizer], f"xf{i}")
        pad = self.layer.kernel // 2
        result = target if self.codes is None else f"yf{i}"
        self.node("Conv", [source, self.weight(i)], result, group=self.layer.channels,
                  kernel_shape=[self.layer.kernel] * 2, strides=self.layer.strides,
                  pads=[pad] * 4)
        if self.codes is not None:
            self.node("QuantizeLinear", [result, *quantizer], target)

    def write(self, path):
        if self.codes is not None:
            self.constant("s", np.float32(0.02))
            self.constant("z", self.codes(128 if self.codes is np.uint8 else 3))
        names = [f"y{i}" for i in range(LAYERS_OF_A_MODEL)]
        for i, name in enumerate(names):
            self.convolve(i, names[i - 1] if i and self.layer.is_chain else "x", name)
        element = helper.np_dtype_to_tensor_dtype(np.dtype(self.codes or np.float32))
        values = [helper.make_tensor_value_info(name, element, self.layer.dims(name))
                  for name in ["x", *(names[-1:] if self.layer.is_chain else names)]]
        graph = helper.make_graph(self.nodes, "layers", values[:1], values[1:],
                                  self.initializers)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                    ir_version=9), path)
        sample = path.with_suffix(".npz")
        x = self.random.normal(0, 1, self.layer.dims("x"))
        np.savez(sample, x=x.astype(np.float32) if self.codes is None
                 else np.clip(x * 50 + int(self.codes is np.uint8) * 128,
                              np.iinfo(self.codes).min,
                              np.iinfo(self.codes).max).astype(self.codes))
        return sample


def microseconds(layer, codes, folder, arguments):
    """Of a layer, by qopt and by ONNX Runtime, a figure a round."""
    model = folder / "model.onnx"
    sample = Writer(layer, codes).write(model)
    artefact = folder / "model.so"
    flags = ["--preset", "fp32"] if codes is None else []
    flags += ["--cpu", arguments.tier] if arguments.tier else []
    measuring.call("qopt-compile", model, "-o", artefact, "--quiet", *flags)
    session = make_session(model, threads=arguments.threads)
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        ours.append(measuring.time_artefact(artefact, sample, arguments.threads, 0.2))
        theirs.append(measuring.time_session(session, sample, 0.2))
    return [statistics.median(times) * 1e3 / LAYERS_OF_A_MODEL for times in (ours, theirs)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", default=",".join(LAYERS))
    parser.add_argument("--tier")
    parser.add_argument("--signed", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    heads = ["model", "layer", "qopt int8", "qopt fp32", "ONNX Runtime int8",
             "ONNX Runtime fp32", "times ONNX Runtime", "times fp32"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|", flush=True)
    for name in arguments.layers.split(","):
        for layer in LAYERS[name]:
            with tempfile.TemporaryDirectory() as folder:
                codes = np.int8 if arguments.signed else np.uint8
                ours, theirs = microseconds(layer, codes, Path(folder), arguments)
                ours_fp32, theirs_fp32 = microseconds(layer, None, Path(folder), arguments)
            cells = [f"{time:.1f}" for time in (ours, ours_fp32, theirs, theirs_fp32)]
            print(f"| {name} | {layer} | {' | '.join(cells)} | {theirs / ours:.2f} "
                  f"| {ours_fp32 / ours:.2f} |", flush=True)


if __name__ == "__main__":
    main()
