"""The settings files of the relying parties."""

import json
import re
import tomllib

import pytest

from clients.booking.site import FOLDER as BOOKING
from clients.booking.site import load_settings
from clients.certificate.site import FOLDER as CERTIFICATE
from clients.certificate.site import load_settings as load_certificate_settings
from clients.kit.settings import SettingsError, is_allowed_url, load

FOLDERS = {"booking": BOOKING, "certificate": CERTIFICATE}


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://login.example", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://login.example", False),
        ("http://127.0.0.1.example", False),
        ("http://127.0.0.2", False),
        ("https://user@login.example", False),
        ("https://", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_plain_http_is_for_this_machine_only(url, allowed):
    assert is_allowed_url(url) is allowed


def write_config(folder, name="booking", **changes):
    example = (FOLDERS[name] / "config.example.toml").read_text()
    table = tomllib.loads(example) | changes
    plain = [f"{k} = {json.dumps(v)}" for k, v in table.items() if isinstance(v, str)]
    tables = [
        f"[{k}]\n" + "\n".join(f"{n} = {json.dumps(v)}" for n, v in t.items() if v != {})
        for k, t in table.items()
        if isinstance(t, dict)
    ]
    (folder / f"{name}.secret").write_text("the secret\n")
    path = folder / f"{name}.toml"
    path.write_text("\n".join(plain + tables))
    return path


def test_rule_37_the_examples_are_complete_and_work(tmp_path):
    settings, rules = load_settings(write_config(tmp_path))
    assert settings.client_secret == "the secret"
    assert settings.database == tmp_path / "booking.sqlite3"
    assert settings.office.office["en"] == "Children’s Division"
    assert rules.monthly_hours == 10
    other = load_certificate_settings(write_config(tmp_path, "certificate"))
    assert other.base_url == "http://127.0.0.1:8002"


def test_the_session_key_is_made_once_and_kept_from_others(tmp_path):
    config = write_config(tmp_path, session_key_file="keys/a.key")
    first, _ = load_settings(config)
    second, _ = load_settings(config)
    assert first.session_key == second.session_key
    assert len(first.session_key) >= 64
    assert (tmp_path / "keys/a.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"issuer": "http://login.example"}, "issuer must be an https URL"),
        ({"issuer": "https://login.example/?a=b"}, "issuer"),
        ({"issuer": ""}, "issuer must be a str and not empty"),
        ({"base_url": "https://booking.example/app"}, "base_url must end after the host"),
        ({"base_url": "https://booking.example/"}, "base_url must end after the host"),
        ({"client_secret": "two"}, "exactly one of client_secret"),
        ({"client_secret_file": "missing.secret"}, "client_secret_file"),
        ({"isuer": "https://login.example"}, "unknown key 'isuer'"),
        ({"municipality": {"code": "12345"}}, "six digits"),
        ({"municipality": {"code": "990001"}}, "name_ja is missing"),
        ({"booking": {"monthly_hours": 0}}, "1 to 160"),
    ],
    ids=str,
)
def test_rule_26_a_wrong_setting_is_said_with_what_to_do(tmp_path, changes, said):
    with pytest.raises(SettingsError, match=re.escape(said)):
        load_settings(write_config(tmp_path, **changes))


def test_a_file_that_is_missing_or_no_toml_is_said(tmp_path):
    with pytest.raises(SettingsError, match=r"config\.example\.toml"):
        load(tmp_path / "none.toml", section="booking")
    (tmp_path / "bad.toml").write_text("= = =")
    with pytest.raises(SettingsError, match="not TOML"):
        load(tmp_path / "bad.toml", section="booking")


def test_the_certificate_application_knows_no_section_of_its_own(tmp_path):
    config = write_config(tmp_path, "certificate", certificate={"a": "b"})
    with pytest.raises(SettingsError, match="unknown key 'a'"):
        load_certificate_settings(config)
