"""The harness finds what it is there to find."""

import base64
import logging
import socket
import threading
import traceback
import urllib.parse

import pytest

from databricks_serving import ServingError

from .support.canary import PASSWORD, PROMPT, SECRET, TOKEN, find
from .support.capture import listening
from .support.leaks import Base, gone
from .support.showing import shown_error, shown_result, walk

ALL = {"token": TOKEN, "secret header": SECRET, "proxy password": PASSWORD, "prompt": PROMPT}


WRITINGS = {
    "as it is": str,
    "repr": repr,
    "capitals": str.upper,
    "bytes": str.encode,
    "percent where needed": urllib.parse.quote,
    "percent everywhere": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "hex": lambda text: text.encode().hex(),
    "its beginning": lambda text: text.partition("canary-")[2][:8],
    "escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 after one": lambda text: base64.b64encode(b"x" + text.encode()),
    "base64 after two": lambda text: base64.urlsafe_b64encode(b"~~" + text.encode()),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("write", WRITINGS.values(), ids=WRITINGS)
def test_a_canary_is_found_however_it_is_written(name, write):
    assert find(write(ALL[name])) == [name]


def test_a_prompt_may_be_left_aside():
    assert find(PROMPT, prompt=False) == []
    assert find("an innocent text with dapi-canary- in it") == []


def names_in(shown):
    return {name for _, text in shown for name in find(text)}


def test_an_error_shows_its_attributes_and_its_causes():
    error = ServingError("an innocent text")
    assert names_in(shown_error(error)) == set()
    error.hint = TOKEN
    error.__cause__ = ValueError(SECRET)
    error.__cause__.__context__ = KeyError({"a": [PASSWORD]})
    assert names_in(shown_error(error)) == {"token", "secret header", "proxy password"}


def test_local_variables_of_libraries_count_and_those_of_tests_do_not():
    secret = TOKEN
    with pytest.raises(ValueError, match="an innocent text") as caught:
        raise ValueError("an innocent text")
    seen = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert secret in str(seen.stack[0].locals)
    assert names_in(shown_error(caught.value)) == set()
    with pytest.raises(TypeError) as caught:
        urllib.parse.urlencode([[secret]], safe=object())
    assert names_in(shown_error(caught.value)) == {"token"}


def test_private_attributes_and_slots_count():
    class Plain:
        __slots__ = ("__deep",)

        def __init__(self):
            self.__deep = {"a": (TOKEN.encode(),)}

    Plain.__module__ = "databricks_serving.made_up"
    assert names_in(walk([Plain()])) == {"token"}


def test_what_a_result_pickles_counts():
    class Kept(str):
        __slots__ = ()

        def __reduce__(self):
            return str, (SECRET,)

    globals()["Kept"] = Kept
    assert names_in(shown_result(Kept("a"))) == {"secret header"}


def test_every_logger_is_heard_at_every_level():
    quiet = logging.getLogger("a.quiet.one")
    quiet.setLevel(logging.ERROR)
    with listening() as listener:
        quiet.debug("an innocent text of %s", TOKEN)
        logging.getLogger("another").debug("a text", extra={"odd": SECRET})
    assert names_in(("log", text) for text in listener.texts) == {"token", "secret header"}
    assert quiet.level == logging.ERROR


def test_a_descriptor_and_a_thread_are_missed():
    base = Base()
    assert base.leftovers() == []
    event = threading.Event()
    thread = threading.Thread(target=event.wait, name="left")
    thread.start()
    with socket.socket() as left:
        number = left.fileno()
        found = gone(base.leftovers, seconds=0.01)
        assert [one for one in found if one.startswith(f"{number}: socket")]
        assert "left" in found
    event.set()
    thread.join()
    assert gone(base.leftovers) == []


def test_a_good_call_and_its_server(house):
    server, client = house.serve()
    assert house.call(client).text == "Hi"
    assert len(server.requests) == 1
    assert SECRET.encode() in server.requests[0]
    assert TOKEN.encode() in server.requests[0]
    assert PROMPT.encode() in server.requests[0]
