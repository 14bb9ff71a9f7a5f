"""How TLS is spoken by default: one context for the whole process, made when first needed."""

import os
import ssl
from pathlib import Path

import httpcore2

from databricks_serving._core.fork import ForkLock
from databricks_serving.errors import ConfigError

_contexts: dict[tuple[str | None, str | None], ssl.SSLContext] = {}
_lock = ForkLock()


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
            context = httpcore2.default_ssl_context()
    except OSError as error:
        source = "SSL_CERT_FILE" if cafile else "the system's trust store"
        why = error.strerror or type(error).__name__
        raise ConfigError(f"no certificates can be loaded from {source}: {why}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # An answer that is cut off must not look whole.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    return context
