"""Closeness to fp32 of qopt's w8a8 and of its peers' int8.

    python benchmarks/nncf_int8.py [--models A,B]

The same models, calibration samples and evaluation samples for all: qopt's
preset w8a8, NNCF's post-training quantization, and ONNX Runtime's static
quantization, each by default; NNCF is told that an encoder is a transformer and
gets each calibration sample. Prints a row for each model: the metric of each,
and its mean cosine to the float outputs. Needs the packages of
benchmarks/requirements.txt.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import measuring

from ort_int8 import quantize as quantize_ort
from ort_run import run_folder as run_session
from peers import OpenVino, quantize_nncf
from tasks import TASKS, prepare

def describe(prepared, outputs, expected):
    score = measuring.describe(prepared.score(outputs))
    return f"{score} cosine={measuring.mean_cosine(outputs, expected):.5f}"


def run_qopt(prepared, name, folder):
    artefact, _ = measuring.compile_model(prepared, "w8a8", folder)
    measuring.run_folder(artefact, prepared.eval, folder / "qopt")
    return folder / "qopt"


def run_nncf(prepared, name, folder):
    OpenVino(quantize_nncf(prepared, name)).run_folder(prepared.eval, folder / "nncf")
    return folder / "nncf"


def run_ort(prepared, name, folder):
    quantize_ort(prepared, folder / "int8.onnx")
    run_session(folder / "int8.onnx", prepared.eval, folder / "ort")
    return folder / "ort"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(TASKS))
    options = parser.parse_args()
    try:
        import nncf
    except ImportError:
        sys.exit("nncf_int8.py: NNCF is not installed\n"
                 "note: pip install -r benchmarks/requirements.txt")
    columns = {"qopt w8a8": run_qopt, f"nncf {nncf.__version__}": run_nncf,
               "onnxruntime static": run_ort}
    print("| model | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name in options.models.split(","):
        prepared = prepare(name)
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            run_session(prepared.model, prepared.eval, folder / "expected")
            cells = [describe(prepared, run(prepared, name, folder), folder / "expected")
                     for run in columns.values()]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
