"""Runs cases of the fuzzer and compares what must agree.

- The compiled program and the reference evaluator on the `quantize` phase: every bit.
- The reference evaluator on the imported model, ONNX Runtime, and the compiled program where
  nothing was quantized: as far as the order of sums allows. How far that is, ONNX Runtime
  shows: with and without its optimisations, and on inputs that differ a little.
- The file of `--emit qdq-onnx`: ONNX Runtime loads it and is near the compiled program.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass

import numpy as np
import onnx
import onnx.reference
import qopt
from qopt import _qopt

from fuzz_builder import open_session
from fuzz_cases import Options
from qopt_tools import BUILD

UNSUPPORTED, BAD_USE = 3, 2
# Operators that have no bound near some value.
POLES = ["Reciprocal", "Div", "Log", "Pow"]
# What the reference evaluator runs.
REFERENCES = ["model.onnx", "program.mlir", "fuse.mlir", "kernels.mlir"]


def find_inner_nodes(graph):
    """The nodes of the graphs inside of a graph's nodes."""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from attribute.g.node
                yield from find_inner_nodes(attribute.g)


@dataclass
class Failure:
    """What is wrong; `kind` stays the same while a case is shrunken."""
    kind: str
    detail: str


class Refused(Exception):
    """The compiler says that it does not support the case, or the recipe."""


@dataclass
class Outcome:
    """`failure` is None where all agree; `refusal` says why nothing was compiled."""
    failure: Failure = None
    refusal: str = None


