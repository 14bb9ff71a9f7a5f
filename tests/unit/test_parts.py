"""Parts of messages, from whatever a picture or a document is at hand as."""

import base64
import io
import os
import traceback
from pathlib import Path

import pytest
import wire

from databricks_serving import parts
from databricks_serving.errors import InvalidRequestError
from databricks_serving.local import LocalEndpoint
from databricks_serving.models import ChatRequest

PNG = b"\x89PNG\r\n\x1a\n" + b"made up"
PDF = b"%PDF-1.7 made up"
WAV = b"RIFF\x10\x00\x00\x00WAVEfmt "
MP4 = b"\x00\x00\x00\x18ftypisom"
URL = "https://example.com/a.png?size=2&sign=%2F"


def in_base64(data):
    return base64.b64encode(data).decode()


def data_url(media_type, data):
    return f"data:{media_type};base64,{in_base64(data)}"


def url_of(part):
    return part[part["type"]]["url"]


def test_text():
    assert parts.text("Hi") == {"type": "text", "text": "Hi"}
    marked = parts.text("Hi", cache_control={"type": "ephemeral"})
    assert marked["cache_control"] == {"type": "ephemeral"}
    with pytest.raises(InvalidRequestError, match=r"^text must be a str, not bytes"):
        parts.text(b"Hi")


@pytest.mark.parametrize("make", [bytes, bytearray, io.BytesIO], ids=lambda make: make.__name__)
def test_bytes_and_open_files_become_data_urls(make):
    assert parts.image(make(PNG)) == {
        "type": "image_url",
        "image_url": {"url": data_url("image/png", PNG)},
    }


def test_a_path_is_read_when_the_part_is_made(tmp_path):
    path = tmp_path / "photo.bin"
    path.write_bytes(PNG)

    class Own(os.PathLike):
        def __fspath__(self):
            return str(path)

    made = [parts.image(path), parts.image(Own())]
    with path.open("rb") as opened:
        made.append(parts.image(opened))
    path.write_bytes(b"other")
    assert [url_of(part) for part in made] == [data_url("image/png", PNG)] * 3


def test_a_file_that_gives_little_at_a_time_is_read_to_its_end():
    class Slow(io.RawIOBase):
        left = PNG

        def readable(self):
            return True

        def read(self, _size=-1):
            piece, self.left = self.left[:3], self.left[3:]
            return piece

    assert url_of(parts.image(Slow())) == data_url("image/png", PNG)


@pytest.mark.parametrize("url", [URL, "http://localhost:1/x", "HTTPS://example.com"])
def test_a_url_is_sent_as_it_is(url):
    for make in (parts.image, parts.audio_url, parts.video_url):
        assert url_of(make(url)) == url


def test_a_data_url_is_sent_as_it_is():
    url = data_url("image/png", PNG)
    assert url_of(parts.image(url)) == url
    assert url_of(parts.image("data:image/svg+xml,%3Csvg/%3E")) == "data:image/svg+xml,%3Csvg/%3E"
    heard = parts.audio(data_url("audio/wav", WAV))
    assert heard["input_audio"] == {"data": in_base64(WAV), "format": "wav"}
    assert parts.file(data_url("application/pdf", PDF))["file"] == {
        "file_data": data_url("application/pdf", PDF)
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "photo.png",
        "/etc/passwd",
        "C:\\photo.png",
        "file:///etc/passwd",
        "ftp://example.com/a",
        f" {URL}",
        f"{URL}\n",
        "https://",
        "https:///x",
        "https://a b",
        "https://[x",
        "data:",
    ],
)
@pytest.mark.parametrize("make", [parts.image, parts.audio, parts.file, parts.video_url])
def test_a_str_that_is_no_url_is_never_a_path(make, text):
    with pytest.raises(
        InvalidRequestError, match=r"for a file pass pathlib\.Path\(\.\.\.\)"
    ) as got:
        make(text)
    assert text in {"", "data:"} or text not in str(got.value)


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("data:,abc", "does not say what it holds"),
        ("data:image/png;base64,!!!", "does not hold base64"),
        ("data:image/png;base64,", "is empty"),
        ("data:text/plain;base64,aGk=", "is text/plain, which is no image"),
        (data_url("image/png", b"x" * 11), "has 11 bytes, more than max_bytes=10"),
        ("data:image/svg+xml," + "x" * 11, "has 11 bytes, more than max_bytes=10"),
    ],
)
def test_a_data_url_that_cannot_be_is_refused(url, match):
    with pytest.raises(InvalidRequestError, match=match):
        parts.image(url, max_bytes=10)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"II*\x00", "image/tiff"),
        (b"MM\x00*", "image/tiff"),
        (b"\x00\x00\x00\x18ftypavif", "image/avif"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x18ftypmif1", "image/heic"),
        (PDF, "application/pdf"),
        (WAV, "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"fLaC", "audio/flac"),
        (b"OggS", "audio/ogg"),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x18ftypqt  ", "video/quicktime"),
        (MP4, "video/mp4"),
        (b"\x1aE\xdf\xa3", "video/webm"),
    ],
)
def test_bytes_tell_what_they_are(data, media_type):
    assert parts.file(data)["file"]["file_data"] == data_url(media_type, data)


