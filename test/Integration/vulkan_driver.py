"""The Vulkan driver of the tests, with the validation layer, and its shaders."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

DRIVER = Path("/usr/share/vulkan/icd.d/lvp_icd.x86_64.json")
_MAGIC = 0x07230203
_ALIGNMENT = 64


def find_environment():
    """What a run needs in its environment; None without a driver. With
    QOPT_TEST_DEVICE it is the device that the system offers, whatever that is."""
    layers = {"VK_INSTANCE_LAYERS": "VK_LAYER_KHRONOS_validation",
              "XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", "/tmp")}
    if os.environ.get("QOPT_TEST_DEVICE") == "1":
        return layers
    driver = os.environ.get("VK_ICD_FILENAMES") or (str(DRIVER) if DRIVER.exists() else None)
    if not driver:
        return None
    return {"VK_ICD_FILENAMES": driver, **layers}


def find_shaders(artefact):
    """The SPIR-V modules in an artefact. What is behind the last instruction of
    one is padding of zeros."""
    data = artefact.read_bytes()
    shaders = []
    for begin in range(0, len(data) - 20, _ALIGNMENT):
        if struct.unpack_from("<I", data, begin)[0] != _MAGIC:
            continue
        end = begin + 20
        while end + 4 <= len(data) and (words := struct.unpack_from("<I", data, end)[0] >> 16):
            end += words * 4
        shaders.append(data[begin:end])
    return shaders


def check_shaders(artefact, folder):
    """Runs spirv-val over each module; their number."""
    validator = shutil.which("spirv-val")
    assert validator, "spirv-val is missing; install spirv-tools"
    shaders = find_shaders(artefact)
    for index, shader in enumerate(shaders):
        path = folder / f"{index}.spv"
        path.write_bytes(shader)
        result = subprocess.run([validator, "--target-env", "vulkan1.2", str(path)],
                                capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"shader {index}: {result.stderr}"
    return len(shaders)
