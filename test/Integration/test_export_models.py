"""Models that qopt-compile exports compute elsewhere what its artefacts compute.

ONNX Runtime runs them where it has kernels for the element types, else the
reference evaluator of onnx. qopt itself imports them again.
"""

import json
import sys

import jsonschema
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from qopt_tools import MODELS, ROOT, run_ok

sys.path.insert(0, str(MODELS))
from fetch import FetchError
from samples import read_samples, write_samples
from tasks import prepare

# By preset, the largest error in parts of the largest value. Rounding an
# activation lets the last bit of a sum become a step of a code.
FLOAT, CODES = 1e-4, 2e-2
PRESETS = {"fp32": FLOAT, "w4a16-g32": FLOAT, "w4a16-g32-pow2": FLOAT, "mxfp8-e4m3-a16": FLOAT,
           "w8a8": CODES, "w8a8-dynamic": CODES, "w8a8-pow2": CODES, "w4a8-g32": CODES,
           "mxint8": CODES, "mxfp8-e4m3": CODES, "mxfp8-e5m2": CODES}
# ONNX Runtime has no kernels for their elements.
NARROW_PRESETS = {"mxfp4": CODES, "mxfp6-e2m3": CODES, "mxfp6-e3m2": CODES, "nvfp4": CODES,
                  "mxfp4-a16": FLOAT, "nvfp4-a16": FLOAT}
OPSETS = {"w4a16-g32-pow2": 24, "nvfp4": 23, "nvfp4-a16": 23, "mxfp6-e2m3": 28,
          "mxfp6-e3m2": 28}


# The whole model takes seconds to compile: one preset for each way to export.
LARGE_PRESETS = ["fp32", "w8a8", "w8a8-dynamic", "w4a16-g32", "mxfp8-e4m3"]


def get_opset(preset):
    return OPSETS.get(preset, 24 if preset.startswith("mx") else 21)


TASKS = ["digits-mlp", "digits-cnn", "ppocr-cls"]
each_task = pytest.mark.parametrize("task", TASKS, indirect=True)


def pair(*presets, large=LARGE_PRESETS):
    """Models, which `task` prepares, and presets; of the large one, those of `large`."""
    pairs = [(model, preset) for model in TASKS
             for preset in presets if model != "ppocr-cls" or preset in large]
    return pytest.mark.parametrize("task, preset", pairs, indirect=["task"])


@pytest.fixture(scope="module")
def task(request, tmp_path_factory):
    """A model, samples to calibrate with, and up to five to run."""
    folder = tmp_path_factory.mktemp(request.param)
    try:
        prepared = prepare(request.param)
    except FetchError as error:
        pytest.skip(str(error))
    count = 5 if request.param == "ppocr-cls" else 1
    write_samples(folder / "calib", read_samples(prepared.calib)[:3])
    write_samples(folder / "eval", read_samples(prepared.eval)[:count])
    return prepared.model, folder


def compile_model(model, folder, preset, output, *more):
    run_ok("qopt-compile", model, "-o", output, "--preset", preset, "--calib",
           folder / "calib", "--quiet", *more)
    return output


def run_qopt(model, folder, outputs, *more):
    run_ok("qopt-run", model, "--inputs", folder / "eval", "--outputs", outputs, *more)
    return [next(iter(sample.values())) for sample in read_samples(outputs)]


def make_session(model, optimize):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Products with weights in blocks may not round their activations.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def run_session(model, folder, optimize):
    session = make_session(model, optimize)
    return [session.run(None, sample)[0] for sample in read_samples(folder / "eval")]


def expect_agreement(found, expected, bound):
    assert len(found) == len(expected) > 0
    for have, want in zip(found, expected):
        assert have.shape == want.shape and have.dtype == want.dtype
        assert np.abs(have - want).max() <= bound * np.abs(want).max()
        np.testing.assert_array_equal(have.argmax(-1), want.argmax(-1))


def expect_valid(exported, model, opset):
    """Names and dims are those of the model; the opset is the lowest possible."""
    exported, model = onnx.load(exported), onnx.load(model)
    onnx.checker.check_model(exported, full_check=True)
    assert exported.opset_import[0].version == opset
    assert [value.name for value in exported.graph.output] == [
        value.name for value in model.graph.output]
    for have, want in zip(exported.graph.input, model.graph.input, strict=True):
        assert have.name == want.name
        for a, b in zip(have.type.tensor_type.shape.dim, want.type.tensor_type.shape.dim,
                        strict=True):
            assert a.dim_value == max(b.dim_value, 0)
            assert a.dim_param in (b.dim_param, "")
    names = [node.name for node in exported.graph.node]
    assert len(set(names)) == len(names)
    assert {node.name for node in model.graph.node if node.op_type == "Conv"} - {""} <= set(names)


@pair(*PRESETS)
def test_onnx_runtime(task, preset, tmp_path):
    model, folder = task
    bound = PRESETS[preset]
    exported = compile_model(model, folder, preset, tmp_path / "m.onnx", "--emit", "qdq-onnx")
    expect_valid(exported, model, get_opset(preset))
    artefact = compile_model(model, folder, preset, tmp_path / "m.so")
    expected = run_qopt(artefact, folder, tmp_path / "out")
    plain = run_session(exported, folder, optimize=False)
    expect_agreement(plain, expected, bound)
    expect_agreement(run_session(exported, folder, optimize=True), expected, bound)
    # Codes that differ are few: what ONNX Runtime does not fuse has our biases. One
    # next to the middle of a step can move a sample, and most samples have none.
    errors = [np.abs(have - want).mean() / np.abs(want).max()
              for have, want in zip(plain, expected)]
    assert np.median(errors) <= bound / 50, errors


