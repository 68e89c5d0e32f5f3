"""qopt-run with the reference evaluator: what goes in, what comes out, how it ends."""

import json

import numpy as np
import pytest
from onnx import TensorProto

from qopt_tools import MODELS, run_ok, run_tool, write_add_model

MLP = MODELS / "digits-mlp.onnx"


@pytest.fixture
def add(tmp_path):
    return write_add_model(tmp_path / "add.onnx")


@pytest.fixture
def inputs(tmp_path):
    path = tmp_path / "in.npz"
    np.savez(path, a=np.arange(6, dtype=np.float32).reshape(2, 3),
             b=np.full((2, 3), 0.5, np.float32))
    return path


def run_reference(model, *arguments):
    return run_tool("qopt-run", model, "--reference", *arguments)


def fails(result, code, *texts):
    assert result.returncode == code, result.stderr
    for text in texts:
        assert text in result.stderr
    return True


def test_outputs_are_those_of_numpy(add, inputs, tmp_path):
    assert run_ok("qopt-run", add, "--reference", "--inputs", inputs,
                  "--outputs", tmp_path / "out.npz") == ""
    with np.load(tmp_path / "out.npz") as out:
        assert out.files == ["y"]
        np.testing.assert_array_equal(
            out["y"], np.arange(6, dtype=np.float32).reshape(2, 3) + np.float32(0.5))


def test_results_are_printed_when_no_file_takes_them(add, inputs):
    printed = run_ok("qopt-run", add, "--reference", "--inputs", inputs)
    assert printed == "y: 2x3 f32: 0.5 1.5 2.5 3.5 4.5 5.5\n"
    printed = run_ok("qopt-run", add, "--reference", "--inputs", inputs, "--json")
    assert json.loads(printed) == {
        "sample": str(inputs), "outputs": [{"name": "y", "type": "f32", "dims": [2, 3]}]}


def test_describe():
    described = json.loads(run_ok("qopt-run", MLP, "--reference", "--describe", "--json"))
    assert described["inputs"] == [
        {"name": "x", "type": "f32", "dims": [None, 64], "symbols": ["batch", ""]}]
    assert described["outputs"][0]["name"] == "logits"


# What the inputs can be.

@pytest.mark.parametrize("element_type, numpy_type, name, value", [
    (TensorProto.FLOAT, np.float32, "f32", 0.25),
    (TensorProto.INT64, np.int64, "i64", -7),
    (TensorProto.INT32, np.int32, "i32", 1 << 20),
])
def test_input_filled_with_a_value(tmp_path, element_type, numpy_type, name, value):
    model = write_add_model(tmp_path / "add.onnx", element_type)
    run_ok("qopt-run", model, "--reference", f"--input=a=2x3x{name}={value}",
           f"--input=b=2x3x{name}=1", "--outputs", tmp_path / "out.npz")
    out = np.load(tmp_path / "out.npz")["y"]
    np.testing.assert_array_equal(out, np.full((2, 3), value + 1, numpy_type), strict=True)


def test_input_from_a_file_beside_inputs(add, inputs, tmp_path):
    np.save(tmp_path / "b.npy", np.full((2, 3), -1, np.float32))
    single = f"--input=b=@{tmp_path / 'b.npy'}"
    assert fails(run_reference(add, "--inputs", inputs, single), 2,
                 'both --input and --inputs give "b"', "note: give it once")
    np.savez(tmp_path / "a.npz", a=np.load(inputs)["a"])
    printed = run_ok("qopt-run", add, "--reference", "--inputs", tmp_path / "a.npz", single)
    assert printed == "y: 2x3 f32: -1 0 1 2 3 4\n"


def test_random_inputs_depend_on_the_seed_and_the_name(add):
    def run(*more):
        return run_ok("qopt-run", add, "--reference", "--input=a=1x3xf32", *more)
    zero = run("--input=b=1x3xf32=0")
    assert zero == run("--input=b=1x3xf32=0")
    assert zero != run("--input=b=1x3xf32=0", "--seed=1")
    assert "y: 1x3 f32: 0 0 0\n" != zero
    both = [float(x) for x in run("--input=b=1x3xf32").split(": ")[2].split()]
    alone = [float(x) for x in zero.split(": ")[2].split()]
    assert all(-1 <= x < 1 for x in alone)
    assert not np.allclose(both, 2 * np.array(alone))


