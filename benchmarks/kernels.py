"""Kernels beside the limits of this machine, and beside ONNX Runtime and OpenVINO.

    python benchmarks/kernels.py [--families A,B] [--formats A,B] [--tier x86-64-v3]
                                 [--threads N] [--rounds N]

A row is a layer of kernel_cases.py in a format; a model of several such layers is run, and
the time is of one layer. The limits are measured between the runs, on as many threads: the
products a second of the unit that the kernel takes, with operands from L1, and the bytes a
second that are read from a set as large as the model's. The limit of a layer is the longer
of what its products take and of what its weights, its input and its result take. The score
is that limit by the time. Peers run the same file, or, for weights of 4 bits, ONNX Runtime's
own operator for them, in turns with qopt. All times are the least that were seen: what else
the machine does makes others. --tier is of qopt alone: peers take the best that there is.
"""

import argparse
import importlib.util
import json
import logging
import math
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import measuring
import numpy as np
import onnx
from measuring import ToolError

from kernel_cases import FORMATS, all_cases
from layers import Writer
from limits import Limits
from peers import installed

RECIPE = "version: 1\npreset: {}\nrounding: {{method: nearest, clip-search: false}}\n"
# What the name of a kernel says of its unit; the first that fits.
UNITS = [(".amx", "amx"), (".vnni", "vnni"), (".avx2", "pairs256"), ("", "fma512")]
UNITS_OF_TIERS = {"x86-64-v3": {"fma512": "fma256"}}
# What is counted where the machine has no such unit.
NARROWER = {"fma512": "fma256"}


@dataclass
class Result:
    """Microseconds of a layer, and what bounds them."""
    kernel: str
    macs: int
    bytes: int
    time: float
    limit: float
    bound: str
    peers: dict[str, float] = field(default_factory=dict)

    @property
    def score(self):
        return self.limit / self.time


class Subject:
    """A case, compiled, with its peers."""

    def __init__(self, case, folder, tier, threads):
        self.case, self.threads = case, threads
        form = FORMATS[case.format_name]
        model = folder / "model.onnx"
        self.sample = Writer(case.layer, case.count, form.codes).write(model)
        self.artefact = folder / "model.so"
        flags = ["--cpu", tier] if tier else []
        if form.preset:
            recipe = folder / "recipe.yaml"
            recipe.write_text(RECIPE.format(form.preset))
            flags += ["--recipe", recipe]
        self.report = json.loads(measuring.call("qopt-compile", model, "-o", self.artefact,
                                                "--json", *flags))
        with np.load(self.sample) as arrays:
            inputs = dict(arrays)
        self.peers = {}
        if form.peer_accuracy is not None:
            model = write_blocks(model, form.peer_accuracy)
        for peer in installed() if form.has_peers and model else []:
            self.peers[peer.name] = peer(model, threads).runner(inputs)

    @property
    def kernel(self):
        """Of the second layer, if there is one: the first may read another type."""
        names = [row["kernel"] for row in self.report["contract"]
                 if row["op"] == self.case.layer.operator]
        return names[min(1, len(names) - 1)].removeprefix("x86-64.")

    @property
    def weight_bytes(self):
        return self.report["bytes"]["total"] // self.case.count

    @property
    def tensor_bytes(self):
        """Of what a layer reads and writes: the memory that all layers share."""
        element = 4 if FORMATS[self.case.format_name].codes is None else 1
        layer = self.case.layer
        return element * (math.prod(layer.dims(0)) + math.prod(layer.result_dims(0)))

    def time_once(self):
        """Milliseconds of a run."""
        return measuring.time_artefact(self.artefact, self.sample, self.threads, 0.15, "min")


