"""Requests that suit the family of their model."""

import copy
import json
import logging
import re

import pytest
import wire

from databricks_serving import families
from databricks_serving._core.adapting import Adaptation
from databricks_serving.errors import ConfigError, InvalidRequestError
from databricks_serving.families import ANY, KNOWN, Change, ModelFamily, Rule
from databricks_serving.models import AssistantMessage, FunctionCall, ToolCall

GPT_OSS, CLAUDE = "databricks-gpt-oss-120b", "databricks-claude-fable-5"
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOLS = [{"type": "function", "function": {"name": "f"}}]


def sent(shell, model, /, client=None, **arguments):
    """Make one call and return its body."""
    options = client or {}
    client = shell.client(lambda _: wire.json_reply(wire.chat()), **options)
    shell.wait(client.chat.completions.create(**{"messages": wire.USER} | arguments, model=model))
    return shell.transport.bodies[0]


def adapted(family, body, level="all"):
    return Adaptation(level, {"m": family}).apply("m", body)


@pytest.mark.parametrize(
    ("endpoint", "family"),
    [
        (GPT_OSS, "gpt-oss"),
        ("system.ai.gpt-oss-20b", "gpt-oss"),
        ("databricks-claude-opus-5", "claude-opus-5"),
        ("databricks-claude-opus-5-1", "claude-opus-5"),
        (CLAUDE, "claude"),
        ("databricks-gpt-5-6-sol", "gpt-5-6"),
        ("databricks-gpt-5-mini", "gpt-5"),
        ("databricks-gemini-3-pro", "gemini"),
        ("databricks-meta-llama-3-3-70b-instruct", "open-weights"),
        ("databricks-glm-5-2", "glm"),
        ("databricks-bge-large-en", None),
        ("my-claude-clone", None),
        ("databricks-claudette", None),
    ],
)
def test_the_endpoints_that_databricks_hosts_are_known(endpoint, family):
    found = Adaptation().family_of(endpoint)
    assert (found and found.name) == family


def test_the_caller_says_what_other_endpoints_are(shell):
    given = {"max_completion_tokens": 5}
    options = {"families": {"mine": "gpt-oss"}}
    assert sent(shell, "mine", options, **given)["max_tokens"] == 5
    assert "max_tokens" not in sent(shell, "mine", **given)
    assert "max_tokens" not in sent(shell, GPT_OSS, {"families": {GPT_OSS: "claude"}}, **given)


def test_by_default_only_what_would_be_refused_and_loses_nothing_is_changed(shell):
    body = sent(shell, GPT_OSS, max_completion_tokens=5, seed=1, stop=["."])
    assert body == {"messages": wire.USER, "max_tokens": 5, "seed": 1, "stop": ["."]}


def test_all_rules_apply_where_they_are_asked_for(shell):
    given = {"max_completion_tokens": 5, "seed": 1, "stop": ["."], "temperature": 0.0}
    expected = {"messages": wire.USER, "max_tokens": 5, "temperature": 0.0}
    assert sent(shell, GPT_OSS, {"adapt": "all"}, **given) == expected
    assert sent(shell, GPT_OSS, adapt="all", **given) == expected
    assert sent(shell, GPT_OSS, {"adapt": "off"}, **given) == {"messages": wire.USER} | given
    assert sent(shell, GPT_OSS, {"adapt": "all"}, adapt="off", **given)["seed"] == 1


