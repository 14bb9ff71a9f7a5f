"""Sources of tokens by hand: their steps one after the other, and what they are given."""

import base64
import json

import httpx
import pytest
import wire
from shells import FakeTransport

from databricks_serving._core.replies import Response
from databricks_serving._core.secret import Hidden, Secret
from databricks_serving.auth._source import Site
from databricks_serving.auth._steps import Completed, Content
from databricks_serving.auth._values import Value, Values
from databricks_serving.errors import TokenError
from databricks_serving_api.types import ReplyMeta

CANARY = "hush-canary-0123456789"
"""A secret in everything that is given; no error may show it."""


class Hand:
    """Performs steps by hand: gives, or raises, what was set beforehand.

    A function is called with the step and gives the answer.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.steps = []

    def perform(self, steps):
        answer = error = None
        while True:
            try:
                step = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as end:
                assert self.answers == []
                return end.value
            self.steps.append(step)
            answer = error = None
            given = self.answers.pop(0)
            given = given(step) if callable(given) else given
            if isinstance(given, Exception):
                error = given
            else:
                answer = given

    def fetch(self, source, site):
        return self.perform(source.fetch(site))


def site(host=wire.HOST, **variables):
    return Site(host, variables.get)


def values(variables=None, profile=None, **found):
    given = {name: Value(Secret(text), "a test", "argument") for name, text in found.items()}
    return Values(given, (variables or {}).get, profile)


def answer(body, status=200, **headers):
    """Return what a service answers; bytes are a body as it stands."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(ReplyMeta(status, named), data)


def token(value="t-1", **more):
    return answer({"access_token": value, "token_type": "Bearer", "expires_in": 3600, **more})


def printed(output=b"", code=0, errors=b""):
    """Return how a program ended."""
    data = output if isinstance(output, bytes) else json.dumps(output).encode()
    return Completed(code, Hidden(data), errors)


def content(data):
    return Content(Hidden(data if isinstance(data, bytes) else json.dumps(data).encode()))


def jwt(**claims):
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, {"sub": CANARY, **claims}))
    texts = (base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    return ".".join((*texts, CANARY))


def form_of(ask):
    return dict(httpx.QueryParams(ask.content.reveal().decode()))


def program(folder, name, text):
    """Write an executable of the shell."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


class Workspace(FakeTransport):
    """A workspace, and all services beside it, behind both clients."""

    def __init__(self, services=None):
        super().__init__(self._answer)
        self.services = services or {}
        self.client = None

    def _answer(self, request):
        url = f"{request.url.scheme}://{request.url.host}{request.url.path}"
        if url in self.services:
            given = self.services[url]
            return given(request) if callable(given) else httpx.Response(200, json=given)
        invoked = request.url.path.endswith("/invocations")
        return wire.json_reply(wire.chat()) if invoked else httpx.Response(404, json={})

    def call(self, shell, *arguments, **options):
        """Make a client, call with it, and return the request that the endpoint got."""
        self.client = shell.client_class(*arguments, transport=self, **options)
        create = self.client.chat.completions.create
        assert shell.wait(create(model="m", messages=wire.USER)).text == "The Po."
        return self.requests[-1]

    def sent(self, url):
        return [r for r in self.requests if str(r.url).partition("?")[0] == url]


def failure(source, fetch, *answers, kind=TokenError, **options):
    """Return what is told of a fetch from a program that fails, without its token."""
    with pytest.raises(kind) as caught:
        fetch(*answers, **options)
    late = isinstance(answers[-1], TimeoutError) or "has expired" in str(caught.value)
    assert caught.value.transient == late
    assert type(caught.value) is kind
    assert caught.value.source == source
    assert CANARY not in f"{caught.value!s}{caught.value!r}"
    return str(caught.value)
