"""Who is waited for, and for what, as the page says it while ballots come in; and what a phone shows of a session."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from deliberation.services import people
from tests.browser.people import Person
from tests.browser.room import Room
from tests.builders import Table, opened

PHONE = {"viewport": {"width": 320, "height": 700}}


def held(users: list[User]) -> Table:
    table = opened(users[0], take_part=True, human_window_s=900, max_rounds=2)
    for user in users[1:]:
        people.take_seat(table.session, user, asked=True)
    table.staff().whole_round()
    return table


def test_who_has_cast_is_called_only_to_say_so(clone: None, sit_down: Callable[..., Person]) -> None:
    users = [User.objects.create_user(f"waited-{name}") for name in ("owner", "other")]
    table = held(users)
    person = sit_down(reduced_motion="reduce", **PHONE)
    person.sign_in(users[0])
    room = Room(person.open(reverse("room", args=[table.id])))
    room.expect_live()
    turn, cast = room.page.get_by_text("Your turn."), room.page.get_by_text("Your ballot is in.")
    expect(turn).to_be_visible()
    expect(cast).to_be_hidden()
    table.vote(users[0], dict.fromkeys(table.agents, 1))
    expect(cast).to_be_visible()
    expect(turn).to_be_hidden()
    expect(room.page.locator(".waiting-for")).to_contain_text("person B (ballot), person A (to say “done”)")
    for word in ("Cost", "Elapsed", "Coverage"):
        expect(room.page.locator("#strip dt", has_text=word)).to_be_visible()
    expect(room.page.locator("[data-connection]")).to_have_text("live")
    strip = room.page.locator(".strip").bounding_box()
    dot = room.page.locator("[data-connection]").bounding_box()
    assert strip is not None and dot is not None
    assert dot["x"] + dot["width"] <= strip["width"] == 320


FADE = """async (wide) => {
    const box = document.createElement("div");
    box.className = "scroll";
    box.style.width = "200px";
    box.innerHTML = '<div style="height: 9px"></div>';
    box.firstChild.style.width = wide ? "900px" : "100px";
    document.querySelector("main").append(box);
    const place = async () => {
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        return getComputedStyle(box).maskPosition;
    };
    const first = await place();
    box.scrollLeft = 900;
    return [first, await place()];
}"""


def test_what_is_cut_fades_out_until_its_end_is_seen(clone: None, sit_down: Callable[..., Person]) -> None:
    person = sit_down()
    person.sign_in(User.objects.create_user("reader"))
    page = person.open()
    assert page.evaluate(FADE, True) == ["100% 0px", "0% 0px"]
    assert page.evaluate(FADE, False) == ["0px 0px", "0px 0px"]
