"""Models on a Vulkan device answer as Reference does.

Every product of codes has Reference's bits from the same inputs, but where a float
scale belongs to a part of the sum; there, and in products of floats, the device may
round a multiply and an add apart, so they differ by no more than 1e-5 of the largest
value. Between products the device's floats differ
in their last bits, and one that differs in front of a code can move that code by
a step: answers are compared as classes, and for float activations as numbers.
"""

import os
import re
import sys

import numpy as np
import pytest

from contraction_probe import write_probes
from qopt_tools import IS_FULL, MODELS, run_ok, run_tool
from vulkan_driver import DRIVER, check_shaders, find_environment

sys.path.insert(0, str(MODELS))
from fetch import UnreachableError
from samples import read_samples, write_samples
from tasks import prepare

ENVIRONMENT = find_environment()
pytestmark = pytest.mark.skipif(ENVIRONMENT is None,
                                reason=f"no Vulkan driver: {DRIVER} is missing")

SAMPLED = ["fp32", "w8a8", "w8a8-pow2", "w4a16-g32", "mxint8", "mxfp8-e4m3", "mxfp4"]
ALL = run_ok("qopt-compile", "--list-presets").split()
NAMED = os.environ.get("QOPT_TEST_PRESETS", "").split(",")
PRESETS = [preset for preset in ALL if preset in NAMED] or (ALL if IS_FULL else SAMPLED)
BOUND = 1e-5
SAMPLES = {"digits-mlp": 5, "digits-cnn": 5, "ppocr-cls": 3}


@pytest.fixture(scope="module", params=SAMPLES)
def model(request, tmp_path_factory):
    """The model and the first samples of its evaluation data."""
    try:
        prepared = prepare(request.param)
    except UnreachableError as error:
        pytest.skip(str(error))
    inputs = tmp_path_factory.mktemp("inputs")
    write_samples(inputs, read_samples(prepared.eval)[:SAMPLES[request.param]])
    return prepared, inputs


def run_on_device(program, *arguments):
    """Runs an artefact; the validation layer prints to standard output."""
    result = run_tool("qopt-run", program, *arguments, environment=ENVIRONMENT)
    assert result.returncode == 0, result.stderr
    assert not re.search(r"VUID|Validation", result.stdout + result.stderr), result.stdout


def check_contractions(program, sample, is_exact, folder):
    """Compares each product of a program on the device with Reference."""
    whole, alone = folder / "whole.mlir", folder / "alone.mlir"
    read, made = write_probes(program, whole, alone)
    run_ok("qopt-compile", whole, "--start-from", "quantize", "--target", "vulkan",
           "-o", folder / "whole.so")
    run_on_device(folder / "whole.so", "--inputs", sample, "--outputs", folder / "shown.npz")
    with np.load(sample) as given, np.load(folder / "shown.npz") as shown:
        argument, = given.files
        np.savez(folder / "read.npz", **{name: shown[name] if name in shown else given[argument]
                                         for name in read})
        values = {name: shown[name] for name in made}
    run_ok("qopt-run", alone, "--reference", "--inputs", folder / "read.npz",
           "--outputs", folder / "made.npz")
    with np.load(folder / "made.npz") as expected:
        for name, value in values.items():
            if is_exact:
                assert value.tobytes() == expected[name].tobytes(), name
            else:
                bound = BOUND * np.abs(expected[name]).max()
                assert np.abs(value - expected[name]).max() <= bound, name
    return len(made)


def has_float_activations(preset):
    return preset == "fp32" or "a16" in preset


def has_exact_products(preset):
    """Sums of integers, and of groups with scales that are powers of two."""
    has_float_scales = preset.startswith(("w4a8", "nvfp4"))
    return not has_float_activations(preset) and not has_float_scales


@pytest.mark.parametrize("preset", PRESETS)
def test_answers_as_reference_does(model, preset, tmp_path):
    prepared, inputs = model
    program, artefact = tmp_path / "program.mlir", tmp_path / "model.so"
    flags = ["--preset", preset, "--calib", prepared.calib, "--quiet"]
    run_ok("qopt-compile", prepared.model, "-o", program, "--stop-after", "quantize", *flags)
    run_ok("qopt-compile", program, "-o", artefact, "--start-from", "quantize",
           "--target", "vulkan", "--quiet")
    assert check_shaders(artefact, tmp_path) > 0

    device, reference = tmp_path / "device", tmp_path / "reference"
    run_on_device(artefact, "--inputs", inputs, "--outputs", device)
    run_ok("qopt-run", program, "--reference", "--inputs", inputs, "--outputs", reference)
    num_sure = 0
    for have, want in zip(read_samples(device), read_samples(reference), strict=True):
        (have,), (want,) = have.values(), want.values()
        # A float that differs in its last bit may fall to another code; of four bits, a few
        # of those turn what is nearly undecided.
        ranked = np.sort(want, axis=-1)
        is_sure = ranked[..., -1] - ranked[..., -2] > 0.1 * np.abs(want).max()
        assert (have.argmax(-1) == want.argmax(-1))[is_sure].all()
        num_sure += np.count_nonzero(is_sure)
        if has_float_activations(preset):
            assert np.abs(have - want).max() <= BOUND * np.abs(want).max()

    assert num_sure > 0
    sample = sorted(inputs.glob("*.npz"))[0]
    assert check_contractions(program, sample, has_exact_products(preset), tmp_path) > 1


def test_samples_are_observed_on_the_host(tmp_path):
    """What is known of activations does not depend on who runs the program, and no
    device is opened to find it."""
    prepared = prepare("digits-cnn")

    def compile_model(output, *more):
        result = run_tool("qopt-compile", prepared.model, "-o", output, "--preset", "w8a8",
                          "--calib", prepared.calib, "--quiet", *more,
                          environment={"VK_ICD_FILENAMES": str(tmp_path / "none.json")})
        assert result.returncode == 0, result.stderr
        return output

    for phase in ("calibrate", "quantize"):
        # Under one name, which stands in the file.
        on_cpu, on_device = (
            compile_model(tmp_path / f"{phase}.mlir", "--target", target, "--stop-after",
                          phase).read_bytes() for target in ("x86-64", "vulkan"))
        assert on_cpu == on_device
        assert b"qopt.stats" in on_device

    artefact = compile_model(tmp_path / "model.so", "--target", "vulkan")
    run_on_device(artefact, "--inputs", prepared.eval, "--outputs", tmp_path / "device")
    run_ok("qopt-run", tmp_path / "quantize.mlir", "--reference", "--inputs", prepared.eval,
           "--outputs", tmp_path / "reference")
    answers = [[next(iter(sample.values())).argmax(-1) for sample in read_samples(tmp_path / who)]
               for who in ("device", "reference")]
    assert np.array_equal(*answers)
