"""The benchmark of kernels times what it says, beside the limit that it says."""

import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "test" / "models")]
import kernels
import layers
from kernel_cases import FORMATS, Case
from limits import Limits
from measuring import ToolError


@pytest.mark.parametrize("codes", [None, np.uint8, np.int8])
def test_layers_of_a_model_differ(codes, tmp_path):
    writer = layers.Writer(layers.Product(4, 16, 32), 3, codes)
    writer.write(tmp_path / "model.onnx")
    weights = [tensor.raw_data for tensor in writer.initializers if tensor.name in ("w0", "w2")]
    assert len(set(weights)) == 2


def test_a_case_has_a_time_and_a_limit():
    case = Case("product", layers.Product(64, 256, 256), "fp32", 4)
    result = kernels.measure(case, Limits(1), Namespace(tier=None, threads=1, rounds=1))
    assert result.kernel == "contract.f32"
    assert result.macs == 64 * 256 * 256
    assert result.bound in ("fma512", "fma256", "memory")
    assert result.time > 0 and result.limit > 0
    assert all(time > 0 for time in result.peers.values())


def test_units_are_of_the_tier():
    assert kernels.unit_of("contract.i8i8.vnni", "x86-64-v4") == "vnni"
    assert kernels.unit_of("contract.i8i8.avx2", "x86-64-v3") == "pairs256"
    assert kernels.unit_of("contract.f32", "x86-64-v4") == "fma512"
    assert kernels.unit_of("contract.f32", "x86-64-v3") == "fma256"
    assert kernels.unit_of("contract.i8i8.amx", None) == "amx"


def test_a_unit_that_the_machine_lacks():
    class Narrow:
        def macs_per_second(self, unit):
            return 1e9 * (unit == "fma256")

    assert kernels.measured_unit("fma512", Narrow()) == "fma256"
    with pytest.raises(ToolError, match="the rate of amx cannot be measured"):
        kernels.measured_unit("amx", Narrow())
    assert kernels.measured_unit("fma256", Limits(1)) == "fma256"


def test_every_format_compiles_to_a_kernel_of_its_own(tmp_path):
    for name in FORMATS:
        folder = tmp_path / name
        folder.mkdir()
        case = Case("product", layers.Product(8, 64, 64), name, 2)
        subject = kernels.Subject(case, folder, None, 1)
        assert subject.kernel.startswith("contract."), name
        assert subject.weight_bytes > 0
