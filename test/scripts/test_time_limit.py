"""What hangs is shown and ended; what it hung goes on."""

import io
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import time_limit

FOREVER = 1000
SHORT = 0.5

START_AND_GO_ON = """
import subprocess
raise SystemExit(subprocess.run(["sh", "-c", "sleep 1000; exit 7"]).returncode)
"""

FORK_AND_JOIN = """
import multiprocessing, time
worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(2,))
worker.start()
worker.join()
raise SystemExit(worker.exitcode)
"""


@pytest.fixture(autouse=True)
def look_often(monkeypatch):
    monkeypatch.setattr(time_limit, "POLL_SECONDS", 0.1)


def run(program, limit, limit_of_started):
    output = io.StringIO()
    code, ended = time_limit.run([sys.executable, "-c", program], limit, limit_of_started,
                                 output=output)
    return code, ended, output.getvalue()


def test_what_ends_in_time_is_left_alone():
    assert run("raise SystemExit(3)", FOREVER, FOREVER) == (3, [], "")


def test_a_command_goes_on_when_its_tool_is_ended():
    code, ended, text = run(START_AND_GO_ON, FOREVER, SHORT)
    assert code == 7
    assert ended == ["sleep 1000: not done after 0.5 s"]
    assert text.startswith("time limit: sleep 1000 is not done after 0.5 s; its stacks:\n")
    assert "nanosleep" in text


def test_a_command_that_hangs_is_ended_with_what_it_started():
    code, ended, text = run(START_AND_GO_ON, SHORT, FOREVER)
    assert code == -9
    assert len(ended) == 1 and ended[0].endswith("not done after 0.5 s")
    assert "sleep 1000 is not done" in text


def test_copies_of_the_command_have_its_limit():
    assert run(FORK_AND_JOIN, FOREVER, SHORT) == (0, [], "")


def test_without_a_debugger_the_kernel_says_where_it_waits(monkeypatch):
    monkeypatch.setattr(time_limit, "DEBUGGERS", [["no-such-debugger"]])
    text = run("import time; time.sleep(1000)", SHORT, FOREVER)[2]
    assert "comm: python" in text
