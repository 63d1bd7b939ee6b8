"""Rules by the names that the policy editor gives them."""

from django import template

from deliberation.forms_policies import SAID

register = template.Library()
NAMED = {name: label for name, (label, _) in SAID.items()} | {"panel_size": "Fewest and most agents"}


@register.filter
def rule_name(rule: str) -> str:
    """Rounds at most, of max_rounds; of a rule without a name, what it is called in the record."""
    return NAMED.get(rule, rule)
