"""A target outside of the tree: the example is built, loaded and run."""

import json
import subprocess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from qopt_tools import BUILD, MODELS, ROOT, run_arrays, run_ok, run_tool

CNN = MODELS / "digits-cnn.onnx"
CLANG = "/usr/lib/llvm-22/bin/clang"


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("example-target")
    for command in [
            ["/usr/bin/cmake", "-G", "Ninja", "-S", ROOT / "examples" / "target", "-B", folder,
             "-DCMAKE_MAKE_PROGRAM=/usr/bin/ninja", f"-DCMAKE_C_COMPILER={CLANG}",
             f"-DCMAKE_CXX_COMPILER={CLANG}++", f"-DQOPT_BUILD_DIR={BUILD}"],
            ["/usr/bin/ninja", "-C", folder]]:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
    return folder / "example-target.so"


def test_is_listed_beside_the_others(plugin):
    text = run_ok("qopt-compile", "--load-target", plugin, "--list-targets")
    assert "example example-1: runs here" in text
    assert "x86-64 x86-64-v3: " in text
    assert "example" not in run_ok("qopt-compile", "--list-targets")


@pytest.mark.parametrize("preset", ["fp32", "w8a8-dynamic", "mxfp4"])
def test_its_code_gives_the_bits_of_the_reference(plugin, preset, tmp_path):
    images = np.random.default_rng(8).random((3, 1, 8, 8), np.float32)
    np.savez(tmp_path / "in.npz", x=images)
    run_ok("qopt-compile", CNN, "-o", tmp_path / "q.mlir", "--preset", preset, "--stop-after",
           "quantize", "--quiet")
    run_ok("qopt-compile", CNN, "-o", tmp_path / "m.so", "--preset", preset, "--quiet",
           "--load-target", plugin, "--target", "example", "--report", tmp_path / "report")
    run_ok("qopt-run", tmp_path / "m.so", "--inputs", tmp_path / "in.npz", "--outputs",
           tmp_path / "out.npz")
    run_ok("qopt-run", tmp_path / "q.mlir", "--reference", "--inputs", tmp_path / "in.npz",
           "--expect", tmp_path / "out.npz", "--atol", 0, "--rtol", 0)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["target"] == "example"
    kernels = {row["kernel"] for row in report["contract"]}
    assert any(kernel.startswith("example.host.x86-64.contract.") for kernel in kernels)
    assert not any(kernel.startswith("x86-64") for kernel in kernels)


@pytest.mark.parametrize("perm", [[2, 0, 3, 1], [0, 1, 3, 2], [3, 2, 1, 0]])
def test_its_own_kernel(plugin, perm, tmp_path):
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 4, 5]),
              helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)]
    graph = helper.make_graph([helper.make_node("Transpose", ["x"], ["y"], perm=perm)], "t",
                              values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                ir_version=10), tmp_path / "m.onnx")
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so", "--load-target", plugin,
           "--target", "example", "--quiet", "--report", tmp_path / "report")
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert [row["kernel"] for row in report["contract"]] == ["example.transpose"]
    x = np.random.default_rng(1).random((7, 3, 4, 5), np.float32)
    assert np.array_equal(run_arrays(tmp_path / "m.so", {"x": x}, tmp_path)["y"],
                          x.transpose(perm))


def refuse(code, text, plugin, tmp_path):
    result = run_tool("qopt-compile", CNN, "-o", tmp_path / "m.so", "--load-target", plugin)
    assert result.returncode == code, result.stderr
    assert f"{plugin}: {text}" in result.stderr
    if code == 2:
        assert ("note: docs/Guides/add-a-target.md says how a target is built as a plug-in"
                in result.stderr)
    assert not (tmp_path / "m.so").exists()


def test_a_missing_library(tmp_path):
    refuse(4, "No such file or directory", tmp_path / "none.so", tmp_path)


def test_a_file_that_is_no_library(tmp_path):
    (tmp_path / "text.so").write_text("no library")
    refuse(2, "cannot be loaded: ", tmp_path / "text.so", tmp_path)


def build_c(tmp_path, source):
    (tmp_path / "p.c").write_text(source)
    subprocess.run([CLANG, "-shared", "-fPIC", "-o", tmp_path / "p.so", tmp_path / "p.c"],
                   check=True)
    return tmp_path / "p.so"


def test_a_library_that_is_no_plugin(tmp_path):
    refuse(2, "is no plug-in: it exports no function qoptGetTargetPlugin",
           build_c(tmp_path, "int f(void) { return 1; }"), tmp_path)


def test_a_plugin_of_another_compiler(tmp_path):
    refuse(2, "was built for version 77 of the plug-in interface, but this compiler has version ",
           build_c(tmp_path, "struct plugin { unsigned api; const char *name; void *f; };\n"
                             "struct plugin qoptGetTargetPlugin(void) {\n"
                             "  struct plugin p = {77, \"old\", 0};\n  return p;\n}"),
           tmp_path)


def test_a_name_that_is_taken(plugin, tmp_path):
    result = run_tool("qopt-compile", CNN, "-o", tmp_path / "m.so", "--load-target", plugin,
                      "--load-target", plugin)
    assert result.returncode == 2
    assert "target 'example' is known already" in result.stderr
