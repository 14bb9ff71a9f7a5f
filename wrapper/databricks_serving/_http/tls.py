"""How TLS is spoken by default: one context for the whole process, made when first needed."""

import os
import ssl
import sys
from pathlib import Path
from typing import Final

from databricks_serving._core.fork import fork_lock
from databricks_serving.errors import ConfigError

_contexts: dict[tuple[str | None, str | None], ssl.SSLContext] = {}
_lock = fork_lock()
# Where systems keep certificates that OpenSSL was not built to look for.
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def shared_context() -> ssl.SSLContext:
    """Return the context that trusts what the system, or SSL_CERT_FILE and SSL_CERT_DIR, names.

    Raises:
        ConfigError: When certificates cannot be loaded, naming the variable.
    """
    trusted = os.environ.get("SSL_CERT_FILE") or None, os.environ.get("SSL_CERT_DIR") or None
    with _lock:
        if trusted not in _contexts:
            _contexts[trusted] = _make(*trusted)
        return _contexts[trusted]


def _make(cafile: str | None, capath: str | None) -> ssl.SSLContext:
    if capath and not Path(capath).is_dir():
        raise ConfigError("no certificates can be loaded: SSL_CERT_DIR is not a directory")
    try:
        if cafile or capath:
            context = ssl.create_default_context(cafile=cafile, capath=capath)
        else:
            context = _system_context()
    except OSError as error:
        source = "SSL_CERT_FILE" if cafile else "the system's trust store"
        why = error.strerror or type(error).__name__
        raise ConfigError(f"no certificates can be loaded from {source}: {why}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # An answer that is cut off must not look whole.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    return context


def _system_context() -> ssl.SSLContext:
    if sys.platform in {"win32", "darwin"}:
        import truststore  # noqa: PLC0415 - elsewhere OpenSSL itself reads the system's store

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    found = paths.cafile or paths.capath
    return ssl.create_default_context(
        cafile=None if found else next(filter(os.path.isfile, _BUNDLES), None)
    )
