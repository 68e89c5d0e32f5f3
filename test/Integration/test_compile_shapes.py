"""Inputs of fixed dims: the numbers of the open model, and no other dims.

A model compiled with --shapes gives the bits that the same model gives without
it for inputs of these dims.
"""

import json
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import MODELS, ROOT, run_ok, run_tool

sys.path.insert(0, str(ROOT / "test" / "models"))
from fetch import UnreachableError
from tasks import prepare

CNN = MODELS / "digits-cnn.onnx"
WIDTH, HEADS = 32, 4


def position_nodes(constants, has_positions):
    """Adds the rows of the first positions to the words."""
    node = helper.make_node
    if not has_positions:
        return [node("Identity", ["words"], ["x0"], "/words")]
    rng = np.random.default_rng(4)
    constants |= {"positions": rng.standard_normal((256, WIDTH)).astype(np.float32) / 6,
                  "counted": np.arange(256)[None]}
    return [node("Slice", ["counted", "axis0", "length", "axis1"], ["places"], "/places"),
            node("Gather", ["positions", "places"], ["rows"], "/positions"),
            node("Add", ["words", "rows"], ["x0"], "/add_positions")]


def write_encoder(path, has_positions=False):
    """One layer as of a sentence encoder: ids and a mask of one batch and length,
    attention whose heads are split by shape arithmetic, and a mean of the words. A
    table of positions is read as far as the sentences reach."""
    rng = np.random.default_rng(3)
    weights = {"table": (50, WIDTH), "wq": (WIDTH, WIDTH), "wk": (WIDTH, WIDTH),
               "wv": (WIDTH, WIDTH), "wf": (WIDTH, 2 * WIDTH), "wg": (2 * WIDTH, WIDTH)}
    constants = {name: rng.standard_normal(shape).astype(np.float32) / 6
                 for name, shape in weights.items()}
    constants |= {"gamma": np.ones(WIDTH, np.float32), "beta": np.zeros(WIDTH, np.float32),
                  "low": np.float32(-10000), "one": np.float32(1),
                  "root": np.float32((WIDTH // HEADS) ** -0.5),
                  "zero_index": np.array(0), "one_index": np.array(1),
                  "axis0": np.array([0]), "axis1": np.array([1]), "axes12": np.array([1, 2]),
                  "split_tail": np.array([HEADS, WIDTH // HEADS]), "join_tail": np.array([WIDTH])}
    node = helper.make_node
    nodes = [
        node("Gather", ["table", "ids"], ["words"], "/embed"),
        node("Shape", ["ids"], ["dims"], "/shape"),
        node("Gather", ["dims", "zero_index"], ["batch0"], "/batch"),
        node("Gather", ["dims", "one_index"], ["length0"], "/length"),
        node("Unsqueeze", ["batch0", "axis0"], ["batch"], "/batch_1"),
        node("Unsqueeze", ["length0", "axis0"], ["length"], "/length_1"),
        node("Concat", ["batch", "length", "split_tail"], ["split"], "/split", axis=0),
        node("Concat", ["batch", "length", "join_tail"], ["join"], "/join", axis=0),
        *position_nodes(constants, has_positions),
        node("LayerNormalization", ["x0", "gamma", "beta"], ["x"], "/norm"),
        node("Cast", ["mask"], ["mask_f"], "/mask", to=TensorProto.FLOAT),
        node("Sub", ["one", "mask_f"], ["hidden"], "/hidden"),
        node("Mul", ["hidden", "low"], ["bias0"], "/bias"),
        node("Unsqueeze", ["bias0", "axes12"], ["bias"], "/bias_1"),
    ]
    for name, perm in {"q": [0, 2, 1, 3], "k": [0, 2, 3, 1], "v": [0, 2, 1, 3]}.items():
        nodes += [node("MatMul", ["x", "w" + name], [name + "0"], "/" + name),
                  node("Reshape", [name + "0", "split"], [name + "1"], f"/{name}/split"),
                  node("Transpose", [name + "1"], [name + "2"], f"/{name}/heads", perm=perm)]
    nodes += [
        node("MatMul", ["q2", "k2"], ["s0"], "/scores"),
        node("Mul", ["s0", "root"], ["s1"], "/scale"),
        node("Add", ["s1", "bias"], ["s2"], "/add_bias"),
        node("Softmax", ["s2"], ["p"], "/softmax", axis=-1),
        node("MatMul", ["p", "v2"], ["a0"], "/values"),
        node("Transpose", ["a0"], ["a1"], "/rows", perm=[0, 2, 1, 3]),
        node("Reshape", ["a1", "join"], ["a"], "/join_heads"),
        node("Add", ["x", "a"], ["r"], "/residual"),
        node("MatMul", ["r", "wf"], ["f0"], "/up"),
        node("Relu", ["f0"], ["f1"], "/relu"),
        node("MatMul", ["f1", "wg"], ["f"], "/down"),
        node("ReduceMean", ["f", "axis1"], ["mean"], "/mean", keepdims=0),
    ]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "encoder",
        [info(name, TensorProto.INT64, ["batch", "length"]) for name in ("ids", "mask")],
        [info("f", TensorProto.FLOAT, ["batch", "length", WIDTH]),
         info("mean", TensorProto.FLOAT, ["batch", WIDTH])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                ir_version=10), path)
    return path


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder") / "encoder.onnx")


def sentences(batch, length):
    rng = np.random.default_rng(batch * 100 + length)
    mask = (np.arange(length) < rng.integers(1, length + 1, (batch, 1))).astype(np.int64)
    return {"ids": rng.integers(0, 50, (batch, length)), "mask": mask}


def images(count):
    return {"x": np.random.default_rng(count).random((count, 1, 8, 8), np.float32)}


def compile_both(model, shapes, folder, *more):
    """The reports of the open and the fixed model, `open.so` and `fixed.so`."""
    return [json.loads(run_ok("qopt-compile", model, "-o", folder / f"{name}.so", "--json",
                              *flags, *more))
            for name, flags in {"open": [], "fixed": ["--shapes", shapes]}.items()]


def run(model, inputs, folder):
    np.savez(folder / "in.npz", **inputs)
    run_ok("qopt-run", model, "--inputs", folder / "in.npz", "--outputs", folder / "out.npz")
    with np.load(folder / "out.npz") as arrays:
        return dict(arrays)


def check_same_bits(inputs, folder):
    expected = run(folder / "open.so", inputs, folder)
    found = run(folder / "fixed.so", inputs, folder)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes(), name


def check_refused(inputs, folder, *texts):
    np.savez(folder / "other.npz", **inputs)
    result = run_tool("qopt-run", folder / "fixed.so", "--inputs", folder / "other.npz")
    assert result.returncode == 1, result.stderr
    for text in texts:
        assert text in result.stderr


def check_same_precisions(reports):
    """Each node is of the precision that it has with open dims. Which float node runs
    inside the kernel of a product may depend on dims."""
    def precision(text):
        return "float" if text.startswith("inside ") else text

    rows = [[[row["node"], *(precision(row[key]) for key in ("asked", "planned", "realised"))]
             for row in report["contract"]] for report in reports]
    assert rows[0] == rows[1]


def described(folder):
    description = json.loads(run_ok("qopt-run", folder / "fixed.so", "--describe", "--json"))
    return {value["name"]: value["dims"]
            for value in description["inputs"] + description["outputs"]}


PRESETS = ["fp32", "w8a8", "w8a8-dynamic", "w4a16-g32", "w4a8-g32", "mxfp4", "w8a8-pow2"]


def calibrate(preset, sample, folder):
    """The flags that a preset needs to see ranges."""
    if preset not in ("w8a8", "w8a8-pow2"):
        return []
    np.savez(folder / "calib.npz", **sample)
    return ["--calib", folder / "calib.npz"]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_batch_of_images(preset, tmp_path):
    reports = compile_both(CNN, "x:4x?x?x?", tmp_path, "--preset", preset,
                           *calibrate(preset, images(4), tmp_path))
    check_same_precisions(reports)
    assert described(tmp_path) == {"x": [4, 1, 8, 8], "logits": [4, 10]}
    check_same_bits(images(4), tmp_path)
    check_refused(images(5), tmp_path, 'input "x": expected size 4 in dim 0, but found 5')


@pytest.mark.parametrize("shapes", ["ids:2x9", "ids:2x9,mask:2x9", "mask:?x9,ids:2x?"])
def test_inputs_that_share_their_dims(encoder, shapes, tmp_path):
    compile_both(encoder, shapes, tmp_path)
    assert described(tmp_path) == {"ids": [2, 9], "mask": [2, 9], "f": [2, 9, WIDTH],
                                   "mean": [2, WIDTH]}


@pytest.mark.parametrize("preset", PRESETS)
def test_sentences(encoder, preset, tmp_path):
    reports = compile_both(encoder, "ids:2x9", tmp_path, "--preset", preset,
                           *calibrate(preset, sentences(2, 9), tmp_path))
    check_same_precisions(reports)
    check_same_bits(sentences(2, 9), tmp_path)
    check_refused(sentences(2, 8), tmp_path, 'input "ids": expected size 9 in dim 1, but found 8')
    check_refused({"ids": sentences(2, 9)["ids"], "mask": sentences(1, 9)["mask"]}, tmp_path,
                  'input "mask": expected size 2 in dim 0, but found 1')


def test_known_rows_of_a_table_are_a_constant(tmp_path):
    """Fixed positions leave no table to quantize: its rows stay as they are."""
    model = write_encoder(tmp_path / "m.onnx", has_positions=True)
    compile_both(model, "ids:2x9", tmp_path)
    check_same_bits(sentences(2, 9), tmp_path)
    exact = run(tmp_path / "open.so", sentences(2, 9), tmp_path)["f"]
    reports = compile_both(model, "ids:2x9", tmp_path, "--preset", "w8a8-dynamic",
                           "--fail-on-fallback")
    rows = [{row["node"]: row for row in report["contract"]}["/positions"] for report in reports]
    assert [row["realised"] for row in rows] == ["float x i8", "folded"]
    assert rows[1]["kernel"] == "folded in quantize"
    for name in ("open", "fixed"):
        found = run(tmp_path / f"{name}.so", sentences(2, 9), tmp_path)["f"]
        assert np.abs(found - exact).max() < 0.05 * np.abs(exact).max()


def test_one_dim_can_stay_open(encoder, tmp_path):
    compile_both(encoder, "ids:?x9", tmp_path)
    assert described(tmp_path)["ids"] == [None, 9]
    for batch in (1, 3):
        check_same_bits(sentences(batch, 9), tmp_path)
    check_refused({"ids": sentences(2, 9)["ids"], "mask": sentences(1, 9)["mask"]}, tmp_path,
                  '"ids"', '"mask"', '"batch"')


def test_everything_behind_the_inputs_is_known(encoder, tmp_path):
    for phase in ("import", "kernels"):
        run_ok("qopt-compile", encoder, "--shapes", "ids:2x9", "--stop-after", phase, "-o",
               tmp_path / "p.mlir")
        program = (tmp_path / "p.mlir").read_text()
        assert "tensor<2x9xi64>" in program
        body = [line for line in program.splitlines() if "qopt." in line and " = " in line]
        assert body
        if phase == "kernels":
            assert not [line for line in body if "tensor<?" in line and "^bb" not in line]


def test_phase_files_keep_the_shapes(tmp_path):
    run_ok("qopt-compile", CNN, "--shapes", "x:4x1x8x8", "--stop-after", "import", "-o",
           tmp_path / "p.mlir")
    run_ok("qopt-compile", tmp_path / "p.mlir", "--start-from", "import", "-o",
           tmp_path / "fixed.so")
    assert described(tmp_path) == {"x": [4, 1, 8, 8], "logits": [4, 10]}


def test_an_artefact_of_two_tiers(encoder, tmp_path):
    compile_both(encoder, "ids:2x9", tmp_path, "--cpu", "x86-64-v3,x86-64-v4")
    check_same_bits(sentences(2, 9), tmp_path)


def test_a_text_line_that_may_be_turned(tmp_path):
    try:
        model = prepare("ppocr-cls").model
    except UnreachableError as error:
        pytest.skip(str(error))
    reports = compile_both(model, "x:1x3x48x192", tmp_path, "--preset", "w8a8-dynamic")
    check_same_precisions(reports)
    line = np.random.default_rng(5).random((1, 3, 48, 192), np.float32)
    check_same_bits({"x": line}, tmp_path)
    check_refused({"x": line[..., :160]}, tmp_path, "expected size 192 in dim 3, but found 160")


# Refusals -------------------------------------------------------------------

REFUSALS = {
    "no dims": ("x", "--shapes 'x': expects NAME:DIMS as in x:1x3x224x224"),
    "empty": ("", "--shapes '': expects NAME:DIMS"),
    "a letter": ("x:1xax8x8", "--shapes 'x:1xax8x8': expects a size or ?, but found 'a'"),
    "nothing": ("x:0x1x8x8", "expects sizes from 1 to 2147483647, but found 0\nnote: write ?"),
    "twice": ("x:4x1x8x8,x:4x1x8x8", "names an input that 'x:4x1x8x8' names before"),
    "unknown": ("y:4x1x8x8", 'digits-cnn.onnx: there is no input "y" for --shapes '
                "'y:4x1x8x8'; did you mean \"x\"?"),
    "rank": ("x:4x1x8", 'input "x": expects rank 4, but --shapes \'x:4x1x8\' gives 3 dims\nnote: '),
    "static": ("x:4x1x9x8", 'input "x": expects size 8 in dim 2, but --shapes \'x:4x1x9x8\' '
               "gives 9\nnote: the model itself fixes this dim; give 8 or ?"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_shapes_that_do_not_fit(name, tmp_path):
    shapes, text = REFUSALS[name]
    result = run_tool("qopt-compile", CNN, "--shapes", shapes, "-o", tmp_path / "m.so")
    assert result.returncode == 2
    assert text in result.stderr
    assert not list(tmp_path.iterdir())


def test_equal_names_have_equal_sizes(encoder, tmp_path):
    result = run_tool("qopt-compile", encoder, "--shapes", "ids:2x9,mask:3x9", "-o",
                      tmp_path / "m.so")
    assert result.returncode == 2
    assert ('input "mask": expects size 2 in dim 0, as \'ids:2x9\' gives to "batch", but '
            "--shapes 'mask:3x9' gives 3\nnote: ") in result.stderr


def test_samples_of_other_dims_calibrate_before_the_dims_are_fixed(tmp_path):
    (tmp_path / "calib").mkdir()
    for i, count in enumerate((3, 1, 7)):
        np.savez(tmp_path / "calib" / f"{i}.npz", **images(count))
    flags = ["--preset", "w8a8", "--calib", tmp_path / "calib", "--accuracy-gate", "cosine>=0.9"]
    for name, more in {"open": [], "fixed": ["--shapes", "x:4x1x8x8"]}.items():
        run_ok("qopt-compile", CNN, *flags, *more, "-o", tmp_path / f"{name}.so", "--quiet")
    np.savez(tmp_path / "in.npz", **images(4))
    run_ok("qopt-run", tmp_path / "open.so", "--inputs", tmp_path / "in.npz", "--outputs",
           tmp_path / "out.npz")
    run_ok("qopt-run", tmp_path / "fixed.so", "--inputs", tmp_path / "in.npz", "--expect",
           tmp_path / "out.npz", "--atol", 0, "--rtol", 0)
    described = json.loads(run_ok("qopt-run", tmp_path / "fixed.so", "--describe", "--json"))
    assert described["inputs"][0]["dims"] == [4, 1, 8, 8]
    assert described["outputs"][0]["dims"] == [4, 10]
    # A quantized ONNX file has the dims as well.
    run_ok("qopt-compile", CNN, *flags, "--shapes", "x:4x1x8x8", "--emit", "qdq-onnx", "-o",
           tmp_path / "q.onnx", "--quiet")
    shape = onnx.load(tmp_path / "q.onnx").graph.input[0].type.tensor_type.shape
    assert [dim.dim_value for dim in shape.dim] == [4, 1, 8, 8]
    result = run_tool("qopt-compile", CNN, *flags[:4], "--shapes", "x:4x1x8x8", "--stop-after",
                      "transform", "-o", tmp_path / "t.mlir")
    assert result.returncode == 2
    assert "fixed at the end of quantize, behind --stop-after=transform" in result.stderr


def test_sentences_of_other_lengths_calibrate(encoder, tmp_path):
    (tmp_path / "calib").mkdir()
    for i, length in enumerate((5, 12, 9)):
        np.savez(tmp_path / "calib" / f"{i}.npz", **sentences(2, length))
    flags = ["--preset", "w8a8", "--calib", tmp_path / "calib"]
    compile_both(encoder, "ids:2x9", tmp_path, *flags)
    assert described(tmp_path)["f"] == [2, 9, WIDTH]
    check_same_bits(sentences(2, 9), tmp_path)


def test_samples_that_fit_in_no_way_are_named(tmp_path):
    np.savez(tmp_path / "calib.npz", x=np.zeros((3, 1, 8, 9), np.float32))
    result = run_tool("qopt-compile", CNN, "--preset", "w8a8", "--calib", tmp_path / "calib.npz",
                      "--shapes", "x:4x1x8x8", "-o", tmp_path / "m.so")
    assert result.returncode == 1
    assert "calib.npz: array 'x' expects size 4 on axis 0, but found 3x1x8x9" in result.stderr


def test_a_phase_file_has_its_shapes(tmp_path):
    run_ok("qopt-compile", CNN, "--stop-after", "import", "-o", tmp_path / "p.mlir")
    result = run_tool("qopt-compile", tmp_path / "p.mlir", "--start-from", "import", "--shapes",
                      "x:4x1x8x8", "-o", tmp_path / "m.so")
    assert result.returncode == 2
    assert "--shapes fixes dims when a model is imported" in result.stderr
    assert "note: give --shapes where the phase file is made" in result.stderr


def test_a_squeeze_of_what_is_1(tmp_path):
    """Which axes it takes away is known where the dims are."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Squeeze", ["x"], ["y"], "/squeeze")], "g",
        [value("x", TensorProto.FLOAT, ["batch", 3, 1])], [value("y", TensorProto.FLOAT, None)])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]),
              tmp_path / "m.onnx")
    result = run_tool("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so")
    assert result.returncode == 3
    assert "node \"/squeeze\" (Squeeze, opset 13)" in result.stderr
    assert "give the dims of inputs with --shapes" in result.stderr
    for batch, dims in [(1, (3,)), (2, (2, 3))]:
        run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so", "--quiet",
               "--shapes", f"x:{batch}x3x1")
        x = np.arange(batch * 3, dtype=np.float32).reshape(batch, 3, 1)
        np.savez(tmp_path / "in.npz", x=x)
        run_ok("qopt-run", tmp_path / "m.so", "--inputs", tmp_path / "in.npz",
               "--outputs", tmp_path / "out.npz")
        assert np.array_equal(np.load(tmp_path / "out.npz")["y"], x.reshape(dims))
