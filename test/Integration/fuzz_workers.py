"""Checks cases in child processes: one that crashes or hangs is a failure, not the end.

The parent never runs the compiler, so it may fork.
"""

import multiprocessing
import os
import resource
import shutil
import tempfile
import time
import traceback
import warnings
from multiprocessing import connection
from pathlib import Path

from fuzz_cases import generate
from fuzz_oracles import Failure, Outcome, check_cases

# Of a busy machine; what hangs does so for ever.
SECONDS_PER_CASE = 400
CASES_PER_CHUNK = 12
# A small model that needs more is a fault, and must not starve others.
MAX_MEMORY = 6 << 30
FORK = multiprocessing.get_context("fork")


class Child:
    """A forked process that sends messages, the last of which is ("done", ...)."""

    def __init__(self, function, *arguments):
        self.receiver, sender = FORK.Pipe(duplex=False)
        self.log = tempfile.NamedTemporaryFile("w+", prefix="fuzz-", suffix=".log")
        self.process = FORK.Process(target=self.main, args=(sender, function, arguments))
        self.process.start()
        sender.close()
        self.deadline = time.monotonic() + SECONDS_PER_CASE

    def main(self, sender, function, arguments):
        os.dup2(self.log.fileno(), 2)
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        warnings.simplefilter("ignore")
        try:
            function(sender.send, *arguments)
        except Exception:  # the parent reports it
            traceback.print_exc()
            os._exit(1)

    def read_log(self):
        self.log.seek(0)
        return self.log.read()[-3000:]

    def finish(self):
        """Ends the process; says how it ended."""
        self.process.join(0 if time.monotonic() > self.deadline else 10)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            return "hang"
        return f"crash: exit code {self.process.exitcode}"


def check_one(send, folder):
    outcome, = check_cases([folder], folder)
    send(("done", outcome))


def check_forked(folder):
    """The outcome of the case in `folder`."""
    child = Child(check_one, folder)
    if child.receiver.poll(SECONDS_PER_CASE):
        try:
            _, outcome = child.receiver.recv()
            child.process.join()
            return outcome
        except EOFError:
            pass
    child.deadline = 0 if not child.receiver.poll(0) else child.deadline
    return Outcome(failure=Failure(child.finish(), child.read_log()))


def check_seeds(send, seeds, folder, tiers):
    """Sends ("at", seed), then ("done", [(seed, style, outcome), ...])."""
    styles = []
    for seed in seeds:
        send(("at", seed))
        styles.append(generate(seed, folder / str(seed), tiers))
    folders = [folder / str(seed) for seed in seeds]
    outcomes = check_cases(folders, folder, lambda path: send(("at", int(path.name))))
    send(("done", list(zip(seeds, styles, outcomes))))


class Pool:
    """Runs chunks of seeds on some children; yields (seed, style, outcome)."""

    def __init__(self, seeds, jobs, tiers, folder):
        self.pending = [seeds[i:i + CASES_PER_CHUNK]
                        for i in range(0, len(seeds), CASES_PER_CHUNK)]
        self.jobs, self.tiers, self.folder = jobs, tiers, folder
        self.running = {}

    def start(self):
        while self.pending and len(self.running) < self.jobs:
            seeds = self.pending.pop(0)
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            child = Child(check_seeds, seeds, folder, self.tiers)
            child.seeds, child.at, child.folder = seeds, seeds[0], folder
            self.running[child.receiver] = child

    def run(self):
        self.start()
        while self.running:
            for receiver in connection.wait(self.running, timeout=1):
                yield from self.receive(self.running[receiver])
            for child in [child for child in self.running.values()
                          if time.monotonic() > child.deadline]:
                yield from self.end_early(child)
            self.start()

    def receive(self, child):
        try:
            kind, content = child.receiver.recv()
        except EOFError:
            yield from self.end_early(child)
            return
        child.deadline = time.monotonic() + SECONDS_PER_CASE
        if kind == "at":
            child.at = content
            return
        yield from content
        child.process.join()
        self.forget(child)

    def end_early(self, child):
        """The case that ran is to blame; the others of its chunk run again."""
        failure = Failure(child.finish(), child.read_log())
        yield child.at, "", Outcome(failure=failure)
        rest = [seed for seed in child.seeds if seed != child.at]
        if rest:
            self.pending.insert(0, rest)
        self.forget(child)

    def forget(self, child):
        del self.running[child.receiver]
        shutil.rmtree(child.folder, ignore_errors=True)
