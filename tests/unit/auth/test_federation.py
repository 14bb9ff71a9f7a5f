"""Token federation: another issuer's token, from a function, a variable or a file."""

import pytest
import wire
from shells import SyncShell
from sources import CANARY, Hand, Workspace, answer, content, form_of, jwt, site, token, values

from databricks_serving.auth import OAuthTokenFederation, _calendar
from databricks_serving.auth._federation import FileFederation, VariableFederation
from databricks_serving.auth._steps import Call, Read
from databricks_serving.errors import APIConnectionError, ConfigError, ServingError, TokenError

pytestmark = pytest.mark.usefixtures("bare_machine")
ADDRESS = f"{wire.HOST}/oidc/v1/token"
UNKNOWN = answer({}, 404)
LONG_AGO = 1_000_000_000
FAR_OFF = 4_000_000_000


def exchange(source, *answers, where=None):
    hand = Hand(UNKNOWN, *answers)
    return hand, hand.fetch(source, where or site())


def fails(source, *answers, where=None):
    hand = Hand(UNKNOWN, *answers)
    with pytest.raises(TokenError) as caught:
        hand.fetch(source, where or site())
    assert CANARY not in f"{caught.value!s}{caught.value!r}{caught.value.__cause__!r}"
    assert caught.value.source == source.auth_type
    return str(caught.value)


def test_a_token_is_exchanged():
    subject = jwt(exp=FAR_OFF)
    source = OAuthTokenFederation(lambda: subject, client_id="c-1")
    hand, made = exchange(source, lambda step: step.function(), token("t-1"))
    assert (made.value, made.expires_in) == ("t-1", 3600)
    ask = hand.steps[-1]
    assert isinstance(hand.steps[1], Call)
    assert (ask.method, ask.url) == ("POST", ADDRESS)
    assert "authorization" not in ask.headers
    assert form_of(ask) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": subject,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "scope": "all-apis",
        "client_id": "c-1",
    }


def test_without_a_client_id_the_policy_is_the_accounts():
    hand, _ = exchange(OAuthTokenFederation(lambda: "", scope="sql"), "plain-token", token())
    assert "client_id" not in form_of(hand.steps[-1])
    assert form_of(hand.steps[-1])["scope"] == "sql"


def test_an_account_has_an_address_of_its_own():
    source = OAuthTokenFederation(lambda: "", account_id="a-1")
    hand = Hand(UNKNOWN, "plain-token", token())
    hand.fetch(source, site("https://accounts.cloud.databricks.com"))
    assert hand.steps[-1].url.endswith("/oidc/accounts/a-1/v1/token")


def test_a_variable_is_read_at_each_fetch():
    variables = {"MY_TOKEN": f" {jwt(exp=FAR_OFF)}\n"}
    source = OAuthTokenFederation.from_variable("MY_TOKEN", client_id="c-1")
    for subject in (jwt(exp=FAR_OFF), jwt(exp=FAR_OFF + 1)):
        variables["MY_TOKEN"] = f" {subject}\n"
        hand, _ = exchange(source, token(), where=site(**variables))
        assert form_of(hand.steps[-1])["subject_token"] == subject


def test_a_variable_that_is_gone_is_named():
    said = fails(OAuthTokenFederation.from_variable())
    assert said == "env-oidc: the variable DATABRICKS_OIDC_TOKEN is not set"


def test_a_file_is_read_at_each_fetch(bare_machine):
    source = OAuthTokenFederation.from_file("~/token")
    for subject in ("one", "two"):
        data = b"\xef\xbb\xbf" + subject.encode() + b"\r\n"
        hand, _ = exchange(source, content(data), token())
        assert hand.steps[1] == Read(str(bare_machine / "home" / "token"))
        assert form_of(hand.steps[-1])["subject_token"] == subject


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (FileNotFoundError(2, "No such file or directory"), "No such file or directory"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError("larger"), "OSError"),
        (content(b""), "is empty: whatever writes the file has to renew it"),
        (content(b" \n"), "is empty"),
        (content(b"\xff\xfe\x00" + CANARY.encode()), "a character that no token has"),
        (content(f"{CANARY} {CANARY}".encode()), "a character that no token has"),
        (content(f"Bearer {CANARY}".encode()), "without 'Bearer'"),
        (content(CANARY.encode() * 1000), "longer than"),
        (content(jwt(exp=LONG_AGO).encode()), "expired"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(given, words):
    source = OAuthTokenFederation.from_file("/run/token")
    with pytest.raises(TokenError) as caught:
        exchange(source, given)
    # What may be written anew may help another time; a fault that stays may not.
    passes = isinstance(given, OSError) or words == "expired"
    assert caught.value.retryable == passes
    said = fails(source, given)
    assert said.startswith("file-oidc: ")
    assert words in said


def test_a_token_that_has_expired_says_for_how_long(monkeypatch):
    now = _calendar.datetime.fromtimestamp(LONG_AGO, _calendar.UTC)
    monkeypatch.setattr(_calendar, "present", lambda: now)
    source = OAuthTokenFederation.from_variable()
    said = fails(source, where=site(DATABRICKS_OIDC_TOKEN=jwt(exp=LONG_AGO - 90)))
    assert said == (
        "env-oidc: the token to be exchanged expired 90 s ago by this machine's clock: "
        "have whatever started this program renew the variable"
    )
    # Clocks differ; the workspace decides on the last minute.
    exchange(source, token(), where=site(DATABRICKS_OIDC_TOKEN=jwt(exp=LONG_AGO - 30)))


@pytest.mark.parametrize(
    "subject",
    ["plain", "a.b", "a.b.c", "a.e30.c", "a.W10.c", "a.!!.c", "a.é.c".encode().hex(), jwt(exp="x")],
)
def test_a_token_without_a_legible_end_is_sent_as_it_is(subject):
    hand, _ = exchange(OAuthTokenFederation(lambda: ""), subject, token())
    assert form_of(hand.steps[-1])["subject_token"] == subject


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "must be a str, not NoneType"),
        (b"token", "must be a str, not bytes"),
        ("", "is empty: it is what the function returned"),
        (ValueError(CANARY), "the function given as subject raised ValueError"),
    ],
)
def test_a_function_that_gives_no_token_is_told(given, words):
    with pytest.raises(TokenError, match=words) as caught:
        exchange(OAuthTokenFederation(lambda: ""), given)
    assert CANARY not in str(caught.value)
    assert caught.value.retryable == isinstance(given, ValueError)