@pytest.mark.parametrize("spec, text", [
    ("c=1x3xf32", 'the model has no such input; it has "a", "b"'),
    ("a", "expects NAME=@FILE.npy or NAME=2x3xf32[=VALUE]"),
    ("a=1x3", "expects a shape and type as in 2x3xf32"),
    ("a=1x-3xf32", "expects a size, but found '-3'"),
    ("a=1x3xf32=much", "expects a number, but found 'much'"),
    ("a=1x3xf32=1e39", "elements of type f32 cannot be 1e39"),
    ("a=1x4xf32", "expects a=?x3xf32, but found a=1x4xf32"),
    ("a=3xf32", "expects a=?x3xf32, but found a=3xf32"),
    ("a=1x3xu8=256", "expects a=?x3xf32, but found a=1x3xu8"),
])
def test_input_that_cannot_be_read(add, spec, text):
    assert fails(run_reference(add, f"--input={spec}", "--input=b=1x3xf32"), 2, text)


def test_input_given_twice(add):
    assert fails(run_reference(add, "--input=a=1x3xf32", "--input=a=1x3xf32"), 2,
                 '--input gives "a" more than once')


@pytest.mark.parametrize("element_type, value, text", [
    (TensorProto.UINT8, "u8=256", "elements of type u8 cannot be 256"),
    (TensorProto.INT8, "i8=0.5", "elements of type i8 cannot be 0.5"),
])
def test_values_that_a_type_does_not_have(element_type, value, text, tmp_path):
    model = write_add_model(tmp_path / "m.onnx", element_type)
    assert fails(run_reference(model, f"--input=a=1x3x{value}"), 2, text)


def test_input_too_large_for_any_machine(add):
    assert fails(run_reference(add, "--input=a=9223372036854775807x3xf32"), 2, "overflows")


# What is wrong with the data.

@pytest.mark.parametrize("arrays, text", [
    ({"a": np.zeros((2, 3), np.float32)}, 'input "b" is missing'),
    ({"a": np.zeros((2, 3), np.float32), "b": np.zeros((2, 3), np.float32),
      "z": np.zeros(1, np.float32)}, 'the model has no input "z"'),
    ({"a": np.zeros((2, 3), np.float64), "b": np.zeros((2, 3), np.float32)}, "f64"),
    ({"a": np.zeros((2, 4), np.float32), "b": np.zeros((2, 3), np.float32)}, "4"),
    ({"a": np.zeros(3, np.float32), "b": np.zeros((2, 3), np.float32)}, "rank"),
    ({"a": np.zeros((2, 3), np.float32), "b": np.zeros((4, 3), np.float32)}, "'n'"),
])
def test_arrays_that_do_not_fit(add, tmp_path, arrays, text):
    np.savez(tmp_path / "bad.npz", **arrays)
    assert fails(run_reference(add, "--inputs", tmp_path / "bad.npz"), 1, "bad.npz", text)


