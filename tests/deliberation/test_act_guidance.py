"""Leaving guidance and taking it back: what the person sees, what the trail holds, and which prompt carries it."""

import json

import pytest

from deliberation import parts
from deliberation.models import Blob, Guidance
from deliberation.prompts import propose
from deliberation.selectors import prompting, steering
from deliberation.services.people import GUIDANCE_CHARS
from tests import builders
from tests.deliberation.acting import Scene, key, scene

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
TEXT = "Show the carry of each step."
HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} "quoted" & <b hx-get="/x">b</b>'


def left(text: str = TEXT, **more: str) -> dict[str, str]:
    return {"text": text, "to": "", "key": key(), **more}


def next_round(room: Scene) -> None:
    room.table.all_review()
    room.table.advance()
    assert room.go_on() == "proposing"


def guidance_of(room: Scene, seat: int) -> list[str]:
    """What the prompt of this agent's next proposal carries."""
    room.table.session.refresh_from_db()
    participant = room.table.session.participants.get(seat=seat)
    return list(prompting.propose_inputs(prompting.table(room.table.session), participant).guidance)


@BOTH
def test_guidance_is_told_by_its_hash_and_reaches_the_next_round_s_prompts(room: Scene, htmx: bool) -> None:
    answer = room.press(room.colleague, "guidance", left(), htmx=htmx)
    assert answer.status == 200
    assert "Guidance left: the next round's prompts carry it" in answer.words
    assert f"(event {room.head})" in answer.words
    assert answer.kinds == ["guidance.left"]
    told = answer.told[0][1]
    assert (told["round"], told["seat"]) == (1, None)
    assert bytes(Blob.objects.get(pk=told["text"]["blob"]).content).decode() == TEXT
    assert TEXT not in json.dumps(answer.told)
    assert TEXT in room.look(room.owner).words
    next_round(room)
    assert [guidance_of(room, seat) for seat in room.agents] == [[TEXT]] * 3


def test_guidance_for_one_agent_reaches_nobody_else(room: Scene) -> None:
    one, two, three = room.agents
    answer = room.press(room.owner, "guidance", left(to=str(two)))
    assert answer.told[0][1]["seat"] == two
    next_round(room)
    assert [guidance_of(room, seat) for seat in (one, two, three)] == [[], [TEXT], []]


def test_guidance_moves_no_tally(room: Scene) -> None:
    room.table.all_review()
    before = room.counted().tally
    room.press(room.owner, "guidance", left())
    assert room.counted().tally == before


REFUSED = {
    "empty": ({"text": ""}, "Write the guidance first: it is empty."),
    "blank": ({"text": " \n\t "}, "Write the guidance first: it is empty."),
    "too long": (
        {"text": "x" * (GUIDANCE_CHARS + 1)},
        "Guidance has at most 4,000 characters; this has 4,001.",
    ),
    "to nobody": ({"to": "99"}, "There is no agent in seat 99."),
    "to a person": ({"to": "1"}, "There is no agent in seat 1."),
    "to a word": ({"to": "C"}, "This form is not complete."),
    "to an endless number": ({"to": "9" * 300}, "This form is not complete."),
    "no key": ({"key": ""}, "This form is not complete. Load the page again"),
}


