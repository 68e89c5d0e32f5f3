"""Outputs that feed inputs of the next run, kept by the context."""

import json
import re

import numpy as np
import onnx
import pytest
import qopt
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import list_tiers, run_arrays, run_ok, run_tool
from test_decoders import (KEY_HEADS, PASTS, PRESENTS, SIZE, make_attention, make_group_query,
                           make_pieces, make_steps, value)

EMPTY = {name: np.zeros((1, KEY_HEADS, 0, SIZE), np.float32) for name in PASTS}


@pytest.fixture(name="decoder", scope="module")
def fixture_decoder(tmp_path_factory):
    """A decoder for sequences of at most seven tokens."""
    folder = tmp_path_factory.mktemp("decoder")
    onnx.save(make_attention(), folder / "model.onnx")
    run_ok("qopt-compile", folder / "model.onnx", "-o", folder / "model.so", "--capacity", "7")
    return folder / "model.so"


def find_appended(model, folder, *flags):
    """The outputs that are added to in place."""
    run_ok("qopt-compile", model, "-o", folder / "target.mlir", "--stop-after=target", "--cpu",
           "x86-64-v3", *flags)
    text = (folder / "target.mlir").read_text()
    return sorted(int(index) for index in re.findall(r"qkernel\.append_memory (\d+)", text))


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


# What is scattered by lengths is copied.
@pytest.mark.parametrize("make, appended", [
    (make_attention, [1, 2]), (make_group_query, []), (make_pieces, [1, 2])])
