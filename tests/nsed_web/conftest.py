from collections.abc import Iterator

import pytest

from tests.nsed_web.scratch import Scratch


@pytest.fixture(scope="module")
def kept_scratch() -> Iterator[Scratch]:
    made = Scratch.make()
    yield made
    made.remove()


@pytest.fixture
def scratch(kept_scratch: Scratch) -> Iterator[Scratch]:
    """The module's directory, at whose beginning and end nothing runs; a data directory is made once."""
    yield kept_scratch
    kept_scratch.end_everything()


@pytest.fixture
def empty_scratch() -> Iterator[Scratch]:
    """A directory that nobody has used yet."""
    made = Scratch.make()
    yield made
    made.remove()
