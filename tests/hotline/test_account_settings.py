"""What the configuration says of logins: faults told, secrets found, a door made of it."""

import base64
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hotline.account_settings import Accounts
from hotline.doorway import door_of
from hotline.oidc_settings import Oidc
from hotline.settings import ConfigError, Settings, load

SOUND: dict[str, Any] = {"issuer": "https://id.example.cn/realms/a", "client_id": "hotline"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"issuer": "http://id.example.cn"}, "https://"),
        ({"issuer": "https://id.example.cn/?tenant=1"}, "https://"),
        ({"issuer": ""}, "https://"),
        ({"client_id": ""}, "at least 1"),
        ({"scopes": ("profile",)}, "openid"),
        ({"scopes": ("openid", "a b")}, "pattern"),
        ({"role_claim": "groups"}, "go together"),
        ({"roles": {"a": "agent"}}, "go together"),
        ({"role_claim": "groups", "roles": {"a": "king"}}, "auditor"),
    ],
)
def test_what_cannot_be_is_told(changes: dict[str, Any], said: str) -> None:
    """Each in its setting."""
    with pytest.raises(ValidationError, match=said):
        Oidc(**SOUND | changes)


def test_a_door_is_made_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Roles, key, provider with its secret; LookupError where one is named that is not there."""
    assert door_of(Settings(), lambda: 1.0).provider is None
    (tmp_path / "key").write_bytes(base64.b64encode(bytes(range(32))))
    accounts = Accounts(second_factor=("admin",), key_file=tmp_path / "key")
    settings = Settings(accounts=accounts, oidc=Oidc(**SOUND, secret_env="OIDC_TEST", only=True))
    with pytest.raises(LookupError, match="OIDC_TEST"):
        door_of(settings, lambda: 1.0)
    monkeypatch.setenv("OIDC_TEST", "x")
    door = door_of(settings, lambda: 1.0)
    assert (door.passwords, door.second_factor_of) == (False, frozenset({"admin"}))
    assert door.provider is not None
    assert door.provider.terms.secret == "x"
    assert door.seal.open(door.seal.close("ABC", 7), 7) == "ABC"
    (tmp_path / "key").write_text("short")
    with pytest.raises(LookupError, match=r"\[accounts\]"):
        door_of(settings, lambda: 1.0)


def test_a_file_says_it_all(tmp_path: Path) -> None:
    """As an administrator writes it; two places for one key are a fault, with its line."""
    file = tmp_path / "hotline.toml"
    file.write_text(
        '[accounts]\nsecond_factor = ["supervisor", "admin"]\n[server]\ntls_cert = "c.pem"\ntls_key = "k.pem"\n'
    )
    settings = load(file)
    assert settings.accounts.required_of == {"supervisor", "admin"}
    assert settings.server.tls_cert == tmp_path / "c.pem"
    assert settings.server.https
    file.write_text('[accounts]\nkey_env = "A"\nkey_file = "b"\n')
    with pytest.raises(ConfigError, match="not both"):
        load(file)
