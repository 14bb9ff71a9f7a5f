"""Whatever a signature holds, the package of it imports, sends rows and reads predictions."""

import importlib
import json
import random

import pytest
import wire

from databricks_serving import ServingClient, cli
from databricks_serving.contract.endpoint.names import python_names

NAMES = [
    *("a", "MedInc", "sepal length (cm)", "class", "1st", 'quo"te', "back\\slash", "größe", "列"),
    *("self", "cls", "v", "d", "get", "keys", "field", "define", "dump", "Any", "Row", "Result"),
    *("extra", "to_dict", "from_dict", "datetime", "list", "str", "meta", "{{ x }}", "{% if %}"),
    *('"""', "two\nlines", "#", "a.b", "_id", "__x__", "value", "item", "items", "type", "None"),
]
SCALARS = {
    "long": lambda chance: chance.randint(-9, 9),
    "double": lambda chance: chance.choice([0.5, -2, 1e300]),
    "string": lambda chance: chance.choice(["", "x", "größe", "\u2028"]),
    "boolean": lambda chance: chance.random() < 0.5,
    "datetime": lambda _: "2026-02-03T04:05:06+00:00",
    "binary": lambda _: "AAE=",
}


def random_type(chance, depth=0):
    kinds = [*SCALARS, "any"] if depth > 2 else [*SCALARS, "any", "array", "map", "object"]
    kind = chance.choice(kinds)
    if kind == "array":
        return {"type": "array", "items": random_type(chance, depth + 1)}
    if kind == "map":
        return {"type": "map", "values": random_type(chance, depth + 1)}
    if kind == "object":
        return {"type": "object", "properties": random_fields(chance, chance.randint(1, 4), depth)}
    return {"type": kind}


def random_fields(chance, count, depth=0):
    """Fields whose Python names differ."""
    found, taken = {}, set()
    for name in chance.sample(NAMES, len(NAMES)):
        made = python_names([name], "the key")[name].rstrip("_")
        if len(found) < count and made not in taken:
            taken.add(made)
            required = chance.random() < 0.6
            found[name] = {**random_type(chance, depth + 1), "required": required}
    return found


def random_value(chance, described):
    kind = described["type"]
    if kind == "any":
        return chance.choice([1, "x", [1, {"b": 2}]])
    if kind == "array":
        return [random_value(chance, described["items"]) for _ in range(chance.randint(0, 3))]
    if kind == "map":
        return {key: random_value(chance, described["values"]) for key in ("k", "l")}
    if kind == "object":
        return random_record(chance, described["properties"])
    return SCALARS[kind](chance)


def random_record(chance, fields):
    return {
        name: random_value(chance, described)
        for name, described in fields.items()
        if described["required"] or chance.random() < 0.5
    }


def columns(fields):
    return [{"name": name, **described} for name, described in fields.items()]


@pytest.mark.parametrize("seed", range(6))
def test_a_random_signature_becomes_a_package_that_works(seed, tmp_path, monkeypatch, capsys):
    chance = random.Random(seed)  # noqa: S311 - the same signatures each time
    fields, replies = (random_fields(chance, 14) for _ in range(2))
    params = [{"name": "p q", "dtype": "double", "default": 1}]
    signature = {"inputs": columns(fields), "outputs": columns(replies), "params": params}
    file = tmp_path / "source.json"
    file.write_text(json.dumps(signature))
    name = f"random_{seed}_api"
    command = ["contract", "endpoint", str(file), "--out", str(tmp_path), "--package", name]
    assert cli.main(command) == 0, capsys.readouterr().err
    monkeypatch.syspath_prepend(str(tmp_path))
    package = importlib.import_module(name)

    rows = [random_record(chance, fields) for _ in range(5)]
    predictions = [random_record(chance, replies) for _ in range(5)]
    sent = []

    def answer(request):
        sent.append(json.loads(request.content))
        return wire.json_reply({"predictions": predictions})

    given = [package.Row.from_dict(row) for row in rows]
    assert [row.to_dict() for row in given] == rows
    transport = wire.httpx.MockTransport(answer)
    with ServingClient(wire.HOST, wire.TOKEN, transport=transport) as client:
        results = package.predict(client, given, endpoint="random", p_q=2)
    assert [result.to_dict() for result in results] == predictions
    split = sent[0]["dataframe_split"]
    assert split["columns"] == [
        name
        for name, described in fields.items()
        if described["required"] or any(name in row for row in rows)
    ]
    assert split["data"] == [[row.get(name) for name in split["columns"]] for row in rows]
    assert sent[0]["params"] == {"p q": 2}
