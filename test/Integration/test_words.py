"""What users read when they go wrong: their own names, what was expected and found, what to do.

Every case is a mistake that somebody makes. A message names no op of ours, no
place in our sources and no temporary file, and ends with what to do.
"""

import re

import numpy as np
import onnx
import pytest

from qopt_tools import MODELS, run_tool

CNN = MODELS / "digits-cnn.onnx"

# Ops, locations and temporary files are ours, not the user's.
OURS = [r"'q(opt|kernel)\.", r"\bloc\(", r"unknown location", r"\.cpp\b", r"\bmlir::",
        r"/proc/self", r"qopt-(run|calibrate)-[0-9a-f]+", r"<<UNKNOWN"]


def check_words(tool, text, code):
    """The first line says what is wrong, and a note or its own end what to do."""
    lines = text.strip().splitlines()
    assert lines and lines[0].startswith(f"{tool}: error: "), text
    assert not any(line.startswith(f"{tool}: {tool}") for line in lines), text
    for pattern in OURS:
        assert not re.search(pattern, text), f"{pattern} in {text}"
    what = lines[0].removeprefix(f"{tool}: error: ")
    assert not what.endswith("."), text
    if code != 4:  # a file that is missing needs no advice
        assert re.search(r"(^note: )|; (did you mean|see|give|name|the targets are|known are|it has)"
                         r"|, but found |expects ", text, re.MULTILINE), text


def parse(folder, text):
    path = folder / "m.onnx"
    onnx.save(onnx.parser.parse_model(text), path)
    return path


DOUBLES = """<ir_version: 10, opset_import: ["" : 17]>
g (double[n, 4] x) => (double[4, n] y)
{ [first] h = Erf (x)  [move] t = Transpose (h)  [second] y = Sin (t) }"""


@pytest.mark.parametrize("more", [[], ["--preset", "w8a8-dynamic"], ["--preset", "mxint8"]])
def test_every_node_without_a_kernel_is_named(tmp_path, more):
    result = run_tool("qopt-compile", parse(tmp_path, DOUBLES), "-o", tmp_path / "m.so", *more)
    assert result.returncode == 3
    assert 'm.onnx: 2 problems\n  node "first" (Erf): has no kernel: ' in result.stderr
    assert '\n  node "second" (Sin): has no kernel: ' in result.stderr
    check_words("qopt-compile", result.stderr, 3)


def test_what_calibration_cannot_compile_is_named(tmp_path):
    np.savez(tmp_path / "s.npz", x=np.ones((2, 4), np.float64))
    result = run_tool("qopt-compile", parse(tmp_path, DOUBLES), "-o", tmp_path / "m.so",
                      "--preset", "w8a8", "--calib", tmp_path / "s.npz")
    assert result.returncode == 3
    assert 'node "first" (Erf)' in result.stderr
    check_words("qopt-compile", result.stderr, 3)


# Mistakes ---------------------------------------------------------------------

