"""Kernels are emitted by the facts that stand on their ops, not by what constants hold."""

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "lib/Target"

# What looks into a constant.
READS = re.compile(r"\b(constantOf|constantBytes|constantIntegers|elementBytes|readConstant|"
                   r"get(?:All)?KnownIntegers|getConstantIntegers)\(")

# What stores bytes of the artefact or computes dims in the host function. The
# fill value of ConstantOfShape is an attribute of the op.
ALLOWED = {
    "Host/Constants.cpp", "Host/Constants.h", "Host/HostProgram.h", "Host/ProgramMemory.cpp",
    "Vulkan/DeviceProgram.cpp",
}
FILL = "elementBytes(op.getValue())"


def find_readers():
    return {path.relative_to(FOLDER).as_posix()
            for path in FOLDER.rglob("*") if path.suffix in (".h", ".cpp")
            if READS.search(path.read_text().replace(FILL, ""))}


def test_no_kernel_reads_a_constant():
    assert find_readers() <= ALLOWED


def test_the_search_finds_what_it_looks_for():
    assert "Host/ProgramMemory.cpp" in find_readers()
