"""Where few bits ruin the outputs, the products that do it get 8: with samples, and only there."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import run_ok, run_tool
from test_calibrate import Model, write_samples

LAYERS = ("/steady", "/offset", "/y")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three products; the activation of the second is an offset with little on top."""
    folder = tmp_path_factory.mktemp("offset")
    model = Model(11)
    x = model.node("Tanh", model.linear("x", 64, 64, output="steady"))
    x = model.node("Add", x, model.constant([9.5]))
    # Columns that sum to zero: the offset is noise to the product.
    weight = model.rng.normal(0, 0.125, (64, 64))
    x = model.node("MatMul", x, model.constant(weight - weight.mean(0)), output="offset")
    model.linear(x, 64, 8, output="y")
    model.save(folder, ["n", 64], model.rng.normal(0, 1, (32, 4, 64)))
    return folder


def compile_report(folder, out, preset, recipe="", calib=True, *more):
    """Plans of the products by name, the report, and what was told."""
    (out / "r.yaml").write_text(f"version: 1\npreset: {preset}\n{recipe}")
    samples = ["--calib", folder / "calib"] if calib else []
    result = run_tool("qopt-compile", folder / "model.onnx", "--recipe", out / "r.yaml", *samples,
                      "-o", out / "x.so", "--report", out, *more)
    assert result.returncode == 0, result.stderr
    report = json.loads((out / "report.json").read_text())
    rows = {row["node"]: row for row in report["contract"] if row["node"] in LAYERS}
    return rows, report, result.stderr


def sqnr(folder, out):
    """Decibels on samples that the compiler did not see."""
    run_ok("qopt-compile", folder / "model.onnx", "-o", out / "f.so", "--quiet")
    outputs = {}
    for name in ("f", "x"):
        run_ok("qopt-run", out / f"{name}.so", "--inputs", folder / "eval", "--outputs", out / name)
        outputs[name] = np.concatenate([np.load(path)["y"].ravel()
                                        for path in sorted((out / name).glob("*.npz"))])
    exact, found = outputs["f"].astype(np.float64), outputs["x"]
    return 10 * np.log10(np.square(exact).sum() / np.square(exact - found).sum())


@pytest.mark.parametrize("preset", ["mxfp4", "nvfp4", "mxfp6-e3m2"])
def test_the_product_that_ruins_the_output_gets_bits(folder, tmp_path, preset):
    rows, report, told = compile_report(folder, tmp_path, preset)
    assert rows["/offset"]["planned"] == "mxint8 x mxint8"
    assert rows["/offset"]["realised"] == "mxint8 x mxint8"
    assert "where it alone is " + f"{preset} x {preset}" in rows["/offset"]["reason"]
    for name in ("/steady", "/y"):
        assert rows[name]["planned"] == f"{preset} x {preset}"
        assert not rows[name]["reason"]
    assert "so 1 of the 3 products with fewer bits have 8:" in told
    assert report["accuracy"][0]["sqnr_db"] >= 12
    assert sqnr(folder, tmp_path) > 10
    # What each tensor lost is told of the program that is written, once.
    formats = [(row["node"], row["format"]) for row in report["errors"]]
    assert sorted(formats) == sorted({*formats})
    assert ("/offset", "mxint8") in formats


def test_a_recipe_may_keep_what_it_asks_for(folder, tmp_path):
    rows, _, told = compile_report(folder, tmp_path, "mxfp4", "policy: {min-output-sqnr: 0}\n")
    assert all(row["planned"] == "mxfp4 x mxfp4" for row in rows.values())
    assert "products with fewer bits" not in told
    assert "outputs are far from the float model's" in told
    assert sqnr(folder, tmp_path) < 10


def test_an_override_stays(folder, tmp_path):
    rows, _, told = compile_report(
        folder, tmp_path, "mxfp4",
        "overrides: [{nodes: '/offset', activations: {format: mxfp4}}]\n")
    assert rows["/offset"]["planned"] == "mxfp4 x mxfp4"
    assert "outputs are far from the float model's" in told


def test_without_samples_nothing_is_known(folder, tmp_path):
    rows, report, told = compile_report(folder, tmp_path, "mxfp4", calib=False)
    assert all(row["planned"] == "mxfp4 x mxfp4" for row in rows.values())
    assert not report["warnings"] and "warning" not in told


def test_what_is_asked_for_needs_samples(folder, tmp_path):
    (tmp_path / "r.yaml").write_text("{version: 1, preset: mxfp4, policy: {min-output-sqnr: 30}}")
    result = run_tool("qopt-compile", folder / "model.onnx", "--recipe", tmp_path / "r.yaml",
                      "-o", tmp_path / "x.so")
    assert result.returncode == 2
    assert "policy.min-output-sqnr of " in result.stderr and "--calib" in result.stderr


def test_what_cannot_be_reached_is_told(folder, tmp_path):
    _, report, told = compile_report(folder, tmp_path, "mxfp4",
                                     "policy: {min-output-sqnr: 200}\n")
    decibels = report["accuracy"][0]["sqnr_db"]
    assert f"3 of the 3 products with fewer bits have 8: {decibels:.1f} dB now" in told
    assert "asks for 200" in told


