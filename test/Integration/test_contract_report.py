"""Reports follow their schema and say what the program is."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from qopt_tools import MODELS, ROOT, run_ok, run_tool

SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text())
CNN = MODELS / "digits-cnn.onnx"
PRESETS = run_ok("qopt-compile", "--list-presets").split()


@pytest.fixture(scope="module")
def calib(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calib")
    for index in range(3):
        images = np.random.default_rng(index).random((4, 1, 8, 8), np.float32)
        np.savez(folder / f"{index}.npz", x=images)
    return folder


def make_report(preset, calib, folder, *more):
    """The report of everything up to the choice of kernels, which is fast.

    Products have what the preset asks for, whatever becomes of the outputs.
    """
    recipe = folder / "recipe.yaml"
    recipe.write_text(f"{{version: 1, preset: {preset}, policy: {{min-output-sqnr: 0}}}}")
    run_ok("qopt-compile", CNN, "-o", folder / "p.mlir", "--recipe", recipe, "--calib", calib,
           "--calibrate-with-reference", "--stop-after", "kernels", "--quiet",
           "--report", folder / "report", *more)
    return json.loads((folder / "report" / "report.json").read_text())


def rows_of(report, op):
    return [row for row in report["contract"] if row["op"] == op]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_report_follows_the_schema(preset, calib, tmp_path):
    report = make_report(preset, calib, tmp_path)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert report["preset"] == preset
    assert len(report["contract"]) == 16
    assert sum(report["macs"].values()) == pytest.approx(1)
    held = report["bytes"]
    assert sum(held["codes"].values()) + held["scales"] + held["float"] == held["total"]
    assert bool(report["errors"]) == (preset != "fp32")
    assert bool(report["ranges"]) == (preset in ("w8a8", "w8a8-pow2"))


def test_the_schema_is_one_and_is_strict(calib, tmp_path):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    report = make_report("fp32", calib, tmp_path)
    report["unknown"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(report)


def test_json_on_standard_output_is_the_report(tmp_path):
    printed = run_ok("qopt-compile", CNN, "-o", tmp_path / "m.so", "--preset", "mxfp4", "--json",
                     "--report", tmp_path / "report")
    report = json.loads(printed)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert report == json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["bytes"]["artefact"] == (tmp_path / "m.so").stat().st_size
    assert [cost["phase"] for cost in report["compile_seconds"]][-1] == "emit"


def test_fewer_bits_are_larger_errors(calib, tmp_path):
    def mean(preset):
        errors = make_report(preset, calib, tmp_path)["errors"]
        return np.mean([row["sqnr_db"] for row in errors if row["tensor"] == "weight"])

    assert mean("mxint8") > mean("mxfp6-e2m3") > mean("mxfp4") > 10


def test_errors_of_weights_are_those_of_numpy(calib, tmp_path):
    """The last product: symmetric codes of 8 bits, one scale an output."""
    import onnx
    errors = make_report("w8a8-dynamic", calib, tmp_path)["errors"]
    row, = [row for row in errors if row["node"] == "/gemm_15"]
    model = onnx.load(CNN)
    gemm = model.graph.node[-1]
    weight = next(onnx.numpy_helper.to_array(item) for item in model.graph.initializer
                  if item.name == gemm.input[1]).astype(np.float64)
    transposed = any(a.name == "transB" and a.i for a in gemm.attribute)
    outputs = weight if transposed else weight.T
    scale = np.abs(outputs).max(axis=1, keepdims=True) / 127
    noise = np.square(np.rint(outputs / scale) * scale - outputs).sum()
    # The search over ranges can only do better than the full range.
    full = 10 * np.log10(np.square(outputs).sum() / noise)
    assert full - 0.1 <= row["sqnr_db"] <= full + 3
    assert 0.999 < row["cosine"] <= 1


def test_errors_of_weights_are_not_those_of_constant_activations(tmp_path):
    """The activations are constant codes of another size."""
    import onnx
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 21]> g () => (float[1, 2, 2] y)'
        " <int8[1, 3, 2] c = {1, -2, 3, 4, 5, -6}, float s = {0.5},"
        " float[2, 3, 1] w = {0.5, -0.25, 1.0, 0.75, -1.0, 0.125}>"
        " { [dequantize] x = DequantizeLinear (c, s)  [product] y = Conv (x, w) }")
    onnx.save(model, tmp_path / "m.onnx")
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "p.mlir", "--preset",
           "mxint8-a16", "--stop-after", "quantize", "--report", tmp_path)
    row, = json.loads((tmp_path / "report.json").read_text())["errors"]
    assert (row["node"], row["tensor"]) == ("product", "weight")
    assert row["sqnr_db"] is None, "powers of two are exact in mxint8"


def test_ranges_are_those_of_the_samples(calib, tmp_path):
    ranges = make_report("w8a8", calib, tmp_path)["ranges"]
    images = np.concatenate([np.load(path)["x"] for path in sorted(calib.glob("*.npz"))])
    x, = [row for row in ranges if row["node"] == "x"]
    assert (x["min"], x["max"]) == (images.min(), images.max())
    assert x["samples"] == 3
    # What a product reads has a range; what it makes stays float.
    nodes = {row["node"] for row in ranges}
    assert "/relu_5" in nodes and "/conv_3" not in nodes


def test_an_override_is_what_was_asked(calib, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("version: 1\npreset: w8a8-dynamic\n"
                      "overrides: [{nodes: '^/conv_6$', precision: float}]\n")
    run_ok("qopt-compile", CNN, "-o", tmp_path / "p.mlir", "--recipe", recipe, "--quiet",
           "--stop-after", "kernels", "--report", tmp_path, "--fail-on-fallback=any")
    report = json.loads((tmp_path / "report.json").read_text())
    row, = [row for row in report["contract"] if row["node"] == "/conv_6"]
    assert (row["asked"], row["planned"], row["realised"]) == ("float",) * 3
    assert row["reason"] == "override"
    assert 0 < report["macs"]["float"] < 0.2


def test_a_product_without_groups_is_planned_float_with_the_reason(calib, tmp_path):
    report = make_report("w4a16-g32", calib, tmp_path)
    row, = [row for row in report["contract"] if row["node"] == "/conv_3"]
    assert row["asked"] == "float x ui4"
    assert row["planned"] == row["realised"] == "float"
    assert row["reason"] == "depthwise: no products to group"


def test_any_refuses_what_was_not_asked_and_names_the_nodes(tmp_path):
    result = run_tool("qopt-compile", CNN, "-o", tmp_path / "m.so", "--preset", "w4a16-g32",
                      "--fail-on-fallback=any")
    assert result.returncode == 3
    assert "digits-cnn.onnx: 2 nodes break the precision contract (any)" in result.stderr
    assert 'node "/conv_3" (Conv): asked float x ui4, planned float' in result.stderr
    assert not (tmp_path / "m.so").exists()


def test_a_path_of_codes_holds_no_float(calib, tmp_path):
    report = make_report("w8a8-pow2", calib, tmp_path)
    assert {row["realised"] for row in report["contract"]} == {"i8", "i8 x i8 static"}
    assert report["bytes"]["float"] == 0


def test_fused_nodes_have_the_words_of_their_product(calib, tmp_path):
    report = make_report("mxfp4", calib, tmp_path)
    rows = rows_of(report, "Conv") + rows_of(report, "BatchNormalization")
    assert len(rows) == 8
    for row in rows:
        assert row["realised"] == "mxfp4 x mxfp4"
        assert row["kernel"].startswith("x86-64.")


def test_the_kernel_of_every_tier_is_told(calib, tmp_path):
    report = make_report("w8a8-dynamic", calib, tmp_path, "--cpu", "x86-64-v3,x86-64-v4")
    conv = rows_of(report, "Conv")[0]
    assert conv["kernels"] == {"x86-64-v3": "x86-64.contract.i8i8.avx2",
                               "x86-64-v4": "x86-64.contract.i8i8.vnni"}
    assert conv["kernel"] == "x86-64.contract.i8i8.vnni"
    page = (tmp_path / "report" / "report.html").read_text()
    assert "x86-64-v3: x86-64.contract.i8i8.avx2, x86-64-v4: x86-64.contract.i8i8.vnni" in page


def test_the_html_holds_the_contract(calib, tmp_path):
    make_report("w8a8", calib, tmp_path)
    page = (tmp_path / "report" / "report.html").read_text()
    assert "<script" not in page
    for text in ("/conv_3", "i8 x i8 static", "Calibrated ranges", "Quantized tensors"):
        assert text in page


def test_the_report_folder_is_made(tmp_path):
    folder = tmp_path / "a" / "b"
    run_ok("qopt-compile", CNN, "-o", tmp_path / "p.mlir", "--stop-after", "prepare",
           "--report", folder, "--quiet")
    assert sorted(path.name for path in Path(folder).iterdir()) == ["report.html", "report.json"]


def gate(expression, calib, folder, *more):
    return run_tool("qopt-compile", CNN, "-o", folder / "m.so", "--preset", "mxfp4",
                    "--accuracy-gate", expression, "--calib", calib, *more)


@pytest.mark.parametrize("runner", [[], ["--calibrate-with-reference"]])
def test_an_accuracy_that_is_kept_is_reported(calib, tmp_path, runner):
    result = gate("cosine>=0.9", calib, tmp_path, "--json", *runner)
    assert result.returncode == 0, result.stderr
    row, = json.loads(result.stdout)["accuracy"]
    assert row["output"] == "logits"
    assert 0.9 <= row["cosine"] < 1
    assert 5 < row["sqnr_db"] < 60
    assert row["max_error"] > 0


@pytest.mark.parametrize("expression", ["cosine>=0.9999", "sqnr >= 60", "max-error<=0.001"])
def test_an_accuracy_that_is_not_kept_is_refused(calib, tmp_path, expression):
    result = gate(expression, calib, tmp_path)
    assert result.returncode == 5, result.stderr
    assert 'digits-cnn.onnx: output "logits": ' in result.stderr
    assert not (tmp_path / "m.so").exists()


@pytest.mark.parametrize("expression", ["cosine", "cosine<=0.9", "accuracy>=1", "cosine>=much",
                                        "max-error>=1", ""])
def test_a_gate_that_is_not_understood_is_refused(calib, tmp_path, expression):
    result = gate(expression, calib, tmp_path)
    assert result.returncode == 2
    assert "the accuracy gate expects cosine>=NUMBER" in result.stderr


def test_a_gate_needs_samples(tmp_path):
    result = run_tool("qopt-compile", CNN, "-o", tmp_path / "m.so", "--preset", "mxfp4",
                      "--accuracy-gate", "cosine>=0.9")
    assert result.returncode == 2
    assert "the accuracy gate needs samples" in result.stderr


def test_float_is_the_same_as_float(calib, tmp_path):
    printed = run_ok("qopt-compile", CNN, "-o", tmp_path / "m.so", "--calib", calib, "--json",
                     "--accuracy-gate", "max-error<=0")
    assert json.loads(printed)["accuracy"] == [
        {"output": "logits", "cosine": pytest.approx(1), "sqnr_db": None, "max_error": 0,
         "samples": 3, "fitted": False}]


# Fused, folded, refused --------------------------------------------------------

def test_a_float_node_in_the_kernel_of_a_product_says_where(calib, tmp_path):
    report = make_report("w8a8-dynamic", calib, tmp_path)
    realised = {row["node"]: row["realised"] for row in report["contract"]}
    assert realised["/relu_8"] == "inside /conv_6"
    assert realised["/maxpool_9"] == "float"
    report = make_report("w8a8-pow2", calib, tmp_path)
    realised = {row["node"]: row["realised"] for row in report["contract"]}
    assert realised["/relu_8"] == "i8"


def test_nothing_is_float_that_is_folded(tmp_path):
    import onnx
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 17]> g (float[n, 4, 2] x) => (float[n, 8] y) {'
        "  s = Shape (x)  i = Constant <value_ints = [0]> ()  f = Gather (s, i)"
        "  m = Constant <value_ints = [-1]> ()  t = Concat <axis = 0> (f, m)"
        "  r = Reshape (x, t)  y = Relu (r) }")
    onnx.save(model, tmp_path / "m.onnx")
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so", "--report", tmp_path)
    rows = json.loads((tmp_path / "report.json").read_text())["contract"]
    folded = [row for row in rows if row["kernel"].startswith("folded in ")]
    assert {row["realised"] for row in folded} <= {"folded"}


@pytest.mark.parametrize("flags, code", [
    (["--preset", "mxfp4", "--accuracy-gate", "cosine>=0.99999"], 5),
    (["--preset", "w4a16-g32", "--fail-on-fallback=any"], 3)])
def test_a_refused_program_is_reported_without_an_artefact(calib, tmp_path, flags, code):
    (tmp_path / "m.so").write_text("of an earlier run")
    result = run_tool("qopt-compile", CNN, "-o", tmp_path / "m.so", "--calib", calib, *flags,
                      "--report", tmp_path / "report")
    assert result.returncode == code
    assert not (tmp_path / "m.so").exists()
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert report["refused"] in result.stderr
    assert "Refused" in (tmp_path / "report" / "report.html").read_text()
    assert len(report["contract"]) == 16
    assert report["bytes"]["artefact"] == 0


@pytest.mark.parametrize("preset, count, told", [
    ("w8a8", 8, "on 2 samples that nothing was chosen by"),
    ("w8a8", 3, "on 3 samples that ranges or weights were chosen by"),
    ("mxint8", 8, "on 2 samples that nothing was chosen by"),
    ("mxint8", 3, "on 3 samples that ranges or weights were chosen by"),
])
def test_a_compile_with_samples_ends_with_the_sqnr_of_the_outputs(preset, count, told, tmp_path):
    folder = tmp_path / "samples"
    folder.mkdir()
    samples = [np.random.default_rng(index).random((4, 1, 8, 8), np.float32)
               for index in range(count)]
    for index, images in enumerate(samples):
        np.savez(folder / f"{index}.npz", x=images)
    printed = run_ok("qopt-compile", CNN, "-o", tmp_path / "q.so", "--preset", preset, "--calib",
                     folder, "--report", tmp_path)
    line = printed.splitlines()[-1]
    assert line.startswith('output "logits": SQNR ') and told in line
    row, = json.loads((tmp_path / "report.json").read_text())["accuracy"]
    # What a user would measure with the two programs.
    run_ok("qopt-compile", CNN, "-o", tmp_path / "f.so", "--quiet")
    judged = samples[3::4] if count > 3 else samples
    assert row["samples"] == len(judged)
    np.savez(tmp_path / "x.npz", x=np.concatenate(judged))
    exact, found = [], []
    for name, outputs in (("f", exact), ("q", found)):
        # Dynamic ranges are one a row or an image, so samples may be joined.
        run_ok("qopt-run", tmp_path / f"{name}.so", "--inputs", tmp_path / "x.npz", "--outputs",
               tmp_path / "y.npz")
        outputs.append(np.load(tmp_path / "y.npz")["logits"].astype(np.float64))
    noise = np.square(exact[0] - found[0]).sum()
    assert row["sqnr_db"] == pytest.approx(10 * np.log10(np.square(exact[0]).sum() / noise))
    assert f'SQNR {row["sqnr_db"]:.1f} dB' in line


def test_outputs_of_noise_are_a_warning(tmp_path, calib):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("version: 1\npreset: w8a8-dynamic\nweights: {format: i2}\n"
                      "policy: {min-output-sqnr: 0}\n")
    result = run_tool("qopt-compile", CNN, "-o", tmp_path / "q.so", "--recipe", recipe, "--calib",
                      calib)
    assert result.returncode == 0, result.stderr
    assert "warning: outputs are far from the float model's" in result.stderr
    assert '"logits" (' in result.stderr


def test_nothing_is_measured_without_samples(tmp_path):
    printed = run_ok("qopt-compile", CNN, "-o", tmp_path / "q.so", "--preset", "mxint8")
    assert "SQNR" not in printed
