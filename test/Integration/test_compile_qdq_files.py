"""Presets on files that another tool has quantized: what the file says stands, the
preset quantizes the rest, and an override takes back what it names.
"""

import json
import sys

import numpy as np
import onnx
import pytest

from qopt_tools import MODELS, list_tiers, run_arrays, run_ok
from test_qdq_forms import Graph, matmul

sys.path.insert(0, str(MODELS))
from evaluate import evaluate_ort
from ort_int8 import quantize
from tasks import prepare

PRESETS = ["w8a8", "w8a8-dynamic", "w8a8-pow2", "w4a16-g32", "mxint8"]
#: Of the contractions that the preset quantizes.
ASKED = {"w8a8": "i8 x i8", "w8a8-dynamic": "i8 x i8 dynamic", "w8a8-pow2": "i8 x i8 static",
         "w4a16-g32": "float x ui4", "mxint8": "mxint8 x mxint8"}
TIERS, RUNNABLE = list_tiers()


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return prepare("digits-cnn", tmp_path_factory.mktemp("digits") / "data")


@pytest.fixture(scope="module", params=[("u8", True), ("s8", False)],
                ids=["u8-per-channel", "s8-per-tensor"])
def convolutions(request, digits, tmp_path_factory):
    """The file in which ONNX Runtime has quantized the convolutions alone."""
    activations, per_channel = request.param
    path = tmp_path_factory.mktemp("convolutions") / "q.onnx"
    quantize(digits, path, activations, operators=["Conv"], per_channel=per_channel)
    return path


def compile_file(file, digits, output, *more):
    run_ok("qopt-compile", file, "-o", output, "--calib", digits.calib, "--quiet", *more)
    return output


def compile_with_rows(file, digits, folder, *more):
    """The artefact, and the rows of its contract for convolutions and for products."""
    artefact = compile_file(file, digits, folder / "m.so", "--report", folder / "report",
                            "--fail-on-fallback", *more)
    rows = json.loads((folder / "report" / "report.json").read_text())["contract"]
    return (artefact, [row for row in rows if row["op"] == "Conv"],
            [row for row in rows if row["op"] in ("Gemm", "MatMul")])


def expect_reference(file, artefact, digits, folder, *more):
    """All tiers give the bits of the program whose numbers are fixed."""
    program = compile_file(file, digits, folder / "program.mlir", "--stop-after", "quantize",
                           *more)
    for tier in RUNNABLE:
        run_ok("qopt-run", artefact, "--inputs", digits.eval, "--outputs", folder / tier,
               environment={"QOPT_CPU": tier})
        run_ok("qopt-run", program, "--reference", "--inputs", digits.eval,
               "--expect", folder / tier, "--atol", 0, "--rtol", 0)
    return folder / RUNNABLE[-1]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_quantizes_the_rest(convolutions, digits, preset, tmp_path):
    artefact, convs, products = compile_with_rows(
        convolutions, digits, tmp_path, "--preset", preset, "--cpu", ",".join(TIERS))
    assert convs and products
    assert {row["reason"] for row in convs} == {"from the file"}
    assert all(row["realised"].endswith("i8 x i8 static") for row in convs)
    for row in products:
        # What comes as codes is multiplied as such, where the preset has integers.
        assert ASKED[preset] in row["realised"] or (
            preset.startswith("w8a8") and row["reason"] == "activation from the file")
    outputs = expect_reference(convolutions, artefact, digits, tmp_path, "--preset", preset)
    assert digits.score(outputs)["accuracy"] >= 0.97


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_leaves_a_quantized_file_as_it_is(digits, preset, tmp_path):
    file = compile_file(digits.model, digits, tmp_path / "q.onnx", "--preset", "w8a8",
                        "--emit", "qdq-onnx")
    found = []
    for name in ("fp32", preset):
        artefact = compile_file(file, digits, tmp_path / f"{name}.so", "--preset", name)
        run_ok("qopt-run", artefact, "--inputs", digits.eval, "--outputs", tmp_path / name)
        found.append([path.read_bytes() for path in sorted((tmp_path / name).glob("*"))])
    assert len(found[0]) == 5
    assert found[0] == found[1]


def test_calibration_sees_the_numbers_of_the_reference(convolutions, digits, tmp_path):
    """The codes are decoded for it, and float sums have an order."""
    found = [compile_file(convolutions, digits, tmp_path / f"{len(more)}.so", "--preset", "w8a8",
                          *more).read_bytes()
             for more in ((), ("--calibrate-with-reference",))]
    assert found[0] == found[1]


@pytest.mark.parametrize("precision, realised", [
    ("precision: float", "float"),
    ("precision: weight-only, weights: {format: i4, group: 16}", "float x i4")])
def test_an_override_takes_back_what_the_file_says(digits, precision, realised, tmp_path):
    file = tmp_path / "q.onnx"
    quantize(digits, file)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("version: 1\npreset: w8a8\noverrides:\n"
                      f"  - {{ops: Gemm|MatMul, {precision}}}\n")
    artefact, convs, products = compile_with_rows(
        file, digits, tmp_path, "--recipe", recipe, "--cpu", ",".join(TIERS))
    assert products and {row["realised"] for row in products} == {realised}
    assert {row["reason"] for row in convs} == {"from the file"}
    outputs = expect_reference(file, artefact, digits, tmp_path, "--recipe", recipe)
    assert digits.score(outputs)["accuracy"] >= 0.97


