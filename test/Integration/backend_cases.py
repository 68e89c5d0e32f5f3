"""The conformance cases of the `onnx` package: written as files, run, compared.

    build/venv/bin/python test/Integration/backend_cases.py

runs all of them through Reference and compiled, prints which do not pass, by reason, and
holds them against the committed list; `--write` makes that list anew, `--match REGEX` takes
some, `--reference` leaves out what is compiled.
"""

import argparse
import collections
import contextlib
import glob
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test import loader
from onnx.backend.test.case.node import collect_testcases
from onnx.reference import ReferenceEvaluator

from qopt_tools import BUILD, run_tool

#: A line for each case that does not pass: its name, how it ends and why.
EXPECTED = Path(__file__).with_name("onnx_backend_expected.txt")
#: Cases whose answers differ by more than their bound, and why ours are right.
ROUNDED = {
    **{name: "differs: sums of float16 products are f32 here, those of the case float16"
       for name in ("test_attention_4d_causal_fp16", "test_attention_4d_causal_fp16_expanded")},
    **{name: "differs: ten sums are 0, as they are here; the case has 1.9e-7, more than its bound"
       for name in ("test_dft_inverse", "test_dft_inverse_opset19")},
}
UNSUPPORTED = 3


class Case:
    """A model with samples of inputs and outputs."""

    def __init__(self, name, model, samples, rtol, atol):
        self.name, self.model, self.samples = name, model, samples
        self.rtol, self.atol = rtol, atol


def load_cases(match=""):
    """All cases whose names fit, in the order of their names."""
    cases = []
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        np.random.seed(0)
        for found in collect_testcases(None):
            cases.append((found.name, found.rtol, found.atol,
                          lambda found=found: (found.model, found.data_sets)))
        for kind in ("simple", "pytorch-operator", "pytorch-converted"):
            for found in loader.load_model_tests(kind=kind):
                cases.append((found.name, found.rtol, found.atol,
                              lambda found=found: read_folder(Path(found.model_dir))))
        for path in glob.glob(os.path.join(loader.DATA_DIR, "light", "*.onnx")):
            cases.append(("test_" + Path(path).stem, 1e-3, 1e-7,
                          lambda path=path: make_light(Path(path))))
    return [Case(name, *read(), rtol, atol) for name, rtol, atol, read in sorted(
        cases, key=lambda case: case[0]) if re.search(match, name)]


def read_values(paths, values):
    """What files hold; None for what is no tensor."""
    result = []
    for path, value in zip(paths, values):
        tensor = onnx.TensorProto()
        is_tensor = value.type.HasField("tensor_type")
        if is_tensor:
            tensor.ParseFromString(path.read_bytes())
        result.append(numpy_helper.to_array(tensor) if is_tensor else None)
    return result


def read_folder(folder):
    model = onnx.load(folder / "model.onnx")
    samples = []
    for sample in sorted(folder.glob("test_data_set*")):
        count = len(list(sample.glob("input_*.pb"))), len(list(sample.glob("output_*.pb")))
        samples.append((
            read_values([sample / f"input_{i}.pb" for i in range(count[0])], model.graph.input),
            read_values([sample / f"output_{i}.pb" for i in range(count[1])],
                        model.graph.output)))
    return model, samples


def make_light(path):
    """A model whose weights are computed; what it answers lies beside it."""
    model = onnx.load(path)
    known = {tensor.name for tensor in model.graph.initializer}
    inputs = []
    for value in model.graph.input:
        if value.name in known:
            continue
        dims = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
        inputs.append((np.arange(np.prod(dims)).reshape(dims) / np.prod(dims))
                      .astype(np.float32))
    files = [path.with_name(f"{path.stem}_output_{i}.pb")
             for i in range(len(model.graph.output))]
    if not all(file.exists() for file in files):
        names = [value.name for value in model.graph.input if value.name not in known]
        return model, [(inputs, ReferenceEvaluator(model).run(None, dict(zip(names, inputs))))]
    return model, [(inputs, read_values(files, model.graph.output))]


# What crosses the border of a program


