"""Why a candidate that could sit does not: the limit that binds, or what the team would be with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from broker.selection.competence import Draw
from broker.selection.decide import Choice, Panel
from broker.selection.eligibility import Field
from broker.selection.receipt import OwnCount
from broker.selection.scenarios import Evidence
from broker.selection.words import amount, listed, money, points, share


class Reasons:
    """Sentences about the candidates beside one chosen panel."""

    def __init__(self, choice: Choice, field: Field, seen: Evidence) -> None:
        self.choice, self.field, self.board = choice, field, seen.judged
        self.rules = field.rules
        self.chosen: Panel = choice.chosen or ()

    def of(self, index: int) -> str:
        if index in self.chosen:
            return self._praise(index)
        if index in self.field.drops:
            return self.field.drops[index].reason
        if not self.chosen:
            return "could sit, but no panel is possible"
        if (sibling := self._sibling(index)) is not None:
            return f"same family as {self._name(sibling)}"
        return self._against(index)

    def of_a_sum(self, index: int) -> str:
        """The same where values are added up and no team is judged."""
        if index in self.field.drops:
            return self.field.drops[index].reason
        if index in self.chosen:
            return "part of the largest sum"
        if not self.chosen:
            return "could sit, but no panel is possible"
        if (sibling := self._sibling(index)) is not None:
            return f"same family as {self._name(sibling)}"
        team = tuple(sorted((*self.chosen, index)))
        return "adds nothing to the sum" if self.rules.is_panel(team) else self._limit(team)

    def _praise(self, index: int) -> str:
        others = tuple(each for each in self.chosen if each != index)
        if index in self.rules.required:
            return "required"
        if not others:
            return "right more often than any team is with certainty" if self.choice.guard else "best alone"
        return f"with it V is {self._v(self.chosen)}, without it {self._v(others)}"

    def _sibling(self, index: int) -> int | None:
        family = self.field.candidates[index].family
        mates = [each for each in self.chosen if family is not None and self.rules.families[each] == family]
        most = self.rules.max_per_family
        return mates[0] if most is not None and len(mates) >= most else None

    def _against(self, index: int) -> str:
        """The best place it could have, at the table or instead of a member, and what speaks against it."""
        options = list(self._options(index))
        legal = [(team, gone) for team, gone in options if self.rules.is_panel(team)]
        best, out = max(
            legal or options, key=lambda each: (self.board.count(each[0]), -self.rules.spread(each[0])[0])
        )
        place = "" if out is None else f" in place of {self._name(out)}"
        if not legal:
            return f"{self._limit(best)}{place}"
        before, after = self.board.level(self.chosen), self.board.level(best)
        if after > before:
            return self._better(best, place)
        if self.board.count(best) == self.board.count(self.chosen):
            return f"adds nothing to the team{place}: V stays {self._v(self.chosen)}"
        if after == before:
            return f"changes V by less than half a point{place}{self._extra(best)}"
        return f"V would be {self._v(best)}{place or ' with it'}, not {self._v(self.chosen)}"

    def _options(self, index: int) -> Iterator[tuple[Panel, int | None]]:
        if len(self.chosen) < self.rules.max_size:
            yield tuple(sorted((*self.chosen, index))), None
        for gone in self.chosen if len(self.chosen) >= self.rules.max_size else ():
            yield tuple(sorted((*(each for each in self.chosen if each != gone), index))), gone

    def _limit(self, team: Panel) -> str:
        for budget in self.rules.budgets:
            if over := budget.over(team):
                return f"over {amount(budget, over)}"
        if self.rules.crowded_family(team) is not None:
            return "too many of its family"
        if len(team) > self.rules.max_size:
            return f"the panel of {self.rules.max_size} is full"
        missing = [self._name(each) for each in sorted(self.rules.required) if each not in team]
        return f"{missing[0]} is required" if missing else "no role has a seat for it"

    def _better(self, team: Panel, place: str) -> str:
        gain = f"V would be {self._v(team)}{place or ' with it'}"
        if self.choice.over is not None:
            return f"{gain}; the previous panel is kept"
        if self.choice.guard is not None and not self.choice.guard.is_certain:
            return f"{gain}, a gain over {self._name(self.chosen[0])} alone that is not certain"
        if self.board.own is not None:
            return f"{gain} by the ballots of its members, but not by the votes that were searched"
        return f"{gain} on all rows, but not on the {self._rows_used()} that were searched"

    def _rows_used(self) -> str:
        return "rows" if self.choice.solved.objective is None else "sample of rows"

    def _extra(self, team: Panel) -> str:
        """What it would cost more."""
        costs = [self.field.candidates[each].cost for each in {*team, *self.chosen}]
        if any(each is None for each in costs):
            return ""
        more = self._cost(team) - self._cost(self.chosen)
        return f" and costs ${money(more)} a round more" if more > 0 else ""

    def _cost(self, team: Sequence[int]) -> float:
        return sum(self.field.candidates[each].cost or 0.0 for each in team)

    def _name(self, index: int) -> str:
        return self.field.candidates[index].id

    def _v(self, team: Panel) -> str:
        return share(self.board.share(team))


def decision(choice: Choice, field: Field) -> str:
    """One sentence: what was chosen and what it rests on."""
    name = [each.id for each in field.candidates]
    chosen = [name[index] for index in choice.chosen or ()]
    if choice.over is not None:
        reason = (
            "it changed less than five minutes ago" if choice.is_too_soon else _certainty(choice.over.lower)
        )
        return f"The previous panel stays: {reason}."
    guard = choice.guard
    if guard is None:
        if len(chosen) == 1:
            return f"{chosen[0]} sits alone: no team is worth more."
        return f"A panel of {len(chosen)}: the limits let no model sit alone."
    single = name[guard.second[0]]
    gain = f"gains {points(100 * guard.gain)} over {single} alone on {guard.rows} rows"
    if guard.is_certain:
        return (
            f"A panel of {len(chosen)}: it {gain}, at least {points(100 * guard.lower)} with 90 % certainty."
        )
    return f"{single} sits alone: the best team of {len(guard.first)} {gain}, {_certainty(guard.lower)}."


def tries(choice: Choice, field: Field, explored: Mapping[int, Draw]) -> str:
    """One sentence about chosen models that are hardly known; empty where there are none."""
    tried = [index for index in choice.chosen or () if index in explored]
    if not tried:
        return ""
    names = listed([field.candidates[index].id for index in tried])
    drawn = listed([f"{100 * explored[index].accuracy:.0f} %" for index in tried])
    one = len(tried) == 1
    return (
        f"{names} {'is' if one else 'are'} tried: too few checks say how good {'it is' if one else 'they are'}, so"
        f" {drawn} {'was' if one else 'were'} drawn, and V counts with that."
    )


def own_ballots(count: OwnCount) -> str:
    """One sentence: on how many rows the ballots of a panel decided, and V by both ways."""
    team = next((each for each in count.teams if each.rows), None)
    if team is None:
        return "No row has ballots of all members of a panel, so votes are counted on every row."
    names, rule = listed(team.chosen), count.own_rule.rule
    return (
        f"On {team.rows} of {count.of} rows the ballots of {names} decide, by the rule {rule}:"
        f" V is {share(team.value)}, by votes alone {share(team.plurality)}."
    )


def _certainty(lower: float) -> str:
    return f"and the lower 90 % bound of the gain is {points(100 * lower)}"
