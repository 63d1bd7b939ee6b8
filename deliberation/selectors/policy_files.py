"""One policy as a JSON file: written for the way out, read and checked on the way in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from deliberation.models import Policy
from deliberation.protocol.types import Rules, RulesError
from deliberation.services.acts import is_text

MOST_BYTES = 100_000
FIELDS = ("policy", "version", "summary", "rules", "sha256")
NUMBERS = tuple(field.name for field in fields(Rules) if str(field.type).startswith(("int", "float")))


class PolicyFileError(ValueError):
    """A file that is no policy; the sentence says what is wrong with it."""


@dataclass(frozen=True)
class PolicyFile:
    """`name` and `summary` are empty where the file has rules alone. `note`: what the reader should know."""

    name: str
    summary: str
    rules: Rules
    note: str


def exported(policy: Policy) -> str:
    """The file of one version; read() gives its very rules back."""
    values = {
        "policy": policy.name,
        "version": policy.version,
        "summary": policy.summary,
        "rules": policy.rules,
        "sha256": policy.sha256,
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def read(text: str) -> PolicyFile:
    """An exported file, or the rules alone: as exported, or the exact JSON with its numbers as texts.

    Raises PolicyFileError.
    """
    value = _parsed(text)
    whole = value if "rules" in value else {"rules": value}
    unknown = [name for name in whole if name not in FIELDS]
    if unknown:
        raise PolicyFileError(
            f"{unknown[0]!r} is not a field of a policy's file. Known: {', '.join(FIELDS)}."
        )
    given = whole["rules"]
    rules = _rules(given)
    note = _compared(whole.get("sha256"), given, rules=rules)
    return PolicyFile(_word(whole, "policy"), _word(whole, "summary"), rules, note)


def _parsed(text: str) -> dict[str, Any]:
    if not text.strip():
        raise PolicyFileError("Choose a file or paste its text first.")
    if len(text) > MOST_BYTES:
        raise PolicyFileError(f"A policy's file has at most {MOST_BYTES:,} characters.")
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except PolicyFileError:
        raise
    except (
        ValueError,
        RecursionError,
    ) as error:  # no JSON, a number of thousands of digits, a tower of brackets
        raise PolicyFileError(f"This cannot be read as JSON: {error}.") from error
    if not isinstance(value, dict):
        raise PolicyFileError("A policy is a JSON object, with braces around it.")
    return value


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise PolicyFileError(f"{name!r} stands twice in the file.")
        found[name] = value
    return found


def _rules(given: Any) -> Rules:
    if isinstance(given, Mapping):
        given = {name: _number(name, value) for name, value in given.items()}
    try:
        return Rules.from_json(given)
    except RulesError as error:
        raise PolicyFileError(str(error)) from error


def _number(name: str, value: Any) -> Any:
    """A number that the exact JSON writes as a text, as trail.canonical does; everything else as it is."""
    if name not in NUMBERS or not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _compared(said: Any, given: Mapping[str, Any], *, rules: Rules) -> str:
    """What to tell of the file's hash: nothing where it is that of its rules."""
    missing = [field.name for field in fields(Rules) if field.name not in given]
    if said in (None, rules.sha256):
        return ""
    if not missing:
        raise PolicyFileError(
            "The file's sha256 is not that of its rules: it was changed after it was exported. "
            "Take the sha256 out to use the rules all the same."
        )
    return (
        f"The file does not name {', '.join(missing)}: they take their defaults, and the SHA-256 is another."
    )


def _word(whole: Mapping[str, Any], name: str) -> str:
    value = whole.get(name, "")
    if not isinstance(value, str) or not is_text(value):
        raise PolicyFileError(f"{name} must be a text.")
    return value.strip()
