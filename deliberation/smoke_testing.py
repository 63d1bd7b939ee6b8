"""A smoke test of a model in three steps: a chat, our review prompt with its schema, and a session of one round with
two agents of it, which answer, review each other and vote.
"""

import json
import re
import secrets
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from broker import keys
from broker.inference.base import InferenceError, Reply, Request
from broker.inference.fan_out import call
from broker.inference.loop import process_loop
from broker.models import Model, Selection, SmokeTest
from broker.selection.types import Candidate, Limits, PanelRequest
from broker.selectors.candidates import Question, Wanted
from broker.services import smoke
from broker.services.calls import endpoint_spec
from broker.services.selections import keep
from broker.services.smoke import Step, failed
from deliberation.claims import claimed
from deliberation.models import Session, Turn
from deliberation.prompts import propose, review
from deliberation.prompts.base import MalformedReply, OwnProposal
from deliberation.prompts.propose import ProposeInputs
from deliberation.prompts.review import ReviewInputs
from deliberation.services import policies, seats, sessions
from deliberation.services.acts import ActRefused

TASK, ANSWER = "What is 17*23?", "391"
CALL_S = 60.0
SESSION_S = 240.0
SAID_CHARS = 80
MS = timedelta(milliseconds=1)
AGENTS = 2  # so that each has somebody else's answer to review
WANTED = Wanted(category="", tokens_in=0, tokens_out=0, rounds=1, size=(1, 1))
RULES: dict[str, Any] = {
    "rule": "quadratic",
    "panel_size": [AGENTS, AGENTS],
    "max_rounds": 1,
    "human_window_s": 0,
    "replace_agents": False,
    "turn_deadline_s": 90,
    "attempts": 1,
}


def run(test_id: int) -> bool:
    """Chat and schema; where both went well a session is opened. True: that one is to be watched."""
    test = SmokeTest.objects.select_related("model__endpoint", "by").get(pk=test_id)
    for name, step in (("chat", chat), ("schema", schema), ("deliberation", deliberation)):
        smoke.tell(test_id, Step(name, None, "It runs."))
        outcome = step(test)
        smoke.tell(test_id, outcome)
        if outcome.passed is False:
            break
    if outcome.passed is None:
        return True
    smoke.end(test_id)
    return False


def chat(test: SmokeTest) -> Step:
    """Whether it answers at all."""
    inputs = propose.build(_proposing())
    asked = {"role": "user", "content": f"{TASK} Reply with the number alone."}
    outcome = ask(test.model, messages=(asked,), exchange="propose", inputs=inputs.inputs)
    if isinstance(outcome, Step):
        return replace(outcome, step="chat")
    said = outcome.body.decode(errors="replace").strip()
    if not said:
        return failed("chat", "no_text", "It answered with no text at all.")
    cut = said if len(said) <= SAID_CHARS else f"{said[:SAID_CHARS]}..."
    return Step("chat", True, f"It answers. To {TASK} it said: {cut}", latency_ms=outcome.latency_ms)


def schema(test: SmokeTest) -> Step:
    """Whether our own review prompt comes back as something that our parser takes."""
    inputs = _reviewing()
    prompt = review.build(inputs)
    outcome = ask(
        test.model, messages=prompt.messages, exchange="review", inputs=prompt.inputs, schema=prompt.schema
    )
    if isinstance(outcome, Step):
        return replace(outcome, step="schema")
    if outcome.finish_reason == "length":
        return failed("schema", "cut_short", "Its answer was cut off before the JSON was complete.")
    try:
        read = review.parse(outcome.body, inputs=inputs)
    except MalformedReply as error:
        return failed("schema", "malformed", f"Its review could not be read. {error}")
    weighed = sum(each.weight is not None for each in read.reviews)
    detail = f"Its review can be read: it weighed {weighed} of {len(read.reviews)} candidates."
    return Step("schema", True, detail, latency_ms=outcome.latency_ms)


def ask(model: Model, *, exchange: str, **prompt: Any) -> Reply | Step:
    """One call as a turn makes it; where it fails, the step that says so. The caller names the step."""
    if not model.endpoint.enabled:
        return failed("", "switched_off", f"The endpoint {model.endpoint} is switched off.")
    try:
        request = _request(model, exchange=exchange, **prompt)
    except keys.KeyUnusable as error:
        return failed("", "key_unusable", f"{error}.")
    connection.close()  # a thread gives its connection back before it waits
    try:
        return process_loop.run(call(request, on_text=_deaf)).result()
    except InferenceError as error:
        server_said = f" It said: {words_of(error.detail)}" if error.detail else ""
        return failed("", error.code, f"{error}{server_said}")