def test_what_bytes_do_not_tell_their_name_does(tmp_path):
    path = tmp_path / "Notes.TXT"
    path.write_bytes(b"plain words")
    assert parts.file(path)["file"] == {
        "filename": "Notes.TXT",
        "file_data": data_url("text/plain", b"plain words"),
    }
    # The bytes go before the name, but for sound in a container that may hold pictures.
    path = tmp_path / "photo.jpg"
    path.write_bytes(PNG)
    assert url_of(parts.image(path)) == data_url("image/png", PNG)
    path = tmp_path / "talk.m4a"
    path.write_bytes(MP4)
    assert parts.audio(path)["input_audio"]["format"] == "m4a"


def test_what_nothing_tells_is_asked_for(tmp_path):
    path = tmp_path / "thing.unheard-of"
    path.write_bytes(b"plain words")
    for source in (path, b"plain words", io.BytesIO(b"plain words")):
        with pytest.raises(InvalidRequestError, match="say it by media_type="):
            parts.file(source)
        made = parts.file(
            source if isinstance(source, Path | bytes) else io.BytesIO(b"plain words"),
            media_type="text/x-thing",
        )
        assert made["file"]["file_data"] == data_url("text/x-thing", b"plain words")


@pytest.mark.parametrize("media_type", ["png", "image/png;x=1", "image/", "IMAGE/PNG", 7, "a/b,c"])
def test_a_media_type_that_is_none_is_refused(media_type):
    with pytest.raises(InvalidRequestError, match=r"^media_type must be one such as"):
        parts.image(PNG, media_type=media_type)


def test_media_of_another_kind_are_refused():
    with pytest.raises(
        InvalidRequestError, match=r"application/pdf, which is no image; see file\("
    ):
        parts.image(PDF)
    with pytest.raises(InvalidRequestError, match="image/png, which is no audio"):
        parts.audio(PNG)
    with pytest.raises(InvalidRequestError, match="image/png, which is no video"):
        parts.video_url(PNG)
    with pytest.raises(InvalidRequestError, match="text/plain, which is no image"):
        parts.image(PNG, media_type="text/plain")


def test_audio_has_the_short_name_of_its_format():
    assert parts.audio(WAV) == {
        "type": "input_audio",
        "input_audio": {"data": in_base64(WAV), "format": "wav"},
    }
    assert parts.audio(b"ID3\x04")["input_audio"]["format"] == "mp3"
    assert parts.audio(b"raw", format="pcm16")["input_audio"]["format"] == "pcm16"
    for wrong in ("audio/wav", 7.5, " "):
        with pytest.raises(InvalidRequestError, match=r"^format must be one such as"):
            parts.audio(WAV, format=wrong)


def test_what_is_sent_whole_takes_no_url():
    with pytest.raises(InvalidRequestError, match=r"audio_url\(\) sends a URL"):
        parts.audio(URL)
    with pytest.raises(InvalidRequestError, match="pass its bytes, not its URL"):
        parts.file(URL)