def to_bits(array):
    """Types that numpy does not have as their bit patterns, one a byte or two."""
    if isinstance(array, onnx.TensorProto):
        array = numpy_helper.to_array(array)
    array = np.asarray(array)
    if array.dtype.isbuiltin == 1 and array.dtype.kind in "biuf":
        return np.ascontiguousarray(array).reshape(array.shape)
    if array.dtype.kind in "OUSc":
        return None
    size = {1: np.uint8, 2: np.uint16}[array.dtype.itemsize]
    bits = np.ascontiguousarray(array).reshape(array.shape).view(size)
    width = {"int4": 4, "uint4": 4, "int2": 2, "uint2": 2}.get(array.dtype.name, 8)
    return bits & ((1 << width) - 1) if width < 8 else bits


def to_arrays(case, inputs):
    """Inputs by name; None where one is no tensor of numbers."""
    known = {tensor.name for tensor in case.model.graph.initializer}
    names = [value.name for value in case.model.graph.input]
    if len(inputs) != len(names):
        names = [name for name in names if name not in known]
    arrays = {}
    for name, value in zip(names, inputs):
        if value is None or isinstance(value, (list, dict)):
            return None
        bits = to_bits(value)
        if bits is None:
            return None
        if name not in known:
            arrays[name] = bits
    return arrays


def compare(case, sample, found):
    """What is wrong with the outputs, or None."""
    names = [value.name for value in case.model.graph.output]
    for name, want in zip(names, case.samples[sample][1]):
        if isinstance(want, onnx.TensorProto):
            want = numpy_helper.to_array(want)
        want, have = np.asarray(want), found[name]
        bits = to_bits(want)
        if bits.dtype.itemsize != have.dtype.itemsize:
            return f"{name}: {have.dtype} for {want.dtype}"
        if bits.dtype is want.dtype or bits.dtype == want.dtype:
            if have.dtype != want.dtype:
                return f"{name}: {have.dtype} for {want.dtype}"
        elif want.shape == have.shape:
            if want.dtype.name in ("int4", "int2"):
                width = int(want.dtype.name[3])
                signed = have.astype(np.uint8) & ((1 << width) - 1)
                have = ((signed ^ (1 << (width - 1))).astype(np.int8) - (1 << (width - 1)))
                want = want.astype(np.int8)
            elif want.dtype.name in ("uint4", "uint2"):
                have, want = have.astype(np.uint8), want.astype(np.uint8)
            else:
                have = np.ascontiguousarray(have).view(want.dtype).reshape(have.shape)
                have, want = have.astype(np.float32), want.astype(np.float32)
        if want.shape != have.shape:
            return f"{name}: shape {have.shape} for {want.shape}"
        rtol = max(case.rtol, 2**-6) if case.samples and bits.dtype != want.dtype else case.rtol
        try:
            np.testing.assert_allclose(have, want, rtol=rtol, atol=case.atol)
        except AssertionError as error:
            lines = [line for line in str(error).splitlines() if line.strip()]
            return f"{name}: {' '.join(lines[1:3])}"[:200]
    return None


# Running


