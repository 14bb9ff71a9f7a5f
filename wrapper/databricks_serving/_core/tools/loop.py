"""The rules of a run of tools: what is sent next, which calls to make, what comes of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from databricks_serving._core.deadlines import CommonDeadline
from databricks_serving._core.tools.arguments import ToolErrorHandler, check_run
from databricks_serving._core.tools.function_tool import FunctionTool
from databricks_serving._core.tools.functions import Arguments
from databricks_serving._core.tools.results import content_of, drop_callers, error_text
from databricks_serving._core.tools.toolbox import is_function, name_of, toolbox
from databricks_serving._tool_runs import ToolResult, ToolRun, ToolStep
from databricks_serving.errors import ConfigError, InvalidRequestError, ToolLoopError
from databricks_serving_api.models import ChatCompletion, ToolCall
from databricks_serving_api.params import MessageDict
from databricks_serving_api.types import dump

# An answer that is not whole: its calls may be cut off.
_CUT: Final = frozenset({"length", "content_filter"})
_MAX_TURNS: Final = 10
MOST_AT_ONCE: Final = 16
BROKEN_OFF: Final = "the run was broken off before its end"


class UnknownToolError(LookupError):
    """The model called a tool that there is none of."""


@dataclass(frozen=True, slots=True)
class Job:
    """One call to make.

    Attributes:
        call: The call.
        tool: What it calls; None if it is not to be made.
        arguments: What the function is called with.
        fault: What is wrong with the call, if anything.
    """

    call: ToolCall
    tool: FunctionTool[..., Any] | None
    arguments: Arguments
    fault: Exception | None = None

    @property
    def name(self) -> str:
        """What the model calls."""
        return self.call.function.name

    @property
    def is_async(self) -> bool:
        """Whether to begin it takes no time, as with an `async` function."""
        return self.tool is not None and self.tool.is_async

    def begin(self) -> Any:
        """Call the function; of an `async` one this returns something to await."""
        function = cast("FunctionTool[..., Any]", self.tool)
        return function(*self.arguments.positional, **self.arguments.named)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: with a value, or an error."""

    value: Any
    error: Exception | None
    seconds: float


