"""Search: what is found by which words, where it is said to stand, and what a person who votes blind cannot find."""

from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User

from deliberation.models import Proposal, Review, SearchDocument
from deliberation.selectors import searching
from deliberation.selectors.asking import Wanted
from deliberation.selectors.sessions import Row, listing
from deliberation.services import people
from deliberation.services.searching import plain_words
from tests import builders
from tests.builders import Table, opened, person
from tests.deliberation.opening import client

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return person("owner")


def reviewed(owner: User, **rules: object) -> Table:
    """A round in which A says something of Euler, B of primes, and each reviews the other."""
    table = opened(owner, task="Is $2^p-1$ prime for every p?", **rules).staff()
    first, second, third = table.agents
    table.propose(
        first, "yes", answer="Erdős and qwen-14b agree: 17*23 is 391.", reasoning="Mersenne proofs."
    )
    table.propose(second, "no", answer="Take p = 11: 23 divides it.", reasoning="A counterexample.")
    table.propose(third, "no", answer="It fails at eleven.", reasoning="I tried 2047 = 23 * 89.")
    table.advance()
    table.all_review()
    return table


def found(user: User, text: str, **wanted: object) -> set[UUID]:
    return {each.id for each in listing(user, Wanted(text=text, **wanted)).rows}  # type: ignore[arg-type]


def row(user: User, text: str) -> Row:
    return listing(user, Wanted(text=text)).rows[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("qwen-14b and Qwen2.5-7B", "qwen 14b and qwen2 5 7b"),
        ("$2^p-1$", "2 p 1"),
        ("np.array(x_1)", "np array x 1"),
        ("Erdős, naïve", "erdos naive"),
        ("素数です", "素 数 て す"),
        ("\x00 \ud800 *!", ""),
    ],
)
def test_words_are_letters_and_digits_in_small(text: str, words: str) -> None:
    assert plain_words(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "prime",  # the question
        "qwen-14b",
        "qwen",
        "17*23",
        "erdos",
        "ERDŐS",
        "proof",  # "proofs" stands there
        "2^p-1",
        "mersenn",  # the last word may be unfinished
        '"23 divides it"',
        "prime counterexample mersenne",  # each in another text
        "is the prime",  # "the" and "is" count for nothing
        "nowhere or eleven",
        "prime -nowhere",
        "It says yes",  # a review
        "checked",  # a reviewer's reason
        "-nowhere or prime",  # nothing is chosen from what is left out
    ],
)
def test_it_is_found(owner: User, text: str) -> None:
    table = reviewed(owner)
    assert found(owner, text) == {table.id}


@pytest.mark.parametrize(
    "text",
    [
        "nowhere",
        "ersenne",
        "14",
        "1723",
        '"divides 23"',
        "prime -eleven",
        "%",
        "-prime",
        "prime nowhere",
        "17*24",
        "-eleven or nowhere prime",
        "nowhere or -eleven prime",
        "prim or nowhere",  # the last word alone may be unfinished
    ],
)
def test_it_is_not_found(owner: User, text: str) -> None:
    reviewed(owner)
    assert found(owner, text) == set()


def test_the_last_word_of_a_quote_is_whole(owner: User) -> None:
    table = reviewed(owner)
    assert found(owner, "counterex") == {table.id}
    assert found(owner, '"counterex"') == set()


def test_the_page_says_how_many_words_count(owner: User) -> None:
    table = reviewed(owner)
    counting = " ".join(["prime"] * searching.CLAUSES)
    assert found(owner, f"{counting} nowhere") == {table.id}
    assert f"the first {searching.CLAUSES} count" in client(owner).get("/").content.decode()


def test_a_text_is_found_from_the_moment_it_is_stored(owner: User) -> None:
    table = opened(owner, task="Which bridge?")
    assert found(owner, "bridge") == {table.id}
    table.staff()
    table.propose(table.agents[0], answer="The suspension one.")
    assert found(owner, "suspension") == {table.id}


def test_every_text_has_one_document_a_persons_proposal_too(owner: User) -> None:
    table = opened(owner, task="Which bridge?", max_rounds=1).staff()
    people.propose(table.id, owner, people.Own("The cantilever one.", "", uuid4()))
    assert found(owner, "cantilever") == {table.id}
    table.all_propose()
    table.all_review()
    table.advance()
    count = 1 + Proposal.objects.count() + Review.objects.count()
    assert Proposal.objects.filter(participant__kind="human").count() == 1
    assert SearchDocument.objects.count() == count


