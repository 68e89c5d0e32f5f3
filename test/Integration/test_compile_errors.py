"""How qopt-compile refuses bad use and bad input: exit code, text, and no file left.

A case is a command, the exit code, and parts of the message. The folder of a
case holds nothing more afterwards than it did before.
"""

import os

import numpy as np
import pytest

from qopt_tools import MODELS, run_ok, run_tool, write_add_model

CNN = MODELS / "digits-cnn.onnx"
MLP = MODELS / "digits-mlp.onnx"


def refuse(code, *texts, folder, arguments):
    """Runs qopt-compile in `folder` and checks how it fails."""
    before = sorted(folder.rglob("*"))
    result = run_tool("qopt-compile", *arguments, cwd=folder)
    assert result.returncode == code, result.stderr
    assert result.stderr.startswith("qopt-compile: error: ")
    assert result.stdout == ""
    for text in texts:
        assert text in result.stderr
    assert sorted(folder.rglob("*")) == before


# Model files ----------------------------------------------------------------

MODEL_FILES = {
    "empty": (b"", 1, "the file is empty"),
    "garbage": (b"\xff" * 1000, 1, "m.onnx: "),
    "text": (b"not a model\n" * 20, 1, "m.onnx: "),
    "truncated": (CNN.read_bytes()[:20000], 1, "m.onnx: "),
    "cut to a header": (CNN.read_bytes()[:40], 1, "m.onnx: "),
    "mlir": (b"module { func.func @main() { return } }", 1, "m.onnx: "),
}


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_malformed_model(name, tmp_path):
    content, code, text = MODEL_FILES[name]
    (tmp_path / "m.onnx").write_bytes(content)
    refuse(code, text, folder=tmp_path, arguments=["m.onnx", "-o", "m.so"])


def test_a_missing_model(tmp_path):
    refuse(4, "none.onnx", "No such file", folder=tmp_path,
           arguments=["none.onnx", "-o", "m.so"])


def test_a_folder_as_model(tmp_path):
    (tmp_path / "models").mkdir()
    refuse(4, "models", "is a directory", folder=tmp_path, arguments=["models", "-o", "m.so"])


