"""`idp keys reseal`: a change of the master key from beginning to end, on both databases."""

import json

import pytest
from sqlalchemy import text

from idp.base.secret import to_base64url
from tests import factories

NEW_KEY = to_base64url(b"n" * 16 + bytes(range(16)))
OTHER_KEY = to_base64url(b"o" * 16 + bytes(range(16)))
OLD_KEY = to_base64url(factories.MASTER_KEY)
SIGNER = {
    "client_id": "signer",
    "client_name": "Signer",
    "redirect_uris": ["https://rp.example/callback"],
    "token_endpoint_auth_method": "client_secret_jwt",
}


@pytest.fixture
def filled(idp, write):
    """Have signing keys and a secret that signs under the old key."""
    assert idp("keys", "ensure")[0] == 0
    assert idp("clients", "import", write("signer.json", json.dumps(SIGNER)))[0] == 0


@pytest.fixture
def use_keys(config):
    """Write another master key into the settings, and the one before it."""
    before = config.read_text(encoding="utf-8")

    def run(master, previous=None):
        lines = f'master_key = "{master}"'
        if previous:
            lines += f'\nprevious_master_key = "{previous}"'
        changed = before.replace(f'master_key = "{OLD_KEY}"', lines)
        assert changed != before
        config.write_text(changed, encoding="utf-8")

    return run


def test_the_master_key_is_changed_and_the_one_before_taken_out(idp, filled, use_keys):
    assert idp("keys", "reseal", "--check")[0] == 0
    use_keys(NEW_KEY, OLD_KEY)
    code, counted, problem = idp("keys", "reseal", "--check")
    assert code == 1
    assert "client secrets\t1 to seal anew, 0 as they should be, 0 unreadable" in counted
    assert "5 values are sealed under the key before: run `idp keys reseal`" in problem
    code, done, _ = idp("keys", "reseal")
    assert code == 0
    assert "signing keys\t4 sealed anew, 0 as they should be, 0 unreadable" in done
    assert done.endswith("Everything is sealed under the present master key.\n")
    code, again, _ = idp("keys", "reseal")
    assert (code, "signing keys\t0 sealed anew, 4 as they should be" in again) == (0, True)
    use_keys(NEW_KEY)
    code, counted, _ = idp("keys", "reseal", "--check")
    assert (code, "signing keys\t0 to seal anew, 4 as they should be" in counted) == (0, True)
    assert idp("clients", "rotate-secret", "signer")[0] == 0


def test_a_check_writes_nothing(idp, filled, use_keys, ask):
    stored = text("SELECT sealed_private FROM signing_key ORDER BY kid")
    before = [bytes(row[0]) for row in ask(stored)]
    use_keys(NEW_KEY, OLD_KEY)
    assert idp("keys", "reseal", "--check")[0] == 1
    assert [bytes(row[0]) for row in ask(stored)] == before


@pytest.mark.parametrize("words", [(), ("--check",)])
def test_what_no_key_opens_ends_the_command_with_a_problem(idp, filled, use_keys, words):
    use_keys(NEW_KEY, OTHER_KEY)
    code, counted, problem = idp("keys", "reseal", *words)
    assert code == 1
    assert "5 values can be opened by no key of these settings" in problem
    assert counted.count("unreadable\tsigning keys\t") == 4
    assert "4 unreadable" in counted
    use_keys(NEW_KEY, OLD_KEY)
    assert idp("keys", "reseal")[0] == 0
