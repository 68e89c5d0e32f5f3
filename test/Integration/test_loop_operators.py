"""Operators that their formula alone runs: Reference and the generic kernels share it.

So both are compared with onnx's evaluator (and that with ONNX Runtime by the fuzzer): what
moves elements in all bits, what computes within stated bounds. All dims are known at run time
only, but for those that the importer asks for.
"""

import json

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator

from qopt_tools import list_tiers, run_arrays, run_ok, run_tool
from vulkan_driver import find_environment

RNG = np.random.default_rng(11)


def floats(*dims, dtype=np.float32):
    return RNG.normal(0, 1, dims).astype(dtype)


def integers(low, high, *dims, dtype=np.int64):
    return RNG.integers(low, high, dims).astype(dtype)


def mixed(*dims):
    """Numbers with equal ones among them, zeros of both signs and infinities."""
    return RNG.choice(np.array([0, -0.0, 1, -1, 2, 0.5, np.inf, -np.inf], np.float32), dims)


class Constant:
    """An input that is an initializer."""

    def __init__(self, array):
        self.array = np.asarray(array)


class Fixed:
    """An input whose last `count` dims are known."""

    def __init__(self, array, count=1):
        self.array, self.count = array, count


def case(opset, *inputs, outputs=1, **attributes):
    return opset, inputs, outputs, attributes


LAST_AXIS = Constant(np.int64(-1))
GRID = RNG.uniform(-1.4, 1.4, (2, 5, 6, 2)).astype(np.float32)
GRID[0, 0, :3] = [[-1, -1], [1, 1], [0, 0.25]]
GRID3 = RNG.uniform(-1.2, 1.2, (1, 2, 3, 2, 3)).astype(np.float32)
SEPARATE = np.array([[[0], [2]], [[1], [0]]])


def boxes(*dims):
    """Corners of boxes that overlap often."""
    return np.concatenate([RNG.uniform(0, 1, (*dims, 2)), RNG.uniform(0.5, 1.5, (*dims, 2))],
                          -1).astype(np.float32)


def limits(most, overlap, score):
    return [Constant(np.array([most])), Constant(np.float32([overlap])),
            Constant(np.float32([score]))]


def around_zero(*dims, dtype=np.float32):
    """Numbers of all sizes and both signs."""
    return (RNG.normal(0, 1, dims) * 2.0 ** RNG.integers(-14, 14, dims)).astype(dtype)


UINT64 = np.array([0, 1, 5, 2**63 - 1, 2**63, 2**64 - 1], np.uint64)