class CaseRun:
    """One case on its way through compiler, programs and comparisons."""

    def __init__(self, folder):
        self.folder = folder
        self.options = Options.read(folder / "case.json")
        self.samples = [dict(np.load(path)) for path in sorted(folder.glob("sample-*.npz"))]
        self.compiled = []
        self.outcome = Outcome()

    def fail(self, kind, detail):
        if self.outcome.failure is None:
            self.outcome.failure = Failure(kind, str(detail))

    # The compiler

    def get_flags(self):
        flags = []
        if self.options.recipe:
            flags.append(("recipe", str(self.folder / "recipe.yaml")))
        else:
            flags.append(("preset", self.options.preset))
        if self.options.recipe or self.options.preset != "fp32":
            flags.append(("calib", str(self.folder / "calib")))
        if self.options.shapes:
            flags.append(("shapes", self.options.shapes))
        return flags

    def compile(self, source, output, *flags):
        try:
            return _qopt.compile(str(self.folder / source), str(self.folder / output),
                                 list(flags))
        except qopt.Error as error:
            message = str(error)
            code = error.code
            if code == UNSUPPORTED or (code == BAD_USE and self.options.recipe):
                raise Refused(message) from error
            self.fail(f"exit {code}: {strip(message)}", message)
            raise

    def build(self):
        cpus = [("cpu", ",".join(self.options.cpus))] if self.options.cpus else []
        self.compile("model.onnx", "program.mlir", *self.get_flags(), ("stop-after", "quantize"))
        if self.options.uses_phase_file:
            self.compile("program.mlir", "target.mlir", ("start-from", "quantize"), ("stop-after", "target"), *cpus)
            report = self.compile("target.mlir", "model.so", ("start-from", "target"), *cpus)
        else:
            report = self.compile("model.onnx", "model.so", *self.get_flags(), *cpus)
        self.check_contract(json.loads(report)["contract"])

    def check_contract(self, rows):
        """A row for each node of the model, and for those inside of nodes that are left."""
        graph = onnx.load(self.folder / "model.onnx").graph
        names = [node.name for node in graph.node if node.op_type != "Constant"]
        inner = [node.name for node in find_inner_nodes(graph) if node.op_type != "Constant"]
        found = [row["node"] for row in rows]
        if sorted(names) != sorted(set(found) - set(inner)) or len(set(found)) != len(found):
            self.fail("contract: other nodes", f"{set(names) ^ (set(found) - set(inner))}")
        for row in rows:
            if not row["realised"]:
                self.fail("contract: nothing realised", row)

    def write_later_phases(self):
        for phase in self.options.later_phases:
            cpus = [("cpu", ",".join(self.options.cpus))] if self.options.cpus else []
            self.compile("program.mlir", f"{phase}.mlir", ("start-from", "quantize"),
                         ("stop-after", phase), *cpus)

    def run_compiled(self):
        if self.options.tier:
            os.environ["QOPT_CPU"] = self.options.tier
        module = qopt.load(self.folder / "model.so", threads=self.options.threads)
        self.compiled = [run_module(module, sample) for sample in self.samples]
        if self.options.splits:
            for sample, whole in zip(self.samples, self.compiled):
                self.compare_split(module, sample, whole)
        if len(self.samples) > 1:
            self.compare_runs("again: a run after one of other shapes", module)
        for tier in self.options.cpus[1:]:
            os.environ["QOPT_CPU"] = tier
            self.compare_runs("tiers: differ", qopt.load(self.folder / "model.so"))

    def compare_runs(self, kind, module):
        found = run_module(module, self.samples[0])
        for name, want in self.compiled[0].items():
            if not have_same_bits(want, found[name]):
                self.fail(kind, f"{name}: {describe_difference(want, found[name])}")

    def compare_split(self, module, sample, whole):
        """The samples of a batch one by one give the bits of the batch."""
        count = len(next(iter(sample.values())))
        for i in range(count):
            part = run_module(module, {name: np.ascontiguousarray(array[i:i + 1])
                                       for name, array in sample.items()})
            for name, have in part.items():
                want = whole[name][i:i + 1]
                if not have_same_bits(want, have):
                    self.fail("split: a sample of a batch, and alone",
                              f"sample {i}, {name}: {describe_difference(want, have)}")

    def start(self):
        """Compiles and runs; what follows compares."""
        os.environ.pop("QOPT_CPU", None)
        try:
            self.build()
            self.write_later_phases()
            self.run_compiled()
        except Refused as error:
            self.outcome.refusal = str(error)
        except qopt.Error as error:
            self.fail(f"run: {strip(str(error))}", error)
        except Exception as error:  # such as MemoryError, which no model may cause
            self.fail(f"exception: {type(error).__name__}", error)

    def list_references(self):
        """Cases of qopt-run --batch."""
        models = [name for name in REFERENCES if (self.folder / name).exists()]
        return [{"id": f"{self.folder}|{model}|{i}", "model": str(self.folder / model),
                 "inputs": str(self.folder / f"sample-{i}.npz"),
                 "outputs": str(self.folder / f"{model}-{i}.npz")}
                for model in models for i in range(len(self.samples))]

    # Comparisons

    def compare(self, answers):
        """`answers`: exit code and message of each reference by its id."""
        for i in range(len(self.samples)):
            for model in REFERENCES:
                code, message = answers.get(f"{self.folder}|{model}|{i}", (0, ""))
                if code not in (0, UNSUPPORTED):
                    self.fail(f"reference on {model}: exit {code}: {strip(message)}", message)
            for phase in ("program.mlir", "fuse.mlir", "kernels.mlir"):
                if self.compiled:
                    self.compare_bits(phase, i)
            self.compare_with_onnx_runtime(i)
        if self.compiled and self.options.exports:
            self.compare_export()

    def read_outputs(self, model, i):
        path = self.folder / f"{model}-{i}.npz"
        return dict(np.load(path)) if path.exists() else None

    def compare_bits(self, phase, i):
        expected = self.read_outputs(phase, i)
        if expected is None:
            return
        for name, want in expected.items():
            have = self.compiled[i][name]
            if want.shape != have.shape or want.dtype != have.dtype:
                self.fail("shape: compiled program and reference",
                          f"sample {i}, {name}: {have.dtype}{have.shape} for "
                          f"{want.dtype}{want.shape}")
            elif not have_same_bits(want, have):
                self.fail(f"bits: compiled program and reference on {phase}",
                          f"sample {i}, {name}: {describe_difference(want, have)}")

    def compare_with_onnx_runtime(self, i):
        answers = self.ask_onnx_runtime(i)
        imported = self.read_outputs("model.onnx", i)
        others = {}
        if not self.options.recipe and self.options.preset == "fp32" and self.compiled:
            others["compiled program"] = self.compiled[i]
        if answers:
            others["reference on the model"] = imported
        elif imported:
            answers = imported, imported, imported
        else:
            return
        plain, fast, near = answers
        if imported and self.compiled and not others.get("compiled program"):
            self.compare_quality(i, imported)
        for who, outputs in others.items():
            for name, have in (outputs or {}).items():
                if not have.size and self.has_node("MaxPool", "AveragePool", "Conv"):
                    continue  # it rounds the number of windows up where none fits
                if i > 0 and self.has_node("ReduceMean") and np.isnan(have).any():
                    continue  # ONNX does not say what the mean of none is
                if self.overflows_in_some_order(plain[name], have):
                    continue
                problem = compare_near(plain[name], fast[name], near[name], have,
                                       self.options.is_special,
                                       step=self.find_step())
                if problem and not self.is_as_specified(i, name, have):
                    self.fail(f"onnxruntime: {who}", f"sample {i}, {name}: {problem}")

    def is_as_specified(self, i, name, have):
        """Whether ONNX's own evaluator computes the same. ONNX Runtime rounds f16 only at the end
        of a chain of nodes, for instance, and reads other pixels of a cubic border."""
        model = keep_what_makes(onnx.load(self.folder / "model.onnx"), name)
        with np.errstate(all="ignore"):
            try:
                evaluator = onnx.reference.ReferenceEvaluator(model)
                want, = evaluator.run([name], self.samples[i])
            except Exception:  # of operators that it lacks, or forms of them
                return False
        return compare_near(want, want, want, have, self.options.is_special) is None

    def compare_quality(self, i, imported):
        """Quantized numbers are no garbage where the model is not that sensitive."""
        most = find_most_noise(self.options.preset)
        if self.options.recipe or self.options.is_special or self.options.has_steps:
            return
        has_poles = self.has_node(*POLES)
        if has_poles and not all(
                np.isfinite(have).all() for have in self.compiled[i].values()
                if np.issubdtype(have.dtype, np.floating)):
            return  # codes may be where these have no number
        try:
            session = open_session(self.folder / "model.onnx")
            nudged = [run_session(session, sample) for sample in (
                nudge(self.samples[i], 0.02), nudge_evenly(self.samples[i], 0.01))]
            # Four bits are steps of a twelfth of the range.
            share = 0.01 if most < 0.5 else 0.04
            nudged.append(run_session(open_session(nudge_weights(
                onnx.load(self.folder / "model.onnx"), share)), self.samples[i]))
            # Static ranges end where those of the samples for calibration do.
            clipped = run_session(session, clip(self.samples[i], self.read_calibration()))
        except Exception:  # ONNX Runtime has no class of its own errors
            return
        for name, have in self.compiled[i].items():
            want = imported[name]
            if want.dtype != np.float32 or not want.size or not np.isfinite(want).all():
                continue
            find, measure = ((find_usual_power, measure_usual_noise) if has_poles
                             else (find_power, measure_noise))
            power = self.find_power(name, want, find)
            if power == 0:
                continue  # there is nothing that noise could be compared with
            noise = measure(want, have, power)
            sensitivity = max(measure(want, outputs[name], power) for outputs in nudged)
            clipping = measure(want, clipped[name], power)
            if not noise <= max(most, 40 * sensitivity, 4 * clipping):
                self.fail("quality: compiled program", f"sample {i}, {name}: noise {noise:.3g}")

    def read_calibration(self):
        """The samples that ranges were chosen by."""
        return [dict(np.load(path)) for path in sorted((self.folder / "calib").glob("*.npz"))]

    def find_power(self, name, want, find):
        """What `find` says of an output, in the sample where it is largest: a range that fits
        all samples may round one of small values to nothing."""
        powers = [find(outputs[name])
                  for outputs in (self.read_outputs("model.onnx", i)
                                  for i in range(len(self.samples)))
                  if outputs and outputs[name].size and np.isfinite(outputs[name]).all()]
        return max(powers, default=find(want))

    def ask_onnx_runtime(self, i):
        """Its outputs without and with optimisations and of nudged inputs; None if it cannot."""
        share = 3e-3 if self.options.has_steps else 2e-6
        if self.passes_over_special_values():
            return None
        path = self.folder / "model.onnx"
        nudged = nudge(self.samples[i], share)
        if self.options.is_special:
            # Of numbers that are not normal it makes others than of 0.
            nudged = {name: flush(array) for name, array in nudged.items()}
        source = path
        if not any(np.issubdtype(array.dtype, np.floating) for array in nudged.values()):
            source = nudge_constants(onnx.load(path), share)
        try:
            plain = run_session(open_session(path), self.samples[i])
            near = run_session(open_session(source), nudged)
        except Exception:  # ONNX Runtime has no class of its own errors
            return None
        try:
            fast = run_session(open_session(path, optimize=True), self.samples[i])
        except Exception:
            fast = plain
        return plain, fast, near

    def overflows_in_some_order(self, want, have):
        """A product that overflows before a 0 comes is NaN; the order of factors tells it."""
        return self.has_node("ReduceProd") and not np.isfinite([want.sum(), have.sum()]).all()

    def find_step(self):
        """The largest step of codes in the model; 0 where nothing becomes a code."""
        if not self.options.has_steps:
            return 0
        model = onnx.load(self.folder / "model.onnx")
        constants = read_constants(model)
        scales = [np.abs(constants[node.input[1]]).max(initial=0) for node in model.graph.node
                  if node.op_type == "QuantizeLinear" and node.input[1] in constants]
        return float(max(scales, default=0))

    def passes_over_special_values(self):
        """ONNX Runtime passes over NaN and minus infinity where it looks for the largest, and
        joins the constants of a normalization into one factor and one summand, which may be no
        numbers."""
        return self.options.is_special and self.has_node(
            "MaxPool", "GlobalMaxPool", "ReduceMax", "ReduceMin", "Softmax", "BatchNormalization")

    def has_node(self, *kinds):
        model = onnx.load(self.folder / "model.onnx")
        return any(node.op_type in kinds for node in model.graph.node)

    def compare_export(self):
        if self.passes_over_special_values():
            return
        source = "model.onnx"
        try:
            self.compile(source, "export.onnx", *self.get_flags(), ("emit", "qdq-onnx"))
        except (Refused, qopt.Error):
            return
        path = self.folder / "export.onnx"
        try:
            session = open_export(path, self.folder / source, self.samples[0])
        except Exception as error:  # ONNX Runtime has no class of its own errors
            if "NOT_IMPLEMENTED" not in str(error):  # it has no kernels for FP4 and E8M0
                self.fail("export: not loaded", error)
            return
        for i, sample in enumerate(self.samples):
            problem = self.find_difference(session, sample, self.compiled[i])
            if problem:
                # Of some codes it makes nodes that compute other numbers: of blocks in front of
                # Softmax, of products of few terms. The file says what it says without them.
                problem = self.find_difference(open_session(path), sample, self.compiled[i])
            if problem:
                self.fail(*problem)
                return

    def find_difference(self, session, sample, compiled):
        """What an export computes otherwise than the program: kind and detail, or None."""
        try:
            found = run_session(session, sample)
            near = run_session(session, nudge(sample, 1e-2))
        except Exception as error:  # ONNX Runtime has no class of its own errors
            return "export: not run", error
        for name, have in compiled.items():
            want, other = found[name], near[name]
            if self.overflows_in_some_order(want, have):
                continue
            is_float = np.issubdtype(want.dtype, np.floating)
            if is_float and self.has_node(*POLES) and want.shape == have.shape:
                with np.errstate(invalid="ignore"):
                    stable = np.abs(want - other) <= 0.1 * np.abs(want)
                want, other, have = want[stable], other[stable], have[stable]
            problem = compare_near(want, want, other, have, self.options.is_special, share=0.02)
            if problem:
                return "export: other numbers", f"{name}: {problem}"
        return None


