"""The state directory: whose it is, who may read it, and where its sockets lie."""

import stat
from base64 import urlsafe_b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nsed_web import state


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NSED_STATE_DIR", str(tmp_path / "made" / "here"))
    return tmp_path / "made" / "here"


def test_it_is_made_walkable_and_not_listable(directory: Path) -> None:
    assert state.state_directory() == directory
    assert stat.S_IMODE(directory.stat().st_mode) == 0o711


def test_one_that_others_can_write_is_refused_with_what_to_do(directory: Path) -> None:
    state.state_directory()
    directory.chmod(0o777)
    with pytest.raises(state.StateError, match=f"chmod 711 {directory}"):
        state.state_directory()


def test_one_of_another_user_is_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.state_directory()
    monkeypatch.setattr(state.os, "geteuid", lambda: directory.stat().st_uid + 1)
    with pytest.raises(state.StateError, match="belongs to another user"):
        state.state_directory()


def test_one_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NSED_STATE_DIR", str(tmp_path / "file" / "here"))
    with pytest.raises(state.StateError, match="set NSED_STATE_DIR"):
        state.state_directory()


def test_two_projects_have_two(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = state.default_root()
    monkeypatch.setattr(state, "PROJECT", Path("/elsewhere") / state.PROJECT.name)
    assert state.default_root() != ours
    assert state.default_root("-tests").name == state.default_root().name + "-tests"


@pytest.mark.parametrize("secret", [state.secret_key, state.key_encryption_key])
def test_a_secret_is_made_once_and_for_our_eyes_alone(directory: Path, secret: Callable[[], str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        values = set(pool.map(lambda _: secret(), range(8)))
    assert values == {secret()}
    files = [path for path in directory.iterdir() if path.is_file()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600]


def test_the_key_encryption_key_is_32_bytes(directory: Path) -> None:
    assert len(urlsafe_b64decode(state.key_encryption_key())) == 32


def test_sockets_lie_elsewhere_where_their_path_would_be_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NSED_STATE_DIR", str(tmp_path / "short"))
    assert state.run_directory() == tmp_path / "short" / "run"
    monkeypatch.setenv("NSED_STATE_DIR", str(tmp_path / ("long" * 30)))
    assert len(str(state.run_directory() / ".s.PGSQL.5432.lock")) < state.SOCKET_PATH_BYTES


def test_addresses_of_the_environment_come_first(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.delenv(name)
    assert state.addresses() == state.Addresses(
        database=state.database_url("nsed_app"),
        owner=state.database_url("nsed_owner"),
        redis=state.redis_url(),
    )
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/nsed")
    assert state.addresses().owner == "postgresql://app@db/nsed"
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@db/nsed")
    assert state.addresses().owner == "postgresql://owner@db/nsed"
