"""Over two hundred bad inputs, by kind: each is told in words, at once, and leaves nothing.

What takes more than a file of a few bytes stands in test_hostile_files.py, damaged
files by the thousand are fuzz_files.py's.
"""

import json
import os
import random
import signal
import subprocess
import time

import numpy as np
import pytest
from onnx import helper

import hostile_models
import hostile_runs
import hostile_tensors
from hostile import judge, list_files, model, value
from qopt_tools import BUILD, IS_FULL, MODELS, run_tool

CASES = {**hostile_models.CASES, **hostile_tensors.CASES, **hostile_runs.CASES}


@pytest.mark.parametrize("name", CASES)
def test_a_case(name, tmp_path):
    problem = judge(CASES[name], tmp_path)
    assert problem is None, problem


def test_the_catalogue_is_whole():
    assert len(CASES) >= 160
    kinds = {name.split(":")[0] for name in CASES}
    assert kinds == {"wire", "header", "graph", "shape", "run", "payload", "external",
                     "quantization", "MatMulNBits", "npz", "recipe", "command", "artefact"}


# Valid, but huge -------------------------------------------------------------

def write_chain(path, nodes):
    names = ["x", *(f"v{i}" for i in range(nodes - 1)), "y"]
    path.write_bytes(model([helper.make_node("Relu", [a], [b]) for a, b in
                            zip(names, names[1:])]).SerializeToString())


def test_a_long_model_takes_time_as_its_length(tmp_path):
    """Import alone: what later phases take is shown by benchmarks."""
    seconds = []
    for nodes in (5_000, 40_000):
        write_chain(tmp_path / "m.onnx", nodes)
        process = subprocess.Popen(
            [str(BUILD / "bin" / "qopt-compile"), "m.onnx", "-o", "m.mlir", "--stop-after",
             "import", "--quiet"], cwd=tmp_path, stderr=subprocess.PIPE)
        text = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, text
        seconds.append(used.ru_utime + used.ru_stime)
    assert seconds[1] < 24 * seconds[0], seconds


# Cut at every byte -----------------------------------------------------------

def small_models():
    node = helper.make_node
    weight = helper.make_tensor("w", 1, (4, 4), np.ones(16))
    codes = [helper.make_tensor("q", 3, (4, 4), np.ones(16, int)),
             helper.make_tensor("s", 1, (), [.5])]
    branch = helper.make_graph([node("Relu", ["x"], ["b"])], "b", [], [value("b")])
    function = helper.make_function("local", "F", ["x"], ["y"], [node("Relu", ["x"], ["y"])],
                                    [helper.make_opsetid("", 21)])
    yield model([node("Relu", ["x"], ["y"])])
    yield model([node("MatMul", ["x", "w"], ["y"])], [weight])
    yield model([node("DequantizeLinear", ["q", "s"], ["f"]), node("MatMul", ["x", "f"], ["y"])],
                codes)
    yield model([node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)],
                inputs=[value("x"), value("c", (), 9)])
    yield model([node("F", ["x"], ["y"], domain="local")], functions=[function])


def test_models_that_were_cut_at_every_byte(tmp_path):
    """In one process, which ends only where all cases do."""
    cases = []
    np.savez(tmp_path / "x.npz", x=np.ones((1, 4), np.float32), c=np.array(True))
    for i, proto in enumerate(small_models()):
        content = proto.SerializeToString()
        for size in range(len(content)):
            name = f"{i}-{size}.onnx"
            (tmp_path / name).write_bytes(content[:size])
            cases.append({"id": name, "model": name, "inputs": "x.npz", "outputs": "y.npz"})
    assert len(cases) > 500
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)) + "\n")
    result = run_tool("qopt-run", "--batch", "cases.jsonl", "--reference", cwd=tmp_path)
    ends = [json.loads(line) for line in result.stdout.splitlines()]
    assert [end["id"] for end in ends] == [case["id"] for case in cases], result.stderr
    for end in ends:
        # A cut between two fields of the model leaves one that lacks the rest.
        assert end["exit"] in (0, 1, 3), end
        assert end["exit"] == 0 or end["message"], end


# Ended from outside ----------------------------------------------------------

@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_compile_that_is_ended_leaves_the_old_output_or_the_new(signal_number, tmp_path):
    old = b"mine"
    command = [str(BUILD / "bin" / "qopt-compile"), str(MODELS / "digits-mlp.onnx"), "-o", "m.so",
               "--preset", "w8a8-dynamic", "--quiet", "--report", "report"]
    started = time.monotonic()
    subprocess.run(command, cwd=tmp_path, check=True)
    whole = time.monotonic() - started
    new = (tmp_path / "m.so").read_bytes()
    rng = random.Random(7)
    for _ in range(70 if IS_FULL else 6):
        (tmp_path / "m.so").write_bytes(old)
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, 1.2) * whole)
        process.send_signal(signal_number)
        process.wait()
        assert (tmp_path / "m.so").read_bytes() in (old, new)
        assert process.returncode in (0, -signal_number, 130)
        if signal_number != signal.SIGKILL:
            left = {path.name for path in list_files(tmp_path)} - {
                "m.so", "report", "report.json", "report.html"}
            assert not left, left


def test_a_reader_that_goes_away(tmp_path):
    """The end of a pipe is no crash."""
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run([str(BUILD / "bin" / "qopt-compile"), "--list-operators"],
                             stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert process.returncode in (0, 4, -signal.SIGPIPE), process