def words_of(detail: str) -> str:
    """The sentence of a server's error, out of the JSON that it was sent in. Either may have been cut off."""
    found = re.search(r'"message"\s*:\s*"((?:[^"\\]|\\.)*)', detail)
    said = (_unescaped(found[1]) if found else detail).strip()
    return said if said.endswith((".", "!", "?")) else f"{said} ..."


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _request(model: Model, *, exchange: str, messages: Any, inputs: Any, schema: Any = None) -> Request:
    return Request(
        endpoint=endpoint_spec(model.endpoint),
        model=model.served_name,
        messages=tuple(messages),
        schema=schema,
        schema_name=exchange,
        max_tokens=2048,
        temperature=None,
        seed=None,
        deadline_s=CALL_S,
        exchange=exchange,
        seat=1,
        round=1,
        attempt=1,
        inputs=inputs,
        traits=model.traits,
    )


def _deaf(_: str) -> None:
    """Nobody watches the text come."""


def _proposing() -> ProposeInputs:
    return ProposeInputs(
        task=TASK, category="arithmetic", round=1, role="solver", persona="", nonce=secrets.token_hex(6)
    )


def _reviewing() -> ReviewInputs:
    right = review.Candidate(
        label="A",
        answer="It is 391.",
        final_answer=ANSWER,
        reasoning="17 * 20 = 340 and 17 * 3 = 51.",
        claims=(("aa11bb", "17 * 3 = 51"),),
    )
    wrong = review.Candidate(
        label="B", answer="It is 381.", final_answer="381", reasoning="17 * 20 = 340 and 17 * 3 = 41."
    )
    return ReviewInputs(
        task=TASK,
        category="arithmetic",
        round=1,
        role="solver",
        persona="",
        candidates=(right, wrong),
        nonce=secrets.token_hex(6),
        peer_reasoning_chars=4000,
        own=OwnProposal(answer="It is 391.", reasoning="I multiplied in parts.", net_support=None),
    )


def deliberation(test: SmokeTest) -> Step:
    """Opens a session of one round with two agents of the model at the table. Its workers do the rest."""
    names = policies.names_in_use()
    if not names:
        return failed("deliberation", "no_policy", "There is no policy to open a session under.")
    try:
        session = open_alone(test.model, owner=test.by, policy=names[0])
    except ActRefused as refusal:
        return failed("deliberation", "not_opened", str(refusal))
    return Step("deliberation", None, "A session of one round is running.", session=str(session.pk))


@transaction.atomic
def open_alone(model: Model, *, owner: Any, policy: str) -> Session:
    """A session whose panel is this model, whatever its state: a draft is tested before it may sit."""
    session = sessions.open_session(sessions.Opening(TASK, policy, "arithmetic", rules=RULES), owner=owner)
    kind = Selection.Kind.SMOKE
    selection = keep(alone(model), WANTED, reference=session.pk, kind=kind, agents_each=AGENTS)
    with claimed(Session.objects.filter(pk=session.pk)) as claims:
        seats.seat_panel(claims[0], selection)
    return session


def alone(model: Model) -> Question:
    """The question whose one answer is this model. Nothing is solved."""
    candidate = Candidate(id=model.alias, family=model.family or None, simulated=model.endpoint.simulated)
    limits = Limits(min_size=1, max_size=1, floor_points=None)
    request = PanelRequest(
        (candidate,), limits=limits, required=(model.alias,), mode="pinned", breakpoints=False
    )
    return Question(request, "A smoke test: two agents of this model sit, whatever its state.")


def watch(test_id: int) -> bool:
    """Looks how the session went. True: it goes on, and is to be looked at again."""
    test = SmokeTest.objects.get(pk=test_id)
    opened = next((each for each in test.steps if each["step"] == "deliberation"), None)
    if test.ended_at is not None or opened is None or opened["passed"] is not None:
        return False
    session = Session.objects.get(pk=opened["session"])
    began = session.created_at.timestamp()
    if not session.ended and time.time() - began < SESSION_S:
        return True
    smoke.tell(test_id, _outcome(session))
    smoke.end(test_id)
    return False


def _outcome(session: Session) -> Step:
    key = str(session.pk)
    if session.state == Session.State.CONCLUDED:
        took_ms = (session.concluded_at - session.created_at) / MS if session.concluded_at else None
        ballots = session.turns.filter(state="settled", kind=Turn.Kind.REVIEW).count()
        lost = session.turns.filter(state="abstained").values_list("reason", flat=True).first()
        if lost is None:
            detail = (
                f"A session of one round came to an answer, with {ballots} ballots: two agents of it answered, "
                "reviewed each other and voted."
            )
            return Step("deliberation", True, detail, latency_ms=took_ms, session=key)
        return failed(
            "deliberation", lost, f"The session ended, but a turn of it was lost ({lost}).", session=key
        )
    if session.state == Session.State.FAILED:
        return failed(
            "deliberation", "not_concluded", f"The session failed. {session.failure_detail}", session=key
        )
    words = f"The session did not end within {SESSION_S / 60:.0f} minutes: it is {session.state}."
    return failed("deliberation", "no_worker", words, session=key)
