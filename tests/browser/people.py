"""Somebody at a browser of their own, and everything that goes wrong in it."""

import re
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebError

# A broken policy is told to the page alone; as an error of the console it is told to the test too.
TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
    console.error(`CSP: ${event.violatedDirective} blocks ${event.blockedURI} ${event.sample}`))"""


@dataclass
class Faults:
    """What a browser complained of: its console, uncaught errors, violations of the CSP, responses of 400 and more,
    requests that failed. What a test provokes it allows, and then it must come.
    """

    seen: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, pattern: str) -> None:
        self.allowed.append(pattern)

    def unforeseen(self) -> list[str]:
        """The faults that no pattern allows, and the patterns that nothing matched."""
        seen = list(dict.fromkeys(self.seen))
        faults = [each for each in seen if not any(re.search(pattern, each) for pattern in self.allowed)]
        unmet = [pattern for pattern in self.allowed if not any(re.search(pattern, each) for each in seen)]
        return faults + [f"did not come: {pattern}" for pattern in unmet]

    def watch(self, context: BrowserContext) -> None:
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._said)
        context.on("weberror", self._broke)
        context.on("response", self._answered)
        context.on("requestfailed", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        if message.text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
            return  # htmx says so of requests that a page drops; of others it says more
        self.seen.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def _broke(self, error: WebError) -> None:
        self.seen.append(f"uncaught: {error.error}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.seen.append(f"{response.status} to {response.request.method} {response.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a page that is left drops its requests
            self.seen.append(f"{request.failure} of {request.method} {request.url}")


@dataclass
class Person:
    """A browser context of their own: cookies, storage, open pages. `page` is the first one."""

    context: BrowserContext
    address: str
    faults: Faults
    page: Page

    def open(self, path: str = "/") -> Page:
        """The first page, at this path of the site."""
        self.page.goto(f"{self.address}{path}")
        return self.page

    def another_page(self, path: str) -> Page:
        page = self.context.new_page()
        page.goto(f"{self.address}{path}")
        return page

    def sign_in(self, user: User) -> None:
        """As a browser that was signed in before."""
        client = Client()
        client.force_login(user)
        cookie = client.cookies["sessionid"]
        self.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.address}])
