"""A case of the fuzzer: a random model with samples, and how to compile and run it.

A case is a folder, so that it can be kept, shrunken and checked again: `model.onnx`,
`sample-N.npz`, `calib/N.npz`, `recipe.yaml` and `case.json` with everything else.
"""

import json
from dataclasses import asdict, dataclass, field

import numpy as np
import onnx

import fuzz_contractions
import fuzz_integers
import fuzz_loops
import fuzz_operators
import fuzz_patterns
import fuzz_quantization
import fuzz_recurrent
from fuzz_builder import SIZES, Builder, Rejected, open_session
from fuzz_recipes import CONTRACTIONS, draw_recipe

OPSETS = [9, 10, 11, 12, 13, 13, 14, 15, 16, 17, 17, 18, 19, 20, 21, 21, 22, 23, 24, 25]
INTEGER_PRESETS = ["w8a8", "w8a8-dynamic", "w8a8-pow2", "w4a16-g32", "w4a16-g64", "w4a16-g128",
                   "w4a16-g32-pow2", "w4a16-g64-pow2", "w4a16-g128-pow2", "w4a8-g32", "w4a8-g64",
                   "w4a8-g128"]
BLOCK_PRESETS = [name + suffix for suffix in ("", "-a16") for name in
                 ("mxint8", "mxfp8-e4m3", "mxfp8-e5m2", "mxfp6-e2m3", "mxfp6-e3m2", "mxfp4",
                  "nvfp4")]


@dataclass
class Options:
    """How a model is compiled and run."""
    preset: str = "fp32"
    recipe: str = ""
    cpus: list = field(default_factory=list)
    # QOPT_CPU of the run; empty where the artefact's best is taken.
    tier: str = ""
    threads: int = 1
    shapes: str = ""
    # Compile from the phase file, or from the model again.
    uses_phase_file: bool = True
    exports: bool = False
    # Phase files behind `quantize` that Reference runs too.
    later_phases: list = field(default_factory=list)
    # NaN and infinities are in the samples.
    is_special: bool = False
    # What two evaluators round differently may become a step of a code.
    has_steps: bool = False
    # Axis 0 of all inputs and outputs is the batch: its samples may be run one by one.
    splits: bool = False

    @classmethod
    def read(cls, path):
        return cls(**json.loads(path.read_text()))

    def write(self, path):
        path.write_text(json.dumps(asdict(self), indent=1))


def grow(builder, makers, wanted):
    """Adds about `wanted` nodes."""
    for _ in range(60):
        if len(builder.nodes) >= wanted:
            break
        try:
            builder.choose(makers)(builder)
        except Rejected:
            continue


def build(rng):
    """A graph with at least one node, and how it came about."""
    style = rng.choice(["mixed", "quantized", "patterns", "contractions", "elementwise"],
                       p=[0.35, 0.25, 0.15, 0.15, 0.1])
    operators = fuzz_operators.OPERATORS
    names = {name: maker for name, maker in operators.items()}
    contractions = [names[name] for name in CONTRACTIONS]
    patterns = list(fuzz_patterns.PATTERNS.values())
    quantized = [maker for name, maker in fuzz_patterns.PATTERNS.items()
                 if "quantized" in name or "codes" in name]
    quantized += [names["QuantizeLinear"], names["DequantizeLinear"]]
    makers = {
        "mixed": [*operators.values(), *contractions * 2, *patterns],
        "quantized": [*quantized * 5, *operators.values()],
        "patterns": [*patterns * 4, *operators.values()],
        "contractions": [*contractions * 8, *patterns, *operators.values()],
        "elementwise": [maker for name, maker in operators.items()
                        if maker not in contractions],
    }[style]
    while True:
        builder = Builder(rng, opset=int(rng.choice(OPSETS)),
                          is_special=style == "elementwise" and rng.random() < 0.5)
        builder.has_exact_scales = rng.random() < 0.5
        grow(builder, makers, builder.choose([1, 1, 2, 3, 4, 6, 9, 14]))
        if any(node.op_type != "Constant" for node in builder.nodes) and builder.inputs:
            return style, builder


def choose_outputs(builder):
    """What nothing reads, and now and then a value with other uses."""
    read = {name for node in builder.nodes for name in node.input}
    made = [value for value in builder.values if value not in builder.inputs]
    leaves = [value for value in made if value.name not in read]
    inner = [value for value in made if value.name in read and builder.chance(0.15)]
    return (leaves + inner)[-8:]


class Dims:
    """Which dims of the inputs are declared open, and their size in a second sample.

    Equal sizes share a symbol, so that what fits in one sample fits in the other.
    """

    def __init__(self, builder, share, is_batch=False):
        self.builder = builder
        self.is_batch = is_batch
        sizes = {size for value in builder.inputs for size in value.shape}
        self.open = {size for size in sorted(sizes) if builder.chance(share)}
        self.other = {size: builder.choose([*SIZES, 0] if builder.chance(0.1) else SIZES)
                      for size in sorted(self.open)}

    def declare(self, value):
        if self.is_batch:
            return ["batch", *value.shape[1:]]
        return [self.name(size) if size in self.open else size for size in value.shape]

    def name(self, size):
        return f"d{size}" if self.builder.chance(0.95) else self.builder.choose(["?", f"e{size}"])

    def redraw(self, value):
        if self.is_batch:
            return self.builder.draw_array(value.dtype, [3, *value.shape[1:]])
        shape = [self.other.get(size, size) for size in value.shape]
        array = self.builder.draw_array(value.dtype, shape)
        if np.issubdtype(value.dtype, np.integer):
            # Indices stay in their range.
            flat = value.array.ravel()
            array = (np.resize(flat, shape) if flat.size else
                     np.zeros(shape, value.dtype)).astype(value.dtype)
        return array