@pytest.mark.parametrize("preset", ["w8a8", "mxint8"])
def test_the_export_runs_elsewhere(convolutions, digits, preset, tmp_path):
    file = compile_file(convolutions, digits, tmp_path / "out.onnx", "--preset", preset,
                        "--emit", "qdq-onnx")
    kinds = [node.op_type for node in onnx.load(file).graph.node]
    assert kinds.count("DequantizeLinear") > 4
    if preset == "w8a8":  # ONNX Runtime has no kernels for blocks of E8M0
        assert evaluate_ort(digits, file)["accuracy"] >= 0.97


@pytest.mark.parametrize("movement", ["Transpose", "Gemm", "Reshape", "Squeeze"])
def test_a_moved_weight_is_multiplied_in_integers(movement, tmp_path):
    g = Graph(7)
    x = g.qdq(g.input([3, 24]), [3, 24])
    if movement == "Gemm":
        y = g.op("Gemm", x, g.weight([10, 24], axis=0), transB=1)
    elif movement == "Transpose":
        y = g.op("MatMul", x, g.op("Transpose", g.weight([10, 24], axis=0), perm=[1, 0]))
    elif movement == "Reshape":
        weight = g.op("Reshape", g.weight([10, 6, 4], axis=0), g.constant(np.array([10, 24])))
        y = g.op("Gemm", x, weight, transB=1)
    else:
        weight = g.op("Squeeze", g.weight([1, 24, 10], axis=2), g.constant(np.array([0])))
        y = g.op("MatMul", x, weight)
    g.save(tmp_path / "m.onnx", y)
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so", "--quiet",
           "--report", tmp_path / "report", "--fail-on-fallback")
    rows = json.loads((tmp_path / "report" / "report.json").read_text())["contract"]
    assert [row["realised"] for row in rows if row["op"] in ("Gemm", "MatMul")] == [
        "i8 x i8 static"]
    inputs = {"x0": g.rng.normal(0, 1.5, [3, 24]).astype(np.float32)}
    found = run_arrays(tmp_path / "m.so", inputs, tmp_path)
    wanted = run_arrays(tmp_path / "m.onnx", inputs, tmp_path, "--reference")
    np.testing.assert_allclose(found[y], wanted[y], rtol=0, atol=1e-5 * abs(wanted[y]).max())


def test_unsigned_activations_take_the_kernels_of_signed_ones(digits, tmp_path):
    file = tmp_path / "q.onnx"
    quantize(digits, file, "u8")
    artefact, convs, _ = compile_with_rows(file, digits, tmp_path, "--cpu", ",".join(TIERS))
    assert {row["realised"] for row in convs} == {"i8 x i8 static"}
    assert {row["kernel"].split(".")[1] for row in convs} == {"contract", "depthwise"}
    assert not any(row["kernel"].startswith("x86-64.contract.codes") for row in convs)
    outputs = expect_reference(file, artefact, digits, tmp_path)
    assert digits.score(outputs)["accuracy"] >= 0.97
    # The codes stand for the same numbers: before sums are formed, bit for bit.
    run_ok("qopt-run", file, "--reference", "--inputs", digits.eval, "--outputs",
           tmp_path / "exact")
    prepared = compile_file(file, digits, tmp_path / "prepared.mlir", "--stop-after", "prepare")
    run_ok("qopt-run", prepared, "--reference", "--inputs", digits.eval, "--expect",
           tmp_path / "exact", "--atol", 0, "--rtol", 0)


# Zeros that vary along the columns are of groups.
@pytest.mark.parametrize("w_axis, w_zeros", [(None, True), (None, 128), (1, 77), (1, 128)])
def test_unsigned_weights_take_the_kernels_of_signed_ones(w_axis, w_zeros, tmp_path):
    g = Graph(11)
    y = matmul(x_kind="u8", w_kind="u8", w_axis=w_axis, w_zeros=w_zeros, requantize=True)(g)
    g.save(tmp_path / "m.onnx", y)
    row, = read_products(tmp_path)
    assert (row["realised"], row["kernel"]) == ("i8 x i8 static", "x86-64.contract.i8i8.vnni")


def test_symmetric_codes_without_a_zero_stay_integers(tmp_path):
    g = Graph(12)
    g.save(tmp_path / "m.onnx", matmul(x_zeros=None, requantize=True)(g))
    row, = read_products(tmp_path)
    assert (row["realised"], row["kernel"]) == ("i8 x i8 static", "x86-64.contract.i8i8.vnni")
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "q.mlir", "--quiet",
           "--stop-after", "quantize")
    assert "qopt.requantize" in (tmp_path / "q.mlir").read_text()


def read_products(folder):
    """The rows of the contract of `m.onnx` for products."""
    run_ok("qopt-compile", folder / "m.onnx", "-o", folder / "m.so", "--quiet", "--report",
           folder / "report", "--cpu", "x86-64-v4")
    rows = json.loads((folder / "report" / "report.json").read_text())["contract"]
    return [row for row in rows if row["op"] == "MatMul"]
