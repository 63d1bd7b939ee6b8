"""The page of a verdict: what won, how sure that is and why, what speaks against it, and what it took."""

from collections.abc import Sequence
from dataclasses import dataclass

from deliberation import rule_words
from deliberation.models import Event
from deliberation.rule_words import Said
from deliberation.selectors import cards, decisive, editing, ending, estimates, rounds_told, steering
from deliberation.selectors import taking_part as taken
from deliberation.selectors.access import OPEN
from deliberation.selectors.cards import Card
from deliberation.selectors.decisive import Without
from deliberation.selectors.editing import Heading
from deliberation.selectors.ending import Ending
from deliberation.selectors.estimates import Account
from deliberation.selectors.requests import Request
from deliberation.selectors.room import Room
from deliberation.selectors.rounds_told import RoundTold
from deliberation.selectors.steering import GuidanceLine, VetoLine
from deliberation.selectors.taking_part import Part
from deliberation.selectors.telling import Line, timeline
from deliberation.services.forks import FORKED

AFTER = ("answer.checked", "answer.ruled")


@dataclass(frozen=True)
class Rulebook:
    """The rules of the session. own: they differ from those of the policy's version."""

    policy: str
    version: int
    sha256: str
    own: bool
    said: tuple[Said, ...]


@dataclass(frozen=True)
class Trail:
    """hash: that of event `hashed`, the one before the verdict; None where there is no verdict. head: of the newest."""

    chain: str
    events: int
    head: str
    hash: str | None
    hashed: int | None


@dataclass(frozen=True)
class Outside:
    """What was known or said of the right answer. lines: who said so, and what was checked by it."""

    known_answer: str
    ruling: str
    ruled_answer: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class VerdictPage:
    """first: the ballot that mattered most, and mattered: what it did. people: what those of people did. None where
    there are none. requests: vetoes that one person asked for and no second one confirmed. fork: what it began from,
    where that was another session.
    """

    heading: Heading
    fork: Line | None
    ending: Ending
    first: Without | None
    mattered: str | None
    people: str | None
    rounds: tuple[RoundTold, ...]
    account: Account
    parts: tuple[Part, ...]
    vetoes: tuple[VetoLine, ...]
    requests: tuple[Request, ...]
    guidance: tuple[GuidanceLine, ...]
    outside: Outside
    rulebook: Rulebook
    trail: Trail

    @property
    def names_ballot(self) -> bool:
        """Whether `mattered` names a ballot that could be struck."""
        verdict, first = self.ending.verdict, self.first
        return first is not None and (first.flips or (verdict is not None and verdict.margin is not None))


def verdict_page(room: Room) -> VerdictPage:
    """Of a session that has ended, so there is nothing to hide. Four queries."""
    end = ending.verdict(room, audience=OPEN)
    ballots, people = decisive.without_each(room), decisive.without_people(room)
    struck = steering.vetoes(room, audience=OPEN)
    return VerdictPage(
        heading=editing.heading(room),
        fork=next(iter(_lines(room, FORKED)), None),
        ending=end,
        first=next(iter(ballots), None),
        mattered=decisive.mattered(room, ballots),
        people=decisive.people_decided(people) if people else None,
        rounds=rounds_told.rounds_told(room),
        account=estimates.account(room, wall_s=end.wall_s),
        parts=taken.taking_part(room, ballots),
        vetoes=struck.lines,
        requests=struck.requests,
        guidance=steering.guidance(room, audience=OPEN).lines,
        outside=_outside(room),
        rulebook=_rulebook(room),
        trail=_trail(room),
    )


def _outside(room: Room) -> Outside:
    session = room.session
    return Outside(session.known_answer, session.ruling, session.ruled_answer, _lines(room, *AFTER))


def _lines(room: Room, *kinds: str) -> tuple[Line, ...]:
    """What is told of the events of these kinds."""
    numbers = {each.seq for each in room.moments if each.kind in kinds}
    return tuple(each for each in timeline(room, audience=OPEN).lines if each.seq in numbers)


def _rulebook(room: Room) -> Rulebook:
    policy = room.session.policy
    return Rulebook(
        policy=policy.name,
        version=policy.version,
        sha256=room.rules.sha256,
        own=room.rules.sha256 != policy.sha256,
        said=rule_words.in_full(room.rules),
    )


def _trail(room: Room) -> Trail:
    concluded = next((each.seq for each in room.moments if each.kind == "session.concluded"), None)
    return Trail(
        chain=str(room.session.pk),
        events=room.seq,
        head=_hash(room, room.seq),
        hash=room.session.trail_hash or None,
        hashed=None if concluded is None else concluded - 1,
    )


def _hash(room: Room, seq: int) -> str:
    """Of one event, in hex. One query."""
    return bytes(Event.objects.get(chain_id=str(room.session.pk), seq=seq).hash).hex()


@dataclass(frozen=True)
class RoundCards:
    number: int
    cards: tuple[Card, ...]


def all_cards(room: Room) -> Sequence[RoundCards]:
    """Every proposal with its reviews, in the order of the rounds: for the file that stands alone."""
    return tuple(
        RoundCards(
            number,
            tuple(
                cards.proposal(room, f"{number}-{seat}", audience=OPEN)
                for seat in cards.seats_of(room, number)
            ),
        )
        for number in room.rounds
    )
