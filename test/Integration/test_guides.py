"""The commands that the documents tell users to run."""

import os
import re
import subprocess

import numpy as np
import pytest

from qopt_tools import BUILD, ROOT, run_ok

DOCUMENTS = ["README.md", "docs/Guides/compile-a-model.md"]


def find_commands(document):
    text = (ROOT / document).read_text()
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.split()[0].split("/")[-1].startswith("qopt-")]


@pytest.fixture
def folder(tmp_path):
    """What the documents take as given."""
    (tmp_path / "test").symlink_to(ROOT / "test")
    (tmp_path / "build").symlink_to(BUILD)
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
    path = f"{BUILD / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        result = subprocess.run(command, shell=True, cwd=folder, capture_output=True,
                                text=True, timeout=300, check=False,
                                env={**os.environ, "PATH": path})
        assert result.returncode == 0, f"{command}\n{result.stderr}"
