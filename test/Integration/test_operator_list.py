"""The list of supported operators: what the importer says is what users read."""

from qopt_tools import ROOT, run_ok, run_tool

PAGE = ROOT / "docs" / "onnx-operators.md"


def test_the_page_is_current():
    """After a change of the importer: ninja -C build onnx-operators"""
    assert PAGE.read_text() == run_ok("qopt-compile", "--list-operators=markdown")


def test_the_list_for_people():
    lines = run_ok("qopt-compile", "--list-operators").splitlines()
    assert any(line.split() == ["Relu", "opset", "1"] for line in lines)
    assert any(line.startswith("Resize ") and ": " in line for line in lines)
    assert len(lines) == PAGE.read_text().count("\n| ") - 1


def test_another_form():
    result = run_tool("qopt-compile", "--list-operators=html")
    assert result.returncode == 2
    assert "--list-operators expects markdown or nothing, but found 'html'" in result.stderr
