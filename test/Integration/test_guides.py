"""The commands that the documents tell users to run."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from qopt_tools import BUILD, ROOT, run_ok

DOCUMENTS = ["README.md", "docs/Guides/compile-a-model.md", "docs/Guides/write-a-pass-test.md",
             "docs/Guides/add-a-target.md"]
TOOLS = re.compile(r"(\S*/)?(qopt-\w+|lit|cmake) ")


def find_blocks(document, language):
    """The fenced texts of a language, which may have a title, without indentation."""
    blocks, opened = [], None
    for line in (ROOT / document).read_text().splitlines():
        fence = line.strip()
        if opened is None and fence.startswith("```"):
            opened, lines, indent = fence.removeprefix("```"), [], line.index("`")
        elif opened is not None and fence == "```":
            if opened == language:
                blocks.append("".join(text + "\n" for text in lines))
            opened = None
        elif opened is not None:
            lines.append(line[indent:])
    return blocks


def find_commands(document):
    lines = [line.removeprefix("$ ") for block in find_blocks(document, "")
             for line in block.splitlines()]
    return [line for line in lines if TOOLS.match(line)]


@pytest.fixture
def folder(tmp_path):
    """What the documents take as given."""
    for name in ("test", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    # A folder of its own: a guide builds into it.
    (tmp_path / "build").mkdir()
    for entry in BUILD.iterdir():
        (tmp_path / "build" / entry.name).symlink_to(entry)
    model = ROOT / "test" / "models" / "digits-cnn.onnx"
    (tmp_path / "model.onnx").symlink_to(model)
    images = np.random.default_rng(3).random((4, 1, 8, 8), np.float32)
    np.savez(tmp_path / "in.npz", x=images)
    run_ok("qopt-run", model, "--reference", "--inputs", tmp_path / "in.npz",
           "--outputs", tmp_path / "expected.npz")
    (tmp_path / "samples").mkdir()
    for i in range(4):
        np.savez(tmp_path / "samples" / f"{i}.npz", x=images[i:i + 1])
    return tmp_path


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands(document, folder):
    commands = find_commands(document)
    assert len(commands) >= 3
    for name in re.findall(r"^```mlir title=(\S+)$", (ROOT / document).read_text(), re.MULTILINE):
        text, = find_blocks(document, f"mlir title={name}")
        (folder / name).write_text(text)
    path = f"{BUILD / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        result = subprocess.run(command, shell=True, cwd=folder, capture_output=True,
                                text=True, timeout=300, check=False,
                                env={**os.environ, "PATH": path})
        assert result.returncode == 0, f"{command}\n{result.stderr}"


def test_cases_of_the_guide_are_those_of_the_tests():
    cases = "".join((ROOT / "test" / "dialects" / "QOpt" / name).read_text()
                    for name in ("Transforms/decompose-gemm.mlir", "IR/invalid.mlir"))
    blocks = find_blocks("docs/Guides/write-a-pass-test.md", "mlir")
    assert len(blocks) == 3
    for block in blocks:
        for line in block.splitlines():
            assert line in cases


def test_python_of_the_readme(folder):
    code, = find_blocks("README.md", "python")
    result = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True,
                            text=True, timeout=300, check=False,
                            env={**os.environ, "PYTHONPATH": str(BUILD / "python")})
    assert result.returncode == 0, result.stderr


def test_paths_of_the_documents_are_there():
    for document in [*DOCUMENTS, "docs/Guides/add-an-op.md", "docs/report.md", "CONTRIBUTING.md"]:
        text = (ROOT / document).read_text()
        folder = (ROOT / document).parent
        for path in re.findall(r"\]\((?!http)([^)#]+)\)", text):
            assert (folder / path).exists(), f"{document}: {path}"
        for path in re.findall(r"`((?:lib|dialects|test|docs|include|examples|scripts)/[\w./-]+)`",
                               text):
            assert (ROOT / path).exists(), f"{document}: {path}"
