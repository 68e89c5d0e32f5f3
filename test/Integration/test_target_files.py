"""Files of phase target: code is made of them as of the programs that they were written
from, and what they say is checked first."""

import json

import numpy as np
import onnx
import pytest

from fuzz_files import write_digits
from qopt_tools import MODELS, run_arrays, run_ok, run_tool
from test_branches_and_loops import CASES, write_model
from test_decoders import PASTS, PRESENTS, make_attention
from test_states import make_recurrent

TIERS = ["--cpu", "x86-64-v3,x86-64-v4"]
DIGITS = {f"{preset} {model} {target}": (model, preset, ["--target", "vulkan"] if target == "vulkan" else TIERS)
          for preset, model, target in [
              ("fp32", "digits-cnn", "x86"), ("w8a8", "digits-cnn", "x86"), ("w4a16-g32", "digits-mlp", "x86"),
              ("mxfp4", "digits-mlp", "x86"), ("w8a8", "digits-cnn", "vulkan"), ("w8a8-pow2", "digits-cnn", "x86")]}


def compile_both(kernels, folder, *flags):
    """The artefact of a file of phase kernels, and that of the file of phase target made of it."""
    (folder / "t").mkdir()
    lowered = folder / "t" / kernels.name  # The name stands in the artefact.
    run_ok("qopt-compile", kernels, "-o", lowered, "--start-from", "kernels", "--stop-after", "target",
           "--quiet", *flags)
    artefacts = []
    for phase, source in (("kernels", kernels), ("target", lowered)):
        artefacts.append(folder / f"{phase}.so")
        run_ok("qopt-compile", source, "-o", artefacts[-1], "--start-from", phase, "--quiet", *flags,
               "--report", folder / phase)
    return artefacts


def expect_the_same(kernels, folder, *flags):
    whole, rest = compile_both(kernels, folder, *flags)
    assert rest.read_bytes() == whole.read_bytes()
    reports = [json.loads((folder / phase / "report.json").read_text()) for phase in ("kernels", "target")]
    for key in ("contract", "bytes", "recipe", "tiers"):
        assert reports[1][key] == reports[0][key], key


@pytest.mark.parametrize("name", DIGITS)
def test_code_is_the_same(name, tmp_path):
    model, preset, flags = DIGITS[name]
    write_digits(tmp_path)
    run_ok("qopt-compile", MODELS / f"{model}.onnx", "-o", tmp_path / "k.mlir", "--preset", preset, "--calib",
           tmp_path / f"{model}.npz", "--stop-after", "kernels", "--quiet", *flags)
    expect_the_same(tmp_path / "k.mlir", tmp_path, *flags)


@pytest.mark.parametrize("target", ["x86-64", "vulkan"])
@pytest.mark.parametrize("name", ["if_nested", "if_squeezes", "loop_counted", "loop_while"])
def test_regions_carry_memory(name, target, tmp_path):
    nodes, inputs, outputs, constants, _ = CASES[name]
    write_model(tmp_path / "m.onnx", nodes, inputs, outputs, constants)
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "k.mlir", "--target", target, "--stop-after",
           "kernels", "--quiet")
    expect_the_same(tmp_path / "k.mlir", tmp_path, "--target", target)


@pytest.mark.parametrize("make", [make_attention, make_recurrent])
def test_states_stay(make, tmp_path):
    """They are found by the names of the program that takes tensors."""
    onnx.save(make(), tmp_path / "m.onnx")
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "k.mlir", "--stop-after", "kernels", "--quiet")
    expect_the_same(tmp_path / "k.mlir", tmp_path, "--capacity", "7")


def test_a_state_goes_on_from_its_own_input(tmp_path):
    """Where the program adds to it in place, that is in the code."""
    onnx.save(make_attention(), tmp_path / "m.onnx")
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "t.mlir", "--stop-after", "target", "--quiet")
    assert "qkernel.append_memory" in (tmp_path / "t.mlir").read_text()
    refused = run_tool("qopt-compile", tmp_path / "t.mlir", "-o", tmp_path / "m.so", "--start-from", "target",
                       "--state", f"{PRESENTS[0]}={PASTS[1]}")
    assert refused.returncode == 2, refused.stderr
    assert f'output "{PRESENTS[0]}" goes on from another input than "{PASTS[1]}"' in refused.stderr
    assert "note: give --state as where the file was made" in refused.stderr


