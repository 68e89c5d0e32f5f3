"""Writes docs/methods.md: each method of quantization, and what it is worth here.

    python benchmarks/methods_page.py > docs/methods.md

A row has the method's source, the line of a recipe that asks for it, what it is for, and the
score of a model without and with it: the same recipe but for that line, on samples that
nothing was fitted to.
"""

import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from methods import FORMATS, measure, write_recipe
from ort_run import run_folder as run_session
from tasks import prepare

HEAD = """# Methods

<!-- `python benchmarks/methods_page.py > docs/methods.md` writes this page. -->

Each of these is a key of a [recipe](recipe.md) and goes with the others; presets set what the
page of recipes says, and `--effort best` takes those that help a format. The last columns are
of a model with all other keys of the preset as they are, first without the method, then with
it, on samples that nothing was fitted to: its score (for MiniLM the mean cosine of sentence
embeddings to the float model's, for PP-OCR's classifier of text lines the share of 128 that it
turns right) and the mean cosine of all that it puts out to what ONNX Runtime does in fp32.
`python benchmarks/methods.py` prints more models, formats and combinations.

"""
TITLES = ["method", "source", "recipe", "for", "limits", "on", "score", "cosine of outputs"]


@dataclass
class Method:
    """A row; `format_name` is a key of `FORMATS`, `without` undoes what a preset sets."""
    name: str
    source: str
    recipe: str
    purpose: str
    limits: str
    format_name: str
    keys: dict
    without: dict = field(default_factory=dict)
    model: str = "minilm"


METHODS = [
    Method("SmoothQuant", "Xiao et al. 2022; exponents searched for each group of products",
           "transforms: {smooth: search}", "products with static, dynamic and block codes",
           "needs samples; products only", "w8a8-dynamic",
           {"transforms": {"smooth": "search"}}, {"transforms": {"smooth": "off"}}),
    Method("logarithmic equalization", "FPTQ, Li et al. 2023", "transforms: {smooth: log}",
           "as SmoothQuant, without a search", "needs samples", "w8a8-dynamic",
           {"transforms": {"smooth": "log"}}, {"transforms": {"smooth": "off"}}),
    Method("rotation of blocks", "QuaRot, Ashkboos et al. 2024; blocks as in arXiv 2509.23202",
           "transforms: {rotate: '32'}", "whatever has codes in front of products, MX weights",
           "channels are a multiple of the block; a transform in each run", "w8a8-dynamic",
           {"transforms": {"rotate": "32"}}),
    Method("rotation, static ranges", "the same", "transforms: {rotate: '32'}",
           "int8 with ranges from samples", "the same", "w8a8", {"transforms": {"rotate": "32"}}),
    Method("AWQ", "Lin et al. 2023", "transforms: {awq: true}",
           "weights of four bits behind float activations", "needs samples; products only",
           "w4-g32", {"transforms": {"awq": True}}),
    Method("stretching", "after Nagel et al. 2019, one layer at a time",
           "transforms: {stretch: true}", "static ranges in front of depthwise convolutions",
           "needs samples", "w8a8", {"transforms": {"stretch": True}},
           {"transforms": {"stretch": False}}, "ppocr-cls-hard"),
    Method("cross-layer equalization", "data-free quantization, Nagel et al. 2019",
           "transforms: {equalize: true}", "pairs of layers with ReLU between them",
           "convolutions and products that nothing else reads", "w8a8",
           {"transforms": {"equalize": True}}, model="ppocr-cls-hard"),
    Method("GPTQ", "Frantar et al. 2022", "rounding: {method: gptq}",
           "weights of products, in integers", "needs samples; not convolutions", "w4-g32",
           {"rounding": {"method": "gptq"}}, {"rounding": {"method": "nearest"}}),
    Method("GPTQ for microscaling", "arXiv 2405.07135; exponents chosen when a block is reached",
           "rounding: {method: gptq}", "MX and NVFP4 weights", "the same", "mxfp4-a16",
           {"rounding": {"method": "gptq"}}, {"rounding": {"method": "nearest"}}),
    Method("greedy rounds behind GPTQ", "QuIP, Chee et al. 2023",
           "rounding: {method: gptq, refine: 3}", "weights of products, with many samples",
           "64 samples are too few: it fits them", "w4-g32",
           {"rounding": {"method": "gptq", "refine": 3}}, {"rounding": {"method": "gptq"}}),
    Method("clip search", "least squares, as in AWQ and OmniQuant's clipping without gradients",
           "rounding: {clip-search: true}", "weights, whatever their format", "none", "w4-g32",
           {"rounding": {"clip-search": True}}, {"rounding": {"clip-search": False}}),
    Method("bias correction", "Nagel et al. 2019, shrunk by what samples are sure of",
           "rounding: {correct-bias: true}", "layers with a bias", "needs samples", "mxfp4",
           {"rounding": {"correct-bias": True}}, {"rounding": {"correct-bias": False}}),
    Method("scales m2", "ZeroQuant-FP, Wu et al. 2023", "rounding: {pow2-scales: m2}",
           "groups whose scales are powers of two", "one float a channel stays", "w4-g32-pow2",
           {"rounding": {"pow2-scales": "m2"}}, {"rounding": {"pow2-scales": "m1"}}),
    Method("range search", "five ranges tried on samples", "calibration: {range: search}",
           "static ranges", "needs four samples or more", "w8a8",
           {"calibration": {"range": "search"}}, {"calibration": {"range": "min-max"}},
           "ppocr-cls-hard"),
    Method("mixed precision by the output", "layers tried one by one",
           "policy: {min-output-sqnr: 20}", "codes of fewer than eight bits",
           "needs samples; eight bits are all it gives", "mxfp4",
           {"policy": {"min-output-sqnr": 20}}, {"policy": {"min-output-sqnr": 0}}),
]


class Model:
    """A model of the benchmarks, and what it puts out in fp32."""

    def __init__(self, name, folder):
        self.prepared = prepare(name)
        self.folder = folder
        self.expected = folder / "expected"
        run_session(self.prepared.model, self.prepared.eval, self.expected)

    def measure(self, *parts):
        """The score and the mean cosine of outputs of a recipe."""
        recipe = write_recipe(self.folder / "recipe.yaml", *parts)
        result = measure(self.prepared, self.expected, recipe, self.folder)
        return next(iter(result.scores.values())), statistics.mean(result.cosines)


def write_row(method, model):
    before, after = (model.measure(FORMATS[method.format_name], keys)
                     for keys in (method.without, method.keys))
    figures = [f"{old:.4f}, {new:.4f}" for old, new in zip(before, after)]
    cells = [method.name, method.source, f"`{method.recipe}`", method.purpose, method.limits,
             f"{method.model} {method.format_name}", *figures]
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    print(HEAD + "| " + " | ".join(TITLES) + " |\n" + "|---" * len(TITLES) + "|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        models = {}
        for method in METHODS:
            if method.model not in models:
                place = Path(folder) / method.model
                place.mkdir()
                models[method.model] = Model(method.model, place)
            write_row(method, models[method.model])


if __name__ == "__main__":
    main()
