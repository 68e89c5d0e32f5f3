"""The texts that qopt-compile writes: another form of the object, not other code."""

import re
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import MODELS, run_arrays, run_ok

CNN = MODELS / "digits-cnn.onnx"
OPT = Path("/usr/lib/llvm-22/bin/opt")
# What an assembler is told of each tier; it pads with the machine's best nops.
MACHINES = {"x86-64-v3": "x86-64-v3", "x86-64-v4": "x86-64-v4", "amx": "x86-64-v4"}


@pytest.fixture(scope="module")
def mat_mul(tmp_path_factory):
    """y = x * w of 64x256x64: rows and depth enough for AMX tiles."""
    weights = np.random.default_rng(5).standard_normal((256, 64), np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "mat_mul",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [64, 256])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [64, 64])],
        [numpy_helper.from_array(weights, "w")])
    path = tmp_path_factory.mktemp("mat_mul") / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                ir_version=10), path)
    return path


@pytest.fixture(params=["cnn", "mat_mul"])
def model(request, mat_mul):
    return {"cnn": CNN, "mat_mul": mat_mul}[request.param]


def emit(model, form, cpu, path, *more):
    run_ok("qopt-compile", model, "-o", path, "--preset", "w8a8-dynamic", "--emit", form,
           "--cpu", cpu, "--quiet", *more)
    return path


def mnemonics(text):
    """How often each instruction is in an assembly."""
    found = re.findall(r"^\t([a-z]\w*)", text, re.MULTILINE)
    return {word: found.count(word) for word in set(found)}


def test_a_long_epilogue_leaves_the_registers_to_the_sums(tmp_path):
    """The polynomials of Gelu have some twenty constants, in loops around a tile of 24 sums."""
    random = np.random.default_rng(5)
    text = """<ir_version: 10, opset_import: ["" : 21]> g (float[n, 384] x) => (float[n, 384] y)
        { p = MatMul (x, w)  q = Add (p, b)  g = Gelu (q)  y = MatMul (g, v) }"""
    model = onnx.parser.parse_model(text)
    model.graph.initializer.extend(
        numpy_helper.from_array(random.standard_normal(dims, np.float32), name)
        for name, dims in [("w", (384, 1536)), ("b", (1536,)), ("v", (1536, 384))])
    onnx.save(model, tmp_path / "m.onnx")
    np.savez(tmp_path / "m.npz", x=random.standard_normal((4, 384), np.float32))
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.s", "--preset", "w8a8",
           "--calib", tmp_path / "m.npz", "--emit", "asm", "--cpu", "x86-64-v4", "--quiet")
    blocks = re.split(r"^\.L\w+:|\n\tj", (tmp_path / "m.s").read_text(), flags=re.MULTILINE)
    tiles = [block for block in blocks if block.count("vpdpbusd") >= 24]
    assert len(tiles) == 2
    assert not any("%rsp" in block for block in tiles)


def test_a_machine_by_its_other_name(model, tmp_path):
    assert (emit(model, "object", "sapphirerapids", tmp_path / "other.o").read_bytes() ==
            emit(model, "object", "amx", tmp_path / "m.o").read_bytes())


@pytest.mark.parametrize("cpu", MACHINES)
def test_assembly_assembles_to_the_object(model, cpu, tmp_path):
    text = emit(model, "asm", cpu, tmp_path / "m.s")
    subprocess.run(["clang-22", "-c", f"-march={MACHINES[cpu]}", text, "-o",
                    tmp_path / "again.o"], check=True)
    expected = emit(model, "object", cpu, tmp_path / "m.o").read_bytes()
    assert expected.startswith(b"\x7fELF")
    assert (tmp_path / "again.o").read_bytes() == expected


def test_each_tier_has_its_products(mat_mul, tmp_path):
    def products(model, cpu):
        text = emit(model, "asm", cpu, tmp_path / "m.s").read_text()
        return {"vpmaddwd", "vpdpbusd", "tdpbusd"} & mnemonics(text).keys()

    assert products(CNN, "x86-64-v3") == {"vpmaddwd"}
    assert products(CNN, "x86-64-v4") == {"vpdpbusd"}
    assert products(mat_mul, "x86-64-v3") == {"vpmaddwd"}
    assert products(mat_mul, "x86-64-v4") == {"vpdpbusd"}
    assert products(mat_mul, "amx") == {"tdpbusd"}


