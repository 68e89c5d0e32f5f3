"""Bad input: how a case is described, run and judged.

A case is a folder of files and a command. The command must end with its exit code,
with a message that says what is wrong and, where a file is at fault, names it, within
SECONDS of the processor and MEMORY at most, and leave the folder as it was.
"""

import os
import resource
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from onnx import TensorProto, helper

from qopt_tools import BUILD

#: Of the processor: a busy machine is no fault of a file.
SECONDS = 2
#: At most, resident.
MEGABYTES = 300

COMPILE = ("qopt-compile", "m.onnx", "-o", "m.so")


@dataclass
class Case:
    """`write` puts the files into a folder; `text` is a part of the message."""
    write: Callable[[Path], None]
    text: str
    code: int = 1
    command: tuple = COMPILE
    environment: dict = field(default_factory=dict)


def write_bytes(content, name="m.onnx"):
    return lambda folder: (folder / name).write_bytes(content)


def value(name, dims=("n", 4), element=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, element, dims)


def model(nodes, initializers=(), inputs=None, outputs=None, opset=21, functions=(), **more):
    """A model of `nodes` from x to y, not checked."""
    graph = helper.make_graph(nodes, "hostile", inputs or [value("x")], outputs or [value("y")],
                              list(initializers))
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1),
              helper.make_opsetid("local", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10,
                             functions=list(functions), **more)


def write_model(proto, name="m.onnx"):
    return write_bytes(proto.SerializeToString(), name)


def list_files(folder):
    """Every path and what it holds, as far as it can be read at once."""
    return {path: path.stat().st_size for path in sorted(folder.rglob("*"))
            if not path.is_fifo() and path.exists()}


def limit_address_space():
    """Far above what is judged: a case that fails must not take the machine with it."""
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 65))


def judge(case, folder):
    """What is wrong with the end of a case, or None."""
    case.write(folder)
    before = list_files(folder)
    tool, *arguments = case.command
    with tempfile.TemporaryFile() as file:
        process = subprocess.Popen([str(BUILD / "bin" / tool), *arguments], cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                   preexec_fn=limit_address_space,
                                   env={**os.environ, **case.environment})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        file.seek(0)
        text = file.read().decode(errors="replace")
    if process.returncode != case.code:
        return f"exit code {process.returncode}, but expected {case.code}: {text[-1000:]}"
    if case.text not in text:
        return f"expected '{case.text}' in: {text[-1000:]}"
    if len(text) > 4000:
        return f"a message of {len(text)} characters"
    if (seconds := used.ru_utime + used.ru_stime) > SECONDS:
        return f"took {seconds:.1f} s"
    if (megabytes := used.ru_maxrss / 1024) > MEGABYTES:
        return f"took {megabytes:.0f} MB"
    if list_files(folder) != before:
        return f"left {set(list_files(folder)) ^ set(before)}"
    return None
