"""The commands that the documents tell users to run."""

import os
import re
import subprocess
import sys

import pytest

from qopt_tools import BUILD, ROOT

DOCUMENTS = ["README.md", "docs/Guides/compile-a-model.md", "docs/Guides/write-a-pass-test.md",
             "docs/Guides/add-a-kernel.md", "docs/Guides/add-a-target.md"]
TOOLS = re.compile(r"(\S*/)?(qopt-\w+|lit|cmake) ")


def find_all_blocks(document):
    """The fenced texts, each with what its fence says, without indentation."""
    blocks, opened = [], None
    for line in (ROOT / document).read_text().splitlines():
        fence = line.strip()
        if opened is None and fence.startswith("```"):
            opened, lines, indent = fence.removeprefix("```"), [], line.index("`")
        elif opened is not None and fence == "```":
            blocks.append((opened, "".join(text + "\n" for text in lines)))
            opened = None
        elif opened is not None:
            lines.append(line[indent:])
    return blocks


@pytest.fixture
def folder(tmp_path):
    """What the documents take as given: the repository with a build."""
    for name in ("test", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    # A folder of its own: a guide builds into it.
    (tmp_path / "build").mkdir()
    for entry in BUILD.iterdir():
        (tmp_path / "build" / entry.name).symlink_to(entry)
    return tmp_path


def find_steps(document):
    """What the document runs, in its order: commands, files to write, Python."""
    for opened, text in find_all_blocks(document):
        if opened == "python":
            yield "python", text
        elif opened.startswith("mlir title="):
            yield opened.removeprefix("mlir title="), text
        elif opened == "":
            for line in text.splitlines():
                command = line.removeprefix("$ ")
                if TOOLS.match(command):
                    yield "command", command


def run_step(kind, text, folder):
    path = f"{BUILD / 'bin'}{os.pathsep}{os.environ['PATH']}"
    program = [sys.executable, "-c", text] if kind == "python" else ["sh", "-c", text]
    result = subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=300,
                            check=False, env={**os.environ, "PATH": path,
                                              "PYTHONPATH": str(BUILD / "python")})
    assert result.returncode == 0, f"{text}\n{result.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_the_document_runs(document, folder):
    steps = list(find_steps(document))
    assert sum(kind == "command" for kind, _ in steps) >= 3
    for kind, text in steps:
        if kind in ("command", "python"):
            run_step(kind, text, folder)
        else:
            (folder / kind).write_text(text)


def test_cases_of_the_guide_are_those_of_the_tests():
    cases = "".join((ROOT / "test" / "dialects" / "QOpt" / name).read_text()
                    for name in ("Transforms/decompose-gemm.mlir", "IR/invalid.mlir"))
    blocks = [text for opened, text in find_all_blocks("docs/Guides/write-a-pass-test.md")
              if opened == "mlir"]
    assert len(blocks) == 3
    for block in blocks:
        for line in block.splitlines():
            assert line in cases


def read_hooks(header):
    """The hooks of an interface, in their order."""
    text = (ROOT / "dialects" / "QOpt" / "Quantization" / header).read_text()
    return re.findall(r"virtual [^;{]*?(\w+)\([^;{]*\) const", text)


def test_the_guide_of_methods_tells_every_hook():
    """And says them in the order of the interface."""
    guide = (ROOT / "docs" / "Guides" / "add-a-method.md").read_text()
    tables = [re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)
              for part in guide.split("\n## ")[1:3]]
    assert tables[0] == read_hooks("RoundingMethod.h")
    assert tables[1] == [name for name in read_hooks("Transformation.h") if name != "isOn"]


def test_paths_of_the_documents_are_there():
    for document in [*DOCUMENTS, "docs/Guides/add-an-op.md", "docs/Guides/add-a-method.md",
                     "docs/report.md", "CONTRIBUTING.md"]:
        text = (ROOT / document).read_text()
        folder = (ROOT / document).parent
        prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
        for path in re.findall(r"\]\((?!http)([^)#]+)\)", prose):
            assert (folder / path).exists(), f"{document}: {path}"
        for path in re.findall(r"`((?:lib|dialects|test|docs|include|examples|scripts)/[\w./-]+)`",
                               text):
            assert (ROOT / path).exists(), f"{document}: {path}"
