"""What the operator's file says of signing in at another issuer, judged at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from itr.issuers.external import origin_of, read_issuers
from itr.settings import Settings, WrongSettings
from tests.support.databases import environment

SECRET = "the secret between them"
SECRET_LINE = 'client_secret_variable = "COMPANY_SECRET"'
GOOD = """
[[issuer]]
url = "https://sso.example/realms/desk"
audience = "itr-desk"
algorithms = ["RS256"]
hosts = ["keys.example"]
key = "company"
client_id = "us"
client_secret_variable = "COMPANY_SECRET"
scopes = ["openid", "groups"]
name = { zh = "公司账号", en = "the company account" }
organisation = "Shanghai"
[issuer.roles]
agent = "LINE1"
"""


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPANY_SECRET", SECRET)
    monkeypatch.setenv("EMPTY_SECRET", " ")


def written(folder: Path, text: str) -> str:
    path = folder / "issuers.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_client_is_read_and_its_secret_is_not_shown(tmp_path: Path) -> None:
    """S15."""
    (issuer,) = read_issuers(written(tmp_path, GOOD))

    assert issuer.client is not None
    assert (issuer.client.key, issuer.client.scopes) == ("company", ("openid", "groups"))
    assert (issuer.client.zh, issuer.client.en) == ("公司账号", "the company account")
    assert issuer.client.secret.get_secret_value() == SECRET
    assert SECRET not in repr(issuer)
    assert issuer.origins == {"https://sso.example:443", "https://keys.example:443"}


def test_a_secret_may_stand_in_a_file_and_a_name_be_one_word(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    text = GOOD.replace(
        'client_secret_variable = "COMPANY_SECRET"', f'client_secret_file = "{secret}"'
    )
    text = text.replace('{ zh = "公司账号", en = "the company account" }', '"Keycloak"')

    (issuer,) = read_issuers(written(tmp_path, text))

    assert issuer.client is not None
    assert issuer.client.secret.get_secret_value() == SECRET
    assert (issuer.client.zh, issuer.client.en) == ("Keycloak", "Keycloak")


def test_an_issuer_without_a_client_gives_tokens_only(tmp_path: Path) -> None:
    kept = ("key", "client_id", "client_secret", "scopes", "name")
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(kept))

    (issuer,) = read_issuers(written(tmp_path, text))

    assert issuer.client is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('key = "company"', "", "key must be"),
        ('key = "company"', 'key = "Company/.."', "key must be"),
        ('client_id = "us"', "", "needs client_id"),
        ('client_id = "us"', "client_id = 7", "client_id is missing"),
        (SECRET_LINE, "", "either client_secret_file or client_secret_variable"),
        (SECRET_LINE, f'{SECRET_LINE}\nclient_secret_file = "/x"', "either client_secret_file or"),
        (SECRET_LINE, f'client_secret = "{SECRET}"', "does not stand in this file"),
        (SECRET_LINE, 'client_secret_file = "/nowhere/at/all"', "cannot be read"),
        ('"COMPANY_SECRET"', '"NO_SUCH_VARIABLE"', "NO_SUCH_VARIABLE holds no secret"),
        ('"COMPANY_SECRET"', '"EMPTY_SECRET"', "EMPTY_SECRET holds no secret"),
        ('"COMPANY_SECRET"', '"ITR_COMPANY"', "the server's own settings"),
        ('["openid", "groups"]', '["groups"]', "openid among them"),
        ('["openid", "groups"]', '["openid", "a b"]', "openid among them"),
        ('["openid", "groups"]', '"openid"', "openid among them"),
        ('en = "the company account"', 'fr = "le compte"', "name must be"),
        ('zh = "公司账号"', 'zh = " "', "name must be"),
        ('["keys.example"]', '["https://keys.example"]', "hosts must be"),
        ('["keys.example"]', '"keys.example"', "hosts must be"),
        ('[issuer.roles]\nagent = "LINE1"', "", "[issuer.roles] must say"),
    ],
)
def test_a_mistake_is_one_sentence_at_the_start_and_tells_no_secret(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """S15."""
    assert old in GOOD
    given = environment(database_url="postgresql://x", valkey_url="valkey://x")
    path = written(tmp_path, GOOD.replace(old, new))

    with pytest.raises(WrongSettings) as refused:
        Settings.read(given | {"ITR_EXTERNAL_ISSUERS": path})

    assert said in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_two_issuers_do_not_share_a_key(tmp_path: Path) -> None:
    another = GOOD.replace("realms/desk", "realms/other")

    with pytest.raises(ValueError, match="uses a key twice"):
        read_issuers(written(tmp_path, GOOD + another))


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://SSO.example/a?b", "https://sso.example:443"),
        ("https://sso.example:8443/", "https://sso.example:8443"),
        ("http://127.0.0.1:80/", "http://127.0.0.1:80"),
        ("http://sso.example/", None),
        ("https://sso.example@evil.example/", None),
        ("https://sso.example\\@evil.example/", None),
        ("//sso.example/", None),
        ("file:///etc/passwd", None),
        ("https://sso.example:x/", None),
        ("https://[::1", None),
        ("", None),
    ],
)
def test_where_an_address_leads_is_read_as_it_will_be_asked(url: str, origin: str | None) -> None:
    """S15: what has no plain origin is asked nowhere."""
    assert origin_of(url) == origin
