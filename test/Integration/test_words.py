"""What users read when they go wrong: their own names, what was expected and found, what to do.

Every case is a mistake that somebody makes. A message names no op of ours, no
place in our sources and no temporary file, and ends with what to do.
"""

import re

import numpy as np
import onnx
import pytest

from qopt_tools import MODELS, run_tool

CNN = MODELS / "digits-cnn.onnx"

# Ops, locations and temporary files are ours, not the user's.
OURS = [r"'q(opt|kernel)\.", r"\bloc\(", r"unknown location", r"\.cpp\b", r"\bmlir::",
        r"/proc/self", r"qopt-(run|calibrate)-[0-9a-f]+", r"<<UNKNOWN"]


def check_words(tool, text, code):
    """The first line says what is wrong, and a note or its own end what to do."""
    lines = text.strip().splitlines()
    assert lines and lines[0].startswith(f"{tool}: error: "), text
    assert not any(line.startswith(f"{tool}: {tool}") for line in lines), text
    for pattern in OURS:
        assert not re.search(pattern, text), f"{pattern} in {text}"
    what = lines[0].removeprefix(f"{tool}: error: ")
    assert not what.endswith("."), text
    if code != 4:  # a file that is missing needs no advice
        assert re.search(r"(^note: )|; (did you mean|see|give|name|the targets are|known are|it has)"
                         r"|, but found |expects ", text, re.MULTILINE), text


def parse(folder, text):
    path = folder / "m.onnx"
    onnx.save(onnx.parser.parse_model(text), path)
    return path


HALVES = """<ir_version: 10, opset_import: ["" : 17]>
g (float16[n, 4] x) => (float16[n, 4] y)
<float16[4, 4] v = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1},
 float16[4, 4] w = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}>
{ [first] h = MatMul (x, v)  [second] y = MatMul (h, w) }"""


@pytest.mark.parametrize("more", [[], ["--preset", "w8a8-dynamic"], ["--preset", "mxint8"]])
def test_every_node_without_a_kernel_is_named(tmp_path, more):
    result = run_tool("qopt-compile", parse(tmp_path, HALVES), "-o", tmp_path / "m.so", *more)
    assert result.returncode == 3
    assert 'm.onnx: 2 problems\n  node "first" (MatMul): has no kernel: ' in result.stderr
    assert '\n  node "second" (MatMul): has no kernel: ' in result.stderr
    check_words("qopt-compile", result.stderr, 3)


def test_what_calibration_cannot_compile_is_named(tmp_path):
    np.savez(tmp_path / "s.npz", x=np.ones((2, 4), np.float16))
    result = run_tool("qopt-compile", parse(tmp_path, HALVES), "-o", tmp_path / "m.so",
                      "--preset", "w8a8", "--calib", tmp_path / "s.npz")
    assert result.returncode == 3
    assert 'node "first" (MatMul)' in result.stderr
    check_words("qopt-compile", result.stderr, 3)