@pytest.mark.parametrize(
    ("family", "given", "expected"),
    [
        ("claude-opus-5", {"temperature": 0, "seed": 1, "top_p": 0.5}, {"top_p": 0.5}),
        ("claude-opus-5", {"reasoning_effort": "low"}, {}),
        ("claude", {"temperature": 0, "seed": 1}, {"temperature": 0, "seed": 1}),
        ("claude", {"response_format": {"type": "json_object"}}, {}),
        (
            "claude",
            {"response_format": {"type": "json_schema"}},
            {"response_format": {"type": "json_schema"}},
        ),
        ("gpt-5-6", {"tools": TOOLS}, {"tools": TOOLS, "reasoning_effort": "none"}),
        ("gpt-5-6", {"temperature": 0, "stop": "."}, {}),
        # Measured for the one model; others may take a temperature, and no such effort.
        ("gpt-5", {"tools": TOOLS, "temperature": 0}, {"tools": TOOLS, "temperature": 0}),
        ("glm", {"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}}),
        ("open-weights", {"thinking": {"type": "disabled"}}, {}),
        (
            "gpt-5-6",
            {"tools": TOOLS, "reasoning_effort": "low"},
            {"tools": TOOLS, "reasoning_effort": "low"},
        ),
        ("gpt-5", {"thinking": {"type": "disabled"}}, {}),
        ("open-weights", {"stream_options": {"include_usage": True}, "seed": 1}, {"seed": 1}),
        ("gpt-oss", {"max_completion_tokens": 5, "max_tokens": 7}, {"max_tokens": 7}),
        ("gpt-oss", {"max_completion_tokens": None}, {"max_completion_tokens": None}),
    ],
)
def test_what_was_measured_is_followed(family, given, expected):
    known = {one.name: one for one in KNOWN}
    body, changes = adapted(known[family], given)
    assert body == expected
    assert bool(changes) == (given != expected)
    assert all(change.why for change in changes)


def test_an_empty_text_beside_tool_calls_is_left_out_for_claude(shell):
    said = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "c", "content": "7"}
    messages = [*wire.USER, said, result]
    body = sent(shell, CLAUDE, messages=messages)
    assert body["messages"] == [*wire.USER, {"role": "assistant", "tool_calls": [CALL]}, result]
    assert said["content"] == ""
    assert sent(shell, GPT_OSS, messages=messages)["messages"] == messages


def test_messages_that_are_models_are_changed_alike(shell):
    call = ToolCall(id="c", type_="function", function=FunctionCall(name="f", arguments="{}"))
    said = AssistantMessage(content="", tool_calls=[call])
    body = sent(shell, CLAUDE, messages=[*wire.USER, said])
    assert "content" not in body["messages"][1]
    assert said.content == ""


def test_empty_parts_are_left_out_for_claude():
    parts = [{"type": "text", "text": ""}, {"type": "text", "text": "a"}, {"type": "image_url"}]
    body = {"messages": [{"role": "user", "content": parts}, {"role": "user", "content": "b"}]}
    before = copy.deepcopy(body)
    changed, changes = adapted({one.name: one for one in KNOWN}["claude"], body, "certain")
    assert changed["messages"][0]["content"] == parts[1:]
    assert [change.place for change in changes] == ["messages[0].content[0]"]
    assert body == before


def test_marks_for_a_cache_are_left_out_where_nobody_knows_them():
    part = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    body = {"messages": [{"role": "user", "content": [part]}], "tools": [{**TOOLS[0], **part}]}
    changed, changes = adapted({one.name: one for one in KNOWN}["gemini"], body)
    assert "cache_control" not in json.dumps(changed)
    assert len(changes) == 2


def test_what_would_be_sent_is_explained_and_not_sent(shell):
    client = shell.client(wire.json_reply(wire.chat()), route="openai")
    chat = client.chat.completions
    told = shell.wait(
        chat.explain(
            model=GPT_OSS, messages=wire.USER, seed=1, max_completion_tokens=5, adapt="all"
        )
    )
    assert shell.transport.requests == []
    assert told.family == "gpt-oss"
    assert told.url == f"{wire.HOST}/serving-endpoints/chat/completions"
    assert told.body == {"model": GPT_OSS, "messages": wire.USER, "max_tokens": 5}
    assert [(c.place, c.did) for c in told.changes] == [
        ("max_completion_tokens", "renamed to max_tokens"),
        ("seed", "dropped"),
    ]
    assert str(told).splitlines()[2] == "- seed: dropped (an unknown key, refused with 400)"
    assert wire.USER[0]["content"] not in repr(told)
    plain = shell.wait(chat.explain(model="m", messages=wire.USER, stream=True))
    assert (plain.family, plain.changes, plain.body["stream"]) == (None, (), True)


def test_changes_are_logged_without_values(shell, caplog):
    with caplog.at_level(logging.INFO, "databricks_serving"):
        sent(shell, GPT_OSS, adapt="all", seed=424242)
    lines = [record.getMessage() for record in caplog.records if "adapted" in record.msg]
    assert lines == [
        f"endpoint {GPT_OSS}: adapted seed: dropped (an unknown key, refused with 400)"
    ]


def test_a_family_of_ones_own_works(shell):
    rules = (
        Rule(path="metadata.team", do="set", to="a", where={"keep": ANY}, why="billing"),
        Rule(path="temperature", do="drop", values=(0, 1), why="only between"),
    )
    mine = ModelFamily(name="mine", rules=rules)
    extra = {"metadata": {"keep": True}}
    options = {"families": {"m": mine}, "adapt": "all"}
    body = sent(shell, "m", options, extra_body=extra, temperature=0)
    assert body == {"messages": wire.USER, "metadata": {"keep": True, "team": "a"}}
    assert extra == {"metadata": {"keep": True}}
    assert sent(shell, "m", options, temperature=0.5)["temperature"] == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"adapt": "some"}, "adapt must be one of off, certain, all"),
        ({"families": ["m"]}, "families must be a dict, not list"),
        ({"families": {"m": "gpt-9"}}, "a family must be a ModelFamily or one of gpt-oss, claude"),
        ({"families": {"m": 7}}, "a family must be a ModelFamily or one of"),
        ({"families": {"m": ["claude"]}}, "a family must be a ModelFamily or one of"),
    ],
)
def test_what_is_no_family_is_refused(shell, options, message):
    with pytest.raises(ConfigError, match=message):
        shell.client(**options)
    client = shell.client(wire.json_reply(wire.chat()))
    if "adapt" in options:
        with pytest.raises(InvalidRequestError, match=message):
            shell.wait(client.chat.completions.create(model="m", messages=wire.USER, **options))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"path": "seed", "do": "remove"}, "a rule must drop, rename, set, not 'remove'"),
        ({"path": "", "do": "drop"}, "keys joined by dots"),
        ({"path": "a..b", "do": "drop"}, "keys joined by dots"),
        ({"path": "seed", "do": "rename"}, "needs the new name as to="),
        ({"path": "tools[]", "do": "set", "to": 1}, "can drop items of a list"),
    ],
)
def test_a_rule_that_would_do_something_else_is_refused(rule, message):
    with pytest.raises(ConfigError, match=message):
        Rule(why="x", **rule)


