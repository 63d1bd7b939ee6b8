"""What several commands read from their command line."""

from django.core.management.base import CommandError

from deliberation.models import Session

SHORTEST, WHOLE = 4, 32


def find_session(text: str) -> Session:
    """The session whose id starts with the text. CommandError (exit 2) where there is none, or more than one."""
    plain = text.replace("-", "").lower()
    if not SHORTEST <= len(plain) <= WHOLE or set(plain) - set("0123456789abcdef"):
        raise CommandError(f"{text!r} is not a session's id", returncode=2)
    low, high = (plain.ljust(32, digit) for digit in "0f")
    found = list(Session.objects.filter(pk__gte=low, pk__lte=high)[:2])
    if len(found) != 1:
        raise CommandError(
            f"no session's id starts with {text}" if not found else f"{text} fits more than one session",
            returncode=2,
        )
    return found[0]
