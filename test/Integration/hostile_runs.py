"""Bad arrays, recipes, command lines, and artefacts that were damaged."""

import io
import struct
import subprocess
import warnings
import zipfile

import numpy as np
from onnx import helper

from hostile import Case, model, write_model
from qopt_tools import BUILD

node = helper.make_node
PLAIN = model([node("Relu", ["x"], ["y"])])
MATMUL = model([node("MatMul", ["x", "w"], ["y"])],
               [helper.make_tensor("w", 1, (4, 4), np.ones(16))])
RUN = ("qopt-run", "m.onnx", "--inputs", "x.npz", "--outputs", "y.npz")


# Arrays ---------------------------------------------------------------------

def member(descr="<f4", shape=(1, 4), fortran=False, data=bytes(16), header=None):
    """An .npy of any header."""
    text = header or repr({"descr": descr, "fortran_order": fortran, "shape": shape})
    text = text.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n" + data


def archive(**members):
    """An .npz of members of any bytes, named by words without dots."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in members.items():
            made.writestr(f"{name}.npy", content)
    return stream.getvalue()


def renamed(name):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr(name, member())
    return stream.getvalue()


def twice():
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as made:
        warnings.simplefilter("ignore")
        made.writestr("x.npy", member())
        made.writestr("x.npy", member())
    return stream.getvalue()


def pickled():
    stream = io.BytesIO()
    np.savez(stream, x=np.array([{"a": 1}], dtype=object))
    return stream.getvalue()


def patched(content, old, new):
    assert old in content
    return content.replace(old, new, 1)


GOOD = archive(x=member())
ENTRY = b"PK\x01\x02"


def damage(offset, content, before=ENTRY):
    """GOOD with other bytes in its directory of members."""
    place = GOOD.index(before) + offset
    return GOOD[:place] + content + GOOD[place + len(content):]


ARRAYS = {
    "nothing": b"",
    "no zip": bytes(1000),
    "a zip that was cut": GOOD[:-30],
    "only the start of a zip": GOOD[:30],
    "an empty zip": archive(),
    "another name": archive(z=member()),
    "a member twice": twice(),
    "a pickle": pickled(),
    "a path upwards": renamed("../x.npy"),
    "an absolute path": renamed("/tmp/x.npy"),
    "no magic": archive(x=bytes(100)),
    "version 9": archive(x=patched(member(), b"\x01\x00", b"\x09\x00")),
    "a header beyond the member": archive(x=member()[:8] + b"\xff\xff" + bytes(20)),
    "a header that is no literal": archive(x=member(header="__import__('os').system('id')")),
    "a header without a shape": archive(x=member(header="{'descr': '<f4', 'fortran_order': False}")),
    "a header of brackets": archive(x=member(header="(" * 60000)),
    "objects": archive(x=member(descr="|O")),
    "records": archive(x=member(header="{'descr': [('a', '<f4')], 'fortran_order': False, "
                                       "'shape': (1, 4)}")),
    "other elements": archive(x=member(descr="<f8", data=bytes(32))),
    "big endian": archive(x=member(descr=">f4")),
    "another rank": archive(x=member(shape=(4,))),
    "other dims": archive(x=member(shape=(1, 5), data=bytes(20))),
    "negative dims": archive(x=member(shape=(-1, -4))),
    "dims that wrap": archive(x=member(shape=(1 << 62, 4))),
    "dims of rank 5,000": archive(x=member(shape=(1,) * 5000)),
    "too few bytes": archive(x=member(data=bytes(15))),
    "too many bytes": archive(x=member(data=bytes(17))),
    "a size that is not so": damage(24, struct.pack("<I", 1 << 30)),
    "a wrong checksum": damage(16, b"\1\2\3\4"),
    "an unknown compression": damage(10, b"\x63\x00"),
    "an encrypted member": damage(8, b"\x01\x00"),
    "an offset beyond the file": damage(42, b"\xff\xff\xff\x7f"),
}


def arrays(content, proto=PLAIN):
    def write(folder):
        write_model(proto)(folder)
        (folder / "x.npz").write_bytes(content)
    return write


# Recipes --------------------------------------------------------------------

def recipe(text):
    def write(folder):
        write_model(MATMUL)(folder)
        (folder / "r.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return write


BASE = "version: 1\npreset: mxfp4\n"
ALIASES = "\n".join(["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"] +
                    [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]"
                     for i in range(1, 12)])
RECIPES = {
    "nothing": " \n",
    "no YAML": "version: [1",
    "zeros": bytes(100),
    "a list": "- version: 1\n",
    "a number": "1\n",
    "a key twice": "version: 1\nversion: 1\n",
    "two documents": "version: 1\n---\nversion: 1\n",
    "an unknown key": BASE + "wieghts: {format: i8}\n",
    "version 0": "version: 0\n",
    "version of letters": "version: one\n",
    "version 2^70": f"version: {1 << 70}\n",
    "an unknown format": BASE + "weights: {format: i9}\n",
    "a list for a format": BASE + "weights: {format: [i8]}\n",
    "a negative group": BASE + "weights: {format: ui4, group: -32}\n",
    "an expression that does not end": BASE + "overrides: [{nodes: '(', precision: float}]\n",
    "brackets": BASE + "overrides: " + "[" * 100_000 + "\n",
    "aliases that double": ALIASES + "\nversion: 1\n",
    "a mapping in itself": "a: &a {b: *a}\nversion: 1\n",
    "a tag": "version: !!python/object/apply:os.system ['id']\n",
    "a long line": BASE + "# " + "x" * 1_000_000 + "\nkey: 1\n",
}
UNMATCHED = {
    "an expression of backtracking": BASE + "overrides: [{nodes: '((a*)*)*b', precision: float}]\n",
    "an override of nothing": BASE + "overrides: [{nodes: 'nothing', precision: float}]\n",
}
WITH_RECIPE = ("qopt-compile", "m.onnx", "-o", "m.so", "--recipe", "r.yaml")


# Command lines --------------------------------------------------------------

def plain(folder):
    arrays(GOOD)(folder)
    (folder / "folder").mkdir()


def compile_with(*more):
    return ("qopt-compile", *more)


COMMANDS = {
    "the output is the model": (compile_with("m.onnx", "-o", "m.onnx"), 2),
    "the output is a folder": (compile_with("m.onnx", "-o", "folder"), 4),
    "the output is in no folder": (compile_with("m.onnx", "-o", "none/m.so"), 4),
    "the output is in a file": (compile_with("m.onnx", "-o", "x.npz/m.so"), 4),
    "the output is empty": (compile_with("m.onnx", "-o", ""), 2),
    "the model is a folder": (compile_with("folder", "-o", "m.so"), 4),
    "the model is empty": (compile_with("", "-o", "m.so"), 2),
    "a name of 300 letters": (compile_with("m" * 300, "-o", "m.so"), 4),
    "shapes of letters": (compile_with("m.onnx", "-o", "m.so", "--shapes", "x:axb"), 2),
    "shapes of 2^64": (compile_with("m.onnx", "-o", "m.so", "--shapes", f"x:{1 << 64}x4"), 2),
    "shapes of another input": (compile_with("m.onnx", "-o", "m.so", "--shapes", "z:1x4"), 2),
    "negative threads": (("qopt-run", "m.onnx", "--threads", "-1"), 2),
    "threads of letters": (("qopt-run", "m.onnx", "--threads", "many"), 2),
    "2^64 threads": (("qopt-run", "m.onnx", "--threads", str(1 << 64)), 2),
    "no plug-in": (compile_with("m.onnx", "-o", "m.so", "--load-target=x.npz"), 2),
    "an input of no file": (("qopt-run", "m.onnx", "--input", "x=@none.npy"), 4),
    "an input of half a shape": (("qopt-run", "m.onnx", "--input", "x=2x"), 2),
    "an input of 2^62 elements": (
        ("qopt-run", "m.onnx", "--input", f"x={1 << 60}x4xf32=0"), 2),
    "outputs where the inputs are": (
        ("qopt-run", "m.onnx", "--inputs", "x.npz", "--outputs", "x.npz"), 2),
    "an empty case": (("qopt-run", "--batch", "none.jsonl"), 4),
}


# Artefacts ------------------------------------------------------------------

def artefact(change, arrays_of_run=GOOD):
    """m.so with other bytes."""
    def write(folder):
        write_model(MATMUL)(folder)
        subprocess.run([str(BUILD / "bin" / "qopt-compile"), "m.onnx", "-o", "m.so", "--quiet"],
                       cwd=folder, check=True, capture_output=True)
        content = (folder / "m.so").read_bytes()
        (folder / "m.so").write_bytes(change(content))
        (folder / "x.npz").write_bytes(arrays_of_run)
    return write


def head(content, offset, new):
    return content[:offset] + new + content[offset + len(new):]


ARTEFACTS = {
    "nothing": (lambda so: b"", 1),
    "zeros": (lambda so: bytes(len(so)), 1),
    "no ELF": (lambda so: b"text" + so[4:], 1),
    "the first 64 bytes": (lambda so: so[:64], 1),
    "the first half": (lambda so: so[:len(so) // 2], 1),
    "all but the last page": (lambda so: so[:-4096], 1),
    "another machine": (lambda so: head(so, 18, struct.pack("<H", 183)), 1),
    "32 bits": (lambda so: head(so, 4, b"\x01"), 1),
    "big endian": (lambda so: head(so, 5, b"\x02"), 1),
    "no headers of segments": (lambda so: head(so, 56, b"\x00\x00"), 1),
}
RUN_ARTEFACT = ("qopt-run", "m.so", "--inputs", "x.npz", "--outputs", "y.npz")

CASES = {
    **{f"npz: {name}": Case(arrays(content), "x.npz", command=RUN)
       for name, content in ARRAYS.items()},
    **{f"recipe: {name}": Case(recipe(text), "r.yaml", 2, WITH_RECIPE)
       for name, text in RECIPES.items()},
    **{f"recipe: {name}": Case(recipe(text), "matches no node", 2, WITH_RECIPE)
       for name, text in UNMATCHED.items()},
    **{f"command: {name}": Case(plain, "error: ", code, command)
       for name, (command, code) in COMMANDS.items()},
    **{f"artefact: {name}": Case(artefact(change), "m.so", code, RUN_ARTEFACT)
       for name, (change, code) in ARTEFACTS.items()},
    "artefact: other arrays": Case(artefact(lambda so: so, archive(z=member())), "x.npz", 1,
                                   RUN_ARTEFACT),
    "artefact: other dims": Case(
        artefact(lambda so: so, archive(x=member(shape=(1, 5), data=bytes(20)))), "x.npz", 1,
        RUN_ARTEFACT),
}
