"""The composition root: builds the services, registers every view."""

import logging
from pathlib import Path

from flask import Blueprint, Flask, Request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from idp.base.clock import Clock, utc_now
from idp.base.http import HttpClient
from idp.base.secret import from_base64url
from idp.base.texts import load_texts
from idp.db.engine import configure_engine, engine_options
from idp.db.kept import keep_connections
from idp.domain.grants.client_keys import ClientKeys
from idp.domain.grants.request_objects import RequestObjects
from idp.domain.signin.passwords import Hasher
from idp.domain.upstream.config import KeyUnusable, read_private_key
from idp.domain.upstream.provider import UpstreamConfig, UpstreamProvider
from idp.model.base import Base
from idp.protocol.upstream import Profile
from idp.settings.check import SettingsError
from idp.settings.keys import keyring_of
from idp.settings.schema import Settings
from idp.web import assets, errors, guards, headers, health, render
from idp.web.account import consents as account_consents
from idp.web.account import (
    documents,
    home,
    household,
    identity,
    password,
    profile,
    second_step,
    security,
)
from idp.web.admin import client_edit as admin_client_edit
from idp.web.admin import client_files as admin_client_files
from idp.web.admin import clients as admin_clients
from idp.web.admin import deliveries as admin_deliveries
from idp.web.admin import keys as admin_keys
from idp.web.admin import maintenance as admin_maintenance
from idp.web.admin import registration_tokens as admin_registration_tokens
from idp.web.api import notices
from idp.web.application import Application
from idp.web.deps import SERVICES, Services
from idp.web.limits import LIMITER, RateLimiter
from idp.web.oidc import authorize, consent, device_authorization, discovery, par, token, userinfo
from idp.web.oidc import check_session as oidc_check_session
from idp.web.oidc import logout as oidc_logout
from idp.web.oidc import registration as oidc_registration
from idp.web.published import PublishedDocuments
from idp.web.signin import (
    acting_for,
    activation,
    cancel,
    code,
    device,
    flow,
    help_pages,
    language,
    login,
    logos,
    logout,
    reset,
    reset_code,
    staying,
    terms,
    upstream,
)
from idp.web.staff import (
    audit,
    changes,
    mail,
    person,
    protection,
    recovery,
    register,
    search,
)
from idp.web.staff import household as staff_household

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = ROOT / "templates"
#: Names of hosts a proxy or a probe on this machine may use beside the issuer's.
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")

BLUEPRINTS: tuple[Blueprint, ...] = (
    health.bp,
    flow.bp,
    login.bp,
    logos.bp,
    code.bp,
    cancel.bp,
    device.bp,
    logout.bp,
    staying.bp,
    language.bp,
    acting_for.bp,
    terms.bp,
    reset.bp,
    reset_code.bp,
    upstream.bp,
    activation.bp,
    help_pages.bp,
    home.bp,
    documents.bp,
    second_step.bp,
    security.bp,
    identity.bp,
    password.bp,
    account_consents.bp,
    household.bp,
    profile.bp,
    authorize.bp,
    consent.bp,
    par.bp,
    device_authorization.bp,
    token.bp,
    userinfo.bp,
    discovery.bp,
    oidc_logout.bp,
    oidc_check_session.bp,
    oidc_registration.bp,
    notices.bp,
    search.bp,
    person.bp,
    changes.bp,
    recovery.bp,
    protection.bp,
    register.bp,
    staff_household.bp,
    mail.bp,
    audit.bp,
    admin_clients.bp,
    admin_client_edit.bp,
    admin_client_files.bp,
    admin_registration_tokens.bp,
    admin_deliveries.bp,
    admin_keys.bp,
    admin_maintenance.bp,
)


def _bounded_request(most_bytes: int) -> type[Request]:
    """Return Flask's request with limits of its own, not looked up anew at every look."""

    class BoundedRequest(Request):
        max_content_length = most_bytes
        max_form_memory_size = most_bytes
        max_form_parts = 400

    return BoundedRequest


