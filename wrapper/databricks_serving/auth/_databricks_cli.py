"""The login of the Databricks command line.

fact: `databricks auth token` prints JSON with access_token, token_type and expiry (RFC 3339), from
the login that `databricks auth login` made, and renews it itself.
"""

from typing import ClassVar, Final

from databricks_serving.auth._programs import (
    Fields,
    find_program,
    is_installed,
    run,
    said,
    token_in,
)
from databricks_serving.auth._source import Site, Source, UnavailableError
from databricks_serving.auth._steps import Fetch
from databricks_serving.auth._values import Values

_PROGRAM: Final = "databricks"
_FIELDS: Final = Fields("access_token", "token_type", ("expiry",))
# How the retired command line, written in Python, refuses `auth`.
_RETIRED: Final = b"no such command"


class DatabricksCli(Source):
    """The login of `databricks auth login`, for people at their own machine.

    Args:
        profile: Name of the profile to take the login of, which must be for the client's host; else
            that of the host.
        path: Path of the program; else it is looked for on the PATH.
    """

    auth_type: ClassVar[str] = "databricks-cli"
    certain: ClassVar[bool] = False
    uses: ClassVar[tuple[str, ...]] = ("databricks_cli_path",)

    @classmethod
    def configured(cls, values: Values) -> Source | str:
        """Return the source where the program is there."""
        path = values.get("databricks_cli_path")
        if path is None and not is_installed(_PROGRAM, values):
            return f"there is no program {_PROGRAM} on the PATH"
        # The login of a profile is for its own workspace, which an argument may differ from.
        host = values.found.get("host")
        return cls(values.profile if host and host.kind == "profile" else None, path)

    def __init__(self, profile: str | None = None, path: str | None = None) -> None:
        self._profile = profile
        self._path = path

    def fetch(self, site: Site) -> Fetch:
        """Run the program."""
        path = yield from find_program(self.auth_type, self._path or _PROGRAM)
        which = ("--host", site.host) if self._profile is None else ("--profile", self._profile)
        completed = yield from run(self.auth_type, (path, "auth", "token", *which))
        if completed.code == 0:
            return token_in(completed, self.auth_type, _PROGRAM, _FIELDS)
        if _RETIRED in completed.errors.lower():
            text = f"{path} is the retired command line, without `auth`: install the present one"
        else:
            text = f"{said(completed)}; log in with: databricks auth login {' '.join(which)}"
        raise UnavailableError(f"{self.auth_type}: {text}", source=self.auth_type)
