import json
from collections.abc import Mapping
from typing import Any

import pytest

from broker.inference.base import Reply, Request
from broker.inference.simulated import DEMO_PANEL
from tests.inference.calls import TRAITS, ask, endpoint, reply_of, request

HERE = endpoint(kind="simulated", base_url="", max_concurrency=64)
SURE = {**TRAITS, "competence": 1.0, "discernment": 1.0, "herding": 0.0}
LOST = {**TRAITS, "competence": 0.0, "discernment": 0.0, "herding": 0.0}
CANDIDATES: tuple[dict[str, Any], ...] = (
    {"label": "B", "answer": "The answer is 391. 17 * 23 = 391.", "final_answer": "391", "reasoning": "",
     "claims": [{"id": "c1", "text": "17 * 23 = 391."}]},
    {"label": "A", "answer": "The answer is 381. 17 * 23 = 381.", "final_answer": "381", "reasoning": "",
     "claims": [{"id": "c2", "text": "17 * 23 = 381."}]},
    {"label": "C", "answer": "I would rather not say. Sorry.", "final_answer": None, "reasoning": "",
     "claims": []},
)  # fmt: skip


def propose(task: str = "What is 17*23?", **changes: Any) -> Request:
    inputs = {"task": task, "round": 1, "own": None, "critiques": [], "state": []}
    return request(HERE, inputs=inputs | changes.pop("inputs", {}), **changes)


def review(task: str = "What is 17*23?", candidates: object = CANDIDATES, **changes: Any) -> Request:
    inputs = {"task": task, "round": 1, "own": None, "candidates": candidates, **changes.pop("inputs", {})}
    return request(HERE, exchange="review", schema_name="review", inputs=inputs, **changes)


def said(asked: Request) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(reply_of(asked).body)
    return value


def weights(reply: Mapping[str, Any]) -> dict[str, int]:
    return {each["candidate"]: each["weight"] for each in reply["reviews"]}


def test_the_same_request_gives_the_same_bytes_whatever_the_attempt() -> None:
    for asked in (propose, review):
        bodies = {reply_of(asked(attempt=attempt)).body for attempt in (1, 1, 2)}
        assert len(bodies) == 1


@pytest.mark.parametrize("change", [{"seed": 8}, {"seat": 2}, {"round": 2}])
def test_seed_seat_and_round_each_make_a_difference(change: dict[str, int]) -> None:
    """Over some seats, since two draws may agree."""
    traits = {**TRAITS, "competence": 0.5, "verbosity": 0.5}
    turns: list[dict[str, Any]] = [
        {"seed": 7, "seat": seat, "round": 1, "traits": traits} for seat in range(3, 9)
    ]
    plain = [reply_of(propose(**turn)).body for turn in turns]
    assert plain != [reply_of(propose(**turn | change)).body for turn in turns]


def test_a_proposal_has_the_fields_of_the_exchange() -> None:
    reply = said(propose(traits=SURE))
    assert list(reply) == ["reasoning", "answer", "final_answer", "claims", "confidence", "addressed"]
    assert reply["final_answer"] == "391"
    assert reply["answer"].startswith("The answer is 391.")
    assert reply["claims"] == [{"text": "17 * 23 = 391."}]
    assert 0 < reply["confidence"] < 1


def test_competence_decides_how_often_an_expert_is_right() -> None:
    traits = {**TRAITS, "competence": 0.7, "max_s": 0.0}
    answers = [said(propose(seed=seed, traits=traits))["final_answer"] for seed in range(200)]
    assert 110 < answers.count("391") < 170
    assert len(set(answers)) > 3


def test_a_wrong_answer_is_a_slip_that_its_own_steps_show() -> None:
    reply = said(propose(traits=LOST))
    assert reply["final_answer"] != "391"
    assert abs(int(reply["final_answer"]) - 391) <= 196
    assert reply["claims"] == [{"text": f"17 * 23 = {reply['final_answer']}."}]


def test_the_bank_is_answered_rightly_or_wrongly() -> None:
    task = "What is the capital of Australia?"
    assert said(propose(task, traits=SURE))["final_answer"] == "Canberra"
    assert said(propose(task, traits=LOST))["final_answer"] in ("Sydney", "Melbourne")


def test_a_free_question_is_answered_by_saying_that_this_is_a_simulation() -> None:
    replies = [said(propose("Should we move to a four-day week?", seat=seat)) for seat in range(1, 6)]
    assert all("simulated expert" in reply["answer"] for reply in replies)
    assert all(reply["final_answer"] is None and reply["confidence"] is None for reply in replies)
    assert all(reply["claims"] == [] for reply in replies)
    assert len({reply["answer"] for reply in replies}) > 1


def later(own: str, supported: str, **changes: Any) -> Request:
    inputs = {
        "own": {"answer": f"The answer is {own}. 17 * 23 = {own}.", "reasoning": "", "net_support": -0.4},
        "state": [
            {"kind": "claim", "status": "contested", "id": "c9", "text": "17 * 23 = 401."},
            {"kind": "position", "status": "winner", "id": "p1", "text": f"The answer is {supported}."},
            {"kind": "position", "status": "minority", "id": "p2", "text": "The answer is 408."},
        ],
    }
    return propose(round=2, inputs=inputs, **changes)


