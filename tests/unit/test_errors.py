"""The tree of errors, what each carries, and that it survives a process boundary."""

import copy
import inspect
import pickle
import re
from http import HTTPStatus

import pytest
import wire

from databricks_serving import errors
from databricks_serving._core.statuses import error_class
from databricks_serving._trail import _STOPPED_BY
from databricks_serving.models import ChatCompletion
from databricks_serving.tools import ToolRun, ToolStep
from databricks_serving_api.types import ReplyMeta

CLASSES = {name: getattr(errors, name) for name in errors.__all__ if name.endswith("Error")}
BY_STATUS = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    413: errors.PayloadTooLargeError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
}
# Where the server provably did not run the model. A 400 may come from the model's own code, and
# what times out may have run.
NOT_EXECUTED = {300, 302, 307, 308, 401, 403, 404, 405, 408, 409, 413, 415, 422, 425, 429}
NOT_EXECUTED |= {503, 529}


def drawn():
    """Return the tree in the docstring of the module as pairs of a class and its parent."""
    parents = []
    for line in errors.__doc__.splitlines():
        found = re.match(r"    ([│├└─ ]*)(\w+Error)\b", line)
        if found:
            depth = len(found[1]) // 4
            del parents[depth:]
            yield found[2], parents[-1] if parents else None
            parents.append(found[2])


def examples():
    partial = ChatCompletion.from_dict(wire.chat("half"))
    partial.meta = ReplyMeta(200, {"x-request-id": "r"})
    yield errors.ServingError("a")
    yield errors.ConfigError("a")
    yield errors.InvalidRequestError("a")
    yield errors.StreamUseError("a")
    closed = errors.ClientClosedError("a")
    closed.partial = partial
    yield closed
    yield errors.APIConnectionError("a", maybe_executed=False, retryable=False)
    yield errors.APITimeoutError("a", phase="pool", maybe_executed=False)
    yield errors.InvalidResponseError("a", status_code=206, content_type="text/html", garbled=True)
    yield errors.ResponseTooLargeError("a")
    yield errors.EndpointWaitError(
        "a", ready="NOT_READY", config_update="UPDATE_FAILED", reasons=("b",), timed_out=True
    )
    yield errors.EndpointNotReadyError("a", status_code=503, retry_after=2.0)
    for status in (*BY_STATUS, 418, 500):
        yield error_class(status)(
            "a",
            status_code=status,
            error_code="X",
            request_id="r",
            headers={"x-request-id": "r"},
            body={"error_code": "X", "message": ["a"]},
            retry_after=1.5,
        )
    broken = (errors.StreamError, errors.StreamInterruptedError, errors.StreamTimeoutError)
    for error in [kind("a") for kind in broken]:
        error.partial = partial
        yield error
    for kind in (
        errors.StructuredOutputError,
        errors.LengthFinishReasonError,
        errors.ContentFilterFinishReasonError,
        errors.RefusalError,
    ):
        yield kind("a", replies=[partial], usage=partial.usage)
    yield errors.ParseError("a", path="$.b", expected="c", replies=[partial])
    yield errors.ToolLoopError("a", ToolRun([], (ToolStep(partial),)))
    yield errors.TokenError("a", source="oauth-m2m", transient=True, status_code=503)
    error = errors.StreamServerError("a", status_code=429, error_code="X", body={"error": "a"})
    error.partial = partial
    yield error


EXAMPLES = list(examples())


def test_the_tree_is_the_one_that_is_drawn():
    tree = {
        name: next((b.__name__ for b in kind.__mro__[1:] if b.__name__ in CLASSES), None)
        for name, kind in CLASSES.items()
    }
    assert dict(drawn()) == tree | {"StreamError": "ServingError"}
    assert {type(example).__name__ for example in EXAMPLES} == set(CLASSES)


def test_only_arguments_and_options_are_value_errors():
    values = {name for name, kind in CLASSES.items() if issubclass(kind, ValueError)}
    assert values == {"ConfigError", "InvalidRequestError"}
    assert all(issubclass(kind, errors.ServingError) for kind in CLASSES.values())


@pytest.mark.parametrize("status", range(300, 600))
def test_a_status_has_its_class(status):
    other = errors.InternalServerError if status >= 500 else errors.APIStatusError
    assert error_class(status) is BY_STATUS.get(status, other)


def test_what_the_server_did_not_run_is_known():
    known = {s.value for s in HTTPStatus if s >= 300} | {529, 599}
    not_run = {s for s in known if not error_class(s)("a", status_code=s).maybe_executed}
    assert not_run == NOT_EXECUTED | {301, 303, 304, 305}
    assert errors.APIStatusError("an error inside a 200", status_code=200).maybe_executed


