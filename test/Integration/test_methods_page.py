"""docs/methods.md names every method that a recipe can ask for, by lines that recipes take."""

import re
import sys
from pathlib import Path

import pytest

from qopt_tools import run_ok

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "benchmarks"))
from methods import FORMATS

# Says how factors are rounded, whatever asks for them.
OPTIONS = {"pow2"}


def read_rows():
    lines = (DOCS / "methods.md").read_text().splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return [dict(zip(table[0], cells)) for cells in table[1:]]


def read_keys(section):
    text = (DOCS / "recipe.md").read_text().split(f"\n## {section}\n")[1]
    return set(re.findall(r"^\| `([\w-]+)` \|", text.split("\n## ")[0], re.M))


@pytest.mark.parametrize("row", read_rows(), ids=lambda row: row["method"])
def test_the_line_is_one_of_a_recipe(row, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    preset = FORMATS[row["on"].split()[1]]["preset"]
    recipe.write_text(f"version: 1\npreset: {preset}\n{row['recipe'].strip('`')}\n")
    run_ok("qopt-compile", "--recipe", recipe, "--dump-recipe")


def test_each_transformation_and_rounding_has_a_row():
    lines = [row["recipe"].strip("`") for row in read_rows()]
    named = {line.split("{")[1].split(":")[0] for line in lines if line.startswith("transforms")}
    assert named == read_keys("transforms") - OPTIONS
    assert {method for line in lines for method in re.findall(r"method: (\w+)", line)} == {"gptq"}
