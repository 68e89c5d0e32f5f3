"""Real models give the bits of Reference: a sample, and all pairs with QOPT_TEST_FULL.

    python benchmarks/models.py --only-reference 1 --calib-samples 4 --every-tier

does the same with twice the samples to fit.
"""

import os
import subprocess
import sys

import pytest

from qopt_tools import BUILD, IS_FULL, MODELS, ROOT, run_ok

sys.path.insert(0, str(MODELS))
from fetch import UnreachableError
from tasks import TASKS, prepare

PRESETS = run_ok("qopt-compile", "--list-presets").split()
# test_compile_presets.py compares the digit classifiers and the direction of text.
SAMPLE = [("ppocr-rec", "w8a8"), ("minilm", "w8a8"), ("minilm", "mxfp4")]
PAIRS = [(model, preset) for model in TASKS for preset in PRESETS] if IS_FULL else SAMPLE


@pytest.mark.parametrize("model, preset", PAIRS)
def test_bits(model, preset):
    try:
        prepare(model)
    except UnreachableError as error:
        pytest.skip(str(error))
    command = [sys.executable, ROOT / "benchmarks" / "models.py", "--models", model, "--presets",
               preset, "--only-reference", "1", "--calib-samples", "2"]
    result = subprocess.run(command + ["--every-tier"] * IS_FULL, capture_output=True, text=True,
                            check=False, env={**os.environ, "QOPT_BUILD": str(BUILD)})
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith(f"| {model} | {preset} | same bits (1 samples) on x86-64-v3"
                                    if IS_FULL else
                                    f"| {model} | {preset} | same bits (1 samples)")
