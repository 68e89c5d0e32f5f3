"""Rows that a mask leaves nothing to look at are what the model says they are.

The softmax of minus infinities is no number; the compiled program, on every tier
and device, agrees with Reference on the model itself.
"""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import vulkan_driver
from qopt_tools import list_tiers, run_arrays, run_ok

TIERS, RUNNABLE = list_tiers()
# Beyond one block of keys, some of which see nothing of a row either.
QUERIES, KEYS = 6, 150


def save(path, nodes, inputs, outputs, constants=()):
    def describe(values):
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(dims))
                for name, dims in values.items()]

    graph = helper.make_graph(nodes, "masks", describe(inputs), describe(outputs),
                              [numpy_helper.from_array(value, name) for name, value in constants])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                ir_version=10), path)
    return path


@pytest.fixture(scope="module")
def attention(tmp_path_factory):
    """softmax(q k^T / 4 + mask) v as exporters write it."""
    nodes = [
        helper.make_node("Transpose", ["k"], ["kt"], "/t", perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "kt"], ["s"], "/qk"),
        helper.make_node("Mul", ["s", "scale"], ["sc"], "/scale"),
        helper.make_node("Add", ["sc", "m"], ["sm"], "/mask"),
        helper.make_node("Softmax", ["sm"], ["p"], "/softmax", axis=-1),
        helper.make_node("MatMul", ["p", "v"], ["y"], "/pv"),
    ]
    return save(tmp_path_factory.mktemp("attention") / "m.onnx", nodes,
                {"q": (2, QUERIES, 16), "k": (2, KEYS, 16), "v": (2, KEYS, 8),
                 "m": (QUERIES, KEYS)},
                {"y": (2, QUERIES, 8)}, [("scale", np.float32(0.25))])


@pytest.fixture(scope="module")
def softmax(tmp_path_factory):
    """Along the last axis, and along the first one."""
    nodes = [helper.make_node("Softmax", ["m"], ["a"], "/a", axis=-1),
             helper.make_node("Softmax", ["m"], ["b"], "/b", axis=0)]
    dims = (QUERIES, KEYS)
    return save(tmp_path_factory.mktemp("softmax") / "m.onnx", nodes, {"m": dims},
                {"a": dims, "b": dims})


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(0)
    mask = np.zeros((QUERIES, KEYS), np.float32)
    mask[1] = -np.inf
    mask[2, :70] = -np.inf
    mask[3, 3:] = -np.inf
    # A finite mask hides all keys equally.
    mask[4] = np.finfo(np.float32).min
    mask[:, 7] = -np.inf
    return {"q": rng.standard_normal((2, QUERIES, 16)).astype(np.float32),
            "k": rng.standard_normal((2, KEYS, 16)).astype(np.float32),
            "v": rng.standard_normal((2, KEYS, 8)).astype(np.float32), "m": mask}


def expect_agreement(found, expected):
    for name, value in expected.items():
        np.testing.assert_array_equal(np.isnan(found[name]), np.isnan(value), name)
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


def expect_the_same_everywhere(model, values, folder):
    expected = run_arrays(model, values, folder, "--reference")
    run_ok("qopt-compile", model, "-o", folder / "m.so", "--cpu", ",".join(TIERS), "--quiet")
    for tier in RUNNABLE:
        expect_agreement(run_arrays(folder / "m.so", values, folder, environment={"QOPT_CPU": tier}),
                         expected)
    if driver := vulkan_driver.find_environment():
        run_ok("qopt-compile", model, "-o", folder / "v.so", "--target", "vulkan", "--quiet")
        expect_agreement(run_arrays(folder / "v.so", values, folder, environment=driver), expected)
    return expected


def test_attention(attention, values, tmp_path):
    program = tmp_path / "m.mlir"
    run_ok("qopt-compile", attention, "-o", program, "--stop-after", "prepare", "--quiet")
    assert "qopt.attention" in program.read_text()
    found = expect_the_same_everywhere(attention, values, tmp_path)["y"]
    assert np.isnan(found[:, 1]).all()
    assert np.isfinite(np.delete(found, 1, axis=1)).all()


def test_softmax(softmax, values, tmp_path):
    found = expect_the_same_everywhere(softmax, {"m": values["m"]}, tmp_path)
    assert np.isnan(found["a"][1]).all()
    assert np.isfinite(np.delete(found["a"], 1, axis=0)).all()
    assert np.isnan(found["b"][:, 7]).all()
    assert np.isfinite(np.delete(found["b"], 7, axis=1)).all()


def test_zeros_where_the_op_says_so(attention, values, tmp_path):
    """Every form of the program agrees, the exported one too."""
    program = tmp_path / "m.mlir"
    run_ok("qopt-compile", attention, "-o", program, "--stop-after", "transform", "--quiet")
    text = program.read_text()
    program.write_text(text.replace("{scale = ", "{masked_rows_are_zero, scale = "))
    assert text.count("{scale = ") == 1
    expected = run_arrays(program, values, tmp_path, "--reference")
    assert not expected["y"][:, 1].any()
    assert np.isfinite(expected["y"]).all()
    for output, more in (("m.so", []), ("e.onnx", ["--emit", "qdq-onnx"])):
        run_ok("qopt-compile", program, "--start-from", "transform", "-o", tmp_path / output,
               "--quiet", *more)
    expect_agreement(run_arrays(tmp_path / "m.so", values, tmp_path), expected)
    expect_agreement(run_arrays(tmp_path / "e.onnx", values, tmp_path, "--reference"), expected)
