"""The committed digit classifiers answer as well as their training said."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
import digits_data
import numpy_layers
from evaluate import evaluate_ort
from samples import read_samples, write_samples
from tasks import prepare


@pytest.fixture(params=["digits-mlp", "digits-cnn"])
def prepared(request, tmp_path):
    return prepare(request.param, tmp_path / "data")


def test_accuracy(prepared):
    assert evaluate_ort(prepared)["accuracy"] >= 0.97


def test_score_counts_wrong_answers(prepared, tmp_path):
    labels = np.load(prepared.data / "labels.npz")["labels"]
    wrong = np.eye(10, dtype=np.float32)[(labels + 1) % 10]
    wrong[:125] = np.eye(10)[labels[:125]]
    write_samples(tmp_path / "out", [{"logits": wrong[i:i + 100]} for i in range(0, 500, 100)])
    assert prepared.score(tmp_path / "out") == {"accuracy": 0.25}


def test_score_refuses_missing_outputs(prepared, tmp_path):
    write_samples(tmp_path / "out", [{"logits": np.zeros((100, 10))}])
    with pytest.raises(ValueError, match="expected 5 samples, but found 1"):
        prepared.score(tmp_path / "out")


def test_calibration_holds_no_test_image(prepared):
    test = np.concatenate([s["x"] for s in read_samples(prepared.eval)])
    for sample in read_samples(prepared.calib):
        assert not (test == sample["x"]).reshape(len(test), -1).all(axis=1).any()


def test_the_same_bytes_every_time(tmp_path):
    for folder in ("a", "b"):
        digits_data.write_data("cnn", tmp_path / folder)
    for path in (tmp_path / "a").rglob("*.npz"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_cnn_keeps_its_batch_normalizations():
    model = onnx.load(Path(digits_data.__file__).with_name("digits-cnn.onnx"))
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("BatchNormalization") == 4
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


@pytest.mark.parametrize("layer", [
    numpy_layers.Linear(np.random.default_rng(1), 3, 4),
    numpy_layers.Conv(np.random.default_rng(1), 2, 3, 3),
    numpy_layers.DepthwiseConv(np.random.default_rng(1), 2, 3),
    numpy_layers.BatchNorm(2),
    numpy_layers.MaxPool(),
    numpy_layers.GlobalAveragePool(),
], ids=lambda layer: type(layer).__name__)
def test_gradients_are_the_difference_quotients(layer):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((5, 3) if isinstance(layer, numpy_layers.Linear) else (5, 2, 4, 4))
    layer.parameters = {k: v.astype(np.float64) for k, v in layer.parameters.items()}
    weight = rng.standard_normal(layer.forward(x, True).shape)
    gradients = {"x": layer.backward(weight)} | layer.gradients
    for name, array in ({"x": x} | layer.parameters).items():
        direction = rng.standard_normal(array.shape)
        values = []
        for step in (1e-6, -1e-6):
            array += step * direction
            values.append((layer.forward(x, True) * weight).sum())
            array -= step * direction
        assert np.isclose((values[0] - values[1]) / 2e-6, (gradients[name] * direction).sum(),
                          rtol=1e-4, atol=1e-6)