def test_a_file_that_is_no_npz(add, tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 and nothing more")
    assert fails(run_reference(add, "--inputs", tmp_path / "bad.npz"), 1, "bad.npz")


def test_pickled_arrays(add, tmp_path):
    np.savez(tmp_path / "bad.npz", a=np.array([{}], dtype=object), b=np.zeros(1))
    assert fails(run_reference(add, "--inputs", tmp_path / "bad.npz"), 1, "bad.npz")


def test_files_that_are_missing(add, inputs, tmp_path):
    assert fails(run_reference(add, "--inputs", tmp_path / "no.npz"), 4, "no.npz")
    assert fails(run_reference(tmp_path / "no.onnx", "--inputs", inputs), 4, "no.onnx")
    assert fails(run_reference(add, "--inputs", inputs, "--outputs",
                               tmp_path / "no" / "out.npz"), 4, "out.npz")


def test_a_model_that_is_damaged(inputs, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(MLP.read_bytes()[:1000])
    assert fails(run_reference(tmp_path / "bad.onnx", "--inputs", inputs), 1, "bad.onnx")


# What is wrong with the flags.

@pytest.mark.parametrize("arguments, text", [
    ([], "no model was named"),
    (["m.onnx", "--threads=-1"], "--threads expects"),
    (["m.onnx", "--iters=0"], "--iters expects"),
    (["m.onnx", "--min-time=nan"], "--min-time expects"),
    (["m.onnx", "--atol=-1"], "--atol and --rtol expect"),
    (["m.onnx", "--compare=numpy"], "--compare expects reference, an .onnx or an .mlir file"),
    (["m.so", "--reference"], "cannot run a compiled model"),
    (["m.mlir"], "a phase file is run by the reference evaluator"),
    (["m.onnx", "--batch=l.jsonl"], "--batch takes models"),
    (["m.onnx", "--nonsense"], "--nonsense"),
])
def test_flags_that_are_refused(arguments, text):
    assert fails(run_tool("qopt-run", *arguments), 2, text)


def test_no_inputs_given(add):
    assert fails(run_reference(add), 2, "the model has inputs, but none are given",
                 "note: give --inputs")


def test_inputs_are_not_overwritten(add, inputs):
    before = inputs.read_bytes()
    assert fails(run_reference(add, "--inputs", inputs, "--outputs", inputs), 2,
                 "would overwrite")
    assert inputs.read_bytes() == before


# Expectations.

def expect(add, inputs, tmp_path, arrays, *more):
    np.savez(tmp_path / "e.npz", **arrays)
    return run_reference(add, "--inputs", inputs, "--expect", tmp_path / "e.npz", *more)


def right_answer():
    return np.arange(6, dtype=np.float32).reshape(2, 3) + np.float32(0.5)


def test_expectation_met(add, inputs, tmp_path):
    assert expect(add, inputs, tmp_path, {"y": right_answer()}).returncode == 0
    near = right_answer() + np.float32(0.25)
    assert expect(add, inputs, tmp_path, {"y": near}, "--atol=0.25").returncode == 0
    assert expect(add, inputs, tmp_path, {"y": near}, "--rtol=0.5").returncode == 0


def test_expectation_not_met_names_the_worst_element(add, inputs, tmp_path):
    wrong = right_answer()
    wrong[0, 1] += 0.5
    wrong[1, 2] -= 2
    result = expect(add, inputs, tmp_path, {"y": wrong})
    assert fails(result, 5, "2 of 6 elements differ",
                 "the worst is [1, 2]: expected 3.5, but found 5.5")
    assert fails(expect(add, inputs, tmp_path, {"y": wrong}, "--atol=1"), 5,
                 "1 of 6 elements differ")


def test_not_a_number_is_no_number(add, inputs, tmp_path):
    wrong = right_answer()
    wrong[1, 0] = np.nan
    assert fails(expect(add, inputs, tmp_path, {"y": wrong}, "--atol=1e30"), 5, "[1, 0]")


def test_expectation_of_another_shape_or_type(add, inputs, tmp_path):
    assert fails(expect(add, inputs, tmp_path, {"y": right_answer()[:1]}), 5,
                 "expected 1x3 f32, but found 2x3 f32")
    assert fails(expect(add, inputs, tmp_path, {"y": right_answer().astype(np.float64)}), 5,
                 "expected 2x3 f64, but found 2x3 f32")


def test_expectation_of_other_outputs(add, inputs, tmp_path):
    assert fails(expect(add, inputs, tmp_path, {"z": right_answer()}), 1,
                 'output "y" is missing')
    assert fails(expect(add, inputs, tmp_path, {"y": right_answer(), "z": right_answer()}), 1,
                 'the model has no output "z"')


def test_integers_are_compared_exactly(tmp_path):
    model = write_add_model(tmp_path / "add.onnx", TensorProto.INT64)
    big = (1 << 62) + 1
    np.savez(tmp_path / "in.npz", a=np.full((1, 3), big, np.int64),
             b=np.zeros((1, 3), np.int64))
    np.savez(tmp_path / "e.npz", y=np.full((1, 3), big - 1, np.int64))
    assert fails(run_reference(model, "--inputs", tmp_path / "in.npz",
                               "--expect", tmp_path / "e.npz"), 5, "3 of 3")


# Folders and lists.

@pytest.fixture
def folder(tmp_path):
    samples = tmp_path / "in"
    samples.mkdir()
    for i in range(3):
        np.savez(samples / f"{i}.npz", a=np.full((1 + i, 3), i, np.float32),
                 b=np.ones((1 + i, 3), np.float32))
    return samples


def test_every_file_of_a_folder(add, folder, tmp_path):
    (folder / "notes.txt").write_text("not a sample")
    run_ok("qopt-run", add, "--reference", "--inputs", folder, "--outputs", tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["0.npz", "1.npz", "2.npz"]
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "2.npz")["y"], np.full((3, 3), 3))
    run_ok("qopt-run", add, "--reference", "--inputs", folder, "--expect", tmp_path / "out")


def test_every_sample_of_a_folder_is_told(add, folder, tmp_path):
    run = ["qopt-run", add, "--reference", "--inputs", folder]
    assert run_ok(*run).splitlines()[1].startswith(f"{folder / '1.npz'}: y: 2x3 f32: 2 2")
    run_ok(*run, "--outputs", tmp_path / "out")
    compare = [*run, "--expect", tmp_path / "out"]
    assert run_ok(*compare).splitlines() == [
        f"{folder / '0.npz'}: y: equal", f"{folder / '1.npz'}: y: equal",
        f"{folder / '2.npz'}: y: equal", "3 of 3 samples agree (atol 1e-5, rtol 1e-5)"]
    np.savez(tmp_path / "out" / "1.npz", y=np.full((2, 3), 3, np.float32))
    result = run_tool(*compare, "--atol=0.5")
    assert fails(result, 5, "1 of 3 samples do not agree (atol 0.5, rtol 1e-5)")
    assert f"{folder / '1.npz'}: y: SQNR 9.5 dB" in result.stdout
    rows = [json.loads(line) for line in run_tool(*compare, "--json").stdout.splitlines()]
    assert [(row["sample"], row["passed"]) for row in rows] == [
        (str(folder / f"{i}.npz"), i != 1) for i in range(3)]


def test_all_differences_of_a_folder_are_told(add, folder, tmp_path):
    run_ok("qopt-run", add, "--reference", "--inputs", folder, "--outputs", tmp_path / "out")
    for i in (0, 2):
        np.savez(tmp_path / "out" / f"{i}.npz", y=np.full((1 + i, 3), 9, np.float32))
    result = run_reference(add, "--inputs", folder, "--expect", tmp_path / "out")
    assert fails(result, 5, "0.npz", "2.npz")
    assert "1.npz" not in result.stderr


def test_folders_where_files_are_expected(add, folder, inputs, tmp_path):
    assert fails(run_reference(add, "--inputs", folder, "--outputs", inputs), 2,
                 "expects a folder")
    assert fails(run_reference(add, "--inputs", inputs, "--outputs", folder), 2,
                 "expects a file")
    (tmp_path / "empty").mkdir()
    assert fails(run_reference(add, "--inputs", tmp_path / "empty"), 4, "holds no .npz file")
    assert fails(run_reference(add, "--inputs", folder, "--benchmark"), 2,
                 "--benchmark expects one sample")


def test_a_list_of_cases(add, inputs, tmp_path):
    cases = [{"id": "good", "model": str(add), "inputs": str(inputs),
              "outputs": str(tmp_path / "out.npz")},
             {"id": 2, "model": str(tmp_path / "no.onnx"), "inputs": str(inputs)},
             {"id": "odd", "inputs": str(inputs)}]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, cases)) + "\n\nnot json\n")
    result = run_tool("qopt-run", "--batch", tmp_path / "list.jsonl", "--reference")
    # The first that fails decides.
    assert fails(result, 4, "list.jsonl: 3 of 4 cases failed")
    lines = result.stdout.splitlines()
    results = [json.loads(line) for line in lines]
    assert [r["id"] for r in results] == ["good", 2, "odd", None]
    assert [r["exit"] for r in results] == [0, 4, 1, 1]
    assert results[0]["message"] == ""
    assert "no.onnx" in results[1]["message"]
    assert "'model' is missing" in results[2]["message"]
    np.testing.assert_array_equal(np.load(tmp_path / "out.npz")["y"], right_answer())


def test_a_list_that_is_missing(tmp_path):
    assert fails(run_tool("qopt-run", "--batch", tmp_path / "no.jsonl"), 4, "no.jsonl")


def test_benchmark_of_the_reference(add):
    result = json.loads(run_ok("qopt-run", add, "--reference", "--input=a=1x3xf32",
                               "--input=b=1x3xf32", "--benchmark", "--json", "--iters=5"))
    assert result.keys() == {"median_ms", "min_ms", "mean_ms", "p90_ms", "p99_ms", "iters",
                             "threads", "isa"}
    assert (result["iters"], result["threads"], result["isa"]) == (5, 1, "reference")
    assert 0 < result["min_ms"] <= result["median_ms"] <= result["p90_ms"] <= result["p99_ms"]


def test_version():
    assert run_ok("qopt-run", "--version").startswith("qopt 0.1.0 (LLVM 22.1")