@pair(*NARROW_PRESETS)
def test_reference_evaluator_of_onnx(task, preset, tmp_path):
    model, folder = task
    exported = compile_model(model, folder, preset, tmp_path / "m.onnx", "--emit", "qdq-onnx")
    expect_valid(exported, model, get_opset(preset))
    artefact = compile_model(model, folder, preset, tmp_path / "m.so")
    # The evaluator takes seconds for a sample.
    expected = run_qopt(artefact, folder, tmp_path / "out")[:2]
    evaluator = ReferenceEvaluator(onnx.load(exported))
    found = [evaluator.run(None, sample)[0] for sample in read_samples(folder / "eval")[:2]]
    expect_agreement(found, expected, NARROW_PRESETS[preset])


@pair("fp32", "w8a8", "w8a8-dynamic", "w4a16-g32", "w8a8-pow2")
def test_compiled_again(task, preset, tmp_path):
    model, folder = task
    exported = compile_model(model, folder, preset, tmp_path / "m.onnx", "--emit", "qdq-onnx")
    artefact = compile_model(model, folder, preset, tmp_path / "m.so")
    again = compile_model(exported, folder, "fp32", tmp_path / "again.so")
    expect_agreement(run_qopt(again, folder, tmp_path / "again"),
                     run_qopt(artefact, folder, tmp_path / "out"), PRESETS[preset])


@pair("mxint8", "mxfp8-e4m3", *NARROW_PRESETS, large=[])
def test_imported_again(task, preset, tmp_path):
    model, folder = task
    exported = compile_model(model, folder, preset, tmp_path / "m.onnx", "--emit", "qdq-onnx")
    artefact = compile_model(model, folder, preset, tmp_path / "m.so")
    expect_agreement(run_qopt(exported, folder, tmp_path / "again", "--reference"),
                     run_qopt(artefact, folder, tmp_path / "out"), CODES)


@each_task
def test_codes_are_those_of_a_product_with_the_reciprocal(task, tmp_path):
    """QuantizeLinear divides: of codes one in 100 000 may differ, by one step."""
    path, folder = task
    exported = compile_model(path, folder, "w8a8", tmp_path / "m.onnx", "--emit", "qdq-onnx")
    model = onnx.load(exported)
    constants = {tensor.name: numpy_helper.to_array(tensor)
                 for tensor in model.graph.initializer}
    quantizers = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    known = {value.name for value in [*model.graph.input, *model.graph.output]}
    for name in {name for node in quantizers for name in (node.input[0], node.output[0])} - known:
        model.graph.output.append(onnx.ValueInfoProto(name=name))
    onnx.save(model, tmp_path / "watched.onnx")
    session = make_session(tmp_path / "watched.onnx", optimize=False)
    names = [output.name for output in session.get_outputs()]
    differences = []
    for sample in read_samples(folder / "eval"):
        values = dict(zip(names, session.run(names, sample))) | sample
        for node in quantizers:
            x, scale, zero = values[node.input[0]], *(constants[name] for name in node.input[1:])
            codes = np.rint(x * (np.float32(1) / scale)) + zero.astype(np.float32)
            limits = np.iinfo(zero.dtype)
            codes = np.clip(codes, limits.min, limits.max)
            differences.append((codes - values[node.output[0]]).ravel())
    differences = np.concatenate(differences)
    assert np.abs(differences).max() <= 1
    assert np.count_nonzero(differences) <= 1e-5 * differences.size


@each_task
def test_names_and_file_are_the_same_every_time(task, tmp_path):
    model, folder = task
    files = [compile_model(model, folder, "w8a8", tmp_path / name, "--emit", "qdq-onnx")
             for name in ("a.onnx", "b.onnx")]
    assert files[0].read_bytes() == files[1].read_bytes()


@each_task
def test_the_contract_and_the_gate_are_those_of_the_artefact(task, tmp_path):
    model, folder = task
    compile_model(model, folder, "w8a8", tmp_path / "m.onnx", "--emit", "qdq-onnx",
                  "--fail-on-fallback", "--accuracy-gate", "cosine>=0.9",
                  "--report", tmp_path / "report")
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)
    rows = [row for row in report["contract"] if row["op"] in ("Conv", "Gemm")]
    assert {row["realised"] for row in rows} <= {"i8 x i8 static", "i8 x i8 dynamic"}
    assert report["accuracy"][0]["cosine"] >= 0.9
    assert report["target"] == "onnx" and report["tiers"] == []
    # Kernels are the other runtime's.
    assert {row["kernel"].split(" in ")[0] for row in report["contract"]} <= {"", "folded"}


@pytest.mark.parametrize("preset", ["fp32", "w4a16-g32"])
def test_sentence_encoder(preset, tmp_path):
    """Attention, Gelu and LayerNormalization, and a table that is gathered."""
    try:
        prepared = prepare("minilm")
    except FetchError as error:
        pytest.skip(str(error))
    write_samples(tmp_path / "eval", read_samples(prepared.eval)[:2])
    exported, artefact = tmp_path / "m.onnx", tmp_path / "m.so"
    for output, more in {exported: ["--emit", "qdq-onnx"], artefact: []}.items():
        run_ok("qopt-compile", prepared.model, "-o", output, "--preset", preset, "--quiet",
               *more)
    expect_valid(exported, prepared.model, 21)
    operators = {node.op_type for node in onnx.load(exported).graph.node}
    assert {"Gelu", "LayerNormalization", "Softmax"} <= operators
    expected = run_qopt(artefact, tmp_path, tmp_path / "out")
    for have, want in zip(run_session(exported, tmp_path, True), expected, strict=True):
        assert np.abs(have - want).max() <= FLOAT * np.abs(want).max()
