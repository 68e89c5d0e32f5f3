"""The differential fuzzer: it finds what it must, and finds nothing any more.

A minute of fixed seeds here, 20,000 with QOPT_TEST_FULL=1.
"""

import os
import re

import numpy as np
import onnx
import pytest
import qopt

from backend_cases import load_cases, read_expected
from fuzz_builder import Builder, Rejected
from fuzz_cases import BLOCK_PRESETS, INTEGER_PRESETS, Options, generate
from fuzz_coverage import Coverage, find_recipe_values, list_operators, list_recipe_values
from fuzz_graphs import fuzz
from fuzz_operators import OPERATORS
from fuzz_oracles import Failure, Outcome, compare_near, have_same_bits
from fuzz_patterns import PATTERNS
from fuzz_recipes import draw_recipe
from fuzz_shrink import Shrinker, read_model
from fuzz_workers import Child, check_forked
from qopt_tools import list_tiers, run_ok
from test_contrib_operators import CASES
from test_qlinear_operators import CASES as QLINEAR_CASES

IS_FULL = os.environ.get("QOPT_TEST_FULL") == "1"
# The first seeds of the runs, and how many follow each.
RUNS, COUNT = (range(0, 20000, 500), 500) if IS_FULL else (range(1), 200)
# Seeds that showed a fault once.
FOUND = []


def expect_agreement(seeds, folder):
    statistics = fuzz(list(seeds), os.cpu_count() or 1, folder)
    assert statistics.failures == {}, f"see {folder}"
    return statistics


@pytest.mark.parametrize("first", RUNS)
def test_random_models(first, tmp_path):
    statistics = expect_agreement(range(first, first + COUNT), tmp_path)
    assert statistics.compared > 0.7 * COUNT


def test_models_that_failed_before(tmp_path):
    expect_agreement(FOUND, tmp_path)


def test_every_imported_operator_is_drawn():
    # Programs that are drawn hold tensors alone; test_sequences.py has these.
    sequences = {name for name in list_operators()
                 if re.search("Sequence|^Optional", name)} - {"ReverseSequence"}
    assert len(sequences) == 11
    # Those that become several ops of others are in cases that are no graphs.
    refused = read_expected()
    tested = {f"{node.domain}.{node.op_type}".lstrip(".") for case in load_cases() if case.name not in refused
              for node in case.model.graph.node}
    contrib = {f"com.microsoft.{name}" for name in CASES} | set(CASES)
    contrib |= {"com.microsoft.NhwcConv"}  # a test of its own
    contrib |= {f"com.microsoft.{row[0]}" for row in QLINEAR_CASES.values()}
    drawn = set(OPERATORS) | {"Constant"} | sequences | tested | contrib
    assert len(list_operators()) > 80
    assert set(list_operators()) - drawn == set()


def test_every_preset_is_drawn():
    presets = run_ok("qopt-compile", "--list-presets").split()
    assert sorted(["fp32", *INTEGER_PRESETS, *BLOCK_PRESETS]) == sorted(presets)


def test_every_value_of_every_key_of_recipes_is_drawn():
    builder = Builder(np.random.default_rng(0), opset=21)
    drawn = set()
    for _ in range(4000):
        recipe = draw_recipe(builder, builder.choose(INTEGER_PRESETS + BLOCK_PRESETS))
        drawn |= set(find_recipe_values(recipe))
    assert len(list_recipe_values()) > 100
    assert set(list_recipe_values()) - drawn == set()


def test_coverage_says_what_no_case_has(tmp_path):
    generate(0, tmp_path / "case", ["x86-64-v3"])
    coverage = Coverage()
    coverage.add(tmp_path / "case")
    drawn = {node.op_type for node in read_model(tmp_path / "case").graph.node}
    assert set(coverage.counts["operators"]) == drawn
    assert set(coverage.find_missing()["operators"]) == set(list_operators()) - drawn


def test_every_maker_makes_a_node():
    """None of them is rejected for ever."""
    made = set()
    for seed in range(400):
        builder = Builder(np.random.default_rng(seed), opset=(25, 9)[seed % 2])
        for name, maker in {**OPERATORS, **PATTERNS}.items():
            if name not in made:
                try:
                    maker(builder)
                    made.add(name)
                except Rejected:
                    continue
        if len(made) == len(OPERATORS) + len(PATTERNS):
            break
    assert {*OPERATORS, *PATTERNS} - made == set()


def test_a_seed_makes_the_same_case_every_time(tmp_path):
    for name in "ab":
        generate(7, tmp_path / name, ["x86-64-v3"])
    for path in (tmp_path / "a").rglob("*.*"):
        other = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert path.read_bytes() == other.read_bytes()


def test_a_bit_that_differs_is_found(tmp_path, monkeypatch):
    run = qopt.Module.run

    def run_wrong(module, inputs):
        outputs = run(module, inputs)
        next(iter(outputs.values())).reshape(-1).view(np.uint8)[0] ^= 1
        return outputs

    for seed in range(20):
        case = tmp_path / str(seed)
        generate(seed, case, list_tiers()[1])
        if check_forked(case) == Outcome():
            break
    monkeypatch.setattr(qopt.Module, "run", run_wrong)
    assert check_forked(case).failure.kind.startswith("bits")


def test_signs_of_zeros_are_bits_and_payloads_of_nan_are_not():
    zeros = np.array([0.0, np.nan], np.float32)
    assert not have_same_bits(zeros, np.array([-0.0, np.nan], np.float32))
    assert have_same_bits(zeros, np.array([0.0, -np.nan], np.float32))


def test_nearness_is_as_far_as_onnx_runtime_differs_from_itself():
    plain = np.array([1.0, 2.0], np.float32)
    off = plain + np.float32(0.01)
    assert compare_near(plain, plain, plain, plain, False) is None
    assert compare_near(plain, plain, plain, off, False)
    assert compare_near(plain, plain + np.float32(0.004), plain, off, False) is None
    assert compare_near(plain, plain, plain, np.array([1.0, np.nan], np.float32), False)
    assert compare_near(plain, plain, plain, plain.reshape(1, 2), False)
    # Products that left the normal numbers.
    tiny = np.array([-1e-41], np.float32)
    assert compare_near(tiny, tiny, tiny, np.zeros(1, np.float32), False) is None


@pytest.mark.parametrize("end", [os.abort, lambda: os._exit(3)])
def test_a_child_that_ends_early_is_a_crash(end):
    child = Child(lambda send: end())
    with pytest.raises(EOFError):
        child.receiver.recv()
    assert child.finish().startswith("crash")


def test_a_model_shrinks_to_what_fails(tmp_path):
    """The failure here is a node of a kind."""
    for seed in range(100):
        folder = tmp_path / str(seed)
        generate(seed, folder, ["x86-64-v3"])
        kinds = [node.op_type for node in read_model(folder).graph.node]
        if "MatMul" in kinds and len(kinds) > 8:
            break

    def check(case):
        onnx.checker.check_model(read_model(case))
        fails = "MatMul" in [node.op_type for node in read_model(case).graph.node]
        return Outcome(failure=Failure("has a product", "")) if fails else Outcome()

    Shrinker(folder, tmp_path / "trial", "has a product", check).run()
    assert [node.op_type for node in read_model(folder).graph.node] == ["MatMul"]
    assert Options.read(folder / "case.json").threads == 1
