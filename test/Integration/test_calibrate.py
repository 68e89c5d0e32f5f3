"""What samples show and do not show decides numbers, and never ends a compilation without need.

Models are made here: few rows for many channels, masks of minus infinity, channels that died in
training, parts of one tensor a hundredfold apart.
"""

import json
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import MODELS, run_ok, run_tool

sys.path.insert(0, str(MODELS))
from samples import write_samples


class Model:
    """Builds a graph; each method gives the name of what it computes."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.weights = [], []

    def constant(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    def node(self, kind, *inputs, output=None, **attributes):
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], "/" + output, **attributes))
        return output

    def linear(self, x, inputs, outputs, output=None):
        weight = self.rng.normal(0, inputs ** -0.5, (inputs, outputs))
        return self.node("MatMul", x, self.constant(weight), output=output)

    def conv(self, x, weight, bias, output=None):
        pad = weight.shape[-1] // 2
        return self.node("Conv", x, self.constant(weight), self.constant(bias), output=output,
                         pads=[pad] * 4)

    def save(self, folder, dims, samples, **others):
        """Writes model, 16 samples to calibrate and the rest to judge.

        Beside x, `others` are the dims of more inputs; then samples are dictionaries.
        """
        graph = helper.make_graph(
            self.nodes, "made",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, of)
             for name, of in {"x": dims, **others}.items()],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], self.weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                    ir_version=8), folder / "model.onnx")
        if not others:
            samples = [{"x": sample} for sample in samples]
        samples = [{name: array.astype(np.float32) for name, array in sample.items()}
                   for sample in samples]
        write_samples(folder / "calib", samples[:16])
        write_samples(folder / "eval", samples[16:])


def few_rows(folder):
    model = Model(1)
    x = "x"
    for width in (64, 128):
        x = model.node("Tanh", model.linear(x, width, 128))
        x = model.node("Mul", x, model.constant(np.exp(model.rng.normal(0, 0.7, 128))))
    model.linear(x, 128, 10, output="y")
    spread = np.exp(model.rng.normal(0, 0.7, 64))
    model.save(folder, ["n", 64], [model.rng.normal(0, 1, (1, 64)) * spread for _ in range(64)])


def masked(folder):
    model = Model(2)
    heads = [model.linear("x", 16, 16) for _ in range(3)]
    scores = model.node("MatMul", heads[0], model.node("Transpose", heads[1], perm=[0, 2, 1]))
    mask = np.where(np.triu(np.ones((8, 8)), 1), -np.inf, 0)
    weights = model.node("Softmax", model.node("Add", scores, model.constant(mask)), axis=-1)
    # Logarithms of what the mask left out: infinite, and read by a product.
    kept = model.node("Max", model.node("Log", weights), model.constant([-9]))
    model.linear(model.node("Add", model.node("MatMul", weights, heads[2]),
                            model.linear(kept, 8, 16)), 16, 5, output="y")
    model.save(folder, ["n", 8, 16], model.rng.normal(0, 1, (24, 2, 8, 16)))


def masked_by_input(folder, rows_without_keys=0):
    """Attention whose samples bring a mask of minus infinity for padding."""
    model = Model(5)
    heads = [model.linear("x", 16, 16) for _ in range(3)]
    scores = model.node("MatMul", heads[0], model.node("Transpose", heads[1], perm=[0, 2, 1]))
    weights = model.node("Softmax", model.node("Add", scores, "mask"), axis=-1)
    mixed = model.node("Tanh", model.node("MatMul", weights, heads[2]), output="mixed")
    model.linear(mixed, 16, 5, output="y")

    def sample():
        mask = np.zeros((2, 8, 8))
        mask[:, :, 8 - model.rng.integers(1, 4):] = -np.inf
        mask[1, 8 - rows_without_keys:] = -np.inf
        return {"x": model.rng.normal(0, 1, (2, 8, 16)), "mask": mask}
    model.save(folder, ["n", 8, 16], [sample() for _ in range(24)], mask=["n", 8, 8])


def dying(folder):
    model = Model(3)
    x, inputs = "x", 3
    for _ in range(3):
        weight = model.rng.normal(0, (2 / inputs / 9) ** 0.5, (12, inputs, 3, 3))
        bias = model.rng.normal(0, 0.2, 12)
        weight[:4] *= 1e-7
        bias[:4] = [0.5, 0.3, 1e-6, 0]
        x, inputs = model.node("Relu", model.conv(x, weight, bias)), 12
    model.conv(x, model.rng.normal(0, 0.2, (6, 12, 1, 1)), np.zeros(6), output="y")
    model.save(folder, ["n", 3, 12, 12], model.rng.normal(0, 1, (24, 1, 3, 12, 12)))


def parts(folder):
    """Positions of hundreds and scores below 1 in one tensor."""
    model = Model(4)
    x = model.node("Relu", model.conv("x", model.rng.normal(0, 0.3, (8, 3, 3, 3)), np.zeros(8)))
    boxes = model.conv(x, model.rng.normal(0, 80, (4, 8, 1, 1)), np.zeros(4))
    scores = model.node("Sigmoid", model.conv(x, model.rng.normal(0, 1, (6, 8, 1, 1)), np.zeros(6)))
    model.node("Concat", boxes, scores, axis=1, output="y")
    model.save(folder, ["n", 3, 12, 12], model.rng.normal(0, 1, (24, 1, 3, 12, 12)))


def split_parts(folder):
    """Two parts of a Split, of other sizes and a hundredfold apart, each in front of a product."""
    model = Model(8)
    scale = np.where(np.arange(24) < 8, 100, 1) * np.ones(24)
    x = model.node("Mul", "x", model.constant(scale))
    model.weights.append(numpy_helper.from_array(np.array([8, 16], np.int64), "sizes"))
    model.nodes.append(helper.make_node("Split", [x, "sizes"], ["loud", "quiet"], "/split", axis=-1))
    model.linear("loud", 8, 6, output="a")
    model.linear("quiet", 16, 6, output="b")
    model.node("Concat", "a", "b", axis=1, output="y")
    model.save(folder, ["n", 24], model.rng.normal(0, 1, (24, 4, 24)))


def loud_row(folder):
    """Eight tokens, the first of which is always the same and hundreds of times the others."""
    model = Model(6)
    x = model.node("Relu", model.linear("x", 16, 32))
    model.linear(x, 32, 5, output="y")
    samples = model.rng.normal(0, 1, (24, 1, 8, 16))
    samples[:, :, 0] = 300 * np.abs(model.rng.normal(0, 1, 16))
    model.save(folder, ["n", 8, 16], samples)


def unread_peaks(folder):
    """Images with a peak in a channel of which the convolution makes nothing."""
    model = Model(8)
    weight = model.rng.normal(0, 0.1, (6, 64, 3, 3))
    weight[:, 5] *= 1e-3
    model.conv("x", weight, np.zeros(6), output="y")
    samples = model.rng.normal(0, 1, (24, 1, 64, 16, 16))
    samples[:, 0, 5, 7, 7] = 60
    model.save(folder, ["n", 64, 16, 16], samples)


def rows_of_one_value(folder):
    """One value in a row of 4096 is as large as all others together."""
    model = Model(9)
    model.linear("x", 4096, 8, output="y")
    samples = model.rng.normal(0, 1, (40, 16, 4096))
    for rows in samples:
        rows[np.arange(16), model.rng.integers(0, 4096, 16)] = 64
    model.save(folder, ["n", 4096], samples)


def compile_model(folder, preset, *more):
    """The report, and what was printed as warnings."""
    result = run_tool("qopt-compile", folder / "model.onnx", "-o", folder / "m.so", "--calib",
                      folder / "calib", "--report", folder / "report",
                      *(["--preset", preset] if preset else []), *more)
    assert result.returncode == 0, result.stderr
    return json.loads((folder / "report" / "report.json").read_text()), result.stderr


def measure(folder, preset, part=slice(None), *more):
    """Decibels of signal to noise over all samples that were not calibrated with."""
    compile_model(folder, preset, *more)
    signal = noise = 0
    for name, model in (("float", "model.onnx"), ("coded", "m.so")):
        run_ok("qopt-run", folder / model, "--inputs", folder / "eval", "--outputs", folder / name,
               *(["--reference"] if name == "float" else []))
    for path in sorted((folder / "float").glob("*.npz")):
        exact, found = (np.load(folder / name / path.name)["y"].astype(float)[:, part]
                        for name in ("float", "coded"))
        signal += (exact ** 2).sum()
        noise += ((exact - found) ** 2).sum()
    return 10 * np.log10(signal / noise)


@pytest.mark.parametrize("make, preset, least", [
    (few_rows, "w8a8", 27), (few_rows, "w8a8-pow2", 20),
    (masked, "w8a8", 25), (masked, "w8a8-pow2", 20),
    (masked_by_input, "w8a8", 25), (masked_by_input, "w8a8-pow2", 20),
    (dying, "w8a8", 30), (dying, "w8a8-pow2", 25),
])
def test_new_samples_are_answered_as_well(make, preset, least, tmp_path):
    make(tmp_path)
    assert measure(tmp_path, preset) >= least


def test_small_parts_of_a_tensor_keep_their_bits(tmp_path):
    parts(tmp_path)
    assert measure(tmp_path, "w8a8-pow2", slice(4, None)) >= 25


@pytest.mark.parametrize("preset, least", [("w8a8", 35), ("w8a8-pow2", 30)])
def test_each_part_of_a_split_has_its_range(preset, least, tmp_path):
    split_parts(tmp_path)
    for part in (slice(0, 6), slice(6, None)):
        assert measure(tmp_path, preset, part) >= least


def test_infinity_of_the_model_is_a_warning(tmp_path):
    masked(tmp_path)
    report, printed = compile_model(tmp_path, "w8a8-pow2")
    warning, = [text for text in report["warnings"] if "infinity" in text]
    assert "/log_" in warning or "/add_" in warning
    assert f"qopt-compile: warning: {warning}" in printed
    assert "warning" not in compile_model(tmp_path, "w8a8-pow2", "--quiet")[1]


def test_rescaled_layers_are_rows_of_the_report(tmp_path):
    dying(tmp_path)
    rows = compile_model(tmp_path, "w8a8-pow2")[0]["rescaled"]
    assert {row["transform"] for row in rows} <= {"equalize"}
    few_rows(tmp_path)
    # One channel that is a hundred times the others is worth a factor.
    samples = [dict(np.load(path)) for path in sorted((tmp_path / "calib").glob("*.npz"))]
    for sample in samples:
        sample["x"] = np.sign(sample["x"])
        sample["x"][:, 5] *= 100
    write_samples(tmp_path / "calib", samples)
    rows = compile_model(tmp_path, "w8a8")[0]["rescaled"]
    row = rows[0]
    assert (row["node"], row["transform"]) == ("/matmul_0", "smooth")
    assert row["gain_db"] > 3 and row["largest_factor"] > 10 * row["smallest_factor"]


def with_loud_channels(folder, loudness=50, has_small_weights=True):
    """Two layers; two channels between them are fifty times the others, as in transformers."""
    model = Model(10)
    spread = np.where(np.isin(np.arange(64), (7, 40)), loudness, 1)
    x = model.node("Mul", model.node("Tanh", model.linear("x", 32, 64)), model.constant(spread))
    weight = model.rng.normal(0, 1, (64, 16)) / (spread[:, None] if has_small_weights else 1)
    model.node("Add", model.node("MatMul", x, model.constant(weight)),
               model.constant(np.zeros(16)), output="y")
    model.save(folder, ["n", 32], model.rng.normal(0, 1, (32, 8, 32)))


def measure_recipe(folder, preset, keys):
    """Decibels of a preset with more keys, where policy changes nothing."""
    recipe = folder / "recipe.yaml"
    recipe.write_text(f"{{version: 1, preset: {preset}, {keys}, policy: {{min-output-sqnr: 0}}}}")
    return measure(folder, None, slice(None), "--recipe", recipe)


@pytest.mark.parametrize("preset, gain", [("w8a8-dynamic", 10), ("mxint8", 4), ("mxfp4", 2),
                                          ("nvfp4", 2)])
def test_codes_of_rows_and_blocks_are_smoothed_as_well(preset, gain, tmp_path):
    """SmoothQuant in front of microscaling formats, as in arXiv 2405.07135."""
    with_loud_channels(tmp_path)

    def measure_with(smooth):
        return measure_recipe(tmp_path, preset, f"transforms: {{smooth: {smooth}}}")

    plain, searched = measure_with("off"), measure_with("search")
    assert searched > plain + gain, (plain, searched)
    assert searched > measure_with("0.5") - 1


@pytest.mark.parametrize("preset, gain", [("w4a16-g32", 1), ("mxfp4-a16", 0.5), ("nvfp4-a16", 0.5)])
def test_weights_of_loud_channels_get_finer_codes(preset, gain, tmp_path):
    """AWQ."""
    with_loud_channels(tmp_path, has_small_weights=False)

    def measure_with(awq):
        return measure_recipe(tmp_path, preset, f"transforms: {{awq: {awq}}}")

    plain, scaled = measure_with("false"), measure_with("true")
    assert scaled > plain + gain, (plain, scaled)


@pytest.mark.parametrize("preset, gain", [("w8a8", 6), ("w8a8-dynamic", 6), ("mxint8", 4), ("mxfp4", 1)])
def test_rotations_spread_loud_channels(preset, gain, tmp_path):
    """QuaRot; blocks of 32 in front of microscaling formats, as in arXiv 2509.23202."""
    # Of four bits, weights lose where small ones meet what is loud.
    with_loud_channels(tmp_path, *((20, False) if preset == "mxfp4" else ()))

    def measure_with(rotate):
        return measure_recipe(tmp_path, preset, f"transforms: {{rotate: {rotate}, smooth: off}}")

    plain, rotated = measure_with("off"), measure_with(32)
    assert rotated > plain + gain, (plain, rotated)


@pytest.mark.parametrize("preset, gain", [("w8a8-dynamic", 3), ("w4a16-g32", 1), ("mxfp4", 1)])
def test_the_best_effort_is_nearer_to_the_model(preset, gain, tmp_path):
    with_loud_channels(tmp_path, 20, False)

    plain, best = (measure_recipe(tmp_path, preset, f"effort: {effort}")
                   for effort in ("default", "best"))
    assert best > plain + gain, (plain, best)


@pytest.mark.parametrize("preset", ["w8a8-dynamic", "w4a16-g32", "mxfp4"])
def test_biases_make_up_for_weights_wherever_there_are_samples(preset, tmp_path):
    """Behind a ReLU every channel has a mean, which the error of a weight multiplies."""
    model = Model(11)
    x = model.node("Relu", model.node("Add", model.linear("x", 16, 128),
                                      model.constant(np.full(128, 4))))
    model.node("Add", model.linear(x, 128, 8), model.constant(np.zeros(8)), output="y")
    model.save(tmp_path, ["n", 16], model.rng.normal(0, 1, (32, 8, 16)))
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"{{version: 1, preset: {preset}, rounding: {{correct-bias: false}}}}")
    without = measure(tmp_path, None, slice(None), "--recipe", recipe)
    assert measure(tmp_path, preset) > without + 1


def test_factors_without_samples_are_refused(tmp_path):
    with_loud_channels(tmp_path)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("{version: 1, preset: mxfp4, transforms: {smooth: search}}")
    result = run_tool("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "m.so",
                      "--recipe", recipe)
    assert result.returncode == 2
    assert "transforms.smooth" in result.stderr and "note: give --calib DIR" in result.stderr


def test_a_sample_that_does_not_run_is_named(tmp_path):
    few_rows(tmp_path)
    write_samples(tmp_path / "calib", [{"x": np.zeros((1, 64), np.float32)},
                                       {"x": np.zeros((1, 63), np.float32)}])
    result = run_tool("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "m.so",
                      "--preset", "w8a8", "--calib", tmp_path / "calib")
    assert result.returncode == 1
    assert ".npz: array 'x' expects size 64 on axis 1, but found 1x63" in result.stderr


@pytest.mark.parametrize("preset", ["w8a8", "w8a8-pow2"])
def test_infinity_of_a_sample_that_reaches_codes_is_an_error(preset, tmp_path):
    """Row 6 of the mask leaves nothing to look at, so what the last product reads is NaN."""
    masked_by_input(tmp_path, rows_without_keys=2)
    expect_blame(tmp_path, preset, "0000.npz: array 'mask' holds NaN or infinity at element",
                 ", which reaches node '/mixed', but the static codes of it have neither")
    few_rows(tmp_path)
    sample = np.ones((1, 64), np.float32)
    sample[0, 7] = np.nan
    write_samples(tmp_path / "calib", [{"x": np.ones((1, 64), np.float32)}, {"x": sample}])
    expect_blame(tmp_path, preset, "0001.npz: array 'x' holds NaN or infinity at element 7, but")


def expect_blame(folder, preset, *texts):
    result = run_tool("qopt-compile", folder / "model.onnx", "-o", folder / "m.so",
                      "--preset", preset, "--calib", folder / "calib")
    assert result.returncode == 1
    for text in texts:
        assert text in result.stderr
    assert "note: mend or leave out the sample" in result.stderr
    assert not (folder / "m.so").exists()


def test_a_loud_row_hides_no_quiet_one(tmp_path):
    loud_row(tmp_path)
    assert measure(tmp_path, "w8a8", slice(1, None)) > 25
    report, _ = compile_model(tmp_path, "w8a8")
    reasons = [row["reason"] for row in report["contract"] if row["op"] == "MatMul"]
    assert all("static costs" in reason for reason in reasons), reasons


@pytest.mark.parametrize("make, right, wrong", [
    (unread_peaks, "percentile", "min-max"), (rows_of_one_value, "min-max", "percentile"),
])
def test_ranges_are_cut_where_it_helps_and_only_there(make, right, wrong, tmp_path):
    """Neither rule is right for all tensors; the default is as good as the better one."""
    make(tmp_path)

    def measure_rule(rule):
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text("{version: 1, preset: w8a8, activations: {max-static-cost: 1000}, "
                          f"calibration: {{{rule}percentile: 0.999}}}}")
        return measure(tmp_path, None, slice(None), "--recipe", recipe)

    found = measure_rule("")
    assert found > measure_rule(f"range: {right}, ") - 0.5
    assert found > measure_rule(f"range: {wrong}, ") + 2


# The ends of what samples can hold ----------------------------------------------

def line(folder, samples, scale=1.0, bias=None):
    """One product of four inputs, with as many samples as are given."""
    model = Model(7)
    weight = model.constant(model.rng.normal(0, scale, (4, 3)))
    if bias is None:
        model.node("MatMul", "x", weight, output="y")
    else:
        model.node("Relu", model.node("Gemm", "x", weight, model.constant([bias] * 3)), output="y")
    model.save(folder, ["n", 4], samples)


def gate(folder, expression):
    return run_tool("qopt-compile", folder / "model.onnx", "-o", folder / "m.so", "--preset",
                    "w8a8", "--calib", folder / "calib", "--accuracy-gate", expression)


def test_a_gate_that_sees_no_number_is_not_kept(tmp_path):
    rows = [np.ones((2, 4)) * i for i in range(5)]
    rows[3] = np.ones((0, 4))
    line(tmp_path, rows)
    result = gate(tmp_path, "max-error<=1000")
    assert result.returncode == 1
    assert 'output "y": the samples have no number that the accuracy gate' in result.stderr
    assert not (tmp_path / "m.so").exists()


def test_outputs_that_are_zero_and_right_keep_any_gate(tmp_path):
    line(tmp_path, [np.random.default_rng(i).normal(0, 1, (2, 4)) for i in range(5)], bias=-100)
    for expression in ("sqnr>=60", "cosine>=0.9999", "max-error<=0"):
        result = gate(tmp_path, expression)
        assert result.returncode == 0, result.stderr


def test_samples_without_a_number_leave_a_warning(tmp_path):
    line(tmp_path, [np.ones((0, 4))] * 4)
    report, warnings = compile_model(tmp_path, "w8a8")
    assert "no finite value in any sample at input 'x'" in warnings
    assert {row["planned"] for row in report["contract"]} == {"i8 x i8 dynamic"}


@pytest.mark.parametrize("preset", ["w8a8", "w8a8-pow2"])
def test_ranges_are_finite_up_to_the_largest_float(preset, tmp_path):
    rng = np.random.default_rng(3)
    line(tmp_path, [rng.uniform(-3.3e38, 3.3e38, (4, 4)) for _ in range(8)], scale=1e-38)
    compile_model(tmp_path, preset)
    text = (tmp_path / "report" / "report.json").read_text()
    assert "Infinity" not in text and "inf" not in text.replace("inference", "")
    assert all(np.isfinite([row["min"], row["max"]]).all() for row in json.loads(text)["ranges"])


def test_numbers_near_zero_are_not_smoothed_to_infinity(tmp_path):
    rng = np.random.default_rng(3)
    line(tmp_path, [rng.normal(0, 1e-39, (4, 4)) for _ in range(8)])
    warnings = compile_model(tmp_path, "w8a8")[1]
    assert "NaN or infinity" not in warnings