def test_what_a_rule_sets_is_changed_by_no_later_rule():
    limits = {"a": 1, "b": 2}
    rules = (
        Rule(path="limits", do="set", to=limits, why="x"),
        Rule(path="limits.b", do="drop", why="x"),
    )
    body, _ = adapted(ModelFamily(name="mine", rules=rules), {})
    assert body == {"limits": {"a": 1}}
    assert limits == {"a": 1, "b": 2}


def test_a_content_of_empty_texts_alone_is_left_out(shell):
    parts = [{"type": "text", "text": ""}]
    said = {"role": "assistant", "content": parts, "tool_calls": [CALL]}
    body = sent(shell, CLAUDE, messages=[*wire.USER, said])
    assert body["messages"][1] == {"role": "assistant", "tool_calls": [CALL]}
    assert said["content"] is parts
    assert parts == [{"type": "text", "text": ""}]


def test_an_explanation_shows_no_value_of_a_query(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    query = {"key": "secret"}
    told = shell.wait(
        client.chat.completions.explain(model="m", messages=wire.USER, extra_query=query)
    )
    assert told.url.endswith("?key=secret")
    assert "secret" not in f"{told!r} {told}"


@pytest.mark.parametrize("messages", [[{"role": "user", "content": {object()}}], "Hi", None])
def test_what_cannot_be_sent_is_refused_as_ever(shell, messages):
    client = shell.client(wire.json_reply(wire.chat()))
    with pytest.raises(InvalidRequestError):
        shell.wait(client.chat.completions.create(model=CLAUDE, messages=messages))


def test_every_known_rule_can_be_read():
    for family in families.KNOWN:
        assert re.compile(family.endpoints)
        for rule in family.rules:
            assert rule.why
            assert (rule.to is None) == (rule.do == "drop")
    assert len({family.name for family in KNOWN}) == len(KNOWN)
    assert str(Change("a", "dropped", "b")) == "a: dropped (b)"