def test_an_error_of_ours_from_a_function_stays():
    error = TokenError("mine")
    with pytest.raises(TokenError) as caught:
        exchange(OAuthTokenFederation(lambda: ""), error)
    assert caught.value is error


@pytest.mark.parametrize("subject", ["text", str, None, 7])
def test_a_subject_must_be_a_function(subject):
    with pytest.raises(ConfigError, match="subject must be a function that returns a token, not"):
        OAuthTokenFederation(subject)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer(b"<html>", 200), "no JSON, perhaps a web page"),
        (answer({"token": "t"}), "JSON without access_token"),
        (answer({"access_token": "t", "token_type": "mac"}), "no Bearer token"),
        (answer(b"", 302, location="https://evil.example.com"), "redirects"),
        (answer({"error": "invalid_grant", "error_description": "no policy"}, 400), "no policy"),
        (answer({"error": "x", "error_description": f"bad {jwt(exp=FAR_OFF)}"}, 400), r"\*\*\*"),
        (APIConnectionError("no route"), "no route"),
    ],
)
def test_an_exchange_that_fails_says_why_and_shows_no_token(given, words):
    source = OAuthTokenFederation.from_variable()
    said = fails(source, given, where=site(DATABRICKS_OIDC_TOKEN=jwt(exp=FAR_OFF)))
    assert words.replace("\\", "") in said


def test_tokens_of_a_service_principal_can_be_kept_apart():
    whose = lambda **options: OAuthTokenFederation(lambda: "", **options).identity  # noqa: E731 - short for a table
    assert whose() is None
    principals = [{"client_id": "a"}, {"client_id": "b"}, {"client_id": "a", "scope": "sql"}]
    principals.append({"client_id": "a", "account_id": "1"})
    assert len({whose(**options) for options in principals}) == 4
    assert whose(client_id="a") == whose(client_id="a")
    assert whose(client_id="a") != OAuthTokenFederation.from_variable(client_id="a").identity


def test_a_source_shows_nothing():
    assert repr(OAuthTokenFederation.from_file("/run/token")) == "FileFederation()"


def test_a_variable_configures_it():
    assert "DATABRICKS_OIDC_TOKEN is not set" in VariableFederation.configured(values())
    named = values({"X": "t"}, oidc_token_env="X", client_id="c-1")
    hand, _ = exchange(VariableFederation.configured(named), token(), where=site(X="t"))
    assert form_of(hand.steps[-1])["client_id"] == "c-1"


def test_a_named_file_configures_it():
    assert FileFederation.configured(values()) == "no oidc_token_filepath"
    source = FileFederation.configured(values(oidc_token_filepath="/f"))
    hand, _ = exchange(source, content(b"t"), token())
    assert hand.steps[1] == Read("/f")


async def give_later():
    return "late-token"


def test_both_clients_exchange_what_a_function_returns(shell):
    workspace = Workspace({ADDRESS: {"access_token": "t-1", "expires_in": 3600}})
    function = give_later if shell.name == "async" else lambda: "soon-token"
    sent = workspace.call(shell, wire.HOST, auth=OAuthTokenFederation(function))
    assert sent.headers["authorization"] == "Bearer t-1"
    (asked,) = workspace.sent(ADDRESS)
    assert b"-token" in asked.content


def test_an_async_function_needs_the_async_client():
    with pytest.raises(TokenError, match="needs AsyncServingClient"):
        Workspace().call(SyncShell(), wire.HOST, auth=OAuthTokenFederation(give_later))


def test_both_clients_find_a_token_in_a_variable(shell, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", wire.HOST)
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN", jwt(exp=FAR_OFF))
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "c-1")
    workspace = Workspace({ADDRESS: {"access_token": "t-1", "expires_in": 3600}})
    assert workspace.call(shell).headers["authorization"] == "Bearer t-1"
    told = shell.wait(workspace.client.auth.describe())
    assert "auth env-oidc, client_id from the variable DATABRICKS_CLIENT_ID" in told


def test_both_clients_read_a_renewed_file(shell, monkeypatch, bare_machine):
    file = bare_machine / "token"
    file.write_text("first\n")
    monkeypatch.setenv("DATABRICKS_HOST", wire.HOST)
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN_FILE", str(file))
    workspace = Workspace({ADDRESS: {"access_token": "t-1", "expires_in": 0}})
    workspace.call(shell)
    file.write_text("second\n")
    workspace.call(shell)
    assert [b"=first&" in r.content for r in workspace.sent(ADDRESS)] == [True, False]


def test_both_clients_say_what_is_wrong_with_a_file(shell):
    with pytest.raises(ServingError, match="file-oidc: /nowhere/token cannot be read"):
        Workspace().call(shell, wire.HOST, auth=OAuthTokenFederation.from_file("/nowhere/token"))