def test_defaults_say_nothing_ran_before_anything_was_sent():
    for kind in (errors.ConfigError, errors.InvalidRequestError, errors.ClientClosedError):
        error = kind("a")
        assert (error.maybe_executed, error.retryable, error.attempts) == (False, False, 0)
        assert (error.endpoint, error.request_id, error.elapsed) == (None, None, 0.0)
    for error in (errors.APIConnectionError("a"), errors.InvalidResponseError("a")):
        assert error.maybe_executed
    assert errors.StreamInterruptedError("a").maybe_executed
    assert errors.StreamInterruptedError("a").partial is None


def everything(error):
    attributes = {
        name: getattr(error, name)
        for name in dir(error)
        if not name.startswith("_") and not callable(getattr(error, name))
    }
    return attributes, str(error), repr(error), error.args, error.to_curl()


@pytest.mark.parametrize(
    "clone",
    [
        copy.copy,
        copy.deepcopy,
        *(lambda e, p=p: pickle.loads(pickle.dumps(e, p)) for p in range(2, 6)),  # noqa: S301 - our own
    ],
    ids=["copy", "deepcopy", *(f"pickle{p}" for p in range(2, 6))],
)
@pytest.mark.parametrize("error", EXAMPLES, ids=lambda e: type(e).__name__)
def test_an_error_keeps_all_it_knows(error, clone):
    error.endpoint, error.attempts, error.elapsed = "rivers", 3, 1.25
    error.history = (errors.Attempt("RateLimitError 429", 0.5, 0.75, "r-1"),)
    error.request = errors.SentRequest("POST", "https://w.example.com/a?b=***", {"x-a": "***"}, 7)
    error.hint, error.retry_stopped_by, error.idempotency_key = "look", "quota", "k-1"
    cloned = clone(error)
    assert type(cloned) is type(error)
    assert everything(cloned) == everything(error)


def test_a_message_reads_well():
    error = errors.NotFoundError("no such endpoint", status_code=404)
    assert str(error) == "404: no such endpoint"
    error.endpoint, error.error_code, error.request_id = "rivers", "ENDPOINT_NOT_FOUND", "r-1"
    assert str(error) == (
        "404 ENDPOINT_NOT_FOUND from endpoint 'rivers': no such endpoint (request id r-1)"
    )
    error.hint = "check the name"
    assert str(error).endswith("(request id r-1); hint: check the name")
    assert repr(error) == f"NotFoundError({str(error)!r})"


def test_a_message_tells_of_the_tries_and_of_what_stopped_them():
    error = errors.RateLimitError("busy", status_code=429, retry_after=7.0)
    assert str(error) == "429: busy (the server asks to wait 7 s)"
    error.history = (
        errors.Attempt("InternalServerError 503", 0.1, 1.0),
        errors.Attempt("RateLimitError 429", 1.5),
    )
    error.elapsed, error.retry_stopped_by, error.request_id = 1.5, "deadline", "r-1"
    assert str(error) == (
        "429: busy (request id r-1, the server asks to wait 7 s, 2 tries in 1.5 s, "
        "before it InternalServerError 503, not tried again: the deadline is too near)"
    )
    late = errors.APITimeoutError("the call was not over within 2 s", phase="total")
    late.endpoint, late.history, late.elapsed = "rivers", error.history[:1] * 3, 2.0
    late.history += (errors.Attempt("APITimeoutError total", 2.0),)
    assert str(late) == (
        "the call was not over within 2 s "
        "(endpoint 'rivers', 4 tries in 2.0 s, before it InternalServerError 503)"
    )


@pytest.mark.parametrize("reason", _STOPPED_BY)
def test_each_reason_to_stop_is_told(reason):
    error = errors.InternalServerError("no", status_code=500)
    error.history = (errors.Attempt("InternalServerError 500", 0.1),)
    error.retry_stopped_by = reason
    assert ("not tried again" in str(error)) == (reason != "retries")
    assert f"`{reason}`" in inspect.getdoc(errors.ServingError)


def test_an_error_inside_a_stream_names_its_status_and_its_code():
    assert str(errors.StreamServerError("boom", error_code="X")) == "X: boom"
    assert str(errors.StreamServerError("boom", status_code=429, error_code="X")) == "429 X: boom"
    assert str(errors.StreamServerError("boom", status_code=429, error_code="429")) == "429: boom"
    assert str(errors.StreamServerError("boom")) == "boom"


def test_a_long_request_id_is_shortened_in_the_message_alone():
    error = errors.NotFoundError("no", status_code=404, request_id="r" * 10_000)
    assert str(error) == f"404: no (request id {'r' * 128})"
    assert len(error.request_id) == 10_000


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_every_attribute_is_documented(kind):
    documented = "".join(inspect.getdoc(base) or "" for base in kind.__mro__)
    public = {n for e in EXAMPLES if type(e) is kind for n in everything(e)[0]} - {"args"}
    assert public
    assert all(f"{name}:" in documented for name in public)
