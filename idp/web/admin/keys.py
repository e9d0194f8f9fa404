"""The keys that sign: see their states, publish and activate a new one (administrators)."""

from datetime import timedelta

from flask import Blueprint
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.grants.key_rotation import activate_key, list_keys, publish_key
from idp.domain.grants.key_schedule import find_next_step
from idp.domain.staff.roles import Permission
from idp.web.admin.desk import console
from idp.web.deps import current_actor, services
from idp.web.guards import staff
from idp.web.key_schedule import key_schedule
from idp.web.render import see_other

bp = Blueprint("admin_keys", __name__, url_prefix="/admin/keys")

#: Of each algorithm the key that signs, the one that will, those that did.
_SHOWN = ("active", "published", "retired")
_ALG = "any(ES256, RS256, PS256, EdDSA)"


@bp.get("")
@staff(Permission.MANAGE_KEYS)
def show() -> Response:
    """List the keys that sign, wait or still verify."""
    with reading(services().sessions) as db:
        known = list_keys(db)
    schedule = key_schedule(services().settings)
    keys = sorted(
        (key for key in known if key.state in _SHOWN),
        key=lambda key: (key.alg, _SHOWN.index(key.state)),
    )
    waiting = {key.alg for key in keys if key.state == "published"}
    signing = [key for key in keys if key.state == "active"]
    seconds = services().settings.tokens.jwks_max_age_seconds
    return console(
        "admin/keys.html",
        "keys",
        keys=keys,
        coming={key.kid: find_next_step(key, known, schedule) for key in keys},
        succeeded={key.kid for key in signing if key.alg in waiting},
        algorithms=[key.alg for key in signing],
        minutes=seconds // 60,
    )


@bp.post(f"/<{_ALG}:alg>/publish")
@staff(Permission.MANAGE_KEYS)
def publish(alg: str) -> Response:
    """Make a key that clients can learn before it signs (KT-01)."""
    with transaction(services().sessions) as db:
        kid = publish_key(
            db, alg, keys=services().keys, actor=current_actor(), now=services().clock()
        )
    return see_other(f"/admin/keys?done={'published' if kid else 'nothing'}")


@bp.post(f"/<{_ALG}:alg>/activate")
@staff(Permission.MANAGE_KEYS)
def activate(alg: str) -> Response:
    """Let the published key sign, once every client has had the time to learn it."""
    waits = timedelta(seconds=services().settings.tokens.jwks_max_age_seconds)
    with transaction(services().sessions) as db:
        kid = activate_key(
            db, alg, published_for=waits, actor=current_actor(), now=services().clock()
        )
    return see_other(f"/admin/keys?done={'activated' if kid else 'too_early'}")
