"""Gives damaged files to the tools and says which ones are not refused well.

A file may come from anywhere, so each case must end in time, with an exit code
from 0 to 5, with a message where it is not 0, and leave an output only where it
is 0. Kinds of files: phase files of the digits models (numbers, types, names and
ops exchanged), phase files of random graphs whose dims say something else than the
operands (nothing may be read or written past a block of memory, and Reference must
agree), models (bytes, and fields of the protobuf), arrays and recipes. Case i of
seed s is always the same file.

    fuzz_files.py --kind phase --cases 1000 [--seed N] [--keep FOLDER]
    fuzz_files.py --kind phase --only 17 --keep FOLDER
"""

import argparse
import io
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fuzz_cases import generate
from fuzz_oracles import have_same_bits
from qopt_tools import BUILD, MODELS, ROOT, run_ok, run_tool

# Of the processor: a busy machine is no fault of a file.
SECONDS = 60
MEMORY = 4 << 30

PRESETS = ["fp32", "w8a8", "w8a8-dynamic", "w8a8-pow2", "w4a16-g32", "mxint8", "mxfp4", "nvfp4"]
PHASES = ["import", "prepare", "calibrate", "transform", "quantize", "fuse", "kernels", "target"]

INTEGERS = [-2**63, -2**31, -129, -2, -1, 0, 1, 2, 3, 4, 5, 7, 8, 16, 63, 64, 65, 127, 128, 255,
            256, 1024, 65536, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1, 2**64]
ELEMENTS = ["i1", "i2", "i4", "i8", "ui2", "ui4", "ui8", "i16", "i32", "i64", "ui64", "i128",
            "index", "f16", "bf16", "f32", "f64", "f8E4M3FN", "f8E5M2", "f8E8M0FNU", "f6E3M2FN",
            "f4E2M1FN", "complex<f32>", "vector<4xf32>"]


# Phase files -----------------------------------------------------------------

NUMBER = re.compile(r"(?<![\w.%#@\"x])-?\d+(?![\w.])")
TENSOR = re.compile(r"(?P<kind>tensor|memref)<(?P<dims>(?:(?:\d+|\?)x)*)(?P<element>\w+)>")
VALUE = re.compile(r"%[\w:#]+")
OP = re.compile(r"\b(?:qopt|qkernel|memref|arith)\.[a-z_]+(?= ?[%({])")
WORD = re.compile(r"\"[^\"]*\"")
DATA = re.compile(r"dense<[^>]*>|\"---[^\"]*\"|\"hex:[^\"]*\"|\"[^\"]*@\d+\+\d+:[0-9a-f]+\"")


