"""Only the folder of a target knows which machine it is for."""

import json
import pathlib
import re

from qopt_tools import ROOT, run_ok

# Folders that take what they know of machines from targets.
FOLDERS = ["lib/Emit", "lib/Pipelines", "lib/Driver", "lib/CAPI", "lib/Calibration",
           "lib/Execution", "lib/Target/Cpu", "include/qopt-c"]
ARCHITECTURES = ["x86", "amd64", "aarch64", "riscv", "cpuid", "avx", "InitializeX"]


def names_of_machines():
    """What targets call themselves and their machines."""
    rows = json.loads(run_ok("qopt-compile", "--list-targets", "--json"))
    return {row[key] for row in rows for key in ("target", "machine")}


def files():
    for folder in FOLDERS:
        for top in (folder, folder.replace("lib/", "include/qopt/")):
            for path in sorted((ROOT / top).rglob("*")):
                if path.suffix in (".h", ".cpp", ".txt"):
                    yield pathlib.Path(path)


def test_no_other_folder_names_a_machine():
    words = re.compile("|".join([re.escape(word) for word in ARCHITECTURES] +
                                [rf"\b{re.escape(name)}\b" for name in names_of_machines()]), re.I)
    found = []
    for path in files():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            # The variable that chooses a device is told of in --help.
            if words.search(line.replace("QOPT_VULKAN_DEVICE", "")):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)
