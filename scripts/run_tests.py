"""Runs the lit, unit and Python tests of a build and prints one sum.

Exit code 0 when every test passed, 1 otherwise. Tests that need what this
machine lacks are listed with their reasons.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Sum:
    """Counts of one suite, and the names of what failed or was skipped."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []


def run_lit(build, total):
    report = build / "lit.json"
    report.unlink(missing_ok=True)
    command = [
        "/usr/lib/llvm-22/bin/lit", "-q", "--output", str(report),
        str(build / "test")
    ]
    subprocess.run(command, check=False)
    if not report.exists():
        total.failed.append("lit: no report was written")
        return
    for test in json.loads(report.read_text())["tests"]:
        if test["code"] in ("PASS", "XFAIL"):
            total.passed += 1
        elif test["code"] == "UNSUPPORTED":
            total.skipped.append(f"lit {test['name']}: a feature is missing")
        else:
            total.failed.append(f"lit {test['name']}: {test['code']}")


def run_unit(build, total):
    for binary in sorted((build / "unittests").glob("*Tests")):
        failed_before = len(total.failed)
        report = build / f"{binary.name}.json"
        report.unlink(missing_ok=True)
        result = subprocess.run(
            [str(binary), f"--gtest_output=json:{report}", "--gtest_brief=1"],
            check=False)
        if not report.exists():
            total.failed.append(
                f"{binary.name}: ended with {result.returncode} and no report")
            continue
        for suite in json.loads(report.read_text())["testsuites"]:
            for case in suite["testsuite"]:
                name = f"{binary.name} {suite['name']}.{case['name']}"
                if case.get("failures"):
                    total.failed.append(name)
                elif case["result"] == "SKIPPED":
                    total.skipped.append(f"{name}: skipped by the test")
                else:
                    total.passed += 1
        if result.returncode and len(total.failed) == failed_before:
            total.failed.append(f"{binary.name}: exit code {result.returncode}")


def run_pytest(build, total):
    report = build / "pytest.xml"
    report.unlink(missing_ok=True)
    environment = dict(os.environ)
    environment["QOPT_BUILD"] = str(build)
    environment["PYTHONPATH"] = str(build / "python")
    result = subprocess.run([
        sys.executable, "-m", "pytest", "-q", "-rs", f"--junitxml={report}",
        "-p", "no:cacheprovider", str(ROOT / "test")
    ], env=environment, check=False)
    if result.returncode == 5:
        return
    if not report.exists():
        total.failed.append("pytest: no report was written")
        return
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"pytest {case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            total.failed.append(name)
        elif skipped is not None:
            total.skipped.append(f"{name}: {skipped.get('message')}")
        else:
            total.passed += 1


def find_missing_tiers(build):
    """Tiers of this CPU's family that the machine cannot run."""
    listing = subprocess.run([str(build / "bin" / "qopt-compile"), "--list-targets"],
                             capture_output=True, text=True, check=True).stdout
    return [line.split(":")[0] for line in listing.splitlines()
            if line.startswith("x86-64 ") and "runs here" not in line]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    build = parser.parse_args().build.resolve()
    total = Sum()
    run_lit(build, total)
    run_unit(build, total)
    run_pytest(build, total)
    for name in total.skipped:
        print(f"not executed: {name}")
    for tier in find_missing_tiers(build):
        print(f"not executed: code of {tier}, whose instructions this machine lacks (it was "
              "generated and read as text; AMX tiles were emulated where AVX-512 is)")
    for name in total.failed:
        print(f"failed: {name}")
    print(f"{total.passed} passed, {len(total.failed)} failed, "
          f"{len(total.skipped)} skipped")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