def test_a_file_has_the_name_that_it_is_given(tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(PDF)
    assert parts.file(path)["file"]["filename"] == "report.pdf"
    assert parts.file(path, filename="a.pdf")["file"]["filename"] == "a.pdf"
    with path.open("rb") as opened:
        assert parts.file(opened)["file"]["filename"] == "report.pdf"
    assert "filename" not in parts.file(PDF)["file"]
    assert parts.file(b"a,b", filename="a.csv")["file"]["file_data"].startswith("data:text/csv;")


def test_details_and_marks_are_passed_on():
    part = parts.image(URL, detail="low", cache_control={"type": "ephemeral", "ttl": "1h"})
    assert part == {
        "type": "image_url",
        "image_url": {"url": URL, "detail": "low"},
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
    }


@pytest.mark.parametrize("make", [bytes, io.BytesIO], ids=lambda make: make.__name__)
def test_a_source_is_neither_empty_nor_too_large(make):
    with pytest.raises(InvalidRequestError, match=r"^the source is empty"):
        parts.image(make(b""))
    with pytest.raises(
        InvalidRequestError, match=r"more than max_bytes=3000000; foundation models"
    ):
        parts.image(make(PNG + bytes(parts.MAX_BYTES)))
    assert parts.image(make(PNG), max_bytes=len(PNG))
    with pytest.raises(InvalidRequestError, match="more than max_bytes=14"):
        parts.image(make(PNG), max_bytes=len(PNG) - 1)
    for wrong in (0, True, "9", None):
        with pytest.raises(InvalidRequestError, match=r"^max_bytes must be a whole number"):
            parts.image(make(PNG), max_bytes=wrong)


def test_the_largest_source_leaves_room_in_what_foundation_models_take():
    whole = parts.image(PNG + bytes(parts.MAX_BYTES - len(PNG)))
    assert len(url_of(whole)) < 4 * 1024 * 1024 - 100_000


def test_a_path_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InvalidRequestError, match=r"missing\.png': No such file"):
        parts.image(tmp_path / "missing.png")
    with pytest.raises(InvalidRequestError, match="is a directory"):
        parts.image(tmp_path)
    with pytest.raises(InvalidRequestError, match="NUL"):
        parts.image(Path("a\0b"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidRequestError, match="pipe' is no regular file"):
        parts.image(tmp_path / "pipe")
    (tmp_path / "empty.png").touch()
    with pytest.raises(InvalidRequestError, match="is empty"):
        parts.image(tmp_path / "empty.png")


def test_a_large_file_is_refused_unread(tmp_path):
    path = tmp_path / "large.png"
    with path.open("wb") as opened:
        opened.truncate(2**30)
    with pytest.raises(InvalidRequestError, match=r"1024 MiB, more than max_bytes=3000000"):
        parts.image(path)


def test_an_open_file_must_give_bytes(tmp_path):
    with pytest.raises(InvalidRequestError, match="gives str: open it with 'rb'"):
        parts.image(io.StringIO("words"))
    closed = io.BytesIO(PNG)
    closed.close()
    with pytest.raises(InvalidRequestError, match="cannot be read: ValueError"):
        parts.image(closed)
    match = "cannot be read: UnsupportedOperation"
    with (tmp_path / "new").open("wb") as opened, pytest.raises(InvalidRequestError, match=match):
        parts.image(opened)


@pytest.mark.parametrize("source", [None, 7, ["a"], {"url": URL}])
def test_what_is_no_source_is_refused(source):
    with pytest.raises(InvalidRequestError, match=r"^source must be a path, bytes"):
        parts.image(source)


def test_an_error_holds_no_content():
    with pytest.raises(InvalidRequestError) as caught:
        parts.image(b"secret words")
    assert "secret" not in str(caught.value)
    frames = [frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(caught.tb)]
    assert frames
    assert [name for name in frames if name.startswith("databricks_serving")] == []


def all_parts():
    return [
        parts.text("What is this?"),
        parts.image(PNG, detail="low"),
        parts.image(URL),
        parts.audio(WAV),
        parts.audio_url(WAV),
        parts.video_url(MP4),
        parts.file(PDF, filename="a.pdf"),
    ]


def test_parts_are_sent_as_they_are(shell):
    client = shell.client(wire.json_reply(wire.chat()))
    messages = [{"role": "user", "content": all_parts()}]
    shell.wait(client.chat.completions.create(model="m", messages=messages))
    assert shell.transport.bodies[0]["messages"] == messages
    request = ChatRequest.from_dict({"messages": messages})
    kinds = [type(part).__name__ for part in request.messages[0].content]
    media = ["ImagePart", "ImagePart", "InputAudioPart", "AudioUrlPart", "VideoUrlPart"]
    assert kinds == ["TextPart", *media, "FilePart"]


def test_the_local_endpoint_takes_all_parts_and_looks_at_the_text_alone(shell):
    with LocalEndpoint(model="deterministic") as local:
        client = shell.client_class(local.host, local.token)
        messages = [{"role": "user", "content": all_parts()}]
        reply = shell.wait(client.chat.completions.create(model="local-chat", messages=messages))
        assert "What is this?" in reply.text
        shell.wait(client.close())


class Lost:
    """A path that is none."""

    def __fspath__(self):
        return None


def test_what_is_not_of_its_type_is_refused_by_its_name():
    with pytest.raises(InvalidRequestError, match=r"^source is no path: "):
        parts.image(Lost())
    with pytest.raises(InvalidRequestError, match=r"^filename must be a str, not int$"):
        parts.file(b"%PDF-1.4", filename=5)
    with pytest.raises(InvalidRequestError, match=r'^format must be one such as "wav"'):
        parts.audio(b"abc", format=5)


def test_audio_that_nothing_tells_is_asked_for_by_the_name_of_its_own_option():
    with pytest.raises(InvalidRequestError, match="say it by format="):
        parts.audio(b"abc")


def test_a_memoryview_is_bytes():
    assert parts.image(memoryview(PNG)) == parts.image(PNG)
