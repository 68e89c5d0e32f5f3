"""Layers with explicit gradients, as much as train_digits.py needs.

Each layer has forward(x, training), backward(gradient) -> gradient of x, and
`parameters`/`gradients` dicts under the same names. A convolution pads by half
its kernel and has no bias where a BatchNorm follows.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def _initial(rng, shape, fan_in):
    return (rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)


def _patches(x, kernel):
    pad = kernel // 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    return sliding_window_view(padded, (kernel, kernel), axis=(2, 3))


class Layer:
    def __init__(self, **parameters):
        self.parameters = parameters
        self.gradients = {}


class Linear(Layer):
    def __init__(self, rng, fan_in, fan_out):
        super().__init__(weight=_initial(rng, (fan_out, fan_in), fan_in),
                         bias=np.zeros(fan_out, np.float32))

    def forward(self, x, training):
        self.x = x
        return x @ self.parameters["weight"].T + self.parameters["bias"]

    def backward(self, gradient):
        self.gradients = {"weight": gradient.T @ self.x, "bias": gradient.sum(axis=0)}
        return gradient @ self.parameters["weight"]


class Conv(Layer):
    group = 1

    def __init__(self, rng, channels_in, channels_out, kernel):
        super().__init__(weight=_initial(rng, (channels_out, channels_in, kernel, kernel),
                                         channels_in * kernel * kernel))

    @staticmethod
    def _convolve(patches, weight):
        return np.tensordot(patches, weight, ([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2)

    def forward(self, x, training):
        weight = self.parameters["weight"]
        self.patches = _patches(x, weight.shape[2])
        return self._convolve(self.patches, weight)

    def backward(self, gradient):
        weight = self.parameters["weight"]
        self.gradients = {"weight": np.tensordot(gradient, self.patches,
                                                 ([0, 2, 3], [0, 2, 3]))}
        flipped = weight.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
        return self._convolve(_patches(gradient, weight.shape[2]), flipped)


class DepthwiseConv(Layer):
    def __init__(self, rng, channels, kernel):
        super().__init__(weight=_initial(rng, (channels, 1, kernel, kernel), kernel * kernel))
        self.group = channels

    def forward(self, x, training):
        weight = self.parameters["weight"]
        self.patches = _patches(x, weight.shape[2])
        return np.einsum("nchwij,cij->nchw", self.patches, weight[:, 0])

    def backward(self, gradient):
        weight = self.parameters["weight"]
        self.gradients = {"weight": np.einsum("nchwij,nchw->cij", self.patches,
                                              gradient)[:, None]}
        return np.einsum("nchwij,cij->nchw", _patches(gradient, weight.shape[2]),
                         weight[:, 0, ::-1, ::-1])


class BatchNorm(Layer):
    epsilon = 1e-5
    momentum = 0.9

    def __init__(self, channels):
        super().__init__(scale=np.ones(channels, np.float32),
                         bias=np.zeros(channels, np.float32))
        self.mean = np.zeros(channels, np.float32)
        self.variance = np.ones(channels, np.float32)

    def forward(self, x, training):
        mean, variance = self.mean, self.variance
        if training:
            mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
            self.mean = self.momentum * self.mean + (1 - self.momentum) * mean
            self.variance = self.momentum * self.variance + (1 - self.momentum) * variance
        self.inverse = (1 / np.sqrt(variance + self.epsilon))[:, None, None]
        self.normal = (x - mean[:, None, None]) * self.inverse
        return (self.normal * self.parameters["scale"][:, None, None]
                + self.parameters["bias"][:, None, None])

    def backward(self, gradient):
        axes = (0, 2, 3)
        self.gradients = {"scale": (gradient * self.normal).sum(axis=axes),
                          "bias": gradient.sum(axis=axes)}
        inner = gradient * self.parameters["scale"][:, None, None]
        return self.inverse * (
            inner - inner.mean(axis=axes, keepdims=True)
            - self.normal * (inner * self.normal).mean(axis=axes, keepdims=True))


class Relu(Layer):
    def forward(self, x, training):
        self.positive = x > 0
        return x * self.positive

    def backward(self, gradient):
        return gradient * self.positive


class MaxPool(Layer):
    """2x2 windows, stride 2; a gradient goes to every position of the maximum."""

    def forward(self, x, training):
        n, c, h, w = x.shape
        windows = x.reshape(n, c, h // 2, 2, w // 2, 2)
        result = windows.max(axis=(3, 5), keepdims=True)
        self.chosen = windows == result
        return result[:, :, :, 0, :, 0]

    def backward(self, gradient):
        spread = self.chosen * gradient[:, :, :, None, :, None]
        n, c, h, _, w, _ = spread.shape
        return spread.reshape(n, c, 2 * h, 2 * w)


class GlobalAveragePool(Layer):
    def forward(self, x, training):
        self.shape = x.shape
        return x.mean(axis=(2, 3))

    def backward(self, gradient):
        area = self.shape[2] * self.shape[3]
        return np.broadcast_to(gradient[:, :, None, None] / area, self.shape)