def write_blocks(model, accuracy):
    """The model with weights in blocks of 32 with 4 bits, as ONNX Runtime stores them; None
    where requirements.txt is not installed."""
    if not importlib.util.find_spec("onnx_ir"):
        return None
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
    logging.getLogger("onnxruntime.quantization").setLevel(logging.WARNING)
    quantizer = MatMulNBitsQuantizer(onnx.load(model), bits=4, block_size=32,
                                     is_symmetric=True, accuracy_level=accuracy)
    quantizer.process()
    onnx.save(quantizer.model.model, model.with_name("blocks.onnx"))
    return model.with_name("blocks.onnx")


def unit_of(kernel, tier):
    unit = next(unit for part, unit in UNITS if part in kernel)
    return UNITS_OF_TIERS.get(tier, {}).get(unit, unit)


def measured_unit(unit, limits):
    """The unit whose rate `limits` can measure here."""
    if not limits.macs_per_second(unit):
        unit = NARROWER.get(unit, unit)
    if not limits.macs_per_second(unit):
        raise ToolError(f"the rate of {unit} cannot be measured on this machine")
    return unit


def measure(case, limits, options):
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject(case, Path(folder), options.tier, options.threads)
        unit = measured_unit(unit_of(subject.kernel, options.tier), limits)
        layer_bytes = subject.weight_bytes + subject.tensor_bytes
        working_set = subject.weight_bytes * case.count + subject.tensor_bytes
        ours, bounds = [], []
        theirs = {name: [] for name in subject.peers}
        for _ in range(options.rounds):
            ours.append(subject.time_once())
            for name, run in subject.peers.items():
                theirs[name].append(measuring.time_calls(run, 0.15, min))
            rates = {unit: case.layer.macs() / limits.macs_per_second(unit),
                     "memory": layer_bytes / limits.bytes_per_second(working_set)}
            bounds.append(max((seconds, name) for name, seconds in rates.items()))
    limit, bound = min(bounds)
    per_layer = 1e3 / case.count
    return Result(subject.kernel, case.layer.macs(), layer_bytes,
                  min(ours) * per_layer, limit * 1e6, bound,
                  {name: min(times) * per_layer for name, times in theirs.items()})


TITLES = ["kind", "layer", "format", "kernel", "us", "GMAC/s", "GB/s", "bound by", "score"]


def describe(case, result, peers):
    """The cells of a row."""
    seconds = result.time * 1e-6
    ratios = [f"{result.peers[peer.name] / result.time:.2f}" if peer.name in result.peers
              else "" for peer in peers]
    return [case.family, str(case.layer), case.format_name, result.kernel,
            f"{result.time:.1f}", f"{result.macs / seconds * 1e-9:.0f}" if result.macs else "",
            f"{result.bytes / seconds * 1e-9:.1f}", result.bound, f"{result.score:.0%}", *ratios]


def heads():
    return TITLES + [f"{peer.name} / qopt" for peer in installed()]


def results(cases, options):
    """Pairs of a case and its result, or the error that it ended with, as they are made."""
    limits = Limits(options.threads)
    for case in cases:
        try:
            yield case, measure(case, limits, options)
        except ToolError as error:
            yield case, error


def row(case, result):
    if isinstance(result, ToolError):
        cells = [case.family, str(case.layer), case.format_name, f"none: {result}"]
    else:
        cells = describe(case, result, installed())
    return "| " + " | ".join(cells) + " |"


def add_options(parser):
    parser.add_argument("--tier")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)


def pin(threads):
    """Ours, the peers' and the limits' threads on the same CPUs."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", help="beginnings of kinds: product,depthwise")
    parser.add_argument("--formats", help=",".join(FORMATS))
    add_options(parser)
    options = parser.parse_args()
    families = tuple((options.families or "").split(","))
    formats = options.formats.split(",") if options.formats else FORMATS
    pin(options.threads)
    print("| " + " | ".join(heads()) + " |\n" + "|---" * len(heads()) + "|", flush=True)
    cases = [case for case in all_cases() if case.family.startswith(families)
             and case.format_name in formats]
    for case, result in results(cases, options):
        print(row(case, result), flush=True)


if __name__ == "__main__":
    main()
