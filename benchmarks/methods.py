"""The table of formats and methods: how near each keeps a model to its float form.

    python benchmarks/methods.py [--models A,B] [--formats A,B] [--methods A,B]

Compiles each model in each format by each method (fragments of a recipe, listed below;
several are joined by +) on the model's calibration data, and runs its evaluation data, which no method
sees. Prints a row for each: the model's metric, mean and worst cosine to ONNX Runtime's
fp32 over samples, bytes of weights, seconds and peak memory of the compiler. A method
that a format refuses has a row that says so.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import measuring
from measuring import ToolError

import decoder_task
from ort_run import run_folder as run_session
from tasks import TASKS, prepare

MODELS = {**TASKS, "smollm2": decoder_task.TASK}

EMBEDDINGS = {"ops": "Gather", "precision": "weight-only", "weights": {"format": "mxint8"}}
# Presets, and what recipes change of them.
FORMATS = {
    "w8a8": {"preset": "w8a8"},
    "w8a8-pow2": {"preset": "w8a8-pow2"},
    "w8a8-dynamic": {"preset": "w8a8-dynamic"},
    "w4-g32": {"preset": "w4a16-g32"},
    "w4-g32-symmetric": {"preset": "w4a16-g32",
                         "weights": {"format": "i4", "group": 32, "zero": ""}},
    "w4-g128": {"preset": "w4a16-g128"},
    "w4-g32-pow2": {"preset": "w4a16-g32-pow2"},
    "w4a8-g32": {"preset": "w4a8-g32"},
    "w2-g32": {"preset": "w4a16-g32", "weights": {"format": "ui2", "zero": "ui2", "group": 32}},
    "mxfp4-a16": {"preset": "mxfp4-a16"},
    # Embeddings in eight bits.
    "mxfp4-a16-e8": {"preset": "mxfp4-a16", "overrides": [EMBEDDINGS]},
    "mxfp4-e8": {"preset": "mxfp4", "overrides": [EMBEDDINGS]},
    "mxfp4": {"preset": "mxfp4"},
    "mxfp6-e2m3": {"preset": "mxfp6-e2m3"},
    "mxfp8-e4m3": {"preset": "mxfp8-e4m3"},
    "mxint8": {"preset": "mxint8"},
    "nvfp4-a16": {"preset": "nvfp4-a16"},
    "nvfp4": {"preset": "nvfp4"},
}
# What a method is joined of, as in `awq+gptq`.
PARTS = {
    "plain": {"rounding": {"method": "nearest", "clip-search": False, "correct-bias": False},
              "transforms": {"smooth": "off", "stretch": False}},
    "nearest": {},
    "gptq": {"rounding": {"method": "gptq"}},
    "gptq-sequential": {"rounding": {"method": "gptq", "moments-of": "quantized"}},
    "smooth": {"transforms": {"smooth": "search"}},
    "awq": {"transforms": {"awq": True}},
    "rotate": {"transforms": {"rotate": "32"}},
    "best": {"effort": "best"},
}
METHODS = ["preset", *PARTS, "smooth+gptq", "awq+gptq", "rotate+gptq"]
TITLES = ["format", "method", "metric", "cosine", "worst", "bytes", "seconds", "GB"]


def write_recipe(path, *parts):
    """A recipe of the keys of all parts; JSON is YAML."""
    recipe = {"version": 1}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, dict):
                recipe.setdefault(key, {}).update(value)
            else:
                recipe[key] = value
    path.write_text(json.dumps(recipe))
    return path


def find_parts(method):
    """The parts of a method; all but the preset itself do it to all layers that it names."""
    if method == "preset":
        return []
    return [{"policy": {"min-output-sqnr": 0}}, *(PARTS[name] for name in method.split("+"))]


@dataclass
class Result:
    """What a recipe makes of a model: `scores` by metric, `cosines` of each output and sample,
    bytes of weights, and seconds and GB of the compiler."""
    scores: dict
    cosines: list
    bytes: int
    seconds: float
    peak: float


def measure(prepared, expected, recipe, folder):
    """Compiles by a recipe and runs the samples that nothing was fitted to."""
    artefact, report, outputs = (Path(folder) / name for name in ("model.so", "report", "outputs"))
    seconds, peak = measuring.measure_compile(
        prepared.model, artefact, "--recipe", recipe, "--calib", prepared.calib, "--report",
        report, "--cpu", "native")
    measuring.run_folder(artefact, prepared.eval, outputs)
    return Result(prepared.score(outputs), measuring.cosines(outputs, expected),
                  json.loads((report / "report.json").read_text())["bytes"]["total"],
                  seconds, peak)


def make_row(prepared, expected, recipe, folder):
    result = measure(prepared, expected, recipe, folder)
    return [measuring.describe(result.scores), f"{statistics.mean(result.cosines):.5f}",
            f"{min(result.cosines):.4f}", str(result.bytes), f"{result.seconds:.1f}",
            f"{result.peak:.2f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="minilm")
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--methods", default=",".join(METHODS))
    options = parser.parse_args()
    for option, table in (("models", MODELS), ("formats", FORMATS),
                          ("methods", ["preset", *PARTS])):
        for name in re.split("[,+]", getattr(options, option)):
            if name not in table:
                sys.exit(f"methods.py: --{option} expects {', '.join(table)}, but found '{name}'")
    for name in options.models.split(","):
        prepared = prepare(name, tasks=MODELS)
        print(f"\n## {name}\n\n| " + " | ".join(TITLES) + " |\n" + "|---" * len(TITLES) + "|",
              flush=True)
        with tempfile.TemporaryDirectory() as folder:
            expected = Path(folder) / "expected"
            run_session(prepared.model, prepared.eval, expected)
            for format_name in options.formats.split(","):
                for method in options.methods.split(","):
                    recipe = write_recipe(Path(folder) / "recipe.yaml", FORMATS[format_name],
                                          *find_parts(method))
                    try:
                        cells = make_row(prepared, expected, recipe, folder)
                    except ToolError as error:
                        cells = [f"none: {error}"] + [""] * (len(TITLES) - 3)
                    print(f"| {format_name} | {method} | " + " | ".join(cells) + " |",
                          flush=True)


if __name__ == "__main__":
    main()
