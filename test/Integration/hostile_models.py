"""Bad models: the wire format, the header, the structure of graphs, shapes."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hostile import Case, model, value, write_bytes, write_model

node = helper.make_node


def relu(source="x", target="y", **more):
    return node("Relu", [source], [target], **more)


def tensor(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.array(values, dtype), name)


def integers(name, values):
    return tensor(name, values, np.int64)


PLAIN = model([relu()])
BYTES = PLAIN.SerializeToString()


def field(number, wire, payload):
    """A field of protobuf by hand."""
    return bytes([number << 3 | wire]) + payload


def length(content):
    result, size = b"", len(content)
    while size > 127:
        result, size = result + bytes([size & 127 | 128]), size >> 7
    return result + bytes([size]) + content




def deep_bytes(levels):
    """The same without a tree that could not be serialized: attribute g of node of graph."""
    content = length(b"")
    for _ in range(levels):
        attribute = length(field(6, 2, content))
        content = length(field(1, 2, length(field(5, 2, attribute))))
    return field(7, 2, content)


WIRE = {
    "nothing": (b"", "the file is empty"),
    "zeros": (bytes(4096), "m.onnx: "),
    "ones": (b"\xff" * 4096, "m.onnx: "),
    "a varint of eleven bytes": (b"\x08" + b"\x80" * 10 + b"\x01", "m.onnx: "),
    "a varint that does not end": (b"\x08" + b"\xff" * 9, "m.onnx: "),
    "a length beyond the file": (field(7, 2, b"\xff\xff\xff\xff\x07"), "m.onnx: "),
    "a length of 2^63": (field(7, 2, b"\xff" * 9 + b"\x01"), "m.onnx: "),
    "a group that does not end": (b"\x3b" * 1000, "m.onnx: "),
    "an unknown wire type": (b"\x3f" + BYTES, "m.onnx: "),
    "field 0": (b"\x02\x00" + BYTES, "m.onnx: "),
    "bodies of 40 levels": (deep_bytes(40), "m.onnx: "),
    "bodies of 3,000 levels": (deep_bytes(3000), "m.onnx: "),
    "a graph cut in its midst": (BYTES[:-7], "m.onnx: "),
    "two models, the second cut": (BYTES + BYTES[:-7], "m.onnx: "),
    "a zip": (b"PK\x03\x04" + bytes(100), "m.onnx: "),
    "an ELF": (b"\x7fELF" + bytes(1000), "m.onnx: "),
    "text": (b"ir_version: 10\ngraph {}\n", "m.onnx: "),
    "JSON": (b'{"irVersion": 10}', "m.onnx: "),
    "HTML": (b"<!DOCTYPE html><html>404</html>", "m.onnx: "),
    "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "m.onnx: "),
}


def header(**more):
    proto = onnx.ModelProto()
    proto.CopyFrom(PLAIN)
    for name, content in more.items():
        if name == "opsets":
            del proto.opset_import[:]
            proto.opset_import.extend(helper.make_opsetid(*pair) for pair in content)
        elif content is None:
            proto.ClearField(name)
        else:
            setattr(proto, name, content)
    return proto


HEADER = {
    "no graph": (header(graph=None), "m.onnx: ", 1),
    "no opset": (header(opsets=[]), "m.onnx: ", 1),
    "opset 0": (header(opsets=[("", 0)]), "m.onnx: ", 3),
    "opset -1": (header(opsets=[("", -1)]), "m.onnx: ", 3),
    "opset 2^62": (header(opsets=[("", 1 << 62)]), "m.onnx: ", 3),
    "two opsets": (header(opsets=[("", 13), ("", 21)]), "m.onnx: ", 1),
    "IR version 2^40": (header(ir_version=1 << 40), "m.onnx: ", 3),
    "an operator of an unknown domain": (model([relu(domain="nowhere")]), "nowhere", 3),
    "an unknown operator": (model([node("Relux", ["x"], ["y"])]), "Relux", 3),
    "an operator that came later": (model([node("Gelu", ["x"], ["y"])], opset=13), "Gelu", 1),
}


def ring():
    return [node("Add", ["x", "b"], ["a"]), relu("a", "b"), relu("b", "y")]


def function(name, nodes, inputs=("x",), outputs=("y",)):
    return helper.make_function("local", name, list(inputs), list(outputs), nodes,
                                [helper.make_opsetid("m.onnx: ", 21), helper.make_opsetid("local", 1)])


def call(name, source="x", target="y"):
    return node(name, [source], [target], domain="local")


def doubling_functions(levels):
    """f60 calls f59 twice, which calls f58 twice ..."""
    functions = [function("f0", [relu()])]
    for i in range(levels):
        functions.append(function(f"f{i + 1}", [call(f"f{i}", "x", "m"), call(f"f{i}", "m", "y")]))
    return functions


def body(nodes, inputs, outputs):
    return helper.make_graph(nodes, "body", inputs, outputs)


def attribute(proto, name, **fields):
    """A node with an attribute that is not of its type."""
    result = onnx.NodeProto()
    result.CopyFrom(proto)
    made = result.attribute.add()
    made.name = name
    for key, content in fields.items():
        if isinstance(content, (list, tuple)):
            getattr(made, key).extend(content)
        else:
            setattr(made, key, content)
    return result


SOFTMAX = node("Softmax", ["x"], ["y"])
CONV = node("Conv", ["i", "w"], ["y"])
IMAGE = [value("i", ("n", 4, 8, 8))]
KERNEL = tensor("w", np.ones((4, 4, 3, 3)))

GRAPHS = {
    "a ring": model(ring()),
    "a node that reads itself": model([node("Add", ["x", "y"], ["y"])]),
    "a value of two nodes": model([relu(), relu()]),
    "a value and an input of one name": model([relu("x", "x"), relu()]),
    "two inputs of one name": model([relu()], inputs=[value("x"), value("x")]),
    "two initializers of one name": model([node("Add", ["x", "c"], ["y"])],
                                          [tensor("c", [1] * 4), tensor("c", [2] * 4)]),
    "an output that nothing makes": model([relu("x", "z")]),
    "two outputs of one name": model([relu()], outputs=[value("y"), value("y")]),
    "an input that nothing makes": model([relu("nothing")]),
    "an input without a type": model([relu()], inputs=[onnx.ValueInfoProto(name="x")]),
    "an input without a name": model([relu()], inputs=[value("x"), value("")]),
    "no input where one is needed": model([node("Add", ["x", ""], ["y"])]),
    "too many inputs": model([node("Relu", ["x", "x", "x"], ["y"])]),
    "too few inputs": model([node("Add", ["x"], ["y"])]),
    "no outputs": model([node("Relu", ["x"], [])]),
    "an attribute twice": model([attribute(attribute(SOFTMAX, "axis", type=2, i=1), "axis",
                                           type=2, i=0)]),
    "a float where an integer is expected": model([attribute(SOFTMAX, "axis", type=1, f=1.0)]),
    "an attribute of another type than it holds": model([attribute(SOFTMAX, "axis", type=7, i=1)]),
    "an axis out of range": model([node("Softmax", ["x"], ["y"], axis=1 << 40)]),
    "the least axis": model([node("Softmax", ["x"], ["y"], axis=-1 << 63)]),
    "no branch": model([node("If", ["c"], ["y"])], [tensor("c", True, bool)]),
    "a branch of other outputs": model(
        [node("If", ["c"], ["y"], then_branch=body([relu()], [], [value("y")]),
              else_branch=body([], [], []))],
        inputs=[value("x"), value("c", (), TensorProto.BOOL)]),
    "a loop without a condition": model(
        [node("Loop", ["", "c"], ["y"], body=body([relu("v", "w")], [value("v")], [value("w")]))],
        [tensor("c", True, bool)]),
    "a function that calls itself": model([call("f")], functions=[function("f", [call("f")])]),
    "functions that call each other": model([call("f")], functions=[
        function("f", [call("g")]), function("g", [call("f")])]),
    "a function without its output": model([call("f")],
                                           functions=[function("f", [relu("x", "z")])]),
    "functions that double": model([call("f60")], functions=doubling_functions(60)),
}

UNSUPPORTED = {
    "a node without a type": model([node("", ["x"], ["y"])]),
    "an output that the operator does not make": model(
        [node("Relu", ["x"], ["z", "y"])]),
    "an unknown attribute": model([relu(alpah=1.0)]),
    "an attribute without a name": model([attribute(SOFTMAX, "", type=2, i=1)]),
    "a branch of other elements": model(
        [node("If", ["c"], ["y"], then_branch=body([relu("x", "t")], [], [value("t")]),
              else_branch=body([node("Cast", ["x"], ["e"], to=TensorProto.INT64)], [],
                               [value("e", ("n", 4), TensorProto.INT64)]))],
        inputs=[value("x"), value("c", (), TensorProto.BOOL)]),
    "a call of nothing": model([call("g")], functions=[function("f", [relu()])]),
    "an input of rank 100,000": model([relu()], inputs=[value("x", [1] * 100_000)]),
}


def wide(nodes):
    """One value that many nodes read; nothing reads theirs."""
    return [relu("x", f"v{i}") for i in range(nodes)] + [relu()]


def reshape(*dims):
    return model([node("Reshape", ["x", "s"], ["y"])], [integers("s", dims)])


def pool(**attributes):
    return model([node("MaxPool", ["i"], ["y"], **attributes)], inputs=IMAGE)


def conv(**attributes):
    return model([node("Conv", ["i", "w"], ["y"], **attributes)], [KERNEL], IMAGE)


def fill(*dims):
    return model([node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])],
                 [integers("s", dims)])


def raw_dims(*dims):
    """An initializer of any dims and no bytes."""
    proto = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT)
    proto.dims.extend(dims)
    return model([node("Add", ["x", "w"], ["y"])], [proto])


SHAPES = {
    "a product of dims over 2^64": raw_dims(1 << 32, 1 << 32, 4),
    "a product of dims that wraps to 4": raw_dims(1 << 62, 4, 1),
    "a negative dim": raw_dims(-4),
    "an input of 2^63 elements": model([relu()], inputs=[value("x", (1 << 62, 4))]),
    "a fill of 2^62 elements": fill(1 << 31, 1 << 31),
    "a fill that wraps": fill(1 << 33, 1 << 31),
    "a fill of a negative dim": fill(-1, 4),
    "a reshape to two unknown dims": reshape(-1, -1),
    "a reshape to a dim of -2": reshape(-2, 4),
    "a reshape to 2^63": reshape(1 << 62, 4),
    "a transpose of one axis twice": model([node("Transpose", ["x"], ["y"], perm=[0, 0])]),
    "a transpose of other ranks": model([node("Transpose", ["x"], ["y"], perm=[0, 1, 2])]),
    "a matmul of other depths": model([node("MatMul", ["x", "w"], ["y"])],
                                      [tensor("w", np.ones((5, 3)))]),
    "a matmul of a scalar": model([node("MatMul", ["x", "w"], ["y"])], [tensor("w", 1.0)]),
    "an addition of other dims": model([node("Add", ["x", "w"], ["y"])], [tensor("w", [1] * 3)]),
    "a concat of other ranks": model([node("Concat", ["x", "w"], ["y"], axis=0)],
                                     [tensor("w", [1] * 4)]),
    "a split of other sizes": model([node("Split", ["x", "s"], ["y", "z"], axis=1)],
                                    [integers("s", [1, 2])]),
    "a split into 2^40": model([node("Split", ["x"], ["y"], axis=1, num_outputs=1 << 40)]),
    "a slice of a step of 0": model(
        [node("Slice", ["x", "a", "b", "c", "d"], ["y"])],
        [integers("a", [0]), integers("b", [4]), integers("c", [1]), integers("d", [0])]),
    "pads of 2^62": model([node("Pad", ["x", "p"], ["y"])], [integers("p", [0, 1 << 62, 0, 0])]),
    "pads that leave nothing": model([node("Pad", ["x", "p"], ["y"])],
                                     [integers("p", [0, -3, 0, -3])]),
    "an expansion that wraps": model([node("Expand", ["x", "p"], ["y"])],
                                     [integers("p", [1 << 62, 8, 1, 4])]),
    "a range of 2^60": model([node("Range", ["a", "b", "c"], ["r"]),
                              node("ReduceMax", ["r"], ["m"]),
                              node("Cast", ["m"], ["f"], to=1), node("Add", ["x", "f"], ["y"])],
                             [integers("a", 0), integers("b", 1 << 60), integers("c", 1)]),
    "a range of a step of 0": model([node("Range", ["a", "b", "c"], ["r"]),
                                     node("Cast", ["r"], ["f"], to=1),
                                     node("Add", ["x", "f"], ["y"])],
                                    [integers("a", 0), integers("b", 4), integers("c", 0)]),
    "a one-hot of depth 2^60": model(
        [node("OneHot", ["k", "d", "v"], ["y"])],
        [integers("d", 1 << 60), tensor("v", [0, 1])],
        inputs=[value("k", ("n",), TensorProto.INT64)]),
    "a pool of stride 0": pool(kernel_shape=[2, 2], strides=[0, 1]),
    "a pool of a negative window": pool(kernel_shape=[-2, 2]),
    "a pool of 2^40": pool(kernel_shape=[1 << 40, 2]),
    "a pool of three axes over two": pool(kernel_shape=[2, 2, 2]),
    "a pool without a window": pool(),
    "a conv of stride -1": conv(strides=[-1, 1]),
    "a conv of dilation 0": conv(dilations=[0, 1]),
    "a conv of dilation 2^40": conv(dilations=[1 << 40, 1]),
    "a conv of group 0": conv(group=0),
    "a conv of group 3": conv(group=3),
    "a conv of group 2^40": conv(group=1 << 40),
    "a conv of another window": conv(kernel_shape=[5, 5]),
    "a conv of pads of one axis": conv(pads=[1, 1]),
    "a conv of pads of 2^62": conv(pads=[1 << 62, 0, 0, 0]),
    "an equation without an end": model([node("Einsum", ["x"], ["y"], equation="ij->...ijij,,")]),
    "a resize of scale 0": model([node("Resize", ["x", "", "s"], ["y"])],
                                 [tensor("s", [1, 0])]),
    "a resize of scale 1e30": model([node("Resize", ["x", "", "s"], ["y"])],
                                    [tensor("s", [1, 1e30])]),
    "a resize of scale NaN": model([node("Resize", ["x", "", "s"], ["y"])],
                                   [tensor("s", [1, np.nan])]),
    "a cast to type 99": model([node("Cast", ["x"], ["y"], to=99)]),
    "a cast to nothing": model([node("Cast", ["x"], ["y"])]),
}

#: What a run finds, since dims or data decide.
RUNS = {
    "a reshape to what does not divide": (reshape(3, 5, 7, -1), "changes the number of elements"),
    "a gather out of range": (model([node("Gather", ["x", "w"], ["y"], axis=1)],
                                    [integers("w", [4])]), "an index is out of range"),
    "a tile of 2^62": (model([node("Tile", ["x", "p"], ["y"])], [integers("p", [1, 1 << 62])]),
                       "is too large"),
    "a top 2^62": (model([node("TopK", ["x", "k"], ["y", "z"])], [integers("k", [1 << 62])]),
                   "expects a k from 0"),
}


def write_run(proto):
    """The model and the arrays of a run."""
    def write(folder):
        write_model(proto)(folder)
        np.savez(folder / "x.npz", x=np.ones((1, 4), np.float32))
    return write


RUN = ("qopt-run", "m.onnx", "--inputs", "x.npz", "--outputs", "y.npz")

CASES = {
    **{f"wire: {name}": Case(write_bytes(content), text) for name, (content, text) in WIRE.items()},
    **{f"header: {name}": Case(write_model(proto), text, code)
       for name, (proto, text, code) in HEADER.items()},
    **{f"graph: {name}": Case(write_model(proto), "m.onnx: ") for name, proto in GRAPHS.items()},
    **{f"graph: {name}": Case(write_model(proto), "m.onnx: ", 3) for name, proto in UNSUPPORTED.items()},
    **{f"shape: {name}": Case(write_model(proto), "m.onnx: ") for name, proto in SHAPES.items()},
    **{f"run: {name}": Case(write_run(proto), text, command=RUN)
       for name, (proto, text) in RUNS.items()},
}
