"""Reads lines of text with a recogniser compiled to several precisions.

    scripts/demo [--presets A,B] [--lines N] [--reports DIR]

The model is PP-OCRv4's recogniser, taken from a PyPI package; the lines are
rendered from Debian's fonts. For each preset: the text read, the character
error rate, bytes, milliseconds a line, the ratio to ONNX Runtime where that is
installed, and the contract's summary.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "test" / "models")]

import ppocr_data  # noqa: E402
import measuring  # noqa: E402
from fetch import FetchError  # noqa: E402
from tasks import prepare  # noqa: E402

PRESETS = "fp32,w8a8,w8a8-pow2,mxint8,mxfp8-e4m3"


def make_peer(model):
    """A session of ONNX Runtime on two threads, or nothing."""
    try:
        from ort_run import make_session
    except ImportError:
        return None
    return make_session(model, threads=2)


def read_lines(prepared, outputs, count):
    characters = ppocr_data.read_characters(prepared.model)
    for path in sorted(Path(outputs).glob("*.npz"))[:count]:
        with np.load(path) as arrays:
            yield ppocr_data.read_text(arrays[arrays.files[0]][0], characters)


def show_preset(prepared, preset, peer, folder, options):
    reports = Path(options.reports) / preset
    artefact, report = measuring.compile_model(prepared, preset, folder,
                                               "--report", reports)
    outputs = Path(folder) / f"{preset}-outputs"
    measuring.run_folder(artefact, prepared.eval, outputs)
    sample = measuring.first_sample(prepared.eval)
    print(f"\n== {preset}")
    for text in read_lines(prepared, outputs, options.lines):
        print(f"   {text}")
    score = prepared.score(outputs)
    milliseconds = measuring.time_artefact(artefact, sample, threads=2)
    ratio = ""
    if peer:
        other = measuring.time_session(peer, sample)
        ratio = f", {milliseconds / other:.2f} of ONNX Runtime fp32's {other:.1f} ms"
    print("   " + ", ".join(f"{key} {value:.4f}" if isinstance(value, float) else
                            f"{key} {value}" for key, value in score.items()))
    print(f"   weights {report['bytes']['total']} bytes, file "
          f"{report['bytes']['artefact']} bytes, {milliseconds:.2f} ms a line{ratio}")
    shares = ", ".join(f"{share:.1%} {name}" for name, share in report["macs"].items())
    print(f"   multiply-accumulates: {shares}")
    left = [row for row in report["contract"] if row["reason"]]
    for row in left[:3]:
        print(f"   {row['node']}: {row['realised']} ({row['reason']})")
    if len(left) > 3:
        print(f"   ... and {len(left) - 3} more nodes with a reason")
    print(f"   report: {reports}/report.html")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default=PRESETS)
    parser.add_argument("--lines", type=int, default=4)
    parser.add_argument("--reports", default=str(measuring.build_folder() / "demo"))
    options = parser.parse_args()
    try:
        prepared = prepare("ppocr-rec")
        with tempfile.TemporaryDirectory() as folder:
            peer = make_peer(prepared.model)
            for preset in options.presets.split(","):
                show_preset(prepared, preset, peer, folder, options)
    except (FetchError, measuring.ToolError) as error:
        sys.exit(f"demo: {error}")


if __name__ == "__main__":
    main()