class PhaseText:
    """The text of a phase file, in which data that no check reads is left alone."""

    def __init__(self, text):
        self.lines = text.splitlines(keepends=True)
        self.ops = sorted(set(OP.findall(text)))
        self.places = [i for i, line in enumerate(self.lines)
                       if self.weigh(line)]

    @staticmethod
    def weigh(line):
        return any(word in line for word in ("qopt.", "qkernel.", "tensor<", "memref", "arith."))

    def mutate(self, rng):
        lines = list(self.lines)
        for _ in range(1 if rng.random() < .8 else 2):
            place = rng.choice(self.places)
            # Ops of one line are rarer than constants, and break more.
            for _ in range(3):
                if "qopt.constant" in lines[place] or "loc(" == lines[place][:4]:
                    place = rng.choice(self.places)
            change = rng.choice([self.number, self.number, self.number, self.shape, self.shape,
                                 self.element, self.value, self.op, self.word, self.attribute,
                                 self.line])
            change(rng, lines, place)
        return "".join(lines)

    @staticmethod
    def replace_one(rng, lines, place, pattern, make):
        line = lines[place]
        data = [match.span() for match in DATA.finditer(line)]
        found = [match for match in pattern.finditer(line)
                 if not any(begin <= match.start() < end for begin, end in data)
                 or rng.random() < .02]
        if found:
            match = rng.choice(found)
            lines[place] = line[:match.start()] + make(match) + line[match.end():]

    def number(self, rng, lines, place):
        def other(match):
            value = int(match.group())
            return str(rng.choice([rng.choice(INTEGERS), value + 1, value - 1, -value, value * 2]))
        self.replace_one(rng, lines, place, NUMBER, other)

    def shape(self, rng, lines, place):
        def other(match):
            dims = match["dims"].split("x")[:-1]
            where = rng.randrange(len(dims) + 1)
            action = rng.randrange(4)
            dim = rng.choice(["?", "0", "1", "2", "3", "17", "64", "65536", str(2**31), str(2**62)])
            if action == 0 or not dims:
                dims.insert(where, dim)
            elif action == 1:
                del dims[where % len(dims)]
            else:
                dims[where % len(dims)] = dim
            return f"{match['kind']}<" + "".join(d + "x" for d in dims) + match["element"] + ">"
        self.replace_type(rng, lines, place, other)

    def replace_type(self, rng, lines, place, other):
        if rng.random() >= .3:
            self.replace_one(rng, lines, place, TENSOR, other)
        # One type everywhere is consistent and still another program.
        elif found := TENSOR.search(lines[place]):
            old, new = found.group(), other(found)
            lines[:] = [line.replace(old, new) for line in lines]

    def element(self, rng, lines, place):
        def other(match):
            return f"{match['kind']}<" + match["dims"] + rng.choice(ELEMENTS) + ">"
        self.replace_type(rng, lines, place, other)

    def value(self, rng, lines, place):
        names = VALUE.findall(lines[rng.choice(self.places)]) or ["%arg0"]
        self.replace_one(rng, lines, place, VALUE, lambda match: rng.choice(names))

    def op(self, rng, lines, place):
        self.replace_one(rng, lines, place, OP, lambda match: rng.choice(self.ops))

    def word(self, rng, lines, place):
        words = WORD.findall(lines[rng.choice(self.places)]) + ['""', '"x"']
        self.replace_one(rng, lines, place, WORD, lambda match: rng.choice(words))

    @staticmethod
    def attribute(rng, lines, place):
        """Leaves out one entry of a dictionary or list."""
        found = list(re.finditer(r", [^,{}\[\]()<>]+(?=[,}\])>])", lines[place]))
        if found:
            match = rng.choice(found)
            lines[place] = lines[place][:match.start()] + lines[place][match.end():]

    def line(self, rng, lines, place):
        other = rng.choice(self.places)
        action = rng.randrange(3)
        if action == 0:
            lines[place] = ""
        elif action == 1:
            lines[place], lines[other] = lines[other], lines[place]
        else:
            lines[place] += lines[other]


def write_digits(folder):
    """Inputs for the digits models; the first is the sample that calibrates."""
    rng = np.random.default_rng(5)
    for name, dims in (("digits-cnn", (3, 1, 8, 8)), ("digits-mlp", (3, 64))):
        np.savez(folder / f"{name}.npz", x=rng.random(dims, np.float32))


def write_phase_files(folder, presets, phases):
    """The named phase files of both digits models, as (path, phase, data)."""
    write_digits(folder)
    files = []
    for model in ("digits-cnn", "digits-mlp"):
        for preset in presets:
            for phase in phases:
                path = folder / f"{model}.{preset}.{phase}.mlir"
                run_ok("qopt-compile", MODELS / f"{model}.onnx", "-o", path, "--preset", preset,
                       "--calib", folder / f"{model}.npz", "--stop-after", phase, "--quiet",
                       "--cpu", "x86-64-v3")
                files.append((path, phase, folder / f"{model}.npz"))
    return files


class PhaseCases:
    def __init__(self, folder, presets=PRESETS, phases=PHASES):
        self.files = write_phase_files(folder, presets, phases)
        self.texts = {}

    def make(self, rng, folder):
        path, phase, data = rng.choice(self.files)
        if path not in self.texts:
            self.texts[path] = PhaseText(path.read_text())
        damaged = folder / "m.mlir"
        damaged.write_text(self.texts[path].mutate(rng))
        commands = [["qopt-compile", damaged, "-o", folder / "out.so", "--start-from", phase,
                     "--quiet", "--cpu", "x86-64-v3", "--calib", data]]
        if rng.random() < .3:
            commands.append(["qopt-run", damaged, "--reference", "--inputs", data,
                             "--outputs", folder / "out.npz"])
        return path.name, commands


# Dims of phase files ----------------------------------------------------------

