"""The checks of scripts/check-device.

Tests run as everywhere, but on the device that the system offers and with every
preset. Times are medians of qopt-run --benchmark on one sample of the evaluation
data, the device beside the best tier of the CPU. What is skipped was not checked,
so it fails.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = "digits-mlp,digits-cnn,ppocr-cls"

sys.path.insert(0, str(ROOT / "test" / "models"))
from fetch import UnreachableError
from tasks import prepare


class Check:
    """The tools of a build, and what was found."""

    def __init__(self, build, target, seconds):
        self.build = build
        self.target = target
        self.seconds = seconds
        self.passed = 0
        self.failed = []
        self.environment = {**os.environ, "QOPT_BUILD": str(build), "QOPT_TEST_DEVICE": "1",
                            "PYTHONPATH": str(build / "python")}
        self.environment.setdefault("XDG_RUNTIME_DIR", "/tmp")

    def run(self, tool, *arguments):
        """What a tool prints; None, with what it said, where it fails."""
        result = subprocess.run([self.build / "bin" / tool, *map(str, arguments)], check=False,
                                capture_output=True, text=True, env=self.environment)
        if result.returncode == 0:
            return result.stdout
        print(result.stderr.rstrip())
        return None

    def find_machines(self):
        """Prints what is here; the machines of the target that are."""
        rows = json.loads(self.run("qopt-compile", "--list-targets", "--json"))
        for row in rows:
            print(f"{row['target']} {row['machine']}: "
                  f"{'runs here' if row['runs_here'] else 'does not run here'}"
                  f"{': ' if row['detail'] else ''}{row['detail']}")
        return [row["machine"] for row in rows
                if row["target"] == self.target and row["runs_here"]]

    def run_conformance(self):
        """The unit tests of the target, the conformance programs among them."""
        report = self.build / "device.json"
        report.unlink(missing_ok=True)
        binary = self.build / "unittests" / f"QOptTarget{self.target.capitalize()}Tests"
        code = subprocess.run([binary, f"--gtest_output=json:{report}", "--gtest_brief=1"],
                              env=self.environment, check=False).returncode
        if not report.exists():
            self.failed.append(f"{binary.name}: ended with {code} and no report")
            return
        for suite in json.loads(report.read_text())["testsuites"]:
            for case in suite["testsuite"]:
                is_passed = case["result"] == "COMPLETED" and not case.get("failures")
                self.count(f"{binary.name} {suite['name']}.{case['name']}", is_passed)

    def run_models(self, models, presets):
        """Models against Reference."""
        report = self.build / "device.xml"
        report.unlink(missing_ok=True)
        file = ROOT / "test" / "Integration" / f"test_models_{self.target}.py"
        code = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", file,
             f"--junitxml={report}", "-k", " or ".join(models)],
            env={**self.environment, "QOPT_TEST_PRESETS": ",".join(presets)},
            check=False).returncode
        if not report.exists():
            self.failed.append(f"{file.name}: ended with {code} and no report")
            return
        for case in ElementTree.parse(report).iter("testcase"):
            is_passed = not any(case.find(tag) is not None
                               for tag in ("failure", "error", "skipped"))
            self.count(f"{file.name} {case.get('name')}", is_passed)

    def count(self, name, is_passed):
        if is_passed:
            self.passed += 1
        else:
            self.failed.append(name)

    def measure(self, program, folder, sample, *target):
        """Milliseconds of a run; None where it fails."""
        library = folder / "model.so"
        if self.run("qopt-compile", program, "--start-from", "quantize", "-o", library,
                    "--quiet", *target) is None:
            return None
        printed = self.run("qopt-run", library, "--inputs", sample, "--benchmark", "--json",
                           "--min-time", self.seconds)
        return None if printed is None else json.loads(printed)["median_ms"]

    def run_times(self, models, presets):
        print("| model | preset | device ms | CPU ms | device / CPU |\n|---|---|---|---|---|")
        for model in models:
            try:
                prepared = prepare(model)
            except UnreachableError as error:
                self.failed.append(f"times of {model}: {error}")
                continue
            sample = sorted(prepared.eval.glob("*.npz"))[0]
            for preset in presets:
                self.time_preset(model, prepared, preset, sample)

    def time_preset(self, model, prepared, preset, sample):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            program = folder / "program.mlir"
            if self.run("qopt-compile", prepared.model, "-o", program, "--preset", preset,
                        "--calib", prepared.calib, "--stop-after", "quantize", "--quiet") is None:
                self.failed.append(f"times of {model} {preset}")
                return
            device = self.measure(program, folder, sample, "--target", self.target)
            cpu = self.measure(program, folder, sample)
        self.count(f"times of {model} {preset}", device is not None and cpu is not None)
        if device and cpu:
            print(f"| {model} | {preset} | {device:.3f} | {cpu:.3f} | {device / cpu:.2f} |",
                  flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--target", default="vulkan")
    parser.add_argument("--models", default=MODELS, help=f"separated by commas ({MODELS})")
    parser.add_argument("--presets", help="separated by commas (all)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement (0.5)")
    options = parser.parse_args()
    check = Check(options.build.resolve(), options.target, options.seconds)
    models = options.models.split(",")
    if not check.find_machines():
        print(f"check-device: no machine of {options.target} is here", file=sys.stderr)
        return 1
    known = check.run("qopt-compile", "--list-presets").split()
    presets = options.presets.split(",") if options.presets else known
    if unknown := set(presets) - set(known):
        parser.error(f"unknown preset {min(unknown)}")
    check.run_conformance()
    check.run_models(models, presets)
    check.run_times(models, presets)
    for name in check.failed:
        print(f"failed: {name}")
    print(f"{check.passed} passed, {len(check.failed)} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
