"""Makes a failing case of the fuzzer smaller while it fails in the same way."""

import json
import re
import shutil

import numpy as np
import onnx
from onnx import numpy_helper

from fuzz_builder import describe_input, open_session
from fuzz_cases import Options
from fuzz_workers import check_forked

MOST_TRIALS = 150


class Shrinker:
    """`folder` holds the smallest case so far; `scratch` the next trial."""

    def __init__(self, folder, scratch, kind, check=check_forked):
        self.folder, self.scratch, self.kind = folder, scratch, kind
        self.check = check
        self.trials = 0

    def accept(self, change):
        """Applies `change` to a copy; keeps the copy if it fails alike."""
        if self.trials >= MOST_TRIALS:
            return False
        self.trials += 1
        shutil.rmtree(self.scratch, ignore_errors=True)
        copy_case(self.folder, self.scratch)
        try:
            change(self.scratch)
        except Exception:  # what cannot be changed stays
            return False
        outcome = self.check(self.scratch)
        if not outcome.failure or outcome.failure.kind != self.kind:
            return False
        shutil.rmtree(self.folder)
        copy_case(self.scratch, self.folder)
        (self.folder / "failure.txt").write_text(
            f"{outcome.failure.kind}\n{outcome.failure.detail}\n")
        return True

    def run(self):
        self.simplify_options()
        while self.drop_samples() | self.drop_outputs() | self.drop_nodes():
            pass
        self.accept(make_static)
        self.accept(lambda folder: edit_model(folder, name_briefly))

    def simplify_options(self):
        for key, value in {"threads": 1, "tier": "", "exports": False, "later_phases": [], "splits": False,
                           "uses_phase_file": True, "shapes": ""}.items():
            self.accept(lambda folder, key=key, value=value: set_option(folder, key, value))
        options = Options.read(self.folder / "case.json")
        if options.recipe:
            self.accept(drop_recipe)
        if options.recipe or options.preset != "fp32":
            self.accept(lambda folder: (drop_recipe(folder), set_option(folder, "preset", "fp32")))
        for line in options.recipe.splitlines()[2:]:
            self.accept(lambda folder, line=line: drop_recipe_line(folder, line))

    def drop_samples(self):
        found = False
        for path in sorted(self.folder.glob("sample-*.npz")):
            if len(list(self.folder.glob("sample-*.npz"))) > 1:
                found |= self.accept(lambda folder, path=path: drop_sample(folder, path.name))
        return found

    def drop_outputs(self):
        outputs = [output.name for output in read_model(self.folder).graph.output]
        if len(outputs) == 1:
            return False
        return any(self.accept(lambda folder, name=name: edit_model(
            folder, lambda model: keep_outputs(model, [name]))) for name in outputs)

    def drop_nodes(self):
        found = False
        for name in [node.name for node in read_model(self.folder).graph.node]:
            for change in (promote_output, promote_inputs, bypass):
                if any(node.name == name for node in read_model(self.folder).graph.node):
                    found |= self.accept(lambda folder, change=change: change(folder, name))
        return found


def copy_case(source, target):
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(
        "*.mlir*", "*.so", "export.onnx", "model.onnx-*", "references.jsonl", "small"))


def read_model(folder):
    return onnx.load(folder / "model.onnx")


def edit_model(folder, change):
    """Changes the model and removes what nothing reads any more."""
    model = read_model(folder)
    before = model.SerializeToString()
    change(model)
    prune(model)
    if model.SerializeToString() == before or not model.graph.node:
        raise ValueError("nothing changed")
    onnx.save(model, folder / "model.onnx")
    names = [value.name for value in model.graph.input]
    for path in [*folder.glob("sample-*.npz"), *folder.glob("calib/*.npz")]:
        arrays = dict(np.load(path))
        np.savez(path, **{name: arrays[name] for name in names})


def prune(model):
    graph = model.graph
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.insert(0, node)
            needed |= set(node.input)
    del graph.node[:]
    graph.node.extend(kept)
    for values in (graph.initializer, graph.input):
        used = [value for value in values if value.name in needed]
        del values[:]
        values.extend(used)


def keep_outputs(model, names):
    kept = [output for output in model.graph.output if output.name in names]
    del model.graph.output[:]
    model.graph.output.extend(kept)


def set_option(folder, key, value):
    path = folder / "case.json"
    options = json.loads(path.read_text())
    if options[key] == value:
        raise ValueError("is so already")
    options[key] = value
    path.write_text(json.dumps(options, indent=1))


