"""Trains the two digit classifiers and writes them as ONNX beside this file.

    python test/models/train_digits.py

The files are committed: training again on another machine gives other last
bits (the order of sums in a BLAS is its own), and tests quote their accuracy.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import numpy_layers as layers
from digits_data import INPUT, SAMPLE_SHAPE, load_split

EPOCHS = {"mlp": 100, "cnn": 25}
BATCH = 64
LEARNING_RATE = 4e-3
# Noise on the pixels, in units of white, so that 1300 images are enough.
NOISE = 0.2


def make_mlp(rng):
    return [layers.Linear(rng, 64, 128), layers.Relu(),
            layers.Linear(rng, 128, 64), layers.Relu(),
            layers.Linear(rng, 64, 10)]


def make_cnn(rng):
    return [layers.Conv(rng, 1, 16, 3), layers.BatchNorm(16), layers.Relu(),
            layers.DepthwiseConv(rng, 16, 3), layers.BatchNorm(16), layers.Relu(),
            layers.Conv(rng, 16, 32, 1), layers.BatchNorm(32), layers.Relu(),
            layers.MaxPool(),
            layers.Conv(rng, 32, 32, 3), layers.BatchNorm(32), layers.Relu(),
            layers.GlobalAveragePool(),
            layers.Linear(rng, 32, 10)]


def forward(model, x, training=False):
    for layer in model:
        x = layer.forward(x, training)
    return x


def gradient_of_loss(logits, labels):
    """Of the mean cross entropy, with respect to the logits."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    gradient = shifted / shifted.sum(axis=1, keepdims=True)
    gradient[np.arange(len(labels)), labels] -= 1
    return (gradient / len(labels)).astype(np.float32)


class Adam:
    def __init__(self, model):
        self.model = model
        self.step_count = 0
        self.moments = {}

    def step(self, rate):
        self.step_count += 1
        correction = np.sqrt(1 - 0.999 ** self.step_count) / (1 - 0.9 ** self.step_count)
        for index, layer in enumerate(self.model):
            for name, gradient in layer.gradients.items():
                first, second = self.moments.get((index, name), (0, 0))
                first = 0.9 * first + 0.1 * gradient
                second = 0.999 * second + 0.001 * gradient * gradient
                self.moments[index, name] = first, second
                layer.parameters[name] -= rate * correction * first / (np.sqrt(second) + 1e-8)


def train(kind):
    rng = np.random.default_rng(0)
    images, labels, test_images, test_labels = load_split(kind)
    model = make_mlp(rng) if kind == "mlp" else make_cnn(rng)
    optimizer = Adam(model)
    for epoch in range(EPOCHS[kind]):
        rate = LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS[kind]))
        order = rng.permutation(len(images))
        for start in range(0, len(order), BATCH):
            chosen = order[start:start + BATCH]
            noise = NOISE * rng.standard_normal(images[chosen].shape, np.float32)
            logits = forward(model, images[chosen] + noise, training=True)
            gradient = gradient_of_loss(logits, labels[chosen])
            for layer in reversed(model):
                gradient = layer.backward(gradient)
            optimizer.step(rate)
    accuracy = np.mean(forward(model, test_images).argmax(axis=1) == test_labels)
    return model, accuracy


class GraphWriter:
    """Appends one ONNX node a layer; names are the operator and its number."""

    def __init__(self):
        self.nodes = []
        self.initializers = []

    def add(self, operator, value, weights=None, **attributes):
        name = f"{operator.lower()}_{len(self.nodes)}"
        inputs = [value]
        for key, array in (weights or {}).items():
            self.initializers.append(
                numpy_helper.from_array(np.ascontiguousarray(array, np.float32), f"{name}.{key}"))
            inputs.append(f"{name}.{key}")
        self.nodes.append(helper.make_node(operator, inputs, [f"{name}.out"], name=f"/{name}",
                                           **attributes))
        return f"{name}.out"

    def add_layer(self, layer, value):
        parameters = layer.parameters
        if isinstance(layer, layers.Linear):
            return self.add("Gemm", value, parameters, transB=1)
        if isinstance(layer, (layers.Conv, layers.DepthwiseConv)):
            kernel = parameters["weight"].shape[2]
            return self.add("Conv", value, parameters, kernel_shape=[kernel] * 2,
                            pads=[kernel // 2] * 4, group=layer.group)
        if isinstance(layer, layers.BatchNorm):
            return self.add("BatchNormalization", value,
                            parameters | {"mean": layer.mean, "variance": layer.variance},
                            epsilon=layer.epsilon)
        if isinstance(layer, layers.MaxPool):
            return self.add("MaxPool", value, kernel_shape=[2, 2], strides=[2, 2])
        if isinstance(layer, layers.GlobalAveragePool):
            return self.add("Flatten", self.add("GlobalAveragePool", value))
        assert isinstance(layer, layers.Relu)
        return self.add("Relu", value)


def to_onnx(kind, model):
    writer = GraphWriter()
    value = INPUT
    for layer in model:
        value = writer.add_layer(layer, value)
    writer.nodes[-1].output[0] = "logits"
    graph = helper.make_graph(
        writer.nodes, f"digits-{kind}",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT,
                                       ["batch", *SAMPLE_SHAPE[kind]])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        writer.initializers)
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                               producer_name="train_digits.py")
    onnx.checker.check_model(result, full_check=True)
    return result


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    for kind in SAMPLE_SHAPE:
        model, accuracy = train(kind)
        path = Path(__file__).with_name(f"digits-{kind}.onnx")
        onnx.save(to_onnx(kind, model), path)
        print(f"{path.name}: accuracy {accuracy:.4f}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