def test_decoders_go_on_behind_a_block(make, appended, tmp_path):
    """A prompt of more rows than a block has, a token, and more keys than a block has."""
    onnx.save(make(), tmp_path / "model.onnx")
    run_ok("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "model.so")
    assert find_appended(tmp_path / "model.onnx", tmp_path) == appended
    module = qopt.load(tmp_path / "model.so")
    steps = list(make_steps([one.name for one in module.inputs], 1, (30, 1, 40)))
    module.bind_states(75)
    for step, expected in zip(steps, run_by_hand(tmp_path / "model.so", steps)):
        assert module.run(step)["y"].tobytes() == expected.tobytes()


@pytest.mark.parametrize("threads", ["1", "3"])
def test_every_tier_adds_the_same(threads, tmp_path):
    onnx.save(make_attention(), tmp_path / "model.onnx")
    tiers = list_tiers()[1]
    run_ok("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "m.so", "--cpu",
           ",".join(tiers))
    steps = list(make_steps([], 1, (30, 1, 40, 1)))
    expected = list(run_by_hand(tmp_path / "m.so", steps))
    (tmp_path / "in").mkdir()
    for index, step in enumerate(steps):
        np.savez(tmp_path / "in" / f"{index}.npz", **step)
    for tier in tiers:
        run_ok("qopt-run", tmp_path / "m.so", "--keep-states", "--capacity", "72", "--threads",
               threads, "--inputs", tmp_path / "in", "--outputs", tmp_path / tier,
               environment={"QOPT_CPU": tier})
        for index, want in enumerate(expected):
            with np.load(tmp_path / tier / f"{index}.npz") as found:
                assert found["y"].tobytes() == want.tobytes(), (tier, index)


def make_with_old():
    model = make_attention()
    model.graph.node.append(helper.make_node("Neg", [PASTS[0]], ["old"]))
    model.graph.output.append(value("old", ["batch", KEY_HEADS, "past_sequence_length", SIZE]))
    return model


def test_past_that_is_read_is_copied(tmp_path):
    """What the past was is another output: nothing may be added in its place."""
    onnx.save(make_with_old(), tmp_path / "model.onnx")
    run_ok("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "model.so", "--capacity", "16")
    assert find_appended(tmp_path / "model.onnx", tmp_path) == [2]
    steps, past = list(make_steps([], 1)), EMPTY
    plain, kept = (qopt.load(tmp_path / "model.so") for _ in range(2))
    kept.bind_states()
    for step in steps:
        expected = plain.run({**step, **past})
        past = {name: expected[other] for name, other in zip(PASTS, PRESENTS)}
        found = kept.run(step)
        assert sorted(found) == ["old", "y"]
        for name in found:
            assert found[name].tobytes() == expected[name].tobytes()


@pytest.mark.parametrize("make, kept_as, appended", [
    (make_attention, "i8", [1, 2, 3, 4]), (make_attention, "f16", [1, 2]),
    (make_pieces, "i8", [1, 2, 3, 4]), (make_pieces, "f16", [1, 2])])
def test_states_of_fewer_bits(make, kept_as, appended, tmp_path):
    """What is kept, codes with their scales or f16, and whose bits are the reference's."""
    model, recipe = tmp_path / "model.onnx", tmp_path / "r.yaml"
    onnx.save(make(), model)
    recipe.write_text(f"{{version: 1, kv-cache: {{format: {kept_as}}}}}")
    tiers = list_tiers()[1]
    run_ok("qopt-compile", model, "-o", tmp_path / "q.mlir", "--recipe", recipe,
           "--stop-after=quantize")
    run_ok("qopt-compile", model, "-o", tmp_path / "m.so", "--recipe", recipe, "--cpu",
           ",".join(tiers))
    run_ok("qopt-compile", model, "-o", tmp_path / "float.so")
    assert find_appended(model, tmp_path, "--recipe", recipe) == appended
    kept = qopt.load(tmp_path / "m.so")
    pasts = [one for one in kept.inputs if one.name.startswith("past")]
    types = [np.float16] * 2 if kept_as == "f16" else [np.int8] * 2 + [np.float32] * 2
    names = PASTS if kept_as == "f16" else PASTS + [f"{name}.scale" for name in PASTS]
    assert [(one.name, one.dtype) for one in pasts] == list(zip(names, types))
    kept.bind_states(75)
    steps = list(make_steps([one.name for one in kept.inputs], 1, (30, 1, 40)))
    past = {one.name: np.zeros((1, KEY_HEADS, 0, 1 if one.name.endswith("scale") else SIZE),
                               one.dtype) for one in pasts}
    for step, exact in zip(steps, run_by_hand(tmp_path / "float.so", steps)):
        feeds = {**step, **past}
        reference = run_arrays(tmp_path / "q.mlir", feeds, tmp_path, "--reference")
        for tier in tiers:
            found = run_arrays(tmp_path / "m.so", feeds, tmp_path, environment={"QOPT_CPU": tier})
            for name, want in reference.items():
                assert found[name].tobytes() == want.tobytes(), (tier, name)
        assert kept.run(step)["y"].tobytes() == reference["y"].tobytes()
        assert 0 < np.abs(reference["y"] - exact).max() < (0.005 if kept_as == "f16" else 0.06)
        rows = step["v"].reshape(1, -1, KEY_HEADS, SIZE).transpose(0, 2, 1, 3)
        added = reference["present.0.value"][:, :, -rows.shape[2]:]
        if kept_as == "f16":
            assert (added == rows.astype(np.float16)).all()
        else:
            scales = reference["present.0.value.scale"][:, :, -rows.shape[2]:]
            assert np.abs(added).max() == 127
            assert (np.abs(added * scales - rows) <= scales * 0.5001).all()
        past = {name: reference[name.replace("past_key_values", "present")] for name in past}


def test_scales_of_states_follow_by_themselves(tmp_path):
    """An input of the model's own that has their name stays an input."""
    model, recipe = make_attention(), tmp_path / "r.yaml"
    recipe.write_text("{version: 1, kv-cache: {format: i8}}")
    taken = PASTS[0] + ".scale"
    model.graph.input.append(value(taken, [1]))
    model.graph.node.append(helper.make_node("Neg", [taken], ["negated"]))
    model.graph.output.append(value("negated", [1]))
    onnx.save(model, tmp_path / "m.onnx")
    for flags in ([], ["--state", f"{PRESENTS[0]}={PASTS[0]}"]):
        run_ok("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "m.so", "--recipe", recipe, *flags)
        module = qopt.load(tmp_path / "m.so")
        module.bind_states(8)
        assert [one.name for one in module.inputs] == [
            "q", "k", "v", *PASTS, taken, taken + ".1", PASTS[1] + ".scale"]
        step, = make_steps([], 1, (2,))
        found = module.run({**step, taken: np.ones(1, np.float32)})
        assert sorted(found) == ["negated", "y"]
    refused = run_tool("qopt-compile", tmp_path / "m.onnx", "-o", tmp_path / "no.so", "--recipe", recipe,
                       "--state", f"{PRESENTS[0]}.scale={taken}")
    assert refused.returncode == 2
    assert "note: leave it out: the scales of a state that is kept in codes follow by themselves" in refused.stderr


def test_states_that_keep_their_type(decoder, tmp_path):
    model, recipe = tmp_path / "model.onnx", tmp_path / "r.yaml"
    recipe.write_text("{version: 1, kv-cache: {format: i8}}")
    onnx.save(make_with_old(), model)
    printed = run_tool("qopt-compile", model, "-o", tmp_path / "m.so", "--recipe", recipe)
    assert printed.returncode == 0
    assert 'state "past_key_values.0.key" is kept in f32, not in i8' in printed.stderr
    assert "past_key_values.0.value\" is" not in printed.stderr
    for make in (make_recurrent, make_group_query):
        onnx.save(make(), model)
        refused = run_tool("qopt-compile", model, "-o", tmp_path / "no.so", "--recipe", recipe)
        assert refused.returncode == 2
        assert "kv-cache.format is i8, but no input of f32 is a state that" in refused.stderr
    onnx.save(make_attention(), model)
    refused = run_tool("qopt-compile", model, "-o", tmp_path / "no.onnx", "--recipe", recipe,
                       "--emit=qdq-onnx")
    assert refused.returncode == 2
    assert "but kv-cache.format is i8\nnote: leave one of them out" in refused.stderr


def test_states_in_codes_have_an_error(tmp_path):
    """Samples show what rounding the states costs."""
    onnx.save(make_attention(), tmp_path / "model.onnx")
    (tmp_path / "r.yaml").write_text("{version: 1, kv-cache: {format: i8}}")
    (tmp_path / "calib").mkdir()
    for index, step in enumerate(make_steps([], 1, (5, 9))):
        np.savez(tmp_path / "calib" / f"{index}.npz", **step, **EMPTY)
    run_ok("qopt-compile", tmp_path / "model.onnx", "-o", tmp_path / "m.so", "--recipe",
           tmp_path / "r.yaml", "--calib", tmp_path / "calib", "--report", tmp_path)
    rows = json.loads((tmp_path / "report.json").read_text())["accuracy"]
    found = {row["output"]: row["sqnr_db"] for row in rows}
    assert all(35 < found[name] < 60 for name in ("y", *PRESENTS)), found


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
