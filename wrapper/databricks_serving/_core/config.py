"""The rules for addresses and tokens."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from databricks_serving._core.secret import MAX_SECRET, Secret
from databricks_serving.errors import ConfigError

HOST_VARIABLE = "DATABRICKS_HOST"
TOKEN_VARIABLE = "DATABRICKS_TOKEN"  # noqa: S105 - the name of a variable, not a token

# A last label of digits (or hexadecimal) would be read as an IPv4 address in an odd notation.
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"({_LABEL}\.)*(?!\d+$|0x[0-9a-f]*$){_LABEL}")
_MAX_NAME_LENGTH = 253
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Where clouds hand out the credentials of a machine, beside the link-local addresses.
_METADATA = frozenset(
    {"100.100.100.200", "168.63.129.16", "fd00:ec2::254", "metadata.google.internal"}
)
_ACCESS_TOKEN = re.compile(r"dapi[0-9a-f]{32}(-\d+)?")


def normalise_host(host: str) -> str:
    """Return the base URL of a workspace given as people write it.

    Raises:
        ConfigError: When it is no plain https URL (http is accepted for this machine only).
    """
    address = normalise_address(host, "host")
    if urlsplit(address).path.startswith("/serving-endpoints"):
        raise ConfigError("host must be the workspace's address alone, without /serving-endpoints")
    return address


def normalise_address(address: str, what: str) -> str:
    """Return an address that tokens are sent to, given as people write it, in one form.

    Args:
        address: The address.
        what: What it is called where it cannot be one.

    Raises:
        ConfigError: When it is no plain https URL (http is accepted for this machine only).
    """
    parts, name = _parse(address, what)
    if parts.scheme != "https" and not is_loopback(name):
        raise ConfigError(
            f"{what} must use https, not {parts.scheme}: the token would travel in clear"
        )
    shown = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{shown}{_port_suffix(parts, what)}{parts.path.rstrip('/')}"


def _port_suffix(parts: SplitResult, what: str) -> str:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ConfigError(f"{what} has an invalid port")
    default = {"https": 443, "http": 80}[parts.scheme]
    return "" if port is None or port == default else f":{port}"


def _parse(address: object, what: str) -> tuple[SplitResult, str]:
    if not isinstance(address, str):
        raise ConfigError(f"{what} must be a str, not {type(address).__name__}")
    text = address.strip()
    if not text or any(character.isspace() or not character.isprintable() for character in text):
        raise ConfigError(f"{what} is empty or has a space or control character in it")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        name = parts.hostname or ""
    except ValueError:
        raise ConfigError(f"{what} is not a valid URL") from None
    if parts.scheme not in {"http", "https"}:
        raise ConfigError(f"{what} must be an https URL, not {parts.scheme}")
    if "@" in parts.netloc:
        raise ConfigError(f"{what} must not carry a user name or password")
    if parts.query or parts.fragment:
        raise ConfigError(f"{what} must not have a query or fragment (remove all from ? or # on)")
    if "\\" in text or "%" in text:
        raise ConfigError(f"{what} must not have a backslash or percent sign")
    return parts, _check_name(name, what)


def _check_name(name: str, what: str) -> str:
    address = _address(name)
    if address is not None:
        _check_address(address, what)
        return name
    if len(name) > _MAX_NAME_LENGTH:
        raise ConfigError(f"{what} is not a valid host name: it is too long")
    if _ACCESS_TOKEN.fullmatch(name):
        raise ConfigError(f"{what} looks like a token: have host and token been swapped?")
    try:
        ascii_name = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        raise ConfigError(f"{what} is not a valid host name") from None
    if not _HOST_NAME.fullmatch(ascii_name):
        raise ConfigError(f"{what} is not a valid host name")
    if ascii_name in _METADATA:
        raise ConfigError(f"{what} {ascii_name} is not the address of a workspace")
    return ascii_name


def _check_address(address: _Address, what: str) -> None:
    # An IPv4 address may come in the dress of IPv6.
    for dress in ("ipv4_mapped", "sixtofour"):
        address = getattr(address, dress, None) or address
    wrong = address.is_link_local or address.is_unspecified or address.is_multicast
    if wrong or str(address) in _METADATA:
        raise ConfigError(f"{what} {address} is not the address of a workspace")


def is_safe_origin(parts: SplitResult) -> bool:
    """Tell whether a secret may be sent to an address: over TLS, or to this machine."""
    name = parts.hostname
    if not name or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(name))


def is_loopback(name: str) -> bool:
    """Tell whether a host is this machine."""
    address = _address(name)
    return name == "localhost" if address is None else address.is_loopback


def _address(name: str) -> _Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def check_token(token: Secret) -> Secret:
    """Return the token without the spaces around it.

    Raises:
        ConfigError: When it cannot be a token; the message says why without showing it.
    """
    fault = token_fault(token.reveal())
    if fault is not None:
        raise ConfigError(f"token {fault}")
    return Secret(token.reveal().strip())


def token_fault(token: object) -> str | None:
    # Nothing is raised from here: a traceback that shows local variables would show the token.
    if not isinstance(token, str):
        function = "; auth= takes functions" if callable(token) else ""
        return f"must be a str, not {type(token).__name__}{function}"
    text = token.strip()
    plain = text.isascii() and text.isprintable() and " " not in text
    rules = (
        (not text, "is empty"),
        ("\n" in token or "\r" in token, "has a line break; was it read from a file? strip it"),
        (text.lower().startswith("bearer "), "must be the token alone, without 'Bearer'"),
        (not plain, "has a character that no token has (space, control or non-ASCII)"),
        (len(text) > MAX_SECRET, f"is longer than {MAX_SECRET} characters"),
    )
    return next((fault for broken, fault in rules if broken), None)
