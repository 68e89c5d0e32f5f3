"""Compiles ONNX models to low-bit code and runs them.

    import qopt
    qopt.compile("model.onnx", "model.so", preset="w8a8-dynamic")
    outputs = qopt.load("model.so").run({"x": array})
"""

from ._model import Error, Module, Target, Value, compile, list_targets, load
from ._qopt import get_version

__version__ = get_version()
__all__ = ["Error", "Module", "Target", "Value", "compile", "list_targets", "load"]