def keep_what_makes(model, name):
    """The model without the nodes that an output has no need of."""
    needed, kept = {name}, []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
            kept.insert(0, node)
    model.graph.ClearField("node")
    model.graph.node.extend(kept)
    outputs = [output for output in model.graph.output if output.name == name]
    model.graph.ClearField("output")
    model.graph.output.extend(outputs)
    return model


def strip(message):
    """A message without what changes from case to case."""
    lines = [line for line in message.splitlines() if line.strip()]
    text = lines[0] if lines else ""
    return re.sub(r'"[^"]*"|/\S+|\d+', "#", text)[:160]


def find_most_noise(preset):
    """Noise per signal that is no quantization any more."""
    if preset.startswith(("w8a8", "mxint8", "mxfp8-e4m3", "mxfp6-e2m3")):
        return 0.1
    return 0.5


def find_power(output):
    """The mean square."""
    return np.square(output, dtype=np.float64).mean()


def find_usual_power(output):
    """The square of an element in the middle."""
    return np.median(np.abs(output)).astype(np.float64) ** 2


def measure_noise(want, have, power):
    """Mean square of the difference per `power`."""
    difference = want.astype(np.float64) - have.astype(np.float64)
    return np.square(difference).mean() / max(power, 1e-30)


def measure_usual_noise(want, have, power):
    """The same of the elements in the middle: a few are near a pole."""
    difference = np.abs(want.astype(np.float64) - have.astype(np.float64))
    return np.median(difference) ** 2 / max(power, 1e-30)


