"""Small files that ask for much: time, stack or memory without relation to their size."""

import json
import subprocess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import MODELS, run_ok, run_tool


def save(path, nodes, initializers=()):
    """A model of `nodes` from x, of 16 floats a row, to y."""
    graph = helper.make_graph(
        nodes, "hostile", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in initializers])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                ir_version=10), path)
    return path


def doubling(first, last, levels):
    """Nodes that add a value to itself: paths double at each level."""
    names = [first, *(f"{last}{i}" for i in range(1, levels)), last]
    return [helper.make_node("Add", [a, a], [b]) for a, b in zip(names, names[1:])]


@pytest.mark.parametrize("preset", ["fp32", "w8a8-dynamic"])
def test_a_weight_expression_with_many_paths(preset, tmp_path):
    nodes = [*doubling("w", "v", 60), helper.make_node("MatMul", ["x", "v"], ["y"])]
    weight = np.full((16, 16), 2.0 ** -60, np.float32)
    model = save(tmp_path / "m.onnx", nodes, [("w", weight)])
    run_ok("qopt-compile", model, "-o", tmp_path / "q.mlir", "--preset", preset,
           "--stop-after", "quantize")


def test_activations_with_many_paths(tmp_path):
    model = save(tmp_path / "m.onnx", doubling("x", "y", 60))
    run_ok("qopt-compile", model, "-o", tmp_path / "m.so")


def test_a_constant_of_any_size(tmp_path):
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["c"]),
             helper.make_node("ReduceMax", ["c"], ["m"], keepdims=0),
             helper.make_node("Add", ["x", "m"], ["y"])]
    model = save(tmp_path / "m.onnx", nodes, [("s", np.array([8192, 1 << 20]))])
    result = run_tool("qopt-compile", model, "-o", tmp_path / "m.so")
    assert result.returncode == 3
    assert "makes a tensor of 8192x1048576 from constants, but only" in result.stderr
    assert not (tmp_path / "m.so").exists()


PHASE_FILES = {
    "a repeated element": (
        """func.func @main() -> tensor<68719476736xf32> {
  %0 = qopt.constant(dense<0.0> : tensor<68719476736xf32>) : tensor<68719476736xf32>
  return %0 : tensor<68719476736xf32>
}""", "repeats one element in"),
    # kernel_c7
    "a long kernel": (
        "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
        "%y = qkernel.map(%x) : (tensor<4xf32>) -> tensor<4xf32> (%v0: tensor<4xf32>) {\n"
        + "".join(f"%v{i + 1} = qopt.relu %v{i} : (tensor<4xf32>) -> tensor<4xf32>\n"
                  for i in range(1025))
        + "qkernel.yield %v1025 : tensor<4xf32>\n}\nreturn %y : tensor<4xf32>\n}",
        "expects at most 1024 ops, but found 1026"),
    "a table of other things": (
        """module attributes {qopt.nodes = [1 : i64]} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> }
}""", "expects a table of nodes in qopt.nodes"),
    "names of other dims": (
        """func.func @main(%x: tensor<4xf32> {qopt.dims = ["a", "b"]}) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}""", "expects a name for each dim of 'tensor<4xf32>'"),
    "another function": (
        """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> }
func.func private @f()""", "stands beside @main"),
    "an op of another dialect": (
        """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = arith.addf %x, %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}""", "is no op of a phase file"),
    # request_c3
    "a request of another axis": (
        """func.func @main(%x: tensor<4x8xf32>, %y: tensor<8x4xf32>) -> tensor<4x4xf32> {
  %w = qopt.constant(dense<1.0> : tensor<8x4xf32>) : tensor<8x4xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic,
    act = <mxint8, axis = 7>, weight = <mxint8, axis = 0>>}
    : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}""", "but expects axis 1"),
    # request_c1
    "a request without activations": (
        """func.func @main(%x: tensor<4x64xf32>) -> tensor<4x4xf32> {
  %w = qopt.constant(dense<1.0> : tensor<64x4xf32>) : tensor<64x4xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = dynamic, weight = <i8>>}
    : (tensor<4x64xf32>, tensor<64x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}""", "is requested as dynamic, but the formats of its operands are not those"),
    # request_c4
    "a request of static floats": (
        """func.func @main(%x: tensor<4x64xf32>) -> tensor<4x4xf32> {
  %w = qopt.constant(dense<1.0> : tensor<64x4xf32>) : tensor<64x4xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = static, act = <f8E4M3FN>,
    weight = <i8>>}
    : (tensor<4x64xf32>, tensor<64x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}""", "but expects integers without blocks"),
    # request_c2
    "a request of blocks without an axis": (
        """func.func @main(%x: tensor<4x64xf32>) -> tensor<4x4xf32> {
  %w = qopt.constant(dense<1.0> : tensor<64x4xf32>) : tensor<64x4xf32>
  %0 = qopt.matmul %x, %w {qopt.request = #qopt.request<params = "weight-only",
    weight = <ui4, block = 32, scale = f16, zero = ui4>>}
    : (tensor<4x64xf32>, tensor<64x4xf32>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}""", "is requested with weights of"),
    "a node of any number": (
        """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qopt.relu %x : (tensor<4xf32>) -> tensor<4xf32> loc(#node)
  return %0 : tensor<4xf32>
}
#node = loc(fused<#qopt.node<9223372036854775807>>["x"])
""", "expects a node from 0 and below 2^31, but found 9223372036854775807"),
    "a row of any number": (
        """module attributes {qopt.nodes = [#qopt.node_info<-1, "a", "Relu">]} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> }
}""", "expects a table of nodes in qopt.nodes"),
    # qopt_c12
    "statistics of other channels": (
        """func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = qopt.relu %x {qopt.stats = {channel_axis = 1 : i64, channel_min = array<f32: 1.0>,
    channel_max = array<f32: 1.0>, channel_mean_square = array<f32: 1.0>}}
    : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}""", "expects statistics of the channels"),
    "statistics of no numbers": (
        """func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = qopt.relu %x {qopt.stats = {min = 0.0 : f32, max = 0x7F800000 : f32}}
    : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}""", "expects statistics of finite values, but found NaN or infinity"),
}


