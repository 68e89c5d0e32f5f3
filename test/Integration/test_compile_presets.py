"""Every preset compiles, gives the bits of the reference evaluator, and answers well.

One artefact holds two tiers of x86-64; each is forced by QOPT_CPU.
"""

import json
import sys

import numpy as np
import pytest

from qopt_tools import MODELS, list_tiers, run_ok

sys.path.insert(0, str(MODELS))
from fetch import FetchError
from ort_run import make_session
from samples import read_samples, write_samples
from tasks import prepare

PRESETS = run_ok("qopt-compile", "--list-presets").split()
TIERS, RUNNABLE = list_tiers()
# The whole model takes seconds to compile: one preset for each family of kernels.
LARGE_PRESETS = ["w8a8", "w4a16-g32", "mxfp4"]


def least_accuracy(preset):
    """Float answers right on 99 of 100; presets with few bits on fewer."""
    if preset.startswith(("mxfp4", "nvfp4")):
        return 0.93
    if "e5m2" in preset or "e3m2" in preset:
        return 0.96
    return 0.975


@pytest.fixture(scope="module", params=["digits-mlp", "digits-cnn"])
def digits(request, tmp_path_factory):
    return prepare(request.param, tmp_path_factory.mktemp(request.param) / "data")


@pytest.fixture(scope="module")
def cls(tmp_path_factory):
    """The text direction classifier with three samples to calibrate and two to run."""
    try:
        prepared = prepare("ppocr-cls")
    except FetchError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("cls")
    write_samples(folder / "calib", read_samples(prepared.calib)[:3])
    write_samples(folder / "eval", read_samples(prepared.eval)[:2])
    return prepared.model, folder / "calib", folder / "eval"


def compile_model(model, calib, preset, output, *more):
    run_ok("qopt-compile", model, "-o", output, "--preset", preset, "--calib", calib,
           "--quiet", *more)
    return output


def run_bytes(artefact, inputs, outputs, tier, threads):
    """The bytes of all output files; they depend on nothing but the values."""
    run_ok("qopt-run", artefact, "--inputs", inputs, "--outputs", outputs,
           "--threads", threads, environment={"QOPT_CPU": tier})
    return {path.name: path.read_bytes() for path in sorted(outputs.glob("*.npz"))}


def expect_reference(model, calib, preset, inputs, outputs, folder, *more):
    """Reference on the program that `quantize` made gives the very bits."""
    program = compile_model(model, calib, preset, folder / "program.mlir",
                            "--stop-after", "quantize", *more)
    run_ok("qopt-run", program, "--reference", "--inputs", inputs, "--expect", outputs,
           "--atol", 0, "--rtol", 0)


@pytest.mark.parametrize("preset", PRESETS)
def test_digits(digits, preset, tmp_path):
    artefact = compile_model(digits.model, digits.calib, preset, tmp_path / "m.so",
                             "--cpu", ",".join(TIERS), "--fail-on-fallback")
    outputs = tmp_path / "out"
    found = run_bytes(artefact, digits.eval, outputs, RUNNABLE[-1], 3)
    assert len(found) == 5
    assert found == run_bytes(artefact, digits.eval, tmp_path / "low", RUNNABLE[0], 1)
    expect_reference(digits.model, digits.calib, preset, digits.eval, outputs, tmp_path)
    assert digits.score(outputs)["accuracy"] >= least_accuracy(preset)


@pytest.mark.parametrize("preset", ["fp32", "w8a8-pow2", "w4a8-g32", "nvfp4"])
def test_threads_do_not_change_bits(digits, preset, tmp_path):
    artefact = compile_model(digits.model, digits.calib, preset, tmp_path / "m.so")
    found = [run_bytes(artefact, digits.eval, tmp_path / str(threads), RUNNABLE[-1], threads)
             for threads in (1, 2, 3, 7)]
    assert len(found[0]) == 5
    assert all(other == found[0] for other in found)


@pytest.mark.parametrize("preset", LARGE_PRESETS)
def test_direction_of_text(cls, preset, tmp_path):
    model, calib, inputs = cls
    artefact = compile_model(model, calib, preset, tmp_path / "m.so",
                             "--calibrate-with-reference")
    found = [run_bytes(artefact, inputs, tmp_path / f"{threads}", RUNNABLE[-1], threads)
             for threads in (1, 3)]
    assert found[0] == found[1]
    expect_reference(model, calib, preset, inputs, tmp_path / "1", tmp_path,
                     "--calibrate-with-reference")


@pytest.mark.parametrize("preset", ["fp32", "w8a8", "w4a16-g32", "mxfp4"])
def test_an_artefact_is_the_same_bytes_every_time(preset, tmp_path):
    digits = prepare("digits-cnn", tmp_path / "data")
    found = []
    for name in "ab":
        (tmp_path / name).mkdir()
        found.append(compile_model(digits.model, digits.calib, preset,
                                   tmp_path / name / f"{name}.so").read_bytes())
    assert found[0] == found[1]


RECIPES = {
    "gptq": "preset: w4a16-g32\nrounding: {method: gptq}\n",
    "gptq-mxfp4": "preset: mxfp4\nrounding: {method: gptq, moment-weight: none}\n",
    "gptq-w8a8": "preset: w8a8\nrounding: {method: gptq}\n",
    "m2": "preset: w4a16-g32-pow2\nrounding: {pow2-scales: m2}\n",
    "m2-nearest": "preset: w4a16-g32-pow2\nrounding: {pow2-scales: m2, pow2: nearest}\n",
    "m2-ceil": "preset: w4a16-g32-pow2\nrounding: {pow2-scales: m2, pow2: ceil}\n",
    "m2-floor": "preset: w4a16-g32-pow2\nrounding: {pow2-scales: m2, pow2: floor}\n",
    "m1-nearest": "preset: w4a16-g32-pow2\nrounding: {pow2: nearest}\n",
    "m1-ceil": "preset: w4a16-g32-pow2\nrounding: {pow2: ceil}\n",
    "m1-floor": "preset: w4a16-g32-pow2\nrounding: {pow2: floor}\n",
    "pow2-nearest": "preset: w8a8-pow2\nrounding: {activation: nearest, pow2: nearest}\n",
    "mx-ceil": "preset: mxfp4\nrounding: {scale-rule: ceil}\n",
    "mx-even": "preset: mxfp8-e4m3\nrounding: {scale-rule: even}\n",
}


