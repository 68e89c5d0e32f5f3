"""What scripts/check-device refuses; its checks are tests themselves."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check_device(*arguments, **environment):
    return subprocess.run([ROOT / "scripts" / "check-device", *arguments], check=False,
                          env={**os.environ, "QOPT_BUILD": os.environ.get("QOPT_BUILD", "build"),
                               **environment},
                          capture_output=True, text=True)


def test_a_machine_without_a_device():
    result = check_device(VK_ICD_FILENAMES="/nonexistent.json")
    assert result.returncode == 1
    assert "vulkan vulkan1.2: does not run here: Vulkan cannot be started" in result.stdout
    assert result.stderr == "check-device: no machine of vulkan is here\n"


def test_a_preset_that_is_none():
    result = check_device("--presets", "mxfp4,int3", "--target", "x86-64")
    assert result.returncode == 2
    assert "unknown preset int3" in result.stderr
