"""Scripted answers of agents."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack

from databricks_serving._core.arguments import public_method
from databricks_serving._core.json_codec import is_sequence
from databricks_serving.errors import InvalidRequestError
from databricks_serving.testing._bodies import (
    AGENT_FORM,
    RESPONSE_FORM,
    response_body,
)
from databricks_serving.testing._options import StreamOptions
from databricks_serving.testing._said import Said, pieces_of, pieces_of_stream, said
from databricks_serving.testing._scripting import Scripting, reply_of, stream_of

Json = Mapping[str, Any]


class AgentReplies(Scripting):
    """Answers of agents of both kinds."""

    @public_method(StreamOptions)
    def response(
        self,
        text: str | None = None,
        *,
        output: Sequence[Json] | None = None,
        reasoning: str | None = None,
        **options: Unpack[StreamOptions],
    ) -> None:
        """Script what `client.responses` gets: the answer of an agent.

        Args:
            text: What it says.
            output: The items of its answer instead, as they are sent: messages, calls, results.
            reasoning: What it thought before.
            **options: For which request, how often, and what goes wrong: `StreamOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        named = ("text", "output", "reasoning")
        if output is None:
            content = said(pieces_of(text), reasoning=reasoning)
            reply = reply_of("response", text, options, named, RESPONSE_FORM)
            self._say(reply, RESPONSE_FORM, content)
            return
        if text is not None or reasoning is not None or not is_sequence(output):
            raise InvalidRequestError("output must be a list of items, without text and reasoning")
        items = [dict(one) for one in output]
        form = RESPONSE_FORM.made_by(
            lambda said, request: {**response_body(said, request), "output": items},
            lambda _said, _request: (
                {"type": "response.output_item.done", "item": item} for item in items
            ),
        )
        reply = reply_of("response", f"{len(items)} items", options, named, form)
        self._say(reply, form, Said())

    @public_method(StreamOptions)
    def response_stream(self, pieces: Iterable[str], **options: Unpack[StreamOptions]) -> None:
        """Script an answer on the Responses API, piece by piece; as `chat_stream` otherwise."""
        given = pieces_of_stream(pieces)
        reply = stream_of("response_stream", given, options, ("pieces",), RESPONSE_FORM)
        self._say(reply, RESPONSE_FORM, said(given))

    @public_method(StreamOptions)
    def agent(
        self,
        text: str | None = None,
        *,
        messages: Sequence[Json] | None = None,
        **options: Unpack[StreamOptions],
    ) -> None:
        """Script what `client.agents` gets: the answer of an agent of the older kind.

        Args:
            text: What it says.
            messages: The messages of its answer instead, as they are sent, each with its `id`.
            **options: For which request, how often, and what goes wrong: `StreamOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        named = ("text", "messages")
        if messages is None:
            content = said(pieces_of(text))
            self._say(reply_of("agent", text, options, named, AGENT_FORM), AGENT_FORM, content)
            return
        if text is not None or not is_sequence(messages):
            raise InvalidRequestError("messages must be a list of messages, without text")
        turns = [dict(one) for one in messages]
        form = AGENT_FORM.made_by(
            lambda _said, _request: {"messages": turns},
            lambda _said, _request: ({"delta": turn} for turn in turns),
        )
        reply = reply_of("agent", f"{len(turns)} messages", options, named, form)
        self._say(reply, form, Said())

    @public_method(StreamOptions)
    def agent_stream(self, pieces: Iterable[str], **options: Unpack[StreamOptions]) -> None:
        """Script an answer of an agent of the older kind, piece by piece; without `[DONE]`."""
        given = pieces_of_stream(pieces)
        reply = stream_of("agent_stream", given, options, ("pieces",), AGENT_FORM)
        self._say(reply, AGENT_FORM, said(given))
