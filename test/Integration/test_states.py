"""Outputs that feed inputs of the next run, kept by the context."""

import numpy as np
import onnx
import pytest
import qopt
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import run_ok, run_tool
from test_decoders import KEY_HEADS, PASTS, PRESENTS, SIZE, make_attention, make_steps, value

EMPTY = {name: np.zeros((1, KEY_HEADS, 0, SIZE), np.float32) for name in PASTS}


@pytest.fixture(name="decoder", scope="module")
def fixture_decoder(tmp_path_factory):
    """A decoder for sequences of at most seven tokens."""
    folder = tmp_path_factory.mktemp("decoder")
    onnx.save(make_attention(), folder / "model.onnx")
    run_ok("qopt-compile", folder / "model.onnx", "-o", folder / "model.so", "--capacity", "7")
    return folder / "model.so"


def run_by_hand(path, steps):
    """Outputs of steps that take what the one before gave."""
    module, past = qopt.load(path), EMPTY
    for step in steps:
        outputs = module.run({**step, **past})
        past = {name: outputs[other] for name, other in zip(PASTS, PRESENTS)}
        yield outputs["y"]


def test_decoder_goes_on_by_itself(decoder):
    steps = list(make_steps([], 1))[:2]
    module = qopt.load(decoder)
    assert [(row["input"], row["output"], row["axis"], row["capacity"])
            for row in module.describe()["states"]] == [
                (past, present, 2, 7) for past, present in zip(PASTS, PRESENTS)]
    module.bind_states()
    for step, expected in zip(steps, run_by_hand(decoder, steps)):
        outputs = module.run(step)
        assert list(outputs) == ["y"]
        assert outputs["y"].tobytes() == expected.tobytes()
    assert module.state_length == 6


def test_capacity_is_kept_to(decoder):
    prompt, token, pair = make_steps([], 1)
    module = qopt.load(decoder)
    module.bind_states()
    for step in (prompt, token):
        module.run(step)
    with pytest.raises(qopt.Error, match="has a capacity of 7, but 8 are needed") as caught:
        module.run(pair)
    assert caught.value.code == 1
    # The run that failed changed nothing.
    assert module.state_length == 6
    found = module.run(token)["y"]
    assert found.tobytes() == list(run_by_hand(decoder, [prompt, token, token]))[2].tobytes()
    module.bind_states(64)
    for step in (prompt, token, pair):
        module.run(step)
    assert module.state_length == 8


def test_sequences_begin_anew_and_part(decoder):
    prompt, token, _ = make_steps([], 1)
    first, second = qopt.load(decoder), qopt.load(decoder)
    with pytest.raises(qopt.Error, match="keeps no states"):
        second.fork_states(first)
    first.bind_states(64)
    first.run(prompt)
    second.fork_states(first)
    expected = first.run(token)["y"]
    assert (first.state_length, second.state_length) == (6, 5)
    assert second.run(token)["y"].tobytes() == expected.tobytes()
    first.reset_states()
    assert first.state_length == 0
    first.run(prompt)
    assert first.run(token)["y"].tobytes() == expected.tobytes()
    # Another batch is another sequence.
    first.reset_states()
    first.run(next(make_steps([], 2)))
    with pytest.raises(qopt.Error, match="disagree"):
        first.run(token)
    first.unbind_states()
    first.run({**prompt, **EMPTY})


def test_samples_are_steps(decoder, tmp_path):
    steps = list(make_steps([], 1))[:2]
    (tmp_path / "in").mkdir()
    for index, step in enumerate(steps):
        np.savez(tmp_path / "in" / f"{index}.npz", **step)
    run_ok("qopt-run", decoder, "--keep-states", "--inputs", tmp_path / "in", "--outputs",
           tmp_path / "out")
    for index, expected in enumerate(run_by_hand(decoder, steps)):
        with np.load(tmp_path / "out" / f"{index}.npz") as found:
            assert list(found) == ["y"]
            assert found["y"].tobytes() == expected.tobytes()
    refused = run_tool("qopt-run", decoder, "--keep-states", "--capacity", "5", "--inputs",
                       tmp_path / "in")
    assert refused.returncode == 1
    assert 'state "past_key_values.0.key" has a capacity of 5, but 6 are needed' in refused.stderr


def make_recurrent():
    """One LSTM whose last states are outputs."""
    rng = np.random.default_rng(3)
    weights = {name: numpy_helper.from_array(rng.normal(0, 1, dims).astype(np.float32), name)
               for name, dims in (("w", (1, 16, 3)), ("r", (1, 16, 4)))}
    state = [1, "batch", 4]
    graph = helper.make_graph(
        [helper.make_node("LSTM", ["x", "w", "r", "", "", "h", "c"], ["y", "hn", "cn"],
                          hidden_size=4)], "g",
        [value("x", ["steps", "batch", 3]), value("h", state), value("c", state)],
        [value("y", ["steps", 1, "batch", 4]), value("hn", state), value("cn", state)],
        list(weights.values()))
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def test_recurrent_state(tmp_path):
    onnx.save(make_recurrent(), tmp_path / "model.onnx")
    plain, kept = tmp_path / "plain.so", tmp_path / "kept.so"
    run_ok("qopt-compile", tmp_path / "model.onnx", "-o", plain)
    with pytest.raises(qopt.Error, match="the model has no states\nnote: compile it with --state"):
        qopt.load(plain).bind_states()
    run_ok("qopt-compile", tmp_path / "model.onnx", "-o", kept, "--state", "hn=h", "--state",
           "cn=c")
    x = np.random.default_rng(4).normal(0, 1, (6, 2, 3)).astype(np.float32)
    zeros = np.zeros((1, 2, 4), np.float32)
    whole = qopt.load(plain).run({"x": x, "h": zeros, "c": zeros})["y"]
    module = qopt.load(kept)
    module.bind_states()
    parts = [module.run({"x": x[start:start + 2]})["y"] for start in (0, 2, 4)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


@pytest.mark.parametrize("flags, told", [
    (["--state", "hn"], "--state expects OUTPUT=INPUT, but found 'hn'"),
    (["--state", "hn=no"], "'hn=no': the model has no input \"no\""),
    (["--state", "y=h"], "--state 'y=h': they differ in rank or type of elements"),
    (["--capacity", "0"], "--capacity expects a number from 1 on, but found '0'")])
def test_refused_flags(flags, told, tmp_path):
    onnx.save(make_recurrent(), tmp_path / "model.onnx")
    result = run_tool("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "m.so", *flags)
    assert result.returncode == 2
    assert told in result.stderr
    assert not (tmp_path / "m.so").exists()
