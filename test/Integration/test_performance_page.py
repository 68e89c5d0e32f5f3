"""docs/performance.md shows each case of the kernel benchmark, and says why a score is low."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "test" / "models")]
import performance_page

PAGE = (ROOT / "docs" / "performance.md").read_text()


def read_table(section):
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [dict(zip(rows[0], cells)) for cells in rows[1:]]


def test_each_case_has_a_row():
    rows = read_table("Kernels")
    assert ([(row["kind"], row["layer"], row["format"]) for row in rows]
            == [(case.family, str(case.layer), case.format_name)
                for case in performance_page.shown_cases()])
    assert all(row["score"].endswith("%") for row in rows)


def test_each_low_score_has_a_reason():
    reasons = {(row["kind"], row["kernel"]): row["why"]
               for row in read_table("What limits low scores")}
    low = {(row["kind"].split(",")[0], row["kernel"]) for row in read_table("Kernels")
           if int(row["score"].rstrip("%")) < 100 * performance_page.FLOOR - 1}
    assert low <= set(reasons)
    for key, why in reasons.items():
        assert why == performance_page.reason_for(*key)


def test_each_loss_is_listed():
    rows = read_table("Kernels")
    losses = {(peer.removesuffix(" / qopt"), row["layer"], row["format"])
              for row in rows for peer in row if peer.endswith(" / qopt")
              if re.match(r"0\.\d", row[peer]) and float(row[peer]) < 0.99}
    assert losses <= {(row["peer"], row["layer"], row["format"])
                      for row in read_table("Where a peer is faster")}
