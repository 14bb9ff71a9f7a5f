import copy
import json
import pickle
import random
import sys
import typing

import attrs
import pytest

from databricks_serving_api import models
from databricks_serving_api.models import (
    ChatCompletion,
    ChatDelta,
    ChatRequest,
    ResponseMessage,
    TextPart,
    ToolCall,
    Usage,
    UserMessage,
)
from databricks_serving_api.types import Model, ReplyMeta, dump

META = ReplyMeta(status_code=200, headers={"x-request-id": "r-1", "authorization": "Bearer dapi"})
CLASSES = [cls for name in models.__all__ if isinstance(cls := getattr(models, name), type)]


def text_of(value):
    """Canonical JSON, in which 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)


def nodes(value):
    """Every container in a JSON value, with itself."""
    if isinstance(value, dict | list):
        yield value
        for child in value.values() if isinstance(value, dict) else value:
            yield from nodes(child)


def mutate(value, rng):
    """Change a JSON object in one to three places: wrong types, lost keys, new keys, nulls."""
    value = copy.deepcopy(value)
    for _ in range(rng.randint(1, 3)):
        node = rng.choice(list(nodes(value)))
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        strange = rng.choice(
            [None, True, 0, 1.0, "", "stop", [], {}, [[]], {"type": []}, [{"role": "user"}], [None]]
        )
        if not keys:
            continue
        key = rng.choice(keys)
        match rng.randrange(4):
            case 0 | 1:
                node[key] = strange
            case 2:
                del node[key]
            case _ if isinstance(node, dict):
                node[rng.choice(["novelty", "type", "content", "extra"])] = strange
            case _:
                node.append(strange)
    return value


def twins(model, **changes):
    """The same model, by every way to copy one."""
    yield copy.copy(model)
    yield copy.deepcopy(model)
    yield pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    yield attrs.evolve(model, **changes)


def test_every_payload_comes_back_as_it_was(payloads):
    for model, payload in payloads:
        assert text_of(model.from_dict(payload).to_dict()) == text_of(payload)


def test_every_recorded_payload_comes_back_as_it_was(recorded):
    if not recorded:
        pytest.skip("no recordings beside the checkout")
    assert len(recorded) > 100
    for model, payload in recorded:
        assert text_of(model.from_dict(payload).to_dict()) == text_of(payload)


def test_forty_thousand_mutated_payloads_come_back_as_they_were(payloads, recorded):
    rng = random.Random(20261121)  # noqa: S311 - a test repeats, it keeps no secret
    pool = payloads + [pair for pair in recorded if len(text_of(pair[1])) < 4000]
    for _ in range(40_000):
        model, payload = rng.choice(pool)
        mutated = mutate(payload, rng)
        assert text_of(model.from_dict(mutated).to_dict()) == text_of(mutated)


def test_copies_and_pickles_are_equal_and_keep_their_class(payloads):
    for model, payload in payloads:
        original = model.from_dict(payload)
        for twin in twins(original):
            assert type(twin) is model
            assert twin == original
            assert text_of(twin.to_dict()) == text_of(payload)


def test_a_deep_copy_shares_nothing(payloads):
    model, payload = payloads[0]
    original = model.from_dict(copy.deepcopy(payload))
    twin = copy.deepcopy(original)
    twin.choices[0].message.content[2].extra["depth"] = 4
    twin.choices[0].message.content[1].text = "Changed."
    assert text_of(original.to_dict()) == text_of(payload)


def test_a_payload_is_not_changed_by_reading_or_writing(payloads):
    for model, payload in payloads:
        before = copy.deepcopy(payload)
        model.from_dict(payload).to_dict()["novelty"] = 1
        assert payload == before


def test_null_and_absent_are_told_apart():
    assert Usage.from_dict({"total_tokens": None}).to_dict() == {"total_tokens": None}
    assert Usage.from_dict({}).to_dict() == {}


def test_setting_a_field_that_came_as_null_sends_the_value():
    usage = Usage.from_dict({"total_tokens": None})
    usage.total_tokens = 3
    assert usage.to_dict() == {"total_tokens": 3}


def test_setting_a_field_to_none_leaves_it_out():
    usage = Usage.from_dict({"total_tokens": 3})
    usage.total_tokens = None
    assert usage.to_dict() == {}


def test_what_is_not_given_is_not_sent():
    request = ChatRequest(messages=[UserMessage(content="Hi.")], temperature=None)
    assert request.to_dict() == {"messages": [{"role": "user", "content": "Hi."}]}


def test_extra_sends_unknown_keys_and_explicit_nulls():
    message = UserMessage(content="Hi.", extra={"cache_control": {"type": "x"}, "name": None})
    sent = {"role": "user", "content": "Hi.", "cache_control": {"type": "x"}, "name": None}
    assert message.to_dict() == sent
    assert message.extra == {"cache_control": {"type": "x"}}


def test_plain_dicts_inside_a_model_are_sent_as_they_stand():
    request = ChatRequest(messages=[{"role": "user", "content": [TextPart(text="a")]}])
    assert request.to_dict() == {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]
    }


def test_dump_reaches_models_at_any_depth():
    value = {"a": ([TextPart(text="x")], {"b": TextPart(text="y")}), "c": "text", "d": None}
    x, y = {"type": "text", "text": "x"}, {"type": "text", "text": "y"}
    assert dump(value) == {"a": [[x], {"b": y}], "c": "text", "d": None}


def test_a_constant_tag_needs_no_argument_but_is_read_as_it_came():
    assert TextPart(text="a").type_ == "text"
    assert TextPart.from_dict({"text": "a"}).to_dict() == {"text": "a"}


def test_models_take_keywords_only():
    with pytest.raises(TypeError):
        UserMessage("Hi.")


@pytest.mark.parametrize("value", ["text", 3, True, ["list"], {"an": "object"}, [[{}]], [None]])
def test_a_value_of_an_unexpected_type_is_kept(value):
    for key in ("choices", "usage", "id"):
        answer = ChatCompletion.from_dict({key: value})
        assert answer.to_dict() == {key: value}


def test_a_tag_that_cannot_be_hashed_does_no_harm():
    delta = ChatDelta.from_dict({"content": [{"type": ["text"]}]})
    assert type(delta.content[0]) is models.OtherPart


def test_equality_takes_null_for_absent_and_compares_unknown_keys():
    assert Usage.from_dict({"total_tokens": None}) == Usage()
    assert Usage.from_dict({"novelty": None}) == Usage()
    assert Usage.from_dict({"novelty": 1}) != Usage()
    assert Usage(total_tokens=1) != Usage(total_tokens=2)
    assert Usage() != ToolCall.from_dict({})


def test_meta_is_carried_along_and_no_part_of_the_body():
    answer = ChatCompletion.from_dict({"choices": [], "meta": "body"})
    assert answer.meta is None
    answer.meta = META
    assert answer.to_dict() == {"choices": [], "meta": "body"}
    assert answer == ChatCompletion.from_dict({"choices": [], "meta": "body"})
    for twin in twins(answer, id="x"):
        assert twin.meta == META
        assert twin.extra == {"meta": "body"}


def test_meta_reads_the_headers_that_matter():
    assert META.request_id == "r-1"
    assert META.served_model_name is None
    headers = {"x-databricks-request-id": "r-2", "served-model-name": "llama-1"}
    meta = ReplyMeta(status_code=200, headers=headers)
    assert (meta.request_id, meta.served_model_name) == ("r-2", "llama-1")
    assert ReplyMeta(status_code=200, headers={}).request_id is None


def test_repr_shows_what_is_set_and_unknown_keys():
    usage = Usage.from_dict({"total_tokens": 3, "prompt_tokens": None, "novelty": 1})
    assert repr(usage) == "Usage(total_tokens=3, extra={'novelty': 1})"


def test_repr_is_short_and_shows_no_header():
    answer = ChatCompletion.from_dict({"choices": [], "id": "x" * 10_000})
    answer.meta = META
    assert len(repr(answer)) < 300
    assert "dapi" not in repr(answer)
    assert repr(META) == "ReplyMeta(status_code=200, request_id='r-1')"
    vector = models.Embedding(index=0, embedding=[0.5] * 4096)
    assert len(repr(vector)) < 200


def test_repr_nests():
    message = ResponseMessage(role="assistant", content=[models.ResponseTextPart(text="a")])
    nested = "ResponseTextPart(type_='text', text='a')"
    assert repr(message) == f"ResponseMessage(role='assistant', content=[{nested}])"


def test_a_subclass_reads_into_itself():
    class Answer(ChatCompletion):
        __slots__ = ()

    answer = Answer.from_dict({"choices": []})
    assert type(answer) is Answer
    assert not hasattr(answer, "__dict__")


@pytest.mark.parametrize("model", CLASSES)
def test_every_class_is_a_slotted_model_with_resolvable_hints(model):
    assert issubclass(model, Model)
    assert not hasattr(model.from_dict({}), "__dict__")
    assert set(typing.get_type_hints(model)) >= {a.name for a in attrs.fields(model)}


def test_the_package_lists_and_loads_its_names():
    assert set(models.__all__) <= set(dir(models))
    assert models.Usage is sys.modules["databricks_serving_api.models.usage"].Usage
    with pytest.raises(AttributeError, match="has no attribute 'Usagee'"):
        _ = models.Usagee