@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a model, an artefact of it, samples, and files that are no models."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "cnn.onnx").write_bytes(CNN.read_bytes())
    (folder / "mlp.onnx").write_bytes((MODELS / "digits-mlp.onnx").read_bytes())
    image = np.full((1, 1, 8, 8), 0.5, np.float32)
    np.savez(folder / "in.npz", x=image)
    np.savez(folder / "bytes.npz", x=(image * 255).astype(np.uint8))
    np.savez(folder / "doubles.npz", x=image.astype(np.float64))
    np.savez(folder / "named.npz", input=image)
    np.savez(folder / "flat.npz", x=image[0])
    np.savez(folder / "last.npz", x=np.zeros((1, 8, 8, 1), np.float32))
    np.savez(folder / "nan.npz", x=image * np.nan)
    np.savez(folder / "out.npz", logits=np.zeros((1, 10), np.float32))
    np.savez(folder / "three.npz", logits=np.zeros((1, 3), np.float32))
    np.savez(folder / "objects.npz", x=np.array([{}], dtype=object))
    np.save(folder / "x.npy", image)
    np.save(folder / "flat.npy", image[0])
    (folder / "many").mkdir()
    np.savez(folder / "many" / "0.npz", x=image)
    (folder / "empty").mkdir()
    (folder / "text.txt").write_text("no model\n")
    (folder / "net.pt").write_bytes(b"PK\x03\x04" + bytes(64))
    (folder / "text.so").write_text("no model\n")
    (folder / "cut.onnx").write_bytes(CNN.read_bytes()[:3000])
    (folder / "r.yaml").write_text("version: 1\npreset: w8a8\n")
    (folder / "typo.yaml").write_text("version: 1\nweight: {format: i8}\n")
    (folder / "none.yaml").write_text("version: 1\npreset: int8\n")
    (folder / "old.mlir").write_text("module { func.func @main( }\n")
    (folder / "other.mlir").write_text('func.func @main() { "other.op"() : () -> () return }\n')
    parse(folder, DOUBLES).rename(folder / "halves.onnx")
    for arguments in (["-o", "cnn.so"],
                      ["-o", "q.mlir", "--preset", "mxfp4", "--stop-after", "quantize"]):
        assert run_tool("qopt-compile", "cnn.onnx", *arguments, cwd=folder).returncode == 0
    cut = (folder / "cnn.so").read_bytes()
    (folder / "cut.so").write_bytes(cut[:-64])
    return folder


