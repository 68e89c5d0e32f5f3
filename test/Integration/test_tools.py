"""The tools that are upstream's with our dialects and passes."""

import json
import subprocess

from qopt_tools import BUILD, run_tool

PROGRAM = """
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qopt.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = qopt.sigmoid %x : (tensor<4xf32>) -> tensor<4xf32>
  %2 = qopt.sigmoid %1 : (tensor<4xf32>) -> tensor<4xf32>
  return %x : tensor<4xf32>
}
"""


# A file of the phase `kernels`, with what only a target's dialects read.
VARIANT = """\
qkernel.variant @v4 <"x86-64", "x86-64-v4"> {
  func.func @main(%arg0: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %0 = qopt.relu %arg0 : (tensor<2x3xf32>) -> tensor<2x3xf32>
    return %0 : tensor<2x3xf32>
  }
  func.func private @buffer(memref<4xi8>)
}
"""


def reduce(tmp_path, reducer, interesting, text=PROGRAM):
    """qopt-reduce on a program; exit code 1 of the script says that a program
    still shows what is looked for."""
    program = tmp_path / "program.mlir"
    program.write_text(text)
    script = tmp_path / "is-interesting.sh"
    script.write_text(f'#!/bin/sh\ngrep -q "{interesting}" "$1" && exit 1\nexit 0\n')
    script.chmod(0o755)
    return run_tool("qopt-reduce", program, f"--opt-reduction-pass=opt-pass={reducer} "
                    f"test={script}")


def test_reduce_takes_what_is_smaller_and_interesting(tmp_path):
    result = reduce(tmp_path, "cse", "func @main")
    assert "return %arg0" in result.stdout
    assert "qopt.relu" not in result.stdout
    assert "qopt.sigmoid" in reduce(tmp_path, "cse", "qopt.relu").stdout


def test_reduce_knows_our_passes(tmp_path):
    result = reduce(tmp_path, "qopt-no-such-pass", "qopt.relu")
    assert "qopt-no-such-pass" in result.stderr
    result = reduce(tmp_path, "qkernel-decompose", "qopt.relu")
    assert result.returncode == 0, result.stderr
    assert "qopt.relu" in result.stdout


def test_reduce_knows_the_targets(tmp_path):
    result = reduce(tmp_path, "qkernel.variant(qkernel-assign)", "qopt.relu", VARIANT)
    assert result.returncode == 0, result.stderr


def talk(*messages):
    """What the language server answers."""
    text = "".join(f"Content-Length: {len(body)}\r\n\r\n{body}"
                   for body in map(json.dumps, messages))
    result = subprocess.run([str(BUILD / "bin" / "qopt-lsp-server")], input=text.encode(),
                            capture_output=True, timeout=60, check=True)
    answers, rest = [], result.stdout
    while rest:
        header, rest = rest.split(b"\r\n\r\n", 1)
        length = int(header.split(b":")[1])
        answers.append(json.loads(rest[:length]))
        rest = rest[length:]
    return answers


def find_diagnostics(text):
    answers = talk(
        {"jsonrpc": "2.0", "id": 0, "method": "initialize",
         "params": {"processId": 1, "capabilities": {}, "rootUri": None}},
        {"jsonrpc": "2.0", "method": "textDocument/didOpen",
         "params": {"textDocument": {"uri": "test:///program.mlir", "languageId": "mlir",
                                     "version": 1, "text": text}}},
        {"jsonrpc": "2.0", "id": 1, "method": "shutdown"},
        {"jsonrpc": "2.0", "method": "exit"})
    published = [a["params"]["diagnostics"] for a in answers
                 if a.get("method") == "textDocument/publishDiagnostics"]
    assert len(published) == 1
    return published[0]


def test_language_server_knows_our_dialects():
    assert find_diagnostics(PROGRAM) == []
    broken = PROGRAM.replace("qopt.relu", "qopt.no_such_op")
    assert "qopt.no_such_op" in find_diagnostics(broken)[0]["message"]


def test_language_server_knows_the_dialects_of_targets():
    spirv = "spirv.module Logical GLSL450 {}\n"
    assert find_diagnostics(VARIANT + spirv) == []
