"""w8a8 keeps what a model is for, on lines that are hard enough to show it.

Easy lines are read right whatever is done to the numbers. Long runs wait for
QOPT_TEST_FULL=1.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from qopt_tools import IS_FULL, run_ok

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
import ppocr_data
from evaluate import evaluate_ort
from fetch import UnreachableError
from ort_run import run_folder
from samples import read_outputs
from tasks import prepare

needs_fonts = pytest.mark.skipif(not ppocr_data.FONTS.exists(),
                                 reason=f"no fonts in {ppocr_data.FONTS}")
is_long = pytest.mark.skipif(not IS_FULL, reason="QOPT_TEST_FULL=1 asks for it")

# Without what the preset does for depthwise convolutions.
BARE = """version: 1
preset: w8a8
transforms: {stretch: false}
rounding: {correct-bias: false}
"""


def prepare_or_skip(name):
    try:
        return prepare(name)
    except UnreachableError as error:
        pytest.skip(str(error))


def run_compiled(prepared, folder, *flags):
    """The folder of outputs for the evaluation samples."""
    folder.mkdir()
    artefact = folder / "model.so"
    run_ok("qopt-compile", prepared.model, "-o", artefact, "--calib", prepared.calib, "--quiet",
           *flags)
    run_ok("qopt-run", artefact, "--inputs", prepared.eval, "--outputs", folder / "outputs")
    return folder / "outputs"


def noise(outputs, expected):
    count = len(list(Path(expected).glob("*.npz")))
    pairs = zip(read_outputs(outputs, count), read_outputs(expected, count))
    return sum(float(((a.astype(np.float64) - b) ** 2).sum()) for a, b in pairs)


@needs_fonts
def test_cls_turns_the_same_lines_with_less_noise(tmp_path):
    prepared = prepare_or_skip("ppocr-cls-hard")
    run_folder(prepared.model, prepared.eval, tmp_path / "float")
    recipe = tmp_path / "bare.yaml"
    recipe.write_text(BARE)
    outputs = run_compiled(prepared, tmp_path / "w8a8", "--preset", "w8a8")
    bare = run_compiled(prepared, tmp_path / "bare", "--recipe", recipe)
    expected = prepared.score(tmp_path / "float")["accuracy"]
    assert prepared.score(outputs)["accuracy"] >= expected - 0.01
    assert noise(outputs, tmp_path / "float") < 0.85 * noise(bare, tmp_path / "float")


@needs_fonts
@is_long
def test_rec_reads_hard_lines_as_well_as_the_float_model(tmp_path):
    prepared = prepare_or_skip("ppocr-rec-hard")
    outputs = run_compiled(prepared, tmp_path / "w8a8", "--preset", "w8a8")
    found, expected = prepared.score(outputs), evaluate_ort(prepared)
    assert found["character_error_rate"] <= expected["character_error_rate"] + 0.005


@is_long
def test_minilm_means_the_same(tmp_path):
    prepared = prepare_or_skip("minilm")
    outputs = run_compiled(prepared, tmp_path / "w8a8", "--preset", "w8a8")
    assert prepared.score(outputs)["cosine_mean"] >= 0.998
