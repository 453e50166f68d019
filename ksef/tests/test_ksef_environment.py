"""Addresses: KSeF's own, and local ones that can't lead a token to another machine."""

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from ksef.environment import get_environment
from ksef.errors import KsefConfigError


@pytest.mark.parametrize(("code", "suffix"), [("production", ""), ("demo", "-demo"), ("test", "-test")])
def test_the_ministrys(code, suffix):
    environment = get_environment(code, local_url="http://127.0.0.1:1/v2")
    assert environment.api_url == f"https://api{suffix}.ksef.mf.gov.pl/v2"
    assert environment.qr_url == f"https://qr{suffix}.ksef.mf.gov.pl"
    assert environment.taxpayer_app_url == f"https://ap{suffix}.ksef.mf.gov.pl/web"
    assert environment.code == code
    assert not environment.is_local


def test_latarnia():
    assert get_environment("production").latarnia_url == "https://api-latarnia.ksef.mf.gov.pl"
    assert get_environment("test").latarnia_url == get_environment("demo").latarnia_url
    assert get_environment("test").latarnia_url == "https://api-latarnia-test.ksef.mf.gov.pl"


@pytest.mark.parametrize(("url", "api", "qr"), [
    ("http://127.0.0.1:8000/v2", "http://127.0.0.1:8000/v2", "http://127.0.0.1:8000"),
    (" http://127.0.0.1:8000/ ", "http://127.0.0.1:8000/v2", "http://127.0.0.1:8000"),
    ("http://127.0.0.1:8000/v2/", "http://127.0.0.1:8000/v2", "http://127.0.0.1:8000"),
    ("HTTPS://LocalHost", "https://localhost/v2", "https://localhost"),
    ("http://127.8.9.10", "http://127.8.9.10/v2", "http://127.8.9.10"),
    ("http://[::1]:65535/a/b", "http://[::1]:65535/a/b/v2", "http://[::1]:65535"),
])
def test_local(url, api, qr):
    environment = get_environment("local", url)
    assert (environment.api_url, environment.qr_url) == (api, qr)
    assert environment.is_local


@pytest.mark.parametrize("url", [
    None, "", "127.0.0.1", "ftp://127.0.0.1/v2", "file:///etc/passwd", "http://", "http://example.com/v2",
    "http://10.0.0.1/v2", "http://0.0.0.0/v2", "http://128.0.0.1", "http://127.0.0.1.example.com", "http://127.0.0.999",
    "http://127.0.0.010", "http://127.1", "http://2130706433", "http://0x7f000001", "http://localhost.example.com",
    "http://localhost@example.com", "http://example.com@127.0.0.1", "http://user:password@127.0.0.1", "http://[::2]",
    "http://[::ffff:10.0.0.1]", "http://127.0.0.1:0", "http://127.0.0.1:65536", "http://127.0.0.1:999999",
    "http://127.0.0.1:", "http://127.0.0.1/v2?x=1", "http://127.0.0.1/v2#x", "http://127.0.0.1/../v2",
    "http://example.com\\@127.0.0.1/v2", "http://127.0.0.1\\@example.com", "http://127.0.0.1/v2\nHost: x",
    "http://127.0.0.1%2f@example.com", "http://１２７.0.0.1", "http://127。0。0。1", "https://api.ksef.mf.gov.pl/v2",
])
def test_not_local(url):
    with pytest.raises(KsefConfigError):
        get_environment("local", url)


@pytest.mark.parametrize("code", ["", None, "prod", "TEST", [], {}])
def test_unknown(code):
    with pytest.raises(KsefConfigError):
        get_environment(code)


@given(st.text(alphabet="htps:/lo127.0[]@\\?#%&;. \tavx-_ſK", max_size=40).map(lambda text: "http://" + text))
def test_whatever_is_accepted_is_loopback_for_every_parser(url):
    try:
        environment = get_environment("local", url)
    except KsefConfigError:
        return
    for host in (urlsplit(environment.api_url).hostname, parse_url(environment.api_url).host.strip("[]")):
        assert host == "localhost" or ipaddress.ip_address(host).is_loopback
    assert environment.api_url.endswith("/v2")
