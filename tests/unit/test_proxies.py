"""Which proxy leads to a host."""

import traceback

import pytest

from databricks_serving._core import proxies
from databricks_serving._core.proxies import Proxy, resolve_proxy
from databricks_serving._core.secret import Secret
from databricks_serving.errors import ConfigError

HOST = "https://workspace.example.com"
PROXY = "http://proxy.example.com:8080"


def resolve(host=HOST, explicit=None, **variables):
    proxy = resolve_proxy(host, explicit=Secret.of(explicit), variable=variables.get)
    return proxy and proxy.url


def test_without_any_there_is_none():
    assert resolve() is None
    assert resolve(HTTPS_PROXY="", https_proxy=" ", ALL_PROXY="", NO_PROXY="") is None


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_the_environment_names_one(name):
    assert resolve(**{name: PROXY}) == PROXY


def test_the_nearer_name_counts():
    assert resolve(ALL_PROXY="http://b", HTTPS_PROXY="http://a") == "http://a:80"
    assert resolve(HTTPS_PROXY="http://b", https_proxy="http://a") == "http://a:80"
    assert resolve(HTTPS_PROXY="http://b", https_proxy="") == "http://b:80"
    assert resolve(HTTP_PROXY=PROXY) is None


def test_the_option_goes_before_the_environment():
    assert resolve(explicit="http://a", HTTPS_PROXY="http://b", NO_PROXY="*") == "http://a:80"


@pytest.mark.parametrize(
    "host",
    [
        "http://127.0.0.1:8080",
        "http://localhost",
        "https://localhost",
        "https://127.0.0.1",
        "https://127.8.9.1:1234",
        "https://[::1]:8080",
    ],
)
def test_this_machine_is_never_asked_through_a_proxy(host):
    assert resolve(host, HTTPS_PROXY=PROXY) is None
    assert resolve(host, explicit=PROXY) is None


FORMS = {
    "proxy": "http://proxy:80",
    "proxy:3128": "http://proxy:3128",
    "http://proxy/": "http://proxy:80",
    "https://proxy": "https://proxy:443",
    "https://proxy:8443": "https://proxy:8443",
    "http://[::1]:3128": "http://[::1]:3128",
}


@pytest.mark.parametrize("form", FORMS)
def test_an_address_takes_the_forms_that_people_write(form):
    assert resolve(explicit=form) == FORMS[form]


def test_user_and_password_are_kept_apart_and_out_of_sight():
    proxy = resolve_proxy(HOST, explicit=Secret("http://us%40er:pa%3Ass@proxy:1"), variable={}.get)
    assert proxy is not None
    assert proxy.user is not None
    assert proxy.password is not None
    assert (proxy.url, proxy.user.reveal(), proxy.password.reveal()) == (
        "http://proxy:1",
        "us@er",
        "pa:ss",
    )
    assert "er" not in repr(proxy).replace("user", "")
    assert resolve_proxy(HOST, explicit=Secret("http://user@proxy"), variable={}.get) == proxy_of(
        "user"
    )


def proxy_of(user):
    class Same(Secret):
        def __eq__(self, other):
            return self.reveal() == other.reveal()

        __hash__ = None

    return Proxy("http://proxy:80", Same(user), Same(""))


BAD = {
    "http://user:canary@": "is not the address of a proxy",
    "http://user:canary@proxy:99999": "is not the address of a proxy",
    "http://user:canary@proxy:x": "is not the address of a proxy",
    "http://user:canary@pro xy": "is not the address of a proxy",
    "http://user:canary@pr\u00f6xy": "is not the address of a proxy",
    "http://user:canary@[proxy": "is not the address of a proxy",
    "http://user:canary@proxy:0": "is not the address of a proxy",
    "ftp://user:canary@proxy": "unknown kind",
}


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("name", ["proxy", "HTTPS_PROXY"])
def test_a_bad_address_is_refused_and_not_shown(name, value):
    secret, variables = (Secret(value), {}) if name == "proxy" else (None, {name: value})
    with pytest.raises(ConfigError, match=f"^{name} .*{BAD[value]}") as caught:
        resolve_proxy(HOST, explicit=secret, variable=variables.get)
    trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(
        line for frame in trace.stack if "_core" in frame.filename for line in str(frame.locals)
    )
    assert "canary" not in str(caught.value) + shown


def test_an_empty_option_is_refused():
    with pytest.raises(ConfigError, match=r"^proxy is not"):
        resolve(explicit=" ")


def test_an_option_of_another_type_is_refused():
    with pytest.raises(ConfigError, match="proxy must be a str, not int"):
        resolve(explicit=1)


def test_socks_needs_its_package(monkeypatch):
    monkeypatch.setattr(proxies, "find_spec", lambda _: None)
    with pytest.raises(
        ConfigError, match=r"needs socksio: pip install 'databricks-serving\[socks\]'"
    ):
        resolve(ALL_PROXY="socks5://proxy")
    monkeypatch.setattr(proxies, "find_spec", lambda _: object())
    assert resolve(ALL_PROXY="socks5://proxy") == "socks5://proxy:1080"


MATCHING = {
    "*": True,
    "workspace.example.com": True,
    "WORKSPACE.Example.com": True,
    "example.com": True,
    ".example.com": True,
    "*.example.com": True,
    "a,b ,example.com": True,
    "a example.com": True,
    "example.com.": True,
    "workspace.example.com:443": True,
    "workspace.example.com:8443": False,
    "ample.com": False,
    "other.com": False,
    "10.0.0.0/8": False,
    ",": False,
    ".": False,
}


@pytest.mark.parametrize("listed", MATCHING)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_exceptions_are_asked_directly(name, listed):
    found = resolve(HTTPS_PROXY=PROXY, **{name: listed})
    assert (found is None) is MATCHING[listed]


ADDRESSES = {
    "10.1.2.3": True,
    "10.0.0.0/8": True,
    "10.1.2.0/24": True,
    "10.1.3.0/24": False,
    "10.1.2.3:443": True,
    "10.1.2.3:80": False,
    "2.3": False,
    "example.com": False,
    "fd00::/8": False,
}


@pytest.mark.parametrize("listed", ADDRESSES)
def test_addresses_and_networks_are_exceptions_too(listed):
    found = resolve("https://10.1.2.3", HTTPS_PROXY=PROXY, NO_PROXY=listed)
    assert (found is None) is ADDRESSES[listed]


@pytest.mark.parametrize("listed", ["fd00::1", "[fd00::1]", "[fd00::1]:443", "fd00::/8"])
def test_addresses_of_ipv6_are_exceptions_too(listed):
    assert resolve("https://[fd00::1]", HTTPS_PROXY=PROXY, NO_PROXY=listed) is None
    assert resolve("https://[fd99::1]", HTTPS_PROXY=PROXY, NO_PROXY="fd00::1") == PROXY
