"""Loops that data keep going: a limit and Ctrl-C end them, and nothing else does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import BUILD, run_ok, run_tool

TOLD = "the loops of the run take more than {} iterations, the most that were allowed"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that doubles `x` until it passes 100: 7 times from 1 on, never from 0 on. A second
    loop repeats that as often as `n` says."""
    folder = tmp_path_factory.mktemp("loops")
    scalar = [helper.make_tensor_value_info(name, kind, []) for name, kind in
              [("i", TensorProto.INT64), ("c", TensorProto.BOOL), ("a", TensorProto.FLOAT)]]
    results = [helper.make_tensor_value_info(name, kind, []) for name, kind in
               [("c2", TensorProto.BOOL), ("a2", TensorProto.FLOAT)]]
    doubling = helper.make_graph(
        [helper.make_node("Add", ["a", "a"], ["a2"]), helper.make_node("Less", ["a2", "hundred"], ["c2"])],
        "doubling", scalar, results)
    inner = helper.make_node("Loop", ["", "true", "x"], ["a3"], "/doubling", body=doubling)
    again = helper.make_graph(
        [helper.make_node("Identity", ["d"], ["d2"]), inner], "again",
        [helper.make_tensor_value_info("j", TensorProto.INT64, []),
         helper.make_tensor_value_info("d", TensorProto.BOOL, []),
         helper.make_tensor_value_info("b", TensorProto.FLOAT, [])],
        [helper.make_tensor_value_info("d2", TensorProto.BOOL, []),
         helper.make_tensor_value_info("a3", TensorProto.FLOAT, [])])
    graph = helper.make_graph(
        [helper.make_node("Loop", ["n", "", "x"], ["y"], "/again", body=again)], "loops",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, []),
         helper.make_tensor_value_info("n", TensorProto.INT64, [])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])],
        [numpy_helper.from_array(np.float32(100), "hundred"), numpy_helper.from_array(np.array(True), "true")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8),
              folder / "m.onnx")
    run_ok("qopt-compile", folder / "m.onnx", "-o", folder / "m.so", "--quiet")
    for name, x, n in (("short", 1, 3), ("endless", 0, 1)):
        np.savez(folder / f"{name}.npz", x=np.float32(x), n=np.array(n))
    return folder


PROGRAMS = [["m.so"], ["m.onnx", "--reference"]]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_limit_counts_the_iterations_of_all_loops(folder, program):
    # Three rounds, each of seven.
    run_ok("qopt-run", *program, "--inputs", "short.npz", "--max-iterations", 24, cwd=folder)
    result = run_tool("qopt-run", *program, "--inputs", "short.npz", "--max-iterations", 23, cwd=folder)
    assert result.returncode == 1 and TOLD.format(23) in result.stderr
    result = run_tool("qopt-run", *program, "--inputs", "endless.npz", "--max-iterations", 100000, cwd=folder)
    assert result.returncode == 1 and TOLD.format(100000) in result.stderr


def busy_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


def interrupt(command, folder, ready=""):
    """Ctrl-C while the command, which may say when, runs without an end; what it ends with."""
    # What runs these tests in the background may ignore the signal, and that is inherited.
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as process:
        try:
            if ready:
                assert process.stdout.readline().strip() == ready
            start, deadline = busy_seconds(process) if ready else 0, time.monotonic() + 60
            while busy_seconds(process) < start + 0.5:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, text = process.communicate(timeout=20)
            return process.returncode, text
        finally:
            process.kill()


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_interrupt_ends_a_run(folder, program):
    command = [BUILD / "bin/qopt-run", *program, "--inputs", "endless.npz", "--outputs", "out.npz"]
    assert interrupt(command, folder)[0] == -signal.SIGINT
    assert not (folder / "out.npz").exists()


def test_python_has_a_limit_and_ends_at_an_interrupt(folder):
    import qopt
    module = qopt.load(folder / "m.so", max_iterations=1000)
    inputs = {"x": np.float32(1), "n": np.array(3)}
    assert module.run(inputs)["y"] == 128
    with pytest.raises(qopt.Error, match=TOLD.format(1000)) as failure:
        module.run({**inputs, "x": np.float32(0)})
    assert failure.value.code == 1
    assert module.run(inputs)["y"] == 128
    with pytest.raises(qopt.Error, match="expects a number of iterations from 0 on, but found -1"):
        qopt.load(folder / "m.so", max_iterations=-1)

    script = ("import qopt, numpy as np\n"
              "module = qopt.load('m.so')\n"
              "print('ready', flush=True)\n"
              "try:\n"
              "    module.run({'x': np.float32(0), 'n': np.array(1)})\n"
              "except KeyboardInterrupt:\n"
              "    assert module.run({'x': np.float32(1), 'n': np.array(1)})['y'] == 128\n"
              "    raise SystemExit(9)\n")
    code, text = interrupt([sys.executable, "-c", script], folder, "ready")
    assert code == 9, text


def test_flags(folder):
    for flags, told in ((["--max-iterations", "0"], "--max-iterations expects a number from 1 on"),
                        (["--max-iterations", "x"], "--max-iterations expects a number, but found 'x'"),
                        (["--describe", "--max-iterations", "5"], "--max-iterations is about runs")):
        result = run_tool("qopt-run", folder / "m.so", *flags)
        assert result.returncode == 2 and told in result.stderr