class Run:
    """How cases end: "passes", or how else and why."""

    def __init__(self, cases, folder):
        self.cases, self.folder = cases, Path(folder)
        self.ends = {}
        for case in cases:
            onnx.save(case.model, self.folder / f"{case.name}.onnx")
            for i, (inputs, outputs) in enumerate(case.samples):
                arrays = to_arrays(case, inputs)
                if arrays is None or any(
                        value is None or isinstance(value, (list, dict))
                        or to_bits(value) is None for value in outputs):
                    self.ends[case.name] = "refused: inputs and outputs are tensors of numbers"
                    break
                np.savez(self.folder / f"{case.name}-{i}.npz", **arrays)

    def run(self, suffix, *flags):
        """Runs `NAME + suffix` of every case that is still open, and compares."""
        lines = []
        for case in self.cases:
            if case.name in self.ends or not (self.folder / (case.name + suffix)).exists():
                continue
            for i in range(len(case.samples)):
                lines.append({"id": f"{case.name}|{i}",
                              "model": str(self.folder / (case.name + suffix)),
                              "inputs": str(self.folder / f"{case.name}-{i}.npz"),
                              "outputs": str(self.folder / f"{case.name}-{i}.out.npz")})
        answers = run_batch(lines, self.folder, flags)
        for case in self.cases:
            for i in range(len(case.samples)):
                if case.name in self.ends or f"{case.name}|{i}" not in answers:
                    continue
                code, message = answers[f"{case.name}|{i}"]
                if code:
                    self.ends[case.name] = tell(code, message)
                    continue
                with np.load(self.folder / f"{case.name}-{i}.out.npz") as found:
                    problem = compare(case, i, dict(found))
                if problem:
                    self.ends[case.name] = f"wrong: {problem}"

    def compile(self, jobs):
        names = [case.name for case in self.cases if case.name not in self.ends]
        with ThreadPoolExecutor(jobs) as pool:
            for name, end in zip(names, pool.map(self.compile_one, names)):
                if end:
                    self.ends[name] = "compiled: " + end

    def compile_one(self, name):
        """What the compiler says where it refuses a case."""
        result = run_tool("qopt-compile", self.folder / f"{name}.onnx", "-o",
                          self.folder / f"{name}.so", "--cpu", "native")
        text = result.stderr.removeprefix("qopt-compile: error: ")
        return tell(result.returncode, text) if result.returncode else None


def tell(code, message):
    """An exit code and a message as one line without paths."""
    message = re.sub(r"^\S*/(?=[\w.-]+: )", "", message.strip())
    lines = [line for line in message.splitlines() if not line.startswith("note:")]
    text = re.sub(r"\S*/?[\w.-]+\.(onnx|so|npz): ", "", " ".join(" ".join(lines).split()))
    return f"{'refused' if code == UNSUPPORTED else f'exit {code}'}: {text}"


def run_batch(lines, folder, flags):
    """Exit code and message by id; a process that ends early is started again."""
    answers = {}
    path = folder / "batch.jsonl"
    while lines:
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        result = subprocess.run([str(BUILD / "bin" / "qopt-run"), "--batch", str(path), *flags],
                                capture_output=True, text=True, check=False, timeout=3600)
        for line in result.stdout.splitlines():
            answer = json.loads(line)
            answers[answer["id"]] = (answer["exit"], answer["message"])
        rest = [line for line in lines if line["id"] not in answers]
        if rest:
            answers[rest[0]["id"]] = (70, f"the process ended with {result.returncode}")
        lines = rest[1:]
    return answers


def run_cases(cases, is_compiled=True, jobs=2):
    """How each case ends, by its name."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(cases, folder)
        run.run(".onnx", "--reference")
        if is_compiled:
            run.compile(jobs)
            run.run(".so")
        return {case.name: run.ends.get(case.name, "passes") for case in cases}


def read_expected():
    """How the cases end that do not pass."""
    lines = EXPECTED.read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--match", default="")
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    ends = run_cases(load_cases(arguments.match), not arguments.reference, arguments.jobs)
    groups = collections.defaultdict(list)
    for name, end in ends.items():
        if end != "passes":
            groups[re.sub(r'node "[^"]*" |[0-9]+', "", end)[:160]].append(name)
    for reason, names in sorted(groups.items(), key=lambda group: -len(group[1])):
        print(f"{len(names):4} {reason}\n       {' '.join(names[:6])}")
    print(f"{sum(end == 'passes' for end in ends.values())} of {len(ends)} pass")
    if arguments.write:
        EXPECTED.write_text(
            "# Cases of onnx's backend tests that do not pass. Written by backend_cases.py.\n" +
            "".join(f"{name}: {ROUNDED.get(name, end)}\n" for name, end in ends.items()
                    if end != "passes"))
        return 0
    expected = read_expected() if EXPECTED.exists() else {}
    worse = [name for name, end in ends.items() if end != "passes" and name not in expected]
    print("\n".join(f"{name}: {ends[name]}" for name in worse))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
