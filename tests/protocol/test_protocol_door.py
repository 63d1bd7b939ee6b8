"""The doors without a database: `manage.py tally` and `manage.py utility`."""

import io
import json
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from deliberation.protocol.door import DoorError, tally_door, utility_door

VECTOR = {
    "participants": [
        {"id": "A", "kind": "model"},
        {"id": "B", "kind": "model"},
        {"id": "C", "kind": "model"},
    ],
    "proposals": [{"id": "a", "author": "A"}, {"id": "b", "author": "B"}, {"id": "c", "author": "C"}],
    "ballots": [
        {"voter": "A", "weights": {"b": 60, "c": -40}},
        {"voter": "B", "weights": {"a": 80, "c": -20}},
        {"voter": "C", "weights": {"a": 90, "b": 10}},
    ],
    "vetoes": [],
    "rules": {"rule": "quadratic_sdk"},
    "round": 1,
}


def door(value: Any) -> Any:
    return tally_door(value if isinstance(value, bytes) else json.dumps(value).encode())


def changed(**parts: Any) -> dict[str, Any]:
    return {**VECTOR, **parts}


def test_the_vector_of_the_protocol() -> None:
    found = door(VECTOR)
    assert found["net_support"] == pytest.approx({"a": 0.922, "b": 0.545, "c": -0.540}, abs=5e-4)
    assert found["conviction"] == pytest.approx(0.459, abs=5e-4)
    assert (found["winner"], found["eligible"], found["coverage"]) == ("a", ["a", "b", "c"], 1.0)
    assert found["influence"]["B"] == pytest.approx({"a": 0.8944, "c": -0.4472}, abs=5e-5)
    assert set(found) == {
        "net_support", "influence", "eligible", "winner", "conviction", "controversy", "coverage", "classes",
        "ties", "tie_break", "dropped", "median", "median_differs", "pivotal",
    }  # fmt: skip


def test_a_list_gives_a_list() -> None:
    assert door([VECTOR, VECTOR]) == [door(VECTOR)] * 2
    assert door([]) == []


def test_two_proposals_of_one_author() -> None:
    proposals = [*VECTOR["proposals"], {"id": "a2", "author": "A"}]
    ballots = [
        {"voter": "A", "weights": {"a2": 100, "b": 50}},
        {"voter": "B", "weights": {"a": 25, "a2": 75}},
    ]
    found = door(changed(proposals=proposals, ballots=ballots))
    assert found["winner"] == "b"
    assert found["net_support"] == pytest.approx({"a": 0.5, "b": 1.0, "c": None, "a2": 0.75**0.5})
    assert [(each["voter"], each["proposal"], each["kind"]) for each in found["dropped"]] == [
        ("A", "a2", "own_proposal")
    ]


def test_numbers_may_be_ids_and_come_back_as_they_were() -> None:
    value = {
        "participants": [{"id": 1}, {"id": 2}],
        "proposals": [
            {"id": 10, "author": 1, "final_answer": 7},
            {"id": "20", "author": 2, "final_answer": "7.0"},
        ],
        "ballots": [{"voter": 1, "weights": {"20": 64}}],
        "rules": {"equivalence": "number"},
    }
    found = door(value)
    assert (found["winner"], found["net_support"]) == ("20", {"10": None, "20": 0.8})
    assert found["classes"] == [{"key": "7", "proposals": [10, "20"]}]


def test_what_a_model_gets_wrong_is_dropped_and_listed_by_its_names() -> None:
    text = json.dumps(changed(ballots=[{"voter": "A", "weights": "W"}])).replace(
        '"W"', '{"a": 5, "b": 60, "c": NaN, "zz": 3, "b": 70}'
    )
    found = door(text.encode())
    assert found["influence"] == {}
    assert {(each["proposal"], each["kind"]) for each in found["dropped"]} == {
        ("b", "duplicate_key"), ("a", "own_proposal"), ("c", "not_a_number"), ("zz", "unknown_proposal"),
        (None, "empty_ballot"),
    }  # fmt: skip


def test_the_order_of_ballots_and_the_names_change_nothing() -> None:
    backwards = changed(ballots=[*reversed(VECTOR["ballots"])])
    assert door(backwards) == door(VECTOR)
    renamed = json.loads(json.dumps(VECTOR).replace('"A"', '"Zoe"').replace('"a"', '"zz"'))
    found = door(renamed)
    assert (found["winner"], found["conviction"]) == ("zz", door(VECTOR)["conviction"])


def test_vetoes() -> None:
    struck = changed(vetoes=[{"target": "proposal", "id": "a"}, {"target": "ballot", "id": "C"}])
    found = door(struck)
    assert (found["winner"], found["eligible"], found["coverage"]) == ("b", ["b", "c"], pytest.approx(2 / 3))
    assert set(found["influence"]) == {"A", "B"}


HUMAN = [*VECTOR["participants"], {"id": "P", "kind": "human"}]


def with_human(weights: dict[str, float]) -> dict[str, Any]:
    return changed(participants=HUMAN, ballots=[{"voter": "P", "weights": weights}])