def test_the_row_says_where_and_shows_the_words_around(owner: User) -> None:
    reviewed(owner)
    seen = row(owner, "counterexample")
    assert seen.places == "1 proposal"
    assert seen.hit is not None
    assert seen.hit.place == "proposal B, round 1"
    assert seen.hit.anchor == "proposal-1-2"
    assert [piece.text for piece in seen.hit.pieces if piece.marked] == ["counterexample"]
    assert "".join(piece.text for piece in seen.hit.pieces).startswith("no Take p = 11")


def test_the_question_is_not_shown_twice(owner: User) -> None:
    reviewed(owner)
    seen = row(owner, "every")
    assert (seen.places, seen.hit) == ("the question", None)


def test_a_snippet_of_a_long_text_is_cut_around_the_match_and_marks_accents_too(owner: User) -> None:
    table = opened(owner).staff()
    table.propose(
        table.agents[0], answer=f"{'word ' * 400}Paul Erdős {'more ' * 400}", reasoning="", claims=[]
    )
    seen = row(owner, "erdos")
    assert seen.hit is not None
    pieces = seen.hit.pieces
    assert (pieces[0].text, pieces[-1].text) == ("\u2026", "\u2026")
    assert [piece.text for piece in pieces if piece.marked] == ["Erdős"]
    assert len("".join(piece.text for piece in pieces)) < 160


def test_the_best_match_comes_first_where_that_is_asked_for(owner: User) -> None:
    asked = opened(owner, task="What is a group?")
    said = opened(owner, task="What is a ring?").staff()
    said.propose(said.agents[0], answer="A group with more.", reasoning="", claims=[])
    plain = [each.id for each in listing(owner, Wanted(text="group")).rows]
    best = [each.id for each in listing(owner, Wanted(text="group", order="best")).rows]
    oldest = [each.id for each in listing(owner, Wanted(text="group", order="oldest")).rows]
    assert (plain, best, oldest) == ([said.id, asked.id], [asked.id, said.id], [asked.id, said.id])


def test_no_more_are_ranked_than_are_counted_and_the_count_says_so(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        opened(owner, task="What is a group?")
    monkeypatch.setattr(searching, "RANKED", 2)
    best = listing(owner, Wanted(text="group", order="best"))
    assert (len(best.rows), best.page.total) == (2, "more than 2")
    monkeypatch.setattr(searching, "RANKED", 3)
    assert listing(owner, Wanted(text="group", order="best")).page.total == "3"


def test_a_stranger_finds_nothing(owner: User) -> None:
    reviewed(owner)
    assert found(person("stranger"), "prime") == set()


@pytest.mark.parametrize("text", ["qwen-14b", "counterexample", "checked"])
def test_who_votes_blind_searches_the_question_alone_until_their_ballot(owner: User, text: str) -> None:
    table = reviewed(owner, blind=True, human_window_s=900)
    assert found(owner, text) == set()
    assert found(owner, f"prime -{text}") == {table.id}  # nor by what is left out
    seen = row(owner, f"prime or {text}")
    assert (seen.places, seen.hit) == ("the question", None)
    table.session.refresh_from_db()
    builders.people.take_seat(table.session, owner, asked=True)
    table.vote(owner, {table.agents[0]: 3})
    assert found(owner, text) == {table.id}


def test_ranks_tell_nothing_to_who_votes_blind(owner: User) -> None:
    blind = reviewed(owner, blind=True, human_window_s=900)
    open_ = opened(owner, task="prime prime prime", blind=False)
    best = [each.id for each in listing(owner, Wanted(text="prime or counterexample", order="best")).rows]
    assert set(best) == {blind.id, open_.id}
    asked = searching.read("prime or counterexample")
    documents = searching.found_in(owner, [blind.id], asked)[blind.id]
    assert [each.source for each in documents] == ["task"]


def test_at_the_end_nothing_is_hidden_from_anybody(owner: User) -> None:
    table = reviewed(owner, blind=True, human_window_s=0)
    table.stop(owner)
    assert found(owner, "counterexample") == {table.id}


def test_html_in_a_text_stays_text_in_its_snippet(owner: User) -> None:
    table = opened(owner).staff()
    table.propose(
        table.agents[0], answer="<b>bold</b> <script>alert(1)</script> gamma", reasoning="", claims=[]
    )
    html = client(owner).get("/?q=gamma").content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <mark>gamma</mark>" in html