def open_export(path, source, sample):
    """An optimised session, unless ONNX Runtime refuses to load or run what it made of the file:
    a node that is not in it, as MatMulIntegerToFloat with a zero point a channel, or one that it
    refuses in the source too."""
    try:
        session = open_session(path, optimize=True)
    except Exception as error:  # ONNX Runtime has no class of its own errors
        refused = re.search(r"Node \(([^)]*)\)", str(error))
        if not refused or refused[1] in {node.name for node in onnx.load(path).graph.node}:
            raise
        return open_session(path)
    refused = find_refused_node(session, sample)
    if refused is None or refused in {node.op_type for node in onnx.load(path).graph.node} and \
            refused != find_refused_node(open_session(source, optimize=True), sample):
        return session
    return open_session(path)


def find_refused_node(session, sample):
    """The operator of the node that a session does not run, or None."""
    try:
        run_session(session, sample)
    except Exception as error:  # ONNX Runtime has no class of its own errors
        refused = re.search(r"while running (\w+) node", str(error))
        return refused[1] if refused else None
    return None


def run_module(module, sample):
    return {name: np.array(array) for name, array in module.run(sample).items()}


def run_session(session, sample):
    names = [output.name for output in session.get_outputs()]
    known = {value.name for value in session.get_inputs()}
    feeds = {name: array for name, array in sample.items() if name in known}
    return dict(zip(names, session.run(names, feeds)))