PLACES: list[tuple[Any, str]] = [
    (b"{", "The input is not JSON: "),
    (b"\xff\xfe", "The input is not UTF-8 text."),
    (b"[" * 100_000, "nested too deeply"),
    (b"7", "The input must be a JSON object."),
    ([VECTOR, 7], "[1] must be a JSON object."),
    ({}, "The input needs the field 'participants'."),
    (changed(balots=[]), "The input has the unknown field 'balots'"),
    (changed(participants={}), "participants must be a list."),
    (
        changed(participants=[{"id": "A"}, {"id": "A"}]),
        "participants[1].id: two participants have the id 'A'.",
    ),
    (changed(participants=[{"id": 1}, {"id": "1"}]), "participants[1].id: two participants have the id '1'."),
    (changed(participants=[{"id": None}]), "participants[0].id must be a text or a whole number."),
    (changed(participants=[{"id": "A", "kind": "bot"}]), "participants[0].kind must be model or human."),
    (changed(participants=[{"id": "A", "weight": 0}]), "participants[0].weight must be a number over 0."),
    (changed(participants=[{"id": "A", "famly": "x"}]), "participants[0] has the unknown field 'famly'"),
    (changed(participants=[{"id": "A", "family": 3.5}, {}]), "participants[1] needs the field 'id'."),
    (changed(proposals=[{"id": "a", "author": "Q"}]), "proposals[0].author: there is no participant 'Q'."),
    (changed(proposals=[*VECTOR["proposals"], {"id": "a", "author": "B"}]), "two proposals have the id 'a'"),
    (
        changed(proposals=[{"id": "a", "author": "A", "final_answer": []}]),
        "final_answer must be a text or null.",
    ),
    (changed(ballots=[{"voter": "Q", "weights": {}}]), "ballots[0].voter: there is no participant 'Q'."),
    (changed(ballots=[{"voter": "A", "weights": []}]), "ballots[0].weights must be an object"),
    (changed(ballots=[VECTOR["ballots"][0]] * 2), "ballots[1]: participant 'A' has two ballots."),
    (changed(vetoes=[{"target": "proposal", "id": "q"}]), "vetoes[0].id: there is no proposal 'q'."),
    (changed(vetoes=[{"target": "person", "id": "A"}]), "vetoes[0].target must be proposal or ballot."),
    (changed(rules={"rule": "quadratik"}), "rules: rule must be one of quadratic, "),
    (changed(rules={"ruel": "linear"}), "rules: 'ruel' is not a rule."),
    (changed(rules=[]), "rules must be a JSON object"),
    (changed(round=0), "round must be a whole number from 1 up."),
    (changed(seed=-1), "seed must be a whole number from 0 up."),
    (with_human({"a": 64, "b": 49}), "ballots[0]: The ballot spends 113 credits; 100 are allowed."),
    (with_human({"a": 101}), "ballots[0]: A weight must be from -100 to 100."),
    (with_human({"q": 1}), "ballots[0]: The ballot weighs a proposal that is not in this round."),
    (b'{"round": 1, "round": 2}', "The input has the key 'round' twice."),
]


@pytest.mark.parametrize(("value", "sentence"), PLACES, ids=[sentence[:40] for _, sentence in PLACES])
def test_bad_input_is_refused_in_one_sentence(value: Any, sentence: str) -> None:
    with pytest.raises(DoorError) as refusal:
        door(value)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_table_of_a_preset() -> None:
    found = utility_door(preset="consumer", rounds=7)
    assert [row["t"] for row in found["rows"]] == list(range(8))
    assert found["rows"][6]["U"] == pytest.approx(0.840, abs=5e-4)
    assert found["rows"][1]["u'"] == pytest.approx(0.0925, abs=5e-4)
    assert found["T_opt"] == pytest.approx(6, abs=5e-3)
    with pytest.raises(DoorError, match="no preset 'fast'; there are consumer and high_performance"):
        utility_door(preset="fast", rounds=7)
    with pytest.raises(DoorError, match="rounds must be from 0 to 1000, not -1"):
        utility_door(preset="consumer", rounds=-1)


class TestCommands:
    def test_tally_reads_a_file(self, tmp_path, capsys) -> None:
        file = tmp_path / "round.json"
        file.write_text(json.dumps(VECTOR))
        call_command("tally", str(file))
        assert json.loads(capsys.readouterr().out) == door(VECTOR)

    def test_tally_reads_standard_input(self, monkeypatch, capsys) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps([VECTOR]).encode())))
        call_command("tally", "-")
        assert json.loads(capsys.readouterr().out) == [door(VECTOR)]

    def test_utility(self, capsys) -> None:
        call_command("utility", preset="high_performance", rounds=3)
        assert json.loads(capsys.readouterr().out) == utility_door(preset="high_performance", rounds=3)

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (
                ("tally", "/nowhere/round.json"),
                "/nowhere/round.json cannot be read: No such file or directory.",
            ),
            (("tally", "/"), "/ cannot be read: Is a directory."),
            (("tally", "/dev/null"), "The input is not JSON"),
            (("utility", "--preset", "fast"), "There is no preset 'fast'"),
        ],
    )
    def test_bad_input_exits_with_two(self, arguments: tuple[str, ...], sentence: str) -> None:
        with pytest.raises(CommandError) as refusal:
            call_command(*arguments)
        assert sentence in str(refusal.value)
        assert refusal.value.returncode == 2
