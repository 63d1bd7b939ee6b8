"""After the end: the verdict is overturned, by one person or by two, and the record stays as it was."""

import re

import pytest

from deliberation import parts
from deliberation.models import Overturn, Session
from deliberation.replaying import replay, verify_kept_chain
from tests.deliberation.acting import Answer, Scene, key, signed_in
from tests.deliberation.reading import read

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
BOX = re.compile(r'<section class="card stack-tight" id="overturn"[^>]*>')
REASON = "A later measurement says otherwise."


def end(room: Scene, *, quorum: int = 1) -> Scene:
    rules = {**room.table.session.rules, "veto_quorum": quorum}
    room.table.all_review()
    room.table.advance()
    room.go_on()
    room.table.stop(room.owner)
    Session.objects.filter(pk=room.table.id).update(rules=rules)
    return room


def overturn(room: Scene, who: str = "owner", **more: str) -> Answer:
    return room.press(getattr(room, who), "overturn", {"reason": REASON, "key": key(), **more})


def answer(room: Scene, who: str, what: str) -> Answer:
    return overturn(room, who, overturn=str(Overturn.objects.latest("pk").pk), answer=what)


def test_the_owner_overturns_with_a_reason_and_the_record_stays(room: Scene) -> None:
    verdict = end(room).table.session.verdict
    answer = overturn(room)
    assert (answer.status, answer.kinds) == (200, ["verdict.overturned"])
    assert f"this stands before it (event {room.head})" in answer.words
    assert REASON not in str(answer.told)
    assert f"overturned by owner: {REASON}" in room.look(room.colleague).words
    room.table.session.refresh_from_db()
    assert room.table.session.verdict == verdict
    assert verify_kept_chain(str(room.table.session.pk)).ok
    assert not list(replay(room.table.session))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"reason": " "}, "Say why: a verdict is not overturned without a reason."),
        ({"reason": "x" * 2001}, "The reason is longer than 2,000 characters."),
        ({"key": ""}, "This form is not complete."),
    ],
)
def test_what_lacks_something_is_refused_and_stays_typed(
    room: Scene, more: dict[str, str], sentence: str
) -> None:
    refused = overturn(end(room), **more)
    assert (refused.status, refused.kinds) == (422, [])
    assert sentence in refused.words
    assert refused.page.fields["reason"].strip() == more.get("reason", REASON).strip()


def test_who_may_not_steer_overturns_nothing(room: Scene) -> None:
    refused = overturn(end(room), "colleague")
    assert (refused.status, refused.kinds) == (422, [])
    assert "Only the owner of this deliberation overturns its verdict." in refused.words


def test_a_running_session_has_no_verdict_to_overturn(room: Scene) -> None:
    refused = overturn(room)
    assert (refused.status, refused.kinds) == (422, [])
    assert "There is no verdict to overturn." in refused.words


def test_twice_is_once_and_overturned_is_overturned(room: Scene) -> None:
    press = key()
    overturn(end(room), key=press)
    assert overturn(room, key=press).kinds == []
    again = overturn(room)
    assert (again.status, again.kinds) == (422, [])
    assert "It is overturned already." in again.words


def test_where_a_veto_takes_two_an_overturn_takes_two(room: Scene) -> None:
    asked = overturn(end(room, quorum=2))
    assert asked.kinds == ["overturn.requested"]
    assert "Asked: the verdict stands until a second person confirms" in asked.words
    own = answer(room, "owner", "confirm")
    assert (own.status, own.kinds) == (422, [])
    assert "You asked for it yourself" in own.words
    confirmed = answer(room, "colleague", "confirm")
    assert confirmed.kinds == ["verdict.overturned"]
    assert f"overturned by owner and colleague: {REASON}" in room.look(room.guest).words


@pytest.mark.parametrize(("who", "outcome"), [("owner", "withdrawn"), ("colleague", "refused")])
def test_a_request_is_withdrawn_or_refused_and_may_be_made_anew(room: Scene, who: str, outcome: str) -> None:
    overturn(end(room, quorum=2))
    dropped = answer(room, who, "drop")
    assert [data["outcome"] for _, data in dropped.told] == [outcome]
    assert "asks to overturn the verdict: " not in room.look(room.owner).words
    assert answer(room, "colleague", "confirm").status == 422
    assert overturn(room).kinds == ["overturn.requested"]


def test_what_happened_meanwhile_is_told_and_the_reason_kept(room: Scene) -> None:
    seen = end(room).head
    room.press(room.owner, "rule", {"right": "yes"})
    answer = overturn(room, seen=str(seen))
    assert (answer.status, answer.kinds) == (409, [])
    assert "owner ruled that the verdict is right" in answer.words
    assert answer.page.fields["reason"].strip() == REASON
    assert overturn(room, seen=str(room.head)).kinds == ["verdict.overturned"]


def test_who_may_overturn_has_the_form_when_the_verdict_comes_to_an_open_page(room: Scene) -> None:
    pages = [signed_in(user).get(f"/sessions/{room.table.id}/") for user in (room.owner, room.colleague)]
    boxes = [BOX.findall(page.content.decode()) for page in pages]
    assert [("data-when-concluded" in box, "hidden" in box) for (box,) in boxes] == [
        (True, False),
        (True, True),
    ]


def box(room: Scene, who: str) -> tuple[str, str]:
    """The box alone as a person's open page asks for it: its first tag, and its words."""
    answer = signed_in(getattr(room, who)).get(
        f"/sessions/{room.table.id}/?overturn=1", headers={"HX-Request": "true"}
    )
    html = answer.content.decode()
    return BOX.findall(html)[0], read(answer).words


def test_the_box_follows_for_each_as_the_verdict_is_pushed(room: Scene) -> None:
    end(room, quorum=2)
    assert "hidden" in box(room, "colleague")[0] and "Ask to overturn" in box(room, "owner")[1]
    for act, told in (
        (lambda: overturn(room), "Withdraw the request"),
        (lambda: answer(room, "colleague", "confirm"), "overturned by owner and colleague"),
    ):
        act()
        tag, words = box(room, "owner")
        assert told in words
        seq = f'data-overturn="{room.head}"'
        assert seq in tag and seq in parts.fresh(room.table.id).html("verdict", "open")
    assert "hidden" not in box(room, "colleague")[0]


def test_after_a_request_was_dropped_box_and_verdict_are_as_before(room: Scene) -> None:
    overturn(end(room, quorum=2))
    assert "Do not overturn" in box(room, "colleague")[1]
    answer(room, "colleague", "drop")
    assert 'data-overturn=""' in box(room, "owner")[0] and "Ask to overturn" in box(room, "owner")[1]
    assert 'data-overturn=""' in parts.fresh(room.table.id).html("verdict", "open")
    assert "hidden" in box(room, "colleague")[0]


def test_an_open_page_is_shown_the_way_to_decide(room: Scene) -> None:
    link = f'href="/sessions/{room.table.id}/?decide=1#overturn"'
    overturn(end(room, quorum=2))
    assert link in parts.fresh(room.table.id).html("verdict", "open")
    answer(room, "colleague", "confirm")
    assert link not in parts.fresh(room.table.id).html("verdict", "open")
