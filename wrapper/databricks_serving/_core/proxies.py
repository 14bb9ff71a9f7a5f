"""Which proxy leads to a host: an argument first, then the environment."""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from databricks_serving._core.secret import Secret
from databricks_serving.errors import ConfigError

_PROXY_VARIABLES: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_EXCEPTION_VARIABLES: Final = ("no_proxy", "NO_PROXY")
_NO_PROXY: Final = "is not the address of a proxy, such as http://proxy:8080"
_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and what it wants to know of its user."""

    url: str
    """Scheme, host name and port."""
    user: Secret | None = None
    password: Secret | None = None


def resolve_proxy(
    host_url: str, *, explicit: Secret | None, variable: Callable[[str], str | None]
) -> Proxy | None:
    """Return the proxy for a host; None where the host is to be asked directly.

    A host on this machine, or one without TLS, is never asked through a proxy: the token would
    leave this machine in clear.

    Args:
        host_url: Base URL of the workspace.
        explicit: The option `proxy`, which goes before the environment and its exceptions.
        variable: Returns the value of an environment variable.

    Raises:
        ConfigError: When a proxy cannot be used, naming the option or the variable; user name and
            password are never in the message.
    """
    target = urlsplit(host_url)
    if explicit is not None:
        proxy = _checked("proxy", explicit)
        return proxy if _takes_proxy(target) else None
    _, exceptions = _first(_EXCEPTION_VARIABLES, variable)
    if not _takes_proxy(target) or _is_exception(target, exceptions.reveal()):
        return None
    name, value = _first(_PROXY_VARIABLES, variable)
    return _checked(name, value) if value.reveal() else None


def _first(names: tuple[str, ...], variable: Callable[[str], str | None]) -> tuple[str, Secret]:
    found = ((name, Secret((variable(name) or "").strip())) for name in names)
    return next(((name, value) for name, value in found if value.reveal()), (names[0], Secret("")))


def _takes_proxy(target: SplitResult) -> bool:
    name = target.hostname or ""
    address = _address(name)
    loopback = name == "localhost" if address is None else address.is_loopback
    return target.scheme == "https" and not loopback


def _checked(name: str, value: Secret) -> Proxy:
    proxy = _parse(value.reveal())
    if isinstance(proxy, Proxy):
        return proxy
    raise ConfigError(f"{name} {proxy}")


def _parse(value: object) -> Proxy | str:
    """Return a proxy, or what is wrong with it."""
    # Nothing is raised from here: a traceback that shows local variables would show a password.
    if not isinstance(value, str):
        return f"must be a str, not {type(value).__name__}"
    text = value.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return _NO_PROXY
    if not host or port == 0 or not text.isascii() or not text.isprintable() or " " in text:
        return _NO_PROXY
    return _fault_of(parts.scheme) or _proxy(parts, host, port or _PORTS[parts.scheme])


def _fault_of(scheme: str) -> str | None:
    if scheme not in _PORTS:
        return f"names a proxy of an unknown kind; known are {', '.join(_PORTS)}"
    if scheme.startswith("socks") and find_spec("socksio") is None:
        return "names a socks5 proxy, which needs socksio: pip install 'databricks-serving[socks]'"
    return None


def _proxy(parts: SplitResult, host: str, port: int) -> Proxy:
    shown = f"[{host}]" if ":" in host else host
    url = f"{parts.scheme}://{shown}:{port}"
    if parts.username is None:
        return Proxy(url)
    return Proxy(url, Secret(unquote(parts.username)), Secret(unquote(parts.password or "")))


def _is_exception(target: SplitResult, listed: str) -> bool:
    host, port = (target.hostname or "").rstrip("."), target.port or 443
    return any(
        _matches(name, host) and only_port in {None, port} for name, only_port in _entries(listed)
    )


def _entries(listed: str) -> Iterator[tuple[str, int | None]]:
    """Yield the names, addresses and networks of a list, each with its port if it has one."""
    for entry in listed.lower().replace(",", " ").split():
        name, _, port = entry.rpartition(":")
        if port.isdecimal() and (":" not in name or name.endswith("]")):
            yield name.strip("[]"), int(port)
        else:
            yield entry.strip("[]"), None


def _matches(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if address is not None:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    suffix = entry.removeprefix("*").strip(".")
    return bool(suffix) and (host == suffix or host.endswith(f".{suffix}"))


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