MOVED = {
    "GatherND": [
        case(11, floats(3, 4, 5), Fixed(integers(-3, 3, 6, 2))),
        case(12, floats(2, 3, 4, 5), Fixed(integers(-3, 3, 2, 3, 1)), batch_dims=1),
        case(12, floats(2, 3, 4), Fixed(integers(0, 4, 2, 3, 1)), batch_dims=2),
        case(13, integers(-9, 9, 3, 4, dtype=np.uint8), Fixed(integers(-3, 3, 2, 2))),
        case(13, floats(3, 4) > 0, Fixed(integers(0, 3, 5, 1))),
        case(13, floats(3, 4, dtype=np.float64), Fixed(integers(0, 3, 2, 2, 2))),
        case(13, floats(3, 0, 2), Fixed(integers(0, 3, 4, 1))),
        case(13, floats(3, 4, dtype=np.float16), Fixed(integers(0, 3, 0, 1))),
    ],
    "ScatterND": [
        case(11, floats(5, 4), Fixed(np.array([[0], [3], [-1]])), floats(3, 4)),
        case(16, floats(5, 4), Fixed(integers(-4, 4, 9, 2)), floats(9), reduction="add"),
        case(18, floats(5, 4), Fixed(integers(0, 5, 2, 3, 1)), floats(2, 3, 4), reduction="max"),
        case(18, integers(-9, 9, 6, dtype=np.int32), Fixed(integers(0, 6, 8, 1)),
             integers(-9, 9, 8, dtype=np.int32), reduction="mul"),
        case(18, integers(0, 200, 6, dtype=np.int64), Fixed(integers(0, 6, 8, 1)),
             integers(-9, 9, 8), reduction="min"),
        case(16, floats(5, 4) > 0, Fixed(np.array([[0, 1], [4, -2]])), np.array([True, False])),
    ],
    "GatherElements": [
        case(11, floats(3, 4), integers(-3, 3, 2, 4)),
        case(13, floats(3, 4, 2), integers(0, 4, 3, 7, 2, dtype=np.int32), axis=1),
        case(13, integers(0, 99, 3, 4, dtype=np.int8), integers(-4, 4, 3, 2), axis=1),
    ],
    "ScatterElements": [
        case(11, floats(3, 4), np.array([[2, 0, 1, 1], [0, 2, 2, 0]]), floats(2, 4)),
        case(16, floats(3, 4), integers(-4, 4, 3, 6), floats(3, 6), axis=1, reduction="add"),
        case(18, floats(2, 3, 2), integers(0, 3, 2, 5, 2), floats(2, 5, 2), axis=1,
             reduction="min"),
        case(18, integers(-9, 9, 3, 4, dtype=np.int32), integers(0, 4, 3, 4),
             integers(-9, 9, 3, 4, dtype=np.int32), axis=-1, reduction="mul"),
    ],
    "OneHot": [
        # onnx's evaluator takes an index that is out of range modulo the depth, and
        # computes off + (on - off), which rounds.
        case(11, integers(-4, 4, 3, 2), Constant(np.int64(4)),
             Fixed(np.array([-0.5, 2], np.float32))),
        case(11, integers(-3, 3, 6).astype(np.float32), Constant(np.float32(3)),
             Fixed(np.array([7, 200], np.uint8))),
        case(11, integers(0, 5, 4, dtype=np.int32), np.int64(3),
             Fixed(np.array([7, -7], np.int32)), axis=0),
    ],
    "Tile": [
        case(7, floats(2, 3), Fixed(np.array([2, 3]))),
        case(13, integers(0, 9, 2, 1, 3, dtype=np.uint16), Constant([1, 4, 2])),
        case(13, floats(2, 3), Fixed(np.array([0, 3]))),
        case(13, floats(0, 3), Fixed(np.array([2, 1]))),
    ],
    "DepthToSpace": [
        case(7, floats(2, 12, 2, 3), blocksize=2),
        case(11, floats(1, 18, 2, 3), blocksize=3, mode="CRD"),
        case(13, floats(1, 8, 0, 3), blocksize=2, mode="DCR"),
    ],
    "SpaceToDepth": [case(7, floats(2, 3, 4, 6), blocksize=2), case(13, floats(1, 2, 6, 3), blocksize=3)],
    "ReverseSequence": [
        case(10, floats(4, 3, 2), np.array([4, 1, 0])),
        case(10, integers(0, 99, 2, 5, dtype=np.int32), np.array([5, 3]), batch_axis=0, time_axis=1),
    ],
    "Trilu": [
        case(14, floats(3, 4)), case(14, floats(2, 4, 3), upper=0),
        case(14, floats(4, 4), Constant(np.int64(-1))),
        case(14, integers(-9, 9, 3, 5), np.int64(2), upper=0),
        case(14, floats(4, 4), np.int64(99), upper=0), case(14, floats(4, 4) > 0, np.int64(-99)),
    ],
    "ArgMax": [
        case(7, floats(3, 4)), case(12, mixed(4, 9), axis=1, keepdims=0),
        case(13, mixed(4, 9), axis=-1, select_last_index=1),
        case(13, integers(0, 4, 3, 8, dtype=np.uint8), axis=1),
    ],
    "ArgMin": [
        case(13, mixed(5, 6, 2), axis=1), case(13, mixed(4, 9), axis=1, select_last_index=1),
        case(13, integers(-3, 3, 9, 2, dtype=np.int64), keepdims=0),
    ],
    "TopK": [
        case(10, floats(3, 9), Constant([4]), outputs=2),
        case(11, mixed(2, 33, 2), Fixed(np.array([7])), outputs=2, axis=1),
        case(11, mixed(3, 17), Fixed(np.array([17])), outputs=2, largest=0),
        case(11, integers(-5, 5, 20, dtype=np.int32), Fixed(np.array([1])), outputs=2, largest=0),
        case(11, integers(-5, 5, 3, 20), Fixed(np.array([0])), outputs=2),
        case(11, floats(4, 300), Fixed(np.array([100])), outputs=2, sorted=0),
    ],
    "NonZero": [
        case(9, mixed(3, 5)), case(13, floats(4, 3, 2) > 0), case(13, integers(0, 3, 17)),
        case(13, np.zeros((2, 3), np.float32)), case(13, integers(0, 2, 0, 3)),
    ],
    "CumSum": [
        case(11, integers(-9, 9, 3, 4, 2, dtype=np.int32), Constant(np.int32(1))),
        case(14, integers(-9, 9, 3, 40), LAST_AXIS, exclusive=1, reverse=1),
        case(14, integers(2**30, 2**31 - 1, 9, dtype=np.int32), Constant(np.int32(0))),
        case(14, integers(0, 99, 5, 3, dtype=np.uint32), Constant(np.int64(0)), reverse=1),
        case(14, floats(0, 3), Constant(np.int64(0))),
        case(14, RNG.choice(UINT64, (4, 6)), LAST_AXIS),
    ],
    "CumProd": [
        case(26, integers(-9, 9, 3, 4, 2, dtype=np.int32), Constant(np.int32(1))),
        case(26, integers(-9, 9, 3, 40), LAST_AXIS, exclusive=1, reverse=1),
    ],
    "NonMaxSuppression": [
        case(11, boxes(2, 30), floats(2, 3, 30), *limits(5, 0.4, -0.5)),
        case(11, boxes(1, 200), floats(1, 1, 200), *limits(200, 0.1, -9)),
        case(11, boxes(2, 9), floats(2, 4, 9), *limits(99, 0.9, 0.5), center_point_box=1),
        case(10, boxes(1, 9), floats(1, 2, 9), *limits(0, 0.5, 0)),
        case(10, boxes(1, 9), floats(1, 2, 9), *limits(3, 0.5, 9)),
        case(11, boxes(1, 9)[:, :, [2, 1, 0, 3]], floats(1, 2, 9), *limits(9, 0.2, -9)),
    ],
    "Mod": [
        case(13, around_zero(400), around_zero(400), fmod=1),
        case(13, around_zero(400, dtype=np.float16), around_zero(400, dtype=np.float16), fmod=1),
        case(13, integers(-99, 99, 400), integers(1, 9, 400) * RNG.choice([1, -1], 400), fmod=1),
        case(13, RNG.choice(UINT64, 99), RNG.choice(UINT64[1:], 99)),
    ],
    "Pow": [
        case(15, integers(-9, 9, 50), integers(0, 30, 50)),
        case(15, integers(-9, 9, 50, dtype=np.int32), integers(0, 9, 50)),
        case(15, integers(2, 9, 50, dtype=np.int32), integers(0, 9, 50).astype(np.float32)),
        case(15, np.int32([1, -1, 0]), np.float32([np.inf] * 3)),
    ],
    "BitCast": [
        case(26, mixed(3, 5), to=onnx.TensorProto.INT32),
        case(26, RNG.choice(UINT64, 9), to=onnx.TensorProto.DOUBLE),
        case(26, integers(-128, 127, 9, dtype=np.int8), to=onnx.TensorProto.UINT8),
    ],
    "Unique": [
        case(11, Fixed(integers(0, 3, 20, 2)), outputs=4, axis=0),
        case(11, RNG.choice(UINT64, 30), outputs=4),
    ],
    "Less": [case(13, RNG.choice(UINT64, (6, 6)), RNG.choice(UINT64, 6))],
    "Max": [case(13, RNG.choice(UINT64, (6, 6)), RNG.choice(UINT64, 6))],
    "Div": [case(14, RNG.choice(UINT64, 99), RNG.choice(UINT64[1:], 99))],
    "Cast": [
        case(13, RNG.choice(UINT64, 99), to=onnx.TensorProto.FLOAT),
        case(13, RNG.choice(UINT64, 99), to=onnx.TensorProto.DOUBLE),
        case(13, around_zero(99, dtype=np.float64), to=onnx.TensorProto.FLOAT16),
        case(13, around_zero(99, dtype=np.float64), to=onnx.TensorProto.INT32),
        case(13, np.float32([0, 0.5, 1e9, 2.0**63, 2.0**63 + 2.0**40]), to=onnx.TensorProto.UINT64),
    ],
    # Vulkan's own kernel of rows takes no integers of 64 bits: the formula runs them.
    "ReduceSum": [
        case(13, integers(-2**62, 2**62, 3, 4, 5), Constant([1])),
        case(13, integers(-9, 9, 3, 4, 5), Constant([0, 2]), keepdims=0),
        case(13, integers(-9, 9, 3, 0, 5), Constant([1])),
    ],
    "ReduceMin": [case(13, integers(-2**40, 2**40, 6, 7), axes=[1]),
                  case(13, integers(-99, 99, 6, 7, dtype=np.int32), axes=[0])],
    "PRelu": [
        case(7, mixed(2, 3, 4)[:, :, :] * np.float32(0.5), floats(3, 1)), case(16, floats(2, 3), floats(3)),
        case(16, integers(-9, 9, 2, 3, dtype=np.int32), integers(-3, 3, 3, dtype=np.int32)),
    ],
}

