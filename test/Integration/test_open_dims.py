"""Models whose dims are known at run time only: what a weight meets may be one of them.

Each compiles, gives the bits of the reference evaluator, and answers as ONNX
Runtime does.
"""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import run_ok, run_tool
from vulkan_driver import find_environment

SIZES = {"N": 3, "K": 40, "M": 8, "B": 2, "C": 4, "H": 5, "W": 6}
RNG = np.random.default_rng(5)


def weight(*dims):
    return RNG.normal(0, 0.3, dims).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def node(kind, inputs, output="y", **attributes):
    return helper.make_node(kind, inputs.split(), [output], **attributes)


PRODUCT = node("MatMul", "h w")
VIEW = [node("Shape", "x", "dims"), node("Gather", "dims index", "n"),
        node("Unsqueeze", "n axis", "n1"), node("Concat", "n1 rest", "to", axis=0),
        node("Reshape", "x to", "h")]
VIEW_CONSTANTS = {"index": np.array(0, np.int64), "axis": ints(0), "rest": ints(-1)}
WEIGHT = {"w": weight(40, 7)}

#: Of each model: its nodes, the dims of its inputs, its constants.
MODELS = {
    "no_dim_known": ([node("MatMul", "x w")], {"x": "NK"}, WEIGHT),
    "batches": ([node("MatMul", "x w")], {"x": "BNK"}, WEIGHT),
    "weight_of_each_batch": ([node("MatMul", "x w")], {"x": [3, "N", "K"]}, {"w": weight(3, 40, 7)}),
    "vector": ([node("MatMul", "x w")], {"x": "NK"}, {"w": weight(40)}),
    "row": ([node("MatMul", "x w")], {"x": "K"}, WEIGHT),
    "weight_on_the_left": ([node("MatMul", "w x")], {"x": "KN"}, {"w": weight(7, 40)}),
    "two_activations": ([node("MatMul", "x z")], {"x": "NK", "z": [40, "M"]}, {}),
    "transposed": ([node("Gemm", "x w c", transA=1)], {"x": "KN"}, WEIGHT | {"c": weight(7)}),
    "reshape_keeps_batch": ([node("Reshape", "x to", "h"), PRODUCT], {"x": ["N", 5, 8]},
                            WEIGHT | {"to": ints(0, -1)}),
    "reshape_of_open_dims": ([node("Reshape", "x to", "h"), PRODUCT], {"x": ["N", 5, "M"]},
                             WEIGHT | {"to": ints(0, -1)}),
    "view_of_size": ([*VIEW, node("Gemm", "h w", transB=1)], {"x": ["N", 5, 8]},
                     {"w": weight(7, 40)} | VIEW_CONSTANTS),
    "view_of_open_dims": ([*VIEW, PRODUCT], {"x": ["N", 5, "M"]}, WEIGHT | VIEW_CONSTANTS),
    "slice": ([node("Slice", "x low high at", "h"), PRODUCT], {"x": "NK"},
              WEIGHT | {"low": ints(0), "high": ints(40), "at": ints(1)}),
    "norm": ([node("LayerNormalization", "x g", "h"), PRODUCT], {"x": "NK"},
             WEIGHT | {"g": weight(40)}),
    "convolution": ([node("Conv", "x w", kernel_shape=[3, 3], pads=[1] * 4)], {"x": "NCHW"},
                    {"w": weight(8, 4, 3, 3)}),
    "depthwise": ([node("Conv", "x w", kernel_shape=[3, 3], group=4)], {"x": "NCHW"},
                  {"w": weight(4, 1, 3, 3)}),
}
OFTEN = ["no_dim_known", "view_of_open_dims"]
PRESETS = ["fp32", "w8a8-dynamic"]
MORE_PRESETS = ["w8a8", "w8a8-pow2", "w4a16-g32", "w4a8-g32", "mxfp4", "mxint8-a16", "nvfp4"]
CASES = [(name, preset) for name in MODELS for preset in PRESETS] + [
    (name, preset) for name in OFTEN for preset in MORE_PRESETS]


def write(name, folder):
    nodes, inputs, constants = MODELS[name]
    values = {}
    infos = []
    for tensor, dims in inputs.items():
        infos.append(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, list(dims)))
        values[tensor] = np.random.default_rng(1).normal(
            0, 1, [SIZES.get(dim, dim) for dim in dims]).astype(np.float32)
    graph = helper.make_graph(
        nodes, name, infos, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, key) for key, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.save(model, folder / "m.onnx")
    np.savez(folder / "in.npz", **values)
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    return folder / "m.onnx", folder / "in.npz", session.run(None, values)[0]


