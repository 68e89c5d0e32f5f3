#!/usr/bin/env python3
"""Random models: the compiler, the reference evaluator and ONNX Runtime must agree.

    fuzz_graphs.py --seed 0 --count 1000 --jobs 2 --keep DIR
    fuzz_graphs.py --check DIR/seed-17/small
    fuzz_graphs.py --coverage --count 1000

A seed makes the same case every time. A failure prints its seed and a shrunken model; `--keep`
keeps both cases. `--coverage` counts what the cases hold and says what none has.
Needs QOPT_BUILD and the package of that build on PYTHONPATH.
"""

import argparse
import collections
import shutil
import sys
import tempfile
import time
from pathlib import Path

from fuzz_cases import generate
from fuzz_coverage import measure_coverage
from fuzz_oracles import check_cases, strip
from fuzz_shrink import Shrinker, copy_case, describe_model
from fuzz_workers import Pool
from qopt_tools import list_tiers


class Statistics:
    """Counts of a run, and its failures by kind."""

    def __init__(self):
        self.start = time.monotonic()
        self.compared = 0
        self.refusals = collections.defaultdict(list)
        self.failures = {}

    def add(self, seed, outcome):
        if outcome.failure:
            self.failures.setdefault(outcome.failure.kind, []).append(seed)
        elif outcome.refusal:
            self.refusals[strip(outcome.refusal)].append(seed)
        else:
            self.compared += 1

    def write(self):
        failed = sum(len(seeds) for seeds in self.failures.values())
        refused = sum(len(seeds) for seeds in self.refusals.values())
        print(f"{self.compared + refused + failed} cases in {time.monotonic() - self.start:.0f} s: "
              f"{self.compared} agree, {refused} refused, {failed} failed", flush=True)


def keep(seed, failure, tiers, folder, shrinks):
    """Writes the case of a failing seed and a smaller one."""
    whole = folder / f"seed-{seed}"
    shutil.rmtree(whole, ignore_errors=True)
    generate(seed, whole, tiers)
    (whole / "failure.txt").write_text(f"{failure.kind}\n{failure.detail}\n")
    if not shrinks:
        return whole
    small = whole / "small"
    scratch = Path(tempfile.mkdtemp(dir=folder))
    copy_case(whole, scratch / "best")
    Shrinker(scratch / "best", scratch / "trial", failure.kind).run()
    copy_case(scratch / "best", small)
    shutil.rmtree(scratch)
    return small


def fuzz(seeds, jobs, folder, shrinks=True, most_per_kind=3):
    """Checks the cases of `seeds`; the statistics of the run."""
    _, tiers = list_tiers()
    statistics = Statistics()
    with tempfile.TemporaryDirectory() as scratch:
        for seed, style, outcome in Pool(seeds, jobs, tiers, scratch).run():
            statistics.add(seed, outcome)
            if outcome.failure:
                print(f"seed {seed} ({style}): {outcome.failure.kind}\n  "
                      f"{outcome.failure.detail[-600:]}", flush=True)
                kept = len(statistics.failures[outcome.failure.kind])
                if kept <= most_per_kind:
                    small = keep(seed, outcome.failure, tiers, folder, shrinks)
                    print(f"  {small}\n{describe_model(small)}", flush=True)
    return statistics


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for failing cases")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--check", type=Path, help="check a kept case instead")
    parser.add_argument("--coverage", action="store_true", help="compile nothing, count")
    options = parser.parse_args()
    seeds = list(range(options.seed, options.seed + options.count))
    if options.coverage:
        measure_coverage(seeds).write()
        return 0
    if options.check:
        outcome, = check_cases([options.check], options.check)
        print(outcome)
        return 1 if outcome.failure else 0
    folder = options.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    statistics = fuzz(seeds, options.jobs, folder, not options.no_shrink)
    for reason, found in sorted(statistics.refusals.items(), key=lambda item: -len(item[1])):
        print(f"refused {len(found)}: {reason}: seeds {found[:5]}")
    for kind, found in statistics.failures.items():
        print(f"failed {len(found)}: {kind}: seeds {found[:10]}")
    statistics.write()
    return 1 if statistics.failures else 0


if __name__ == "__main__":
    sys.exit(main())
