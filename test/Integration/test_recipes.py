"""Recipes: the reference is true, and overrides reach the nodes that they name."""

import json
import re

import numpy as np
import pytest

from qopt_tools import MODELS, ROOT, run_ok, run_tool

CNN = MODELS / "digits-cnn.onnx"
REFERENCE = (ROOT / "docs" / "recipe.md").read_text()


def examples():
    """Section, key and recipe of each row of the tables."""
    section = None
    for line in REFERENCE.splitlines():
        if line.startswith("## "):
            section = line[3:]
        row = re.match(r"\| `(?P<key>[a-z0-9-]+)` .* `(?P<text>\{version.*\})` \|$", line)
        if row:
            yield section, row["key"], row["text"].replace("\\|", "|")


def test_the_reference_is_what_the_compiler_prints():
    assert run_ok("qopt-compile", "--list-recipe-keys") == REFERENCE


def test_every_key_has_an_example():
    dumped = run_ok("qopt-compile", "--dump-recipe")
    keys = re.findall(r"^  ([a-z0-9-]+):", dumped, re.MULTILINE)
    found = [key for section, key, _ in examples() if not section.startswith("overrides")]
    assert len(keys) > 15
    assert sorted(found) == sorted(keys)


@pytest.mark.parametrize("section, key, text", list(examples()))
def test_an_example_changes_the_recipe(section, key, text, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(text)
    value = re.search(rf"\b{key}: ('[^']*'|[^,}}]+)", text.split(section.split(":")[0])[-1])[1]
    dumped = run_ok("qopt-compile", "--recipe", recipe, "--dump-recipe")
    assert re.search(rf"\b{key}: +'?{re.escape(value.strip(chr(39)))}'?$", dumped, re.MULTILINE)


def test_the_recipe_at_the_top_of_the_reference_compiles(tmp_path):
    text = REFERENCE.split("```")[1].strip()
    (tmp_path / "r.yaml").write_text(text)
    np.savez(tmp_path / "s.npz", x=np.random.default_rng(0).random((4, 1, 8, 8), np.float32))
    printed = run_ok("qopt-compile", CNN, "-o", tmp_path / "p.mlir", "--recipe",
                     tmp_path / "r.yaml", "--calib", tmp_path / "s.npz", "--stop-after",
                     "kernels")
    assert "override '/conv_.*': 4 nodes, 4 of them products or tables\n" in printed
    assert "override 'ops Gemm': 1 nodes, 1 of them products or tables\n" in printed


def rows(recipe, folder, *more):
    (folder / "r.yaml").write_text(recipe)
    run_ok("qopt-compile", CNN, "-o", folder / "m.so", "--recipe", folder / "r.yaml",
           "--report", folder, *more)
    report = json.loads((folder / "report.json").read_text())
    return report, {row["node"]: row for row in report["contract"]}


def test_a_node_has_formats_of_its_own(tmp_path):
    report, row = rows("version: 1\noverrides:\n"
                       "  - {nodes: /conv_6, weights: {format: i4, group: 32, scale: f16},"
                       " precision: dynamic}\n"
                       "  - {ops: Gemm, weights: {format: mxfp4}, precision: weight-only}\n"
                       "  - {ops: Relu, precision: float}\n",
                       tmp_path, "--fail-on-fallback=any")
    assert row["/conv_6"]["realised"] == "i8 x i4 dynamic"
    assert row["/gemm_15"]["realised"] == "float x mxfp4"
    assert row["/conv_0"]["realised"] == "float"
    assert report["overrides"] == [{"pattern": "/conv_6", "nodes": 1, "planned": 1},
                                   {"pattern": "ops Gemm", "nodes": 1, "planned": 1},
                                   {"pattern": "ops Relu", "nodes": 4, "planned": 0}]
    # Other programs than fp32's and than int8's, and close to fp32's.
    x = np.random.default_rng(1).random((2, 1, 8, 8), np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    run_ok("qopt-compile", CNN, "-o", tmp_path / "f.so")
    outputs = {}
    for name in ("m", "f"):
        run_ok("qopt-run", tmp_path / f"{name}.so", "--inputs", tmp_path / "x.npz", "--outputs",
               tmp_path / f"{name}.npz")
        outputs[name] = np.load(tmp_path / f"{name}.npz")["logits"]
    distance = np.abs(outputs["m"] - outputs["f"]).max() / np.abs(outputs["f"]).max()
    assert 0 < distance < 0.5


def test_a_pattern_means_whole_names(tmp_path):
    """`/conv_1` is no part of `/conv_10`."""
    _, row = rows("version: 1\npreset: w8a8-dynamic\n"
                  "overrides: [{nodes: '/conv_1.', precision: float}]\n", tmp_path)
    assert row["/conv_10"]["planned"] == "float"
    (tmp_path / "r.yaml").write_text("version: 1\npreset: w8a8-dynamic\n"
                                     "overrides: [{nodes: /conv_1, precision: float}]\n")
    result = run_tool("qopt-compile", CNN, "-o", tmp_path / "n.so", "--recipe",
                      tmp_path / "r.yaml")
    assert result.returncode == 2
    assert "override '/conv_1' matches no node, only a part of '/conv_1" in result.stderr
    assert not (tmp_path / "n.so").exists()
