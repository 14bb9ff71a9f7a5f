"""Which source is taken: the order, the reasons, and one after the other."""

import pytest
import wire
from sources import Hand, content, program, site, values

from databricks_serving.auth import Source, _chain
from databricks_serving.auth._chain import SOURCES, FirstOf, choose
from databricks_serving.auth._notebook import Runtime
from databricks_serving.auth._source import UnavailableError
from databricks_serving.auth._token import Token
from databricks_serving.errors import ConfigError, TokenError

pytestmark = pytest.mark.usefixtures("bare_machine")
ORDER = [
    *("pat", "oauth-m2m", "env-oidc", "file-oidc", "github-oidc", "azure-client-secret"),
    *("azure-cli", "azure-devops-oidc", "databricks-cli", "runtime", "model-serving"),
]


def test_the_order_is_that_of_the_official_sdk():
    assert [kind.auth_type for kind in SOURCES] == ORDER
    assert not _chain._ELSEWHERE & set(ORDER)


def test_every_source_says_why_it_is_not_taken():
    with pytest.raises(ConfigError) as caught:
        choose(values(host=wire.HOST), SOURCES)
    said = str(caught.value)
    assert all(f"{name}: " in said for name in ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_one_that_is_pinned_and_missing_says_why(name):
    with pytest.raises(ConfigError, match=f"auth_type '{name}', from a test, cannot be used: "):
        choose(values(host=wire.HOST, auth_type=name), SOURCES)


def test_one_that_is_sure_goes_before_all_after_it(bare_machine):
    path = program(bare_machine / "bin", "databricks", "exit 0").parent
    variables = {"PATH": str(path), "DATABRICKS_OIDC_TOKEN": "t"}
    chosen = choose(values(variables, oidc_token_filepath="/f"), SOURCES)
    assert chosen.source.auth_type == "env-oidc"
    assert [name for name, _ in chosen.others] == ["pat", "oauth-m2m"]


def test_those_that_may_be_there_are_tried_in_turn(bare_machine):
    path = program(bare_machine / "bin", "databricks", "exit 0").parent
    variables = {
        "PATH": str(path),
        "DATABRICKS_RUNTIME_VERSION": "16",
        "IS_IN_DB_MODEL_SERVING_ENV": "true",
    }
    source = choose(values(variables), SOURCES).source
    served = content({"OAUTH_TOKEN": [{"oauthTokenValue": "t-1"}]})
    nothing = OSError(8, "Exec format error")
    hand = Hand("/x/databricks", nothing, Runtime(), served)
    assert hand.fetch(source, site()).value == "t-1"
    # From then on it alone.
    assert Hand(served).fetch(source, site()).value == "t-1"


class Fixed(Source):
    auth_type = "fixed"

    def __init__(self, given):
        self.given = given

    def fetch(self, site):  # noqa: ARG002 - as every source
        yield from ()
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


def test_when_none_is_there_all_reasons_are_told():
    first = FirstOf([Fixed(UnavailableError("one: no")), Fixed(UnavailableError("two: no"))])
    with pytest.raises(TokenError, match="one: no; two: no"):
        Hand().fetch(first, site())


def test_one_that_is_there_and_fails_is_not_passed_over():
    first = FirstOf([Fixed(TokenError("broken")), Fixed(Token("t"))])
    with pytest.raises(TokenError, match="broken"):
        Hand().fetch(first, site())
