"""Damaged files are refused well: a sample of fuzz_files.py, the same in each run.

By hand: `fuzz_files.py --kind phase --cases 10000`, and the other kinds.
QOPT_TEST_FULL=1 runs more of each.
"""

import pytest

import fuzz_files
from qopt_tools import IS_FULL

CASES = {"phase": 60, "model": 40, "array": 20, "recipe": 30}
PRESETS = fuzz_files.PRESETS if IS_FULL else ["w8a8", "mxint8"]
PHASES = fuzz_files.PHASES if IS_FULL else ["import", "calibrate", "quantize", "kernels"]


@pytest.mark.parametrize("kind", fuzz_files.KINDS)
def test_damaged_files(kind, tmp_path):
    options = {"presets": PRESETS, "phases": PHASES} if kind == "phase" else {}
    cases = CASES[kind] * (20 if IS_FULL else 1)
    bad = list(fuzz_files.run_cases(kind, cases, 0, tmp_path, **options))
    assert not bad


def test_a_way_to_end_that_is_bad_is_found(tmp_path):
    good = ["qopt-compile", tmp_path / "none.onnx", "-o", tmp_path / "m.so"]
    assert fuzz_files.judge(good, tmp_path) is None
    assert "exit code 64" in fuzz_files.judge_end(64, "qopt-run: error: x", set())
    assert "ends by SIGABRT" in fuzz_files.judge_end(-6, "", set())
    assert "without a message" in fuzz_files.judge_end(1, "", set())
    assert "leaves ['m.so']" in fuzz_files.judge_end(1, "error: x", {"m.so"})
