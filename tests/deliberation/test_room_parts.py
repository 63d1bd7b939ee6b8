"""A pushed part equals the part of a fresh page: whatever an event changes, PARTS sends."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from broker.inference.base import TimedOut
from broker.models import Model, Selection
from deliberation import parts
from deliberation.claims import claimed
from deliberation.models import Session, Turn, Veto
from deliberation.selectors import cards
from deliberation.selectors.access import BLIND, OPEN
from deliberation.services import invitations, people, people_steering, rulings, seats, sessions, turns
from tests import builders
from tests.builders import Table

pytestmark = pytest.mark.django_db

Place = tuple[str, str, str]


def rendered(sheet: parts.Sheet) -> dict[Place, str]:
    """Every part of a fresh page for both audiences, each card apart."""
    keys = [f"{n}-{seat}" for n in sheet.room.rounds for seat in cards.seats_of(sheet.room, n)]
    places = [(name, "") for name in parts.WHOLE] + [(parts.KEYED, key) for key in keys]
    return {
        (name, key, audience): sheet.html(name, audience, key)
        for name, key in places
        for audience in (OPEN, BLIND)
    }


def skeleton(html: str) -> str:
    """The list of cards without what stands in them: that is pushed card by card."""
    return re.sub(r"<article.*?</article>", "<article/>", html, flags=re.S)


def unpushed(before: parts.Sheet, after: parts.Sheet) -> set[Place]:
    """Parts that changed and that no push from `before` to `after` brings."""
    old, new = rendered(before), rendered(after)
    pushed = set(parts.changed(after, before.seq))
    whole_list = ("proposals", "") in pushed
    found = set()
    for (name, key, audience), html in new.items():
        was = old.get((name, key, audience), "")
        same = skeleton(html) == skeleton(was) if name == "proposals" else html == was
        brought = (name, key) in pushed or (name == parts.KEYED and whole_list)
        if not same and not brought:
            found.add((name, key, audience))
    return found


def walk() -> Iterator[tuple[Table, Callable[[], object]]]:
    """A session with every kind of event, one act at a time."""
    owner, colleague = builders.person("owner"), builders.person("colleague")
    table = builders.opened(owner, take_part=True, human_window_s=60, blind=True)
    invited = builders.person("invited")
    yield table, lambda: invitations.invite_by_name(table.id, owner, "invited")
    yield table, table.staff
    agents = table.agents
    yield table, lambda: table.begin("propose")
    yield table, lambda: table.propose(agents[0])
    yield table, lambda: failed_attempt(table, agents[1])
    yield table, lambda: table.propose(agents[1], "381")
    yield table, lambda: table.vote(owner, {agents[0]: 3, agents[1]: -2})
    yield table, lambda: table.abstain(agents[2], "propose")
    yield table, table.advance
    yield table, lambda: invitations.answer_by_name(table.id, invited, accepts=True)
    yield table, lambda: table.begin("review")
    yield table, lambda: table.review(agents[0], {agents[1]: -40}, verdict="contested")
    yield table, lambda: table.strike(owner, agents[1])
    yield table, lambda: table.guide(owner)
    yield table, lambda: sessions.pause(table.id, owner)
    yield table, lambda: sessions.resume(table.id, owner)
    yield table, lambda: table.review(agents[1], {agents[0]: 90})
    yield table, lambda: table.abstain(agents[2], "review", "unauthorized")
    yield table, table.advance
    yield table, lambda: people.withdraw_veto(table.id, owner, Veto.objects.get().pk)
    yield table, lambda: people.done(table.id, owner, round_number=1)
    yield table, table.end_hold
    yield table, lambda: table.strike(owner, agents[0], round_number=1)
    yield table, lambda: table.strike(colleague, agents[1], kind="ballot", round_number=1)
    yield from asked_and_answered(table, owner, colleague)
    yield table, lambda: people.withdraw_guidance(table.id, owner, table.session.guidance.get().pk)
    yield table, table.all_propose
    yield from thought_better_of(table, owner, colleague)
    yield table, table.all_review
    yield table, table.advance
    yield table, lambda: people.need_more_time(table.id, owner, round_number=2)
    yield table, table.end_hold
    yield table, lambda: late_answer(table, agents[0])
    yield from to_the_end(table, owner)


def thought_better_of(
    table: Table, owner: User, colleague: User
) -> Iterator[tuple[Table, Callable[[], object]]]:
    """What is taken back before it takes effect, and one more round that is asked for again."""
    yield table, lambda: people.propose(table.id, colleague, people.Own("It is 392.", "392", uuid4()))
    yield table, lambda: people.withdraw_own(table.id, colleague)
    for act in (people_steering.ask_for_more, people_steering.ask_for_no_more, people_steering.ask_for_more):
        yield table, lambda act=act: act(table.id, owner)


def asked_and_answered(
    table: Table, owner: User, colleague: User
) -> Iterator[tuple[Table, Callable[[], object]]]:
    """Two people at one veto, and a proposal for the next round."""
    seat = table.session.participants.get(user=owner).seat
    for user in (colleague, owner):  # withdrawn by its author, then confirmed by another
        yield table, lambda: table.strike(colleague, seat, kind="ballot", round_number=1)
        request = table.session.veto_requests.get(outcome="")
        if user == colleague:
            yield table, lambda pk=request.pk: people.drop_veto_request(table.id, colleague, pk)
    invited = table.session.participants.exclude(user__in=(owner, colleague)).get(kind="human").user
    yield table, lambda: people.confirm_veto(table.id, invited, request.pk, key=uuid4())
    yield table, lambda: people.propose(table.id, colleague, people.Own("It is 391.", "391", uuid4()))


def to_the_end(table: Table, owner: User) -> Iterator[tuple[Table, Callable[[], object]]]:
    agents = table.agents
    yield table, lambda: gone_down(table, agents[1], newcomer=True)
    yield table, lambda: gone_down(table, agents[2], newcomer=False)
    Session.objects.filter(pk=table.id).update(known_answer="391")
    yield table, lambda: sessions.stop(table.id, owner)
    yield table, table.advance
    yield table, lambda: rulings.rule(table.id, owner, rulings.Ruling(right=True))
    Session.objects.filter(pk=table.id).update(rules={**table.session.rules, "veto_quorum": 2})
    yield table, lambda: people.overturn(table.id, owner, people.Against("It is off.", uuid4()))
    asked = table.session.overturns.get()
    yield table, lambda: people.drop_overturn(table.id, owner, asked.pk)
    yield table, lambda: people.overturn(table.id, owner, people.Against("It is off.", uuid4()))
    again = table.session.overturns.get(withdrawn_at=None)
    yield table, lambda: people.confirm_overturn(table.id, builders.person("second"), again.pk)


def gone_down(table: Table, seat: int, *, newcomer: bool) -> None:
    """What the solver's queue does for an agent whose model went down."""
    turn = table.session.turns.select_related("session", "participant__model").filter(participant__seat=seat)[
        0
    ]
    turn.reason = "refused"
    other = Model.objects.exclude(seats__session=table.session).first()
    lines = [{"id": other.alias, "role": None, "reason": "next best"}]
    receipt = {"chosen": [other.alias] if newcomer else [], "candidates": lines}
    chosen = Selection.objects.create(request={}, receipt=receipt)
    with claimed(Session.objects.filter(pk=table.id)) as claims:
        seats.replace(claims[0], [turn], chosen)


