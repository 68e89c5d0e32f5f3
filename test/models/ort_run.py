"""Runs an ONNX file over a folder of samples with ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnxruntime

from samples import read_samples, write_samples


def make_session(model, optimize=True, threads=0):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def run_folder(model, inputs, outputs, optimize=True):
    """Writes the outputs for each sample of `inputs` to the folder `outputs`."""
    session = make_session(model, optimize)
    names = [output.name for output in session.get_outputs()]
    write_samples(outputs, ({name: np.asarray(value)
                             for name, value in zip(names, session.run(names, sample))}
                            for sample in read_samples(inputs)))
