"""Folders include only what stands below them, and the check of it sees more."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import check_includes


def test_all_includes_point_downwards():
    assert check_includes.find_problems() == []


def test_the_rules_name_no_folder_that_is_not_there():
    for name in check_includes.RULES:
        if name not in ("InitAll", "lib/Target/*"):
            assert (ROOT / name).is_dir(), name


def test_the_rules_go_in_no_circle():
    assert check_includes.find_circle({"a": ["b"], "b": ["c"], "c": ["a"]}) == [
        "a", "b", "c", "a"]


@pytest.fixture
def find_in(tmp_path):
    """What is wrong with a project of one file that includes another."""

    def find(file, include, known=()):
        path = tmp_path / file
        path.parent.mkdir(parents=True)
        path.write_text(f'// Text.\n#include "{include}"\n')
        return check_includes.find_problems(tmp_path, known)

    return find


UPWARDS = [
    ("dialects/QOpt/Transforms/A.cpp", "qopt/Reference/Interpreter.h", "lib/Reference"),
    ("include/qopt/Target/A.h", "qopt/Emit/EmitObject.h", "lib/Emit"),
    ("lib/Target/X86/A.cpp", "qopt/Target/Vulkan/VulkanBackend.h", "lib/Target/*"),
    ("lib/Pipelines/A.cpp", "qopt/Target/X86/X86Backend.h", "lib/Target/*"),
    # Who lists the machines does not hand them on.
    ("lib/Driver/A.cpp", "qopt/Target/X86/X86Backend.h", "lib/Target/*"),
    ("lib/Runtime/A.cpp", "qopt/Support/Npz.h", "lib/Support"),
    ("python/qopt/A.cpp", "qopt/Pipelines/Compiler.h", "lib/Pipelines"),
    ("python/qopt/A.cpp", "qopt-runtime/qopt_model.h", "include/qopt-runtime"),
    ("dialects/QOpt/IR/A.td", "dialects/QKernel/IR/QKernelOps.td", "dialects/QKernel/IR"),
]


@pytest.mark.parametrize("file, include, folder", UPWARDS)
def test_an_include_upwards_is_told_of(find_in, file, include, folder):
    problem, = find_in(file, include)
    assert problem.startswith(f'{file}:2: #include "{include}": ')
    assert problem.endswith(f", but not {folder}")


DOWNWARDS = [
    ("lib/Transforms/A.cpp", "qopt/Reference/Interpreter.h"),
    ("lib/Calibration/A.cpp", "dialects/QOpt/IR/QOptOps.h"),
    ("lib/Target/X86/A.cpp", "lib/Target/Cpu/Kernels.h"),
    ("lib/Target/X86/A.cpp", "qopt/Target/X86/X86Backend.h"),
    ("lib/Driver/A.cpp", "qopt/InitAllTargets.h"),
    ("include/qopt/InitAllTargets.h", "qopt/Target/X86/X86Backend.h"),
    ("lib/Import/ONNX/A.cpp", "mlir/IR/Builders.h"),
]


@pytest.mark.parametrize("file, include", DOWNWARDS)
def test_an_include_downwards_is_not(find_in, file, include):
    assert find_in(file, include) == []


def test_a_folder_without_a_rule_is_told_of(find_in):
    problem, = find_in("lib/Utils/A.cpp", "qopt/Support/Npz.h")
    assert "no rule names the folder of lib/Utils/A.cpp" in problem


def test_what_is_known_is_taken_out_when_it_is_gone(find_in):
    file = "lib/Target/A.cpp"
    assert find_in(file, "qopt/Emit/EmitObject.h", [(file, "lib/Emit")]) == []


def test_an_exception_that_no_file_needs_is_told_of(find_in):
    problem, = find_in("lib/Target/A.cpp", "qopt/Support/Npz.h", [("lib/Target/A.cpp", "lib/Emit")])
    assert problem.endswith("take it out")
