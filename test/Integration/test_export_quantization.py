"""Dynamic quantization that is written out as operators gives the same reals, bit by bit.

A program quantizes and dequantizes one input. The reference evaluator of qopt
runs it; ONNX Runtime or the reference evaluator of onnx what is exported.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from qopt_tools import run_ok

MX = {"mxint8": "i8", "mxfp8-e4m3": "f8E4M3FN", "mxfp8-e5m2": "f8E5M2", "mxfp4": "f4E2M1FN",
      "mxfp6-e2m3": "f6E2M3FN", "mxfp6-e3m2": "f6E3M2FN"}
# What ONNX Runtime has kernels for; onnx computes the others.
IN_ONNX_RUNTIME = {"i8", "mxint8", "mxfp8-e4m3", "mxfp8-e5m2"}
RULES = ["floor", "ceil", "even"]


def write_program(path, x, codes, scales, attributes, form):
    path.write_text(f"""
func.func @main(%x: tensor<{x}xf32> {{qopt.name = "x"}}) -> (tensor<{x}xf32> {{qopt.name = "y"}}) {{
  %r:{1 + len(scales)} = qopt.quantize_dynamic %x {{format = {form}, {attributes}}}
    : (tensor<{x}xf32>) -> ({", ".join([codes, *scales])})
  %y = qopt.dequantize %r#0 scales({", ".join(f"%r#{i + 1}" for i in range(len(scales)))})
    {{format = {form}}} : ({", ".join([codes, *scales])}) -> tensor<{x}xf32>
  return %y : tensor<{x}xf32>
}}
""")
    return path


def write_blocks(path, name, dims, axis, rule="floor"):
    """Dims other than `axis` are known at run time only."""
    def shape(size):
        return "x".join(str(size) if i == axis else "?" for i in range(len(dims)))

    x, block = shape(dims[axis]), 16 if name == "nvfp4" else 32
    blocks = shape(-(-dims[axis] // block))
    element = MX.get(name, "f4E2M1FN")
    form, attributes = f'#qopt.format<"{name}", axis = {axis}>', f'rule = #qopt.rule<{rule}>'
    scales = [f"tensor<{blocks}xf8E8M0FNU>"]
    if name == "nvfp4":
        per = "row" if axis == len(dims) - 1 else "sample"
        scales = [f"tensor<{blocks}xf8E4M3FN>", f"tensor<{get_row_scales(dims, per)}xf32>"]
        attributes += f', per = #qopt.per<{per}>'
    return write_program(path, x, f"tensor<{x}x{element}>", scales, attributes, form)


def get_row_scales(dims, per):
    """Dims of one scale a row or a sample."""
    more = len(dims) - 1
    return "x".join(["?"] * more + ["1"] if per == "row" else ["?"] + ["1"] * more)


def write_rows(path, dims, per):
    x = "x".join(["?"] * (len(dims) - 1) + [str(dims[-1])])
    return write_program(path, x, f"tensor<{x}xi8>", [f"tensor<{get_row_scales(dims, per)}xf32>"],
                         f'per = #qopt.per<{per}>', "#qopt.format<i8>")


def make_values(dims, axis):
    """Rows along `axis` of all magnitudes, ties, zeros, and the largest negative."""
    rng = np.random.default_rng(len(dims) + axis)
    rows = int(np.prod(dims)) // dims[axis]
    values = rng.standard_normal((rows, dims[axis])).astype(np.float32)
    values *= np.exp2(rng.integers(-30, 30, (rows, 1))).astype(np.float32)
    # Ties of steps, and magnitudes next to a power of two on both sides and on it.
    values[1] = rng.integers(-255, 256, dims[axis]) / np.float32(2)
    values[2] = -np.nextafter(np.float32(1), np.float32(2))
    values[3] = np.nextafter(np.float32(-2), np.float32(0))
    values[4] = 0
    values[5] = -np.float32(0)
    values[6] *= np.float32(2.0 ** -100)
    values[7] = rng.choice(np.float32([-4, -2.5, 0.75, 4]), dims[axis])
    shape = [dims[i] for i in range(len(dims)) if i != axis] + [dims[axis]]
    return np.ascontiguousarray(np.moveaxis(values.reshape(shape), -1, axis))


def make_extremes(values):
    """Subnormal, huge, infinite and undefined elements besides."""
    values = values.copy()
    flat = values.reshape(-1)
    flat[:4] = np.float32([1e-45, -3e-39, 3.4028235e38, -2.5e38])
    flat[-1], flat[-40] = np.nan, -np.inf
    return values


def run_elsewhere(path, name, x):
    if name not in IN_ONNX_RUNTIME:
        with np.errstate(all="ignore"):
            return ReferenceEvaluator(onnx.load(path)).run(None, {"x": x})[0]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options).run(None, {"x": x})[0]


def expect_the_same(program, name, x, folder):
    exported, inputs, outputs = folder / "m.onnx", folder / "in.npz", folder / "out.npz"
    run_ok("qopt-compile", program, "--start-from=transform", "--emit=qdq-onnx", "-o", exported,
           "--quiet")
    onnx.checker.check_model(onnx.load(exported), full_check=True)
    np.savez(inputs, x=x)
    run_ok("qopt-run", program, "--reference", "--inputs", inputs, "--outputs", outputs)
    expected = np.load(outputs)["y"]
    # -0 and +0 are one real.
    np.testing.assert_array_equal(run_elsewhere(exported, name, x), expected)


@pytest.mark.parametrize("name, dims, axis", [
    (name, dims, axis) for name in [*MX, "nvfp4"]
    for dims, axis in [((9, 64), 1), ((40, 9), 0), ((3, 7, 2, 4), 1)] if name in MX or axis])
def test_blocks(name, dims, axis, tmp_path):
    program = write_blocks(tmp_path / "m.mlir", name, dims, axis)
    expect_the_same(program, name, make_values(dims, axis), tmp_path)


@pytest.mark.parametrize("name", MX)
@pytest.mark.parametrize("size", [17, 32, 70])
def test_blocks_of_a_vector(name, size, tmp_path):
    """ONNX Runtime reads a list of one scale as that of a tensor."""
    program = write_blocks(tmp_path / "m.mlir", name, (size,), 0)
    expect_the_same(program, name, make_values((8, size), 1)[7], tmp_path)


@pytest.mark.parametrize("name", MX)
@pytest.mark.parametrize("rule", RULES)
def test_rules_of_shared_exponents(name, rule, tmp_path):
    program = write_blocks(tmp_path / "m.mlir", name, (200, 32), 1, rule)
    expect_the_same(program, name, make_values((200, 32), 1), tmp_path)


@pytest.mark.parametrize("name", [*MX, "nvfp4"])
def test_extreme_values(name, tmp_path):
    program = write_blocks(tmp_path / "m.mlir", name, (9, 64), 1)
    expect_the_same(program, name, make_extremes(make_values((9, 64), 1)), tmp_path)


@pytest.mark.parametrize("dims, per", [((9, 64), "row"), ((3, 4, 31), "row"),
                                       ((8, 3, 4, 5), "sample")])
def test_rows(dims, per, tmp_path):
    program = write_rows(tmp_path / "m.mlir", dims, per)
    expect_the_same(program, "i8", make_values(dims, len(dims) - 1), tmp_path)
