"""Which workspace and which credential is to be found: a table of cases.

Each case is a set of arguments, environment variables and a file of profiles. Where the official
SDK decides otherwise, `sdk` tells how, and `why` what speaks for ours.
"""

from dataclasses import dataclass, field
from typing import Any

ENV = "https://env.example.com"
ARG = "https://arg.example.com"
PAIR = {"CLIENT_ID": "env-id", "CLIENT_SECRET": "env-secret"}
SITE = {"HOST": ENV}
BOTH = {**SITE, "TOKEN": "env-token"}
AZURE = {"ARM_CLIENT_ID": "arm-id", "ARM_CLIENT_SECRET": "s", "ARM_TENANT_ID": "t"}
FILE = """
[DEFAULT]
host = https://default.example.com
token = default-token
[mine]
host = https://mine.example.com/
token = mine-token
[half]
host = https://half.example.com
[principal]
host = https://principal.example.com
client_id = principal-id
client_secret = principal-secret
[both]
host = https://both.example.com
token = both-token
client_id = both-id
client_secret = both-secret
[pinned]
host = https://pinned.example.com
token = pinned-token
client_id = pinned-id
client_secret = pinned-secret
auth_type = oauth-m2m
"""
SETTINGS = f"[__settings__]\ndefault_profile = mine\n{FILE}"
NO_DEFAULT = FILE.replace("[DEFAULT]", "[other]")


@dataclass(frozen=True)
class Case:
    """What is there, and what must be found.

    `finds` is "kind host credential", or "error: " and a part of what is said.
    """

    name: str
    finds: str
    given: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    file: str | bytes | None = None
    sdk: str | None = None
    why: str = ""


