"""What the plans need in a provider: a person with every claim, the FAPI clients, a token."""

import json
from datetime import timedelta
from pathlib import Path

from joserfc.jwk import ECKey
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from idp.base.clock import utc_now
from idp.base.secret import from_base64url
from idp.db.engine import configure_engine, engine_options
from idp.db.session import transaction
from idp.domain.grants.client_registry import import_client
from idp.domain.grants.initial_access_tokens import (
    NewInitialToken,
    TokenOrder,
    create_initial_token,
)
from idp.domain.grants.key_rotation import ensure_keys
from idp.domain.signin.passwords import Hasher
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.households import SecondStep
from idp.protocol.addresses import AddressRules
from idp.protocol.registration import parse_registration
from idp.protocol.scope import SUPPORTED
from idp.settings.keys import keyring_of
from idp.settings.load import load_settings
from tests import factories
from tests.conformance.pages import LOGIN_ID, PASSWORD
from tests.conformance.plans import PUSHING, SIGNING, describe_fapi_client


def seed(config: Path, suite: str, folder: Path) -> None:
    """Fill an empty provider and write what a run needs into the folder (mode 0600)."""
    settings = load_settings(config)
    url = settings.database.url
    engine = create_engine(url, **engine_options(url, pool_size=1))
    configure_engine(engine)
    private = {name: _make_key(name) for name in (*PUSHING, *SIGNING)}
    hasher = Hasher(pepper=from_base64url(settings.secrets.password_pepper))
    with transaction(sessionmaker(engine, expire_on_commit=False)) as db:
        now = utc_now()
        keys = keyring_of(settings)
        ensure_keys(db, keys=keys, now=now)
        _add_person(db, hasher, now=now)
        for name, key in private.items():
            metadata = describe_fapi_client(name, suite, public_key=key.as_dict(private=False))
            registration = parse_registration(metadata, rules=AddressRules())
            import_client(db, registration, actor=COMMAND_LINE, keys=keys, now=now)
        order = TokenOrder(
            label="conformance",
            scopes=frozenset(SUPPORTED),
            expires_at=now + timedelta(days=30),
            uses=10_000,
            is_legacy=True,
        )
        token = create_initial_token(db, order, actor=COMMAND_LINE, now=now)
    engine.dispose()
    assert isinstance(token, NewInitialToken)
    facts = {
        "initial_access_token": token.token,
        "keys": {name: key.as_dict(private=True) for name, key in private.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "secrets.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(facts), encoding="utf-8")


def _make_key(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "alg": "ES256", "use": "sig"})


def _add_person(db: Session, hasher: Hasher, *, now) -> None:
    town = factories.make_municipality(db, now=now, second_step=SecondStep.USER_CHOICE)
    person = factories.make_account(
        db,
        now=now,
        municipality_id=town.id,
        email=LOGIN_ID,
        login_id=LOGIN_ID,
        password=PASSWORD,
        hasher=hasher,
        family_name_kana="サクラ",
        given_name_kana="ミサキ",
        email_verified_at=now,
        phone_number="+81312345678",
        postal_code="000-0000",
        region="架空県",
        locality="架空市",
        street_address="一丁目1番1号",
    )
    home = factories.make_household(db, now=now, municipality_id=town.id, representative=person)
    factories.make_child(db, now=now, household_id=home.id)
