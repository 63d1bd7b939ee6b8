"""docs/broker.md: its worked example gives what it says."""

import json
import re
from pathlib import Path
from typing import Any

from broker.selection import decide, own_rule, prefilter, scenarios, solver, types
from broker.selection.panel import choose_panel
from broker.selection.types import PanelRequest

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "broker.md").read_text()


def block(name: str) -> Any:
    found = re.search(rf"<!-- {name} -->\n```json\n(.*?)```", TEXT, re.S)
    assert found is not None
    return json.loads(found.group(1))


def rounded(value: Any) -> Any:
    return json.loads(json.dumps(value), parse_float=lambda text: round(float(text), 9))


def test_the_example_gives_the_answer() -> None:
    receipt = choose_panel(PanelRequest.from_json(block("example"))).to_json()
    answer = block("answer")
    assert receipt["breakpoints"].pop("next_cent") is None
    assert rounded({name: receipt[name] for name in answer}) == rounded(answer)


def test_the_numbers_of_the_code_are_those_of_the_text() -> None:
    assert f"Of more than {prefilter.MOST_KEPT} candidates {prefilter.MOST_KEPT} are kept" in TEXT
    assert f"at most {scenarios.MOST_ROWS} rows" in TEXT
    assert f"The best {decide.FINALISTS} panels" in TEXT
    assert f"`rule` ({', '.join(f'`{each}`' for each in own_rule.RULES)})" in TEXT.replace("\n  ", " ")
    assert f"sums of roots are taken to {own_rule.EXACT.prec} digits" in " ".join(TEXT.split())
    assert f"({solver.WORK_PER_S:g} for each second" in TEXT
    assert f"`common_phi` (.{types.COMMON_PHI * 100:g}) and `family_phi` (.{types.FAMILY_PHI * 10:g})" in TEXT
