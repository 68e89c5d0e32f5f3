"""Quantized files mean what they say: each form of scales and zeros gives, compiled,
what the reference evaluator makes of the file and what ONNX Runtime makes of it.
"""

import json
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from qopt_tools import run_tool

TYPES = {"i8": (TensorProto.INT8, -127, 127), "u8": (TensorProto.UINT8, 0, 255),
         "i4": (TensorProto.INT4, -8, 7), "u4": (TensorProto.UINT4, 0, 15)}


class Graph:
    """A model in the making; `op` gives the name of the node's result."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.tensors, self.inputs, self.count = [], [], [], 0
        self.float_type = np.float32

    def input(self, dims):
        self.inputs.append((f"x{len(self.inputs)}", dims))
        return self.inputs[-1][0]

    def op(self, kind, *inputs, **attributes):
        self.count += 1
        self.nodes.append(helper.make_node(kind, inputs, [f"v{self.count}"], **attributes))
        return f"v{self.count}"

    def constant(self, values, element=None):
        name = f"c{len(self.tensors)}"
        values = np.asarray(values)
        if element is None:
            self.tensors.append(numpy_helper.from_array(values, name))
        else:
            self.tensors.append(helper.make_tensor(name, element, values.shape,
                                                   values.reshape(-1).tolist()))
        return name

    def parameters(self, dims, kind, axis, zeros, scale):
        """Scales and zeros: of the tensor, or along an axis. `zeros` is whether they are
        others than 0, or their value."""
        element, low, high = TYPES[kind]
        shape = () if axis is None else (dims[axis],)
        scales = self.constant(
            (scale * self.rng.uniform(0.5, 2, shape)).astype(self.float_type))
        half = (high - low + 1) // 4
        values = np.zeros(shape, int)
        if zeros is not True and zeros is not False:
            values += zeros
        elif zeros:
            values = self.rng.integers((low + high) // 2 - half, (low + high) // 2 + half, shape)
        return scales, self.constant(values, element), {} if axis is None else {"axis": axis}

    def weight(self, dims, kind="i8", axis=None, zeros=False, scale=0.02, fill=None):
        """Dequantized codes."""
        element, low, high = TYPES[kind]
        codes = (self.rng.integers(low, high + 1, dims) if fill is None
                 else np.full(dims, fill))
        scales, zero, where = self.parameters(dims, kind, axis, zeros, scale)
        return self.op("DequantizeLinear", self.constant(codes, element), scales, zero, **where)

    def qdq(self, x, dims, kind="i8", axis=None, zeros=True, scale=0.03):
        """`x` as codes and back; the nodes have no zero where `zeros` is None."""
        scales, zero, where = self.parameters(dims, kind, axis, zeros or False, scale)
        if zeros is None:
            codes = self.op("QuantizeLinear", x, scales, output_dtype=TYPES[kind][0], **where)
            return self.op("DequantizeLinear", codes, scales, **where)
        codes = self.op("QuantizeLinear", x, scales, zero, **where)
        return self.op("DequantizeLinear", codes, scales, zero, **where)

    def save(self, path, result, opset=21):
        graph = helper.make_graph(
            self.nodes, "g",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
             for name, dims in self.inputs],
            [helper.make_tensor_value_info(result, TensorProto.FLOAT, None)], self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                                  ir_version=10)
        onnx.save(onnx.shape_inference.infer_shapes(model), path)


@dataclass
class Form:
    name: str
    build: object
    #: What is between two codes of the result, where it ends as codes.
    step: float = 0.0
    #: Of the largest value.
    tolerance: float = 1e-5


def conv(x_axis=None, w_axis=0, x_kind="i8", w_kind="i8", x_zeros=True, w_zeros=False, group=1,
         channels=4, bias=None, half=False, requantize=False, **attributes):
    def build(g):
        dims, kernel = [2, channels, 5, 6], [4, channels // group, 3, 3]
        x = g.input(dims)
        if half:
            g.float_type = np.float16
            x = g.op("Cast", x, to=TensorProto.FLOAT16)
        inputs = [g.qdq(x, dims, x_kind, x_axis, x_zeros), g.weight(kernel, w_kind, w_axis, w_zeros)]
        if bias == "codes":
            inputs.append(g.op("DequantizeLinear", g.constant(np.arange(4, dtype=np.int32) * 900),
                               g.constant(g.rng.uniform(0.0005, 0.001, 4).astype(g.float_type)),
                               axis=0))
        elif bias == "computed":
            inputs.append(g.op("Cast", g.input([4]), to=TensorProto.FLOAT16)
                          if half else g.input([4]))
        elif bias == "float":
            inputs.append(g.constant(g.rng.normal(0, 1, 4).astype(g.float_type)))
        y = g.op("Conv", *inputs, kernel_shape=[3, 3], group=group, **attributes)
        if requantize:
            y = g.qdq(y, None, zeros=None if x_zeros is None else True, scale=0.2)
        return g.op("Cast", y, to=TensorProto.FLOAT) if half else y
    return build


def matmul(x_axis=None, w_axis=1, x_kind="i8", w_kind="i8", x_zeros=True, w_zeros=False,
           dims=(2, 3, 24), depth=24, columns=10, bias=None, relu=False, requantize=False,
           transposed=False):
    def build(g):
        x = g.qdq(g.input(list(dims)), dims, x_kind, x_axis, x_zeros)
        if transposed:
            w = g.weight([columns, depth], w_kind, w_axis, w_zeros)
            w = g.op("Transpose", w, perm=[1, 0])
        else:
            w = g.weight([depth, columns], w_kind, w_axis, w_zeros)
        y = g.op("MatMul", x, w)
        if bias is not None:
            y = g.op("Add", y, g.constant(g.rng.normal(0, 1, bias).astype(np.float32)))
        if relu:
            y = g.op("Relu", y)
        if requantize:
            y = g.qdq(y, None, zeros=None if x_zeros is None else True, scale=0.2)
        return y
    return build


def deep(x_kind, w_kind, depth, fill, x_value):
    """A sum of `depth` equal products."""
    def build(g):
        scale = g.constant(np.float32(1))
        low = TYPES[x_kind][1]
        x = g.op("Add", g.op("Mul", g.input([1, depth]), g.constant(np.float32(0))),
                 g.constant(np.float32(x_value)))
        zero = g.constant(np.array(low), TYPES[x_kind][0])
        x = g.op("DequantizeLinear", g.op("QuantizeLinear", x, scale, zero), scale, zero)
        w = g.op("DequantizeLinear", g.constant(np.full((depth, 3), fill), TYPES[w_kind][0]),
                 scale, g.constant(np.array(0), TYPES[w_kind][0]))
        return g.op("MatMul", x, w)
    return build


def gather(rows=6, axis=None, kind="i8", zeros=False, indices=((0, -1), (2, 1)), block=0,
           gather_axis=0, into_matmul=False):
    def build(g):
        columns = 8
        if block:
            shape = [rows, columns]
            shape[axis] = -(-shape[axis] // block)
            scales = g.constant(g.rng.uniform(0.01, 0.04, shape).astype(np.float32))
            element, low, high = TYPES[kind]
            codes = g.constant(g.rng.integers(low, high + 1, (rows, columns)), element)
            table = g.op("DequantizeLinear", codes, scales, axis=axis, block_size=block)
        else:
            table = g.weight([rows, columns], kind, axis, zeros)
        limit = rows if gather_axis == 0 else columns
        at = g.constant(np.clip(np.array(indices, np.int64), -limit, limit - 1))
        y = g.op("Gather", table, at, axis=gather_axis)
        if into_matmul:
            y = g.op("MatMul", y, g.weight([columns, 5], "i8", 1))
        return g.op("Add", y, g.op("Mul", g.input([1]), g.constant(np.float32(1))))
    return build


FORMS = []


def add_forms(prefix, build, rows):
    for row in rows:
        name = f"{prefix}-" + ("-".join(f"{k}={v}" for k, v in row.items()) or "plain")
        # Floats of 16 bits round more, and so do floats that add up 40,000 terms.
        tolerance = 2e-3 if "half" in row or "depth" in row else 1e-5
        FORMS.append(Form(name.replace(" ", ""), build(**row),
                          0.4 if row.get("requantize") else 0.0, tolerance))


add_forms("conv", conv, [{}] + [
    dict(x_axis=a) for a in range(4)] + [dict(w_axis=a) for a in (None, 1, 2, 3)] + [
    dict(x_kind=x, w_kind=w, w_zeros=z) for x in ("i8", "u8") for w in TYPES
    for z in (False, True)] + [
    dict(w_axis=None, w_zeros=True, w_kind="u8"), dict(group=2), dict(group=4),
    dict(group=4, w_kind="i4"), dict(group=4, w_axis=2), dict(group=4, x_axis=3),
    dict(group=4, w_kind="u8", w_zeros=True, w_axis=None),
    dict(requantize=True), dict(requantize=True, w_kind="i4"),
    dict(requantize=True, x_axis=0), dict(requantize=True, w_axis=3),
    dict(requantize=True, x_zeros=None), dict(requantize=True, x_zeros=None, bias="float"),
    dict(requantize=True, w_kind="u8", w_zeros=128), dict(group=4, w_kind="u8", w_zeros=128),
    dict(requantize=True, x_kind="u8", w_kind="u8", w_zeros=77, pads=[1, 1, 1, 1]),
    dict(x_kind="i4"), dict(x_kind="u4", w_kind="i4"), dict(x_kind="i4", group=4),
    *(dict(bias=b, requantize=r) for b in ("codes", "computed", "float") for r in (False, True)),
    dict(half=True), dict(half=True, bias="computed"), dict(half=True, bias="codes"),
    dict(pads=[1, 1, 1, 1]), dict(pads=[1, 1, 1, 1], x_kind="i4"),
    dict(pads=[1, 1, 1, 1], x_kind="u8", w_kind="i4"), dict(strides=[2, 2], x_kind="i4"),
    dict(dilations=[2, 2], pads=[2, 2, 2, 2]), dict(pads=[1, 1, 1, 1], x_axis=2)])
add_forms("matmul", matmul, [{}] + [dict(x_axis=a) for a in range(3)] + [
    dict(w_axis=a) for a in (None, 0)] + [
    dict(x_kind=x, w_kind=w, w_zeros=z) for x in TYPES for w in TYPES
    for z in (False, True)] + [
    dict(w_axis=None, w_zeros=True, w_kind="u8"), dict(w_axis=None, w_zeros=True, w_kind="i4"),
    dict(transposed=True, w_axis=0), dict(transposed=True, w_axis=0, w_kind="i4"),
    dict(transposed=True, w_axis=1), dict(dims=(24,)), dict(dims=(24,), x_kind="i4"),
    dict(requantize=True), dict(requantize=True, relu=True, bias=(10,)),
    dict(requantize=True, w_kind="i4"), dict(requantize=True, bias=(1,)),
    dict(requantize=True, bias=()), dict(requantize=True, bias=(1, 1, 10)),
    dict(requantize=True, bias=(3, 10)), dict(requantize=True, bias=(2, 1, 1)),
    dict(requantize=True, bias=(4, 1, 1, 10)), dict(requantize=True, bias=(2, 3, 10), dims=(24,)),
    dict(requantize=True, bias=(10,), columns=1), dict(requantize=True, bias=(5, 1), dims=(1, 24)),
    dict(requantize=True, bias=(1, 1, 1, 10)), dict(requantize=True, x_axis=1),
    dict(requantize=True, w_axis=0), dict(requantize=True, x_zeros=None),
    dict(requantize=True, x_zeros=None, relu=True, bias=(10,)),
    *(dict(requantize=True, x_kind="u8", w_kind="u8", w_axis=a, w_zeros=z)
      for a in (None, 0, 1) for z in (True, False, 77, 128)),
    dict(transposed=True, w_axis=0, w_kind="u8", w_zeros=128)])
add_forms("deep", deep, [
    dict(x_kind=x, w_kind=w, depth=d, fill=TYPES[w][side], x_value=255)
    for x in ("u8", "i8") for w in ("u8", "i8") for d in (16512, 16513, 33000, 40000)
    for side in (1, 2)])
add_forms("gather", gather, [{}] + [
    dict(axis=a, rows=r, zeros=z) for a in (None, 0, 1) for r in (6, 1) for z in (False, True)] + [
    dict(axis=1, kind=k, zeros=True) for k in ("u8", "i4", "u4")] + [
    dict(axis=a, block=b) for a in (0, 1) for b in (2, 4, 8)] + [
    dict(axis=0, block=3, rows=2), dict(axis=1, block=4, rows=1),
    dict(axis=1, indices=3), dict(axis=0, indices=3), dict(axis=1, gather_axis=1),
    dict(axis=0, gather_axis=1), dict(axis=1, into_matmul=True),
    dict(axis=0, rows=1, into_matmul=True)])


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What each form's model gave: {name: {"compiled" | "reference": (exit, message, value)}}."""
    folder = tmp_path_factory.mktemp("forms")
    rows = []
    for seed, form in enumerate(FORMS):
        g = Graph(seed)
        g.save(folder / f"{seed}.onnx", form.build(g))
        np.savez(folder / f"{seed}.npz", **{name: g.rng.normal(0, 1.5, dims).astype(np.float32)
                                            for name, dims in g.inputs})
        rows.append({"id": str(seed), "model": str(folder / f"{seed}.onnx"),
                     "inputs": str(folder / f"{seed}.npz")})
    found = {form.name: {} for form in FORMS}
    for way, arguments in (("reference", ["--reference"]), ("compiled", [])):
        (folder / way).mkdir()
        (folder / "list.jsonl").write_text("".join(
            json.dumps({**row, "outputs": str(folder / way / f"{row['id']}.npz")}) + "\n"
            for row in rows))
        for line in run_tool("qopt-run", "--batch", folder / "list.jsonl",
                             *arguments).stdout.splitlines():
            end = json.loads(line)
            value = None
            if end["exit"] == 0:
                with np.load(folder / way / f"{end['id']}.npz") as out:
                    value = out[out.files[0]]
            found[FORMS[int(end["id"])].name][way] = (end["exit"], end["message"], value)
    for seed, form in enumerate(FORMS):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        # Its rewrites of QDQ change numbers of their own.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            session = onnxruntime.InferenceSession(str(folder / f"{seed}.onnx"), options,
                                                   providers=["CPUExecutionProvider"])
        except Exception:
            continue  # it has no kernel for some narrow types
        with np.load(folder / f"{seed}.npz") as inputs:
            found[form.name]["peer"] = (0, "", session.run(None, dict(inputs))[0])
    return found


def expect_near(found, wanted, form):
    """Sums round; where codes follow, a sum on the edge of two goes either way."""
    assert found.shape == wanted.shape
    near = form.tolerance * np.abs(wanted).max()
    far = np.abs(found - wanted) > near
    assert far.mean() <= (0.05 if form.step else 0)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=form.step or near)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_form(answers, form):
    ends = answers[form.name]
    assert ends["reference"][0] == 0, ends["reference"][1]
    assert ends["compiled"][0] == 0, ends["compiled"][1]
    expect_near(ends["compiled"][2], ends["reference"][2], form)
    if "peer" in ends:
        expect_near(ends["reference"][2], ends["peer"][2], form)
