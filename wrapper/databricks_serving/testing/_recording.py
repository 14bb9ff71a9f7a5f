"""One recorded exchange: a request and its answer, as a JSON file that people can read and edit.

The format, version 1, is an object with these keys. Only `status`, `headers` and `body` are needed;
what is not known here is kept.

- `format`, `version`: `databricks-serving/recording` and 1.
- `recorded`: when, as an ISO date with time and zone.
- `method`, `path`: as they were sent, the query included; `POST` where there is no method.
- `request`: the body that was sent, as JSON.
- `stream`: whether the answer came as server-sent events.
- `status`, `headers`: of the answer.
- `body`: of the answer, unpacked: as JSON, or as text where it is none, or could not be written
  the same way again; `layout` names how the JSON was written. A stream is a text, or a list of
  texts, one for each event.
- `body_base64`: instead of `body`, where that is no text.
- `timing`: seconds from the request to the end of each event, or to the whole answer.
- `ends`: how the answer ended, where that was not in order: `closed`, `reset`, `timeout`, or `left`
  where the client read no further.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, Self, cast, get_args

from databricks_serving._core.json_codec import is_list
from databricks_serving.testing._blocks import blocks_of
from databricks_serving.testing._errors import RecordingError
from databricks_serving.testing._layouts import LAYOUTS, PLAIN, layout_of, written

FORMAT: Final = "databricks-serving/recording"
VERSION: Final = 1

Ending = Literal["whole", "closed", "reset", "timeout", "left"]
_EVENTS: Final = "text/event-stream"
_ENDINGS: Final = get_args(Ending)
_KNOWN: Final = {
    "format": str,
    "version": int,
    "recorded": str,
    "method": str,
    "path": str,
    "stream": bool,
    "status": int,
    "headers": dict,
    "layout": str,
    "body_base64": str,
    "timing": list,
    "ends": str,
}
_MOST_SECONDS: Final = 1_000_000_000
_ANY_KIND: Final = ("request", "body")
KEYS: Final = (*_KNOWN, *_ANY_KIND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One exchange.

    Attributes:
        status: Status of the answer.
        headers: Headers of the answer, names in lower case.
        content: Body of the answer, unpacked.
        method: Method of the request.
        path: Path of the request with its query; None where only the shape was recorded.
        request: Body of the request, as JSON; None without one.
        stream: Whether the answer came as server-sent events.
        timing: Seconds from the request to each event, or to the whole answer.
        ends: How the answer ended.
        recorded: When it was recorded, if that is known.
        extra: What else the file holds.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content: bytes = field(default=b"", repr=False)
    method: str = "POST"
    path: str | None = None
    request: Any = field(default=None, repr=False)
    stream: bool = False
    timing: tuple[float, ...] = field(default=(), repr=False)
    ends: Ending = "whole"
    recorded: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.content.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    def to_dict(self) -> dict[str, Any]:
        """Return the recording as its file holds it."""
        made: dict[str, Any] = {**self.extra, "format": FORMAT, "version": VERSION}
        if self.recorded is not None:
            made["recorded"] = self.recorded.isoformat(timespec="seconds")
        made |= {"method": self.method}
        if self.path is not None:
            made["path"] = self.path
        made |= {
            "stream": self.stream,
            "request": self.request,
            "status": self.status,
            "headers": dict(self.headers),
            **(_stream_keys(self.content) if self.stream else _body_keys(self.content)),
        }
        if self.timing:
            made["timing"] = list(self.timing)
        if self.ends != "whole":
            made["ends"] = self.ends
        return made

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], name: str = "the recording") -> Self:
        """Read a recording.

        Args:
            data: What its file holds.
            name: What errors call it.

        Raises:
            RecordingError: When it is none, or of another version.
        """
        _check(data, name)
        known = {key: data[key] for key in ("method", "path", "ends") if key in data}
        headers = {key.lower(): value for key, value in data["headers"].items()}
        return cls(
            **known,
            status=data["status"],
            headers=headers,
            content=_content(data, name),
            request=data.get("request"),
            stream=data.get("stream", headers.get("content-type", "").startswith(_EVENTS)),
            timing=tuple(data.get("timing", ())),
            recorded=_date(data.get("recorded"), name),
            extra={key: value for key, value in data.items() if key not in KEYS},
        )

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read the file of a recording.

        Raises:
            RecordingError: When it cannot be read, is no recording, or of another version.
        """
        try:
            # Some editors put a mark before the text.
            data = json.loads(Path(path).read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise RecordingError(
                f"{path}: no JSON ({error}): mend the file, or delete it and record anew"
            ) from None
        if not isinstance(data, dict):
            raise RecordingError(f"{path}: a recording is a JSON object")
        return cls.from_dict(cast("dict[str, Any]", data), str(path))

    def to_json(self) -> str:
        """Return the text of the recording's file."""
        data = self.to_dict()
        text = json.dumps(data, indent=2, ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:
            text = json.dumps(data, indent=2)
        return f"{text}\n"


def _check(data: Mapping[str, Any], name: str) -> None:
    version = data.get("version", VERSION)
    if data.get("format", FORMAT) != FORMAT:
        raise RecordingError(f'{name}: its format is not "{FORMAT}"')
    if version != VERSION:
        raise RecordingError(
            f"{name}: it is of format version {version!r:.20}, and this release reads {VERSION}: "
            "use the release that wrote it, or record anew"
        )
    for key, kind in _KNOWN.items():
        value = data.get(key)
        if key in data and (not isinstance(value, kind) or (kind is int and value is True)):
            raise RecordingError(f"{name}: {key} must be {_NAMES[kind]}")
    for key in ("status", "headers"):
        if key not in data:
            raise RecordingError(f"{name}: the key {key} is missing")
    if ("body" in data) == ("body_base64" in data):
        raise RecordingError(f"{name}: it needs one of the keys body and body_base64")
    _check_values(data, name)


def _check_values(data: Mapping[str, Any], name: str) -> None:
    if not 100 <= data["status"] <= 999:  # noqa: PLR2004 - the three digits of HTTP
        raise RecordingError(f"{name}: status is no status of HTTP")
    if data.get("ends", "whole") not in _ENDINGS:
        raise RecordingError(f"{name}: ends must be one of {', '.join(_ENDINGS)}")
    if data.get("layout", PLAIN) not in LAYOUTS:
        raise RecordingError(f"{name}: layout must be one of {', '.join(LAYOUTS)}")
    if not all(isinstance(value, str) for value in data["headers"].values()):
        raise RecordingError(f"{name}: the values of headers must be text")
    timing = data.get("timing", ())
    if not all(type(at) in {int, float} and 0 <= at < _MOST_SECONDS for at in timing):
        raise RecordingError(f"{name}: timing must be a list of seconds")


_NAMES: Final = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


def _content(data: Mapping[str, Any], name: str) -> bytes:
    if "body_base64" in data:
        try:
            return base64.b64decode(data["body_base64"], validate=True)
        except ValueError:
            raise RecordingError(f"{name}: body_base64 is no Base64") from None
    body = data["body"]
    if data.get("stream") and is_list(body) and all(isinstance(one, str) for one in body):
        body = "".join(body)
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    return written(body, data.get("layout", PLAIN))


def _stream_keys(content: bytes) -> dict[str, Any]:
    """Return the keys that hold a stream: a line for each event is easiest to compare."""
    try:
        return {"body": [block.decode() for block in blocks_of(content)]}
    except UnicodeDecodeError:
        return _body_keys(content)


def _body_keys(content: bytes) -> dict[str, Any]:
    """Return the keys that hold a body, in the form that is easiest to read and loses nothing."""
    value, layout = layout_of(content)
    if layout is not None:
        return {"body": value} if layout == PLAIN else {"layout": layout, "body": value}
    try:
        return {"body": content.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(content).decode("ascii")}


def _date(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise RecordingError(f"{name}: recorded is no ISO date") from None
