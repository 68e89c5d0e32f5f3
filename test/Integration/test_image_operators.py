"""Operators of images and signals, which the importer writes as several ops.

Reference is compared with ONNX Runtime or, where that has no kernel, onnx's evaluator; what is
compiled has the bits of Reference. Dims are known to a run alone but where an operator needs
them.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from qopt_tools import run_arrays, run_ok
from test_loop_operators import Constant, Fixed, build, case, compare, floats, integers

RNG = np.random.default_rng(5)


def regions(count, size):
    first = RNG.uniform(-1, size / 2, (count, 2))
    return np.concatenate([first, first + RNG.uniform(0.2, size, (count, 2))],
                          axis=1).astype(np.float32)


#: The largest error, as a share of the largest value, and cases.
BY_RUNTIME = {
    "RoiAlign": (2e-6, [
        case(16, floats(2, 3, 9, 11), Fixed(regions(6, 9)), integers(0, 2, 6), output_height=3,
             output_width=2, sampling_ratio=ratio, spatial_scale=0.75,
             coordinate_transformation_mode=mode)
        for ratio in (0, 2) for mode in ("half_pixel", "output_half_pixel")] + [
        case(10, floats(1, 2, 8, 8), Fixed(regions(4, 8)), integers(0, 1, 4), output_height=2,
             output_width=2, sampling_ratio=3)]),
    "DeformConv": (2e-6, [
        case(19, Fixed(floats(2, 4, 7, 6), 3), Constant(floats(6, 2, 3, 2)), floats(2, 24, 4, 4),
             Constant(floats(6)), RNG.uniform(0, 1, (2, 12, 4, 4)).astype(np.float32),
             group=2, offset_group=2, strides=[2, 1], pads=[1, 0, 1, 1], dilations=[1, 3]),
        case(19, Fixed(floats(1, 2, 5, 5), 3), Constant(floats(3, 2, 2, 2)), floats(1, 8, 4, 4))]),
    "MaxPool": (0, [
        case(12, floats(2, 3, 9, 8), outputs=2, kernel_shape=[3, 2], strides=[2, 2],
             pads=[1, 0, 1, 1]),
        case(12, floats(1, 2, 7), outputs=2, kernel_shape=[3], dilations=[2]),
        case(12, integers(-9, 9, 1, 1, 6, 7, dtype=np.int8), outputs=2, kernel_shape=[2, 2],
             storage_order=1)]),
    "AveragePool": (2e-6, [
        case(19, floats(2, 3, 9, 8), kernel_shape=[3, 2], dilations=[2, 3], strides=[2, 1],
             pads=[1, 1, 1, 0], count_include_pad=included) for included in (0, 1)]),
    "MaxUnpool": (0, [
        case(11, floats(1, 2, 3, 2), np.argsort(floats(48)).reshape(2, 24)[:, :6].reshape(
            1, 2, 3, 2), kernel_shape=[2, 2], strides=[2, 2])]),
    "AffineGrid": (2e-6, [
        case(20, floats(2, 2, 3), Fixed(np.array([2, 1, 5, 4])), align_corners=aligned)
        for aligned in (0, 1)] + [case(20, floats(1, 3, 4), Constant([1, 1, 2, 3, 4]))]),
    "Det": (2e-6, [case(22, Fixed(floats(3, 2, 4, 4), 2)), case(11, Fixed(floats(2, 2), 2))]),
    # ONNX's signals have an axis of parts; ONNX Runtime takes real ones without it.
    "STFT": (1e-5, [
        case(17, floats(2, 40), np.int64(7), floats(16)),
        case(17, floats(1, 50), np.int64(10), floats(12), np.int64(12), onesided=0)]),
}
BY_EVALUATOR = {
    "Col2Im": (2e-6, [
        case(18, floats(2, 12, 12), Fixed(np.array([6, 7])), Fixed(np.array([2, 3])),
             pads=[0, 1, 1, 0], strides=[2, 1], dilations=[1, 2]),
        case(18, floats(1, 6, 6), Constant([7]), Constant([3]), pads=[1, 0])]),
    "DFT": (2e-6, [
        case(17, Fixed(floats(2, 9, 3, 1)), axis=1), case(17, Fixed(floats(2, 9, 3, 2)), axis=1),
        case(17, Fixed(floats(2, 8, 2)), Constant(np.int64(11)), axis=1, inverse=1),
        case(17, Fixed(floats(2, 8, 1)), np.int64(5), axis=-2, onesided=1),
        case(20, Fixed(floats(2, 3, 8, 1)), np.int64(6), np.int64(1)),
    ]),
}
CASES = [(oracle, name, bound, opset, [row for row in cases if row[0] == opset])
         for oracle, table in (("runtime", BY_RUNTIME), ("evaluator", BY_EVALUATOR))
         for name, (bound, cases) in table.items() for opset in sorted({row[0] for row in cases})]


@pytest.mark.parametrize("oracle, name, bound, opset, cases", CASES,
                         ids=[f"{row[1]}-{row[3]}" for row in CASES])
def test_operator(oracle, name, bound, opset, cases, tmp_path):
    model, feeds = build(name, opset, cases)
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    if oracle == "runtime":
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        expected = session.run(None, feeds)
    else:
        expected = ReferenceEvaluator(model).run(None, feeds)
    reference = run_arrays(path, feeds, tmp_path, "--reference")
    for output, value in zip(model.graph.output, expected):
        compare(reference[output.name], np.asarray(value), bound, output.name)
    run_ok("qopt-compile", path, "-o", tmp_path / "m.so", "--cpu", "native")
    found = run_arrays(tmp_path / "m.so", feeds, tmp_path)
    for output in model.graph.output:
        assert found[output.name].tobytes() == reference[output.name].tobytes(), output.name