class ToolLoop:
    """One run of tools.

    Args:
        arguments: What the user gave.
        deadline: That of the run as a whole.
        awaits: Whether `async` functions can be called.

    Raises:
        InvalidRequestError: Naming the argument that cannot work.
    """

    def __init__(
        self, arguments: Mapping[str, Any], deadline: CommonDeadline, *, awaits: bool
    ) -> None:
        check_run(arguments)
        given = {**arguments}
        self._tools = toolbox(given.pop("tools", None), awaits=awaits)
        self._names = [name_of(one) for one in self._tools]
        self._functions = {t.name: t for t in self._tools if is_function(t)}
        self._max_turns: int = given.pop("max_turns", None) or _MAX_TURNS
        self._on_error: ToolErrorHandler | Literal["raise"] | None = given.pop(
            "on_tool_error", None
        )
        self.parallel: bool = given.pop("parallel", None) is not False
        self.on_step: Callable[[ToolStep], object] | None = given.pop("on_step", None)
        self._arguments = given
        self._deadline = deadline
        # What is no list the first call refuses.
        messages: Any = given.get("messages")
        listed = isinstance(messages, Sequence) and not isinstance(messages, str | bytes)
        self._messages: list[MessageDict] = list(cast("Any", messages)) if listed else []
        self._steps: list[ToolStep] = []
        self._pending: list[ToolCall] = []
        self._jobs: list[Job] = []
        self.done: bool = False
        """Whether the model has answered, or the caller has to go on."""

    @property
    def run(self) -> ToolRun:
        """The run so far."""
        return ToolRun(list(self._messages), tuple(self._steps), tuple(self._pending))

    def next_call(self, now: float) -> dict[str, Any]:
        """Return the arguments of the next call of the model.

        Args:
            now: The monotonic time.

        Raises:
            APITimeoutError: When the time of the run is over.
        """
        first = not self._steps
        arguments = {**self._arguments, "tools": self._tools}
        if not first:
            arguments["messages"] = list(self._messages)
            if _forces(arguments.get("tool_choice")):
                # Forced on every turn, the model could never answer.
                arguments["tool_choice"] = "auto"
        return self._deadline.share(arguments, now, maybe_executed=not first)

    def take(self, reply: ChatCompletion) -> list[Job]:
        """Take in an answer, and return the calls to make.

        Raises:
            ToolLoopError: When the model calls tools once more than it may.
        """
        turn = len(self._steps)
        calls = _with_ids(reply.tool_calls, len(self._messages))
        if reply.message is not None:
            self._messages.append(_request_message(reply, calls))
        self._steps.append(ToolStep(reply))
        ours = [call for call in calls if not self._is_the_callers(call)]
        last = not calls or len(ours) < len(calls)
        # Until they are made: whoever looks at a run that was broken off has to answer them.
        self._pending = calls
        if reply.finish_reason in _CUT:
            last = True
        elif not last and turn + 1 >= self._max_turns:
            # Nobody would hear of what the tools did.
            raise ToolLoopError(
                f"the model still calls tools after max_turns={self._max_turns} turns", self.run
            )
        else:
            self._jobs = [self._job(call) for call in ours]
        self.done = last
        return self._jobs

    def give(self, outcomes: Sequence[Outcome]) -> ToolStep:
        """Take in how the calls ended, in their order, and return the turn.

        Raises:
            Exception: What a tool raised, where errors are to be raised.
        """
        jobs, self._jobs = self._jobs, []
        results = [self._result(job, one) for job, one in zip(jobs, outcomes, strict=True)]
        for result in results:
            self._messages.append(
                {"role": "tool", "tool_call_id": result.call.id, "content": result.content}
            )
        made = {job.call.id for job in jobs}
        self._pending = [call for call in self._pending if call.id not in made]
        step = ToolStep(self._steps[-1].reply, tuple(results))
        self._steps[-1] = step
        return step

    def _is_the_callers(self, call: ToolCall) -> bool:
        name = call.function.name
        return name in self._names and name not in self._functions

    def _job(self, call: ToolCall) -> Job:
        name = call.function.name
        tool = self._functions.get(name)
        if tool is None:
            known = ", ".join(self._names)
            fault = UnknownToolError(f"there is no tool {name!r}; there are: {known}")
            return Job(call, None, Arguments([], {}), fault)
        try:
            return Job(call, tool, tool.read_arguments(call.function.arguments))
        except ValueError as error:
            return Job(call, tool, Arguments([], {}), error.with_traceback(None))

    def _result(self, job: Job, outcome: Outcome) -> ToolResult:
        value, error = outcome.value, outcome.error
        if error is not None:
            drop_callers(error)
        content = ""
        if error is None:
            try:
                content = content_of(value)
            except ConfigError:
                raise
            except Exception as unwritten:  # noqa: BLE001 - methods of the value itself among it
                plain = isinstance(unwritten, TypeError | ValueError)
                fault = str(unwritten).strip() if plain else error_text(unwritten)
                error = InvalidRequestError(f"the result of {job.name} cannot be sent: {fault}")
        if error is not None:
            value, content = None, self._told(job, error)
        return ToolResult(job.call, value, content, error, outcome.seconds)

    def _told(self, job: Job, error: Exception) -> str:
        if callable(self._on_error):
            return str(self._on_error(job.call, error))
        # What is wrong with a call is the model's to mend, and no error of a tool.
        if self._on_error == "raise" and job.fault is None:
            raise error
        return error_text(error)


def _forces(choice: Any) -> bool:
    plain = dump(choice)
    return isinstance(plain, dict) or plain == "required"


def _with_ids(calls: Sequence[ToolCall], turn: int) -> list[ToolCall]:
    """Give each call an id of its own, which its result can name.

    Args:
        calls: The calls. Of some models they have none (recording: chat/tool-call-empty-id), or all
            have the same.
        turn: The place of the answer in the conversation, in which some families want no id twice.
    """
    found: dict[str, ToolCall] = {}
    for position, call in enumerate(calls):
        own = call.id
        if not own or own in found:
            own = f"call_{turn}_{position}"
        found[own] = call if own == call.id else ToolCall.from_dict({**call.to_dict(), "id": own})
    return list(found.values())


def _request_message(reply: ChatCompletion, calls: list[ToolCall]) -> MessageDict:
    message = cast("dict[str, Any]", reply.to_request_message())
    for one, call in zip(message.get("tool_calls", ()), calls, strict=True):
        one["id"] = call.id
    return cast("MessageDict", message)
