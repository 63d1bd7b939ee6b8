import json
import time
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from deliberation.models import Event, Session
from deliberation.selectors.report import report
from deliberation.services.acts import ActRefused
from deliberation.services.sessions import Opening, open_session
from nsed_web.services import workers_for_this_command

LOOK_S = 0.1
BAD_ARGUMENTS, FAILED = 2, 3


class Command(BaseCommand):
    help = "Asks one question, waits for the verdict and prints it. Exit 0: a verdict, 2: bad arguments, 3: it failed."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("question")
        parser.add_argument(
            "--policy", default="standard", help="fast, standard, thorough or one of your own"
        )
        parser.add_argument("--category", default="", help="where models are compared, for example math")
        parser.add_argument(
            "--seed", type=int, help="the same seed gives the same labels and simulated experts"
        )
        parser.add_argument(
            "--effort", type=float, help="0 to 1: how much evidence to ask for before stopping"
        )
        parser.add_argument("--max-rounds", type=int)
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, question: str, **options: Any) -> None:
        changes = {"effort": options["effort"], "max_rounds": options["max_rounds"]}
        opening = Opening(
            task=question,
            policy=options["policy"],
            category=options["category"],
            seed=options["seed"],
            rules={key: value for key, value in changes.items() if value is not None},
        )
        with workers_for_this_command() as workers:
            session = self._open(opening)
            for line in progress(session, workers):
                self.stderr.write(line, self.style.HTTP_INFO if self.stderr.isatty() else None)
        session.refresh_from_db()
        result = report(session)
        self.stdout.write(
            json.dumps(result, indent=2, ensure_ascii=False) if options["json"] else in_words(result)
        )
        if session.state == Session.State.FAILED:
            raise CommandError(f"No verdict: {session.failure_detail}", returncode=FAILED)

    def _open(self, opening: Opening) -> Session:
        try:
            return open_session(opening)
        except ActRefused as error:
            raise CommandError(str(error), returncode=BAD_ARGUMENTS) from error


def progress(session: Session, workers: Any) -> Iterator[str]:
    """A line for each event worth one, until the session has ended."""
    seen = 0
    while True:
        fresh = list(Event.objects.filter(chain_id=str(session.pk), seq__gt=seen).order_by("seq"))
        for event in fresh:
            seen = event.seq
            if line := _line(event):
                yield line
        if fresh and fresh[-1].kind in ("session.concluded", "session.failed"):
            return
        connection.close()
        time.sleep(LOOK_S)
        workers.ensure()


def _line(event: Event) -> str | None:
    data = event.data
    if event.kind == "panel.chosen":
        return f"panel: {len(data['seats'])} seats"
    if event.kind == "round.opened":
        return f"round {data['round']}: proposing"
    if event.kind == "reviews.opened":
        return f"round {data['round']}: reviewing"
    if event.kind == "turn.abstained":
        return f"round {data['round']}: seat {data['seat']} abstains ({data['reason']})"
    if event.kind == "round.closed":
        tally, evidence = data["tally"], data["evidence"]
        return (
            f"round {data['round']}: seat {tally['winner']} leads, conviction {float(tally['conviction']):+.3f}, "
            f"evidence {float(evidence['total']):.4f} of {float(evidence['target']):.4f}"
        )
    return None


def in_words(result: dict[str, Any]) -> str:
    """The verdict for a terminal."""
    verdict, usage = result["verdict"], result["usage"]
    lines = [f"session {result['session']}"]
    if verdict is not None:
        lines += [
            "",
            str(verdict["answer"]),
            "",
            f"net support {verdict['net_support']:+.3f}, {_margin(verdict['margin'])}, "
            f"conviction {verdict['conviction']:+.3f}, "
            f"coverage {verdict['coverage']:.2f}; stopped by {verdict['stop_reason']} "
            f"after {_count(len(result['rounds']), 'round')}",
        ]
        if verdict["minority"]:
            lines.append(f"minority: {verdict['minority']['final_answer'] or verdict['minority']['answer']}")
    calls, path_s = _count(usage["calls"], "call"), usage["critical_path_s"]
    lines.append(f"{calls}, {_cost(result)}, critical path {path_s:.1f} s")
    lines += result["degraded"]
    if result["simulated"]:
        lines.append("Simulated experts answered: this says nothing about real models.")
    lines.append(f"trail: {result['trail']['events']} events, head {result['trail']['head']}")
    return "\n".join(lines)


def _margin(margin: float | None) -> str:
    return "no other answer" if margin is None else f"margin {margin:.3f}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _cost(result: dict[str, Any]) -> str:
    """Simulated experts cost nothing, which is no price of anything."""
    cost = result["usage"]["cost_usd"]
    if cost is None:
        return "cost unknown"
    return "no cost (simulated)" if result["simulated"] and not cost else f"cost ${cost:.4f}"
