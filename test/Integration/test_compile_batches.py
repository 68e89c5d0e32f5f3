"""The numbers of a row, or of a sample, do not depend on those beside it.

Activations get their scales from their own row or sample, so a batch has the
bits of its samples run one by one, whatever lies between their sizes.
"""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import list_tiers, run_arrays, run_ok

TIERS, RUNNABLE = list_tiers()
# The others take their scales from calibration.
PRESETS = [preset for preset in run_ok("qopt-compile", "--list-presets").split()
           if preset not in ("w8a8", "w8a8-pow2")]
SAMPLES, LARGE = 5, 2


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Two products in a row on one input, two convolutions on the other."""
    rng = np.random.default_rng(0)

    def weight(name, *dims):
        values = rng.standard_normal(dims) / np.sqrt(np.prod(dims[1:]))
        return numpy_helper.from_array(values.astype(np.float32), name)

    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["h"], "/a"),
        helper.make_node("Relu", ["h"], ["hr"], "/r"),
        helper.make_node("MatMul", ["hr", "b"], ["y"], "/b"),
        helper.make_node("Conv", ["i", "c"], ["j"], "/c", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["j"], ["jr"], "/s"),
        helper.make_node("Conv", ["jr", "d"], ["z"], "/d", pads=[1, 1, 1, 1], group=40),
    ]
    graph = helper.make_graph(nodes, "batches", [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 72]),
        helper.make_tensor_value_info("i", TensorProto.FLOAT, ["n", 36, 6, 7]),
    ], [
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3, 40]),
        helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 40, 6, 7]),
    ], [weight("a", 72, 64), weight("b", 64, 40), weight("c", 40, 36, 3, 3),
        weight("d", 40, 1, 3, 3)])
    path = tmp_path_factory.mktemp("batches") / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                ir_version=10), path)
    return path


@pytest.fixture(scope="module")
def batch():
    """Samples of ordinary size, but for one: all of it, and a single row, is huge."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((SAMPLES, 3, 72)).astype(np.float32)
    i = rng.standard_normal((SAMPLES, 36, 6, 7)).astype(np.float32)
    x[LARGE, 1] *= np.float32(3e6)
    i[LARGE] *= np.float32(3e6)
    return {"x": x, "i": i}


def run(program, values, folder, *more, tier=RUNNABLE[-1]):
    return run_arrays(program, values, folder, *more, environment={"QOPT_CPU": tier})


def expect_same_bits(found, expected):
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name].view(np.uint32), value.view(np.uint32), name)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_large_neighbour_changes_nothing(model, batch, preset, tmp_path):
    artefact, program = tmp_path / "m.so", tmp_path / "m.mlir"
    for output, more in ((artefact, ["--cpu", ",".join(TIERS)]),
                         (program, ["--stop-after", "quantize"])):
        run_ok("qopt-compile", model, "-o", output, "--preset", preset, "--quiet", *more)
    together = run(program, batch, tmp_path, "--reference")
    for tier in RUNNABLE:
        expect_same_bits(run(artefact, batch, tmp_path, tier=tier), together)
    for sample in range(SAMPLES):
        alone = {name: value[sample:sample + 1] for name, value in batch.items()}
        expected = run(artefact, alone, tmp_path)
        expect_same_bits({name: value[sample:sample + 1] for name, value in together.items()},
                         expected)
        assert sample == LARGE or all(value.any() for value in expected.values())
    # Rows of a product are as independent as samples.
    rows = {**batch, "x": batch["x"].copy()}
    rows["x"][LARGE, 1] = 0
    found = run(artefact, rows, tmp_path)["y"]
    for row in (0, 2):
        np.testing.assert_array_equal(found[LARGE, row], together["y"][LARGE, row])
