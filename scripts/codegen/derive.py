"""The templates: our own, those of the package among them, and the generator's with exact edits.

An edit names the text that it replaces and how often that occurs. When a new generator version
moves the text, `write_templates` fails at that edit instead of writing something half right.
"""

import shutil
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from databricks_serving.contract.tools import TEMPLATES

OWN = (TEMPLATES, Path(__file__).parent / "templates")


class Edit(NamedTuple):
    """Replace `old`, which occurs so many times, by `new`."""

    old: str
    new: str
    times: int = 1


class DerivationError(RuntimeError):
    """A template of the generator is not the one that the edits were written for."""


_ENDPOINT_MODULE = (
    # httpx is for annotations only, so importing an operation stays cheap.
    Edit(
        """\
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

{% for relative in endpoint.relative_imports | sort %}
{{ relative }}
{% endfor %}
""",
        """\
{% import "_endpoint.jinja" as own %}
{{ own.imports(endpoint) }}
""",
    ),
    Edit("_get_kwargs(", "get_kwargs(", 3),
    Edit(
        ") -> dict[str, Any]:\n",
        ") -> dict[str, Any]:\n"
        '    """Return arguments for `httpx.Client.request`; a mapping is sent as it stands."""\n',
    ),
    # The fragment only kept the operations of one path apart.
    Edit(
        "{{ endpoint.path | in_double_quote_literal }}",
        '{{ (endpoint.path | in_double_quote_literal).split("#")[0] }}',
        2,
    ),
    Edit('quote(str({{parameter.python_name}}), safe="")', "segment({{ parameter.python_name }})"),
    Edit("\n\ndef _parse_response(", "\n{{ own.parsers(endpoint) }}\n\ndef _parse_response("),
    Edit("-> {{return_type}}:\n", "-> {{ return_string | as_unembedded_code }} | None:\n"),
    Edit(
        """\
    {% for response in endpoint.responses.patterns %}
    {% set code_range = response.status_code.range %}
    {% if code_range[0] == code_range[1] %}
    if response.status_code == {{ code_range[0] }}:
    {% else %}
    if {{ code_range[0] }} <= response.status_code <= {{ code_range[1] }}:
    {% endif %}
        {{ parse_response(parsed_responses, response) | indent(8) }}
    {% endfor %}
    {% if endpoint.responses.default %}
    {{ parse_response(parsed_responses, endpoint.responses.default) | indent(4) }}
    {% else %}
""",
        """\
{{ own.read_known(endpoint) }}
    {% if endpoint.responses.default %}
    return {{ own.read(endpoint.responses.default) }}
    {% else %}
""",
    ),
    # A status outside the standard list, such as 529, must not raise.
    Edit("HTTPStatus(response.status_code)", "response.status_code"),
)

_ENDPOINT_MACROS = (
    Edit(
        "{{ endpoint.bodies[0].prop.get_type_string() | as_unembedded_code }}"
        "{% if not endpoint.bodies[0].prop.required %} = UNSET{% endif %}",
        "{{ endpoint.bodies[0].prop.class_info.name }}"
        " | {{ endpoint.bodies[0].prop.class_info.name }}Dict",
    ),
    Edit(
        '{{ prop_template.transform(property, property.python_name, "_kwargs[\\"json\\"]",'
        " skip_unset=True, declare_type=False) }}",
        '_kwargs["json"] = dump({{ property.python_name }})',
    ),
)

_CLIENT = (
    Edit(
        "import httpx\n",
        "import httpx\n\nDEFAULT_TIMEOUT = httpx.Timeout(300.0, connect=5.0)\n"
        '"""Seconds: long answers are usual, slow connections are not."""\n',
    ),
    Edit(
        'field(default=None, kw_only=True, alias="timeout")',
        'field(default=DEFAULT_TIMEOUT, kw_only=True, alias="timeout")',
    ),
    # Factories are typed for strict checkers; what may hold a secret is not shown.
    *(
        Edit(
            f'{kind} = field(factory=dict, kw_only=True, alias="{name}")',
            f'{kind} = field(factory={kind}, kw_only=True, alias="{name}", repr=False)',
        )
        for name, kind in (
            ("cookies", "dict[str, str]"),
            ("headers", "dict[str, str]"),
            ("httpx_args", "dict[str, Any]"),
        )
    ),
    Edit(
        '"token": namespace(type="str", default=""',
        '"token": namespace(type="str", default="field(repr=False)"',
    ),
    Edit("default='\"Bearer\"'", "default='field(default=\"Bearer\")'"),
    # A copy with other settings must leave the connections of the original alone.
    *(
        Edit(
            f"""\
        if self._client is not None:
            self._client.{statement}
        if self._async_client is not None:
            self._async_client.{statement}
""",
            "",
        )
        for statement in ("headers.update(headers)", "cookies.update(cookies)", "timeout = timeout")
    ),
    # The token belongs in a dict of our own, not in the caller's.
    Edit(
        "self._headers[self.auth_header_name] ="
        ' f\\"{self.prefix} {self.token}\\" if self.prefix else self.token',
        "self._headers = {**self._headers, self.auth_header_name:"
        ' f\\"{self.prefix} {self.token}\\" if self.prefix else self.token}',
    ),
)

_ERRORS = (
    # The body of an error may quote the prompt.
    Edit("\\n\\nResponse content:\\n{content.decode(errors='ignore')}", ""),
)

EDITS = {
    "endpoint_module.py.jinja": _ENDPOINT_MODULE,
    "endpoint_macros.py.jinja": _ENDPOINT_MACROS,
    "client.py.jinja": _CLIENT,
    "errors.py.jinja": _ERRORS,
}


def derive(text: str, edits: tuple[Edit, ...]) -> str:
    """Apply edits in order.

    Raises:
        DerivationError: If an edit does not find its text as often as it says.
    """
    for edit in edits:
        if (found := text.count(edit.old)) != edit.times:
            raise DerivationError(f"{edit.old!r} is there {found} times, not {edit.times}")
        text = text.replace(edit.old, edit.new)
    return text


def write_templates(target: Path) -> None:
    """Write the complete template directory for the generator.

    Raises:
        DerivationError: If an edit does not fit the installed generator.
    """
    for own in OWN:
        shutil.copytree(own, target, dirs_exist_ok=True)
    upstream = files("openapi_python_client") / "templates"
    for name, edits in EDITS.items():
        try:
            text = derive((upstream / name).read_text(encoding="utf-8"), edits)
        except DerivationError as error:
            raise DerivationError(f"{name}: {error}") from None
        (target / name).write_text(text, encoding="utf-8")
