"""Runs the lit, unit and Python tests of a build and prints one sum.

Exit code 0 when every test passed, 1 otherwise. Tests that need what this
machine lacks are listed with their reasons. What hangs is ended, after its
stacks are printed, and counts as failed; the rest goes on. With --full nothing
is sampled, and a second round, which is, runs the code of the least demanding
tier. With --assertions a last round runs the tests of a build that has
QOPT_ASSERTIONS.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import time_limit

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Sum:
    """Counts of all suites, and the names of what failed or was skipped."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []


class Round:
    """One run of the suites: its environment, its limits, its part of the sum."""

    def __init__(self, build, total, environment, full, title=""):
        self.build = build
        self.total = total
        self.title = title or " ".join(f"{name}={value}" for name, value in environment.items())
        self.environment = {**os.environ, "QOPT_BUILD": str(build),
                            "PYTHONPATH": str(build / "python"), **environment}
        # Seconds, several times what the slowest takes on two busy cores.
        self.tool_limit = 3600 if full else 600
        self.suite_limit = 12 * 3600 if full else 1800

    def run(self, *command, file=None):
        """The exit code, None for what was ended for its time and counts as failed. With
        `file` all that is printed goes there.
        """
        code, ended = time_limit.run(command, self.suite_limit, self.tool_limit,
                                     self.environment, output=file or sys.stdout, stdout=file)
        for what in ended:
            self.fail(what)
        return None if ended else code

    def describe(self, name):
        return f"{name} [{self.title}]" if self.title else name

    def fail(self, name):
        self.total.failed.append(self.describe(name))

    def skip(self, name):
        self.total.skipped.append(self.describe(name))


def run_all(suites):
    run_lit(suites)
    run_unit(suites)
    run_pytest(suites)


def run_lit(suites):
    report = suites.build / "lit.json"
    report.unlink(missing_ok=True)
    suites.run("/usr/lib/llvm-22/bin/lit", "-q", "--output", report, suites.build / "test")
    if not report.exists():
        suites.fail("lit: no report was written")
        return
    for test in json.loads(report.read_text())["tests"]:
        if test["code"] in ("PASS", "XFAIL"):
            suites.total.passed += 1
        elif test["code"] == "UNSUPPORTED":
            suites.skip(f"lit {test['name']}: a feature is missing")
        else:
            suites.fail(f"lit {test['name']}: {test['code']}")


def run_unit(suites):
    for binary in sorted((suites.build / "unittests").glob("*Tests")):
        failed_before = len(suites.total.failed)
        report = suites.build / f"{binary.name}.json"
        report.unlink(missing_ok=True)
        code = suites.run(binary, f"--gtest_output=json:{report}", "--gtest_brief=1")
        if not report.exists():
            suites.fail(f"{binary.name}: ended with {code} and no report")
            continue
        for suite in json.loads(report.read_text())["testsuites"]:
            for case in suite["testsuite"]:
                name = f"{binary.name} {suite['name']}.{case['name']}"
                if case.get("failures"):
                    suites.fail(name)
                elif case["result"] == "SKIPPED":
                    suites.skip(f"{name}: skipped by the test")
                else:
                    suites.total.passed += 1
        if code and len(suites.total.failed) == failed_before:
            suites.fail(f"{binary.name}: exit code {code}")


def run_pytest(suites):
    """Each file in a process of its own, so that one that hangs ends alone, and two at a
    time: most of a file's time is that of tools with one thread.
    """
    paths = sorted((ROOT / "test").rglob("test_*.py"))
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as executor:
        codes = executor.map(lambda path: run_python_file(suites, path), paths)
        for path, code in zip(paths, codes):
            count_python_file(suites, path, code)


def find_report(suites, path):
    return suites.build / "pytest" / f"{path.stem}.xml"


def run_python_file(suites, path):
    """The exit code; what the file printed is printed when it is done, in one piece."""
    report = find_report(suites, path)
    report.unlink(missing_ok=True)
    with tempfile.TemporaryFile("w+") as printed:
        code = suites.run(sys.executable, "-m", "pytest", "-q", "-rs", f"--junitxml={report}",
                          "-p", "no:cacheprovider", "--rootdir", ROOT,
                          "-o", f"faulthandler_timeout={suites.tool_limit}", path, file=printed)
        printed.seek(0)
        print(f"{path.relative_to(ROOT)}\n{printed.read()}", end="", flush=True)
    return code


def count_python_file(suites, path, code):
    report, name = find_report(suites, path), path.relative_to(ROOT)
    if not report.exists():
        suites.fail(f"{name}: ended with {code} and no report")
        return
    has_failed = False
    for case in ElementTree.parse(report).iter("testcase"):
        test = f"pytest {case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            has_failed = True
            suites.fail(test)
        elif skipped is not None:
            suites.skip(f"{test}: {skipped.get('message')}")
        else:
            suites.total.passed += 1
    if code and not has_failed:
        suites.fail(f"{name}: exit code {code}")


def list_machines(build):
    """What qopt-compile says of each machine, the least demanding of a CPU first."""
    listing = subprocess.run([str(build / "bin" / "qopt-compile"), "--list-targets", "--json"],
                             capture_output=True, text=True, check=True).stdout
    return json.loads(listing)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--full", action="store_true", help="sample nothing; takes hours")
    parser.add_argument("--assertions", type=pathlib.Path,
                        help="a build with QOPT_ASSERTIONS, tested in the end")
    options = parser.parse_args()
    build = options.build.resolve()
    total = Sum()
    first = Round(build, total, {"QOPT_TEST_FULL": "1"} if options.full else {}, options.full)
    run_all(first)
    if options.full:
        least = list_machines(build)[0]["machine"]
        second = Round(build, total, {"QOPT_CPU": least}, options.full)
        run_unit(second)
        run_pytest(second)
    if options.assertions:
        run_all(Round(options.assertions.resolve(), total, {}, options.full, "QOPT_ASSERTIONS"))
    for name in total.skipped:
        print(f"not executed: {name}")
    for row in list_machines(build):
        if not row["runs_here"]:
            print(f"not executed: code for {row['target']} {row['machine']}: {row['detail']}")
    for name in total.failed:
        print(f"failed: {name}")
    print(f"{total.passed} passed, {len(total.failed)} failed, "
          f"{len(total.skipped)} skipped")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
