"""The program of one llama.cpp process: serves until its standard input ends.

Started by `engine.py` as a script, so it imports nothing of this package. It reads its settings
as one line of JSON and writes the address of its server as one line.
"""

import json
import os
import signal
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Serve one model."""
    # Whatever llama.cpp prints must not mix with the address.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Ctrl-C reaches every process of the terminal; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = _serve(json.loads(sys.stdin.readline()))
    print(server.listening_address, file=channel, flush=True)
    sys.stdin.read()
    # The server's destructor waits for open streams.
    os._exit(0)


def _serve(settings: dict[str, Any]) -> Any:
    # Imported by name because it has no types, and only now that its output has a place to go.
    xllamacpp: Any = import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["alias"]}
    params.api_keys = [settings["key"]]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.ui = False
    params.warmup = False
    params.verbosity = 3 if settings["verbose"] else -1
    params.n_ctx = settings["context"] * settings["slots"]
    params.n_parallel = settings["slots"]
    params.embedding = settings["embedding"]
    if settings["embedding"]:
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        # A text is embedded in one batch, so the batch is as large as the context.
        params.n_batch = params.n_ubatch = settings["context"]
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
