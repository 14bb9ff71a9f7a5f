"""A client keeps its secrets wrapped; section 5.1."""

from databricks_serving.errors import AuthenticationError

from .support.answers import reply
from .support.canary import TOKEN, find
from .support.showing import walk


def test_no_private_attribute_of_a_client_holds_a_secret_in_plain(house):
    _, client = house.serve()
    house.call(client)
    places = [(where, names) for where, text in walk(client) if (names := find(text))]
    assert places == []


def test_a_token_that_the_server_repeats_is_masked(house):
    _, client = house.serve(reply({"error_code": "401", "message": f"bad token {TOKEN}"}, 401))
    error = house.fails(client, AuthenticationError, r"bad token \*\*\*")
    assert error.status_code == 401
