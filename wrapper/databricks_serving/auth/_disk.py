"""Tokens kept on disk, for programs that start often: off unless somebody asks for it."""

from collections.abc import Generator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from databricks_serving._core import json_codec
from databricks_serving._core.json_codec import is_object
from databricks_serving._core.logs import logger
from databricks_serving.auth._calendar import present
from databricks_serving.auth._json import object_in
from databricks_serving.auth._source import Site, Source
from databricks_serving.auth._steps import Call, Fetch, Step
from databricks_serving.auth._token import Token, checked
from databricks_serving.auth._vault import Vault
from databricks_serving.errors import ConfigError, TokenError

_FOLDER: Final = "~/.cache/databricks-serving/tokens"
# A token that ends sooner is not worth being read.
_LEFT: Final = 120.0
_LOCK_SECONDS: Final = 10.0


class OnDisk(Source):
    """Keeps the tokens of another source on disk, where the next program finds them.

    Each is a file that its owner alone can read, written whole. Of programs that need one at the
    same time one fetches it. What cannot be read or written is warned of, and done without.

    Args:
        source: One whose tokens do not depend on where they are fetched.
        folder: Where; by default below `~/.cache`.

    Raises:
        ConfigError: When tokens of the source cannot be kept.
    """

    auth_type: ClassVar[str] = "on-disk"

    def __init__(self, source: Source, folder: str | None = None) -> None:
        kind = type(source).__name__
        if not isinstance(source, Source):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
            raise ConfigError(f"OnDisk takes a source of tokens, not {kind}")
        if source.identity is None:
            raise ConfigError(f"tokens of {kind} cannot be kept on disk: nothing tells whose it is")
        self._source = source
        self._identity = source.identity
        self._folder = folder or _FOLDER
        self._warned = False

    def fetch(self, site: Site) -> Fetch:
        """Read the token that is kept, or have one fetched and keep it."""
        try:
            vault = Vault(Path(self._folder).expanduser())
        except RuntimeError as error:
            self._warn(error)
            return (yield from self._source.fetch(site))
        from hashlib import sha256  # noqa: PLC0415 - few programs log in this way

        name = sha256(f"{site.host}\n{self._identity}".encode()).hexdigest()[:32]
        token = yield from self._kept(vault, name, site)
        if token is None:
            with ExitStack() as lock:
                yield from self._quietly(
                    Call(partial(lock.enter_context, vault.locked(name, _LOCK_SECONDS)))
                )
                # Whoever had the lock may have brought one.
                token = yield from self._kept(vault, name, site)
                if token is None:
                    token = yield from self._source.fetch(site)
                    yield from self._quietly(Call(partial(vault.write, name, _written(token))))
        return token

    def _quietly(self, step: Step) -> Generator[Step, Any, Any]:
        try:
            return (yield step)
        except OSError as error:
            self._warn(error.strerror or error)
            return None

    def _warn(self, why: object) -> None:
        if not self._warned:
            logger.warning("tokens are not kept on disk in %s: %s", self._folder, why)
        self._warned = True

    def _kept(self, vault: Vault, name: str, site: Site) -> Generator[Step, Any, Token | None]:
        data: bytes | None = yield from self._quietly(Call(partial(vault.read, name)))
        token = None if data is None else _read(data)
        before = "" if site.replacing is None else site.replacing.reveal()
        return None if token is None or token.value == before else token


def _written(token: Token) -> bytes:
    life = 0.0 if token.expires_in is None else token.expires_in
    end = present().timestamp() + life
    return json_codec.encode({"token": token.value, "end": end, "headers": dict(token.headers)})


def _read(data: bytes) -> Token | None:
    kept = object_in(data)
    value, end, headers = kept.get("token"), kept.get("end"), kept.get("headers")
    if not (isinstance(value, str) and isinstance(end, float) and is_object(headers)):
        return None
    left = end - present().timestamp()
    if left < _LEFT:
        return None
    try:
        return checked(Token(value, left, headers), "on-disk")
    except TokenError:
        return None
