"""In how many files of the tree a part stands: what someone edits who adds one.

Tests, documents and the build's own lists are not counted.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def read_sources():
    folders = ("dialects", "include", "lib", "python", "tools")
    return {path.relative_to(ROOT).as_posix(): path.read_text() for folder in folders
            for path in sorted((ROOT / folder).rglob("*"))
            if path.suffix in (".cpp", ".def", ".h", ".in", ".py", ".td", ".txt")}


SOURCES = read_sources()


def find_places(pattern, folder=""):
    expression = re.compile(pattern)
    return [path for path, text in SOURCES.items()
            if path.startswith(folder) and expression.search(text)]


def find_rows(path, pattern):
    rows = re.findall(pattern, (ROOT / path).read_text(), re.M)
    assert rows, f"nothing looks like a row in {path}"
    return rows


def test_an_element_format_stands_in_three_files():
    rows = find_rows("dialects/QOpt/IR/ElementFormats.def",
                     r'^QOPT_FLOAT_FORMAT\((\w+), "(f[468]\w+)"')
    # What blocks and their scales are made of has formulas of its own.
    parts = set(re.findall(r"EF::(\w+)|ElementFormat::(\w+)",
                           SOURCES["dialects/QOpt/IR/Formats.cpp"]))
    used = {name for pair in parts for name in pair}
    alone = [row for row in rows if row[0] not in used]
    assert alone
    for enumerator, name in alone:
        places = find_places(rf"\b({enumerator}|{name})\b")
        assert len(places) <= 3, places


@pytest.mark.parametrize("op", find_rows("dialects/QOpt/IR/QOptLoopOps.td",
                                         r"^def QOpt_(\w+Op) :"))
def test_an_op_of_loops_stands_in_four_files(op):
    """Definition, formula and importer; the fourth is its test."""
    places = find_places(rf"\b(QOpt_)?{op}\b")
    # Operators that are made of it, and what folds sizes, are no part of it.
    own = [path for path in places if not path.startswith("dialects/QOpt/Transforms/")
           and not re.match(r"lib/Import/ONNX/(?!LoopOperators)", path)]
    assert len(own) <= 3, own


@pytest.mark.parametrize("file", ["ActivationOperators", "LossOperators", "WindowOperators"])
def test_an_operator_over_other_ops_stands_in_one_file(file):
    for name in find_rows(f"lib/Import/ONNX/{file}.cpp", r'^ +\{"([\w.]+)", \d+, '):
        assert find_places(rf'\{{"{re.escape(name)}", \d', "lib/Import") == [
            f"lib/Import/ONNX/{file}.cpp"]


@pytest.mark.parametrize("folder, kind, suffix", [
    ("dialects/QOpt/Quantization", "methods", "Rounding"),
    ("lib/Transforms", "transformations", "")])
def test_a_method_is_a_file_and_a_line(folder, kind, suffix):
    lines = (ROOT / folder / "CMakeLists.txt").read_text()
    names = re.search(rf"set\({kind}((?:\s+\w+)+)\)", lines)
    assert names, f"no list of {kind} in {folder}"
    for name in names[1].split():
        assert find_places(rf"\bregister{name}{suffix}\b") == [f"{folder}/{name}{suffix}.cpp"]


def test_a_kernel_is_a_row_of_one_table():
    for folder in ("X86", "Vulkan"):
        table = f"lib/Target/{folder}/Kernels.cpp"
        for name in find_rows(table, r'"", "(\w+\.[\w.-]+)",'):
            assert find_places(rf'"{re.escape(name)}"', f"lib/Target/{folder}") == [table]
