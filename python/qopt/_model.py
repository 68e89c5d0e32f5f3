"""Names, types and checks around the extension."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np

from . import _qopt
from ._qopt import Error

Path = Union[str, "os.PathLike[str]"]

_NUMPY_TYPES = {
    "f16": np.float16, "f32": np.float32, "f64": np.float64, "bool": np.bool_,
    "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64,
}


@dataclass(frozen=True)
class Value:
    """An input or output of a model."""

    name: str
    #: The element type, as in `f32` or `f8E4M3FN`.
    type: str
    #: How arrays hold it: bit patterns for types that numpy does not have.
    dtype: np.dtype
    #: A number, the name of a dim that may differ between runs, or None.
    shape: tuple[Union[int, str, None], ...]

    @staticmethod
    def _of(value: _qopt.Value) -> Value:
        shape = tuple(dim if dim >= 0 else symbol or None
                      for dim, symbol in zip(value.dims, value.symbols))
        return Value(value.name, value.type,
                     np.dtype(_NUMPY_TYPES[value.numpy_type]), shape)


class Module:
    """A compiled model. One thread at a time may run it."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._model = _qopt.Model(os.fspath(path), threads)
        self.inputs = tuple(Value._of(value) for value in self._model.inputs)
        self.outputs = tuple(Value._of(value) for value in self._model.outputs)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs by name. Arrays are not converted: their types must be
        those of the inputs."""
        unknown = inputs.keys() - {value.name for value in self.inputs}
        if unknown:
            raise ValueError(f"the model has no input {min(unknown)!r}")
        arrays = [_take(inputs, value) for value in self.inputs]
        results = self._model.run(arrays)
        return {value.name: array for value, array in zip(self.outputs, results)}

    def describe(self) -> dict[str, Any]:
        """Inputs, outputs, tiers and the manifest of the compiler."""
        return json.loads(self._model.describe())


def _take(inputs: Mapping[str, np.ndarray], value: Value) -> np.ndarray:
    if value.name not in inputs:
        raise ValueError(f"input {value.name!r} is missing")
    array = np.asarray(inputs[value.name])
    if array.dtype != value.dtype:
        raise TypeError(f"input {value.name!r} expects elements of type "
                        f"{value.dtype}, but found {array.dtype}")
    return np.require(array, requirements="C")


def load(path: Path, threads: int = 0) -> Module:
    """Loads a compiled model; 0 threads: one for each CPU."""
    return Module(path, threads)


def _join_shapes(shapes: Mapping[str, Sequence[Optional[int]]]) -> Optional[str]:
    """The text of --shapes; None if no input has a shape."""
    entries = [name + ":" + "x".join("?" if dim is None else str(dim) for dim in dims)
               for name, dims in shapes.items()]
    return ",".join(entries) or None


def compile(model: Path, output: Path, *, preset: Optional[str] = None,
            recipe: Optional[Path] = None, calib: Optional[Path] = None,
            target: Optional[str] = None, cpu: Union[str, Sequence[str], None] = None,
             emit: Optional[str] = None,
             shapes: Union[str, Mapping[str, Sequence[Optional[int]]], None] = None,
             report: Optional[Path] = None,
            fail_on_fallback: Optional[str] = None) -> dict[str, Any]:
    """Compiles a model as qopt-compile does, whose flags the arguments are, and
    returns the contents of report.json. In a mapping of `shapes` None keeps a
    dim open."""
    if cpu is not None and not isinstance(cpu, str):
        cpu = ",".join(cpu)
    if shapes is not None and not isinstance(shapes, str):
        shapes = _join_shapes(shapes)
    flags = {"preset": preset, "recipe": recipe, "calib": calib, "target": target,
             "cpu": cpu, "emit": emit, "shapes": shapes, "report": report,
             "fail-on-fallback": fail_on_fallback}
    given = [(name, os.fspath(value)) for name, value in flags.items()
             if value is not None]
    return json.loads(_qopt.compile(os.fspath(model), os.fspath(output), given))
