"""Build a relying party's application from its site and its settings."""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from clients.kit import signin, signout
from clients.kit.clock import Clock
from clients.kit.context import Kit, Site, attach_kit, kit
from clients.kit.database import Database
from clients.kit.guards import machines
from clients.kit.headers import add_headers
from clients.kit.oidc import RelyingParty
from clients.kit.pages import render_error
from clients.kit.settings import Settings
from clients.kit.texts import Texts, load_texts
from clients.kit.worker import Worker

_log = logging.getLogger(__name__)
_FOLDER = Path(__file__).parent
_LARGEST_REQUEST = 64 * 1024
_PAGES_OF_STATUS = {404: "missing", 405: "missing", 413: "too_large"}


def open_database(settings: Settings, folder: Path, *, clock: Clock) -> Database:
    """Open the file of a relying party and bring it to the newest schema."""
    database = Database(settings.database, (_FOLDER / "migrations", folder / "migrations"))
    database.migrate(now=clock())
    return database


def load_all_texts(folder: Path) -> Texts:
    """Read the texts of the kit and of a relying party."""
    return load_texts((_FOLDER / "texts", folder / "texts"))


def build_app(
    site: Site, settings: Settings, folder: Path, blueprints: Sequence[Blueprint], *, clock: Clock
) -> Flask:
    """Build the application whose own templates, texts and schema lie in `folder`.

    The worker is made, not started: a test steps it by hand, the server starts its thread.
    """
    app = Flask(
        f"clients.{site.name}",
        static_folder=str(_FOLDER / "static"),
        template_folder=str(folder / "templates"),
    )
    app.config.update(
        MAX_CONTENT_LENGTH=_LARGEST_REQUEST,
        MAX_FORM_PARTS=100,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    database = open_database(settings, folder, clock=clock)
    attach_kit(
        app.extensions,
        Kit(
            site=site,
            settings=settings,
            database=database,
            texts=load_all_texts(folder),
            clock=clock,
            relying_party=RelyingParty(app, settings, site.scopes),
            worker=Worker(settings, database, clock, site.clear_own),
        ),
    )
    for part in (signin.bp, signout.bp, *blueprints):
        app.register_blueprint(part)
    app.add_url_rule("/health", "health", health)
    app.after_request(add_headers)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(sqlite3.OperationalError, _database_error)
    app.register_error_handler(Exception, _unexpected_error)
    return app


@machines
def health() -> ResponseReturnValue:
    """Say that the application runs and reaches its database."""
    with kit().database.read() as db:
        db.execute("SELECT count(*) FROM schema_step").fetchone()
    return jsonify(status="ok")


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    response = render_error(_PAGES_OF_STATUS.get(status, "bad_request"), status)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.allow.update(error.valid_methods)
    return response


def _database_error(_error: sqlite3.OperationalError) -> ResponseReturnValue:
    _log.exception("database.failed")
    return render_error("later", 503)


def _unexpected_error(_error: Exception) -> ResponseReturnValue:
    _log.exception("request.failed")
    return render_error("unexpected", 500)
