"""Names, types and checks around the extension."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
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
    """A compiled model. One thread at a time may run it.

    `inputs` and `outputs` are tuples of `Value`, in the order of the ONNX model.
    """

    def __init__(self, path: Path, threads: int = 0, max_iterations: int = 0) -> None:
        self._model = _qopt.Model(os.fspath(path), threads, max_iterations)
        self.inputs = tuple(Value._of(value) for value in self._model.inputs)
        self.outputs = tuple(Value._of(value) for value in self._model.outputs)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs by name, as arrays of their own.

        Arrays are not converted: their types must be those of the inputs, and
        their shapes must fit where the inputs' dims are fixed. Raises ValueError
        for names that are missing or unknown, TypeError for another element type,
        and Error for shapes that do not fit and for runs that fail."""
        if not isinstance(inputs, Mapping):
            raise TypeError("run expects a mapping from input names to arrays, but found "
                            f"{type(inputs).__name__}; the inputs are "
                            f"{_list_names(value.name for value in self.inputs)}")
        unknown = inputs.keys() - {value.name for value in self.inputs}
        if unknown:
            raise ValueError(f"the model has no input {min(unknown)!r}; it has "
                             f"{_list_names(value.name for value in self.inputs)}")
        arrays = [_NOTHING if self._model.is_input_kept(index) else _take(inputs, value)
                  for index, value in enumerate(self.inputs)]
        results = self._model.run(arrays)
        return {value.name: array for value, array in zip(self.outputs, results)
                if array is not None}

    def bind_states(self, capacity: int = 0) -> None:
        """From the next run on, what feeds inputs of the next run is kept here: keys
        and values of a decoder, or what a recurrent layer remembers. These are no
        inputs and no outputs of `run` then. `capacity` is what lengths may grow to; 0:
        as the model was compiled. A run that needs more raises Error and changes
        nothing. `describe()["states"]` lists them."""
        self._model.bind_states(capacity)

    def unbind_states(self) -> None:
        """States are inputs and outputs of `run` again."""
        self._model.unbind_states()

    def reset_states(self) -> None:
        """The next run begins a new sequence."""
        self._model.reset_states()

    @property
    def state_length(self) -> int:
        """How long the kept sequence is."""
        return self._model.get_state_length()

    def fork_states(self, other: Module) -> None:
        """Goes on from copies of the states of `other`, loaded from the same file: a
        second sequence that begins like the first."""
        self._model.fork_states(other._model)

    def describe(self) -> dict[str, Any]:
        """Inputs, outputs, tiers and the manifest of the compiler."""
        return json.loads(self._model.describe())


#: Stands for what is not read.
_NOTHING = np.empty(0, np.uint8)


