"""Django's own admin beneath the registry's pages: the same forms, the same services, the same history.

Nothing is deleted here: models retire, endpoints are switched off, and a draft goes on its page in the registry.
"""

from broker.admin import kept, shown

__all__ = ["kept", "shown"]