def draw_samples(builder, dims, model):
    """The sample of the graph, and another one where ONNX Runtime takes its shapes."""
    first = {value.name: dims.redraw(value) if dims.is_batch else value.array
             for value in builder.inputs}
    samples = [first]
    second = {value.name: dims.redraw(value) for value in builder.inputs}
    if any(not array.size for array in second.values()) and \
            any(node.op_type == "Concat" for node in builder.nodes):
        return samples  # it passes over empty parts, whatever their other dims
    try:
        session = open_session(model)
        results = session.run(None, second)
    except Exception:  # ONNX Runtime has no class of its own errors
        return samples
    floats = [r for r in results if np.issubdtype(r.dtype, np.floating)]
    if builder.is_special or all(np.isfinite(r).all() and float(np.abs(r).max(initial=0)) < 1e6
                                 for r in floats):
        samples.append(second)
    return samples


def is_batch(builder, outputs):
    """True if axis 0 of all inputs may be a batch, and ONNX Runtime finds its samples to be
    independent of each other."""
    if any(value.rank < 2 or value.dtype != np.float32 for value in builder.inputs) or \
            builder.is_special:
        return False
    model = builder.make_model(
        outputs, {value.name: ["batch", *value.shape[1:]] for value in builder.inputs}, False)
    whole = {value.name: builder.draw_array(value.dtype, [3, *value.shape[1:]])
             for value in builder.inputs}
    try:
        session = open_session(model)
        expected = session.run(None, whole)
        for i in range(3):
            found = session.run(None, {name: array[i:i + 1] for name, array in whole.items()})
            for want, have in zip(expected, found):
                if len(want) != 3 or want[i:i + 1].shape != have.shape or \
                        not np.allclose(want[i:i + 1], have, rtol=1e-4, atol=1e-5):
                    return False
    except Exception:  # ONNX Runtime has no class of its own errors
        return False
    return True


def draw_options(builder, style, tiers):
    options = Options(is_special=builder.is_special, has_steps=builder.has_steps)
    has_contraction = any(node.op_type in CONTRACTIONS for node in builder.nodes)
    has_codes = any(node.op_type == "DequantizeLinear" for node in builder.nodes)
    if style == "quantized" or has_codes and builder.chance(0.8):
        options.preset = "fp32" if builder.chance(0.75) else builder.choose(
            INTEGER_PRESETS + BLOCK_PRESETS)
    elif builder.is_special or not has_contraction and builder.chance(0.8):
        options.preset = "fp32"
    elif builder.chance(0.4):
        options.recipe = draw_recipe(builder, builder.choose(INTEGER_PRESETS + BLOCK_PRESETS))
    elif builder.chance(0.75):
        options.preset = builder.choose(INTEGER_PRESETS + BLOCK_PRESETS + ["w8a8"] * 4 +
                                        ["w8a8-pow2"] * 3 + ["w8a8-dynamic"] * 2)
    options.threads = builder.draw_integer(1, 3)
    options.cpus = [builder.choose(tiers)]
    if builder.chance(0.1):
        options.cpus = list(tiers)
        options.tier = builder.choose(tiers)
    options.uses_phase_file = builder.chance(0.8)
    options.later_phases = [phase for phase in ("fuse", "kernels") if builder.chance(0.08)]
    options.exports = builder.chance(0.3 if style == "quantized" or
                                     options.preset.startswith("w8a8") else 0.05)
    return options


def generate(seed, folder, tiers):
    """Writes the case of `seed`; the same one for ever while this text stays the same."""
    rng = np.random.default_rng(seed)
    while True:
        style, builder = build(rng)
        outputs = choose_outputs(builder)
        if outputs:
            break
    splits = builder.chance(0.6) and is_batch(builder, outputs)
    dims = Dims(builder, builder.choose([0, 0, 0.3, 0.6, 1]), splits)
    declared = {value.name: dims.declare(value) for value in builder.inputs}
    is_static = all(isinstance(size, int) for shape in declared.values() for size in shape)
    model = builder.make_model(outputs, declared, is_static and builder.chance(0.8))
    samples = draw_samples(builder, dims, model)
    options = draw_options(builder, style, tiers)
    options.splits = splits
    if not is_static and not splits and len(samples) == 1 and builder.chance(0.3):
        # A dim that is fixed is not 0.
        options.shapes = ",".join(f"{name}:{'x'.join(str(size or '?') for size in array.shape)}"
                                  for name, array in samples[0].items() if array.ndim)
    folder.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    for i, sample in enumerate(samples):
        np.savez(folder / f"sample-{i}.npz", **sample)
    (folder / "calib").mkdir()
    count = max(len(samples), builder.choose([1, 2, 3]))
    for i in range(count):
        jittered = {name: jitter(builder, array) for name, array in samples[i % len(samples)].items()}
        np.savez(folder / "calib" / f"{i}.npz", **jittered)
    if options.recipe:
        (folder / "recipe.yaml").write_text(options.recipe)
    options.write(folder / "case.json")
    return style


def jitter(builder, array):
    """Other floats of the same kind."""
    if not np.issubdtype(array.dtype, np.floating) or builder.is_special:
        return array
    other = array * builder.rng.uniform(0.7, 1.1, array.shape)
    return np.where(np.abs(array) < 1e4, other, array).astype(array.dtype)


# Their operators are in the tables.
assert fuzz_contractions and fuzz_integers and fuzz_loops and fuzz_quantization and fuzz_recurrent
