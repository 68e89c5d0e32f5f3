"""The Python package: from a model to arrays, and what becomes of mistakes."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "test" / "models"
sys.path.insert(0, str(Path(os.environ.get("QOPT_BUILD", ROOT / "build")) / "python"))
import qopt


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    path = tmp_path_factory.mktemp("python") / "cnn.so"
    report = qopt.compile(MODELS / "digits-cnn.onnx", path)
    assert report["preset"] == "fp32"
    return path


@pytest.fixture
def module(compiled):
    return qopt.load(compiled, threads=1)


def images(count):
    return np.random.default_rng(count).random((count, 1, 8, 8), np.float32)


def test_type_checkers_see_the_extension():
    """The package is typed: a stub names what the extension has."""
    from qopt import _qopt
    stub = Path(qopt.__file__).parent / "_qopt.pyi"
    found = {node.name for node in ast.parse(stub.read_text()).body
             if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert found == {name for name in vars(_qopt) if not name.startswith("_")}
    assert (stub.parent / "py.typed").exists()


def test_values(module):
    assert module.inputs == (
        qopt.Value("x", "f32", np.dtype(np.float32), ("batch", 1, 8, 8)),)
    assert [value.name for value in module.outputs] == ["logits"]
    described = module.describe()
    assert described["inputs"][0]["dims"] == [None, 1, 8, 8]
    assert any(tier["chosen"] for tier in described["tiers"])


def test_results_are_those_of_onnxruntime(module):
    import onnxruntime
    session = onnxruntime.InferenceSession(MODELS / "digits-cnn.onnx")
    for count in (1, 6):
        found = module.run({"x": images(count)})["logits"]
        expected = session.run(None, {"x": images(count)})[0]
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_results_outlive_later_runs_and_the_module(compiled):
    module = qopt.load(compiled)
    first = module.run({"x": images(2)})["logits"]
    copy = first.copy()
    module.run({"x": images(3)})
    del module
    np.testing.assert_array_equal(first, copy)


def test_arrays_that_are_not_contiguous(module):
    wide = np.repeat(images(4), 2, axis=3)
    np.testing.assert_array_equal(module.run({"x": wide[..., ::2]})["logits"],
                                  module.run({"x": images(4)})["logits"])


def test_arrays_are_not_converted(module):
    with pytest.raises(TypeError, match="expects elements of type float32, but found float64"):
        module.run({"x": images(1).astype(np.float64)})


def test_names_that_do_not_fit(module):
    with pytest.raises(ValueError, match="input 'x' is missing; found none"):
        module.run({})
    with pytest.raises(ValueError, match="the model has no input 'y'; it has 'x'"):
        module.run({"x": images(1), "y": images(1)})


def test_inputs_are_a_mapping(module):
    with pytest.raises(TypeError, match="run expects a mapping from input names to arrays, but "
                                        "found ndarray; the inputs are 'x'"):
        module.run(images(1))


def test_what_is_no_artefact_is_told_with_what_makes_one():
    with pytest.raises(qopt.Error, match="note: qopt-compile MODEL.onnx -o MODEL.so") as raised:
        qopt.load(MODELS / "digits-cnn.onnx")
    assert raised.value.code == 1


def test_errors_carry_exit_codes(module, tmp_path):
    with pytest.raises(qopt.Error, match="x") as raised:
        module.run({"x": np.zeros((1, 1, 8, 9), np.float32)})
    assert raised.value.code == 1
    with pytest.raises(qopt.Error, match="none.so") as raised:
        qopt.load(tmp_path / "none.so")
    assert raised.value.code == 4
    with pytest.raises(qopt.Error) as raised:
        qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "m.so", preset="no-such-preset")
    assert raised.value.code == 2
    with pytest.raises(qopt.Error, match="none.onnx") as raised:
        qopt.compile(tmp_path / "none.onnx", tmp_path / "m.so")
    assert raised.value.code == 4
    assert not list(tmp_path.iterdir())


def test_a_quantized_model(tmp_path):
    report = qopt.compile(MODELS / "digits-mlp.onnx", tmp_path / "m.so",
                          preset="w8a8-dynamic")
    assert report["preset"] == "w8a8-dynamic"
    truth = tmp_path / "f.so"
    qopt.compile(MODELS / "digits-mlp.onnx", truth)
    sample = {"x": np.random.default_rng(1).random((8, 64), np.float32)}
    quantized = qopt.load(tmp_path / "m.so").run(sample)["logits"]
    exact = qopt.load(truth).run(sample)["logits"]
    assert not np.array_equal(quantized, exact)
    np.testing.assert_allclose(quantized, exact, atol=0.05 * np.abs(exact).max())


@pytest.mark.parametrize("shapes", ["x:4x1x8x?", {"x": (4, 1, 8, None)}])
def test_fixed_shapes(module, shapes, tmp_path):
    qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "m.so", shapes=shapes)
    fixed = qopt.load(tmp_path / "m.so", threads=1)
    assert fixed.inputs[0].shape == (4, 1, 8, 8)
    assert fixed.outputs[0].shape == (4, 10)
    np.testing.assert_array_equal(fixed.run({"x": images(4)})["logits"],
                                  module.run({"x": images(4)})["logits"])
    with pytest.raises(qopt.Error, match="expected size 4 in dim 0, but found 5") as raised:
        fixed.run({"x": images(5)})
    assert raised.value.code == 1


def test_no_fixed_shapes(tmp_path):
    qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "m.so", shapes={})
    assert qopt.load(tmp_path / "m.so").inputs[0].shape == ("batch", 1, 8, 8)


def test_shapes_that_do_not_fit(tmp_path):
    for shapes in ({"x": (0, 1, 8, 8)}, {"x": (4, 1, 9, 8)}, {"y": (4,)}, "x=4"):
        with pytest.raises(qopt.Error, match=r"(?<!-)\bshapes ") as raised:
            qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "m.so", shapes=shapes)
        assert raised.value.code == 2
    for shapes in ({"x": 4}, {"x": "4x1x8x8"}):
        with pytest.raises(TypeError, match="shapes expects a text or a mapping from input names "
                                            "to sequences of sizes, but found .* for 'x'"):
            qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "m.so", shapes=shapes)
    assert not list(tmp_path.iterdir())


def test_targets_are_those_of_the_command():
    tools = Path(os.environ.get("QOPT_BUILD", ROOT / "build")) / "bin"
    listed = subprocess.run([tools / "qopt-compile", "--list-targets", "--json"],
                            capture_output=True, check=True).stdout
    targets = qopt.list_targets()
    assert targets == tuple(qopt.Target(**row) for row in json.loads(listed))
    assert any(target.runs_here and target.host is None for target in targets)


@pytest.mark.parametrize("target", [row for row in qopt.list_targets() if row.host],
                         ids=lambda row: row.machine)
def test_devices_are_compiled_for(target, tmp_path):
    report = qopt.compile(MODELS / "digits-mlp.onnx", tmp_path / "m.so", target=target.target,
                          cpu=target.machine)
    assert (report["target"], report["tiers"]) == (target.target, [target.machine])


def test_the_package_is_typed():
    assert (Path(qopt.__file__).parent / "py.typed").exists()
    assert qopt.__version__ == "0.1.0"


def test_emit_takes_every_form(tmp_path):
    import onnxruntime
    path = tmp_path / "cnn.onnx"
    report = qopt.compile(MODELS / "digits-cnn.onnx", path, preset="w8a8-dynamic",
                          emit="qdq-onnx")
    assert report["preset"] == "w8a8-dynamic"
    session = onnxruntime.InferenceSession(path)
    assert session.run(None, {"x": images(2)})[0].shape == (2, 10)
    qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "cnn.mlir", emit="mlir")
    assert "qkernel.variant" in (tmp_path / "cnn.mlir").read_text()
    with pytest.raises(qopt.Error, match="^emit expects shared, object, llvm, asm, mlir or "
                                         "qdq-onnx, but found 'exe'"):
        qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "cnn", emit="exe")


def sample(seed=0):
    return {"x": np.random.default_rng(seed).random((4, 1, 8, 8), np.float32)}


def quantized(folder, **options):
    report = qopt.compile(MODELS / "digits-cnn.onnx", folder / "q.so", **options)
    return report, (folder / "q.so").read_bytes()


def test_recipes_are_files_texts_or_mappings(tmp_path):
    keys = {"version": 1, "preset": "w4a16-g32", "weights": {"group": 64},
            "overrides": [{"ops": "Gemm", "precision": "float"}]}
    text = ("version: 1\npreset: w4a16-g32\nweights: {group: 64}\n"
            "overrides: [{ops: Gemm, precision: float}]\n")
    (tmp_path / "r.yaml").write_text(text)
    report, first = quantized(tmp_path, recipe=tmp_path / "r.yaml")
    assert report["overrides"] == [{"pattern": "ops Gemm", "nodes": 1, "planned": 1}]
    assert quantized(tmp_path, recipe=text)[1] == first
    assert quantized(tmp_path, recipe=keys)[1] == first
    del keys["version"]
    assert quantized(tmp_path, recipe=keys)[1] == first


def test_samples_are_paths_or_arrays(tmp_path):
    folder = tmp_path / "samples"
    folder.mkdir()
    for seed in range(3):
        np.savez(folder / f"{seed}.npz", **sample(seed))
    _, first = quantized(tmp_path, preset="w8a8", calib=folder)
    assert quantized(tmp_path, preset="w8a8", calib=map(sample, range(3)))[1] == first
    _, single = quantized(tmp_path, preset="w8a8", calib=sample())
    assert quantized(tmp_path, preset="w8a8", calib=folder / "0.npz")[1] == single
    with pytest.raises(TypeError, match="calib expects a path, a mapping"):
        quantized(tmp_path, preset="w8a8", calib=[np.zeros(3)])


@pytest.mark.parametrize("wrong, name", [
    (lambda bad: [sample(), bad], "calib[1]"), (lambda bad: bad, "calib"),
    (lambda bad: [], "calibration data 'calib'")])
def test_samples_are_named_as_they_were_given(wrong, name, tmp_path):
    with pytest.raises(qopt.Error) as raised:
        qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "m.so", preset="w8a8",
                     calib=wrong({"x": np.zeros((4, 64), np.float32)}))
    assert str(raised.value).startswith(name + (" " if "'" in name else ": "))
    assert "qopt-" not in str(raised.value).splitlines()[0]


def test_a_report_is_that_of_the_command(tmp_path):
    report, _ = quantized(tmp_path, preset="w8a8", calib=sample(), report=tmp_path / "r")
    assert report["errors"] and report["ranges"]
    assert (tmp_path / "r" / "report.json").exists()


def test_statistics_are_kept_in_a_cache(tmp_path):
    quantized(tmp_path, preset="w8a8", calib=sample(), calib_cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir())


def test_an_accuracy_gate(tmp_path):
    report, _ = quantized(tmp_path, preset="w8a8", calib=sample(), accuracy_gate="cosine>=0.9")
    assert report["accuracy"][0]["cosine"] > 0.9
    with pytest.raises(qopt.Error, match="the accuracy gate asks for") as raised:
        qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "m.so", preset="w8a8",
                     calib=sample(), accuracy_gate="sqnr>=300")
    assert raised.value.code == 5
    assert not (tmp_path / "m.so").exists()


@pytest.mark.parametrize("options, words", [
    ({"fail_on_fallback": "never"}, "^fail_on_fallback expects any, slow or nothing"),
    ({"accuracy_gate": "good"}, "the accuracy gate expects"),
    ({"preset": "w8a8-dynamic", "recipe": {"version": 1, "preset": "mxfp4"}},
     "^preset and recipe exclude each other"),
    ({"effort": "much"}, "^effort expects fast, default or best, but found 'much'"),
    ({"effort": "best", "recipe": {"preset": "mxfp4"}},
     "^effort and recipe exclude each other"),
    ({"recipe": {"version": 1, "weigths": {}}}, "recipe: line 1: unknown key 'weigths'"),
    ({"target": "z80"}, "unknown target 'z80'"),
    ({"cpu": "z80"}, "z80"),
])
def test_values_that_an_option_does_not_take(options, words, tmp_path):
    with pytest.raises(qopt.Error, match=words) as raised:
        qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "m.so", **options)
    assert raised.value.code == 2
    assert not list(tmp_path.iterdir())


def test_fail_on_fallback_is_a_promise(tmp_path):
    with pytest.raises(qopt.Error, match="break the precision contract") as raised:
        qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "m.so", preset="w4a16-g32",
                     fail_on_fallback="any")
    assert raised.value.code == 3
    qopt.compile(MODELS / "digits-cnn.onnx", tmp_path / "m.so", preset="w4a16-g32",
                 fail_on_fallback=True)
