"""Bad tensors: payloads in a model and beside it, parameters of quantization."""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper

from hostile import Case, model, value, write_model

node = helper.make_node
FLOAT, INT64, INT4, UINT8 = (TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT4,
                             TensorProto.UINT8)


# Payloads -------------------------------------------------------------------

def proto(element=FLOAT, dims=(4,), raw=None, **fields):
    """An initializer w of any fields."""
    result = TensorProto(name="w", data_type=element)
    result.dims.extend(dims)
    if raw is not None:
        result.raw_data = raw
    for name, content in fields.items():
        getattr(result, name).extend(content)
    return result


def add(initializer):
    return model([node("Add", ["x", "w"], ["y"])], [initializer])


def sparse(indices, dims=(4,), count=1, element=INT64):
    """A sparse initializer; its values are ones."""
    result = onnx.SparseTensorProto()
    result.values.CopyFrom(proto(raw=np.ones(count, np.float32).tobytes(), dims=(count,)))
    result.indices.CopyFrom(TensorProto(data_type=element, dims=np.shape(indices),
                                        raw_data=np.array(indices, np.int64).tobytes()))
    result.dims.extend(dims)
    made = model([node("Add", ["x", "w"], ["y"])])
    made.graph.sparse_initializer.append(result)
    return made


PAYLOADS = {
    "no data": add(proto()),
    "no type": add(proto(0, raw=bytes(16))),
    "type 99": add(proto(99, raw=bytes(16))),
    "too few bytes": add(proto(raw=bytes(15))),
    "too many bytes": add(proto(raw=bytes(17))),
    "bytes for no elements": add(proto(raw=bytes(16), dims=(0,))),
    "too few numbers": add(proto(float_data=[1, 2, 3])),
    "too many numbers": add(proto(float_data=[1, 2, 3, 4, 5])),
    "numbers of another type": add(proto(int32_data=[1, 2, 3, 4])),
    "numbers and bytes": add(proto(raw=bytes(16), float_data=[1, 2, 3, 4])),
    "text for numbers": add(proto(string_data=[b"1"] * 4)),
    "half a nibble too few": add(proto(INT4, dims=(5,), raw=bytes(2))),
    "half a nibble too many": add(proto(INT4, dims=(5,), raw=bytes(4))),
    "bytes out of range": add(proto(UINT8, int32_data=[1, 2, 3, 256])),
    "halves out of range": add(proto(TensorProto.FLOAT16, int32_data=[0, 1, 2, 1 << 20])),
    "another element type than the op's": add(proto(INT64, raw=bytes(32))),
}


UNSUPPORTED = {
    "strings": add(proto(TensorProto.STRING, string_data=[b"a"] * 4)),
    "complex numbers": add(proto(TensorProto.COMPLEX64, raw=bytes(32))),
    "sparse indices out of range": sparse([4]),
    "negative sparse indices": sparse([-1]),
    "sparse indices twice": sparse([1, 1], count=2),
    "other numbers of indices and values": sparse([1, 2, 3], count=2),
    "sparse indices of another type": sparse([1], element=TensorProto.INT32),
    "sparse dims that wrap": sparse([1], dims=(1 << 62, 4)),
}


# External data --------------------------------------------------------------

def outside(**entries):
    """Initializer w whose bytes lie elsewhere."""
    result = proto(dims=(4,))
    result.data_location = TensorProto.EXTERNAL
    for key, content in entries.items():
        entry = result.external_data.add()
        entry.key, entry.value = key, content
    return add(result)


def external(content=bytes(64), **entries):
    """The model, and w.bin of `content`."""
    def write(folder):
        write_model(outside(**entries))(folder)
        if content is not None:
            (folder / "w.bin").write_bytes(content)
    return write


def linked(make):
    """w.bin is what `make` puts there instead of a file."""
    def write(folder):
        write_model(outside(location="w.bin"))(folder)
        inner = folder / "elsewhere"
        inner.mkdir()
        (inner / "secret").write_bytes(bytes(16))
        make(folder / "w.bin", inner)
    return write


EXTERNAL = {
    "no location": (external(offset="0"), 1),
    "an empty location": (external(location=""), 1),
    "a file that is not there": (external(None, location="w.bin"), 4),
    "a folder above": (external(location="../w.bin"), 1),
    "a folder above in the midst": (external(location="a/../../w.bin"), 1),
    "an absolute path": (external(location="/etc/passwd"), 1),
    "a zero in the path": (external(location="w.bin\0.txt"), 1),
    "a device": (external(location="../../../../dev/zero"), 1),
    "the model's folder": (external(location="."), 1),
    "a long path": (external(location="a/" * 5000), 4),
    "an offset beyond the file": (external(location="w.bin", offset="64"), 1),
    "an offset that wraps": (external(location="w.bin", offset=str((1 << 64) - 8)), 1),
    "a negative offset": (external(location="w.bin", offset="-4"), 1),
    "an offset of letters": (external(location="w.bin", offset="four"), 1),
    "a length beyond the file": (external(location="w.bin", length="65"), 1),
    "a length of another size": (external(location="w.bin", length="12"), 1),
    "a length of 2^63": (external(location="w.bin", length=str(1 << 63)), 1),
    "a file that was cut": (external(bytes(15), location="w.bin"), 1),
    "an empty file": (external(b"", location="w.bin"), 1),
    "a link to a file outside": (linked(lambda path, inner: path.symlink_to("/etc/passwd")), 1),
    "a link to itself": (linked(lambda path, inner: path.symlink_to("w.bin")), 4),
    "a pipe": (linked(lambda path, inner: os.mkfifo(path)), 4),
    "a folder": (linked(lambda path, inner: path.mkdir()), 4),
}


