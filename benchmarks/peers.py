"""What a user would run a model with instead: ONNX Runtime, and OpenVINO where it is installed.

A peer is made of an ONNX file and a number of threads; `runner(inputs)` is a function
without arguments that runs the model once.
"""

import contextlib
import importlib.util
import sys

from ort_run import make_session
from samples import read_samples, write_samples

TRANSFORMERS = {"minilm"}


class OnnxRuntime:
    name = "ONNX Runtime"

    def __init__(self, model, threads):
        self.session = make_session(model, threads=threads)

    def runner(self, inputs):
        names = {item.name for item in self.session.get_inputs()}
        used = {name: array for name, array in inputs.items() if name in names}
        return lambda: self.session.run(None, used)


class OpenVino:
    """Floats stay f32: by default it would take bf16 where a machine has it."""
    name = "OpenVINO"

    def __init__(self, model, threads=0):
        """`model` is a path, or what `openvino` made of one."""
        import openvino
        self.compiled = openvino.compile_model(model, "CPU", {
            "INFERENCE_PRECISION_HINT": openvino.Type.f32, "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads})

    def run_folder(self, inputs, outputs):
        """Writes the outputs for each sample of `inputs` to the folder `outputs`."""
        write_samples(outputs, ({port.get_any_name(): value
                                 for port, value in self.compiled(sample).items()}
                                for sample in read_samples(inputs)))

    def runner(self, inputs):
        import openvino
        request = self.compiled.create_infer_request()
        for name, array in inputs.items():
            request.set_tensor(name, openvino.Tensor(array))
        return request.infer


def installed():
    """The kinds of peers that this Python has."""
    return [OnnxRuntime, *([OpenVino] if importlib.util.find_spec("openvino") else [])]


def has_nncf():
    return importlib.util.find_spec("nncf") is not None


def quantize_nncf(prepared, name):
    """NNCF's int8 of a model of `tasks`, for OpenVINO. It is told that an encoder is a
    transformer, and gets each calibration sample."""
    import nncf
    import openvino
    samples = read_samples(prepared.calib)
    kind = nncf.ModelType.TRANSFORMER if name in TRANSFORMERS else None
    # It shows its progress there.
    with contextlib.redirect_stdout(sys.stderr):
        return nncf.quantize(openvino.Core().read_model(prepared.model),
                             nncf.Dataset(samples), subset_size=len(samples), model_type=kind)
