"""Starts the tools of a build, whose folder the environment names."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "test" / "models"
BUILD = Path(os.environ.get("QOPT_BUILD", ROOT / "build"))
#: Tests sample nothing then, and take hours.
IS_FULL = os.environ.get("QOPT_TEST_FULL") == "1"


def run_tool(name, *arguments, environment=None, cwd=None):
    """The result of a tool; its texts are `stdout` and `stderr`."""
    return subprocess.run(
        [str(BUILD / "bin" / name), *map(str, arguments)],
        capture_output=True, text=True, timeout=3600, check=False, cwd=cwd,
        env={**os.environ, **(environment or {})})


def run_ok(name, *arguments, **options):
    """What a tool that must succeed prints."""
    result = run_tool(name, *arguments, **options)
    assert result.returncode == 0, result.stderr
    return result.stdout


def run_arrays(program, inputs, folder, *more, environment=None):
    """The outputs of a program for arrays by name; files of both are left in `folder`."""
    np.savez(folder / "in.npz", **inputs)
    run_ok("qopt-run", program, "--inputs", folder / "in.npz", "--outputs", folder / "out.npz",
           *more, environment=environment)
    with np.load(folder / "out.npz") as found:
        return dict(found)


def list_tiers():
    """The tiers of this CPU's target, the least demanding first, and those that run here."""
    rows = json.loads(run_ok("qopt-compile", "--list-targets", "--json"))
    rows = [row for row in rows if row["target"] == rows[0]["target"]]
    return ([row["machine"] for row in rows],
            [row["machine"] for row in rows if row["runs_here"]])


def write_add_model(path, element_type=TensorProto.FLOAT, dims=("n", 3)):
    """y = a + b."""
    values = [helper.make_tensor_value_info(name, element_type, list(dims)) for name in "aby"]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["y"])], "add",
                              values[:2], values[2:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                ir_version=10), path)
    return path