def test_discernment_takes_the_supported_answer_where_it_is_right_and_only_there() -> None:
    assert said(later("381", "391", traits=SURE))["final_answer"] == "391"
    assert said(later("391", "381", traits=SURE))["final_answer"] == "391"
    assert said(later("381", "401", traits=SURE))["final_answer"] == "381"


def test_herding_takes_the_supported_answer_right_or_wrong_and_without_it_an_expert_stays() -> None:
    herd = {**LOST, "herding": 1.0}
    assert said(later("391", "381", traits=herd))["final_answer"] == "381"
    assert said(later("381", "391", traits=herd))["final_answer"] == "391"
    assert said(later("381", "391", traits=LOST))["final_answer"] == "381"


def test_a_criticised_answer_is_worked_out_anew_and_the_critique_is_addressed() -> None:
    items = [{"verdict": "refuted", "text": "no"}]
    critiques = [{"claim_id": "c2", "claim_text": "17 * 23 = 381.", "items": items}]
    own = {"answer": "The answer is 381. 17 * 23 = 381.", "reasoning": "", "net_support": -0.4}
    reply = said(propose(round=2, inputs={"own": own, "critiques": critiques}, traits=SURE))
    assert reply["final_answer"] == "391"
    assert reply["addressed"] == [{"claim_id": "c2", "how": "I worked it out again and get 391."}]
    assert "criticised" in reply["reasoning"]


def test_a_review_weighs_the_right_up_and_the_wrong_down_within_the_credits() -> None:
    reply = said(review(traits=SURE))
    assert list(reply) == ["reviews", "missed"]
    assert weights(reply)["B"] > 0 > weights(reply)["A"]
    assert weights(reply)["C"] == 0
    assert sum(map(abs, weights(reply).values())) <= 100
    by_label = {each["candidate"]: each for each in reply["reviews"]}
    assert [by_label[label]["stance"] for label in "BAC"] == ["strong_agree", "strong_disagree", "neutral"]
    assert by_label["B"]["claims"][0]["verdict"] == "verified"
    assert by_label["A"]["claims"][0]["verdict"] == "refuted"


def test_many_candidates_still_cost_no_more_than_the_credits() -> None:
    many = [{**CANDIDATES[number % 2], "label": str(number)} for number in range(12)]
    for seat in range(1, 20):
        asked = review(candidates=many, seat=seat, max_tokens=5_000)
        assert sum(map(abs, weights(said(asked)).values())) <= 100


def test_quotes_are_copied_from_the_candidate() -> None:
    for each, candidate in zip(said(review())["reviews"], CANDIDATES, strict=True):
        for claim in each["claims"]:
            assert claim["quote"] in str(candidate["answer"])


def test_without_discernment_a_reviewer_goes_by_its_own_answer() -> None:
    own = {"answer": "The answer is 381. 17 * 23 = 381.", "reasoning": "", "net_support": None}
    reply = said(review(inputs={"own": own}, traits=LOST))
    assert weights(reply)["A"] > 0 > weights(reply)["B"]


def test_the_order_and_the_labels_of_candidates_do_not_matter() -> None:
    turned = [{**candidate, "label": f"X{candidate['label']}"} for candidate in reversed(CANDIDATES)]
    for seat in range(1, 8):
        plain, other = weights(said(review(seat=seat))), weights(said(review(seat=seat, candidates=turned)))
        assert {f"X{label}": weight for label, weight in plain.items()} == other


def test_a_free_question_is_reviewed_without_conviction() -> None:
    reply = said(review("Should we move to a four-day week?"))
    assert all(abs(weight) <= 10 for weight in weights(reply).values())
    assert all(each["stance"] == "neutral" and each["claims"] == [] for each in reply["reviews"])


def test_it_streams_takes_its_time_and_counts_its_tokens() -> None:
    text, reply = ask(propose(traits={**TRAITS, "min_s": 0.1, "max_s": 0.2}))
    assert isinstance(reply, Reply)
    assert text.encode() == reply.body
    assert reply.ttft_ms is not None
    assert 0 < reply.ttft_ms < reply.latency_ms
    assert reply.latency_ms >= 95
    assert reply.tokens_in == 6
    assert reply.tokens_out == -(-len(text) // 4)
    assert (reply.served_model, reply.finish_reason) == ("simulated", "stop")


def test_it_is_cut_at_its_tokens_like_any_model() -> None:
    reply = reply_of(propose(max_tokens=10))
    assert (len(reply.body), reply.tokens_out, reply.finish_reason) == (40, 10, "length")


def test_the_demo_panel_is_five_experts_of_five_families() -> None:
    assert len({expert.alias for expert in DEMO_PANEL}) == len({expert.family for expert in DEMO_PANEL}) == 5
    for expert in DEMO_PANEL:
        assert 0.6 <= expert.traits["competence"] <= 0.86
        assert 0.7 <= expert.traits["discernment"] <= 0.9
        assert (expert.traits["min_s"], expert.traits["max_s"]) == (0.3, 0.8)