#: With the largest error, as a share of the largest value.
COMPUTED = {
    "CumSum": (1e-6, [case(11, floats(3, 400), LAST_AXIS),
                      case(14, floats(9, 3, 2), Constant(np.int64(0)), exclusive=1)]),
    "CumSum64": (1e-15, [case(14, floats(9, 300, dtype=np.float64), LAST_AXIS)]),
    "CumProd": (1e-6, [case(26, floats(3, 9), LAST_AXIS, exclusive=1)]),
    "ReduceLogSumExp64": (1e-15, [case(18, floats(3, 90, dtype=np.float64), Constant([1]))]),
    "Softmax64": (1e-15, [case(13, floats(3, 9, 4, dtype=np.float64), axis=1)]),
    "MatMul64": (1e-14, [case(13, floats(2, 3, 50, dtype=np.float64),
                              floats(50, 7, dtype=np.float64))]),
    # Exact where products are not rounded before a sum, which Vulkan does not promise.
    "Mod64": (1e-9, [case(13, around_zero(400, dtype=np.float64),
                          around_zero(400, dtype=np.float64), fmod=1)]),
    "Gemm64": (1e-14, [case(13, floats(50, 3, dtype=np.float64), floats(7, 50, dtype=np.float64),
                            floats(7, dtype=np.float64), transA=1, transB=1, alpha=0.5, beta=2.0)]),
    "Tanh64": (1e-15, [case(13, floats(99, dtype=np.float64))]),
    "Pow64": (1e-13, [case(15, np.abs(floats(99, dtype=np.float64)),
                           floats(99, dtype=np.float64))]),
    "CumSum16": (2e-3, [case(14, floats(9, 30, dtype=np.float16), LAST_AXIS, reverse=1)]),
    "GridSample": (2e-6, [
        case(20, floats(2, 3, 4, 5), GRID, mode=mode, padding_mode=padding, align_corners=aligned)
        for mode in ("linear", "nearest", "cubic") for padding in ("zeros", "border", "reflection")
        for aligned in (0, 1)] + [
        # Until opset 20 the modes have other names.
        case(16, floats(2, 3, 4, 5), GRID, **({"mode": mode} if mode else {}))
        for mode in (None, "bilinear", "nearest", "bicubic")] + [
        case(20, floats(1, 2, 3, 4, 5), GRID3), case(22, floats(2, 1, 1, 1), GRID)]),
    "InstanceNormalization": (2e-6, [
        case(7, floats(2, 3, 4, 5), floats(3), floats(3)),
        case(22, floats(1, 2, 300) + 9, floats(2), floats(2), epsilon=1e-3),
        case(22, floats(2, 3), floats(3), floats(3))]),
    "InstanceNormalization16": (2e-3, [
        case(7, floats(2, 3, 7, 5, dtype=np.float16), floats(3, dtype=np.float16),
             floats(3, dtype=np.float16))]),
}