@BOTH
@pytest.mark.parametrize(("more", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_left_is_refused_and_stays_typed(
    room: Scene, more: dict[str, str], sentence: str, htmx: bool
) -> None:
    sent = left(**more)
    answer = room.press(room.owner, "guidance", sent, htmx=htmx)
    assert (answer.status, answer.kinds) == (422, [])
    assert sentence in answer.words
    assert answer.page.fields["text"].strip() == sent["text"].strip()
    assert not Guidance.objects.exists()


def test_the_choice_of_the_addressee_stays_too(room: Scene) -> None:
    to = str(room.agents[1])
    answer = room.press(room.owner, "guidance", left("", to=to), htmx=True)
    assert (answer.status, answer.page.fields["to"]) == (422, to)


def test_the_longest_guidance_is_taken(room: Scene) -> None:
    answer = room.press(room.owner, "guidance", left("x" * GUIDANCE_CHARS))
    assert answer.kinds == ["guidance.left"]


def test_hostile_words_are_shown_as_words_and_kept_to_the_letter(room: Scene) -> None:
    quiet = room.look(room.colleague)
    room.press(room.owner, "guidance", left(HOSTILE))
    page = room.look(room.colleague)
    assert page.dangers == []
    assert 'hx-get="/x"' not in " ".join(page.htmx)
    assert "{{ 7*7 }}" in page.words
    assert quiet.dangers == []
    next_round(room)
    assert guidance_of(room, room.agents[0]) == [HOSTILE]


@BOTH
def test_the_same_press_twice_is_one_guidance(room: Scene, htmx: bool) -> None:
    body = left()
    room.press(room.owner, "guidance", body, htmx=htmx)
    number = room.head
    again = room.press(room.owner, "guidance", body, htmx=htmx)
    assert (again.status, again.kinds) == (200, [])
    assert f"(event {number})" in again.words
    assert Guidance.objects.count() == 1


def test_in_the_last_round_it_would_reach_nobody_and_says_so() -> None:
    room = scene(prefix="last-", max_rounds=1)
    answer = room.press(room.owner, "guidance", left(), htmx=True)
    assert (answer.status, answer.kinds) == (422, [])
    assert "This is the last round: its prompts are out already" in answer.words
    assert answer.page.fields["text"].strip() == TEXT


def test_an_ended_session_takes_none_and_says_so(room: Scene) -> None:
    room.table.stop(room.owner)
    for htmx in (False, True):
        answer = room.press(room.owner, "guidance", left(), htmx=htmx)
        assert (answer.status, answer.kinds) == (422, [])
        assert "This deliberation has ended. Its record stays as it is" in answer.words


# Taking back


@BOTH
def test_guidance_withdrawn_reaches_no_prompt_that_is_built_after(room: Scene, htmx: bool) -> None:
    room.press(room.colleague, "guidance", left())
    answer = room.press(room.owner, "withdraw_guidance", htmx=htmx, pk=Guidance.objects.get().pk)
    assert (answer.status, answer.kinds) == (200, ["guidance.withdrawn"])
    assert f"Withdrawn: no prompt built after this carries it (event {room.head})" in answer.words
    next_round(room)
    assert guidance_of(room, room.agents[0]) == []


def test_it_is_withdrawn_once(room: Scene) -> None:
    room.press(room.owner, "guidance", left())
    pk = Guidance.objects.get().pk
    room.press(room.owner, "withdraw_guidance", pk=pk)
    answer = room.press(room.owner, "withdraw_guidance", pk=pk, htmx=True)
    assert (answer.status, answer.kinds) == (422, [])
    assert "This guidance is withdrawn already." in answer.words


def test_only_its_author_and_the_owner_withdraw_it(room: Scene) -> None:
    room.press(room.owner, "guidance", left())
    answer = room.press(room.colleague, "withdraw_guidance", pk=Guidance.objects.get().pk, htmx=True)
    assert (answer.status, answer.kinds) == (422, [])
    assert "Guidance is withdrawn by its author or by the owner of the deliberation." in answer.words
    assert Guidance.objects.get().withdrawn_at is None


def test_guidance_of_another_session_is_not_withdrawn_from_here(room: Scene) -> None:
    other = scene(prefix="other-")
    builders.Table.guide(other.table, other.owner)
    answer = room.press(room.owner, "withdraw_guidance", pk=Guidance.objects.get().pk, htmx=True)
    assert (answer.status, answer.kinds) == (422, [])
    assert Guidance.objects.get().withdrawn_at is None


@BOTH
def test_before_it_is_left_it_is_shown_as_the_agents_would_read_it(room: Scene, htmx: bool) -> None:
    room.table.guide(room.colleague, "Show the carry.")
    to = str(room.agents[0])
    body = {"text": "Check <b>twice</b>.", "to": to, "key": key(), "preview": "1"}
    answer = room.press(room.owner, "guidance", body, htmx=htmx)
    assert (answer.status, answer.kinds) == (200, [])
    assert "Agent C would read this in round 2" in answer.words
    assert "- Check <b>twice</b>. - Show the carry." in answer.words
    assert (answer.page.fields["text"].strip(), answer.page.fields["to"]) == ("Check <b>twice</b>.", to)
    assert room.press(room.owner, "guidance", {**body, "text": " "}, htmx=htmx).status == 422


def test_what_is_shown_is_what_the_next_prompt_carries(room: Scene) -> None:
    words = "Check twice."
    here = parts.fresh(room.table.id).room
    shown = steering.guidance_in_prompt(here, words, to_seat=None, audience="open").text
    room.table.guide(room.owner, words)
    room.table.all_review()
    room.table.advance()
    room.go_on()
    turn = room.table.turn(room.agents[0], "propose")
    inputs = prompting.propose_inputs(prompting.table(room.table.session), turn.participant)
    sent = propose.build(inputs).messages[1]["content"]
    assert shown.replace("MARK", inputs.nonce) in sent


def test_who_votes_blind_does_not_learn_who_sits_from_what_is_hidden() -> None:
    """Names that are typed on a guess: were those alone hidden who sit, the guess would be answered."""
    room = scene(prefix="guess-", blind=True)
    receipt = room.table.session.selection.receipt
    names = [line["id"] for line in receipt["candidates"]]
    assert len(names) > len(receipt["chosen"])
    guess = f"One of {', '.join(names)} is off by ten."
    body = {"text": guess, "to": "", "key": key()}
    shown = room.press(room.owner, "guidance", {**body, "preview": "1"}, htmx=True)
    assert guess in shown.words
    room.press(room.owner, "guidance", body, htmx=True)
    part = parts.fresh(room.table.id).html("guidance", "blind")
    assert not [name for name in names if name in part]