@pytest.fixture(name="lowered", scope="module")
def fixture_lowered(tmp_path_factory):
    """A file that holds two tiers, and the inputs of its program."""
    folder = tmp_path_factory.mktemp("lowered")
    write_digits(folder)
    run_ok("qopt-compile", MODELS / "digits-mlp.onnx", "-o", folder / "t.mlir", "--preset", "w8a8", "--calib",
           folder / "digits-mlp.npz", "--stop-after", "target", "--quiet", *TIERS)
    return folder / "t.mlir"


def test_reference_runs_the_program_of_tensors(lowered, tmp_path):
    run_ok("qopt-compile", lowered, "-o", tmp_path / "m.so", "--start-from", "target", "--quiet")
    inputs = {"x": np.load(lowered.with_name("digits-mlp.npz"))["x"]}
    expected = run_arrays(lowered, inputs, tmp_path, "--reference")
    found = run_arrays(tmp_path / "m.so", inputs, tmp_path)
    assert {name: array.tobytes() for name, array in found.items()} == {
        name: array.tobytes() for name, array in expected.items()}


#: What is exchanged in a file, the exit code, and what is said of it.
DAMAGES = {
    "a kernel that does not run it": ('kernel = "x86-64.map"', 'kernel = "x86-64.rows"', 1,
                                      'has the kernel "x86-64.rows", which does not run it'),
    "a kernel of nobody": ('{kernel = "x86-64.map"', '{kernel = "x86-64.none"', 1, "runs an op whose kernel is not known here"),
    "another program's nodes": ("node = 1 : i64", "node = 0 : i64", 1,
                                "expects what runs each node, in the order of the nodes, but found"),
    "nobody's nodes": ("qopt.node_kernels", "qopt.other", 1, "does not say what runs each node in qopt.node_kernels"),
    "an output that there is not": ("qkernel.output_memory 0", "qkernel.output_memory 7", 1, "expects one of 1 outputs"),
    "a function that there is not": ("qkernel.launch @k0.", "qkernel.launch @k99.", 1, "expects a function @k99."),
    "another phase": ('qopt.phase = "target"', 'qopt.phase = "kernels"', 1, "expects a function @main and nothing else"),
    "memory of another size": ("memref.alloc(%dim)", "memref.alloc(%c0)", 1, "expects the steps that its kernel takes"),
    "an op of no program": ("memref.alloc", "memref.alloca", 1, "is no op of a program that has memory"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_a_file_says_is_checked(name, lowered, tmp_path):
    old, new, code, text = DAMAGES[name]
    content = lowered.read_text()
    assert old in content
    (tmp_path / "t.mlir").write_text(content.replace(old, new))
    refused = run_tool("qopt-compile", "t.mlir", "-o", "m.so", "--start-from", "target", cwd=tmp_path)
    assert refused.returncode == code, refused.stderr
    assert refused.stderr.startswith("qopt-compile: error: t.mlir: ")
    assert text in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["t.mlir"]


@pytest.mark.parametrize("flags, code, text", [
    (["--start-from", "kernels"], 2, "is a file of phase target, not of kernels"),
    (["--start-from", "target", "--stop-after", "target"], 2, "nothing is left to do from target to target"),
    (["--start-from", "target", "--target", "vulkan"], 3, "has no variant for vulkan"),
    (["--start-from", "target", "--preset", "fp32"], 2, "was made from preset 'w8a8'"),
    (["--start-from", "target", "--emit", "qdq-onnx"], 2, "--emit=qdq-onnx takes the program before its ops work on codes")])
def test_flags_that_do_not_fit(flags, code, text, lowered, tmp_path):
    refused = run_tool("qopt-compile", lowered, "-o", tmp_path / "m.so", *flags)
    assert refused.returncode == code, refused.stderr
    assert text in refused.stderr


def test_a_contract_is_kept_to(tmp_path):
    """What was planned is read from the program of tensors, what runs it from its variants."""
    run_ok("qopt-compile", MODELS / "digits-cnn.onnx", "-o", tmp_path / "t.mlir", "--preset", "w4a16-g32",
           "--stop-after", "target", "--quiet", *TIERS)
    refused = run_tool("qopt-compile", tmp_path / "t.mlir", "-o", tmp_path / "m.so", "--start-from", "target",
                       "--fail-on-fallback=any")
    assert refused.returncode == 3
    assert 'node "/conv_3" (Conv): asked float x ui4, planned float, realised float' in refused.stderr
