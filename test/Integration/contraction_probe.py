"""Programs that show what every contraction of a `quantize` phase file read and
made: one is the whole program with those values as further results, the other
holds the contractions alone, with the values that they read as inputs. Running
the first on a device and the second with Reference tells whether the device's
contractions have Reference's bits from the same inputs.
"""

import re
from dataclasses import dataclass

_OP = re.compile(r"^    (?P<results>%[\w, %#:]*) = (?P<body>qopt\.\w+.*)$")
_VALUE = re.compile(r"%\w+(?:#\d+)?")


@dataclass(frozen=True)
class Value:
    name: str
    type: str


@dataclass(frozen=True)
class _Op:
    line: str
    results: list
    operands: list
    body: str


def _split_types(text):
    """The tensor types of a list."""
    return re.findall(r"tensor<[^<>]*(?:<[^<>]*>)?[^<>]*>", text)


def _read_results(text):
    """The names of a list of results, in which `%x:2` is `%x#0` and `%x#1`."""
    names = []
    for name, count in re.findall(r"(%\w+)(?::(\d+))?", text):
        names += [f"{name}#{i}" for i in range(int(count))] if count else [name]
    return names


def _parse(line):
    match = _OP.match(line)
    if not match:
        return None
    body = match["body"]
    if body.startswith("qopt.constant"):
        types = _split_types(body.rsplit(" : ", 1)[1])
        return _Op(line, [Value(match["results"], types[0])], [], body)
    head, _, types = body.rpartition(" : (")
    inputs, _, outputs = types.partition(") -> ")
    names = _VALUE.findall(re.sub(r"\{.*\}", "", head))
    results = _read_results(match["results"])
    outputs = _split_types(outputs)
    if len(names) != len(_split_types(inputs)) or len(results) != len(outputs):
        raise ValueError(f"cannot be read: {line[:200]}")
    return _Op(line, list(map(Value, results, outputs)),
               list(map(Value, names, _split_types(inputs))), body)


def _result_list(values):
    return ", ".join(f'{value.type} {{qopt.name = "{value.name}"}}' for value in values)


def _return_line(values):
    return (f"    return {', '.join(v.name for v in values)} : "
            f"{', '.join(v.type for v in values)}")


def _as_input(name):
    return f"%read_{name[1:].replace('#', '_')}"


def _read_inputs(op, names):
    """The line of `op` with inputs in place of the values `names`."""
    head, equals, tail = op.line.partition(" = ")
    operands, brace, rest = tail.partition("{")
    operands = _VALUE.sub(lambda m: _as_input(m[0]) if m[0] in names else m[0], operands)
    return head + equals + operands + brace + rest


def write_probes(program, whole, alone):
    """Writes both programs for the phase file `program`; (what the contractions
    read, what they made)."""
    lines = program.read_text().splitlines()
    ops = [op for op in map(_parse, lines) if op]
    constants = {op.results[0].name for op in ops if op.body.startswith("qopt.constant")}
    contractions = [op for op in ops if re.match(r"qopt\.(conv|matmul)\b", op.body)]
    read = list(dict.fromkeys(operand for op in contractions for operand in op.operands
                              if operand.name not in constants))
    made = list(dict.fromkeys(result for op in contractions for result in op.results))
    header = next(i for i, line in enumerate(lines) if "func.func @main" in line)
    footer = next(i for i, line in enumerate(lines) if line.startswith("    return "))
    shown = list(dict.fromkeys(read + made))
    arguments = re.search(r"@main\((.*)\) -> ", lines[header])[1]
    shown = [value for value in shown if not re.search(rf"{value.name}\b", arguments)]

    exposed = list(lines)
    exposed[header] = f"  func.func @main({arguments}) -> ({_result_list(shown)}) {{"
    exposed[footer] = _return_line(shown)
    whole.write_text("\n".join(exposed) + "\n")

    needed = {operand.name for op in contractions for operand in op.operands}
    inputs = ", ".join(f'{_as_input(value.name)}: {value.type} {{qopt.name = "{value.name}"}}'
                       for value in read)
    body = [op.line for op in ops if op.results[0].name in needed & constants]
    body += [_read_inputs(op, needed - constants) for op in contractions]
    alone.write_text("\n".join(
        lines[:header] + [f"  func.func @main({inputs}) -> ({_result_list(made)}) {{"] + body +
        [_return_line(made)] + lines[footer + 1:]) + "\n")
    return [v.name for v in read], [v.name for v in made]
