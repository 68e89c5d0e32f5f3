"""Calls qopt-compile and qopt-run of a build, and times models side by side."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "models"))
# A row of a table for each, where --presets does not say otherwise.
PRESETS = ["fp32", "w8a8", "w8a8-dynamic", "w8a8-pow2", "w4a16-g32", "w4a8-g32", "mxint8",
           "mxfp8-e4m3", "mxfp6-e2m3", "mxfp4", "mxfp4-a16", "nvfp4", "nvfp4-a16"]


class ToolError(Exception):
    """A tool ended with another code than 0; the text is what it printed."""


def build_folder():
    return Path(os.environ.get("QOPT_BUILD", ROOT / "build"))


def call(tool, *arguments, tier=None):
    """What a tool of the build prints; `tier` is forced where it is given."""
    command = [str(build_folder() / "bin" / tool), *map(str, arguments)]
    environment = {**os.environ, "QOPT_CPU": tier} if tier else None
    result = subprocess.run(command, capture_output=True, text=True, check=False,
                            env=environment)
    if result.returncode:
        raise ToolError(f"{tool} ended with {result.returncode}: "
                        f"{(result.stderr or result.stdout).strip()[-600:]}")
    return result.stdout


def compile_model(prepared, preset, folder, *flags):
    """Compiles with a preset; the path of the artefact and the report."""
    artefact = Path(folder) / f"{preset}.so"
    text = call("qopt-compile", prepared.model, "-o", artefact, "--preset", preset,
                "--calib", prepared.calib, "--json", *flags)
    return artefact, json.loads(text)


def measure_compile(model, artefact, *flags):
    """Seconds and peak memory in GB of a compile."""
    command = [build_folder() / "bin" / "qopt-compile", model, "-o", artefact, "--quiet", *flags]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([str(part) for part in command], stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise ToolError(f"qopt-compile ended with {process.returncode}: "
                            f"{errors.read().strip()[-600:]}")
    return time.perf_counter() - start, usage.ru_maxrss / 1e6


def run_folder(artefact, inputs, outputs, *flags, tier=None):
    Path(outputs).mkdir(parents=True, exist_ok=True)
    call("qopt-run", artefact, "--inputs", inputs, "--outputs", outputs, *flags, tier=tier)


def tiers_that_run():
    """The tiers of this CPU's family that this machine runs, the best last."""
    lines = call("qopt-compile", "--list-targets").splitlines()
    return [line.split(":")[0].split()[1] for line in lines
            if line.startswith("x86-64 ") and "runs here" in line]


def first_sample(folder):
    return sorted(Path(folder).glob("*.npz"))[0]


def time_artefact(artefact, sample, threads, seconds=0.5, figure="median"):
    """Milliseconds of a run: the median, or another figure of `qopt-run --benchmark`."""
    text = call("qopt-run", artefact, "--inputs", sample, "--threads", threads,
                "--benchmark", "--min-time", seconds, "--json")
    return json.loads(text)[f"{figure}_ms"]


def time_calls(run, seconds=0.5, figure=statistics.median):
    """Milliseconds that a call of `run` takes."""
    run()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        begin = time.perf_counter()
        run()
        times.append((time.perf_counter() - begin) * 1e3)
    return figure(times)


def time_session(session, sample, seconds=0.5):
    """Median milliseconds of a run of an ONNX Runtime session."""
    with np.load(sample) as arrays:
        inputs = {item.name: arrays[item.name] for item in session.get_inputs()}
    return time_calls(lambda: session.run(None, inputs), seconds)


def describe(score):
    """The figures of a score on one line."""
    return " ".join(f"{key}={value:.4f}" if isinstance(value, float) else f"{key}={value}"
                    for key, value in score.items())


def cosines(actual, expected):
    """The cosine of each float output of each sample in two folders."""
    found = []
    for path in sorted(Path(expected).glob("*.npz")):
        with np.load(path) as want, np.load(Path(actual) / path.name) as have:
            for name in want.files:
                a = have[name].astype(np.float64).ravel()
                b = want[name].astype(np.float64).ravel()
                scale = np.linalg.norm(a) * np.linalg.norm(b)
                found.append(float(a @ b / scale) if scale else 1.0)
    return found


def mean_cosine(actual, expected):
    return float(np.mean(cosines(actual, expected)))
