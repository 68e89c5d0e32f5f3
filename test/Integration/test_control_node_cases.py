"""onnx's own cases of recurrent nodes and control flow, through Reference and compiled."""

import warnings

import numpy as np
import onnx
import pytest
from onnx.backend.test.case.node import collect_testcases

from qopt_tools import run_arrays, run_ok, run_tool

#: Cases that are not supported, and what is said of them.
REFUSED = {
    "test_if_seq": "only tensors are supported, not sequences",
    "test_if_opt": "(Optional, opset 16): expects 1 inputs, but found 0",
    "test_loop13_seq": "only tensors are supported, not sequences",
    "test_loop16_seq_none": "only tensors are supported, not sequences",
}


KINDS = ("GRU", "If", "LSTM", "Loop", "RNN", "Scan")


def collect():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other operators' cases overflow on purpose
        found = collect_testcases(None)
    return {test.name: test for test in found
            if test.model and [node.op_type for node in test.model.graph.node if node.op_type in KINDS]
            == [node.op_type for node in test.model.graph.node]}


CASES = collect()


def test_all_kinds_are_there():
    assert {node.op_type for test in CASES.values() for node in test.model.graph.node} == set(KINDS)
    assert set(REFUSED) <= set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path):
    model, path = CASES[name].model, tmp_path / "m.onnx"
    onnx.save(model, path)
    if name in REFUSED:
        result = run_tool("qopt-compile", path, "-o", tmp_path / "m.so")
        assert result.returncode != 0 and REFUSED[name] in result.stderr
        return
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--quiet")
    for inputs, outputs in CASES[name].data_sets:
        feeds = {info.name: np.asarray(array) for info, array in zip(model.graph.input, inputs)}
        for program, flags in ((path, ["--reference"]), (tmp_path / "m.so", [])):
            found = run_arrays(program, feeds, tmp_path, *flags)
            for info, array in zip(model.graph.output, outputs):
                assert found[info.name].shape == array.shape, info.name
                np.testing.assert_allclose(found[info.name], array, rtol=1e-4, atol=1e-6)
