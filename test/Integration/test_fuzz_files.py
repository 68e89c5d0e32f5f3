"""Damaged files are refused well: a sample of fuzz_files.py, the same in each run.

By hand: `fuzz_files.py --kind phase --cases 10000`, and the other kinds.
QOPT_TEST_FULL=1 runs more of each.
"""

import signal
import subprocess

import pytest

import fuzz_files
from qopt_tools import IS_FULL

CASES = {"phase": 75, "dims": 40, "model": 40, "array": 20, "recipe": 30}
PRESETS = fuzz_files.PRESETS if IS_FULL else ["w8a8", "mxint8"]
PHASES = fuzz_files.PHASES if IS_FULL else ["import", "calibrate", "quantize", "kernels", "target"]


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


def test_what_leaves_a_block_of_memory_is_found(tmp_path):
    source = tmp_path / "past.c"
    source.write_text("""
        #include <stdlib.h>
        int main(int count, char **values) {
          float *block = malloc(64 * sizeof(float));
          block[63] = 1;
          return block[63 + atoi(values[1])] != 1;
        }""")
    subprocess.run(["cc", "-O0", "-o", tmp_path / "past", source], check=True)
    environment = {"LD_PRELOAD": str(fuzz_files.build_guard(tmp_path))}
    ends = [subprocess.run([tmp_path / "past", past], env=environment, check=False).returncode
            for past in ("0", "1")]
    assert ends == [0, -signal.SIGSEGV]