def nudge(sample, share):
    """Inputs that differ a little, and by some steps of their type."""
    rng = np.random.default_rng(0)

    def differ(array):
        part = max(share, 2 * np.finfo(array.dtype).eps)
        return np.array(array * (1 + part * rng.choice([-1, 1], array.shape)), array.dtype)

    return {name: differ(array) if np.issubdtype(array.dtype, np.floating) else array
            for name, array in sample.items()}


def clip(sample, shown):
    """Inputs that do not leave the range that other samples have shown of them."""
    def limit(name, array):
        others = [other[name] for other in shown if name in other and other[name].size]
        if not others or not np.issubdtype(array.dtype, np.floating):
            return array
        return np.clip(array, min(other.min() for other in others), max(other.max() for other in others))

    return {name: limit(name, array) for name, array in sample.items()}


def flush(array):
    """0 in place of numbers that are not normal."""
    if not np.issubdtype(array.dtype, np.floating):
        return array
    return np.where(np.abs(array) < np.finfo(array.dtype).tiny, np.zeros_like(array), array)


def nudge_evenly(sample, share):
    """Inputs whose small elements differ as much as the large ones, as codes make them."""
    rng = np.random.default_rng(0)
    return {name: np.array(array + share * np.abs(array).max(initial=0) *
                           rng.uniform(-1, 1, array.shape), array.dtype)
            if np.issubdtype(array.dtype, np.floating) else array
            for name, array in sample.items()}


def list_constants(model):
    """Initializers and the values of Constant nodes, with the name of each."""
    return [*((tensor.name, tensor) for tensor in model.graph.initializer), *(
        (node.output[0], attribute.t) for node in model.graph.node
        if node.op_type == "Constant" for attribute in node.attribute
        if attribute.name == "value")]


def read_constants(model):
    return {name: onnx.numpy_helper.to_array(tensor) for name, tensor in list_constants(model)}


def nudge_constants(model, share):
    """Floats that differ a little, where no input has any."""
    for _, tensor in list_constants(model):
        if tensor.data_type == onnx.TensorProto.FLOAT:
            array = onnx.numpy_helper.to_array(tensor)
            nudged = nudge({"c": array}, share)["c"]
            tensor.CopyFrom(onnx.numpy_helper.from_array(nudged, tensor.name))
    return model


