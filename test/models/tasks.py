"""The models with what it takes to judge them: an ONNX file, data and a metric.

prepare(NAME) gives paths; what has to be fetched, exported or rendered is made
once for each state of the scripts, under the cache folder of fetch.py.
"""

import hashlib
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable

import digits_data
import export_minilm
import minilm_data
import ppocr_data
from fetch import cache_folder, fetch


@dataclass(frozen=True)
class Task:
    model: Callable[[], Path]
    """The path of the ONNX file."""
    write_data: Callable[[Path], None]
    """Writes the folders calib/ and eval/, and what score needs, to a folder."""
    score: Callable[[Path, Path], dict]
    """The figures of outputs in the second folder on the data in the first."""
    sources: tuple = ("*.py", "sentences_*")
    """Patterns of the files that make the data."""


@dataclass(frozen=True)
class Prepared:
    model: Path
    data: Path
    score: Callable[[Path], dict]
    """The figures of a folder of outputs, one .npz for each of data/eval."""

    @property
    def calib(self):
        return self.data / "calib"

    @property
    def eval(self):
        return self.data / "eval"


def made_folder(*patterns):
    """Where what the files `patterns` make is kept: other files, other folder."""
    sources = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(Path(__file__).parent.glob(pattern)):
            sources.update(path.read_bytes())
    return cache_folder() / "made" / sources.hexdigest()[:16]


def _digits(kind):
    return Task(model=lambda: Path(__file__).with_name(f"digits-{kind}.onnx"),
                write_data=partial(digits_data.write_data, kind), score=digits_data.score)


def _ppocr(kind, is_hard=False):
    def model():
        return fetch(f"ppocr-{kind}")[f"ppocr-{kind}.onnx"]

    def score(data, outputs):
        if kind == "cls":
            return ppocr_data.score_cls(data, outputs)
        return ppocr_data.score_rec(model(), data, outputs)

    return Task(model=model, write_data=partial(ppocr_data.write_data, kind, is_hard=is_hard),
                score=score)


def _minilm():
    def model():
        path = made_folder("export_minilm.py") / "minilm.onnx"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            export_minilm.export(path)
        return path

    return Task(model=model, write_data=lambda out: minilm_data.write_data(model(), out),
                score=minilm_data.score)


TASKS = {
    "digits-mlp": _digits("mlp"),
    "digits-cnn": _digits("cnn"),
    "ppocr-rec": _ppocr("rec"),
    "ppocr-cls": _ppocr("cls"),
    "ppocr-rec-hard": _ppocr("rec", is_hard=True),
    "ppocr-cls-hard": _ppocr("cls", is_hard=True),
    "minilm": _minilm(),
}


def prepare(name, data=None, tasks=None):
    """Fetches or makes the model `name` and, unless it is there, its data."""
    task = (tasks or TASKS)[name]
    model = task.model()
    folder = Path(data) if data else made_folder(*task.sources) / name
    if not folder.exists():
        # Rendered beside its place and moved, so that a folder is whole or not there.
        unfinished = folder.with_name(folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        task.write_data(unfinished)
        unfinished.replace(folder)
    return Prepared(model, folder, partial(task.score, folder))