def failed_attempt(table: Table, seat: int) -> None:
    turn = table.turn(seat, "propose")
    with table.taken(turn) as held:
        turns.attempt_failed(held, builders.request_of(turn), TimedOut("too slow"), code="timed_out")


def late_answer(table: Table, seat: int) -> None:
    """An answer to a turn of an earlier round."""
    Turn.objects.filter(round__number=1, participant__seat=seat, kind="propose").update(state="open")
    turn = table.session.turns.select_related("participant__model", "round").get(
        round__number=1, participant__seat=seat, kind="propose"
    )
    table.settle_late(turn)


def test_every_part_that_an_event_changes_is_pushed() -> None:
    seen: set[str] = set()
    for table, act in walk():
        before = parts.Sheet(parts.room.load(table.id))
        act()
        after = parts.Sheet(parts.room.load(table.id))
        assert after.seq > before.seq
        told = [each.kind for each in after.room.moments if each.seq > before.seq]
        assert unpushed(before, after) == set(), told
        seen |= {each.kind for each in after.room.moments}
    assert seen >= set(parts.PARTS) - {"session.failed", "session.forked"}


def test_a_session_that_fails_pushes_everything() -> None:
    table = builders.opened().staff()
    before = parts.Sheet(parts.room.load(table.id))
    table.stop(table.session.owner)
    after = parts.Sheet(parts.room.load(table.id))
    assert unpushed(before, after) == set()
    assert "No verdict" in after.html("verdict", OPEN)


