"""Tokens of ours that come back: a signature is checked once, everything else every time."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import update

from idp.base.secret import digest, to_base64url
from idp.db.session import reading, transaction
from idp.domain.grants import keys as keys_module
from idp.domain.grants import own_tokens
from idp.domain.grants.jose import REGISTRIES
from idp.domain.grants.key_rotation import remove_key
from idp.domain.grants.keys import CheckedSignatures, forget_loaded_keys, load_keys
from idp.domain.grants.own_tokens import open_own_token, sign
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.grants import KeyState, SigningKey
from tests.signing import install_key

CLAIMS = {"sub": "x", "名": "花子", "n": [1, {"a": None}]}


@pytest.fixture
def loaded(world):
    return lambda: world.do(load_keys, keys=world.keys, now=world.now)


@pytest.fixture
def checks(monkeypatch):
    """Count the signatures that are really checked."""
    found = []
    real = own_tokens._open

    def count(token, loaded):
        found.append(token)
        return real(token, loaded)

    monkeypatch.setattr(own_tokens, "_open", count)
    return found


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
def test_a_library_verifies_what_we_sign(world, loaded, alg):
    if alg in ("PS256", "EdDSA"):
        world.do(install_key, keys=world.keys, now=world.now, alg=alg)
    world.clock.advance(timedelta(seconds=1))
    keys = loaded()
    token = sign(CLAIMS, keys.signer(alg), kind="at+jwt")
    opened = jwt.decode(token, KeySet.import_key_set(keys.jwks()), registry=REGISTRIES[alg])
    assert opened.claims == CLAIMS
    assert opened.header == {"typ": "at+jwt", "alg": alg, "kid": keys.signer(alg).kid}


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_the_same_token_is_checked_once(loaded, checks, alg):
    token = sign(CLAIMS, loaded().signer(alg))
    assert [open_own_token(token, loaded()).claims for _ in range(3)] == [CLAIMS] * 3
    assert checks == [token]


def test_jw_04_a_changed_token_is_another_one(loaded, checks):
    token = sign(CLAIMS, loaded().signer("ES256"))
    assert open_own_token(token, loaded()) is not None
    head, body, seal = token.split(".")
    others = [
        f"{head}.{body}.{seal[:-4]}AAAA",
        f"{head}.{to_base64url(json.dumps({'sub': 'y'}).encode())}.{seal}",
        f"{head}.{body}.",
        f"{token}.",
        token + "A" * 4,
    ]
    for _ in range(2):
        assert [open_own_token(other, loaded()) for other in others] == [None] * len(others)
    # What was refused is not remembered: rubbish pushes out nothing.
    assert len(checks) == 1 + 2 * len(others)
    assert open_own_token(token, loaded()).claims == CLAIMS


def test_kt_03_a_removed_key_is_refused_though_its_token_was_checked(world, loaded, sessions):
    signer = loaded().signer("ES256")
    token = sign(CLAIMS, signer)
    assert open_own_token(token, loaded()) is not None
    with transaction(sessions) as db:
        db.execute(
            update(SigningKey).where(SigningKey.kid == signer.kid).values(state=KeyState.REMOVED)
        )
    assert open_own_token(token, loaded()) is not None
    world.clock.advance(timedelta(seconds=1))
    assert open_own_token(token, loaded()) is None


def test_kt_03_this_process_knows_of_its_own_removal_at_once(world, loaded):
    signer = loaded().signer("ES256")
    token = sign(CLAIMS, signer)
    assert open_own_token(token, loaded()) is not None
    world.do(remove_key, signer.kid, keys=world.keys, actor=COMMAND_LINE, now=world.now)
    assert open_own_token(token, loaded()) is None


def test_what_was_checked_outlives_a_new_look_at_the_keys(world, loaded, checks):
    token = sign(CLAIMS, loaded().signer("ES256"))
    open_own_token(token, loaded())
    before = loaded()
    world.clock.advance(timedelta(seconds=1))
    assert loaded() is not before
    assert open_own_token(token, loaded()) is not None
    assert checks == [token]
    world.do(forget_loaded_keys)
    assert open_own_token(token, loaded()) is not None
    assert checks == [token] * 2


def test_kt_01_threads_that_read_a_new_key_together_agree_on_it(world, loaded, monkeypatch):
    """Each opens it, and a token that one of them has checked is right for all."""

    def read():
        with reading(world.sessions) as db:
            return load_keys(db, keys=world.keys, now=world.now)

    loaded()
    world.clock.advance(timedelta(seconds=2))
    world.do(install_key, keys=world.keys, now=world.now, alg="EdDSA")
    both_read, real = threading.Barrier(2, timeout=30), keys_module._open

    def open_together(*arguments, **named):
        both_read.wait()
        return real(*arguments, **named)

    monkeypatch.setattr(keys_module, "_open", open_together)
    with ThreadPoolExecutor(2) as threads:
        first, second = [each.result() for each in [threads.submit(read) for _ in range(2)]]
    token = sign(CLAIMS, first.signer("EdDSA"))
    assert first.signer("EdDSA").verifier is second.signer("EdDSA").verifier
    for keys in (first, second, loaded(), second, first):
        assert open_own_token(token, keys).claims == CLAIMS


def test_kt_01_a_token_that_another_copy_of_the_key_has_checked_is_checked_again(
    world, loaded, checks
):
    token = sign(CLAIMS, loaded().signer("ES256"))
    remembered = loaded().checked
    open_own_token(token, loaded())
    world.do(forget_loaded_keys)
    again = replace(loaded(), checked=remembered)
    assert open_own_token(token, again).claims == CLAIMS
    assert open_own_token(token, again).claims == CLAIMS
    assert checks == [token] * 2


def test_what_was_read_cannot_be_changed(loaded):
    token = sign(CLAIMS, loaded().signer("ES256"))
    for part in (open_own_token(token, loaded()).claims, open_own_token(token, loaded()).header):
        with pytest.raises(TypeError):
            part["sub"] = "y"


def test_lg_01_no_token_stays_in_memory(loaded):
    token = sign(CLAIMS, loaded().signer("ES256"))
    opened = open_own_token(token, loaded())
    assert loaded().checked._known == {digest(token): (loaded().signer("ES256").verifier, opened)}
    assert not {part for part in token.split(".") if part in repr(opened)}


def test_the_oldest_goes_when_there_are_too_many():
    checked = CheckedSignatures(most=3)
    for number in range(5):
        checked.keep(bytes([number]), "key", number)
    assert [checked.find(bytes([number])) for number in range(5)] == [
        None,
        None,
        ("key", 2),
        ("key", 3),
        ("key", 4),
    ]


def test_threads_keep_within_the_bound():
    checked = CheckedSignatures(most=10)
    barrier = threading.Barrier(4)

    def fill(first):
        barrier.wait()
        for number in range(first, 4_000, 4):
            checked.keep(number.to_bytes(4), "key", number)

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(checked._known) == 10