def nudge_weights(model, share):
    """Constant matrices that differ as codes do."""
    for _, tensor in list_constants(model):
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1:
            array = onnx.numpy_helper.to_array(tensor)
            nudged = nudge_evenly({"w": array}, share)["w"]
            tensor.CopyFrom(onnx.numpy_helper.from_array(nudged, tensor.name))
    return model


def have_same_bits(a, b):
    if np.issubdtype(a.dtype, np.floating):
        both = np.isnan(a) & np.isnan(b)
        a, b = np.where(both, 0, a).astype(a.dtype), np.where(both, 0, b).astype(b.dtype)
    return np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


def describe_difference(want, have):
    where = np.argwhere((want != have) & ~((want != want) & (have != have)))
    if not len(where):
        return "signs of zeros differ"
    first = tuple(int(i) for i in where[0])
    return (f"{len(where)} of {want.size} differ, first at {first} of {want.shape}: "
            f"{have[first]!r} for {want[first]!r}")


def compare_near(plain, fast, near, have, is_special, share=1e-4, step=0):
    """What is wrong with `have`, or None."""
    if fast.shape != plain.shape or near.shape != plain.shape:
        return None  # as many as data decides, and here the last bits of it
    if plain.shape != have.shape:
        return f"shape {have.shape} for {plain.shape}"
    if plain.dtype != have.dtype:
        return f"type {have.dtype} for {plain.dtype}"
    if not plain.size:
        return None
    dtype = plain.dtype
    if dtype == np.float16:
        share = max(share, 4e-3)
    arrays = [np.asarray(array, np.float64) for array in (plain, fast, near, have)]
    plain, fast, near, have = arrays
    finite = np.all([np.isfinite(array) for array in arrays[:3]], axis=0)
    if not np.array_equal(np.isnan(plain), np.isnan(have)):
        if is_special and not np.array_equal(np.isnan(plain), np.isnan(fast)):
            return None
        return f"NaN in {int(np.isnan(have).sum())} elements for {int(np.isnan(plain).sum())}"
    if not finite.any():
        return None
    plain, fast, near, have = (array[finite] for array in (plain, fast, near, have))
    # Where products have left the normal numbers, their order shows in all digits.
    least = float(np.finfo(dtype).tiny) if np.issubdtype(dtype, np.floating) else 0
    bound = max(least, share * np.abs(plain).max(), 4 * np.abs(plain - fast).max(),
                16 * np.abs(plain - near).max())
    if is_special:
        # ONNX Runtime's Sigmoid is 0 below -18, and a root makes 1e-4 of 1e-8.
        bound = np.maximum(share * np.abs(plain) + 2e-4, 16 * np.abs(plain - near))
    with np.errstate(invalid="ignore"):
        error = np.abs(plain - have)
    if (error <= bound).all():
        return None
    if step and np.count_nonzero(error > bound) <= max(2, error.size // 50) and \
            error.max() <= max(0.1 * np.abs(plain).max(), 1.01 * step):
        return None
    at = int(np.argmax(np.nan_to_num(error - bound, nan=np.inf)))
    return (f"error {error[at]:.3g} over {np.max(np.broadcast_to(bound, error.shape)[at]):.3g}: "
            f"{have[at]!r} for {plain[at]!r}")


def run_references(runs, folder):
    """Exit code and message of each reference, in one process."""
    cases = [case for run in runs for case in run.list_references()]
    path = folder / "references.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases))
    try:
        result = subprocess.run([str(BUILD / "bin" / "qopt-run"), "--batch", str(path),
                                 "--reference"], capture_output=True, text=True, check=False,
                                timeout=300)
        lines = result.stdout.splitlines()
    except subprocess.TimeoutExpired as error:
        lines = (error.stdout or b"").decode().splitlines()
    answers = {case["id"]: (70, "no answer") for case in cases}
    for line in lines:
        answer = json.loads(line)
        answers[answer["id"]] = (answer["exit"], answer["message"])
    return answers


def check_cases(folders, scratch, begin=lambda folder: None):
    """The outcome of each case; `begin` is told which one runs in this process."""
    runs = [CaseRun(folder) for folder in folders]
    for run in runs:
        begin(run.folder)
        run.start()
    answers = run_references(runs, scratch)
    for run in runs:
        begin(run.folder)
        run.compare(answers)
    return [run.outcome for run in runs]