def _list_names(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "none"


def _take(inputs: Mapping[str, np.ndarray], value: Value) -> np.ndarray:
    if value.name not in inputs:
        raise ValueError(f"input {value.name!r} is missing; found {_list_names(inputs)}")
    array = np.asarray(inputs[value.name])
    if array.dtype != value.dtype:
        raise TypeError(f"input {value.name!r} expects elements of type "
                        f"{value.dtype}, but found {array.dtype}")
    return np.require(array, requirements="C")


@dataclass(frozen=True)
class Target:
    """A machine that `compile` takes."""

    #: What `target` and `cpu` of `compile` are.
    target: str
    machine: str
    #: True where this machine runs what is compiled for it.
    runs_here: bool
    #: Why not; or, for a device, which one it is.
    detail: str
    #: The tier of the CPU that drives a device.
    host: Optional[str] = None


def list_targets() -> tuple[Target, ...]:
    """The machines of every target, as `qopt-compile --list-targets` prints them."""
    return tuple(Target(**row) for row in json.loads(_qopt.describe_targets()))


def load(path: Path, threads: int = 0, max_iterations: int = 0) -> Module:
    """Loads a compiled model; 0 threads: one for each CPU. All loops of a run
    together take at most `max_iterations`; 0: as many as they need. Raises Error for
    a file that is no such model, is damaged, or has no code for this machine."""
    return Module(path, threads, max_iterations)


def _join_shapes(shapes: Mapping[str, Sequence[Optional[int]]]) -> Optional[str]:
    """The text of --shapes; None if no input has a shape."""
    for name, dims in shapes.items():
        if not isinstance(dims, Sequence) or isinstance(dims, str):
            raise TypeError("shapes expects a text or a mapping from input names to sequences "
                            f"of sizes, but found {dims!r} for {name!r}")
    entries = [name + ":" + "x".join("?" if dim is None else str(dim) for dim in dims)
               for name, dims in shapes.items()]
    return ",".join(entries) or None


#: A sample: one array for each input.
Sample = Mapping[str, np.ndarray]


def _write_samples(samples: Union[Sample, Iterable[Sample]], folder: str) -> None:
    """One .npz for each sample, in their order."""
    if isinstance(samples, Mapping):
        samples = [samples]
    for index, sample in enumerate(samples):
        if not isinstance(sample, Mapping):
            raise TypeError("calib expects a path, a mapping from inputs to arrays, or an "
                            f"iterable of these, but found {type(sample).__name__}")
        arrays = {name: np.asarray(array) for name, array in sample.items()}
        with open(os.path.join(folder, f"{index:08}.npz"), "wb") as file:
            np.savez(file, **arrays)


def _recipe_flag(recipe: Union[Path, Mapping[str, Any]]) -> tuple[str, str]:
    """A mapping is a recipe, of the version that it may leave out, as is a text of
    more than one line; all else is the path of one."""
    if isinstance(recipe, Mapping):
        return "recipe-text", json.dumps({"version": 1, **recipe})
    path = os.fspath(recipe)
    return ("recipe-text" if "\n" in path else "recipe"), path


#: Flags that are arguments here.
_FLAGS = re.compile(r"(?<![\w/])--(preset|effort|recipe|calib|calib-cache|target|cpu|emit|shapes|"
                    r"report|accuracy-gate|fail-on-fallback)(?![\w-])")


def _name_arguments(text: str) -> str:
    """Arguments for flags."""
    return _FLAGS.sub(lambda found: found[1].replace("-", "_"), text)


def _name_samples(text: str, folder: str, is_single: bool) -> str:
    """Samples for the files of `folder` that they were written to."""
    def name(found: re.Match[str]) -> str:
        return f"calib[{int(found[1])}]" if found[1] and not is_single else "calib"
    return re.sub(re.escape(folder) + r"(?:/(\d+)\.npz)?", name, text)


def compile(model: Path, output: Path, *, preset: Optional[str] = None,
            effort: Optional[str] = None,
            recipe: Union[Path, Mapping[str, Any], None] = None,
            calib: Union[Path, Sample, Iterable[Sample], None] = None,
            calib_cache: Optional[Path] = None,
            target: Optional[str] = None, cpu: Union[str, Sequence[str], None] = None,
            emit: Optional[str] = None,
            shapes: Union[str, Mapping[str, Sequence[Optional[int]]], None] = None,
            report: Optional[Path] = None,
            fail_on_fallback: Union[str, bool, None] = None,
            accuracy_gate: Optional[str] = None) -> dict[str, Any]:
    """Compiles a model as qopt-compile does, whose flags the arguments are, and
    returns the contents of report.json.

    `recipe` is the path of a recipe file, its text, or a mapping of its keys;
    `preset` and `effort`, which is "fast", "default" or "best", are its keys then,
    and a mapping's `version` may be left out. `calib` is a path, or the samples
    themselves: a mapping from inputs to arrays for each. In a mapping of `shapes`
    None keeps a dim open. `fail_on_fallback` is True, "any" or "slow". `accuracy_gate` is
    "cosine>=NUMBER", "sqnr>=DECIBELS" or "max-error<=NUMBER".

    Raises Error, whose `code` is the command's exit code: of a bad argument (2),
    an operator or a combination that is not supported (3), a missing file (4), a
    gate that is not kept (5). No output is left then, but for the report of a
    refused program."""
    if cpu is not None and not isinstance(cpu, str):
        cpu = ",".join(cpu)
    if shapes is not None and not isinstance(shapes, str):
        shapes = _join_shapes(shapes)
    if isinstance(fail_on_fallback, bool):
        fail_on_fallback = "planned" if fail_on_fallback else None
    flags = {"preset": preset, "effort": effort, "target": target, "cpu": cpu, "emit": emit,
             "shapes": shapes, "report": report, "calib-cache": calib_cache, "accuracy-gate": accuracy_gate,
             "fail-on-fallback": fail_on_fallback}
    given = [(name, os.fspath(value)) for name, value in flags.items()
             if value is not None]
    if recipe is not None:
        given.append(_recipe_flag(recipe))
    with tempfile.TemporaryDirectory(prefix="qopt-") as folder:
        if isinstance(calib, (str, os.PathLike)):
            given.append(("calib", os.fspath(calib)))
        elif calib is not None:
            _write_samples(calib, folder)
            given.append(("calib", folder))
        is_single = isinstance(calib, Mapping)
        try:
            made = _qopt.compile(os.fspath(model), os.fspath(output), given)
        except Error as error:
            renamed = Error(_name_samples(_name_arguments(str(error)), folder, is_single))
            renamed.code = error.code
            raise renamed from None
        return json.loads(_name_samples(made, folder, is_single))