@pytest.mark.parametrize("name", PHASE_FILES)
@pytest.mark.parametrize("tool", ["qopt-compile", "qopt-run"])
def test_a_phase_file(tool, name, tmp_path):
    text, problem = PHASE_FILES[name]
    (tmp_path / "m.mlir").write_text(text)
    arguments = {"qopt-compile": ["-o", "m.so", "--start-from", "prepare"],
                 "qopt-run": ["--reference", "--describe"]}
    result = run_tool(tool, "m.mlir", *arguments[tool], cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    assert problem in result.stderr
    assert not (tmp_path / "m.so").exists()


ATTRIBUTED = """module attributes {qopt.a = %s} {
  func.func @main(%%x: tensor<4xf32>) -> tensor<4xf32> { return %%x : tensor<4xf32> }
}"""


def aliases(prefix, first, level, last, around):
    """A program with an attribute that is `level` of itself, `last` times over."""
    lines = [f"{prefix}0 = {first}"]
    lines += [f"{prefix}{i + 1} = " + level.replace("X", f"{prefix}{i}") for i in range(last)]
    return "\n".join([*lines, around % f"{prefix}{last}"])


BRACKETS = ATTRIBUTED % ("[" * 400_000 + "]" * 400_000)
DEEP_TEXTS = {
    "brackets": BRACKETS,
    "brackets behind a quote in a comment": "// \"\n" + BRACKETS,
    "brackets behind a quote that does not end": "\"\n" + BRACKETS,
    "brackets in an alias": aliases("#a-", "1", "[X ]", 400_000, ATTRIBUTED),
    "types in an alias": aliases("!t", "i32", "tuple<X>", 400_000, ATTRIBUTED),
    "signs": ATTRIBUTED % ("affine_map<(d0) -> (" + "-" * 2_000_000 + "d0)>"),
    "sums": ATTRIBUTED % ("affine_map<(d0) -> (d0" + " + d0" * 1_000_000 + ")>"),
    "brackets behind comparisons": ATTRIBUTED % (
        "affine_set<(d0) : (d0 >= 0" + ", d0 >= 0" * 300_000 + ")>, qopt.b = "
        + "[" * 300_000 + "]" * 300_000),
    "doubled attributes": aliases("#a", "1", "[X, X]", 60, ATTRIBUTED),
    "doubled types": aliases("!t", "i32", "tuple<X, X>", 60, ATTRIBUTED),
    "doubled attributes that end at a bracket": aliases(
        "#0", "1", "[[X],[X]]", 60, ATTRIBUTED),
    "bytecode": "ML\xefR" + "\x06" * 100,
}


@pytest.mark.parametrize("tool", ["qopt-compile", "qopt-run"])
@pytest.mark.parametrize("name", DEEP_TEXTS)
def test_a_text_that_recursion_cannot_take(tool, name, tmp_path):
    (tmp_path / "m.mlir").write_text(DEEP_TEXTS[name], encoding="latin-1")
    arguments = {"qopt-compile": ["-o", "p.mlir", "--start-from", "import", "--stop-after",
                                  "prepare"],
                 "qopt-run": ["--reference", "--describe"]}
    result = run_tool(tool, "m.mlir", *arguments[tool], cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    assert len(result.stderr) < 2000
    assert not (tmp_path / "p.mlir").exists()


def test_a_location_of_any_depth(tmp_path):
    aliases = "".join(f"#loc{i + 1} = loc(fused[#loc{i}, #loc{i}])\n" for i in range(100000))
    (tmp_path / "m.mlir").write_text(
        '#loc0 = loc("x")\n' + aliases +
        "func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
        "  %0 = qopt.relu %x : (tensor<4xf32>) -> tensor<4xf32> loc(#loc100000)\n"
        "  return %0 : tensor<4xf32>\n}\n")
    result = run_tool("qopt-compile", "m.mlir", "-o", "m.so", "--start-from", "prepare",
                      cwd=tmp_path)
    assert 0 <= result.returncode <= 5, result.stderr


def test_a_bomb_of_zeros(tmp_path):
    """Zeros of 400 MB take 400 kB, and more than a file of this size may unpack to."""
    import zipfile
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("x.npy", "w") as member:
            np.lib.format.write_array_header_1_0(
                member, {"descr": "|u1", "fortran_order": False, "shape": (400 << 20,)})
            for _ in range(400):
                member.write(bytes(1 << 20))
    result = run_tool("qopt-run", MODELS / "digits-mlp.onnx", "--reference", "--inputs",
                      tmp_path / "x.npz", "--outputs", tmp_path / "y.npz")
    assert result.returncode == 1
    assert "may unpack to" in result.stderr


def test_a_crash_is_an_internal_error(tmp_path):
    """Nothing that a file holds crashes qopt-run; a library that traps stands for what would."""
    (tmp_path / "m.c").write_text("void *qopt_model_get_api(void) { __builtin_trap(); }")
    subprocess.run(["clang-22", "-shared", "-fPIC", "m.c", "-o", "m.so"], cwd=tmp_path, check=True)
    result = run_tool("qopt-run", "m.so", "--describe", cwd=tmp_path)
    assert result.returncode == 70
    assert result.stderr.startswith("qopt-run: error: m.so: qopt-run crashed\nnote: please report")
    cases = [{"id": 1, "model": "m.so"}, {"id": 2, "model": "n.so"}]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)))
    result = run_tool("qopt-run", "--batch", "cases.jsonl", cwd=tmp_path)
    assert result.returncode == 70
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["exit"], second["exit"]) == (70, 4)
    assert first["message"].startswith("m.so: qopt-run crashed")


def test_a_case_of_any_depth(tmp_path):
    (tmp_path / "cases.jsonl").write_text("[" * 5_000_000 + "\n" + "[" * 60_000)
    result = run_tool("qopt-run", "--batch", "cases.jsonl", cwd=tmp_path)
    first, second = map(json.loads, result.stdout.splitlines())
    assert "expects at most 65536 bytes in a line, but found 5000000" in first["message"]
    assert (first["exit"], second["exit"]) == (1, 1)