COMPILE = {
    "nothing": (2, ""),
    "no output": (2, "cnn.onnx"),
    "no model": (2, "-o m.so"),
    "a missing model": (4, "none.onnx -o m.so"),
    "a folder": (4, "many -o m.so"),
    "a PyTorch file": (1, "net.pt -o m.so"),
    "a cut model": (1, "cut.onnx -o m.so"),
    "an artefact": (1, "cnn.so -o m.so"),
    "text": (1, "text.txt -o m.so"),
    "a sample": (1, "in.npz -o m.so"),
    "two models": (2, "cnn.onnx mlp.onnx -o m.so"),
    "an unknown flag": (2, "cnn.onnx -o m.so --int8"),
    "a flag of another tool": (2, "cnn.onnx -o m.so --input-shape x:1x1x8x8"),
    "a misspelt flag": (2, "cnn.onnx -o m.so --preste w8a8"),
    "a flag without its value": (2, "cnn.onnx -o"),
    "int8": (2, "cnn.onnx -o m.so --preset int8"),
    "INT8": (2, "cnn.onnx -o m.so --preset INT8"),
    "q4_0": (2, "cnn.onnx -o m.so --preset q4_0"),
    "fp8": (2, "cnn.onnx -o m.so --preset fp8"),
    "nonsense": (2, "cnn.onnx -o m.so --preset splendid"),
    "no samples": (2, "cnn.onnx -o m.so --preset w8a8"),
    "missing samples": (4, "cnn.onnx -o m.so --preset w8a8 --calib none"),
    "an empty folder of samples": (4, "cnn.onnx -o m.so --preset w8a8 --calib empty"),
    "a bare array as sample": (1, "cnn.onnx -o m.so --preset w8a8 --calib x.npy"),
    "samples of bytes": (1, "cnn.onnx -o m.so --preset w8a8 --calib bytes.npz"),
    "samples of doubles": (1, "cnn.onnx -o m.so --preset w8a8 --calib doubles.npz"),
    "samples of another name": (1, "cnn.onnx -o m.so --preset w8a8 --calib named.npz"),
    "samples without a batch": (1, "cnn.onnx -o m.so --preset w8a8 --calib flat.npz"),
    "samples with channels last": (1, "cnn.onnx -o m.so --preset w8a8 --calib last.npz"),
    "samples of NaN": (1, "cnn.onnx -o m.so --preset w8a8 --calib nan.npz"),
    "samples of objects": (1, "cnn.onnx -o m.so --preset w8a8 --calib objects.npz"),
    "a missing recipe": (4, "cnn.onnx -o m.so --recipe none"),
    "a recipe with a typing error": (2, "cnn.onnx -o m.so --recipe typo.yaml"),
    "a recipe of another preset": (2, "cnn.onnx -o m.so --recipe none.yaml"),
    "a model as recipe": (2, "cnn.onnx -o m.so --recipe cnn.onnx"),
    "recipe and preset": (2, "cnn.onnx -o m.so --recipe r.yaml --preset w8a8"),
    "a target of another tool": (2, "cnn.onnx -o m.so --target cuda"),
    "an unknown CPU": (2, "cnn.onnx -o m.so --cpu haswell"),
    "an unknown form": (2, "cnn.onnx -o m.so --emit exe"),
    "a form and a phase": (2, "cnn.onnx -o m.so --emit asm --stop-after fuse"),
    "an unknown phase": (2, "cnn.onnx -o m.so --stop-after lower"),
    "shapes of another grammar": (2, "cnn.onnx -o m.so --shapes x:[1,1,8,8]"),
    "shapes of another input": (2, "cnn.onnx -o m.so --shapes images:1x1x8x8"),
    "shapes of another rank": (2, "cnn.onnx -o m.so --shapes x:1x64"),
    "shapes that the model denies": (2, "cnn.onnx -o m.so --shapes x:1x1x9x9"),
    "a gate without samples": (2, "cnn.onnx -o m.so --preset mxfp4 --accuracy-gate sqnr>=20"),
    "a gate that is not understood": (2, "cnn.onnx -o m.so --calib in.npz --accuracy-gate 0.99"),
    "a gate that is not kept": (5, "cnn.onnx -o m.so --preset mxfp4 --calib in.npz "
                                   "--accuracy-gate max-error<=0"),
    "a level that is not known": (2, "cnn.onnx -o m.so --fail-on-fallback=all"),
    "a contract that is not kept": (3, "cnn.onnx -o m.so --preset w4a16-g32 "
                                       "--fail-on-fallback=any"),
    "the model as output": (2, "cnn.onnx -o cnn.onnx"),
    "a folder as output": (4, "cnn.onnx -o many"),
    "a missing folder": (4, "cnn.onnx -o none/m.so"),
    "a file as report folder": (4, "cnn.onnx -o m.so --report text.txt"),
    "halves": (3, "halves.onnx -o m.so"),
    "a phase file as model": (2, "q.mlir -o m.so"),
    "a model as phase file": (2, "cnn.onnx -o m.so --start-from quantize"),
    "a file of another phase": (2, "q.mlir -o m.so --start-from prepare"),
    "a broken phase file": (1, "old.mlir -o m.so --start-from prepare"),
    "an unknown op": (1, "other.mlir -o m.so --start-from prepare"),
    "quiet and verbose": (2, "cnn.onnx -o m.so --quiet --verbose"),
    "a missing plug-in": (4, "cnn.onnx -o m.so --load-target none.so"),
    "text as plug-in": (2, "cnn.onnx -o m.so --load-target text.so"),
}

