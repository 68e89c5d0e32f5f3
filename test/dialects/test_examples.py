"""The example in each op's description parses, verifies, and is printed as it was read."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("QOPT_BUILD", ROOT / "build"))
LLVM_BIN = Path("/usr/lib/llvm-22/bin")
DIALECTS = ["QOpt", "QKernel"]
VALUE = re.compile(r"%[\w$.]+")


def find_sections(dialect):
    """The name of each op, with what its reference page says."""
    page = subprocess.run(
        [LLVM_BIN / "mlir-tblgen", "-gen-dialect-doc", f"-dialect={dialect.lower()}",
         f"-I{ROOT}", f"-I{LLVM_BIN.parent / 'include'}", ROOT / "docs" / f"{dialect}.td"],
        check=True, capture_output=True, text=True).stdout
    parts = re.split(r"^### `(\w+\.\w+)`.*\n", page, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))


def find_example(section):
    match = re.search(r"^Example:\n\n```mlir\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return match and match.group(1)


def split_at(text, mark):
    """The text before the first `mark` that no bracket holds, and what follows it."""
    depth = 0
    for i, letter in enumerate(text):
        if depth == 0 and letter == mark:
            return text[:i], text[i + 1:]
        depth += (letter in "<({[") - (letter in ">)}]")
    return text, ""


def split_types(text):
    while text:
        spelled, text = split_at(text, ",")
        yield spelled.strip()


def find_arguments(example):
    """The values that the example takes as given, with the types that their first uses say."""
    given = {}
    for use in re.finditer(r"\bq(?:opt|kernel)\.\w+(?=[( ])", example):
        operands, types = split_at(example[use.end():], ":")
        listed = re.match(r"\s*\((.*?)\) ->", types) or re.match(r"\s*(.*)", types)
        for value, spelled in zip(VALUE.findall(operands), split_types(listed.group(1))):
            given.setdefault(value, spelled)
    results = " ".join(re.findall(r"^ *(%.*?) = ", example, re.MULTILINE))
    defined = VALUE.findall(results) + re.findall(r"(%[\w$.]+): ", example)
    return {value: spelled for value, spelled in given.items() if value not in defined}


SECTIONS = [section for dialect in DIALECTS for section in find_sections(dialect)]
PER_OP = pytest.mark.parametrize("name,section", SECTIONS, ids=[name for name, _ in SECTIONS])


def run_opt(program):
    """What is printed of a program, whose types are checked as those of a file."""
    result = subprocess.run([BUILD / "bin" / "qopt-opt", "-"], input=program,
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{program}\n{result.stderr}"
    return result.stdout


@PER_OP
def test_example_is_read_and_printed(name, section):
    example = find_example(section)
    assert example, f"the description of {name} has no example"
    assert re.search(rf"\b{re.escape(name)}\b", example)
    program = example
    if "func.func" not in example:
        given = ", ".join(f"{value}: {of}" for value, of in find_arguments(example).items())
        program = f"func.func @main({given}) {{\n{example}  return\n}}\n"
    printed = run_opt(program)
    assert name in printed
    assert run_opt(printed) == printed


def test_all_ops_are_in_the_reference():
    assert len(SECTIONS) > 75


@PER_OP
def test_shared_texts_are_in_the_reference(name, section):
    # TableGen pastes the name of a variable where `#` is in front of it.
    assert not re.search(r"\b[a-z]+Text\b", section), name
