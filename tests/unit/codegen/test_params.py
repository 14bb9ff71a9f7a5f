from codegen.params import emit_params
from codegen.project import project

REF = "#/components/schemas/"


def ref(name):
    return {"$ref": f"{REF}{name}"}


def obj(*required, **properties):
    return {"type": "object", "required": list(required), "properties": properties}


def test_an_array_of_texts_does_not_take_a_lone_text_by_accident(document):
    schemas = document["components"]["schemas"]
    texts = {"type": "array", "items": {"type": "string"}}
    schemas["Count"]["properties"] |= {"stop": {"anyOf": [{"type": "string"}, texts]}}
    source = emit_params(project(document))
    assert "texts: Required[list[str] | tuple[str, ...]]" in source
    assert "stop: str | Sequence[str] | None" in source


def test_reserved_keys_are_left_out_of_the_keywords_and_kept_in_the_request(document):
    source = emit_params(project(document))
    keywords, request = source.split("class AskRequest", 1)[0], source
    assert "class AskParams(TypedDict, total=False):\n    question: Required[str]\n\n" in keywords
    assert "class AskDict(AskParams, total=False):\n    stream: bool\n" in request


def test_a_catch_all_object_has_no_typed_dict(document):
    schemas = document["components"]["schemas"]
    schemas["Known"] = obj("type", type={"const": "known"})
    schemas["Unknown"] = {**obj("type", type={"type": "string"}), "x-sdk-catch-all": True}
    schemas["Item"] = {"oneOf": [ref("Known"), ref("Unknown")]}
    schemas["Ask"]["properties"]["items"] = {"type": "array", "items": ref("Item")}
    source = emit_params(project(document))
    assert "items: Sequence[ItemDict] | None" in source
    assert "ItemDict: TypeAlias = Known | KnownDict | Unknown\n" in source
    assert "UnknownDict" not in source


def test_parts_of_the_keywords_have_names_of_their_own(document):
    (item,) = document["paths"].values()
    document["components"]["schemas"]["Ask"]["properties"]["tone"] = {"type": "string"}
    parts = [
        {"name": "AskSettings", "without": ["question"]},
        {"name": "AskPlainly", "without": ["tone"]},
    ]
    item["post"]["x-sdk-operations"][0]["parts"] = parts
    source = emit_params(project(document))
    settings = source.partition("class AskSettings(TypedDict, total=False):\n")[2]
    assert settings.startswith(
        '    """What `AskParams` holds but for question."""\n\n    tone: str'
    )
    assert "class AskPlainly(TypedDict, total=False):\n" in source
    assert "class AskParams(TypedDict, total=False):\n    question: Required[str]\n" in source
    assert "class AskDict(AskParams, total=False):\n    stream: bool\n" in source
    assert {'"AskSettings",', '"AskPlainly",'} <= set(source.split())
