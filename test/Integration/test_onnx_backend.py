"""The conformance cases of the `onnx` package, through Reference and compiled.

`onnx_backend_expected.txt` has a line for each case that does not pass and says why; it is held
up to date in both directions. Sampled here; with QOPT_TEST_FULL=1, all of them.
"""

import zlib

from backend_cases import ROUNDED, load_cases, read_expected, run_cases
from qopt_tools import IS_FULL

#: One case of so many. All that fits runs the reference evaluator alone, which is quick.
SHARE = 1 if IS_FULL else 40


def is_drawn(name):
    return zlib.crc32(name.encode()) % SHARE == 0


def list_surprises(ends, expected):
    """Cases that end otherwise than the list says."""
    worse = [f"{name}: {end}" for name, end in ends.items()
             if end != "passes" and name not in expected]
    better = [f"{name} passes" for name, end in ends.items()
              if end == "passes" and name in expected]
    other = [f"{name}: {end}" for name, end in ends.items()
             if name in expected and name not in ROUNDED and end != "passes"
             and end.split(":")[0] != expected[name].split(":")[0]]
    return worse + better + other


def test_reference():
    cases = load_cases()
    expected = {name: end for name, end in read_expected().items()
                if not end.startswith("compiled")}
    ends = run_cases(cases, is_compiled=False)
    assert not list_surprises(ends, expected)
    assert expected.keys() <= ends.keys()
    passed = sum(end == "passes" for end in ends.values())
    assert passed >= 1450, f"{passed} of {len(ends)} cases pass"


def test_compiled():
    cases = [case for case in load_cases() if is_drawn(case.name)]
    assert len(cases) >= 30
    assert not list_surprises(run_cases(cases), read_expected())


def test_nothing_is_wrong():
    """A case that does not pass is refused in words, but for those that say why they differ."""
    for name, end in read_expected().items():
        kind = end.removeprefix("compiled: ").split(":")[0]
        assert kind == "refused" or ROUNDED.get(name) == end, f"{name}: {end}"
