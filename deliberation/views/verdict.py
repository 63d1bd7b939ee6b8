"""The verdict of a session: a page to read and print, and one file that opens without a server.

Both only read. Taking the file away is no event: nothing that anybody may rely on later depends on it, and the same
trail gives the same file.
"""

from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from deliberation import parts
from deliberation.inline_style import style
from deliberation.parts import Sheet
from deliberation.selectors import editing, words
from deliberation.selectors.verdict_page import all_cards, verdict_page
from deliberation.views.room import visible

SIZE = "\0size\0\0\0"  # its place in the file, as long as "1,234 kB"; no stored text holds these signs
_files: WeakKeyDictionary[Sheet, str] = WeakKeyDictionary()


@require_safe
def verdict(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The page. While the session runs it says so, and nothing of it."""
    session = visible(request, session_id)
    sheet = parts.fresh(session.pk)
    if not sheet.room.session.ended:
        return _not_yet(request, sheet, status=200)
    size_kb = _kilobytes(_file(sheet))
    return render(request, "deliberation/verdict.html", {**_context(sheet), "size_kb": size_kb})


@require_safe
def verdict_file(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The file, to keep or to mail. 404 while there is no verdict."""
    session = visible(request, session_id)
    sheet = parts.fresh(session.pk)
    if not sheet.room.session.ended:
        return _not_yet(request, sheet, status=404)
    response = HttpResponse(_file(sheet))
    response["Content-Disposition"] = f'attachment; filename="verdict-{str(session.pk)[:8]}.html"'
    return response


def _not_yet(request: HttpRequest, sheet: Sheet, *, status: int) -> HttpResponse:
    room = sheet.room
    context = {"session": room.session, "heading": editing.heading(room), "state": words.state_of(room)}
    return render(request, "deliberation/no_verdict.html", context, status=status)


def _context(sheet: Sheet) -> dict[str, Any]:
    return {"session": sheet.room.session, "page": verdict_page(sheet.room)}


def _file(sheet: Sheet) -> str:
    """Made once for what the trail says, whoever asks."""
    if sheet not in _files:
        context = {**_context(sheet), "rounds": all_cards(sheet.room), "style": style(), "size": SIZE}
        html = render_to_string("deliberation/verdict_file.html", context)
        _files[sheet] = html.replace(SIZE, f"{_kilobytes(html):,} kB")
    return _files[sheet]


def _kilobytes(html: str) -> int:
    """Of 1,000 bytes, rounded up."""
    return -(-len(html.encode()) // 1000)
