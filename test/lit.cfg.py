"""Configuration of the lit suite: .mlir and .test files under test/."""
import os

import lit.formats

config.name = "qopt"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".mlir", ".test"]
# Read by the unit tests of the targets.
config.excludes = ["programs.mlir"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.qopt_binary_dir, "test")
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.qopt_binary_dir, "bin"), config.llvm_tools_dir,
     config.environment["PATH"]])