# Scales below the exact ones cut ranges by up to a half.
CUTTING = ["m1-floor", "m2-ceil"]


@pytest.mark.parametrize("name", RECIPES)
def test_recipes(name, tmp_path):
    prepared = prepare("digits-mlp", tmp_path / "data")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("version: 1\n" + RECIPES[name])
    program, artefact = tmp_path / "program.mlir", tmp_path / "model.so"
    for output, flags in {program: ["--stop-after", "quantize"], artefact: []}.items():
        run_ok("qopt-compile", prepared.model, "-o", output, "--recipe", recipe,
               "--calib", prepared.calib, "--cpu", ",".join(TIERS), "--quiet", *flags)
    for tier in RUNNABLE:
        run_ok("qopt-run", artefact, "--inputs", prepared.eval, "--outputs", tmp_path / tier,
               environment={"QOPT_CPU": tier})
        run_ok("qopt-run", program, "--reference", "--inputs", prepared.eval,
               "--expect", tmp_path / tier, "--atol", 0, "--rtol", 0)
        assert prepared.score(tmp_path / tier)["accuracy"] >= (0.8 if name in CUTTING else 0.93)


def test_known_statistics_give_the_same_bytes(tmp_path):
    prepared = prepare("digits-cnn", tmp_path / "data")
    artefacts = []
    for name, flags in {"without": [], "first": ["--calib-cache", tmp_path / "cache"],
                        "second": ["--calib-cache", tmp_path / "cache"]}.items():
        artefacts.append(tmp_path / f"{name}.so")
        run_ok("qopt-compile", prepared.model, "-o", artefacts[-1], "--preset", "w8a8",
               "--calib", prepared.calib, "--quiet", *flags)
    assert len(list((tmp_path / "cache").glob("*.qstats"))) >= 1
    assert len({artefact.read_bytes() for artefact in artefacts}) == 1


def test_calibration_is_the_same_in_compiled_code_and_reference(tmp_path):
    digits = prepare("digits-cnn", tmp_path / "data")
    compiled = compile_model(digits.model, digits.calib, "w8a8", tmp_path / "a.mlir",
                             "--stop-after", "calibrate")
    reference = compile_model(digits.model, digits.calib, "w8a8", tmp_path / "b.mlir",
                              "--stop-after", "calibrate", "--calibrate-with-reference")
    assert compiled.read_text() == reference.read_text()


def run_session(model, samples, optimize):
    session = make_session(model, optimize=optimize)
    return [session.run(None, sample) for sample in samples]


def expect_agreement(model, inputs, outputs):
    """Largest error 1e-4 of the largest value, or what ONNX Runtime itself varies by."""
    samples = read_samples(inputs)
    exact = run_session(model, samples, optimize=False)
    optimized = run_session(model, samples, optimize=True)
    for want, other, have in zip(exact, optimized, read_samples(outputs)):
        for a, b, c in zip(want, other, have.values()):
            bound = max(1e-4 * np.abs(a).max(), 4 * np.abs(a - b).max())
            assert np.abs(a - c).max() <= bound


def test_fp32_agrees_with_onnx_runtime(digits, tmp_path):
    artefact = compile_model(digits.model, digits.calib, "fp32", tmp_path / "m.so")
    run_bytes(artefact, digits.eval, tmp_path / "out", RUNNABLE[-1], 2)
    expect_agreement(digits.model, digits.eval, tmp_path / "out")


def test_fp32_agrees_with_onnx_runtime_on_the_direction_of_text(cls, tmp_path):
    model, calib, inputs = cls
    artefact = compile_model(model, calib, "fp32", tmp_path / "m.so")
    run_bytes(artefact, inputs, tmp_path / "out", RUNNABLE[-1], 2)
    expect_agreement(model, inputs, tmp_path / "out")


@pytest.mark.parametrize("phase", ["import", "prepare", "calibrate", "transform",
                                   "quantize", "fuse", "kernels", "target"])
def test_compilation_goes_on_from_a_phase_file(phase, tmp_path):
    """The recipe travels in the file; artefact and contract are the same."""
    digits = prepare("digits-mlp", tmp_path / "data")
    recipe = ["--preset", "w8a8"] if phase == "import" else []
    whole = compile_model(digits.model, digits.calib, "w8a8", tmp_path / "whole.so",
                          "--report", tmp_path / "whole")
    program = compile_model(digits.model, digits.calib, "w8a8", tmp_path / "p.mlir",
                            "--stop-after", phase)
    run_ok("qopt-compile", program, "-o", tmp_path / "rest.so", "--start-from", phase,
           "--calib", digits.calib, "--report", tmp_path / "rest", "--quiet", *recipe)
    outputs = [run_bytes(tmp_path / name, digits.eval, tmp_path / f"{name}-out", RUNNABLE[-1], 2)
               for name in ("whole.so", "rest.so")]
    assert outputs[0] == outputs[1]
    contracts = [json.loads((tmp_path / name / "report.json").read_text())["contract"]
                 for name in ("whole", "rest")]
    assert contracts[0] == contracts[1]
