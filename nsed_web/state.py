"""Where the project keeps what outlives a process: one state directory per project path.

It holds the data of the embedded PostgreSQL, the sockets, the logs, and two secrets. As root it lies under
the system's state directory, because PostgreSQL then runs as an account of its own, which must be able to
walk there; a private home would have to be opened to everybody. As an ordinary user it lies in that user's
state directory. Standard library only: manage.py and the keeper import this before anything else.
"""

import base64
import hashlib
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

PROJECT = Path(__file__).resolve().parent.parent
SOCKET_PATH_BYTES = 107  # the shortest limit of the systems we run on (sun_path on Linux)


class StateError(RuntimeError):
    """The state directory cannot be used; the message says why and what to do."""


def state_directory() -> Path:
    """The directory, made if missing: walkable by all, listed and written by its owner alone."""
    chosen = os.environ.get("NSED_STATE_DIR")
    root = Path(chosen).resolve() if chosen else default_root()
    try:
        _make(root)
    except OSError as error:
        raise StateError(
            f"cannot make the state directory {root}: {error.strerror}; set NSED_STATE_DIR"
        ) from error
    _refuse_if_not_ours(root)
    return root


def _make(root: Path) -> None:
    if not root.exists():
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o711)  # whatever the umask says


def default_root(suffix: str = "") -> Path:
    """Where it lies unless NSED_STATE_DIR says otherwise. The tests have one of their own, by a suffix."""
    name = f"{PROJECT.name}-{_short_hash(str(PROJECT))}{suffix}"
    home = Path("/var/lib") if os.geteuid() == 0 else _user_state_home()
    if os.access(_nearest_existing(home), os.W_OK):
        return home / "nsed" / name
    return Path(tempfile.gettempdir()) / f"nsed-{os.geteuid()}-{name}"


def _user_state_home() -> Path:
    chosen = os.environ.get("XDG_STATE_HOME")
    return Path(chosen) if chosen else Path.home() / ".local" / "state"


def _nearest_existing(path: Path) -> Path:
    return path if path.exists() else _nearest_existing(path.parent)


def _refuse_if_not_ours(root: Path) -> None:
    """In a shared temporary directory somebody else could have made it first, and would then read our
    secrets.
    """
    status = root.lstat()
    if status.st_uid != os.geteuid():
        raise StateError(
            f"the state directory {root} belongs to another user; set NSED_STATE_DIR to one of your own"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StateError(f"the state directory {root} can be written by others; run: chmod 711 {root}")


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def run_directory() -> Path:
    """Where the sockets lie: in the state directory, or where a socket's path would be too long for the
    system, beside it in the temporary directory. Made by the keeper, open to the servers' account alone.
    """
    inside = state_directory() / "run"
    if len(os.fsencode(inside / ".s.PGSQL.5432.lock")) < SOCKET_PATH_BYTES:
        return inside
    return Path(tempfile.gettempdir()) / f"nsed-{os.geteuid()}-{_short_hash(str(inside))}"


def database_url(role: str, *, database: str = "nsed") -> str:
    """The embedded server's address for one role; known before the server runs."""
    return f"postgresql://{role}@{quote(str(run_directory()), safe='')}/{database}"


def redis_url(*, number: int = 0) -> str:
    """The embedded Valkey's address; `number` is the logical database, 0 to 15."""
    return f"unix://{run_directory()}/valkey.sock?db={number}"


@dataclass(frozen=True)
class Addresses:
    """Where the data is: for the app, for migrations, and Redis."""

    database: str
    owner: str
    redis: str


def addresses() -> Addresses:
    """Those of the environment; the embedded servers' where they are unset. Only an owner that is not given
    besides a database that is falls to the app's role.
    """
    given = os.environ.get("DATABASE_URL")
    return Addresses(
        database=given or database_url("nsed_app"),
        owner=os.environ.get("DATABASE_OWNER_URL") or given or database_url("nsed_owner"),
        redis=os.environ.get("REDIS_URL") or redis_url(),
    )


def log_file(name: str) -> Path:
    """The file that a process started by us writes to, e.g. log_file("worker")."""
    directory = state_directory() / "log"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory / f"{name}.log"


def secret_key() -> str:
    """Django's SECRET_KEY, made at the first call and the same from then on."""
    return _secret("secret_key", secrets.token_urlsafe(64))


def key_encryption_key() -> str:
    """The key that endpoint keys are encrypted with: 32 random bytes in URL-safe base64, as Fernet asks."""
    return _secret("key_encryption_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())


def _secret(name: str, fresh: str) -> str:
    """The content of the 0600 file `name`. Written aside and linked, so that of two first starts both read
    one value.
    """
    path = state_directory() / name
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mkstemp makes it 0600
        with os.fdopen(descriptor, "w") as file:
            file.write(fresh)
        _link_unless_there(draft, path)
    return path.read_text()


def _link_unless_there(draft: str, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        os.unlink(draft)
