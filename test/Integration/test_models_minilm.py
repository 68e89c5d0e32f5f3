"""The exported sentence encoder gives the published similarities."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
import minilm_data
import wordpiece
from evaluate import evaluate_ort
from fetch import UnreachableError, fetch
from ort_run import make_session
from samples import read_samples, write_samples
from tasks import prepare


@pytest.fixture(scope="module")
def prepared():
    try:
        return prepare("minilm")
    except UnreachableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def tokenizer(prepared):
    return wordpiece.WordPiece(fetch("minilm")["tokenizer.json"])


def test_similarities_of_the_model_card(prepared, tokenizer):
    batch = minilm_data.make_batch(tokenizer, ["The weather is lovely today.",
                                               "It's so sunny outside!",
                                               "He drove to the stadium."])
    hidden, = make_session(prepared.model).run(None, batch)
    embeddings = minilm_data.embed(batch, hidden)
    expected = [[1, 0.6660, 0.1046], [0.6660, 1, 0.1411], [0.1046, 0.1411, 1]]
    assert np.abs(embeddings @ embeddings.T - expected).max() < 1e-4


def test_padding_changes_nothing(prepared, tokenizer):
    session = make_session(prepared.model)
    short, long = "A short one.", "A sentence that is longer than the other one by far."
    both, alone = (minilm_data.make_batch(tokenizer, lines) for lines in ([short, long], [short]))
    padded, plain = (minilm_data.embed(batch, session.run(None, batch)[0])
                     for batch in (both, alone))
    assert np.abs(padded[0] - plain[0]).max() < 1e-6


def test_float_model_agrees_with_itself(prepared):
    figures = evaluate_ort(prepared)
    assert figures["cosine_worst"] > 0.99999
    assert figures["agreement"] == 1
    assert figures["retrieval"] > 0.9


def test_score_sees_exchanged_answers(prepared, tmp_path):
    samples = read_samples(prepared.eval)
    rng = np.random.default_rng(0)
    write_samples(tmp_path, [{"h": rng.standard_normal((*s["input_ids"].shape, 384))}
                             for s in samples])
    figures = prepared.score(tmp_path)
    assert figures["cosine_mean"] < 0.2 and figures["agreement"] < 0.2


def test_graph_is_in_pieces(prepared):
    model = onnx.load(prepared.model)
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("Erf") == 6
    assert operators.count("ReduceMean") == 2 * 13
    assert operators.count("MatMul") == 8 * 6
    assert not {"Gelu", "LayerNormalization", "Attention"} & set(operators)
    assert len({node.name for node in model.graph.node}) == len(operators)


@pytest.mark.parametrize("text, words", [
    ("Don't", ["don", "'", "t"]),
    ("Crème\tbrûlée", ["creme", "brulee"]),
    ("$5,00", ["$", "5", ",", "00"]),
    ("東京x", ["東", "京", "x"]),
    ("a\u200bb\x00c", ["abc"]),
])
def test_split_words(text, words):
    assert wordpiece.split_words(text) == words


def test_pieces(tokenizer):
    assert tokenizer.split_word("embeddings") == ["em", "##bed", "##ding", "##s"]
    assert tokenizer.split_word("a" * 101) == ["[UNK]"]
    assert tokenizer.split_word("\u16a0") == ["[UNK]"]
    assert tokenizer.encode("hello world") == [101, 7592, 2088, 102]
