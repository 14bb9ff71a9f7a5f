"""The module `client` of a package for a chat model or an agent."""

from dataclasses import dataclass
from typing import Final

from databricks_serving.contract.endpoint.text import (
    RAISES,
    Module,
    docstring,
    keyword_documents,
    keyword_names,
    keyword_parameters,
    keyword_values,
    one_line,
)
from databricks_serving.contract.endpoint.types import Conversation, Field
from databricks_serving.params import BoundChatArguments, ResponsesArguments


@dataclass(frozen=True, slots=True)
class _Task:
    """What the client has for one task."""

    given: str
    arguments: type
    handle: str
    reply: str
    called: str


# Signatures of agents list them; it is the handle that streams, and the endpoint is the model.
_SETTLED: Final = frozenset({"model", "stream"})
_MESSAGES: Final = "str | Sequence[MessageDict]"
_TASKS: Final = {
    "chat": _Task(_MESSAGES, BoundChatArguments, "ChatEndpoint", "ChatCompletion", "chat model"),
    "agents": _Task(_MESSAGES, BoundChatArguments, "AgentEndpoint", "AgentReply", "agent"),
    "responses": _Task(
        "str | Sequence[ResponsesInputItemDict]",
        ResponsesArguments,
        "ResponsesEndpoint",
        "ResponsesReply",
        "agent",
    ),
}


def talking_module(inputs: Conversation, params: tuple[Field, ...], endpoint: str | None) -> Module:
    """Write the module; raises as `client_module`.

    Args:
        inputs: The task, and what may stand beside the messages.
        params: What the signature lists as parameters.
        endpoint: The endpoint that is called unless another one is named.
    """
    task = _TASKS[inputs.task]
    known = task.arguments.__annotations__.keys() | _SETTLED
    extra = [field for field in (*inputs.keywords, *params) if field.name not in known]
    named = f"ENDPOINT: Final = {endpoint!r}\n" if endpoint else ""
    item = task.given.removeprefix("str | Sequence[").removesuffix("]")
    where = f"the endpoint {one_line(endpoint)}" if endpoint else f"one {task.called}"
    head = f'''\
"""Typed calls of {where}."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Unpack, cast

from databricks_serving import AsyncServingClient, ServingClient
from databricks_serving.bound import Async{task.handle}, {task.handle}
from databricks_serving.contract import runtime
from databricks_serving.models import {task.reply}
from databricks_serving.params import {task.arguments.__name__}, {item}

{named}'''
    functions = [
        function
        for asynchronous in (False, True)
        for function in (
            _ask(task, extra, endpoint, asynchronous=asynchronous),
            _handle(task, inputs.task, endpoint, asynchronous=asynchronous),
        )
    ]
    names = ("ask", "ask_async", "handle", "handle_async", *(["ENDPOINT"] if endpoint else []))
    return Module("\n\n".join([head, *functions]), names)


def _ask(task: _Task, extra: list[Field], endpoint: str | None, *, asynchronous: bool) -> str:
    names = keyword_names(extra, task.arguments.__annotations__)
    kind = task.arguments.__name__
    documents = [
        f"client: {'An asynchronous' if asynchronous else 'A'} client.",
        "messages: The conversation, or what the user says.",
        "endpoint: Name of the endpoint.",
        *keyword_documents(extra, names),
        f"**arguments: The parameters of a request, documented on `{kind}`.",
    ]
    default = " = ENDPOINT" if endpoint else ""
    given = "**arguments"
    if extra:
        values = keyword_values(extra, names)
        given = f'**cast("{kind}", runtime.beside(arguments, {values}))'
    suffix = "_async" if asynchronous else ""
    summary = f"Have the {task.called} answer{', as `ask` does' if asynchronous else ''}."
    return f"""\
{"async " if asynchronous else ""}def ask{suffix}(
    client: {"Async" if asynchronous else ""}ServingClient, messages: {task.given}, *,
    endpoint: str{default}, {keyword_parameters(extra, names)}**arguments: Unpack[{kind}],
) -> {task.reply}:
    {docstring(summary, documents, RAISES)}
    bound = handle{suffix}(client, endpoint)
    return {"await " if asynchronous else ""}bound.invoke(messages, {given})
"""


def _handle(task: _Task, name: str, endpoint: str | None, *, asynchronous: bool) -> str:
    kind = f"{'Async' if asynchronous else ''}{task.handle}[{task.reply}]"
    summary = "Return a handle of the endpoint, which streams as well."
    return f"""\
def handle{"_async" if asynchronous else ""}(
    client: {"Async" if asynchronous else ""}ServingClient,
    endpoint: str{" = ENDPOINT" if endpoint else ""},
) -> {kind}:
    {docstring(summary)}
    return client.endpoint(endpoint, task={name!r})
"""
