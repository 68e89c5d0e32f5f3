"""Runs a command and ends what takes too long in it, after printing its stacks.

A process that the command started is ended alone once it is older than its
limit: the command sees that and goes on. Copies of the command itself, such as
lit's workers, live as long as the command, which has a limit of its own.
"""
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

POLL_SECONDS = 1.0
DEBUGGER_SECONDS = 120

# The first that is installed and may look at the process is taken.
DEBUGGERS = [
    ["gdb", "-batch", "-nx", "-iex", "set debuginfod enabled off",
     "-ex", "thread apply all backtrace 64", "-p"],
    ["eu-stack", "-p"],
]


def read_words(pid):
    """The command line of a process, empty when it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []
    return [word.decode(errors="replace") for word in words]


def find_descendants(root):
    """The processes below `root`, parents first."""
    children = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name in the second field may hold spaces and brackets.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found[1:]


def read_stacks(pid):
    """The stacks of all threads of a process, or what is known of them."""
    for debugger in DEBUGGERS:
        if not shutil.which(debugger[0]):
            continue
        try:
            text = subprocess.run([*debugger, str(pid)], capture_output=True, text=True,
                                  errors="replace", stdin=subprocess.DEVNULL,
                                  timeout=DEBUGGER_SECONDS, check=False).stdout
        except subprocess.TimeoutExpired:
            continue
        if "#0" in text:
            return text
    lines = []
    for task in sorted(Path(f"/proc/{pid}/task").glob("*")):
        for name in ("comm", "wchan", "syscall", "stack"):
            try:
                lines.append(f"{task.name} {name}: {(task / name).read_text().strip()}")
            except OSError:
                continue
    return "\n".join(lines)


def end(pid, seconds, output):
    """Prints the stacks of a process and kills it; returns what it was."""
    words = read_words(pid)
    name = " ".join([os.path.basename(words[0]), *words[1:]])[:300] if words else f"process {pid}"
    print(f"time limit: {name} is not done after {seconds:g} s; its stacks:\n{read_stacks(pid)}",
          file=output, flush=True)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return f"{name}: not done after {seconds:g} s"


def run(command, limit, limit_of_started, environment=None, output=sys.stdout, stdout=None):
    """The exit code of the command and a list of what was ended.

    `limit` and `limit_of_started` are in seconds, for the command and for each
    process that it starts. What the command prints goes to `stdout`, a file, in place
    of where the caller prints.
    """
    process = subprocess.Popen(list(map(str, command)), env=environment, stdout=stdout,
                               stderr=subprocess.STDOUT if stdout else None)
    begin = time.monotonic()
    first_seen, ended, own_words = {}, [], None
    while True:
        try:
            return process.wait(timeout=POLL_SECONDS), ended
        except subprocess.TimeoutExpired:
            now = time.monotonic()
        descendants = find_descendants(process.pid)
        # Read late: right after the fork these are still our own words.
        own_words = own_words or read_words(process.pid)
        first_seen = {pid: first_seen.get(pid, now) for pid in descendants}
        if now - begin > limit:
            ended.append(end(process.pid, limit, output))
            # What hangs is often not the command but what it waits for.
            for pid in descendants:
                end(pid, round(now - first_seen[pid]), output)
            return process.wait(), ended
        overdue = [pid for pid in descendants if now - first_seen[pid] > limit_of_started
                   and read_words(pid) != own_words]
        # A shell that waits for its tool goes on when the tool has ended.
        for pid in overdue:
            if not set(find_descendants(pid)) & set(overdue):
                ended.append(end(pid, limit_of_started, output))
