"""Each numbered constraint stands in a description, in a verifier, and in a test that breaks it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# An op, an attribute or a type, the text that kernels share, and what holds for all ops of a dialect.
SUBJECT = re.compile(
    r'^(?:def \w+Op\s*:\s*\w+<"(\w+)"|def \w+(?:Attr|Type)\s*:\s*\w+<"\w+", "(\w+)"|'
    r'def \w+Attr\s*:\s*AttrDef<[^{]*\{\s*let mnemonic = "(\w+)"|'
    r'defvar (kernel)Text\b|def \w+_Dialect\b[^"]*"(\w+)")',
    re.MULTILINE)
NAME = re.compile(r"([a-z]\w*?_c\d+)(?:_\w+)?$")


def read(folder, ending):
    return {path: path.read_text() for path in sorted((ROOT / folder).rglob(f"*{ending}"))}


def find_described():
    found = set()
    for text in read("dialects", ".td").values():
        subjects = list(SUBJECT.finditer(text))
        for subject, after in zip(subjects, [*subjects[1:], None]):
            name = next(filter(None, subject.groups()))
            part = text[subject.end():after.start() if after else len(text)]
            numbers = re.findall(r"^ *- \(C(\d+)\)", part, re.MULTILINE)
            assert numbers == [str(i + 1) for i in range(len(numbers))], name
            found |= {f"{name}_c{number}" for number in numbers}
    return found


def find_verified():
    lines = re.findall(r"^ *// ((?:\w+_c\d+(?:, |$))+)",
                       "\n".join(read("dialects", ".cpp").values()), re.MULTILINE)
    return {name for line in lines for name in line.split(", ")}


def find_tested():
    functions = re.findall(r"func\.func @(\w+)\([^}]*?expected-error",
                           "\n".join(read("test/dialects", ".mlir").values()))
    functions += re.findall(r"expected-error[^\n]*\nfunc\.func private @(\w+)\(",
                            "\n".join(read("test/dialects", ".mlir").values()))
    others = re.findall(r"^ *# (\w+)$",
                        (ROOT / "test/Integration/test_hostile_files.py").read_text(), re.MULTILINE)
    return {match.group(1) for name in [*functions, *others] if (match := NAME.match(name))}


def test_constraints_are_described_verified_and_tested():
    described = find_described()
    assert len(described) > 90
    assert find_verified() == described
    assert find_tested() == described