#: How often each phase is drawn.
DIM_PHASES = ["import", "prepare", "transform", *["quantize"] * 3, "fuse", "fuse", "kernels"]
SMALL_DIMS = ["0", "1", "2", "3", "4", "5", "8", "16", "17", "33", "64", "1000", "100000"]


def build_guard(folder):
    """A library that, preloaded, ends a program that leaves a block of memory."""
    library = folder / "guard.so"
    source = ROOT / "test" / "Integration" / "guard_pages.c"
    subprocess.run(["cc", "-O2", "-fno-builtin", "-shared", "-fPIC", "-o", library, source],
                   check=True)
    return library


class DimCases:
    """Phase files of random graphs, in which static dims stand where operands have open ones
    and the other way round; the program runs, and Reference runs the same file."""

    def __init__(self, folder, cpu="x86-64-v3"):
        self.folder = folder
        self.cpu = cpu
        self.environment = {"LD_PRELOAD": str(build_guard(folder))}

    def write_graph(self, seed, phase):
        """The folder of a graph; nothing where the compiler refuses it."""
        base = self.folder / f"graph-{seed}"
        if not base.exists():
            generate(seed, base, [self.cpu])
        case = json.loads((base / "case.json").read_text())
        flags = (["--recipe", base / "recipe.yaml"] if case["recipe"]
                 else ["--preset", case["preset"]])
        if case["recipe"] or case["preset"] != "fp32":
            flags += ["--calib", base / "calib"]
        path = base / f"{phase}.mlir"
        if not path.exists():
            run_tool("qopt-compile", base / "model.onnx", "-o", path, "--stop-after", phase,
                     "--quiet", "--cpu", self.cpu, *flags)
        return base if path.exists() else None

    @staticmethod
    def mutate(rng, text):
        damaged = PhaseText(text)
        lines = list(damaged.lines)

        def other(match):
            dims = match["dims"].split("x")[:-1]
            if dims:
                at = rng.randrange(len(dims))
                dims[at] = rng.choice(SMALL_DIMS if dims[at] == "?" else
                                      ["?"] * 6 + ["0", "1", "2", "3", "1000"])
            return f"{match['kind']}<" + "".join(dim + "x" for dim in dims) + match["element"] + ">"

        places = [i for i in damaged.places if "qopt.constant" not in lines[i]]
        for _ in range(rng.choice([1, 1, 2])):
            place = rng.choice(places or damaged.places)
            types = list(TENSOR.finditer(lines[place]))
            name = re.search(r"(%\w+)(?::\d+)? = ", lines[place])
            if not types:
                continue
            match = types[-1] if name else rng.choice(types)
            old, new = match.group(), other(match)
            if name and rng.random() < .5:  # the type of one value, where it is used too
                lines[place] = lines[place][:match.start()] + new + lines[place][match.end():]
                for i in range(place + 1, len(lines)):
                    if re.search(re.escape(name[1]) + r"\b", lines[i]):
                        lines[i] = lines[i].replace(old, new, rng.choice([1, -1]))
            else:
                lines[:] = [line.replace(old, new) for line in lines]
        return "".join(lines)

    def make(self, rng, folder):
        base = None
        while base is None:
            phase = rng.choice(DIM_PHASES)
            base = self.write_graph(rng.randrange(50), phase)
        damaged = folder / "m.mlir"
        damaged.write_text(self.mutate(rng, (base / f"{phase}.mlir").read_text()))
        # Variants of `kernels` may be other programs, and floats become codes before `quantize`.
        self.compares_bits = phase in ("quantize", "fuse")
        self.compares_ends = phase != "kernels"
        sample = rng.choice(sorted(base.glob("sample-*.npz")))
        start = ["qopt-compile", damaged, "-o", folder / "out.so", "--start-from", phase,
                 "--quiet", "--cpu", self.cpu]
        if (base / "calib").exists():
            start += ["--calib", base / "calib"]
        return base.name, [start, *(
            ["qopt-run", *program, "--inputs", sample, "--outputs", folder / outputs]
            for program, outputs in (([folder / "out.so"], "compiled.npz"),
                                     ([damaged, "--reference"], "reference.npz")))]

    def compare(self, folder):
        """What is wrong with the results, as far as there are any."""
        if not (folder / "out.so").exists() or not self.compares_ends:
            return None
        paths = [folder / "compiled.npz", folder / "reference.npz"]
        if paths[0].exists() != paths[1].exists():
            return "either the program or Reference alone refuses the dims"
        if not paths[0].exists() or not self.compares_bits:
            return None
        found, wanted = (dict(np.load(path)) for path in paths)
        wrong = [name for name, want in wanted.items() if want.shape != found[name].shape
                 or not have_same_bits(want, found[name])]
        return f"other bits than Reference in {wrong}" if wrong else None


