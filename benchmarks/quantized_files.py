"""Models that another tool quantized, imported with their codes as they are.

    python benchmarks/quantized_files.py [--models A,B] [--forms A,B] [--threads N]
                                         [--rounds N]

Quantizes each model with ONNX Runtime's tools, compiles the file without a preset,
and runs both over the evaluation samples: ONNX Runtime without its optimizations,
which computes what the file says, and with them, which is what users run. A row
says how far qopt's outputs are from both, in decibels and at most, the metric of
each, and how long a run takes, in turns in one process.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import measuring
import numpy as np
import onnx
from measuring import ToolError
from onnxruntime.quantization import QuantFormat

from ort_int8 import fold_model, quantize
from ort_run import make_session
from ort_run import run_folder as run_session
from samples import read_samples
from tasks import TASKS, prepare


def quantize_blocks(prepared, out, bits):
    """Weights of `bits` bits in blocks of 32, with zero points."""
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
    folded = out.with_name("folded.onnx")
    fold_model(prepared.model, folded)
    quantizer = MatMulNBitsQuantizer(onnx.load(folded), bits=bits, block_size=32,
                                     is_symmetric=False)
    quantizer.process()
    onnx.save(quantizer.model.model, out)


FORMS = {
    "qdq-u8s8": quantize,
    "qdq-s8s8": lambda prepared, out: quantize(prepared, out, activations="s8"),
    "qdq-tensor": lambda prepared, out: quantize(prepared, out, per_channel=False),
    "qoperator": lambda prepared, out: quantize(prepared, out, form=QuantFormat.QOperator),
    "dynamic": lambda prepared, out: quantize(prepared, out, dynamic=True),
    "nbits4": lambda prepared, out: quantize_blocks(prepared, out, 4),
    "nbits8": lambda prepared, out: quantize_blocks(prepared, out, 8),
}


def compare(actual, expected):
    """Signal to noise in dB, and the greatest difference by the greatest value."""
    signal = noise = most = 0.0
    greatest = 1e-30
    for have, want in zip(read_samples(actual), read_samples(expected)):
        for name, values in want.items():
            a, b = have[name].astype(np.float64), values.astype(np.float64)
            signal += float((b * b).sum())
            noise += float(((a - b) ** 2).sum())
            most = max(most, float(np.abs(a - b).max(initial=0)))
            greatest = max(greatest, float(np.abs(b).max(initial=0)))
    if noise == 0:
        return "equal"
    return f"{10 * np.log10(signal / noise):.1f} dB, {most / greatest:.1e}"


def time_both(artefact, session, sample, threads, rounds):
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(measuring.time_artefact(artefact, sample, threads))
        theirs.append(measuring.time_session(session, sample))
    return statistics.median(ours), statistics.median(theirs)


def make_row(prepared, form, folder, threads, rounds):
    quantized = folder / "quantized.onnx"
    FORMS[form](prepared, quantized)
    artefact = folder / "model.so"
    measuring.call("qopt-compile", quantized, "-o", artefact, "--quiet")
    measuring.run_folder(artefact, prepared.eval, folder / "qopt")
    run_session(quantized, prepared.eval, folder / "plain", optimize=False)
    run_session(quantized, prepared.eval, folder / "fast")
    ours, theirs = time_both(artefact, make_session(quantized, threads=threads),
                             measuring.first_sample(prepared.eval), threads, rounds)
    scores = [measuring.describe(prepared.score(folder / name)) for name in ("qopt", "fast")]
    return [compare(folder / "qopt", folder / "plain"), compare(folder / "qopt", folder / "fast"),
            *scores, f"{ours:.3f}", f"{theirs:.3f}", f"{theirs / ours:.2f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(TASKS))
    parser.add_argument("--forms", default=",".join(FORMS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    heads = ["model", "form", "to ONNX Runtime, plain", "to ONNX Runtime", "qopt",
             "ONNX Runtime", "qopt ms", "ONNX Runtime ms", "times as fast"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|", flush=True)
    failed = False
    for name in arguments.models.split(","):
        prepared = prepare(name)
        for form in arguments.forms.split(","):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    cells = make_row(prepared, form, Path(folder), arguments.threads,
                                     arguments.rounds)
                except ImportError as error:
                    cells = [f"not made: {error}; benchmarks/requirements.txt has it"]
                except ToolError as error:
                    cells, failed = [str(error)], True
            print(f"| {name} | {form} | " + " | ".join(cells) + " |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