def build(operator, opset, cases):
    """A model with a node for each case, and what goes in."""
    nodes, infos, outputs, constants, feeds = [], [], [], [], {}
    for number, (_, inputs, count, attributes) in enumerate(cases):
        names = []
        for index, value in enumerate(inputs):
            name = f"x{number}_{index}"
            names.append(name)
            array = np.asarray(getattr(value, "array", value))
            if isinstance(value, Constant):
                constants.append(onnx.numpy_helper.from_array(array, name))
                continue
            known = value.count if isinstance(value, Fixed) else 0
            dims = [size if axis >= array.ndim - known else f"{name}_{axis}"
                    for axis, size in enumerate(array.shape)]
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            infos.append(helper.make_tensor_value_info(name, kind, dims))
            feeds[name] = array
        made = [f"y{number}_{index}" for index in range(count)]
        nodes.append(helper.make_node(operator, names, made, f"/{operator}{number}", **attributes))
        outputs += made
    graph = helper.make_graph(nodes, "loops", infos, [onnx.ValueInfoProto(name=name) for name in outputs],
                              constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    inferred = onnx.shape_inference.infer_shapes(model)
    types = {value.name: value.type.tensor_type.elem_type for value in inferred.graph.output}
    del model.graph.output[:]
    model.graph.output.extend(helper.make_tensor_value_info(name, types[name], None)
                              for name in outputs)
    return model, feeds


def rename_modes(model):
    """The model with the modes of GridSample that onnx's evaluator knows, those since opset 20."""
    if model.opset_import[0].version >= 20 or model.graph.node[0].op_type != "GridSample":
        return model
    renamed = onnx.ModelProto()
    renamed.CopyFrom(model)
    renamed.opset_import[0].version = 20
    for node in renamed.graph.node:
        for attribute in node.attribute:
            if attribute.name == "mode":
                attribute.s = {b"bilinear": b"linear", b"bicubic": b"cubic"}.get(attribute.s, attribute.s)
    return renamed


def compare(found, expected, bound, text):
    assert found.dtype == expected.dtype and found.shape == expected.shape, text
    if bound == 0:
        assert np.array_equal(found, expected, equal_nan=found.dtype.kind == "f"), text
    elif found.size:
        error = np.abs(found.astype(np.float64) - expected).max()
        assert error <= bound * max(1.0, np.abs(expected.astype(np.float64)).max()), (text, error)


CASES = [(name, 0, cases) for name, cases in MOVED.items()] + [
    (name, bound, cases) for name, (bound, cases) in COMPUTED.items()]
MODELS = [(name, bound, opset, [row for row in cases if row[0] == opset])
          for name, bound, cases in CASES for opset in sorted({row[0] for row in cases})]


IDS = [f"{name}-{bound}-{opset}" for name, bound, opset, _ in MODELS]


def write_model(name, opset, cases, folder):
    model, feeds = build(name.removesuffix("16").removesuffix("64"), opset, cases)
    path = folder / "model.onnx"
    onnx.save(model, path)
    return model, feeds, path


@pytest.mark.parametrize("name, bound, opset, cases", MODELS, ids=IDS)
def test_operator(name, bound, opset, cases, tmp_path):
    model, feeds, path = write_model(name, opset, cases, tmp_path)
    names = [output.name for output in model.graph.output]
    expected = dict(zip(names, ReferenceEvaluator(rename_modes(model)).run(None, feeds)))
    reference = run_arrays(path, feeds, tmp_path, "--reference")
    for output in names:
        compare(reference[output], np.asarray(expected[output]), bound, output)

    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--cpu", ",".join(list_tiers()[1]))
    for tier in list_tiers()[1]:
        found = run_arrays(tmp_path / "m.so", feeds, tmp_path, environment={"QOPT_CPU": tier})
        for output in names:
            assert found[output].tobytes() == reference[output].tobytes(), (tier, output)


@pytest.mark.skipif(find_environment() is None, reason="no Vulkan driver")
@pytest.mark.parametrize("name, bound, opset, cases", MODELS, ids=IDS)
def test_operator_on_vulkan(name, bound, opset, cases, tmp_path):
    """What moves elements has the bits there too."""
    model, feeds, path = write_model(name, opset, cases, tmp_path)
    reference = run_arrays(path, feeds, tmp_path, "--reference")
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--target=vulkan")
    found = run_arrays(tmp_path / "m.so", feeds, tmp_path, environment=find_environment())
    for output in model.graph.output:
        compare(found[output.name], reference[output.name], bound, output.name)


#: Data that an operator does not take, and what the run ends with.
BAD = {
    "GatherND": (case(13, floats(3, 4, 2), Fixed(np.array([[0, 3], [2, 4], [1, -5]]))),
                 "an index is out of range of axis 1"),
    "GatherND_batches": (case(13, floats(2, 4), Fixed(np.zeros((3, 1, 1), np.int64)), batch_dims=1),
                         "the batches of the operands differ"),
    "GatherND_large": (case(13, floats(3, 4), Fixed(np.array([[2**32, 0]]))),
                       "an index is out of range of axis 0"),
    "ScatterND": (case(13, floats(3, 4), Fixed(np.array([[-4]])), floats(1, 4)),
                  "an index is out of range of axis 0"),
    "ScatterND_updates": (case(13, floats(3, 4), Fixed(np.array([[1]])), floats(1, 5)),
                          "the dims of the updates do not fit"),
    "GatherElements": (case(13, floats(3, 4), integers(0, 1, 4, 2), axis=1),
                       "there are more indices than elements along axis 0"),
    "ScatterElements": (case(13, floats(3, 4), np.full((1, 1), 3), floats(1, 1)),
                        "an index is out of range of axis 0"),
    "Gather": (case(13, floats(3, 4), np.array([[0, 2], [3, -3]])),
               "an index is out of range of axis 0"),
    "Gather_large": (case(13, floats(3, 4), np.array([2**32]), axis=1),
                     "an index is out of range of axis 1"),
    "Tile": (case(13, floats(3), Fixed(np.array([-1]))), "a number of repeats is negative"),
    "DepthToSpace": (case(13, floats(1, 6, 2, 2), blocksize=2),
                     "the block does not divide the channels"),
    "SpaceToDepth": (case(13, floats(1, 6, 2, 3), blocksize=2),
                     "the block does not divide the positions"),
    "ReverseSequence": (case(10, floats(3, 2), np.array([1, 4])), "a length is out of range"),
    "OneHot": (case(11, integers(0, 2, 2), np.int64(-1), Fixed(floats(2))), "the depth is negative"),
    "ArgMax": (case(13, floats(0, 3)), "an axis has no elements"),
    "TopK": (case(11, floats(5), Fixed(np.array([6])), outputs=2),
             "expects a k from 0 to the number of elements"),
    "GridSample": (case(20, floats(2, 1, 3, 3), GRID[:1]), "the batches of the operands differ"),
    "InstanceNormalization": (case(7, floats(2, 3, 4), floats(2), floats(3)),
                              "there is no scale and bias for each channel"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data(name, tmp_path):
    """The run ends with the node's name and what is wrong with its data, everywhere."""
    row, message = BAD[name]
    operator = name.split("_")[0]
    _, feeds, path = write_model(operator, row[0], [row], tmp_path)
    np.savez(tmp_path / "in.npz", **feeds)
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--cpu", list_tiers()[0][0])
    runs = [([path, "--reference"], None), ([tmp_path / "m.so"], None)]
    if find_environment() is not None:
        run_ok("qopt-compile", path, "-o", tmp_path / "vulkan.so", "--target=vulkan")
        runs.append(([tmp_path / "vulkan.so"], find_environment()))
    for program, environment in runs:
        result = run_tool("qopt-run", *program, "--inputs", tmp_path / "in.npz",
                          environment=environment)
        assert result.returncode == 1, (program, result.stdout, result.stderr)
        assert f"/{operator}0" in result.stderr and message in result.stderr, result.stderr


def test_one_hot_of_an_index_out_of_range_is_off(tmp_path):
    """As the operator's text says: outside of [-depth, depth - 1] nothing is on."""
    row = case(11, np.array([-5, -4, 3, 4]), Constant(np.int64(4)), Fixed(np.array([2, 9])))
    _, feeds, path = write_model("OneHot", row[0], [row], tmp_path)
    np.savez(tmp_path / "in.npz", **feeds)
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so")
    for program in ([path, "--reference"], [tmp_path / "m.so"]):
        run_ok("qopt-run", *program, "--inputs", tmp_path / "in.npz", "--outputs",
               tmp_path / "out.npz")
        with np.load(tmp_path / "out.npz") as out:
            assert out["y0_0"].tolist() == [[2] * 4, [9, 2, 2, 2], [2, 2, 2, 9], [2] * 4]


@pytest.mark.parametrize("axis", [np.int64(-3), np.int64(-1), np.int32(0), np.array([1]), np.int64(3)],
                         ids=str)
def test_cumsum_along_an_axis_that_a_run_knows(axis, tmp_path):
    row = case(14, floats(3, 4, 2), axis if axis.ndim == 0 else Fixed(axis), reverse=1)
    model, feeds, path = write_model("CumSum", row[0], [row], tmp_path)
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so")
    np.savez(tmp_path / "in.npz", **feeds)
    if axis.size and not -3 <= axis < 3:
        for program in ([path, "--reference"], [tmp_path / "m.so"]):
            result = run_tool("qopt-run", *program, "--inputs", tmp_path / "in.npz")
            assert result.returncode == 1 and "an index is out of range" in result.stderr, result.stderr
        return
    expected = ReferenceEvaluator(model).run(None, {**feeds, "x0_1": feeds["x0_1"].reshape(())})[0]
    reference = run_arrays(path, feeds, tmp_path, "--reference")["y0_0"]
    compare(reference, expected, 1e-6, "reference")
    assert run_arrays(tmp_path / "m.so", feeds, tmp_path)["y0_0"].tobytes() == reference.tobytes()


def test_quantized_models_keep_them(tmp_path):
    """What is quantized around them is, and the report names their kernel."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"], "/product"),
             helper.make_node("CumSum", ["h", "axis"], ["s"], "/sum"),
             helper.make_node("GatherND", ["s", "i"], ["y"], "/pick")]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in
                 [("w", floats(32, 16)), ("axis", np.int64(1)), ("i", integers(0, 3, 5, 1))]]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 32])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)], constants)
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    feeds = {"x": floats(4, 32)}
    common = ["--preset=w8a8-dynamic", "--cpu", list_tiers()[0][0]]
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", *common, "--report", tmp_path / "report")
    run_ok("qopt-compile", path, "-o", tmp_path / "q.mlir", *common, "--stop-after=quantize")
    found = run_arrays(tmp_path / "m.so", feeds, tmp_path)["y"]
    reference = run_arrays(tmp_path / "q.mlir", feeds, tmp_path, "--reference")["y"]
    assert found.tobytes() == reference.tobytes()
    rows = {row["node"]: row for row in
            json.loads((tmp_path / "report" / "report.json").read_text())["contract"]}
    assert rows["/sum"]["kernel"] == rows["/pick"]["kernel"] == "generic"
    assert rows["/product"]["realised"] == "w8a8-dynamic" or "i8" in rows["/product"]["realised"]