def test_tables_are_planned_as_they_become(tmp_path):
    """A table of rows that the next product nearly cancels."""
    model = Model(12)
    rows = model.rng.normal(0, 1, (128, 64)) + 9.5
    model.weights.append(numpy_helper.from_array(rows.astype(np.float32), "rows"))
    model.nodes.append(helper.make_node("Gather", ["rows", "ids"], ["row"], "/table"))
    weight = model.rng.normal(0, 0.125, (64, 64))
    model.node("MatMul", "row", model.constant(weight - weight.mean(0)), output="y")
    graph = helper.make_graph(
        model.nodes, "made",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], model.weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
              tmp_path / "model.onnx")
    write_samples(tmp_path / "calib", [{"ids": model.rng.integers(0, 128, 16)} for _ in range(8)])
    (tmp_path / "r.yaml").write_text("{version: 1, preset: mxfp4}")
    run_ok("qopt-compile", tmp_path / "model.onnx", "--preset", "mxfp4", "--calib",
           tmp_path / "calib", "-o", tmp_path / "x.so", "--report", tmp_path, "--fail-on-fallback")
    row, = [row for row in json.loads((tmp_path / "report.json").read_text())["contract"]
            if row["node"] == "/table"]
    assert row["planned"] == row["realised"] == "float x mxint8"
    assert "where it alone is float x mxfp4" in row["reason"]


def test_products_behind_products_are_tried_in_their_codes(tmp_path):
    """Static ranges of what a tried product makes are those that it has."""
    model = Model(13)
    x = model.linear(model.linear("x", 64, 64), 64, 64)
    model.linear(x, 64, 16, output="y")
    model.save(tmp_path, ["n", 64], model.rng.normal(0, 1, (32, 8, 64)))
    _, report, told = compile_report(
        tmp_path, tmp_path, "w8a8-pow2",
        "weights: {format: i4, scale: f8E8M0FNU}\npolicy: {min-output-sqnr: 25}\n")
    assert "so 3 of the 3 products" in told
    assert report["accuracy"][0]["sqnr_db"] > 25


def test_bits_that_do_not_help_are_taken_back(tmp_path):
    """Blocks of many octaves: integers lose what small floats keep."""
    model = Model(14)
    weight = model.rng.normal(0, 0.1, (64, 16))
    weight[[0, 32]] = model.rng.normal(0, 1e-3, (2, 16))
    model.node("MatMul", "x", model.constant(weight), output="y")

    def sample():
        x = model.rng.normal(0, 1 / 300, (8, 64))
        x[:, [0, 32]] = 1
        return x
    model.save(tmp_path, ["n", 64], [sample() for _ in range(24)])
    rows, report, told = compile_report(tmp_path, tmp_path, "mxfp6-e3m2")
    assert rows["/y"]["planned"] == rows["/y"]["realised"] == "mxfp6-e3m2 x mxfp6-e3m2"
    assert not rows["/y"]["reason"]
    assert "products with fewer bits" not in told
    assert [row["format"] for row in report["errors"]] == ["mxfp6-e3m2"]
    assert report["accuracy"][0]["sqnr_db"] > 5


def test_an_output_as_long_as_the_data_says_is_compared(tmp_path):
    model = Model(15)
    model.node("NonZero", model.node("Greater", model.linear("x", 32, 64), model.constant([0])))
    model.nodes.append(helper.make_node("Cast", [model.nodes[-1].output[0]], ["y"], to=1))
    model.save(tmp_path, ["n", 32], model.rng.normal(0, 1, (16, 4, 32)))
    _, report, told = compile_report(tmp_path, tmp_path, "mxfp4")
    # As many are greater only where no rounding moves one over the edge.
    assert report["accuracy"][0]["sqnr_db"] is None
    assert "outputs are far from the float model's" in told


def test_a_phase_file_goes_on_to_the_same_numbers(folder, tmp_path):
    compile_report(folder, tmp_path, "mxfp4")
    run_ok("qopt-run", tmp_path / "x.so", "--inputs", folder / "eval", "--outputs", tmp_path / "at-once")
    calib = ["--recipe", tmp_path / "r.yaml", "--calib", folder / "calib"]
    for phase in ("prepare", "transform"):
        run_ok("qopt-compile", folder / "model.onnx", *calib, f"--stop-after={phase}",
               "-o", tmp_path / "p.mlir")
        run_ok("qopt-compile", tmp_path / "p.mlir", *calib, f"--start-from={phase}",
               "-o", tmp_path / "p.so")
        run_ok("qopt-run", tmp_path / "p.so", "--inputs", folder / "eval", "--outputs",
               tmp_path / phase)
        for path in sorted((tmp_path / "at-once").glob("*.npz")):
            np.testing.assert_array_equal(np.load(path)["y"],
                                          np.load(tmp_path / phase / path.name)["y"])


def test_an_exported_file_has_the_same_bits(folder, tmp_path):
    compile_report(folder, tmp_path, "mxfp4")
    run_ok("qopt-compile", folder / "model.onnx", "--recipe", tmp_path / "r.yaml", "--calib",
           folder / "calib", "--emit=qdq-onnx", "-o", tmp_path / "q.onnx")
    run_ok("qopt-run", tmp_path / "x.so", "--compare", tmp_path / "q.onnx", "--inputs",
                  folder / "eval", "--min-sqnr", 90)
