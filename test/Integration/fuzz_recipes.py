"""Random recipes: every key, with values that mean something together and some that do not.

The compiler says what a recipe may hold (`--list-recipe-keys`); `KEYS` is that list. A recipe
that it refuses is no failure, but most are to compile.
"""

import functools
import re

from qopt_tools import run_ok

CONTRACTIONS = ("MatMul", "Gemm", "Conv", "ConvTranspose")
# Share of the sections that are drawn key by key, whatever the others are.
WILD_SHARE = 0.15
NUMBERS = {
    "weights.group": [0, 8, 16, 32, 64, 128],
    "activations.max-static-cost": [0, 6, 100],
    "activations.min-sqnr": [0, 33],
    "transforms.smooth": ["search", "off", "log", 0.5],
    "calibration.percentile": [0.99, 0.9999],
    "rounding.damping": [0.01, 0.1],
    "rounding.refine": [0, 2],
    "policy.min-output-sqnr": [0, 12, 40],
}


@functools.cache
def read_keys():
    """Values by "section.key", as far as the compiler enumerates them."""
    keys, section = {}, ""
    for line in run_ok("qopt-compile", "--list-recipe-keys").splitlines():
        if line.startswith("## "):
            section = line[3:].replace(": ", ".")
        elif row := re.match(r"\| `([\w-]+)` \| ([^|]+) \|", line):
            keys[f"{section}.{row[1]}"] = [value.strip() for value in row[2].split(",")]
    for key, values in NUMBERS.items():
        keys[key] = values
        if key.startswith("weights."):
            keys[f"overrides.{key}"] = values
    return keys


def list_sections():
    """Keys of each section but the overrides, in the compiler's order."""
    sections = {}
    for name in read_keys():
        section, _, key = name.partition(".")
        if section != "overrides":
            sections.setdefault(section, []).append(key)
    return sections


def write_map(pairs):
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"


def is_blocked(code_format):
    return code_format.startswith(("mx", "nv"))


def draw_keys(builder, section, keys, share=0.4):
    return {key: builder.choose(read_keys()[f"{section}.{key}"]) for key in keys
            if builder.chance(share)}


def draw_weights(builder):
    """A format with what may stand beside it."""
    keys = read_keys()
    weights = {"format": builder.choose(keys["weights.format"])}
    if builder.chance(0.5):
        weights["group"] = builder.choose(keys["weights.group"])
    if is_blocked(weights["format"]):
        # The preset's need not fit.
        return weights | {"scale": "''", "zero": "''"}
    if builder.chance(0.5):
        weights["scale"] = builder.choose(keys["weights.scale"])
    has_zero = weights["format"].startswith("u") or builder.chance(0.3)
    return weights | {"zero": weights["format"] if has_zero else "''"}


def draw_activations(builder, mode):
    """A format with what may stand beside it where ranges come from `mode`."""
    keys = read_keys()
    formats = [name for name in keys["activations.format"] if mode == "static" or
               not name.startswith("u")]
    if mode == "static":
        formats = [name for name in formats if not is_blocked(name)]
    activations = {"format": builder.choose(formats)} if builder.chance(0.6) else {}
    if builder.chance(0.3) and not is_blocked(activations.get("format", "i8")):
        activations["scale"] = builder.choose(keys["activations.scale"] if mode == "static"
                                              else ["f32"])
    return activations


def draw_override(builder, mode):
    """What some nodes are to be; those of the graph that have products."""
    found = sorted({node.op_type for node in builder.nodes} & set(CONTRACTIONS))
    op = builder.choose(found or CONTRACTIONS)
    entry = {}
    if builder.chance(0.5):
        entry["nodes"] = builder.choose([f"'.*{op}.*'", "'.*'", f"'/{op}_[0-9]*'"])
    if builder.chance(0.5) or not entry:
        entry["ops"] = builder.choose([op, f"'{op}|Relu'", "'.*'"])
    if builder.chance(0.6):
        entry["precision"] = builder.choose(read_keys()["overrides.precision"])
        mode = {"static": "static", "dynamic": "dynamic"}.get(entry["precision"], mode)
    if entry.get("precision") == "float":
        return write_map(entry)
    if builder.chance(0.4) or "precision" not in entry:
        entry["weights"] = write_map(draw_weights(builder))
    if builder.chance(0.3) and mode != "none":
        activations = draw_activations(builder, mode)
        if activations:
            entry["activations"] = write_map(activations)
    return write_map(entry)


def draw_recipe(builder, preset):
    """The text of a recipe that changes a preset here and there."""
    lines = ["version: 1", f"preset: {preset}"]
    mode = {"w8a8": "static", "w8a8-pow2": "static"}.get(preset, "dynamic")
    if preset.endswith("-a16") or preset.startswith("w4a16"):
        mode = "none"
    for section, keys in list_sections().items():
        # Drawn graphs have no states.
        if section == "kv-cache" or not builder.chance(0.35):
            continue
        if builder.chance(WILD_SHARE):
            pairs = draw_keys(builder, section, keys)
        elif section == "weights":
            pairs = draw_weights(builder)
        elif section == "activations":
            pairs = draw_keys(builder, section, ["max-static-cost", "min-sqnr"])
            if builder.chance(0.5):
                mode = pairs["mode"] = builder.choose(read_keys()["activations.mode"])
            if mode != "none":
                pairs |= draw_activations(builder, mode)
        else:
            pairs = draw_keys(builder, section, keys)
        if pairs:
            lines.append(f"{section}: {write_map(pairs)}")
    if builder.chance(0.3):
        entries = [draw_override(builder, mode) for _ in range(builder.choose([1, 1, 2]))]
        lines.append(f"overrides: [{', '.join(entries)}]")
    return "\n".join(lines) + "\n"
