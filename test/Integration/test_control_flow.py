"""Branches and loops in phase files: the artefact has the bits of Reference."""

import numpy as np
import pytest

from qopt_tools import list_tiers, run_ok, run_tool

# A loop whose tensor grows, with captures, and a branch that takes what it made.
GROWING = """
func.func @main(%x: tensor<?x4xf32> {qopt.name = "x", qopt.dims = ["n", ""]},
                %trips: tensor<i64> {qopt.name = "trips"},
                %taken: tensor<i1> {qopt.name = "taken"})
    -> (tensor<?x4xf32> {qopt.name = "y"}, tensor<i64> {qopt.name = "sum"},
        tensor<?x4xf32> {qopt.name = "z"}) {
  %c0 = arith.constant 0 : i64
  %c2 = arith.constant 2 : i64
  %w = qopt.constant(dense<[[0.5, 0.25, -1.0, 0.125], [1.0, -0.5, 0.75, 0.0],
                            [-0.3, 0.1, 0.2, 0.9], [0.6, -0.7, 0.4, -0.1]]>
                     : tensor<4x4xf32>) : tensor<4x4xf32>
  %zero = tensor.from_elements %c0 : tensor<i64>
  %two = qopt.add %x, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %end = tensor.extract %trips[] : tensor<i64>
  %0:2 = scf.for %i = %c0 to %end step %c2
      iter_args(%joined = %x, %sum = %zero) -> (tensor<?x4xf32>, tensor<i64>) : i64 {
    %at = tensor.from_elements %i : tensor<i64>
    %next = qopt.add %sum, %at : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %m = qopt.matmul %joined, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    %t = qopt.tanh %m : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %more = qopt.concat %t, %two {axis = 0 : i64}
      : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    scf.yield %more, %next : tensor<?x4xf32>, tensor<i64>
  }
  %condition = tensor.extract %taken[] : tensor<i1>
  %1 = scf.if %condition -> (tensor<?x4xf32>) {
    %m = qopt.matmul %0#0, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    scf.yield %m : tensor<?x4xf32>
  } else {
    scf.yield %two : tensor<?x4xf32>
  }
  return %0#0, %0#1, %1 : tensor<?x4xf32>, tensor<i64>, tensor<?x4xf32>
}
"""

# ONNX's Loop: trips and a condition; one carried tensor is passed on as it is, two
# are exchanged, and a branch is nested in the body.
CONDITIONAL = """
func.func @main(%a: tensor<?xf32> {qopt.name = "a", qopt.dims = ["n"]},
                %b: tensor<?xf32> {qopt.name = "b", qopt.dims = ["n"]},
                %trips: tensor<i64> {qopt.name = "trips"})
    -> (tensor<?xf32> {qopt.name = "p"}, tensor<?xf32> {qopt.name = "q"},
        tensor<?xf32> {qopt.name = "kept"}, tensor<i64> {qopt.name = "count"}) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %true = arith.constant true
  %last = tensor.extract %trips[] : tensor<i64>
  %limit = qopt.constant(dense<1000.0> : tensor<1xf32>) : tensor<1xf32>
  %shape = qopt.constant(dense<-1> : tensor<1xi64>) : tensor<1xi64>
  %0:5 = scf.while (%i = %c0, %goes = %true, %p = %a, %q = %b, %kept = %a)
      : (i64, i1, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
      -> (i64, i1, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
    %isLeft = arith.cmpi slt, %i, %last : i64
    %both = arith.andi %isLeft, %goes : i1
    scf.condition(%both) %i, %goes, %p, %q, %kept
      : i64, i1, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
  } do {
  ^bb0(%i: i64, %goes: i1, %p: tensor<?xf32>, %q: tensor<?xf32>, %kept: tensor<?xf32>):
    %s = qopt.add %p, %p : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    %m = qopt.reduce %s {axes = array<i64: 0>, kind = #qopt.kind<sum>, keepdims = true}
      : (tensor<?xf32>) -> tensor<1xf32>
    %isLess = qopt.less %m, %limit : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xi1>
    %index = arith.constant 0 : index
    %goesOn = tensor.extract %isLess[%index] : tensor<1xi1>
    %r = scf.if %goesOn -> (tensor<?xf32>) {
      %view = qopt.reshape %s, %shape : (tensor<?xf32>, tensor<1xi64>) -> tensor<?xf32>
      scf.yield %view : tensor<?xf32>
    } else {
      %n = qopt.neg %s : (tensor<?xf32>) -> tensor<?xf32>
      scf.yield %n : tensor<?xf32>
    }
    %next = arith.addi %i, %c1 : i64
    scf.yield %next, %goesOn, %q, %r, %kept
      : i64, i1, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
  }
  %count = tensor.from_elements %0#0 : tensor<i64>
  return %0#2, %0#3, %0#4, %count
    : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<i64>
}
"""


