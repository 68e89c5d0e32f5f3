"""qopt-run with compiled models, and with ONNX models that it compiles itself."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from qopt_tools import MODELS, run_arrays, run_ok, run_tool

CNN = MODELS / "digits-cnn.onnx"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def model(folder):
    run_ok("qopt-compile", CNN, "-o", folder / "cnn.so", "--quiet")
    return folder / "cnn.so"


@pytest.fixture(scope="module")
def inputs(folder):
    images = np.random.default_rng(7).random((5, 1, 8, 8), np.float32)
    np.savez(folder / "in.npz", x=images)
    return folder / "in.npz"


def run(model, inputs, out, *more, environment=None):
    run_ok("qopt-run", model, "--inputs", inputs, "--outputs", out, *more,
           environment=environment)
    return np.load(out)["logits"]


@pytest.mark.parametrize("phase", ["quantize", "fuse", "kernels"])
def test_phase_files_are_interpreted_to_the_same_bits(model, inputs, tmp_path, phase):
    program = tmp_path / "cnn.mlir"
    run_ok("qopt-compile", CNN, "--stop-after", phase, "-o", program, "--quiet")
    truth = run(program, inputs, tmp_path / "truth.npz", "--reference")
    found = run(model, inputs, tmp_path / "out.npz")
    assert found.shape == (5, 10)
    np.testing.assert_array_equal(found.view(np.uint32), truth.view(np.uint32))


def test_an_onnx_model_is_compiled_in_process(model, inputs, tmp_path):
    compiled = run(model, inputs, tmp_path / "a.npz")
    in_process = run(CNN, inputs, tmp_path / "b.npz")
    np.testing.assert_array_equal(compiled, in_process)
    assert not list(tmp_path.glob("*.so"))


def test_threads_do_not_change_bits(model, inputs, tmp_path):
    one = run(model, inputs, tmp_path / "1.npz", "--threads=1")
    five = run(model, inputs, tmp_path / "5.npz", "--threads=5")
    np.testing.assert_array_equal(one.view(np.uint32), five.view(np.uint32))


@pytest.fixture(scope="module")
def enlarging(folder):
    """Images of any size, enlarged in both ways that are imported."""
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 17]> '
        "g (float[n, 4, h, w] x, float[4, 3, 2, 2] k, float[3] b) => (float[n, 3, p, q] y) {"
        "  s = Constant <value_floats = [1.0, 1.0, 2.0, 2.0]> ()"
        "  u = Resize <coordinate_transformation_mode = \"asymmetric\","
        "              nearest_mode = \"floor\"> (x, , s)"
        "  y = ConvTranspose <strides = [2, 2]> (u, k, b) }")
    random = np.random.default_rng(3)
    for name, shape in {"k": (4, 3, 2, 2), "b": (3,)}.items():
        array = random.standard_normal(shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    del model.graph.input[1:]
    onnx.save(model, folder / "enlarging.onnx")
    return folder / "enlarging.onnx"


@pytest.mark.parametrize("preset", ["fp32", "w8a8-dynamic", "mxfp4"])
@pytest.mark.parametrize("size", [(2, 4, 5, 6), (1, 4, 1, 17)])
def test_images_are_enlarged(enlarging, preset, size, tmp_path):
    x = np.random.default_rng(4).standard_normal(size).astype(np.float32)
    np.savez(tmp_path / "in.npz", x=x)
    run_ok("qopt-compile", enlarging, "-o", tmp_path / "m.so", "--preset", preset, "--quiet")
    run_ok("qopt-compile", enlarging, "-o", tmp_path / "q.mlir", "--preset", preset,
           "--stop-after", "quantize", "--quiet")
    run_ok("qopt-run", tmp_path / "m.so", "--inputs", tmp_path / "in.npz", "--outputs",
           tmp_path / "out.npz")
    run_ok("qopt-run", tmp_path / "q.mlir", "--reference", "--inputs", tmp_path / "in.npz",
           "--expect", tmp_path / "out.npz", "--atol", 0, "--rtol", 0)
    expected, = onnxruntime.InferenceSession(enlarging).run(None, {"x": x})
    found = np.load(tmp_path / "out.npz")["y"]
    assert found.shape == expected.shape
    bound = {"fp32": 1e-5, "w8a8-dynamic": 0.05, "mxfp4": 0.5}[preset]
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound * np.abs(expected).max())


@pytest.mark.parametrize("preset", ["fp32", "w8a8-dynamic", "mxint8"])
@pytest.mark.parametrize("weight", [False, True], ids=["activations", "weight"])
def test_two_vectors_make_a_scalar(preset, weight, tmp_path):
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 17]>'
        " g (float[k] a, float[k] b) => (float y) { y = MatMul (a, b) }")
    arrays = {name: np.random.default_rng(i).standard_normal(37).astype(np.float32)
              for i, name in enumerate("ab")}
    if weight:
        model.graph.initializer.append(onnx.numpy_helper.from_array(arrays.pop("b"), "b"))
        del model.graph.input[1]
    onnx.save(model, tmp_path / "m.onnx")
    flags = "--preset", preset, "--quiet"
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so", *flags)
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "q.mlir", *flags,
           "--stop-after", "quantize")
    truth = run_arrays(tmp_path / "q.mlir", arrays, tmp_path, "--reference")["y"]
    found = run_arrays(tmp_path / "m.so", arrays, tmp_path)["y"]
    assert found.shape == () and found.tobytes() == truth.tobytes()
    expected, = onnxruntime.InferenceSession(tmp_path / "m.onnx").run(None, arrays)
    np.testing.assert_allclose(found, expected, atol=1e-5 if preset == "fp32" else 0.3)


def test_compare_with_the_reference(inputs):
    # Folding the normalizations into weights moves the last bits.
    run_ok("qopt-run", CNN, "--inputs", inputs, "--compare=reference")
    result = run_tool("qopt-run", CNN, "--inputs", inputs, "--compare=reference", "--atol=0",
                      "--rtol=0")
    assert result.returncode == 5
    assert "the worst is [" in result.stderr
    result = run_tool("qopt-run", "cnn.so", "--inputs", inputs, "--compare=reference")
    assert result.returncode == 2
    assert "--compare=reference takes an .onnx model" in result.stderr
    assert "note: name the file that this one was made from" in result.stderr


def test_compare_an_artefact_with_what_it_was_made_from(folder, inputs):
    run_ok("qopt-compile", CNN, "-o", folder / "mx.so", "--preset", "mxfp4", "--quiet")
    run_ok("qopt-compile", CNN, "-o", folder / "mx.mlir", "--preset", "mxfp4", "--stop-after",
           "quantize", "--quiet")
    # The numbers are fixed when quantize ends.
    printed = run_ok("qopt-run", folder / "mx.so", "--inputs", inputs, "--atol=0", "--rtol=0",
                     f"--compare={folder / 'mx.mlir'}")
    assert "logits: equal\n" in printed
    # The model itself has other numbers: how far they are is told in any case.
    result = run_tool("qopt-run", folder / "mx.so", "--inputs", inputs, f"--compare={CNN}",
                      "--json")
    assert result.returncode == 5
    assert 'output "logits": ' in result.stderr
    told, = map(json.loads, result.stdout.splitlines())
    assert (told["sample"], told["passed"]) == (str(inputs), False)
    assert [output["name"] for output in told["outputs"]] == ["logits"]
    row, = told["compare"]
    assert 3 < row["sqnr_db"] < 40 and 0.5 < row["cosine"] < 1 and row["max_error"] > 0
    run_ok("qopt-run", folder / "mx.so", "--inputs", inputs, f"--compare={CNN}", "--atol=1e3")
    # By Reference alone, without an artefact.
    run_ok("qopt-run", folder / "mx.mlir", "--reference", "--inputs", inputs,
           f"--compare={CNN}", "--atol=1e3")


def test_closeness_may_be_asked_for_as_sqnr(folder, model, inputs, tmp_path):
    run_ok("qopt-compile", CNN, "-o", folder / "8.so", "--preset", "w8a8-dynamic", "--quiet")
    compare = [folder / "8.so", "--inputs", inputs, f"--compare={CNN}"]
    assert run_tool("qopt-run", *compare).returncode == 5
    text = run_ok("qopt-run", *compare, "--min-sqnr", 20)
    assert text.splitlines()[-1] == "1 of 1 samples agree (SQNR at least 20 dB)"
    result = run_tool("qopt-run", *compare, "--min-sqnr", 90)
    assert result.returncode == 5
    assert 'output "logits": expected an SQNR of at least 90 dB, but found ' in result.stderr
    run(model, inputs, tmp_path / "e.npz")
    expect = [folder / "8.so", "--inputs", inputs, "--expect", tmp_path / "e.npz"]
    run_ok("qopt-run", *expect, "--min-sqnr", 20)
    # What is equal is as near as can be; what is no number is near nothing.
    run_ok("qopt-run", model, *expect[1:], "--min-sqnr", "inf")
    np.savez(tmp_path / "e.npz", logits=np.full((5, 10), np.nan, np.float32))
    result = run_tool("qopt-run", *expect, "--min-sqnr", -1000)
    assert result.returncode == 5
    for more, text in ((["--min-sqnr", "nan"], "--min-sqnr expects a number of decibels"),
                       (["--min-sqnr", "good"], "--min-sqnr expects a number, but found 'good'"),
                       (["--min-sqnr=20", "--atol=1"], "--min-sqnr excludes --atol and --rtol"),
                       (["--min-sqnr=20", "--rtol=1"], "--min-sqnr excludes --atol and --rtol")):
        result = run_tool("qopt-run", *compare, *more)
        assert result.returncode == 2
        assert text in result.stderr


def test_compare_with_another_model(model, inputs):
    other = MODELS / "digits-mlp.onnx"
    result = run_tool("qopt-run", model, "--inputs", inputs, f"--compare={other}", "--atol=1e9")
    assert result.returncode != 0
    assert "cnn.so" in result.stderr or "digits-mlp.onnx" in result.stderr
    result = run_tool("qopt-run", model, "--inputs", inputs, f"--compare={model}")
    assert result.returncode == 2
    assert "--compare expects reference, an .onnx or an .mlir file" in result.stderr


def test_verify(model, tmp_path):
    text = run_ok("qopt-run", model, "--verify")
    assert "code and weights are those that were compiled" in text
    assert json.loads(run_ok("qopt-run", model, "--verify", "--json"))["verified"] is True
    content = model.read_bytes()
    # Header, code, weights, padding and the digest itself: none is run or loaded.
    for at in [*range(4, len(content), len(content) // 40), len(content) - 1]:
        changed = bytearray(content)
        changed[at] ^= 0x55
        (tmp_path / "changed.so").write_bytes(changed)
        result = run_tool("qopt-run", tmp_path / "changed.so", "--verify")
        assert result.returncode == 1, (at, result.stderr)
        assert "changed.so: was changed after it was compiled: its digest is " in result.stderr
    (tmp_path / "cut.so").write_bytes(content[:-1])
    result = run_tool("qopt-run", tmp_path / "cut.so", "--verify")
    assert result.returncode == 1
    assert "cut.so: has no digest at its end; was it cut" in result.stderr


def test_verify_wants_a_compiled_model():
    result = run_tool("qopt-run", CNN, "--verify")
    assert result.returncode == 2
    assert "--verify checks compiled models" in result.stderr


def test_a_description_fits_on_a_screen(model):
    text = run_ok("qopt-run", model, "--describe")
    assert len(text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 100
    assert "model: digits-cnn.onnx, compiled by qopt " in text
    assert "preset fp32" in text
    assert "nodes: 16: " in text


def test_results_of_a_folder_are_no_file(model, inputs, tmp_path):
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "0.npz").write_bytes(inputs.read_bytes())
    result = run_tool("qopt-run", model, "--inputs", tmp_path / "many", "--outputs", "out.npz",
                      cwd=tmp_path)
    assert result.returncode == 2
    assert "--outputs 'out.npz' expects a folder, as --inputs is one" in result.stderr
    assert not (tmp_path / "out.npz").exists()


def test_describe(model):
    described = json.loads(run_ok("qopt-run", model, "--describe", "--json"))
    assert described["inputs"] == [{"name": "x", "type": "f32", "dims": [None, 1, 8, 8],
                                    "symbols": ["batch", "", "", ""]}]
    assert [o["name"] for o in described["outputs"]] == ["logits"]
    assert [t["name"] for t in described["tiers"] if t["chosen"]]
    assert "recipe" in described["manifest"]
    text = run_ok("qopt-run", model, "--describe")
    assert "x: batchx1x8x8xf32" in text
    assert "(runs here)" in text


def test_benchmark(model, inputs):
    result = json.loads(run_ok("qopt-run", model, "--inputs", inputs, "--benchmark", "--json",
                               "--iters=20", "--warmup=2", "--threads=2"))
    assert result.keys() == {"median_ms", "min_ms", "mean_ms", "p90_ms", "p99_ms", "iters",
                             "threads", "isa"}
    assert (result["iters"], result["threads"]) == (20, 2)
    described = json.loads(run_ok("qopt-run", model, "--describe", "--json"))
    assert result["isa"] in [tier["name"] for tier in described["tiers"] if tier["chosen"]]
    assert 0 < result["min_ms"] <= result["median_ms"] <= result["p90_ms"] <= result["p99_ms"]
    text = run_ok("qopt-run", model, "--input=x=1x1x8x8xf32", "--benchmark", "--min-time=0.01")
    assert text.startswith("median ")


def test_the_tier_that_the_environment_names(model, inputs, tmp_path):
    result = run_tool("qopt-run", model, "--inputs", inputs, environment={"QOPT_CPU": "pdp-11"})
    assert result.returncode == 2
    assert "cnn.so: QOPT_CPU=pdp-11 names no tier of this model; it has " in result.stderr
    assert "note: unset QOPT_CPU, or compile the model again and name the tier in --cpu" \
        in result.stderr
    for tool in ("qopt-run", "qopt-compile"):
        assert "QOPT_CPU" in run_ok(tool, "--help")


@pytest.mark.parametrize("atol, code", [("1e-4", 0), ("0", 5)])
def test_a_benchmark_tells_the_comparison_too(model, inputs, atol, code):
    benchmark = [model, "--inputs", inputs, "--benchmark", "--iters=3", f"--compare={CNN}",
                 "--atol", atol, "--rtol=0"]
    result = run_tool("qopt-run", *benchmark)
    assert result.returncode == code, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("logits: SQNR ") and lines[-1].startswith("median ")
    if code == 0:
        assert lines[1] == "1 of 1 samples agree (atol 0.0001, rtol 0)"
    else:
        assert "1 of 1 samples do not agree (atol 0, rtol 0)" in result.stderr
    told = json.loads(run_tool("qopt-run", *benchmark, "--json").stdout)
    assert told["passed"] == (code == 0)
    assert told["compare"][0]["output"] == "logits"
    assert told["iters"] == 3


@pytest.mark.parametrize("array, text", [
    (np.zeros((5, 1, 8, 9), np.float32), "8"),
    (np.zeros((5, 64), np.float32), "rank"),
    (np.zeros((5, 1, 8, 8), np.float64), "f64"),
])
def test_arrays_that_do_not_fit(model, tmp_path, array, text):
    np.savez(tmp_path / "bad.npz", x=array)
    result = run_tool("qopt-run", model, "--inputs", tmp_path / "bad.npz")
    assert result.returncode == 1, result.stderr
    assert "bad.npz" in result.stderr
    assert text in result.stderr


def test_inputs_that_are_not_given_are_named(model, folder, tmp_path):
    result = run_tool("qopt-run", model)
    assert result.returncode == 2
    assert ("note: give --inputs IN.npz, or random values: --input x=?x1x8x8xf32, "
            "with a size for each ?") in result.stderr
    np.savez(tmp_path / "named.npz", images=np.zeros((1, 1, 8, 8), np.float32))
    result = run_tool("qopt-run", model, "--inputs", tmp_path / "named.npz")
    assert result.returncode == 1
    assert 'named.npz: input "x" is missing; found "images"' in result.stderr


def test_values_that_no_shape_mends_get_no_note_on_shapes(tmp_path):
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 17]> g (int64[n] i) => (float[n] y) '
        "<float[3] t = {1, 2, 3}> { y = Gather (t, i) }")
    onnx.save(model, tmp_path / "m.onnx")
    result = run_tool("qopt-run", tmp_path / "m.onnx", "--input", "i=1xi64=9")
    assert result.returncode == 1
    assert "an index is out of range of axis 0, which is from -3 to 2" in result.stderr
    assert "--describe" not in result.stderr


def test_files_that_are_no_models(model, inputs, tmp_path):
    (tmp_path / "cut.so").write_bytes(model.read_bytes()[:-4096])
    (tmp_path / "text.so").write_text("no model")
    # Cut behind its headers: the loader maps what is not there.
    cuts = []
    sizes = (1, 63, 64, 200, 4096, 20000, model.stat().st_size // 2)
    for size in sizes:
        (tmp_path / f"cut{size}.so").write_bytes(model.read_bytes()[:size])
        cuts.append((f"cut{size}.so", 1))
    for name, code in (("cut.so", 1), ("text.so", 1), ("none.so", 4), *cuts):
        result = run_tool("qopt-run", tmp_path / name, "--inputs", inputs)
        assert result.returncode == code, result.stderr
        assert name in result.stderr
        # The loader misses a header itself, and the program its weights.
        if name in [f"cut{size}.so" for size in sizes if 64 <= size <= 20000]:
            assert f"{name}: cannot load: the file was cut" in result.stderr


def test_a_model_for_this_machine_has_the_tier_that_the_environment_names(tmp_path):
    environment = {"QOPT_CPU": "x86-64-v3"}
    np.savez(tmp_path / "x.npz", x=np.ones((1, 1, 8, 8), np.float32))
    # Calibration runs compiled code as well.
    run_ok("qopt-compile", CNN, "-o", tmp_path / "m.so", "--preset", "w8a8",
           "--calib", tmp_path / "x.npz", "--quiet", environment=environment)
    described = run_ok("qopt-run", tmp_path / "m.so", "--describe", "--json",
                       environment=environment)
    assert [tier["name"] for tier in json.loads(described)["tiers"]] == ["x86-64-v3"]
    assert "x86-64 x86-64-v4: compiles, does not run here" in run_ok(
        "qopt-compile", "--list-targets", environment=environment)
