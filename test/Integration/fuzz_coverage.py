"""What the cases of the fuzzer hold, beside what the compiler lists.

Operators, presets and keys of recipes are asked of the compiler, so that a new one that no case
has shows up here.
"""

import collections
import re
import tempfile
from pathlib import Path

import onnx
from onnx import TensorProto

from fuzz_cases import Options, generate
from fuzz_recipes import read_keys
from fuzz_shrink import read_model
from qopt_tools import list_tiers, run_ok


def list_operators():
    return [line.split()[0] for line in run_ok("qopt-compile", "--list-operators").splitlines()
            if line.strip()]


def list_recipe_values():
    """"key: value" of what a recipe may say; patterns of nodes are left out, and
    the cache, which drawn graphs do not have."""
    return [f"{key}: {value}" for key, values in read_keys().items()
            if key not in ("overrides.nodes", "overrides.ops", "kv-cache.format")
            for value in values]


def find_recipe_values(text):
    """"key: value" of what a recipe of the fuzzer says."""
    found = []
    for line in text.splitlines():
        section, _, rest = line.partition(": ")
        if section == "overrides":
            inner = r"(weights|activations): {([^}]*)}"
            for part, pairs in re.findall(inner, rest):
                found += [f"overrides.{part}.{pair}" for pair in pairs.split(", ")]
            rest = re.sub(inner, "", rest)
        found += [f"{section}.{pair}" for pair in re.findall(r"[\w-]+: [^,{}\[\]]+", rest)]
    return found


def describe_axes(node, rank):
    """Where the axes of a node are, as "Concat last", "Softmax inner from the end"."""
    for attribute in node.attribute:
        if attribute.name not in ("axis", "axes"):
            continue
        for axis in [attribute.i] if attribute.name == "axis" else attribute.ints:
            place = axis % rank if rank else 0
            where = "first" if place == 0 else "last" if place == rank - 1 else "inner"
            yield f"{node.op_type} {where}{' from the end' if axis < 0 else ''}"


def describe_codes(node, types):
    """The type and granularity of a QuantizeLinear or DequantizeLinear."""
    attributes = {attribute.name for attribute in node.attribute}
    grain = "block" if "block_size" in attributes else "axis" if "axis" in attributes else "tensor"
    code = types.get(node.input[2] if len(node.input) > 2 else node.input[0])
    if code is not None and node.op_type == "DequantizeLinear":
        yield f"{TensorProto.DataType.Name(code)} {grain}"


class Coverage:
    """Counts of what cases hold, by kind."""

    def __init__(self):
        self.counts = collections.defaultdict(collections.Counter)

    def add(self, folder):
        model, options = read_model(folder), Options.read(folder / "case.json")
        types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
        types |= {value.name: value.type.tensor_type.elem_type for value in model.graph.input}
        ranks = self.infer_ranks(model)
        for node in model.graph.node:
            self.counts["operators"][node.op_type] += 1
            self.counts["axes"].update(describe_axes(node, ranks.get(node.output[0], 0)))
            if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
                self.counts["codes of the model"].update(describe_codes(node, types))
        self.counts["element types"].update(
            TensorProto.DataType.Name(value.type.tensor_type.elem_type)
            for value in model.graph.input)
        self.counts["opsets"][model.opset_import[0].version] += 1
        self.counts["recipes" if options.recipe else "presets"].update(
            find_recipe_values(options.recipe) if options.recipe else [options.preset])
        for key in ("threads", "tier", "exports", "later_phases", "is_special", "splits"):
            self.counts["runs"][f"{key} {getattr(options, key)}"] += 1

    @staticmethod
    def infer_ranks(model):
        try:
            inferred = onnx.shape_inference.infer_shapes(model)
        except Exception:  # of types that the inference lacks
            return {}
        return {value.name: len(value.type.tensor_type.shape.dim)
                for value in [*inferred.graph.value_info, *inferred.graph.output]}

    def find_missing(self):
        """What the compiler lists and no case has, by kind."""
        listed = {"operators": list_operators(),
                  "presets": run_ok("qopt-compile", "--list-presets").split(),
                  "recipes": list_recipe_values()}
        return {kind: [name for name in names if not self.counts[kind][name]]
                for kind, names in listed.items()}

    def write(self):
        for kind, counter in self.counts.items():
            print(f"{kind}: {len(counter)}")
            print("  " + ", ".join(f"{name} {count}" for name, count in sorted(
                counter.items(), key=lambda item: str(item[0]))))
        for kind, names in self.find_missing().items():
            print(f"{kind} that no case has: {', '.join(names) or 'none'}")


def measure_coverage(seeds):
    """Generates the cases of `seeds`; compiles nothing."""
    coverage = Coverage()
    _, tiers = list_tiers()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "case"
            generate(seed, folder, tiers)
            coverage.add(folder)
    return coverage
