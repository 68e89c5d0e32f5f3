"""Functions that a model defines: their nodes take the place of each call."""

import numpy as np
import onnx
import onnxruntime
import pytest

from qopt_tools import run_arrays, run_ok, run_tool

MODEL = """<ir_version: 10, opset_import: ["" : 17, "own" : 1]>
g (float[n, 4] x) => (float[n, 4] y, float[n, 4] z)
<float[4, 4] w = {1, 2, 0, 1, 0, 1, 3, 0, 1, 0, 1, -1, 2, 0, 0, 1}>
{ [first] a = own.layer <slope = 0.5> (x, w)
  [second] b = own.layer (a, w)
  c = own.twice (b)
  [third] y, d = own.both (c, x)
  z = Sub (d, b) }
<domain: "own", opset_import: ["" : 17, "own" : 1]>
layer <slope: float = 0.25> (x, w) => (y)
{ [product] h = MatMul (x, w)  a = LeakyRelu <alpha: float = @slope> (h)  y = own.twice (a) }
<domain: "own", opset_import: ["" : 17]>
twice (h) => (y)
{ y = Add (h, h) }
<domain: "own", opset_import: ["" : 17]>
both (p, q) => (s, r)
{ s = Mul (p, q)  r = Identity (q) }"""


def write(path, text):
    onnx.save(onnx.parser.parse_model(text), path)
    return path


def test_calls_are_their_nodes(tmp_path):
    path = write(tmp_path / "model.onnx", MODEL)
    feeds = {"x": np.random.default_rng(3).normal(0, 1, (3, 4)).astype(np.float32)}
    expected = onnxruntime.InferenceSession(path).run(None, feeds)
    reference = run_arrays(path, feeds, tmp_path, "--reference")
    for name, want in zip("yz", expected):
        np.testing.assert_allclose(reference[name], want, rtol=1e-5, atol=1e-5)
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--report", tmp_path / "report")
    found = run_arrays(tmp_path / "m.so", feeds, tmp_path)
    assert all(found[name].tobytes() == reference[name].tobytes() for name in "yz")
    # Each product of a call is a row of its own, which an override can name.
    report = (tmp_path / "report" / "report.json").read_text()
    assert "first/product" in report and "second/product" in report


@pytest.mark.parametrize("change, code, message", [
    (("y = Add (h, h) }", "y = own.twice (h) }"), 1, "calls functions more than 64 deep, or itself"),
    (('<domain: "own", opset_import: ["" : 17]>\ntwice', '<domain: "own", opset_import: ["" : 16]>\ntwice'),
     3, 'function "twice" has opset 16, but the model has 17'),
    (("both (p, q) => (s, r)", "twice (p, q) => (s, r)"), 1,
     'expects functions of different names, but found two of "twice"'),
    (("c = own.twice (b)", "c = own.twice (b, b)"), 1, "has 1 inputs and 1 outputs, but a call has more"),
])
def test_bad_functions(tmp_path, change, code, message):
    assert change[0] in MODEL
    path = write(tmp_path / "model.onnx", MODEL.replace(*change))
    result = run_tool("qopt-compile", path, "-o", tmp_path / "m.so")
    assert result.returncode == code and message in result.stderr, result.stderr


def test_few_functions_that_stand_for_many_nodes(tmp_path):
    calls = "".join(f'<domain: "own", opset_import: ["" : 17, "own" : 1]>\nf{i} (x) => (y)\n'
                    f"{{ a = own.f{i + 1} (x)  b = own.f{i + 1} (a)  y = own.f{i + 1} (b) }}\n"
                    for i in range(30))
    last = '<domain: "own", opset_import: ["" : 17]>\nf30 (x) => (y)\n{ y = Neg (x) }'
    head = MODEL[:MODEL.index("\n")].replace("g (", "")
    path = write(tmp_path / "model.onnx", f"{head}\ng (float[4] x) => (float[4] y)\n"
                 f"{{ y = own.f0 (x) }}\n{calls}{last}")
    result = run_tool("qopt-compile", path, "-o", tmp_path / "m.so")
    assert result.returncode == 3 and "functions make more than" in result.stderr, result.stderr