def create_app(settings: Settings, clock: Clock = utc_now) -> Flask:
    """Build the provider: one application, no state outside it."""
    # Authlib writes live tokens at DEBUG; whoever embeds us may not have called configure_logs.
    logging.getLogger("authlib").setLevel(logging.WARNING)
    app = Application(
        "idp",
        template_folder=str(TEMPLATES),
        static_folder=str(ROOT / "idp/web/static"),
        static_url_path="/static",
    )
    app.config.update(
        TRUSTED_HOSTS=[settings.provider.issuer.partition("://")[2], *_LOCAL_HOSTS],
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.request_class = _bounded_request(settings.server.max_body_bytes)
    # `POST //login` is nobody's address: redirected, the password would be sent a second time.
    app.url_map.merge_slashes = False
    engine = _open_database(app, settings)
    app.extensions[SERVICES] = _build_services(engine, settings, clock)
    app.extensions[LIMITER] = RateLimiter(settings.limits.store, settings.limits.per_minute)
    app.before_request(guards.enforce)
    app.after_request(headers.finish)
    only_tls = settings.provider.issuer.startswith("https://")
    whole = headers.SameHeaders(app.wsgi_app, only_tls=only_tls)
    app.wsgi_app = PublishedDocuments(whole, app)  # type: ignore[method-assign]
    assets.register(app)
    render.register(app)
    errors.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def _build_services(engine: Engine, settings: Settings, clock: Clock) -> Services:
    # A factory on the one engine, not the scoped session: a page that is rendered inside a
    # transaction reads in a session of its own, and closing that one must not undo the
    # transaction. Flask-SQLAlchemy's own sessions look for their engine at every statement.
    sessions = sessionmaker(engine, expire_on_commit=False)
    keep_connections(sessions, engine)
    return Services(
        settings=settings,
        clock=clock,
        sessions=sessions,
        keys=keyring_of(settings),
        texts=load_texts(TEMPLATES / "texts"),
        hasher=Hasher(
            pepper=from_base64url(settings.secrets.password_pepper),
            concurrency=settings.signin.hash_concurrency,
        ),
        client_keys=ClientKeys(build_http(settings)),
        request_objects=RequestObjects(build_http(settings)),
        http=build_http(settings),
        upstream=_build_upstream(settings),
    )


def _build_upstream(settings: Settings) -> UpstreamProvider | None:
    """Build the way to the upstream provider, if there is one.

    Raises:
        SettingsError: our key there is none.
    """
    upstream = settings.upstream
    if not upstream.issuer:
        return None
    try:
        key = read_private_key(upstream.private_key) if upstream.private_key else None
    except KeyUnusable:
        raise SettingsError("upstream.private_key must be a private JWK with a kid") from None
    config = UpstreamConfig(
        issuer=upstream.issuer,
        client_id=upstream.client_id,
        redirect_uri=f"{settings.provider.issuer}/upstream/callback",
        profile=Profile(upstream.profile),
        key=key,
        client_secret=upstream.client_secret,
        required_acr=upstream.required_acr,
    )
    return UpstreamProvider(config, build_http(settings))


def build_http(settings: Settings) -> HttpClient:
    """Build the one client for calls to other servers: time, size and addresses are bounded."""
    return HttpClient(
        timeout_seconds=settings.outgoing.timeout_seconds,
        ca_file=settings.outgoing.ca_file,
        allow_loopback=settings.dev.allow_http,
        allowed_networks=settings.outgoing.allowed_networks,
    )


def _open_database(app: Flask, settings: Settings) -> Engine:
    """Let Flask-SQLAlchemy make and own the engine; operations get sessions on it as `db`."""
    url = settings.database.url
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(
        url, pool_size=settings.database.pool_size
    )
    database = SQLAlchemy(app, model_class=Base)
    with app.app_context():
        configure_engine(database.engine)
        return database.engine
