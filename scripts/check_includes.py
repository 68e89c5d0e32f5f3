"""Proves that folders include only what stands below them.

Prints a line for each include that points upwards, with its file and the rule,
and ends with 1 where there is one. A folder may include what RULES names beside
it, and all that stands below that.

    scripts/check_includes.py [FOLDER OF THE PROJECT]
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A folder, and the folders right below it. `include/qopt/X` is `lib/X`.
RULES = {
    "python": ["include/qopt-c"],
    "tools": ["lib/Driver", "InitAll"],
    "lib/CAPI": ["include/qopt-c", "lib/Pipelines", "InitAll"],
    "lib/Driver": ["lib/Pipelines", "InitAll"],
    # The lists of dialects, passes and targets, which alone name machines.
    "InitAll": ["lib/Pipelines", "lib/Target/*"],
    "lib/Pipelines": ["lib/Import", "lib/Export", "lib/Calibration", "lib/Execution",
                      "lib/Transforms", "lib/Conversion", "lib/Emit", "lib/Target"],
    # One machine each; its part of the runtime says what a device is.
    "lib/Target/*": ["lib/Target/Cpu", "lib/Runtime"],
    "lib/Target/Cpu": ["lib/Target/Host"],
    "lib/Target/Host": ["lib/Emit"],
    "lib/Emit": ["lib/Target", "lib/Runtime"],
    "lib/Target": ["dialects/QKernel/Transforms"],
    "lib/Execution": ["lib/Support", "include/qopt-runtime"],
    "lib/Import": ["lib/ONNX", "dialects/QOpt/Quantization"],
    "lib/Export": ["lib/ONNX", "dialects/QOpt/Quantization"],
    "lib/ONNX": ["dialects/QOpt/IR"],
    "lib/Calibration": ["lib/Reference", "dialects/QOpt/Quantization"],
    "lib/Transforms": ["lib/Reference", "dialects/QOpt/Quantization",
                       "dialects/QKernel/Transforms"],
    "lib/Conversion": ["dialects/QKernel/Transforms", "dialects/QOpt/Quantization"],
    "lib/Reference": ["dialects/QOpt/Numerics"],
    "dialects/QKernel/Transforms": ["dialects/QKernel/IR", "dialects/QOpt/Transforms"],
    "dialects/QKernel/IR": ["dialects/QOpt/IR"],
    "dialects/QOpt/Quantization": ["dialects/QOpt/Transforms"],
    "dialects/QOpt/Transforms": ["dialects/QOpt/Numerics"],
    "dialects/QOpt/Numerics": ["dialects/QOpt/IR"],
    "dialects/QOpt/IR": ["lib/Support"],
    "lib/Support": ["include/qopt-runtime"],
    # What an artefact carries: nothing of ours but its own interface.
    "lib/Runtime": ["include/qopt-runtime"],
    "include/qopt-c": ["include/qopt-runtime"],
    "include/qopt-runtime": [],
}

# Includes of these do not give what they include in turn.
CLOSED = {"InitAll", "include/qopt-c"}

# Upward includes that are left: a file, and the folder that it includes.
KNOWN = set()

SEARCHED = ["dialects", "include", "lib", "tools", "python"]
SUFFIXES = {".h", ".c", ".cpp", ".td"}
INCLUDE = re.compile(r'^\s*#?\s*include\s+"([^"]+)"')


def find_folder(path):
    """The key of RULES that `path`, relative to the project, is a file of."""
    parts = pathlib.PurePosixPath(path).parts
    if parts[:2] == ("include", "qopt"):
        if len(parts) == 3:
            return "InitAll"
        parts = ("lib", *parts[2:])
    for length in range(len(parts) - 1, 0, -1):
        folder = "/".join(parts[:length])
        if length == 3 and parts[:2] == ("lib", "Target") and folder not in RULES:
            return "lib/Target/*"
        if folder in RULES:
            return folder
    return None


def find_allowed(folder, rules=None):
    """What stands below `folder`, in the order in which it is met."""
    rules = RULES if rules is None else rules
    allowed = []
    for below in rules[folder]:
        for name in [below] + ([] if below in CLOSED else find_allowed(below, rules)):
            if name not in allowed:
                allowed.append(name)
    return allowed


def find_circle(rules):
    """Folders of which each stands below the one before it, the last being the
    first again; nothing where there are none."""
    done = set()

    def walk(folder, path):
        if folder in path:
            return path[path.index(folder):] + [folder]
        if folder in done:
            return None
        for below in rules[folder]:
            if circle := walk(below, path + [folder]):
                return circle
        done.add(folder)
        return None

    return next((circle for folder in rules if (circle := walk(folder, []))), None)


def resolve(root, file, name):
    """The path of an include of ours, relative to the project; headers that the
    build makes have the path of what they are made from."""
    beside = file.parent / name
    if (root / beside).exists():
        return beside.as_posix()
    first = name.split("/")[0]
    if first in ("qopt", "qopt-c", "qopt-runtime"):
        return f"include/{name}"
    return name if first in SEARCHED or first == "test" else None


def find_includes(root):
    """(file, line, include, included file) for each include of ours, in order."""
    for top in SEARCHED:
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in SUFFIXES or not path.is_file():
                continue
            file = path.relative_to(root)
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if match := INCLUDE.match(line):
                    if included := resolve(root, file, match[1]):
                        yield file.as_posix(), number, match[1], included


def is_same_folder(file, included):
    """True within a folder of RULES; of lib/Target/*, within one machine."""
    folder = find_folder(file)
    if folder != find_folder(included):
        return False
    if folder != "lib/Target/*":
        return True
    machine = [re.sub("^include/qopt", "lib", path).split("/")[2] for path in (file, included)]
    return machine[0] == machine[1]


def find_problems(root=ROOT, known=None):
    """A line for each include that points upwards."""
    left = set(KNOWN if known is None else known)
    used = set()
    problems = []
    if circle := find_circle(RULES):
        problems.append("scripts/check_includes.py: the rules go in a circle: " +
                        " -> ".join(circle))
        return problems
    for file, number, name, included in find_includes(root):
        folder, target = find_folder(file), find_folder(included)
        place = f'{file}:{number}: #include "{name}"'
        if folder is None or target is None:
            problems.append(f"{place}: no rule names the folder of "
                            f"{file if folder is None else included}; "
                            "add it to RULES in scripts/check_includes.py")
        elif is_same_folder(file, included) or (
                target != folder and target in find_allowed(folder)):
            continue
        elif (file, target) in left:
            used.add((file, target))
        else:
            below = ", ".join(find_allowed(folder)) or "nothing of ours"
            problems.append(f"{place}: {folder} may include {below}, but not {target}")
    problems += [f"scripts/check_includes.py: KNOWN lists {file} with {target}, which it no "
                 "longer includes; take it out" for file, target in sorted(left - used)]
    return problems


def main():
    problems = find_problems(pathlib.Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT)
    print("\n".join(problems or ["all includes point downwards"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
