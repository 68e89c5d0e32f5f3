"""ONNX Runtime's own 8 bit quantization of a model: the peer to compare with.

    python test/models/ort_int8.py NAME -o OUT.onnx [--activations {u8,s8}]
                                   [--method {minmax,entropy,percentile}]
                                   [--contractions-only] [--dynamic]

Static by default: QDQ, weights s8 per output channel, ranges from the same
calibration samples that qopt gets. Without --contractions-only every operator
that can be is quantized, the addition of an attention mask too, which no range
of 8 bits holds. --dynamic measures activations at run time.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat,
                                      QuantType, quantize_dynamic, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process

from fetch import FetchError
from samples import read_samples
from tasks import TASKS, prepare

# DequantizeLinear has scales per channel from here on.
PER_CHANNEL_OPSET = 13
METHODS = {"minmax": CalibrationMethod.MinMax, "entropy": CalibrationMethod.Entropy,
           "percentile": CalibrationMethod.Percentile}
CONTRACTIONS = ["Conv", "Gemm", "MatMul"]
ACTIVATIONS = {"u8": QuantType.QUInt8, "s8": QuantType.QInt8}


class SampleReader(CalibrationDataReader):
    def __init__(self, folder):
        self.samples = iter(read_samples(folder))

    def get_next(self):
        return next(self.samples, None)


def lift_constants(model):
    """Turns Constant nodes into initializers: the quantizer takes only those for weights."""
    constants = [node for node in model.graph.node
                 if node.op_type == "Constant" and node.attribute[0].name == "value"]
    for node in constants:
        tensor = node.attribute[0].t
        tensor.name = node.output[0]
        model.graph.initializer.append(tensor)
        model.graph.node.remove(node)


def fold_model(source, target):
    """Writes `source` with constants folded and shapes inferred, in a late enough opset."""
    model = onnx.load(source)
    lift_constants(model)
    if model.opset_import[0].version < PER_CHANNEL_OPSET:
        model = onnx.version_converter.convert_version(model, PER_CHANNEL_OPSET)
    lifted = target.with_name("lifted.onnx")
    onnx.save(model, lifted)
    # The symbolic shape inference gives up on shapes that follow from shapes.
    quant_pre_process(str(lifted), str(target), skip_symbolic_shape=True)


def quantize(prepared, out, activations="u8", method="minmax", operators=None,
             dynamic=False, per_channel=True, form=QuantFormat.QDQ):
    with tempfile.TemporaryDirectory() as folder:
        folded = Path(folder) / "folded.onnx"
        fold_model(prepared.model, folded)
        if dynamic:
            quantize_dynamic(str(folded), str(out), per_channel=True, weight_type=QuantType.QInt8)
            return
        quantize_static(str(folded), str(out), SampleReader(prepared.calib),
                        quant_format=form, per_channel=per_channel,
                        weight_type=QuantType.QInt8, activation_type=ACTIVATIONS[activations],
                        op_types_to_quantize=operators,
                        calibrate_method=METHODS[method])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=TASKS)
    parser.add_argument("-o", dest="out", required=True, metavar="OUT.onnx")
    parser.add_argument("--activations", choices=ACTIVATIONS, default="u8")
    parser.add_argument("--method", choices=METHODS, default="minmax")
    parser.add_argument("--contractions-only", action="store_true")
    parser.add_argument("--dynamic", action="store_true")
    arguments = parser.parse_args()
    try:
        quantize(prepare(arguments.name), arguments.out, arguments.activations,
                 arguments.method, CONTRACTIONS if arguments.contractions_only else None,
                 arguments.dynamic)
    except (FetchError, OSError) as error:
        sys.exit(f"ort_int8.py: {error}")


if __name__ == "__main__":
    main()
