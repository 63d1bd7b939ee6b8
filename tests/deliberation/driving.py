"""Drives a session in this process: the same steps that the workers take, without a queue between them."""

from collections.abc import Sequence
from typing import Any

from broker.models import Endpoint, Model
from deliberation import orchestrator, staffing, tasks, turn_taking
from deliberation.models import Event, Session
from deliberation.services.policies import load_built_in
from deliberation.services.sessions import Opening, open_session

STEPS_MAX = 60


def register(
    served: Sequence[str], *, base_url: str = "", kind: str = "openai_compatible", **traits: Any
) -> None:
    """Models of families of their own at one endpoint; their aliases are m0, m1, ..."""
    endpoint = Endpoint.objects.create(name="server", kind=kind, base_url=base_url)
    for number, name in enumerate(served):
        Model.objects.create(
            alias=f"m{number}", served_name=name, endpoint=endpoint, family=f"family-{number}", traits=traits
        )


def opened(task: str = "What is 17*23?", *, policy: str = "fast", **changes: Any) -> Session:
    """A session in `staffing`, its panel not chosen yet."""
    load_built_in()
    seed = changes.pop("seed", 7)
    owner = changes.pop("owner", None)
    return open_session(Opening(task, policy, seed=seed, rules=changes), owner=owner)


def drive(session: Session) -> Session:
    """On to the end, or to where it waits for a person."""
    staffing.staff(session.pk)
    for _ in range(STEPS_MAX):
        took = turn_taking.take_turns(session.pk, None)
        orchestrator.advance(session.pk)
        session.refresh_from_db()
        if session.replacing_since is not None:
            tasks.replace(str(session.pk))
            took = True
        if session.ended or not took:
            return session
    raise AssertionError(f"still {session.state} after {STEPS_MAX} steps")


def events(session: Session, *kinds: str) -> list[dict[str, Any]]:
    """The payloads of these kinds, in order."""
    rows = Event.objects.filter(chain_id=str(session.pk), kind__in=kinds).order_by("seq")
    return list(rows.values_list("data", flat=True))
