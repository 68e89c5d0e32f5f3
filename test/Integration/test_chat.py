"""examples/chat.py with a decoder of one layer, and a tokenizer that spells numbers."""

import importlib.util
import types

import numpy as np
import onnx
import pytest
import qopt
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import ROOT, run_ok
from test_decoders import PASTS, PRESENTS, value

TOKENS, HEADS, SIZE = 50, 2, 16


@pytest.fixture(name="chat", scope="module")
def fixture_chat():
    spec = importlib.util.spec_from_file_location("chat", ROOT / "examples" / "chat.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="decoder", scope="module")
def fixture_decoder(tmp_path_factory):
    """Takes a mask and positions, which it adds to the words."""
    rng = np.random.default_rng(8)
    folder = tmp_path_factory.mktemp("chat")
    width = HEADS * SIZE
    constants = {"words": (TOKENS, width), "places": (64, width), "out": (width, TOKENS)}
    past = ["batch", HEADS, "past", SIZE]
    graph = helper.make_graph([
        helper.make_node("Gather", ["words", "input_ids"], ["w"]),
        helper.make_node("Gather", ["places", "position_ids"], ["p"]),
        helper.make_node("Add", ["w", "p"], ["x"]),
        helper.make_node("Cast", ["attention_mask"], ["m"], to=TensorProto.BOOL),
        helper.make_node("Unsqueeze", ["m", "axes"], ["mask"]),
        helper.make_node("Attention", ["x", "x", "x", "mask", *PASTS], ["y", *PRESENTS],
                         q_num_heads=HEADS, kv_num_heads=HEADS, is_causal=1),
        helper.make_node("MatMul", ["y", "out"], ["logits"])], "g",
        [value(name, ["batch", length], TensorProto.INT64)
         for name, length in (("input_ids", "new"), ("attention_mask", "total"),
                              ("position_ids", "new"))] + [value(name, past) for name in PASTS],
        [value("logits", ["batch", "new", TOKENS])]
        + [value(name, ["batch", HEADS, "total", SIZE]) for name in PRESENTS],
        [numpy_helper.from_array(rng.normal(0, 1, dims).astype(np.float32), name)
         for name, dims in constants.items()]
        + [numpy_helper.from_array(np.array([1, 2]), "axes")])
    onnx.save(helper.make_model(graph, ir_version=11,
                                opset_imports=[helper.make_opsetid("", 23)]),
              folder / "model.onnx")
    run_ok("qopt-compile", folder / "model.onnx", "-o", folder / "model.so")
    return folder / "model.so"


class Numbers:
    """Tokens are their numbers; an odd one ends inside of a character."""

    def decode(self, tokens):
        text = " ".join(map(str, tokens))
        return text + "\N{REPLACEMENT CHARACTER}" if tokens[-1] % 2 else text


def make_options(**changes):
    return types.SimpleNamespace(**{"tokens": 6, "temperature": 0, "top_k": 5, **changes})


def test_answers_like_the_whole_text(chat, decoder, capsys):
    prompt, module = [3, 1, 4, 1, 5], qopt.load(decoder)
    expected, empty = list(prompt), {
        name: np.zeros((1, HEADS, 0, SIZE), np.float32) for name in PASTS}
    for _ in range(6):
        count = len(expected)
        logits = module.run({
            "input_ids": np.array([expected]), "position_ids": np.arange(count)[None],
            "attention_mask": np.ones((1, count), np.int64), **empty})["logits"]
        expected.append(int(np.argmax(logits[0, -1])))
    chat.answer(chat.Decoder(decoder, 0, 64), Numbers(), prompt, set(), make_options(), None)
    printed = capsys.readouterr()
    assert printed.out.split() == [str(token) for token in expected[5:]]
    assert "[prompt: 5 tokens" in printed.err and "answer: 6 tokens" in printed.err


def test_draws_by_shares_and_stops(chat, decoder, capsys):
    options = make_options(temperature=1.0, top_k=3)
    talk = chat.Decoder(decoder, 0, 64)
    likeliest = set(np.argsort(talk.feed([7, 8]))[-3:].tolist())
    talk.module.reset_states()
    chat.answer(talk, Numbers(), [7, 8], likeliest, options, np.random.default_rng(0))
    assert capsys.readouterr().out == ""
    with pytest.raises(qopt.Error, match="has a capacity of 4, but 5 are needed"):
        chat.Decoder(decoder, 0, 4).feed([1, 2, 3, 4, 5])