def test_a_file_where_the_calibration_cache_should_be(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros((1, 1, 8, 8), np.float32))
    (tmp_path / "cache").write_text("")
    refuse(4, "cache", folder=tmp_path,
           arguments=[CNN, "-o", "m.so", "--preset", "w8a8", "--calib", "x.npz",
                      "--calib-cache", "cache"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_model(tmp_path):
    (tmp_path / "m.onnx").touch(mode=0o000)
    refuse(4, "m.onnx", folder=tmp_path, arguments=["m.onnx", "-o", "m.so"])


# Flags ----------------------------------------------------------------------

FLAGS = {
    "no model": (["-o", "m.so"], "no model was named"),
    "no output": ([CNN], "no output was named; give -o FILE"),
    "two models": ([CNN, MLP, "-o", "m.so"], "expects one model, but found '"),
    "unknown flag": ([CNN, "-o", "m.so", "--presett", "w8a8"],
                     "unknown flag '--presett'; did you mean '--preset'?"),
    "flag of another tool": ([CNN, "-o", "m.so", "--input-shape", "x:1x1x8x8"],
                             "unknown flag '--input-shape'; did you mean '--shapes'?"),
    "int8": ([CNN, "-o", "m.so", "--preset", "int8"],
             "unknown preset 'int8'; did you mean 'w8a8'?\nnote: qopt-compile --list-presets"),
    "a code and a phase": ([CNN, "-o", "m.so", "--emit", "object", "--stop-after", "fuse"],
                           "--emit and --stop-after=fuse exclude each other"),
    "a gate that is not reached": ([CNN, "-o", "m.so", "--accuracy-gate", "cosine>=0.9",
                                    "--calib", "s.npz", "--stop-after", "transform"],
                                   "--accuracy-gate and --stop-after=transform exclude"),
    "a contract that is not reached": ([CNN, "-o", "m.so", "--fail-on-fallback",
                                        "--stop-after", "fuse"],
                                       "--fail-on-fallback and --stop-after=fuse exclude"),
    "kernels of an export": ([CNN, "-o", "m.onnx", "--fail-on-fallback=slow", "--emit",
                              "qdq-onnx"], "--fail-on-fallback=slow is about kernels"),
    "quiet and verbose": ([CNN, "-o", "m.so", "--quiet", "--verbose"],
                          "--quiet and --verbose exclude each other"),
    "unknown preset": ([CNN, "-o", "m.so", "--preset", "mxfp5"],
                       "unknown preset 'mxfp5'; did you mean 'mxfp4'?"),
    "empty preset": ([CNN, "-o", "m.so", "--preset="], "unknown preset ''"),
    "preset and recipe": ([CNN, "-o", "m.so", "--preset", "w8a8", "--recipe", "r.yaml"],
                          "--preset and --recipe exclude each other"),
    "effort and recipe": ([CNN, "-o", "m.so", "--effort", "best", "--recipe", "r.yaml"],
                          "--effort and --recipe exclude each other\nnote: name the effort"),
    "unknown effort": ([CNN, "-o", "m.so", "--preset", "w4a16-g32", "--effort", "high"],
                       "effort expects fast, default or best, but found 'high'"),
    "methods without samples": ([CNN, "-o", "m.so", "--preset", "w4a16-g32", "--effort", "best"],
                                "needs samples\nnote: give --calib DIR, or take --effort default"),
    "unknown target": ([CNN, "-o", "m.so", "--target", "z80"],
                       "unknown target 'z80'; the targets are "),
    "unknown cpu": ([CNN, "-o", "m.so", "--cpu", "pentium"], 'no machine "pentium"; known are '),
    "one unknown cpu of two": ([CNN, "-o", "m.so", "--cpu", "x86-64-v3,pentium"],
                               'no machine "pentium"'),
    "unknown emit": ([CNN, "-o", "m.so", "--emit", "exe"],
                     "--emit expects shared, object, llvm, asm, mlir or qdq-onnx, but found "
                     "'exe'"),
    "object of two tiers": ([CNN, "-o", "m.o", "--emit", "object", "--cpu",
                             "x86-64-v3,x86-64-v4"], "an object file holds one tier"),
    "LLVM IR of two tiers": ([CNN, "-o", "m.ll", "--emit", "llvm", "--cpu",
                              "x86-64-v3,x86-64-v4"], "a file of LLVM IR holds one tier"),
    "assembly of two tiers": ([CNN, "-o", "m.s", "--emit", "asm", "--cpu",
                               "x86-64-v3,x86-64-v4"], "a file of assembly holds one tier"),
    "unknown phase to stop": ([CNN, "-o", "m.mlir", "--stop-after", "lower"],
                              "--stop-after expects import, prepare"),
    "unknown phase to start": ([CNN, "-o", "m.mlir", "--start-from", "lower"],
                               "--start-from expects import, prepare"),
    "phase without a file": ([CNN, "-o", "m.mlir", "--stop-after", "emit"],
                             "--stop-after expects import, prepare"),
    "phase that nothing starts from": ([CNN, "-o", "m.so", "--start-from", "emit"],
                                       "--start-from expects import, prepare"),
    "unknown level": ([CNN, "-o", "m.so", "--fail-on-fallback=never"],
                      "--fail-on-fallback expects any, slow or nothing, but found 'never'"),
    "no calibration": ([CNN, "-o", "m.so", "--preset", "w8a8"],
                       "preset 'w8a8' has static activations and needs samples\n"
                       "note: give --calib DIR"),
}


@pytest.mark.parametrize("name", FLAGS)
def test_bad_flags(name, tmp_path):
    arguments, text = FLAGS[name]
    refuse(2, text, folder=tmp_path, arguments=arguments)


def test_a_flag_without_its_value(tmp_path):
    refuse(2, "-o expects a value: -o FILE", "note: qopt-compile --help", folder=tmp_path,
           arguments=[CNN, "-o"])


def test_several_problems_of_the_command_line_are_one_message(tmp_path):
    refuse(2, "--first", "--second", folder=tmp_path,
           arguments=[CNN, "-o", "m.so", "--first", "--second"])


# Recipes --------------------------------------------------------------------

RECIPES = {
    "unknown key": ("version: 1\nwieghts: {}\n", 2, "r.yaml: line 2: unknown key 'wieghts'"),
    "no version": ("preset: w8a8\n", 2, "missing required key 'version'"),
    "newer version": ("version: 2\n", 2, "expects version 1, but found 2"),
    "no YAML": ("version: [1\n", 2, "r.yaml: "),
    "empty": ("", 2, "r.yaml: "),
    "unknown preset": ("version: 1\npreset: w8a9\n", 2,
                       "r.yaml: unknown preset 'w8a9'; did you mean 'w8a8'?"),
    "unknown format": ("version: 1\nweights: {format: i9}\n", 2,
                       "weights.format expects i2, "),
    "bad expression": ("version: 1\npreset: mxfp4\n"
                       "overrides: [{nodes: '[', precision: float}]\n", 2,
                       "overrides.nodes '[' is no regular expression"),
    "override of a part": ("version: 1\npreset: mxfp4\n"
                           "overrides: [{nodes: conv, precision: float}]\n", 2,
                           "note: a pattern matches whole names; write .*"),
    "override of nothing": ("version: 1\npreset: mxfp4\n"
                            "overrides: [{nodes: '/conv_7$', precision: float}]\n", 2,
                            "override '/conv_7$' matches no node; did you mean '/conv_"),
    "override of another operator": ("version: 1\npreset: mxfp4\noverrides: "
                                     "[{nodes: /conv_3, ops: Gemm, precision: float}]\n", 2,
                                     "override '/conv_3' matches no node of operator 'Gemm': "
                                     'node "/conv_3" is of Conv'),
    "override like nothing": ("version: 1\npreset: mxfp4\n"
                              "overrides: [{nodes: backbone, precision: float}]\n", 2,
                              "override 'backbone' matches no node\nnote: --report DIR"),
    "static without samples": ("version: 1\npreset: w8a8-dynamic\n"
                               "overrides: [{nodes: /conv_3, precision: static}]\n", 2,
                               "override '/conv_3' asks for static activations and needs "
                               "samples\nnote: give --calib DIR, or write precision: dynamic"),
    "gptq without samples": ("version: 1\npreset: w4a16-g32\nrounding: {method: gptq}\n", 2,
                             "rounding.method of preset 'w4a16-g32' rounds weights by "
                             "activations and needs samples"),
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_bad_recipe(name, tmp_path):
    text, code, message = RECIPES[name]
    (tmp_path / "r.yaml").write_text(text)
    refuse(code, message, folder=tmp_path,
           arguments=[CNN, "-o", "m.so", "--recipe", "r.yaml"])


def test_a_missing_recipe(tmp_path):
    refuse(4, "r.yaml", folder=tmp_path, arguments=[CNN, "-o", "m.so", "--recipe", "r.yaml"])


# Calibration data -----------------------------------------------------------

def images(value=0.5, count=2, dtype=np.float32):
    return np.full((count, 1, 8, 8), value, dtype)


def with_nan():
    values = images()
    values[1, 0, 3, 3] = np.nan
    return values


SAMPLES = {
    "wrong name": ({"y": images()}, 1, "expects an array 'x', but found y"),
    "no array": ({}, 1, "expects an array 'x', but found none"),
    "NaN": ({"x": with_nan()}, 1, "array 'x' holds NaN or infinity at element 91"),
    "infinity": ({"x": images(np.inf)}, 1, "array 'x' holds NaN or infinity at element 0"),
    "wrong rank": ({"x": images()[0]}, 1, "array 'x' expects rank 4, but found 1x8x8"),
    "wrong size": ({"x": np.zeros((2, 1, 8, 9), np.float32)}, 1,
                   "array 'x' expects size 8 on axis 3, but found 2x1x8x9"),
    "wrong type": ({"x": images(dtype=np.float64)}, 1, "array 'x' expects elements of type f32"),
}


def calibrate(folder):
    return [CNN, "-o", "m.so", "--preset", "w8a8", "--calib", folder,
            "--calibrate-with-reference"]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_bad_sample(name, tmp_path):
    arrays, code, text = SAMPLES[name]
    (tmp_path / "calib").mkdir()
    np.savez(tmp_path / "calib" / "0.npz", x=images())
    np.savez(tmp_path / "calib" / "1.npz", **arrays)
    refuse(code, "1.npz", text, folder=tmp_path, arguments=calibrate("calib"))


def test_missing_samples(tmp_path):
    refuse(4, "calibration data 'calib' does not exist", folder=tmp_path,
           arguments=calibrate("calib"))


def test_an_empty_folder_of_samples(tmp_path):
    (tmp_path / "calib").mkdir()
    (tmp_path / "calib" / "readme.txt").write_text("nothing")
    refuse(4, "calibration data 'calib' holds no .npz file", folder=tmp_path,
           arguments=calibrate("calib"))


def test_a_sample_that_is_no_npz(tmp_path):
    (tmp_path / "s.npz").write_bytes(b"PK\x03\x04 and then nothing")
    refuse(1, "s.npz", folder=tmp_path, arguments=calibrate("s.npz"))


def test_a_sample_of_no_images(tmp_path):
    np.savez(tmp_path / "s.npz", x=images(count=0))
    result = run_tool("qopt-compile", *calibrate("s.npz"), "--stop-after", "quantize",
                      cwd=tmp_path)
    # Nothing is known of any activation, so policy makes them dynamic.
    assert result.returncode == 0, result.stderr
    assert "ran on no calibration sample" in (tmp_path / "m.so").read_text()


# Output ---------------------------------------------------------------------

def test_the_output_is_the_model(tmp_path):
    model = write_add_model(tmp_path / "m.onnx")
    content = model.read_bytes()
    refuse(2, "the output 'm.onnx' is an input; name another file", folder=tmp_path,
           arguments=["m.onnx", "-o", "m.onnx"])
    assert model.read_bytes() == content


def test_the_output_is_the_model_by_another_name(tmp_path):
    write_add_model(tmp_path / "m.onnx")
    (tmp_path / "link").symlink_to("m.onnx")
    refuse(2, "is an input", folder=tmp_path, arguments=["m.onnx", "-o", "link"])


def test_the_output_is_the_sample(tmp_path):
    np.savez(tmp_path / "s.npz", x=images())
    refuse(2, "the output 's.npz' is an input", folder=tmp_path,
           arguments=[CNN, "-o", "s.npz", "--preset", "w8a8", "--calib", "s.npz"])


@pytest.mark.parametrize("more", [[], ["--emit", "object"], ["--emit", "llvm"],
                                  ["--emit", "asm"], ["--emit", "qdq-onnx"],
                                  ["--stop-after", "prepare"]])
def test_a_folder_that_is_not_there(more, tmp_path):
    refuse(4, "none/m.so: cannot write", folder=tmp_path,
           arguments=[MLP, "-o", "none/m.so", *more])


def test_a_folder_as_output(tmp_path):
    (tmp_path / "out").mkdir()
    refuse(4, "is a directory", folder=tmp_path, arguments=[MLP, "-o", "out"])


def test_a_file_as_report_folder(tmp_path):
    (tmp_path / "report").write_text("mine")
    refuse(4, "report folder 'report'", folder=tmp_path,
           arguments=[MLP, "-o", "m.so", "--report", "report"])
    assert (tmp_path / "report").read_text() == "mine"


@pytest.mark.parametrize("more", [["--emit", "llvm"], ["--emit", "asm"],
                                  ["--emit", "qdq-onnx"], ["--stop-after", "prepare"]])
def test_a_full_disk_leaves_what_was_there(more):
    result = run_tool("qopt-compile", MLP, "-o", "/dev/full", *more)
    assert result.returncode == 4
    assert "No space left on device" in result.stderr


def test_a_failure_leaves_the_old_artefact(tmp_path):
    (tmp_path / "m.so").write_text("mine")
    refuse(3, "break the precision contract", folder=tmp_path,
           arguments=[CNN, "-o", "m.so", "--preset", "w4a16-g32", "--fail-on-fallback=any"])
    assert (tmp_path / "m.so").read_text() == "mine"


# Phase files ----------------------------------------------------------------

@pytest.fixture(scope="module")
def quantized(tmp_path_factory):
    path = tmp_path_factory.mktemp("phases") / "q.mlir"
    run_ok("qopt-compile", CNN, "-o", path, "--preset", "mxfp4", "--stop-after", "quantize",
           "--quiet")
    return path


def test_a_file_of_another_phase(quantized, tmp_path):
    refuse(2, "is a file of phase quantize, not of prepare",
           "note: give --start-from=quantize", folder=tmp_path,
           arguments=[quantized, "-o", "m.so", "--start-from", "prepare"])


def test_export_of_ops_on_codes(quantized, tmp_path):
    refuse(2, "--emit=qdq-onnx takes the program before its ops work on codes",
           "note: start from the model, or from a file of a phase before quantize",
           folder=tmp_path, arguments=[quantized, "-o", "m.onnx", "--start-from", "quantize",
                                       "--emit", "qdq-onnx"])


def test_an_op_without_an_onnx_form(tmp_path):
    (tmp_path / "m.mlir").write_text("""
func.func @main(%x: tensor<4xi8>) -> tensor<4xi8> {
  %t = qopt.constant(dense<1> : tensor<256xi8>) : tensor<256xi8>
  %y = qopt.lookup %x, %t : (tensor<4xi8>, tensor<256xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}
""")
    refuse(3, "has no ONNX form", folder=tmp_path,
           arguments=["m.mlir", "-o", "m.onnx", "--start-from", "transform", "--emit", "qdq-onnx"])


@pytest.mark.parametrize("kernel, text", [
    ("x86-64.rows", "has the kernel \"x86-64.rows\", which does not run it"),
    ("x86-64.abacus", "has the kernel \"x86-64.abacus\", which is not known here")])
def test_a_kernel_of_another_op(kernel, text, tmp_path):
    (tmp_path / "p.mlir").write_text("""
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = qopt.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
""")
    run_ok("qopt-compile", tmp_path / "p.mlir", "-o", tmp_path / "k.mlir", "--start-from", "import",
           "--stop-after", "kernels", "--quiet")
    program = (tmp_path / "k.mlir").read_text()
    assert "x86-64.map" in program
    (tmp_path / "k.mlir").write_text(program.replace("x86-64.map", kernel))
    refuse(1, f"'qkernel.map' op {text}", "note: make the file again with this version",
           folder=tmp_path, arguments=["k.mlir", "-o", "m.so", "--start-from", "kernels"])


def test_help_names_the_forms():
    assert "shared, object, llvm, asm, mlir or qdq-onnx" in run_ok("qopt-compile", "--help")


def test_an_onnx_file_as_phase_file(tmp_path):
    refuse(2, "digits-cnn.onnx: is the name of an ONNX model, but --start-from takes a program",
           "note: leave --start-from out", folder=tmp_path,
           arguments=[CNN, "-o", "m.so", "--start-from", "quantize"])


def test_a_phase_file_as_model(quantized, tmp_path):
    refuse(2, "q.mlir: is a program of phase quantize, not an ONNX model",
           "note: give --start-from=quantize", folder=tmp_path, arguments=[quantized, "-o", "m.so"])


@pytest.mark.parametrize("asked", [["--preset", "w8a8-dynamic"], ["--recipe", "r.yaml"]])
def test_a_program_that_was_made_from_another_recipe(asked, quantized, tmp_path):
    """It would be called by what it is not."""
    (tmp_path / "r.yaml").write_text("version: 1\npreset: mxfp4\n"
                                     "overrides: [{nodes: /conv_3, precision: float}]\n")
    refuse(2, "q.mlir: was made from preset 'mxfp4', but preset '",
           "note: leave --preset and --recipe out, or start from the model", folder=tmp_path,
           arguments=[quantized, "-o", "m.so", "--start-from", "quantize", *asked])


def test_a_program_with_the_recipe_that_it_was_made_from(quantized, tmp_path):
    run_ok("qopt-compile", quantized, "-o", tmp_path / "m.so", "--start-from", "quantize",
           "--preset", "mxfp4")


@pytest.mark.parametrize("name, flags, what", [
    ("m.onnx", [], "an ONNX model, but a shared library is asked for"),
    ("m.onnx", ["--emit", "object"], "an ONNX model, but an object file is asked for"),
    ("m.mlir", [], "a program of a phase, but a shared library is asked for"),
    ("m.mlir", ["--emit", "qdq-onnx"], "a program of a phase, but an ONNX model is asked for"),
])
def test_a_name_that_promises_another_form(name, flags, what, tmp_path):
    refuse(2, f"{name}: is the name of {what}", "note: give --", folder=tmp_path,
           arguments=[CNN, "-o", name, *flags])


def test_a_machine_for_a_model_that_is_exported(tmp_path):
    refuse(2, "--emit=qdq-onnx writes a model for any machine, so --cpu means nothing",
           folder=tmp_path, arguments=[CNN, "-o", "m.onnx", "--emit", "qdq-onnx", "--cpu",
                                       "x86-64-v3"])


def test_nothing_left_to_do(quantized, tmp_path):
    refuse(2, "nothing is left to do from quantize to prepare", folder=tmp_path,
           arguments=[quantized, "-o", "m.mlir", "--start-from", "quantize",
                      "--stop-after", "prepare"])


@pytest.mark.parametrize("phase", ["kernels", "target"])
@pytest.mark.parametrize("form", ["object", "llvm", "asm"])
def test_kernels_of_another_tier(form, phase, tmp_path):
    run_ok("qopt-compile", MLP, "-o", tmp_path / "k.mlir", "--stop-after", phase,
           "--cpu", "x86-64-v4,amx", "--quiet")
    refuse(2, "k.mlir: has no kernels for x86-64-v3, only for x86-64-v4, amx",
           folder=tmp_path, arguments=["k.mlir", "-o", "m", "--start-from", phase,
                                       "--emit", form, "--cpu", "x86-64-v3"])


def test_weights_that_changed(quantized, tmp_path):
    program = tmp_path / "q.mlir"
    weights = tmp_path / "q.mlir.weights"
    beside = quantized.with_name("q.mlir.weights")
    program.write_text(quantized.read_text().replace(str(beside), str(weights)))
    content = bytearray(beside.read_bytes())
    content[100] ^= 1
    weights.write_bytes(content)
    refuse(1, "weight in '", "has changed", folder=tmp_path,
           arguments=["q.mlir", "-o", "m.so", "--start-from", "quantize"])
    weights.write_bytes(content[:50])
    refuse(1, "q.mlir", folder=tmp_path,
           arguments=["q.mlir", "-o", "m.so", "--start-from", "quantize"])
    weights.unlink()
    refuse(1, "cannot read weight from '", folder=tmp_path,
           arguments=["q.mlir", "-o", "m.so", "--start-from", "quantize"])


PHASE_FILES = {
    "empty": (b"", "expects a function @main"),
    "no main": (b"module { func.func @other() { return } }", "expects a function @main"),
    "a declaration": (b"func.func private @main()", "expects a function @main of one block"),
    "scalars": (b"func.func @main(%x: i32) { return }", "on ranked tensors"),
    "no ranks": (b"func.func @main(%x: tensor<*xf32>) { return }", "on ranked tensors"),
    "garbage": (b"\x00\xff" * 500, "m.mlir"),
    "unknown op": (b"func.func @main() { \"other.op\"() : () -> () return }", "m.mlir"),
    "nested": (b"(" * 100000, "is nested too deeply"),
    "nested types": (b"func.func @main(%x: " + b"tuple<" * 5000, "is nested too deeply"),
    "huge weight": (b"func.func @main() -> tensor<4xf32> { %0 = qopt.constant(#qopt.weight<"
                    b"\"/dev/zero@0+99999999999:00\">) : tensor<4xf32> "
                    b"return %0 : tensor<4xf32> }", "does not hold 99999999999 bytes at offset 0"),
    "a page of text": (b"// " + b"x" * 4093, "expects a function @main"),
}


@pytest.mark.parametrize("name", PHASE_FILES)
def test_a_bad_phase_file(name, tmp_path):
    content, text = PHASE_FILES[name]
    (tmp_path / "m.mlir").write_bytes(content)
    refuse(1, text, folder=tmp_path,
           arguments=["m.mlir", "-o", "m.so", "--start-from", "prepare"])


def test_a_crash_is_a_message(tmp_path):
    """Generic text can say what no verifier of MLIR expects: operands of no group."""
    (tmp_path / "m.mlir").write_text(
        "func.func @main(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {\n"
        '  %0 = "qopt.matmul"(%x, %x) {operandSegmentSizes = array<i32: 0, 2, 0, 0, 0, 0>}'
        " : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>\n"
        "  return %0 : tensor<2x2xf32>\n}\n")
    result = run_tool("qopt-compile", "m.mlir", "-o", "m.so", "--start-from", "prepare",
                      cwd=tmp_path)
    assert result.returncode in (1, 70), result.stderr
    assert "qopt-compile: error: m.mlir: " in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["m.mlir"]


# The contract ---------------------------------------------------------------

def test_what_was_asked_and_not_realised_is_named(tmp_path):
    refuse(3, "2 nodes break the precision contract (any)",
           'node "/conv_3" (Conv): asked float x ui4, planned float, realised float',
           "depthwise: no products to group", "note: give these nodes another precision",
           folder=tmp_path,
           arguments=[CNN, "-o", "m.so", "--preset", "w4a16-g32", "--fail-on-fallback=any"])
