"""Words that say what they mean, `{% load terms %}`: a press or the pointer on one opens its note."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deliberation import glossary

register = template.Library()


@register.simple_tag
def term(name: str, words: str = "") -> SafeString:
    """The term as a button for its note; `words` where the sentence writes it otherwise."""
    frame = '<button type="button" class="term" popovertarget="term-{}">{}</button>'
    return format_html(frame, name, words or glossary.word(name))


@register.inclusion_tag("deliberation/_glossary.html")
def glossary_notes() -> dict[str, Iterable[tuple[str, tuple[str, str]]]]:
    """The notes of all terms, closed; once in a page, outside of what is pushed."""
    return {"glossary": glossary.TERMS.items()}