# Models ----------------------------------------------------------------------

def write_loops(folder):
    """A model of nodes that hold graphs, and a recurrent one, with a sample; its path."""
    rng = np.random.default_rng(0)

    def graph(nodes, inputs, outputs, constants=None):
        def describe(name, kind, *dims):
            return helper.make_tensor_value_info(name, kind, list(dims) if dims else None)
        return helper.make_graph(nodes, "g", [describe(*value) for value in inputs],
                                 [describe(*value) for value in outputs],
                                 [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()])

    step = graph([helper.make_node("Identity", ["c"], ["c2"], "/same"),
                  helper.make_node("MatMul", ["a", "w"], ["p"], "/product"),
                  helper.make_node("Tanh", ["p"], ["a2"], "/tanh")],
                 [("i", TensorProto.INT64), ("c", TensorProto.BOOL), ("a", TensorProto.FLOAT)],
                 [("c2", TensorProto.BOOL), ("a2", TensorProto.FLOAT), ("p", TensorProto.FLOAT)])
    branches = {key: graph([helper.make_node(kind, ["last"], [key], f"/{key}")], [], [(key, TensorProto.FLOAT)])
                for key, kind in (("then_branch", "Neg"), ("else_branch", "Relu"))}
    main = graph(
        [helper.make_node("LSTM", ["x", "W", "R", "", "", "h"], ["", "state"], "/lstm", hidden_size=4,
                          activations=["Sigmoid", "Tanh", "HardSigmoid"], activation_alpha=[0.3], clip=2.0),
         helper.make_node("Squeeze", ["state", "zero"], ["first"], "/squeeze"),
         helper.make_node("Loop", ["m", "", "first"], ["last", "rows"], "/loop", body=step),
         helper.make_node("If", ["flag"], ["y"], "/if", **branches)],
        [("x", TensorProto.FLOAT, "t", 2, 3), ("m", TensorProto.INT64, 1), ("flag", TensorProto.BOOL, 1)],
        [("y", TensorProto.FLOAT), ("rows", TensorProto.FLOAT)],
        {name: rng.normal(0, 1, dims).astype(np.float32)
         for name, dims in (("W", (1, 16, 3)), ("R", (1, 16, 4)), ("h", (1, 2, 4)), ("w", (4, 4)))}
        | {"zero": np.array([0])})
    path = folder / "loops.onnx"
    onnx.save(helper.make_model(main, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    np.savez(folder / "loops.npz", x=rng.normal(0, 1, (5, 2, 3)).astype(np.float32), m=np.array([3]),
             flag=np.array([True]))
    return path


def list_graphs(graph):
    """A graph and those inside of its nodes."""
    found = [graph]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                found += list_graphs(attribute.g)
    return found


class ModelCases:
    """Bytes of the digits models and of one with loops changed, and numbers, names and dims of
    their nodes."""

    def __init__(self, folder):
        write_digits(folder)
        self.data = folder
        self.models = [MODELS / "digits-cnn.onnx", MODELS / "digits-mlp.onnx", write_loops(folder)]

    def damage_bytes(self, rng, content):
        content = bytearray(content)
        # Names, shapes and sizes stand at both ends, weights in the middle.
        for _ in range(rng.choice([1, 1, 2, 8])):
            place = rng.choice([rng.randrange(min(4000, len(content))),
                                len(content) - 1 - rng.randrange(min(4000, len(content))),
                                rng.randrange(len(content))])
            action = rng.randrange(4)
            if action == 0:
                content[place] ^= 1 << rng.randrange(8)
            elif action == 1:
                content[place] = rng.choice([0, 1, 0x7f, 0x80, 0xff])
            elif action == 2:
                del content[place:place + rng.choice([1, 2, 16, 1000])]
            else:
                content[place:place] = rng.randbytes(rng.choice([1, 2, 9]))
            if not content:
                content = bytearray(b"\0")
        return bytes(content)

    def damage_graph(self, rng, model):
        for _ in range(rng.choice([1, 1, 2])):
            graph = rng.choice(list_graphs(model.graph))
            node = rng.choice(graph.node or model.graph.node)
            action = rng.randrange(8)
            if action == 0:
                node.op_type = rng.choice([schema.name for schema in ONNX_OPS])
            elif action == 1 and node.attribute:
                attribute = rng.choice(node.attribute)
                attribute.i = rng.choice(INTEGERS[:-1])
                for i in range(len(attribute.ints)):
                    if rng.random() < .5:
                        attribute.ints[i] = rng.choice(INTEGERS[:-1])
                if rng.random() < .2:
                    attribute.type = rng.randrange(15)
            elif action == 2 and node.attribute:
                attribute = rng.choice(node.attribute)
                if attribute.ints and rng.random() < .5:
                    del attribute.ints[0]
                else:
                    attribute.ints.append(rng.choice(INTEGERS[:-1]))
            elif action == 3 and node.input:
                names = [name for other in graph.node for name in [*other.input, *other.output]]
                node.input[rng.randrange(len(node.input))] = rng.choice(names)
            elif action == 4 and graph.initializer:
                tensor = rng.choice(graph.initializer)
                if tensor.dims:
                    tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(INTEGERS[:-1])
            elif action == 5 and graph.initializer:
                tensor = rng.choice(graph.initializer)
                dims = [rng.choice([0, 1, 2, 3, 8, 64]) for _ in range(rng.randrange(5))]
                values = np.full(dims, rng.choice([0, 1, -1])).astype(
                    rng.choice(["f4", "i8", "u1"]))
                tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
            elif action == 6 and graph.input:
                kind = graph.input[0].type.tensor_type
                if rng.random() < .3:
                    kind.elem_type = rng.randrange(24)
                elif kind.shape.dim:
                    kind.shape.dim[rng.randrange(len(kind.shape.dim))].dim_value = rng.choice(
                        INTEGERS[:-1])
            elif rng.random() < .5 and len(graph.node) > 1 and node in graph.node:
                graph.node.remove(node)
            else:
                graph.node.insert(rng.randrange(len(graph.node) + 1), node)
        return model.SerializeToString()

    def make(self, rng, folder):
        path = rng.choice(self.models)
        content = path.read_bytes()
        content = (self.damage_bytes(rng, content) if rng.random() < .5
                   else self.damage_graph(rng, onnx.load_from_string(content)))
        damaged = folder / "m.onnx"
        damaged.write_bytes(content)
        data = self.data / f"{path.stem}.npz"
        commands = [["qopt-compile", damaged, "-o", folder / "out.so", "--quiet", "--cpu",
                     "x86-64-v3", "--preset", rng.choice(PRESETS), "--calib", data]]
        if rng.random() < .3:
            commands.append(["qopt-run", damaged, "--reference", "--inputs", data,
                             "--outputs", folder / "out.npz"])
        return path.name, commands


ONNX_OPS = [schema for schema in onnx.defs.get_all_schemas() if schema.domain == ""]


# Arrays and recipes ----------------------------------------------------------

HEADER_WORDS = ["'descr'", "'fortran_order'", "'shape'", "True", "False", "(", ")", ",", "{", "}",
                "'<f4'", "'<f8'", "'>f4'", "'|u1'", "'|O'", "'<U3'", "'<f2'", "()", "(,)", "-1",
                "1L", "[('a', '<f4')]", "0", "(" * 300, "64", "0x10", "1e3", "None", "\0", "'"]
MEMBERS = ["x", "y.npy", ".npy", "../x.npy", "/x.npy", "x.npy.npy", "X.npy", "\u00e9.npy",
           "x\n.npy", "n" * 60000 + ".npy"]


class ArrayCases:
    """Arrays for a compiled and an interpreted model: bytes of an .npz changed, packed and not;
    its members, their headers and their names made anew; inputs that are asked for in words."""

    def __init__(self, folder):
        write_digits(folder)
        self.model = MODELS / "digits-mlp.onnx"
        self.compiled = folder / "m.so"
        run_ok("qopt-compile", self.model, "-o", self.compiled, "--quiet", "--cpu", "x86-64-v3")
        self.data = folder / "digits-mlp.npz"
        self.contents = [self.data.read_bytes()]
        np.savez_compressed(folder / "packed.npz", x=np.zeros((3, 64), np.float32))
        self.contents.append((folder / "packed.npz").read_bytes())

    def damage_bytes(self, rng):
        content = bytearray(rng.choice(self.contents))
        for _ in range(rng.choice([1, 1, 2, 4])):
            place = rng.choice([rng.randrange(min(200, len(content))),
                                len(content) - 1 - rng.randrange(min(150, len(content)))])
            size = rng.choice([1, 1, 1, 2, 4, 8])
            content[place:place + size] = rng.choice(
                [b"\0" * size, b"\xff" * size, rng.randbytes(size), b""])
            content = content or bytearray(b"\0")
        return bytes(content)

    @staticmethod
    def make_array(rng):
        """The bytes of an .npy whose header says something else than what follows."""
        dims = [rng.choice([3, 64, 64, 1, 0, rng.choice(INTEGERS)])
                for _ in range(rng.choice([2, 2, 2, 0, 1, 65]))]
        kind = rng.choice(["<f4", "<f4", "<f4", "<f8", "<i8", "|u1", "|b1", "<f2"])
        shape = "".join(f"{dim}, " for dim in dims)
        text = (f"{{'descr': '{kind}', 'fortran_order': {rng.random() < .2}, "
                f"'shape': ({shape}), }}")
        if rng.random() < .3:
            tokens = re.findall(r"'[^']*'|\w+|\S", text)
            for _ in range(rng.choice([1, 2])):
                tokens[rng.randrange(len(tokens))] = rng.choice(HEADER_WORDS)
            text = " ".join(tokens)
        header = text.encode() + b"\n"
        version = rng.choice([1, 1, 1, 2, 3, 9])
        length = len(header) if rng.random() < .9 else rng.choice([0, 1, 65535])
        data = rng.choice([3 * 64 * 4, 3 * 64 * 4, 3 * 64 * 8, 0, 1, 100000])
        return (b"\x93NUMPY" + bytes([version, 0])
                + length.to_bytes(2 if version == 1 else 4, "little") + header + bytes(data))

    def make_archive(self, rng):
        packed = io.BytesIO()
        method = rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
        with warnings.catch_warnings(), zipfile.ZipFile(packed, "w", method) as archive:
            warnings.simplefilter("ignore")
            for _ in range(rng.choice([1, 1, 1, 2, 40])):
                name = rng.choice(MEMBERS) if rng.random() < .3 else "x.npy"
                archive.writestr(zipfile.ZipInfo(name), self.make_array(rng))
        return packed.getvalue()

    @staticmethod
    def make_words(rng):
        dims = "x".join(str(rng.choice([1, 3, 64, 0, rng.choice(INTEGERS)]))
                        for _ in range(rng.choice([2, 2, 1, 70])))
        element = rng.choice(["f32", "f32", "i8", "f99", ""])
        text = f"{rng.choice(['x', 'x', 'y', ''])}={dims}x{element}"
        return text + rng.choice(["", "=0.5", "=nan", "=1e999", "=", "=x", "=@x.npy"])

    def make(self, rng, folder):
        archive = folder / "x.npz"
        archive.write_bytes(self.damage_bytes(rng) if rng.random() < .4 else self.make_archive(rng))
        (folder / "x.npy").write_bytes(self.make_array(rng))
        outputs = ["--outputs", folder / "out.npz"]
        if rng.random() < .2:
            return "npz", [["qopt-compile", self.model, "-o", folder / "out.so", "--quiet",
                            "--preset", "w8a8", "--stop-after", "quantize", "--calib", archive]]
        run = rng.choice([["qopt-run", self.compiled], ["qopt-run", self.model, "--reference"]])
        return "npz", [[*run, *rng.choice([
            ["--inputs", archive, *outputs], ["--inputs", archive, *outputs],
            ["--input", f"x=@{folder / 'x.npy'}", *outputs],
            ["--input", self.make_words(rng), *outputs],
            ["--inputs", self.data, "--expect", archive],
            ["--inputs", archive, "--compare", self.model]])]]


class RecipeCases:
    """Words, numbers and lines of a dumped recipe exchanged."""

    def __init__(self, folder):
        self.data = folder
        write_digits(folder)
        self.recipes = [run_ok("qopt-compile", "--dump-recipe", "--preset", preset)
                        for preset in PRESETS]

    def make(self, rng, folder):
        text = rng.choice(self.recipes)
        for _ in range(rng.choice([1, 1, 2, 3])):
            tokens = re.split(r"(\s+)", text)
            place = rng.randrange(len(tokens))
            tokens[place] = rng.choice([
                "", ":", "- ", "[", "{", "'", '"', "---\n", "&a *a", "!!binary", "\t", "\0", "\xff",
                "?", "|", "0x", "1e999", "nan", "-1", str(2**63), str(2**64), "i16", "fp32",
                "x" * 5000, "[" * 3000, "{a: " * 3000, rng.choice(tokens), rng.choice(tokens)])
            text = "".join(tokens)
        if rng.random() < .3:
            place = rng.randrange(len(text) + 1)
            text = text[:place] + chr(rng.randrange(256)) + text[place + 1:]
        (folder / "r.yaml").write_bytes(text.encode("latin-1"))
        return "recipe", [["qopt-compile", MODELS / "digits-mlp.onnx", "-o", folder / "out.so",
                           "--quiet", "--recipe", folder / "r.yaml", "--calib",
                           self.data / "digits-mlp.npz", "--cpu", "x86-64-v3",
                           "--stop-after", "quantize"]]


KINDS = {"phase": PhaseCases, "dims": DimCases, "model": ModelCases, "array": ArrayCases, "recipe": RecipeCases}


# Running ---------------------------------------------------------------------

def limit_resources():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def judge(command, folder, environment=None):
    """What is wrong with the way in which the command ends; None where nothing is."""
    before = {path.name for path in folder.iterdir()}
    try:
        result = subprocess.run(
            [str(BUILD / "bin" / command[0]), *map(str, command[1:])], capture_output=True,
            timeout=20 * SECONDS, check=False, preexec_fn=limit_resources, cwd=folder,
            env={**os.environ, **(environment or {})})
    except subprocess.TimeoutExpired:
        return f"takes more than {20 * SECONDS} s"
    left = {path.name for path in folder.iterdir()} - before
    return judge_end(result.returncode, result.stderr.decode("utf-8", "replace"), left)


def judge_end(code, text, left):
    """What is wrong with an exit code, the text beside it and the files left."""
    if code < 0:
        return f"ends by {signal.Signals(-code).name}: {text[-300:]}"
    if code > 5:
        return f"exit code {code}: {text[-1500:]}"
    if code and not re.search(r"error: *[^ \n]", text):
        return f"exit code {code} without a message: {text[-300:]}"
    if code and left:
        return f"exit code {code} leaves {sorted(left)}"
    return None


def run_cases(kind, cases, seed, folder, only=None, **options):
    """Yields (case, name, what is wrong, command) for each case that is not refused well."""
    inputs = folder / "inputs"
    inputs.mkdir()
    maker = KINDS[kind](inputs, **options)
    for case in range(cases) if only is None else [only]:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            rng = random.Random(f"{kind} {seed} {case}")
            name, commands = maker.make(rng, Path(place))
            environment = getattr(maker, "environment", None)
            for command in commands:
                problem = judge(command, Path(place),
                                environment if command[0] == "qopt-run" else None)
                if problem:
                    yield case, name, problem, command
            if hasattr(maker, "compare") and (problem := maker.compare(Path(place))):
                yield case, name, problem, commands[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="number of the one case to run")
    parser.add_argument("--keep", type=Path, help="folder for the files of bad cases")
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for case, name, problem, command in run_cases(options.kind, options.cases, options.seed,
                                                      Path(folder), options.only):
            bad += 1
            print(f"case {case} ({name}): {problem}\n  {' '.join(map(str, command))}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                for argument in command[1:]:
                    path = Path(argument)
                    if path.is_file() and path.parent.parent == Path(folder):
                        kept = options.keep / f"{options.kind}-{case}{path.suffix}"
                        kept.write_bytes(path.read_bytes())
    print(f"{options.cases if options.only is None else 1} cases, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
