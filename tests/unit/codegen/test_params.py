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


def test_settings_are_the_keywords_that_may_be_left_out(document):
    schemas, [path] = document["components"]["schemas"], document["paths"].values()
    schemas["Ask"]["properties"]["tone"] = {"type": "string"}
    path["post"]["x-sdk-operations"][0]["settings"] = "AskSettings"
    source = emit_params(project(document))
    assert "class AskSettings(TypedDict, total=False):\n" in source
    settings = source.partition("class AskSettings")[2].partition("\n\n\n")[0]
    assert settings.endswith("tone: str | None")
    assert "The parameters of `AskParams` but for question." in settings
    assert '"AskSettings",' in source


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
