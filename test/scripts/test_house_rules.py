"""The hooks of .pre-commit-config.yaml find nothing in the tree, and find what they are for."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def read_hooks():
    """The hooks by their names: each is lines of `key: value`, the first one its id."""
    hooks = {}
    for line in (ROOT / ".pre-commit-config.yaml").read_text().splitlines():
        key, colon, value = line.strip().removeprefix("- ").partition(": ")
        if not colon or key.startswith("#"):
            continue
        if value[0] == '"':
            value = json.loads(value)
        elif value[0] == "'":
            value = value[1:-1].replace("''", "'")
        if key == "id":
            hooks[value] = hook = {}
        elif hooks:
            hook[key] = value
    return hooks


HOOKS = read_hooks()


def list_files():
    """What git knows or would add."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("the tree is no clone")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def is_looked_at(hook, name):
    return (re.search(hook.get("files", ""), name)
            and not ("exclude" in hook and re.search(hook["exclude"], name)))


def read_text(path):
    """The text of a file; nothing where its bytes are no text."""
    data = path.read_bytes()
    return "" if b"\0" in data else data.decode(errors="replace")


def find_problems(hook, root, names):
    """What pre-commit would print of the files `names` of the folder `root`."""
    names = [name for name in names if is_looked_at(hook, name)]
    if hook["language"] == "fail":
        return names
    if hook["language"] == "pygrep":
        pattern = re.compile(hook["entry"])
        return [f"{name}:{number}: {line}" for name in names
                for number, line in enumerate(read_text(root / name).splitlines(), 1)
                if pattern.search(line)]
    if not names:
        return []
    # The files follow the words of the entry.
    ran = subprocess.run([*shlex.split(hook["entry"]), *names], cwd=root,
                         capture_output=True, text=True)
    return (ran.stdout + ran.stderr).splitlines() or [hook["entry"]] if ran.returncode else []


@pytest.mark.parametrize("name", HOOKS)
def test_the_tree_keeps_the_rule(name):
    assert not find_problems(HOOKS[name], ROOT, list_files())


BREACHES = {
    "clang-format": ("lib/Support/A.cpp", "int  a;\n"),
    "banner": ("lib/Support/A.cpp", "int a;\n"),
    "no-exit": ("lib/Support/A.cpp", "void f() { exit(1); }\n"),
    "no-assert-false": ("lib/Support/A.cpp", "assert(false);\n"),
    "no-global-options": ("lib/Support/A.cpp", "llvm::cl::opt<bool> a;\n"),
    "no-libm": ("lib/Reference/A.cpp", "float x = std::exp(y);\n"),
    "no-utils": ("lib/Utils/A.cpp", ""),
    "constants": ("lib/Support/A.cpp", "static constexpr int largest = 4;\n"),
    "python-includes": ("python/qopt/A.cpp", '#include "qopt/Support/Npz.h"\n'),
    "todo": ("lib/Support/A.cpp", "// TO" + "DO: later\n"),
    "trailing-space": ("docs/a.md", "text \n"),
}


@pytest.mark.parametrize("name", HOOKS)
def test_the_rule_sees_a_breach(name, tmp_path):
    file, text = BREACHES[name]
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text)
    assert find_problems(HOOKS[name], tmp_path, [file])


def test_test_folders_mirror_the_code():
    """A test stands where the code stands; some are of programs, or of what no folder is for."""
    folders = {Path(name).parent for name in list_files()
               if name.startswith("test/") and re.search(r"(Test\.cpp|\.mlir)$", name)}
    for folder in folders - {Path("test/Target/Conformance"), Path("test/Target/Example")}:
        inner = folder.relative_to("test")
        code = inner if inner.parts[0] == "dialects" else "lib" / inner
        assert (ROOT / code).is_dir(), f"{folder}: there is no {code}"