RUN = {
    "nothing": (2, ""),
    "a missing model": (4, "none.so --inputs in.npz"),
    "a text": (1, "text.so --inputs in.npz"),
    "a cut artefact": (1, "cut.so --inputs in.npz"),
    "no inputs": (2, "cnn.so"),
    "missing inputs": (4, "cnn.so --inputs none.npz"),
    "bytes": (1, "cnn.so --inputs bytes.npz"),
    "bytes into a model": (1, "cnn.onnx --inputs bytes.npz"),
    "another rank into a model": (1, "cnn.onnx --inputs flat.npz"),
    "another rank by Reference": (1, "cnn.onnx --reference --inputs flat.npz"),
    "doubles": (1, "cnn.so --inputs doubles.npz"),
    "another name": (1, "cnn.so --inputs named.npz"),
    "a bare array": (1, "cnn.so --inputs x.npy"),
    "channels last": (1, "cnn.so --inputs last.npz"),
    "objects": (1, "cnn.so --inputs objects.npz"),
    "an input of another name": (2, "cnn.so --input images=1x1x8x8xf32"),
    "an input without a type": (2, "cnn.so --input x=1x1x8x8"),
    "an input of another type": (2, "cnn.so --input x=1x1x8x8xu8"),
    "an input of another size": (2, "cnn.so --input x=1x1x8x9xf32"),
    "an input of another rank": (2, "cnn.onnx --reference --input x=1x64xf32"),
    "an input that is given twice": (2, "cnn.so --inputs in.npz --input x=1x1x8x8xf32"),
    "an array of another size": (1, "cnn.so --input x=@flat.npy"),
    "an input without a shape": (2, "cnn.so --input x"),
    "a missing array": (4, "cnn.so --input x=@none.npy"),
    "a number that is none": (2, "cnn.so --inputs in.npz --threads all"),
    "a negative number": (2, "cnn.so --inputs in.npz --threads -1"),
    "no runs": (2, "cnn.so --inputs in.npz --benchmark --iters 0"),
    "runs without a benchmark": (2, "cnn.so --inputs in.npz --iters 10"),
    "a flag of another tool": (2, "cnn.so --loadInputs in.npz"),
    "two models": (2, "cnn.so mlp.onnx --inputs in.npz"),
    "Reference of an artefact": (2, "cnn.so --reference --inputs in.npz"),
    "a phase file": (2, "q.mlir --inputs in.npz"),
    "a comparison with nothing": (2, "cnn.so --inputs in.npz --compare=reference"),
    "a comparison with an artefact": (2, "cnn.so --inputs in.npz --compare=cnn.so"),
    "a comparison with another model": (1, "cnn.so --inputs in.npz --compare=halves.onnx"),
    "other results": (5, "cnn.so --inputs in.npz --expect out.npz"),
    "results of another shape": (5, "cnn.so --inputs in.npz --expect three.npz"),
    "expected inputs": (1, "cnn.so --inputs in.npz --expect in.npz"),
    "a tolerance of nothing": (2, "cnn.so --inputs in.npz --atol 1e-3"),
    "one file of many results": (2, "cnn.so --inputs many --outputs out2.npz"),
    "results over inputs": (2, "cnn.so --inputs in.npz --outputs in.npz"),
    "an empty folder": (4, "cnn.so --inputs empty"),
    "a benchmark of many": (2, "cnn.so --inputs many --benchmark"),
    "a description and a run": (2, "cnn.so --describe --inputs in.npz"),
    "the digest of a model": (2, "cnn.onnx --verify"),
    "a model of halves": (3, "halves.onnx --input x=1x4xf16"),
    "a tolerance of two kinds": (2, "cnn.so --inputs in.npz --expect out.npz --atol 1 "
                                    "--min-sqnr 20"),
    "an SQNR of nothing": (2, "cnn.so --inputs in.npz --min-sqnr 20"),
    "an SQNR that is not reached": (5, "cnn.so --inputs in.npz --expect out.npz --min-sqnr 20"),
    "a list that is none": (4, "--batch none.jsonl"),
}


def expect_mistake(tool, arguments, code, desk):
    before = sorted(desk.rglob("*"))
    result = run_tool(tool, *arguments.split(), cwd=desk)
    print(result.stderr)
    assert result.returncode == code, result.stderr
    check_words(tool, result.stderr, code)
    assert sorted(desk.rglob("*")) == before


@pytest.mark.parametrize("name", COMPILE)
def test_a_mistake_with_qopt_compile(name, desk):
    code, arguments = COMPILE[name]
    expect_mistake("qopt-compile", arguments, code, desk)


@pytest.mark.parametrize("name", RUN)
def test_a_mistake_with_qopt_run(name, desk):
    code, arguments = RUN[name]
    expect_mistake("qopt-run", arguments, code, desk)
