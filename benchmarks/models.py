"""The table of models and presets: metric, distance to fp32, bytes, time.

    python benchmarks/models.py [--models A,B] [--presets A,B] [--threads N]
                                [--rounds N] [--check-reference [N]]
    python benchmarks/models.py --only-reference [N] [--models A,B] [--presets A,B]
                                [--calib-samples N] [--every-tier]

Compiles each model with each preset, runs the evaluation samples, and times
the artefacts in turn with ONNX Runtime's fp32 and static int8 of the same
model and calibration data in the same process; with OpenVINO's f32 and NNCF's int8
too where benchmarks/requirements.txt is installed. Prints a row for each pair; a
cell that could not be made says why. With --check-reference the outputs for all,
or the first N, samples are also compared, bit for bit, with Reference on the
program that `quantize` made. With --only-reference nothing but that is done, on
the best tier that runs here or on each, and the exit code is 1 unless all bits are
the same.
"""

import argparse
import dataclasses
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import measuring
import numpy as np
from measuring import ToolError

from ort_int8 import quantize
from ort_run import run_folder as run_session
from peers import OnnxRuntime, OpenVino, has_nncf, installed, quantize_nncf
from tasks import TASKS, prepare


@dataclasses.dataclass
class Peer:
    """One way of a peer to run a model, and what it puts out."""
    name: str
    run: Callable[[], object]
    score: dict
    cosine: float
    times: list[float] = dataclasses.field(default_factory=list)


class Peers:
    """The peers of one model. `expected` is a folder of ONNX Runtime's outputs in fp32."""

    def __init__(self, name, prepared, folder, threads):
        self.prepared, self.folder, self.threads = prepared, Path(folder), threads
        self.expected = self.folder / "expected"
        run_session(prepared.model, prepared.eval, self.expected)
        sample = measuring.first_sample(prepared.eval)
        with np.load(sample) as arrays:
            self.inputs = dict(arrays)
        int8 = self.folder / "int8.onnx"
        quantize(prepared, int8)
        self.list = [self._onnx_runtime("ort fp32", prepared.model),
                     self._onnx_runtime("ort int8", int8)]
        if OpenVino in installed():
            self.list.append(self._openvino("openvino f32", prepared.model))
            if has_nncf():
                self.list.append(self._openvino("openvino int8", quantize_nncf(prepared, name)))

    def _make(self, name, peer, outputs):
        return Peer(name, peer.runner(self.inputs), self.prepared.score(outputs),
                    measuring.mean_cosine(outputs, self.expected))

    def _onnx_runtime(self, name, model):
        outputs = self.folder / name
        run_session(model, self.prepared.eval, outputs)
        return self._make(name, OnnxRuntime(model, self.threads), outputs)

    def _openvino(self, name, model):
        outputs = self.folder / name
        peer = OpenVino(model, self.threads)
        peer.run_folder(self.prepared.eval, outputs)
        return self._make(name, peer, outputs)


def take_first(source, target, count):
    """A folder with the first files of another one."""
    target.mkdir()
    for path in sorted(Path(source).glob("*.npz"))[:count]:
        (target / path.name).symlink_to(path)
    return target


def check_reference(prepared, preset, outputs, folder, count, *flags):
    """Fails unless Reference gives the same bits as the artefact's outputs."""
    program = Path(folder) / f"{preset}.mlir"
    measuring.call("qopt-compile", prepared.model, "-o", program, "--preset", preset,
                   "--calib", prepared.calib, "--stop-after", "quantize", "--quiet", *flags)
    inputs = take_first(prepared.eval, Path(folder) / f"{preset}-inputs", count)
    expected = take_first(outputs, Path(folder) / f"{preset}-expected", count)
    measuring.call("qopt-run", program, "--reference", "--inputs", inputs,
                   "--expect", expected, "--atol", 0, "--rtol", 0)
    return f"same bits ({len(list(inputs.iterdir()))} samples)"


