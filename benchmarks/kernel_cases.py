"""Which kernels are timed on which shapes.

The shapes are those of MiniLM, of a decoder, and of the convolutions of PP-OCR's recogniser,
EfficientNet-Lite0 and MobileNetV3.
"""

from dataclasses import dataclass

import numpy as np

from layers import Attention, Convolution, Layer, Product, Rows, depthwise

# Layers until which a call and the ends of a model do not count.
LAYERS_OF_A_MODEL = 8


@dataclass(frozen=True)
class Case:
    """A layer, and how its operands are stored: `format_name` is a key of `FORMATS`."""
    family: str
    layer: Layer
    format_name: str
    count: int = LAYERS_OF_A_MODEL


@dataclass(frozen=True)
class Format:
    """Codes between QuantizeLinear and DequantizeLinear, or a preset for a float model.

    `peer_accuracy` is the accuracy_level of ONNX Runtime's operator for blocks."""
    preset: str | None = None
    codes: type | None = None
    peer_accuracy: int | None = None
    has_peers: bool = True


FORMATS = {
    "fp32": Format("fp32"),
    "u8": Format(codes=np.uint8),
    "i8": Format(codes=np.int8),
    "w4a8-g32": Format("w4a8-g32", peer_accuracy=4),
    "w4a16-g32": Format("w4a16-g32", peer_accuracy=0),
    "mxfp4": Format("mxfp4", has_peers=False),
    "mxfp4-a16": Format("mxfp4-a16", has_peers=False),
    "mxint8": Format("mxint8", has_peers=False),
    "mxfp8-e4m3": Format("mxfp8-e4m3", has_peers=False),
    "nvfp4": Format("nvfp4", has_peers=False),
}
BLOCKS = ["w4a8-g32", "w4a16-g32", "mxfp4", "mxfp4-a16", "mxint8", "mxfp8-e4m3", "nvfp4"]

CONVOLUTIONS = [
    Convolution(64, 64, 56, 56, 3), Convolution(128, 128, 28, 28, 3),
    Convolution(3, 32, 224, 224, 3, (2, 2)), Convolution(3, 16, 48, 320, 3, (2, 2)),
    Convolution(16, 96, 112, 112, 1), Convolution(24, 144, 56, 56, 1),
    Convolution(64, 128, 12, 160, 1), Convolution(240, 480, 6, 80, 1),
    Convolution(320, 1280, 7, 7, 1), Convolution(80, 480, 14, 14, 1),
]
DEPTHWISE = {
    "ppocr": [depthwise(32, 24, 160, 3), depthwise(64, 24, 160, 3, (2, 1)),
              depthwise(128, 12, 160, 3), depthwise(128, 12, 160, 3, (1, 2)),
              depthwise(240, 12, 80, 5), depthwise(240, 12, 80, 5, (2, 1)),
              depthwise(480, 6, 80, 5), depthwise(480, 3, 80, 5)],
    "efficientnet": [depthwise(32, 112, 112, 3), depthwise(96, 112, 112, 3, (2, 2)),
                     depthwise(144, 56, 56, 3), depthwise(144, 56, 56, 5, (2, 2)),
                     depthwise(240, 28, 28, 5), depthwise(240, 28, 28, 3, (2, 2)),
                     depthwise(480, 14, 14, 5), depthwise(672, 14, 14, 5, (2, 2)),
                     depthwise(1152, 7, 7, 5), depthwise(1152, 7, 7, 3)],
    "mobilenet": [depthwise(16, 112, 112, 3), depthwise(64, 112, 112, 3, (2, 2)),
                  depthwise(72, 56, 56, 3), depthwise(120, 28, 28, 5),
                  depthwise(200, 14, 14, 3), depthwise(960, 7, 7, 5)],
}


def all_cases():
    matmuls = [Product(rows, 768, 3072) for rows in (32, 128)]
    cases = [Case("product", Product(512, 2048, 2048), name, 2) for name in ("u8", "fp32")]
    cases += [Case("product", layer, name) for name in ("u8", "i8", "fp32")
              for layer in [Product(64, 384, 384), Product(64, 384, 1536), *matmuls]]
    cases += [Case("product of blocks", Product(rows, 1024, 1024), name)
              for name in BLOCKS for rows in (16, 128)]
    cases += [Case("decoding", Product(rows, 2048, 2048), name)
              for name in ["u8", "fp32", *BLOCKS] for rows in (1, 4)]
    cases += [Case("convolution", layer, name)
              for name in ("u8", "i8", "fp32") for layer in CONVOLUTIONS]
    cases += [Case("convolution", CONVOLUTIONS[0], name) for name in BLOCKS[2:]]
    cases += [Case(f"depthwise, {model}", layer, name) for name in ("u8", "i8", "fp32")
              for model, layers in DEPTHWISE.items() for layer in layers]
    cases += [Case("depthwise, ppocr", DEPTHWISE["ppocr"][4], name) for name in BLOCKS[2:]]
    cases += [Case("attention", layer, "fp32")
              for layer in (Attention(12, 64, 32), Attention(12, 128, 64))]
    cases += [Case("rows", layer, "fp32") for layer in
              (Rows("LayerNormalization", 64, 384), Rows("LayerNormalization", 512, 2048),
               Rows("Softmax", 768, 64), Rows("Softmax", 80, 6625))]
    return cases