ARGUMENTS = [
    Case("host and token given", f"pat {ARG} arg", {"host": ARG, "token": "arg"}),
    Case("host and token set", f"pat {ENV} env-token", env=BOTH),
    Case("given before set", f"pat {ARG} arg", {"host": ARG, "token": "arg"}, BOTH),
    Case("host given, token set", f"pat {ARG} env-token", {"host": ARG}, BOTH),
    Case("token given, host set", f"pat {ENV} arg", {"token": "arg"}, SITE),
    Case("nothing at all", "error: no workspace"),
    Case("host alone", "error: no token", {"host": ARG}),
    Case("token alone", "error: no workspace", {"token": "arg"}),
    Case("empty host", "error: no workspace", env={"HOST": "", "TOKEN": "t"}),
    Case("empty token", "error: no token", env={**SITE, "TOKEN": ""}),
    Case("empty profile name", f"pat {ENV} env-token", env={**BOTH, "CONFIG_PROFILE": ""}),
    Case("empty auth_type", f"pat {ENV} env-token", env={**BOTH, "AUTH_TYPE": ""}),
    Case("empty pair", f"pat {ENV} env-token", env={**BOTH, "CLIENT_ID": "", "CLIENT_SECRET": ""}),
    Case("pair", f"oauth-m2m {ENV} env-id", env={**SITE, **PAIR}),
    Case("pair, host given", f"oauth-m2m {ARG} env-id", {"host": ARG}, {**SITE, **PAIR}),
    Case("pair without host", "error: no workspace", env=PAIR),
    Case("id alone", "error: no client_secret", env={**SITE, "CLIENT_ID": "x"}),
    Case("secret alone", "error: no client_id", env={**SITE, "CLIENT_SECRET": "x"}),
    Case("token and pair", "error: more than one kind", env={**BOTH, **PAIR}),
    Case("token given, pair set", "error: more than one", {"token": "arg"}, {**SITE, **PAIR}),
    Case("token and id", "error: more than one kind", env={**BOTH, "CLIENT_ID": "x"}),
    Case("token and azure", "error: more than one kind", env={**BOTH, **AZURE}),
    Case("pair and azure", "error: more than one kind", env={**SITE, **PAIR, **AZURE}),
    Case("token and password", "error: more than one kind", env={**BOTH, "PASSWORD": "x"}),
    Case("account beside a token", f"pat {ENV} env-token", env={**BOTH, "ACCOUNT_ID": "a"}),
    Case(
        "account beside a pair", f"oauth-m2m {ENV} env-id", env={**SITE, **PAIR, "ACCOUNT_ID": "a"}
    ),
]
PINNED = [
    Case("pat of two", f"pat {ENV} env-token", {"auth_type": "pat"}, {**BOTH, **PAIR}),
    Case("m2m of two", f"oauth-m2m {ENV} env-id", {"auth_type": "oauth-m2m"}, {**BOTH, **PAIR}),
    Case("pat set", f"pat {ENV} env-token", env={**BOTH, **PAIR, "AUTH_TYPE": "pat"}),
    Case("m2m set", f"oauth-m2m {ENV} env-id", env={**BOTH, **PAIR, "AUTH_TYPE": "oauth-m2m"}),
    Case(
        "given before set, pinned",
        f"pat {ENV} env-token",
        {"auth_type": "pat"},
        {**BOTH, **PAIR, "AUTH_TYPE": "oauth-m2m"},
    ),
    Case("pat without token", "error: cannot be used", {"auth_type": "pat"}, {**SITE, **PAIR}),
    Case("m2m without pair", "error: cannot be used", {"auth_type": "oauth-m2m"}, BOTH),
    Case(
        "m2m with half a pair",
        "error: there is no client_secret",
        {"auth_type": "oauth-m2m"},
        {**SITE, "CLIENT_ID": "x"},
    ),
    Case("unknown kind", "error: is unknown", {"auth_type": "magic"}, BOTH),
    Case("kind of the SDK's own", "error: databricks-sdk", {"auth_type": "google-id"}, BOTH),
]
PROFILES = [
    Case("default profile", "pat https://default.example.com default-token", file=FILE),
    Case(
        "profile given", "pat https://mine.example.com mine-token", {"profile": "mine"}, file=FILE
    ),
    Case(
        "profile set",
        "pat https://mine.example.com mine-token",
        env={"CONFIG_PROFILE": "mine"},
        file=FILE,
    ),
    Case(
        "profile given before set",
        "pat https://mine.example.com mine-token",
        {"profile": "mine"},
        {"CONFIG_PROFILE": "principal"},
        FILE,
    ),
    Case(
        "DEFAULT by its name",
        "pat https://default.example.com default-token",
        {"profile": "DEFAULT"},
        file=FILE,
    ),
    Case("profile of the settings", "pat https://mine.example.com mine-token", file=SETTINGS),
    Case(
        "profile given before the settings",
        "oauth-m2m https://principal.example.com principal-id",
        {"profile": "principal"},
        file=SETTINGS,
    ),
    Case(
        "profile of the settings is not there",
        "error: no profile 'nowhere'",
        file=SETTINGS.replace("= mine", "= nowhere"),
    ),
    Case(
        "empty settings",
        "pat https://default.example.com default-token",
        file=SETTINGS.replace("= mine", "="),
    ),
    Case(
        "pair in a profile",
        "oauth-m2m https://principal.example.com principal-id",
        {"profile": "principal"},
        file=FILE,
    ),
    Case("two kinds in a profile", "error: more than one kind", {"profile": "both"}, file=FILE),
    Case(
        "two kinds in a profile, one pinned",
        "oauth-m2m https://both.example.com both-id",
        {"profile": "both", "auth_type": "oauth-m2m"},
        file=FILE,
    ),
    Case(
        "two kinds in a profile that pins one",
        "oauth-m2m https://pinned.example.com pinned-id",
        {"profile": "pinned"},
        file=FILE,
    ),
    Case(
        "a pin before that of a profile",
        "pat https://pinned.example.com pinned-token",
        {"profile": "pinned", "auth_type": "pat"},
        file=FILE,
    ),
    Case("nothing is inherited", "error: no token", {"profile": "half"}, file=FILE),
    Case(
        "token set for a profile without one",
        "pat https://half.example.com env-token",
        {"profile": "half"},
        {"TOKEN": "env-token"},
        FILE,
    ),
    Case(
        "pair set for a profile without one",
        "oauth-m2m https://half.example.com env-id",
        {"profile": "half"},
        PAIR,
        FILE,
    ),
    Case(
        "host given before that of a profile",
        f"pat {ARG} mine-token",
        {"profile": "mine", "host": ARG},
        file=FILE,
    ),
    Case(
        "token given before that of a profile",
        "pat https://mine.example.com arg",
        {"profile": "mine", "token": "arg"},
        file=FILE,
    ),
    Case(
        "variables before a profile that is named",
        f"pat {ENV} env-token",
        {"profile": "mine"},
        BOTH,
        FILE,
    ),
    Case(
        "variables before a profile, one by one",
        f"pat {ENV} mine-token",
        {"profile": "mine"},
        SITE,
        FILE,
    ),
    Case(
        "a profile adds a second kind",
        "error: more than one kind",
        {"profile": "mine"},
        PAIR,
        FILE,
    ),
    Case("host set: no default profile", "error: no token", env=SITE, file=FILE),
    Case("token set: no default profile", "error: no workspace", env={"TOKEN": "t"}, file=FILE),
    Case("pair set: no default profile", "error: no workspace", env=PAIR, file=FILE),
    Case("host given: no default profile", "error: no token", {"host": ARG}, file=FILE),
    Case("only others", "error: no workspace", file=NO_DEFAULT),
    Case("empty file", "error: no workspace", file=""),
    Case("profile is not there", "error: no profile 'none'", {"profile": "none"}, file=FILE),
    Case("DEFAULT is not there", "error: no profile", {"profile": "DEFAULT"}, file=NO_DEFAULT),
    Case("no file for a profile", "error: no file", {"profile": "mine"}),
    Case(
        "percent signs",
        "pat https://p.example.com 50%(a)s%%",
        {"profile": "p"},
        file="[p]\nhost = https://p.example.com\ntoken = 50%(a)s%%\n",
    ),
    Case(
        "other keys",
        "pat https://p.example.com t",
        {"profile": "p"},
        file="[p]\nhost: p.example.com\ntoken: t\ncluster_id: 1\n",
    ),
]
HOSTS = [
    Case(f"host {given}", f"pat {finds} arg", {"host": given, "token": "arg"})
    for given, finds in [
        ("arg.example.com", ARG),
        (f"{ARG}/", ARG),
        (f"{ARG}:443", ARG),
        (f"{ARG}:8443", f"{ARG}:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ]
]
ODD = [
    Case("empty token given", "error: token is empty", {"token": ""}, BOTH),
    Case("empty host given", "error: host is empty", {"host": ""}, BOTH),
    Case("reserved name", "error: no workspace", {"profile": "__settings__"}, file=SETTINGS),
    Case("other letter case", "error: no profile 'MINE'", {"profile": "MINE"}, file=FILE),
    Case("spaces in a name", "error: no profile ' mine '", {"profile": " mine "}, file=FILE),
    Case("empty host in a profile", "error: no workspace", {"profile": "p"}, file="[p]\nhost =\n"),
    Case("path", f"pat {ARG}/a/b arg", {"host": f"{ARG}/a/b/", "token": "arg"}),
    Case("two slashes", f"pat {ARG} arg", {"host": f"{ARG}//", "token": "arg"}),
    Case("part of azure", "error: more than one kind", env={**BOTH, "ARM_TENANT_ID": "t"}),
    Case(
        "a pin alone: default profile",
        "pat https://default.example.com default-token",
        {"auth_type": "pat"},
        file=FILE,
    ),
    Case(
        "a pin that the profile does not fit",
        "error: cannot be used",
        {"profile": "mine", "auth_type": "oauth-m2m"},
        file=FILE,
    ),
    Case(
        "account alone: default profile",
        "pat https://default.example.com default-token",
        env={"ACCOUNT_ID": "a"},
        file=FILE,
    ),
    Case("resource id alone", "error: no workspace", env={"AZURE_RESOURCE_ID": "/x"}, file=FILE),
]
# Where the two differ, and why. An error of the one is as good as any of the other.
DIFFERENT = [
    Case(
        "no file for a profile, all else set",
        "error: no file",
        {"profile": "mine"},
        BOTH,
        sdk=f"pat {ENV} env-token",
        why="a profile that was named and is not there is a mistake",
    ),
    Case(
        "empty name given",
        "pat https://default.example.com default-token",
        {"profile": ""},
        file=FILE,
        sdk="error: ",
        why="an empty name is no name, as that of the variable",
    ),
    Case(
        "empty pin given",
        "error: is unknown",
        {"auth_type": ""},
        BOTH,
        sdk=f"pat {ENV} env-token",
        why="what is given and empty is a mistake, as a token is",
    ),
    Case(
        "plain http",
        "error: https",
        {"host": "http://arg.example.com", "token": "arg"},
        sdk="pat http://arg.example.com arg",
        why="the token would travel in clear",
    ),
    Case(
        "host with a query",
        "error: query",
        {"host": f"{ARG}/?o=1", "token": "arg"},
        sdk=f"pat {ARG}?o=1 arg",
        why="no path can follow a query",
    ),
    Case(
        "host in capitals",
        f"pat {ARG} arg",
        {"host": "HTTPS://ARG.example.com", "token": "arg"},
        sdk="pat https://ARG.example.com arg",
        why="one place has one name",
    ),
    Case(
        "host in quotes",
        "error: host",
        {"profile": "p"},
        file='[p]\nhost = "p.example.com"\ntoken = t\n',
        sdk='pat https://"p.example.com" t',
        why="no host has quotes",
    ),
    Case(
        "token with spaces around",
        f"pat {ENV} env-token",
        env={**SITE, "TOKEN": " env-token "},
        sdk=f"pat {ENV}  env-token ",
        why="no token has them",
    ),
    Case(
        "token of spaces",
        "error: no token",
        env={**SITE, "TOKEN": "  "},
        sdk=f"pat {ENV}   ",
        why="spaces are no token",
    ),
    Case(
        "byte order mark",
        "pat https://p.example.com t",
        {"profile": "p"},
        file=b"\xef\xbb\xbf[p]\nhost = p.example.com\ntoken = t\n",
        sdk="error: ",
        why="some editors write it",
    ),
    Case(
        "key twice",
        "pat https://p.example.com second",
        {"profile": "p"},
        file="[p]\nhost = p.example.com\ntoken = first\ntoken = second\n",
        sdk="error: ",
        why="the second line is most likely the newer one",
    ),
    Case(
        "empty token in a profile, pair set",
        "oauth-m2m https://p.example.com env-id",
        {"profile": "p"},
        PAIR,
        "[p]\nhost = p.example.com\ntoken =\n",
        sdk="error: ",
        why="empty is unset everywhere",
    ),
    Case(
        "user and password",
        "error: no token",
        env={**SITE, "USERNAME": "u", "PASSWORD": "p"},
        sdk=f"basic {ENV} None",
        why="passwords are of the past, and there is no source for them",
    ),
    *(
        Case(
            f"token and {name}",
            f"pat {ENV} env-token",
            env={**BOTH, name: "x"},
            sdk="error: ",
            why="what only completes a way to log in does not choose it",
        )
        for name in ("OIDC_TOKEN_FILEPATH", "OIDC_TOKEN_ENV", "AZURE_RESOURCE_ID")
    ),
]
CASES = [*ARGUMENTS, *PINNED, *PROFILES, *HOSTS, *ODD, *DIFFERENT]