def write_samples(folder, samples):
    paths = []
    for i, sample in enumerate(samples):
        paths.append(folder / f"{i}.npz")
        np.savez(paths[-1], **sample)
    return paths


def check_bits(program, samples, preset, folder, *flags):
    """The artefact against Reference on what `quantize` made, on each tier."""
    source = folder / "import.mlir"
    source.write_text(program)
    quantized, artefact = folder / "quantize.mlir", folder / "model.so"
    run_ok("qopt-compile", "--start-from=import", source, "-o", quantized,
           "--stop-after=quantize", "--preset", preset, "--quiet", *flags)
    run_ok("qopt-compile", "--start-from=quantize", quantized, "-o", artefact, "--quiet",
           "--cpu", ",".join(list_tiers()[1]))
    for sample in write_samples(folder, samples):
        for tier in list_tiers()[1]:
            run_ok("qopt-run", artefact, "--inputs", sample, f"--compare={quantized}",
                   "--atol", 0, "--rtol", 0, environment={"QOPT_CPU": tier})


@pytest.mark.parametrize("preset", ["fp32", "w8a8-dynamic", "mxint8", "w4a16-g32"])
def test_a_loop_that_grows(preset, tmp_path):
    random = np.random.default_rng(3)
    check_bits(GROWING, [
        {"x": random.standard_normal((rows, 4), np.float32), "trips": np.int64(trips),
         "taken": np.bool_(taken)}
        for rows, trips, taken in [(3, 5, True), (1, 0, False), (2, 40, True), (0, 3, False)]
    ], preset, tmp_path)


def test_samples_reach_what_a_loop_runs(tmp_path):
    random = np.random.default_rng(4)
    samples = [{"x": random.standard_normal((2, 4), np.float32), "trips": np.int64(3),
                "taken": np.bool_(i % 2)} for i in range(8)]
    (tmp_path / "calib").mkdir()
    write_samples(tmp_path / "calib", samples)
    check_bits(GROWING, samples[:2], "w8a8", tmp_path, "--calib", tmp_path / "calib")


def test_a_loop_with_a_condition(tmp_path):
    check_bits(CONDITIONAL, [
        {"a": np.arange(1, n + 1, dtype=np.float32), "b": np.ones(n, np.float32),
         "trips": np.int64(trips)}
        for n, trips in [(3, 0), (3, 4), (3, 1 << 40), (0, 2)]
    ], "fp32", tmp_path)


def test_memory_of_an_iteration_is_used_again(tmp_path):
    """20,000 iterations, each of which makes 800 KB: 16 GB."""
    program = CONDITIONAL.replace("dense<1000.0>", "dense<0x7F800000>")
    source, artefact = tmp_path / "import.mlir", tmp_path / "model.so"
    source.write_text(program)
    run_ok("qopt-compile", "--start-from=import", source, "-o", artefact, "--quiet")
    inputs = {"a": np.zeros(100_000, np.float32), "b": np.zeros(100_000, np.float32),
              "trips": np.int64(20_000)}
    sample, = write_samples(tmp_path, [inputs])
    result = run_ok("qopt-run", artefact, "--inputs", sample, "--outputs", tmp_path / "o.npz")
    assert np.load(tmp_path / "o.npz")["count"] == 20_000, result


def test_a_step_of_zero_ends_the_run(tmp_path):
    source, artefact = tmp_path / "import.mlir", tmp_path / "model.so"
    source.write_text("""
      func.func @main(%n: tensor<i64> {qopt.name = "n"}) -> (tensor<i64> {qopt.name = "y"}) {
        %c0 = arith.constant 0 : i64
        %step = tensor.extract %n[] : tensor<i64>
        %0 = scf.for %i = %c0 to %step step %step iter_args(%a = %n) -> (tensor<i64>) : i64 {
          scf.yield %a : tensor<i64>
        }
        return %0 : tensor<i64>
      }""")
    run_ok("qopt-compile", "--start-from=import", source, "-o", artefact, "--quiet")
    sample, = write_samples(tmp_path, [{"n": np.int64(0)}])
    result = run_tool("qopt-run", artefact, "--inputs", sample)
    assert result.returncode == 1
    assert "the step of a loop is not above 0" in result.stderr
