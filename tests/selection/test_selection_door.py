"""The door without a database: `manage.py choose_panel`."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from broker.selection import own_rule, types
from broker.selection.reading import RequestError, load
from broker.selection.types import PanelRequest

REQUEST: dict[str, Any] = {
    "candidates": [
        {"id": "a", "accuracy": 0.8, "cost": 0.01, "family": "f", "tags": ["code"]},
        {"id": "b", "accuracy": 0.7, "cost": 0.002, "family": "g"},
    ],
    "limits": {"max_cost": 0.05, "max_size": 3, "resources": {"licences": {"capacity": 2, "use": {"a": 1}}}},
    "hosts": {"gpu": {"free_mb": 8000, "mode": "swapped"}},
    "roles": [{"name": "critic", "min": 0, "max": 2}],
    "scenarios": {
        "truth": ["A", "B"],
        "answers": {"a": ["A", "B"], "b": [True, False]},
        "ballots": [{"a": {"b": -20.5}, "b": {"a": 100}}, None],
    },
    "own_rule": {"rule": "linear", "winner_by": "class", "family_share": False},
    "rounds": 2,
}


def changed(**parts: Any) -> dict[str, Any]:
    return {**REQUEST, **parts}


def candidate(**parts: Any) -> dict[str, Any]:
    return changed(candidates=[{"id": "a", **parts}, REQUEST["candidates"][1]])


def limited(**parts: Any) -> dict[str, Any]:
    return changed(limits={**REQUEST["limits"], **parts})


def voted(*ballots: Any) -> dict[str, Any]:
    answers = {"a": ["A"], "b": [None]}
    return changed(scenarios={"truth": ["A"], "answers": answers, "ballots": list(ballots)})


def read(value: Any) -> PanelRequest:
    return PanelRequest.from_json(load(value if isinstance(value, bytes) else json.dumps(value).encode()))


def test_a_request_survives_being_written_and_read() -> None:
    request = read(REQUEST)
    assert read(request.to_json()) == PanelRequest.from_json(request.to_json()) == request
    assert request.scenarios is not None
    assert request.scenarios.ballots == ({"a": {"b": -20.5}, "b": {"a": 100}}, None)


def test_defaults() -> None:
    request = read({"candidates": []})
    assert (request.mode, request.value, request.rounds, request.seed) == ("deterministic", "team", 1, 0)
    assert (request.limits.floor_points, request.limits.max_per_family) == (15, 1)
    assert read({"candidates": [], "value": "additive"}).limits.floor_points is None
    assert read({"candidates": [], "limits": {"floor_points": None}}).limits.floor_points is None


PLACES: list[tuple[Any, str]] = [
    (b"{", "The input is not JSON: "),
    (b"\xff\xfe", "The input is not UTF-8 text."),
    (b"[" * 100_000, "nested too deeply"),
    (b"7", "The input must be a JSON object."),
    (b'{"candidates": [], "seed": 1, "seed": 2}', "The input has the key 'seed' twice."),
    (b'{"candidates": [{"id": "a", "cost": NaN}]}', "candidates[0].cost must be a number"),
    ({}, "The input needs the field 'candidates'."),
    (changed(candidats=[]), "The input has the unknown field 'candidats'; known are candidates, "),
    (changed(candidates={}), "candidates must be a list."),
    (changed(candidates=[7]), "candidates[0] must be a JSON object."),
    (changed(candidates=[{}]), "candidates[0] needs the field 'id'."),
    (changed(candidates=[{"id": "a"}, {"id": "a"}]), "candidates[1]: two candidates are called 'a'."),
    (candidate(acuracy=1), "candidates[0] has the unknown field 'acuracy'"),
    (candidate(accuracy=80), "candidates[0].accuracy must be a number from 0 to 1."),
    (candidate(cost=-1), "candidates[0].cost must be a number from 0 to 1e+12."),
    (candidate(cost="1"), "candidates[0].cost must be a number"),
    (candidate(cost=True), "candidates[0].cost must be a number"),
    (candidate(healthy="yes"), "candidates[0].healthy must be true or false."),
    (candidate(tags="code"), "candidates[0].tags must be a list."),
    (candidate(tags=[""]), "candidates[0].tags[0] must be a text that is not empty."),
    (candidate(asked=3, right=4), "candidates[0].right must not be more than candidates[0].asked."),
    (candidate(interval=[0.1]), "candidates[0].interval must be a list of two numbers."),
    (limited(max_sise=3), "limits has the unknown field 'max_sise'"),
    (limited(min_size=0), "limits.min_size must be a whole number from 1 up."),
    (limited(resources={"x": {}}), "limits.resources.x needs the field 'capacity'."),
    (
        limited(resources={"x": {"capacity": 1, "use": {"q": 1}}}),
        "limits.resources.x.use: there is no candidate 'q'.",
    ),
    (changed(hosts={"gpu": {"mode": "shared"}}), "hosts.gpu.mode must be resident or swapped."),
    (changed(roles=[{"name": "r", "min": 2, "max": 1}]), "roles[0].max must not be less than roles[0].min."),
    (changed(roles=[{"name": "r"}, {"name": "r"}]), "roles[1]: two roles are called 'r'."),
    (changed(required=["q"]), "required[0]: there is no candidate 'q'."),
    (
        changed(scenarios={"truth": ["A"], "answers": {"a": []}}),
        "scenarios.answers.a has 0 answers for 1 truths.",
    ),
    (
        changed(scenarios={"truth": ["A"], "answers": {"a": [3]}}),
        "scenarios.answers.a[0] must be a text, true, false",
    ),
    (
        changed(scenarios={"truth": ["A"], "answers": {"q": ["A"]}}),
        "scenarios.answers: there is no candidate 'q'.",
    ),
    (voted(None, None), "scenarios.ballots has 2 rows for 1 truths."),
    (voted(7), "scenarios.ballots[0] must be a JSON object."),
    (voted({"a": 7}), "scenarios.ballots[0].a must be a JSON object."),
    (voted({"b": {"a": 101}}), "scenarios.ballots[0].b.a must be a number from -100 to 100."),
    (voted({"b": {"a": True}}), "scenarios.ballots[0].b.a must be a number from -100 to 100."),
    (voted({"q": {"a": 1}}), "scenarios.ballots[0].q: scenarios.answers has no 'q'."),
    (voted({"a": {"q": 1}}), "scenarios.ballots[0].a: scenarios.answers has no 'q'."),
    (voted({"a": {"a": 1}}), "scenarios.ballots[0].a: nobody weighs their own answer."),
    (voted({"a": {"b": 1}}), "scenarios.ballots[0].a: b was not asked, so there is no answer to weigh."),
    (changed(own_rule=7), "own_rule must be a JSON object."),
    (changed(own_rule={"rule": "borda"}), "own_rule.rule must be quadratic or quadratic_sdk or "),
    (changed(own_rule={"winner_by": "seat"}), "own_rule.winner_by must be proposal or class."),
    (changed(mode="fast"), "mode must be deterministic or dynamic or pinned or replay."),
    (changed(mode="pinned"), "mode pinned needs the field 'required'."),
    (changed(value="sum"), "value must be team or additive."),
    (changed(seed=-1), "seed must be a whole number from 0 up."),
    (changed(time_limit_s=0), "time_limit_s must be a number from 0.01 to 3600."),
    (changed(family_phi={"f": 2}), "family_phi.f must be a number from 0 to 0.99."),
]


@pytest.mark.parametrize(("value", "sentence"), PLACES, ids=[sentence[:40] for _, sentence in PLACES])
def test_a_bad_request_is_refused_in_one_sentence(value: Any, sentence: str) -> None:
    with pytest.raises(RequestError) as refusal:
        read(value)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


class TestCommand:
    def test_it_reads_a_file(self, tmp_path, capsys) -> None:
        file = tmp_path / "request.json"
        file.write_text(json.dumps(REQUEST))
        call_command("choose_panel", str(file))
        printed = json.loads(capsys.readouterr().out)
        assert (printed["chosen"], printed["roles"], printed["status"]) == (["a"], {"a": "critic"}, "optimal")
        assert {
            "chosen", "roles", "value", "value_unseen", "objective", "bound", "gap", "status", "kept", "candidates",
            "runner_up", "best_single", "additive", "breakpoints", "conflict",
        } <= set(printed)  # fmt: skip

    def test_it_reads_standard_input(self, monkeypatch, capsys) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(REQUEST).encode())))
        call_command("choose_panel", "-")
        assert json.loads(capsys.readouterr().out)["chosen"] == ["a"]

    def test_no_panel_prints_its_receipt_and_exits_with_three(self, tmp_path, capsys) -> None:
        file = tmp_path / "request.json"
        file.write_text(json.dumps(limited(max_cost=0.001)))
        with pytest.raises(CommandError, match="No panel: no candidate can sit: ") as refusal:
            call_command("choose_panel", str(file))
        assert refusal.value.returncode == 3
        assert json.loads(capsys.readouterr().out)["chosen"] == []

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [
            ("/nowhere/request.json", "/nowhere/request.json cannot be read: No such file or directory."),
            ("/", "/ cannot be read: Is a directory."),
            ("/dev/null", "The input is not JSON"),
        ],
    )
    def test_bad_input_exits_with_two(self, name: str, sentence: str) -> None:
        with pytest.raises(CommandError) as refusal:
            call_command("choose_panel", name)
        assert sentence in str(refusal.value)
        assert refusal.value.returncode == 2


class TestSchema:
    """broker/selection/request.schema.json says what the reader reads."""

    SCHEMA = json.loads((Path(types.__file__).parent / "request.schema.json").read_text())["properties"]

    @pytest.mark.parametrize(
        ("schema", "read"),
        [
            (SCHEMA, types.PanelRequest.KNOWN),
            (SCHEMA["candidates"]["items"]["properties"], types.Candidate.KNOWN),
            (SCHEMA["limits"]["properties"], types.Limits.KNOWN),
            (SCHEMA["scenarios"]["properties"], ("truth", "answers", "ballots")),
            (SCHEMA["own_rule"]["properties"], ("rule", "winner_by", "family_share")),
            (SCHEMA["roles"]["items"]["properties"], ("name", "min", "max", "tags", "floor_points")),
        ],
        ids=["request", "candidate", "limits", "scenarios", "own rule", "role"],
    )
    def test_it_names_the_same_fields(self, schema: dict[str, Any], read: tuple[str, ...]) -> None:
        assert tuple(schema) == read

    def test_its_defaults_are_the_reader_s(self) -> None:
        request = read({"candidates": []})
        for name in (
            "rounds",
            "mode",
            "value",
            "seed",
            "time_limit_s",
            "breakpoints",
            "family_phi",
            "common_phi",
        ):
            assert self.SCHEMA[name]["default"] == getattr(request, name)
        for name in ("min_size", "max_per_family"):
            assert self.SCHEMA["limits"]["properties"][name]["default"] == getattr(request.limits, name)
        for name, schema in self.SCHEMA["own_rule"]["properties"].items():
            assert schema["default"] == getattr(request.own_rule, name)

    def test_its_choices_are_the_reader_s(self) -> None:
        assert tuple(self.SCHEMA["mode"]["enum"]) == (*types.MODES, None)
        assert tuple(self.SCHEMA["value"]["enum"]) == (*types.VALUES, None)
        own = self.SCHEMA["own_rule"]["properties"]
        assert tuple(own["rule"]["enum"]) == (*own_rule.RULES, None)
        assert tuple(own["winner_by"]["enum"]) == (*own_rule.WINNERS_BY, None)
