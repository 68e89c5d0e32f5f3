"""The PP-OCR models read the rendered lines, and their metrics count what they say."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
import ppocr_data
from evaluate import evaluate_ort
from fetch import UnreachableError
from samples import read_samples, write_samples
from tasks import prepare

needs_fonts = pytest.mark.skipif(not ppocr_data.FONTS.exists(),
                                 reason=f"no fonts in {ppocr_data.FONTS}")


def prepare_or_skip(name):
    try:
        return prepare(name)
    except UnreachableError as error:
        pytest.skip(str(error))


@needs_fonts
def test_rec_reads_the_lines():
    figures = evaluate_ort(prepare_or_skip("ppocr-rec"))
    assert figures["character_error_rate"] < 0.01
    assert figures["agreement"] == 1


@needs_fonts
def test_cls_sees_which_lines_stand_on_their_head():
    assert evaluate_ort(prepare_or_skip("ppocr-cls"))["accuracy"] >= 0.95


def test_decode_drops_repetitions_and_blanks():
    characters = ["", "a", "b"]
    steps = np.eye(3)[[1, 1, 0, 1, 2, 2, 0]]
    assert ppocr_data.decode(steps, characters) == "aab"


def test_margins_are_no_errors_but_inner_spaces_are():
    characters = ["", "a", "b", " "]
    def distance(classes):
        return ppocr_data.edit_distance(
            ppocr_data.read_text(np.eye(4)[classes], characters), "a b")
    assert distance([3, 1, 3, 2, 0, 3]) == 0
    assert distance([1, 2]) == 1


@pytest.mark.parametrize("a, b, distance", [
    ("", "", 0), ("abc", "", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ab", "ba", 2)])
def test_edit_distance(a, b, distance):
    assert ppocr_data.edit_distance(a, b) == distance


@needs_fonts
def test_rec_samples_are_normalized_and_as_wide_as_their_line(tmp_path):
    ppocr_data.write_data("rec", tmp_path)
    samples = read_samples(tmp_path / "eval")
    labels = json.loads((tmp_path / "labels.json").read_text())
    assert len(samples) == len(labels) == 64
    assert len({sample["x"].shape[3] for sample in samples}) > 32
    for sample in samples:
        assert sample["x"].dtype == np.float32 and sample["x"].shape[:3] == (1, 3, 48)
        assert -1 <= sample["x"].min() < sample["x"].max() <= 1


@needs_fonts
def test_cls_samples_are_padded_and_half_of_them_turned(tmp_path):
    ppocr_data.write_data("cls", tmp_path)
    assert {sample["x"].shape for sample in read_samples(tmp_path / "eval")} == {(1, 3, 48, 192)}
    right = [{"y": np.eye(2)[None, i % 2]} for i in range(64)]
    write_samples(tmp_path / "right", right)
    write_samples(tmp_path / "half", [right[0]] * 64)
    assert ppocr_data.score_cls(tmp_path, tmp_path / "right") == {"accuracy": 1.0}
    assert ppocr_data.score_cls(tmp_path, tmp_path / "half") == {"accuracy": 0.5}