# Parameters of quantization --------------------------------------------------

def constant(name, values, element=FLOAT):
    return helper.make_tensor(name, element, np.shape(values), np.ravel(values))


def quantize(scale, zero=None, **attributes):
    """x to codes and back."""
    names = ["s", "z"] if zero is not None else ["s"]
    return model([node("QuantizeLinear", ["x", *names], ["q"], **attributes),
                  node("DequantizeLinear", ["q", *names], ["y"], **attributes)],
                 [item for item in (scale, zero) if item is not None])


def weights(scale, zero=None, dims=(4, 4), element=TensorProto.INT8, **attributes):
    """A product with a weight of codes."""
    initializers = [constant("w", np.ones(dims, np.int64), element), scale]
    if zero is not None:
        initializers.append(zero)
    names = [item.name for item in initializers]
    return model([node("DequantizeLinear", names, ["f"], **attributes),
                  node("MatMul", ["x", "f"], ["y"])], initializers)


def scale(values):
    return constant("s", values)


def zero(values, element=TensorProto.INT8):
    return constant("z", values, element)


QUANTIZATION = {
    "a scale of 0": quantize(scale(0.0), zero(0)),
    "a negative scale": quantize(scale(-1.0), zero(0)),
    "a scale of NaN": quantize(scale(np.nan), zero(0)),
    "an infinite scale": quantize(scale(np.inf), zero(0)),
    "scales of another number": quantize(scale([1.0] * 3), zero([0] * 3), axis=1),
    "zeros of another number": quantize(scale([1.0] * 4), zero([0] * 3), axis=1),
    "an axis out of range": quantize(scale([1.0] * 4), zero([0] * 4), axis=2),
    "scales of two axes": quantize(scale(np.ones((4, 4))), zero(np.zeros((4, 4), int))),
    "a weight's scale of NaN": weights(scale([1, np.nan, 1, 1]), axis=1),
    "one scale of NaN among many": weights(scale([*[1.0] * 299, np.nan]), dims=(4, 300), axis=1),
    "a weight's zeros of another type": weights(scale(1.0), zero(0, UINT8)),
    "a block of -1": weights(scale(np.ones((2, 4))), axis=0, block_size=-1),
    "blocks of another number": weights(scale(np.ones((3, 4))), axis=0, block_size=2),
    "a block along an axis out of range": weights(scale(np.ones((2, 4))), axis=2, block_size=2),
}
UNSUPPORTED_CODES = {
    "a zero of another type": quantize(scale(1.0), constant("z", 0, INT64)),
    "codes of floats": weights(scale(1.0), element=FLOAT),
}


def nbits(codes=(4, 1, 16), scales=4, zeros=None, **attributes):
    """MatMulNBits of depth 32 to 4 columns, blocks of 32."""
    asked = {"K": 32, "N": 4, "bits": 4, "block_size": 32, **attributes}
    initializers = [constant("w", np.zeros(codes, int), UINT8), constant("s", [1.0] * scales)]
    if zeros is not None:
        initializers.append(zeros)
    names = [item.name for item in initializers]
    return model([node("MatMulNBits", ["x", *names], ["y"], domain="com.microsoft", **asked)],
                 initializers, inputs=[value("x", ("n", 32))])


NBITS = {
    "a depth of 0": nbits(K=0),
    "a negative depth": nbits(K=-32),
    "a depth of 2^62": nbits(K=1 << 62),
    "another depth than the input's": nbits(K=64),
    "more columns than codes": nbits(N=5),
    "8 bits in bytes of 4": nbits(bits=8),
    "a block of 0": nbits(block_size=0),
    "a block of 17": nbits(block_size=17),
    "a block of 2^40": nbits(block_size=1 << 40),
    "codes of another size": nbits((4, 1, 15)),
    "scales of another number": nbits(scales=5),
    "zeros of another number": nbits(zeros=constant("z", [0] * 3, UINT8)),
}

UNSUPPORTED_CODES |= {"MatMulNBits of no bits": nbits(bits=0),
                      "MatMulNBits of 64 bits": nbits(bits=64)}

CASES = {
    **{f"payload: {name}": Case(write_model(made), "m.onnx: ") for name, made in PAYLOADS.items()},
    **{f"payload: {name}": Case(write_model(made), "m.onnx: ", 3)
       for name, made in UNSUPPORTED.items()},
    **{f"external: {name}": Case(write, "m.onnx: ", code)
       for name, (write, code) in EXTERNAL.items()},
    **{f"quantization: {name}": Case(write_model(made), "m.onnx: ")
       for name, made in QUANTIZATION.items()},
    **{f"quantization: {name}": Case(write_model(made), "m.onnx: ", 3)
       for name, made in UNSUPPORTED_CODES.items()},
    **{f"MatMulNBits: {name}": Case(write_model(made), "m.onnx: ")
       for name, made in NBITS.items()},
}