def test_tiles_are_set_up_and_released(mat_mul, tmp_path):
    found = mnemonics(emit(mat_mul, "asm", "amx", tmp_path / "m.s").read_text())
    # Two by two tiles for each 64 codes of K: as many loads as products.
    assert found["tdpbusd"] >= 4
    assert found["tileloadd"] == found["tdpbusd"]
    assert found["tilestored"] == 4
    assert found["ldtilecfg"] >= 1
    assert found["tilerelease"] >= 1


@pytest.mark.parametrize("cpu", MACHINES)
def test_llvm_ir_is_valid(model, cpu, tmp_path):
    path = emit(model, "llvm", cpu, tmp_path / "m.ll")
    subprocess.run([OPT, "-passes=verify", "-disable-output", path], check=True)
    text = path.read_text()
    assert 'target triple = "x86_64-unknown-linux-gnu"' in text
    assert f'"target-cpu"="{MACHINES[cpu]}"' in text
    (entry,) = re.findall(rf'^define .*@"?main\.{cpu}"?\(', text, re.MULTILINE)
    assert entry.startswith("define hidden ")


def test_llvm_ir_names_the_instruction(mat_mul, tmp_path):
    text = emit(mat_mul, "llvm", "amx", tmp_path / "m.ll").read_text()
    assert "call x86_amx @llvm.x86.tdpbusd.internal(" in text
    text = emit(mat_mul, "llvm", "x86-64-v4", tmp_path / "m.ll").read_text()
    assert "@llvm.x86.avx512.vpdpbusd.512(" in text


ROWS = """
func.func @main(%x: tensor<4x64xf32> {qopt.name = "x"}, %w: tensor<64x8xi8> {qopt.name = "w"})
    -> (tensor<4x8xi32> {qopt.name = "y"}) {
  %q, %s = qopt.quantize_dynamic %x {format = #qopt.format<i8>}
    : (tensor<4x64xf32>) -> (tensor<4x64xi8>, tensor<4x1xf32>)
  %y = qopt.matmul %q, %w : (tensor<4x64xi8>, tensor<64x8xi8>) -> tensor<4x8xi32>
  return %y : tensor<4x8xi32>
}
"""


@pytest.mark.parametrize("target, kernels", [
    ("x86-64", ["qkernel.contract", "qopt.quantize_dynamic", "qopt.matmul"]),
    ("vulkan", ["qkernel.rows", "qopt.quantize_dynamic", "qkernel.contract", "qopt.matmul"]),
])
def test_a_target_splits_kernels_that_it_cannot_run_whole(target, kernels, tmp_path):
    """The phase `fuse` asks no target; `kernels` fits its kernels to one."""
    (tmp_path / "in.mlir").write_text(ROWS)
    run_ok("qopt-compile", tmp_path / "in.mlir", "--start-from", "quantize", "--target",
           target, "--stop-after", "kernels", "-o", tmp_path / "k.mlir", "--quiet")
    text = (tmp_path / "k.mlir").read_text()
    variant = text[text.index("qkernel.variant"):]
    assert re.findall(r"qkernel\.(?:contract|rows)|qopt\.(?:quantize_dynamic|matmul)",
                      variant) == kernels
    assert 'kernel = "generic"' not in variant


def test_the_phase_target_leaves_a_program_for_every_machine(tmp_path):
    path = tmp_path / "t.mlir"
    run_ok("qopt-compile", CNN, "-o", path, "--preset", "w8a8-dynamic", "--stop-after",
           "target", "--cpu", "x86-64-v3,x86-64-v4", "--quiet")
    # Each is IR that verifies.
    text = run_ok("qopt-opt", path)
    tiers = re.split(r"qkernel\.variant @", text)[1:]
    assert [re.match(r'"([\w-]+)"', tier)[1] for tier in tiers] == ["x86-64-v3", "x86-64-v4"]
    for tier in tiers:
        # The program of launches, and what they run.
        assert re.search(r"func\.func @main\(%\w+: memref<\?x1x8x8xf32>", tier)
        kernel = re.search(r"qkernel\.launch @(k\d+\.\w+)\(", tier)[1]
        assert f"func.func private @{kernel}(" in tier
        assert "qkernel.check_size" in tier


