"""What a compile tells while it runs: on a terminal, and nowhere else."""

import os
import pty
import subprocess

from qopt_tools import BUILD, MODELS, run_tool

CLEAR = b"\r\x1b[K"


def read_terminal(*arguments):
    """What the command writes to a terminal that is its stderr."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([str(BUILD / "bin" / "qopt-compile"), *map(str, arguments)],
                               stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 4096):
            text += part
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    process.wait(timeout=600)
    return text


def test_the_phase_at_work_is_one_line_of_a_terminal(tmp_path):
    text = read_terminal(MODELS / "digits-mlp.onnx", "-o", tmp_path / "m.so")
    lines = text.split(CLEAR)
    assert lines[0] == lines[-1] == b""
    assert lines[1] == b"qopt-compile: import ..." and b"qopt-compile: emit ..." in lines


def test_an_error_stands_alone_on_a_terminal(tmp_path):
    text = read_terminal(MODELS / "digits-mlp.onnx", "-o", tmp_path / "m.so",
                         "--preset", "w8a8")
    assert text.count(b"error: ") == 1
    assert b" ...qopt-compile" not in text and b" ...\r\n" not in text


def test_quiet_and_files_get_no_progress(tmp_path):
    arguments = [MODELS / "digits-mlp.onnx", "-o", tmp_path / "m.so"]
    assert read_terminal(*arguments, "--quiet") == b""
    assert run_tool("qopt-compile", *arguments).stderr == ""