def drop_recipe(folder):
    (folder / "recipe.yaml").unlink(missing_ok=True)
    options = json.loads((folder / "case.json").read_text())
    if options["recipe"]:
        set_option(folder, "preset", options["recipe"].split("preset: ")[1].split()[0])
        set_option(folder, "recipe", "")


def drop_recipe_line(folder, line):
    options = json.loads((folder / "case.json").read_text())
    text = options["recipe"].replace(line + "\n", "")
    (folder / "recipe.yaml").write_text(text)
    set_option(folder, "recipe", text)


def drop_sample(folder, name):
    (folder / name).unlink()
    rest = sorted(folder.glob("sample-*.npz"))
    for i, path in enumerate(rest):
        path.rename(folder / f"sample-{i}.npz")


def run_inner(folder, names, arrays):
    """The values of some tensors inside of the model."""
    model = read_model(folder)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = open_session(model)
    known = {value.name for value in session.get_inputs()}
    return dict(zip(names, session.run(
        names, {name: array for name, array in arrays.items() if name in known})))


def make_inputs(folder, names):
    """Makes tensors of the model inputs with the values that they have."""
    values = {}
    for path in [*folder.glob("sample-*.npz"), *folder.glob("calib/*.npz")]:
        arrays = dict(np.load(path))
        values = run_inner(folder, names, arrays)
        np.savez(path, **arrays, **values)

    def change(model):
        for name in names:
            model.graph.input.append(describe_input(name, values[name],
                                                    [None] * values[name].ndim))
        for node in model.graph.node:
            for i, name in enumerate(node.output):
                if name in names:
                    node.output[i] = f"{name}_unused"

    edit_model(folder, change)


def promote_output(folder, name):
    """Makes what a node computes an input of the model."""
    model = read_model(folder)
    node, = [node for node in model.graph.node if node.name == name]
    outputs = {output.name for output in model.graph.output}
    if outputs & set(node.output):
        raise ValueError("is an output")
    make_inputs(folder, [output for output in node.output if output])


def promote_inputs(folder, name):
    """Makes a node's results the only outputs of the model."""
    model = read_model(folder)
    node, = [node for node in model.graph.node if node.name == name]
    arrays = dict(np.load(folder / "sample-0.npz"))
    values = run_inner(folder, list(node.output), arrays)

    def change(model):
        del model.graph.output[:]
        for output in node.output:
            model.graph.output.append(describe_input(output, values[output],
                                                     [None] * values[output].ndim))

    edit_model(folder, change)


def bypass(folder, name):
    """Replaces a node's result by an operand of the same shape and type."""
    model = read_model(folder)
    node, = [node for node in model.graph.node if node.name == name]
    arrays = dict(np.load(folder / "sample-0.npz"))
    outputs = {output.name for output in model.graph.output}
    result = node.output[0]
    if result in outputs or len(node.output) > 1:
        raise ValueError("is an output")
    initial = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    inner = {value for made in model.graph.node for value in made.output}
    for operand in node.input:
        if not operand:
            continue
        want = run_inner(folder, [result], arrays)[result]
        have = arrays.get(operand, initial.get(operand))
        if have is None and operand in inner:
            have = run_inner(folder, [operand], arrays)[operand]
        if have is not None and have.shape == want.shape and have.dtype == want.dtype:
            break
    else:
        raise ValueError("no operand fits")

    def change(model):
        for reader in model.graph.node:
            for i, read in enumerate(reader.input):
                if read == result:
                    reader.input[i] = operand

    edit_model(folder, change)


def make_static(folder):
    """Declares the dims of the first sample."""
    arrays = dict(np.load(folder / "sample-0.npz"))

    def change(model):
        for i, value in enumerate(model.graph.input):
            model.graph.input[i].CopyFrom(describe_input(value.name, arrays[value.name]))

    if (folder / "sample-1.npz").exists():
        raise ValueError("two shapes are needed")
    edit_model(folder, change)


def name_briefly(model):
    for i, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}{i}"


def describe_model(folder):
    """The model in a few lines."""
    model = read_model(folder)
    text = re.sub(r"\{([-\d][-\d.,e+ nainf]{60})[^{}]*\}", r"{\1 ...}", onnx.printer.to_text(model))
    return text if len(text) < 3000 else text[:3000] + " ..."
