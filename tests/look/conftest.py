"""Where the look lives, and what its sheets define."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tokens() -> set[str]:
    """Names of the custom properties of tokens.css, without their dashes."""
    return set(re.findall(r"--([a-z0-9-]+):", (ROOT / "static/css/tokens.css").read_text()))