@pytest.mark.parametrize("phase", ["kernels", "target"])
@pytest.mark.parametrize("form", ["object", "llvm", "asm"])
@pytest.mark.parametrize("cpu", ["x86-64-v3", "x86-64-v4"])
def test_a_file_of_several_tiers_gives_the_one_asked_for(form, cpu, phase, tmp_path):
    program = tmp_path / "p.mlir"
    run_ok("qopt-compile", CNN, "-o", program, "--preset", "w8a8-dynamic", "--stop-after",
           phase, "--cpu", "x86-64-v3,x86-64-v4", "--quiet")
    run_ok("qopt-compile", program, "-o", tmp_path / "m", "--start-from", phase, "--emit",
           form, "--cpu", cpu, "--quiet")
    expected = emit(CNN, form, cpu, tmp_path / "expected")
    assert (tmp_path / "m").read_bytes() == expected.read_bytes()


def write_equal_layers(layers, path):
    random = np.random.default_rng(9)
    nodes, weights, value = [], [], "x"
    for i in range(layers):
        weights.append(numpy_helper.from_array(
            random.standard_normal((64, 64), np.float32), f"w{i}"))
        nodes += [helper.make_node("MatMul", [value, f"w{i}"], [f"m{i}"]),
                  helper.make_node("Tanh", [f"m{i}"], [f"t{i}"])]
        value = f"t{i}"
    graph = helper.make_graph(
        nodes, "layers", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["n", 64])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                ir_version=10), path)


def test_equal_layers_share_their_kernels(tmp_path):
    def count_kernels(layers):
        path = tmp_path / f"{layers}.onnx"
        write_equal_layers(layers, path)
        text = emit(path, "llvm", "x86-64-v4", tmp_path / "m.ll").read_text()
        names = re.findall(r"^define internal [^@]*@([\w.]+)", text, re.MULTILINE)
        # Each is written once: no two of them are of one name and a number.
        assert not [name for name in names if re.search(r"\.\d+$", name)]
        return len(names)

    assert 0 < count_kernels(2) == count_kernels(8)


def test_equal_layers_are_launches_of_one_function(tmp_path):
    path, kernels = tmp_path / "8.onnx", tmp_path / "k.mlir"
    write_equal_layers(8, path)
    run_ok("qopt-compile", path, "-o", kernels, "--preset", "w8a8-dynamic", "--stop-after",
           "kernels", "--cpu", "x86-64-v4", "--quiet")
    text = run_ok("qopt-opt", kernels, "--pass-pipeline=builtin.module(qkernel.variant("
                  "func.func(qkernel-materialize-lifetimes),qkernel-outline))")
    functions = re.findall(r"func\.func private (@[\w.]+)", text)
    launched = re.findall(r"qkernel\.launch (@[\w.]+)", text)
    assert set(launched) == set(functions)
    # What the layers pass on ends with the next; the last writes the output.
    assert len(launched) >= 8 > len(functions)
    assert text.count("qkernel.free") == len(launched) - 1
    assert text.count("qkernel.outputs = array<i32: 0>") == 1


def test_a_program_without_a_kernel_goes_through_every_phase(tmp_path):
    """Its files name nothing of the dialect of kernels, which variants are of."""
    path = tmp_path / "m.onnx"
    graph = helper.make_graph(
        [helper.make_node("Unsqueeze", ["x", "axes"], ["y"])], "view",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2, 3])],
        [numpy_helper.from_array(np.array([0]), "axes")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                ir_version=10), path)
    source, start = path, []
    for phase in ["import", "prepare", "calibrate", "transform", "quantize", "fuse", "kernels",
                  "target"]:
        run_ok("qopt-compile", source, "-o", tmp_path / f"{phase}.mlir", *start, "--stop-after",
               phase, "--quiet")
        source, start = tmp_path / f"{phase}.mlir", ["--start-from", phase]
    run_ok("qopt-compile", source, "-o", tmp_path / "m.so", *start, "--quiet")
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(run_arrays(tmp_path / "m.so", {"x": x}, tmp_path)["y"], x[None])
