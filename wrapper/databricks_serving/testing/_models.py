"""Scripted answers of language models."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Unpack

from databricks_serving._core.arguments import public_method
from databricks_serving.testing._bodies import CHAT_FORM, COMPLETION_FORM
from databricks_serving.testing._errors import UnexpectedRequestError
from databricks_serving.testing._options import StreamOptions
from databricks_serving.testing._requests import RecordedRequest
from databricks_serving.testing._said import calls_of, pieces_of, pieces_of_stream, said
from databricks_serving.testing._scripting import Reply, Scripting, reply_of, stream_of

Json = Mapping[str, Any]


class ModelReplies(Scripting):
    """Answers of language models.

    Where nothing else is said, a request that asks for a stream gets one, and any other a whole
    answer; both come in the form of the wire, with counts of tokens.
    """

    @public_method(StreamOptions)
    def chat(
        self,
        text: str | Json | Sequence[Any],
        *,
        finish_reason: str | None = None,
        reasoning: str | None = None,
        refusal: str | None = None,
        usage: Mapping[str, int] | None = None,
        stream: bool | None = None,
        **options: Unpack[StreamOptions],
    ) -> None:
        """Script the answer of a chat.

        Args:
            text: What it says; a dict or list is sent as its JSON.
            finish_reason: Why it ends; `stop` unless given.
            reasoning: What the model thought before.
            refusal: Why it does not answer.
            usage: Token counts over those that are made up.
            stream: Whether it is a stream, whatever the request asks for.
            **options: For which request, how often, and what goes wrong: `StreamOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        content = said(
            pieces_of(text),
            finish_reason=finish_reason,
            reasoning=reasoning,
            refusal=refusal,
            usage=usage,
        )
        named = ("text", "finish_reason", "reasoning", "refusal", "usage", "stream")
        reply = reply_of("chat", text, options, named, CHAT_FORM)
        self._say(reply, CHAT_FORM, content, stream)

    @public_method(StreamOptions)
    def chat_stream(
        self,
        pieces: Iterable[str],
        *,
        finish_reason: str | None = None,
        reasoning: str | None = None,
        usage: Mapping[str, int] | None = None,
        **options: Unpack[StreamOptions],
    ) -> None:
        """Script the answer of a chat, piece by piece, for a request that asks for a stream.

        Its first event tells the role, then there is one for each piece, and one that tells why it
        ends; `[DONE]` follows.

        Args:
            pieces: What each event says.
            finish_reason: Why it ends; `stop` unless given.
            reasoning: What the model thought before, an event of its own.
            usage: Token counts over those that are made up.
            **options: For which request, how often, and what goes wrong: `StreamOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        given = pieces_of_stream(pieces)
        content = said(given, finish_reason=finish_reason, reasoning=reasoning, usage=usage)
        named = ("pieces", "finish_reason", "reasoning", "usage")
        self._say(stream_of("chat_stream", given, options, named, CHAT_FORM), CHAT_FORM, content)

    @public_method(StreamOptions)
    def tool_call(
        self,
        name: str,
        arguments: Json | str | None = None,
        *,
        text: str | None = None,
        usage: Mapping[str, int] | None = None,
        offered: bool = True,
        **options: Unpack[StreamOptions],
    ) -> None:
        """Script a model's call of one tool; arguments and errors as `tool_calls` has them."""
        given: Json | str = "{}" if arguments is None else arguments
        self._call_tools("tool_call", [(name, given)], text, usage, options, offered=offered)

    @public_method(StreamOptions)
    def tool_calls(
        self,
        calls: Sequence[tuple[str, Json | str]],
        *,
        text: str | None = None,
        usage: Mapping[str, int] | None = None,
        offered: bool = True,
        **options: Unpack[StreamOptions],
    ) -> None:
        """Script a model's call of several tools at once.

        A request that offers tools must offer these, or the answer to it is an
        `UnexpectedRequestError`.

        Args:
            calls: Pairs of the name of a function and its arguments; a text is sent as it is, also
                if it is no JSON.
            text: What the model says beside.
            usage: Token counts over those that are made up.
            offered: Whether the request must offer the tools; models call others at times.
            **options: For which request, how often, and what goes wrong: `StreamOptions`.

        Raises:
            InvalidRequestError: Naming the argument that cannot be used.
        """
        self._call_tools("tool_calls", calls, text, usage, options, offered=offered)

    def _call_tools(
        self,
        method: str,
        calls: Sequence[tuple[str, Json | str]],
        text: str | None,
        usage: Mapping[str, int] | None,
        options: Any,
        *,
        offered: bool,
    ) -> None:
        content = said(pieces_of(text), calls=calls_of(calls), usage=usage)
        names = [call.name for call in content.calls]
        reply = reply_of(method, ", ".join(names), options, ("text", "usage", "offered"), CHAT_FORM)
        self._say(reply, CHAT_FORM, content, check=_offer_check(reply, names) if offered else None)

    @public_method(StreamOptions)
    def completion(
        self,
        text: str,
        *,
        finish_reason: str | None = None,
        usage: Mapping[str, int] | None = None,
        **options: Unpack[StreamOptions],
    ) -> None:
        """Script the completion of a prompt, or of each of several; as `chat` otherwise."""
        content = said(pieces_of(text), finish_reason=finish_reason, usage=usage)
        named = ("text", "finish_reason", "usage")
        reply = reply_of("completion", text, options, named, COMPLETION_FORM)
        self._say(reply, COMPLETION_FORM, content)

    @public_method(StreamOptions)
    def completion_stream(
        self,
        pieces: Iterable[str],
        *,
        finish_reason: str | None = None,
        usage: Mapping[str, int] | None = None,
        **options: Unpack[StreamOptions],
    ) -> None:
        """Script a completion, piece by piece; as `chat_stream` otherwise."""
        given = pieces_of_stream(pieces)
        content = said(given, finish_reason=finish_reason, usage=usage)
        named = ("pieces", "finish_reason", "usage")
        reply = stream_of("completion_stream", given, options, named, COMPLETION_FORM)
        self._say(reply, COMPLETION_FORM, content)


def _offer_check(reply: Reply, names: Sequence[str]) -> Callable[[RecordedRequest], None]:
    """Return what refuses a request that offers tools, and not all that are called."""

    def check(request: RecordedRequest) -> None:
        missing = next((name for name in names if name not in request.tools), None)
        if request.tools and missing is not None:
            raise UnexpectedRequestError(
                f"{reply.label} calls {missing!r}, and {request} offers "
                f"{', '.join(map(repr, request.tools))}: name one of these, or script the call "
                "with offered=False"
            )

    return check