def check_tiers(prepared, preset, tiers, folder, count):
    """Compares what an artefact computes on each of its tiers with Reference."""
    flags = ["--calib-cache", Path(folder) / "cache"]
    artefact, _ = measuring.compile_model(prepared, preset, folder, *flags, "--cpu",
                                          ",".join(tiers))
    inputs = take_first(prepared.eval, Path(folder) / "samples", count)
    # Each tier with another number of threads.
    outputs = [Path(folder) / tier for tier in tiers]
    for threads, (tier, path) in enumerate(zip(tiers, outputs), start=2):
        measuring.run_folder(artefact, inputs, path, "--threads", threads, tier=tier)
        for file in path.iterdir():
            if file.read_bytes() != (outputs[0] / file.name).read_bytes():
                raise ToolError(f"{tier} and {tiers[0]} differ in {file.name}")
    return (check_reference(prepared, preset, outputs[0], folder, count, *flags)
            + f" on {', '.join(tiers)}")


def with_calibration(prepared, folder, count):
    """The model with the first samples of its calibration data."""
    data = Path(folder) / "data"
    data.mkdir()
    take_first(prepared.calib, data / "calib", count)
    (data / "eval").symlink_to(prepared.eval)
    return dataclasses.replace(prepared, data=data)


def check_all(options):
    """Prints a row for each pair of model and preset; whether all bits are the same."""
    is_same = True
    tiers = measuring.tiers_that_run()
    if not options.every_tier:
        tiers = tiers[-1:]
    for name in options.models.split(","):
        for preset in options.presets.split(","):
            with tempfile.TemporaryDirectory() as folder:
                prepared = with_calibration(prepare(name), folder, options.calib_samples)
                try:
                    cell = check_tiers(prepared, preset, tiers, folder,
                                       options.only_reference)
                except ToolError as error:
                    cell, is_same = f"differs: {error}", False
            print(f"| {name} | {preset} | {cell} |", flush=True)
    return is_same


def make_row(prepared, preset, peers, folder, options):
    artefact, report = measuring.compile_model(prepared, preset, folder)
    outputs = Path(folder) / f"{preset}-outputs"
    measuring.run_folder(artefact, prepared.eval, outputs)
    sample = measuring.first_sample(prepared.eval)
    ours = []
    for peer in peers.list:
        peer.times.clear()
    for _ in range(options.rounds):
        ours.append(measuring.time_artefact(artefact, sample, options.threads))
        for peer in peers.list:
            peer.times.append(measuring.time_calls(peer.run))
    median = statistics.median(ours)
    cells = [
        measuring.describe(prepared.score(outputs)),
        f"{measuring.mean_cosine(outputs, peers.expected):.5f}",
        f"{report['bytes']['total']}",
        f"{median:.3f}",
        *(f"{median / statistics.median(peer.times):.2f}" for peer in peers.list),
        ", ".join(f"{share:.0%} {name}" for name, share in report["macs"].items()),
    ]
    if options.check_reference:
        try:
            cells.append(check_reference(prepared, preset, outputs, folder,
                                         options.check_reference))
        except ToolError as error:
            cells.append(f"differs: {error}")
    return cells


def table(name, options):
    """Lines of a table of a model, one by one as they are measured."""
    prepared = prepare(name)
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(name, prepared, folder, options.threads)
        titles = ["metric", "cosine to fp32", "weight bytes", "ms",
                  *(f"/ {peer.name}" for peer in peers.list), "multiply-accumulates"]
        if options.check_reference:
            titles.append("against Reference")
        yield "| preset | " + " | ".join(titles) + " |"
        yield "|---" * (len(titles) + 1) + "|"
        for peer in peers.list:
            yield (f"| {peer.name} | {measuring.describe(peer.score)} | {peer.cosine:.5f} |"
                   + " |" * (len(titles) - 2))
        for preset in options.presets.split(","):
            try:
                cells = make_row(prepared, preset, peers, folder, options)
            except ToolError as error:
                cells = [f"none: {error}"] + [""] * (len(titles) - 1)
            yield f"| {preset} | " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(TASKS))
    parser.add_argument("--presets", default=",".join(measuring.PRESETS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check-reference", type=int, nargs="?", const=sys.maxsize, metavar="N")
    parser.add_argument("--only-reference", type=int, nargs="?", const=sys.maxsize, metavar="N")
    parser.add_argument("--calib-samples", type=int, default=sys.maxsize, metavar="N")
    parser.add_argument("--every-tier", action="store_true")
    options = parser.parse_args()
    if options.only_reference:
        sys.exit(0 if check_all(options) else 1)
    for name in options.models.split(","):
        print(f"\n## {name}\n", flush=True)
        for line in table(name, options):
            print(line, flush=True)


if __name__ == "__main__":
    main()
