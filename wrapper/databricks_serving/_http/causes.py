"""What stopped a connection, in plain words."""

import errno
import os
import socket
import ssl
from typing import Final, NamedTuple

_EXPIRED: Final = 10
_WRONG_NAMES: Final = frozenset({62, 64})
# How OpenSSL names what a server without TLS sends in a handshake.
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH")
_NEEDS_CERTIFICATE: Final = (
    "CERTIFICATE_REQUIRED",
    "BAD_CERTIFICATE",
    "HANDSHAKE_FAILURE",
    "UNKNOWN_CA",
)
# The first bytes of an alert of TLS.
TLS_ALERT: Final = b"\x15\x03"


class Cause(NamedTuple):
    """A cause in words.

    Attributes:
        text: What it is.
        transient: Whether it may pass by itself.
        refused: Whether the server refused the connection, whatever was sent on it.
    """

    text: str
    transient: bool = True
    refused: bool = False


def cause_of(error: BaseException, host: str, *, at_proxy: bool = False) -> Cause:
    """Return why a connection to a host failed, or to the proxy before it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Cause(_certificate(error, host), transient=False, refused=True)
    if isinstance(error, ssl.SSLError):
        return _tls(error)
    if isinstance(error, socket.gaierror | UnicodeError):
        option = "the proxy's address" if at_proxy else "host"
        return Cause(f"the name {host} cannot be resolved: check {option}")
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
        return Cause("too many open files: close clients and streams, or raise the limit")
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return Cause(f"[Errno {error.errno}] {os.strerror(error.errno)}")
    return Cause(str(error) or type(error).__name__)


def _certificate(error: ssl.SSLCertVerificationError, host: str) -> str:
    if error.verify_code in _WRONG_NAMES:
        return f"the certificate is not one for {host}: check host"
    if error.verify_code == _EXPIRED:
        return f"the certificate of {host} has expired: check its date and this machine's clock"
    return (
        f"the certificate of {host} is not trusted ({error.verify_message}); certificates are "
        "trusted that the system's store, SSL_CERT_FILE, SSL_CERT_DIR or ssl_context= names"
    )


def _tls(error: ssl.SSLError) -> Cause:
    reason: str = getattr(error, "reason", None) or ""
    if any(name in reason for name in _NO_TLS):
        return Cause("the port does not speak TLS: is it one for plain http?", transient=False)
    if any(name in reason for name in _NEEDS_CERTIFICATE):
        text = "the server wants a client certificate that it knows: pass ssl_context="
        return Cause(f"{text} ({reason})", transient=False, refused=True)
    if "ALPN" in reason or "APPLICATION_PROTOCOL" in reason:
        return Cause("the server does not speak HTTP/1.1 (ALPN)", transient=False, refused=True)
    if isinstance(error, ssl.SSLEOFError):
        return Cause("TLS was cut off by the server")
    return Cause(f"TLS failed: {reason or str(error)}", transient=False)