def test_every_kind_of_event_that_the_services_record_has_its_parts() -> None:
    told = set()
    for path in Path(parts.__file__).parent.joinpath("services").glob("*.py"):
        told |= set(re.findall(r'^\s+"([a-z]+\.[a-z_]+)",$', path.read_text(), flags=re.M))
        told |= set(re.findall(r'events\.record\([^"]*"([a-z]+\.[a-z_]+)"', path.read_text()))
    told -= {"policy.published"}
    assert len(told) > 15
    assert told <= set(parts.PARTS)


def test_every_part_has_one_root_element_with_its_name() -> None:
    table = builders.opened(take_part=True).staff()
    table.whole_round()
    for (name, key, _), html in rendered(parts.Sheet(parts.room.load(table.id))).items():
        root = re.match(r"\s*<(\w+)([^>]*)>", html)
        assert root and f'id="{name}{"-" if key else ""}{key}"' in root[2], name
        assert html.strip().endswith(f"</{root[1]}>")


def test_the_timeline_only_grows_and_its_rows_do_not_change() -> None:
    table = builders.opened(take_part=True, human_window_s=60).staff()
    before = parts.Sheet(parts.room.load(table.id))
    table.whole_round()
    after = parts.Sheet(parts.room.load(table.id))
    shown = before.html("timeline", OPEN).removesuffix("</ol>\n").rstrip()
    assert after.html("timeline", OPEN).startswith(shown)
    message = parts.push(after, OPEN, after=before.seq, steers=True)
    rows = [int(n) for n in re.findall(r'<li id="e-(\d+)">', message)]
    assert rows == list(range(before.seq + 1, after.seq + 1))


def test_a_part_is_rendered_once_for_all_who_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    table = builders.opened().staff()
    counted: list[Place] = []
    real = parts.render

    def count(sheet: parts.Sheet, part: str, key: str, audience: str) -> object:
        counted.append((part, key, audience))
        return real(sheet, part, key, audience)

    monkeypatch.setattr(parts, "render", count)
    messages = {parts.push(parts.fresh(table.id), OPEN, after=0, steers=True) for _ in range(50)}
    assert len(messages) == 1
    assert len(counted) == len(set(counted)) > len(parts.WHOLE) - 1


def test_the_owner_s_buttons_go_to_those_who_may_steer() -> None:
    sheet = parts.fresh(builders.opened().id)
    assert 'id="actions"' in parts.push(sheet, OPEN, after=0, steers=True)
    assert 'id="actions"' not in parts.push(sheet, OPEN, after=0, steers=False)


def test_reading_a_room_costs_the_same_queries_however_long_it_is(
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    table = builders.opened(max_rounds=4, min_rounds=3, effort=1.0).staff()
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        parts.room.load(table.id)
    table.whole_round()
    table.whole_round()
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        sheet = parts.Sheet(parts.room.load(table.id))
        sheet.page(OPEN)
        sheet.page(BLIND)


def test_a_sheet_is_read_again_only_when_something_happened(
    django_assert_num_queries: Callable[..., object],
) -> None:
    table = builders.opened().staff()
    first = parts.fresh(table.id)
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        assert parts.fresh(table.id) is first
    table.propose(table.agents[0])
    assert parts.fresh(table.id).seq > first.seq


class Tags(HTMLParser):
    """Which elements there are, and their ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.ids: set[str | None] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.ids.add(dict(attrs).get("id"))


def test_what_a_model_writes_cannot_leave_its_card() -> None:
    table = builders.opened().staff()
    nasty = '</script><img src=x onerror="alert(1)"><div id="strip" hx-get="/">'
    table.propose(table.agents[0], nasty, reasoning=nasty, claims=[{"text": nasty}])
    html = parts.fresh(table.id).html("proposal", OPEN, f"1-{table.agents[0]}")
    for text in (html, parts.written(1, 2, nasty)):
        tags = Tags(text)
        assert not {"img", "script"} & tags.names
        assert "strip" not in tags.ids