def compile_model(folder, preset, *more):
    run_ok("qopt-compile", folder / "m.onnx", "--preset", preset, "--calib", folder / "in.npz",
           "--quiet", *more)


@pytest.mark.parametrize("name", ["no_dim_known", "batches", "view_of_open_dims"])
def test_moments_have_the_depth_of_the_weight(name, tmp_path):
    model, inputs, wanted = write(name, tmp_path)
    (tmp_path / "gptq.yaml").write_text("version: 1\npreset: w4a16-g32\nrounding: {method: gptq}\n")
    run_ok("qopt-compile", model, "--recipe", tmp_path / "gptq.yaml", "--calib", inputs, "-o",
           tmp_path / "m.so", "--quiet")
    run_ok("qopt-run", tmp_path / "m.so", "--inputs", inputs, "--outputs", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as out:
        assert error_of(out["y"], wanted) < 0.4


def test_work_is_counted_by_the_operand_that_knows_the_depth(tmp_path):
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 17]> g (float[N, K] x) => (float[N, 4] y)'
        " { [first] h = MatMul (x, v)  [second] y = MatMul (h, w) }")
    for name, array in {"v": weight(30, 4), "w": weight(4, 4)}.items():
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    onnx.save(model, tmp_path / "m.onnx")
    (tmp_path / "r.yaml").write_text("version: 1\npreset: mxint8-a16\n"
                                     "overrides: [{nodes: second, precision: float}]\n")
    run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so", "--recipe",
           tmp_path / "r.yaml", "--report", tmp_path, "--quiet")
    macs = json.loads((tmp_path / "report.json").read_text())["macs"]
    assert macs["float x mxint8"] == pytest.approx(30 * 4 / (30 * 4 + 4 * 4))


def error_of(found, wanted):
    assert found.shape == wanted.shape
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted)


@pytest.mark.parametrize("name, preset", CASES, ids=["-".join(case) for case in CASES])
def test_gives_the_bits_of_the_reference(name, preset, tmp_path):
    model, inputs, wanted = write(name, tmp_path)
    compile_model(tmp_path, preset, "-o", tmp_path / "m.so")
    compile_model(tmp_path, preset, "-o", tmp_path / "m.mlir", "--stop-after", "quantize")
    run_ok("qopt-run", tmp_path / "m.so", "--inputs", inputs, "--outputs", tmp_path / "out.npz")
    run_ok("qopt-run", tmp_path / "m.mlir", "--reference", "--inputs", inputs,
           "--expect", tmp_path / "out.npz", "--atol", 0, "--rtol", 0)
    with np.load(tmp_path / "out.npz") as out:
        assert error_of(out["y"], wanted) < (1e-5 if preset == "fp32" else 0.4)


@pytest.mark.parametrize("name", MODELS)
def test_runs_on_a_device(name, tmp_path):
    environment = find_environment()
    model, inputs, wanted = write(name, tmp_path)
    compile_model(tmp_path, "fp32", "-o", tmp_path / "m.so", "--target", "vulkan")
    if environment is None:
        pytest.skip("no Vulkan driver")
    run_ok("qopt-run", tmp_path / "m.so", "--inputs", inputs, "--outputs", tmp_path / "out.npz",
           environment=environment)
    with np.load(tmp_path / "out.npz") as out:
        assert error_of(out["y"], wanted) < 1e-5


@pytest.mark.parametrize("preset", ["fp32", "w8a8-dynamic"])
def test_a_depth_that_does_not_fit_is_an_error_of_the_run(preset, tmp_path):
    """It names the node, also where what reads the input is the quantizer of it."""
    write("no_dim_known", tmp_path)
    compile_model(tmp_path, preset, "-o", tmp_path / "m.so")
    result = run_tool("qopt-run", tmp_path / "m.so", "--input", "x=3x41xf32=1")
    assert result.returncode == 1
    assert 'node "MatMul#0": the reduction dims of the operands differ' in result.stderr


def test_a_batch_of_none_keeps_its_other_dims(tmp_path):
    """The quotient of -1 does not see the batch, so it is no 0 / 0."""
    write("reshape_keeps_batch", tmp_path)
    compile_model(tmp_path, "fp32", "-o", tmp_path / "m.so")
    for program in ([tmp_path / "m.so"], [tmp_path / "m.onnx", "--reference"]):
        run_ok("qopt-run", *program, "--input", "x=0x5x8xf32=1", "--outputs", tmp_path / "o.npz")
        with np.load(tmp_path / "o.npz") as out:
            assert out["y"].shape == (0, 7)
